package exec

import "math"

// perUnit is the length of the unit that a query counts time in.
//
//go:noinline
func perUnit(unit int64) int64 { return max(unit, 1) }

// floorDiv is a / b rounded down, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// unitsBetween is how many units lie between two times, the earlier first, or
// as many as int64 holds.
//
//go:noinline
func unitsBetween(from, to, unit int64) int64 {
	if n := floorDiv(to, unit) - floorDiv(from, unit); n >= 0 {
		return n
	}
	return math.MaxInt64
}

// distance is to - from, which int64 may not hold where their signs differ.
func distance(from, to int64) float64 {
	if to < from {
		return -float64(uint64(from) - uint64(to))
	}
	return float64(uint64(to) - uint64(from))
}

// toInt64 cuts the fraction off v; what is out of range is an extreme of int64.
func toInt64(v float64) int64 {
	switch {
	case v >= math.MaxInt64: // which is 2^63 as a float64
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

// scale is v units in nanoseconds; what is out of range is an extreme of int64.
//
//go:noinline
func scale(v, unit int64) int64 {
	switch {
	case v > math.MaxInt64/unit:
		return math.MaxInt64
	case v < math.MinInt64/unit:
		return math.MinInt64
	}
	return v * unit
}
