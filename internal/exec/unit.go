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
