package block

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/tickwell/tickwell/internal/column"
)

// Flags of Stats.
const (
	// FlagNaN tells that some float cell is NaN. NaN takes no part in Min and
	// Max and makes SumF NaN.
	FlagNaN uint8 = 1 << iota
	// FlagNoRange tells that Min and Max mean nothing: Text, no cells, or only
	// NaN.
	FlagNoRange
	// FlagOverflow tells that the integer sum left the range of int64: SumI
	// means nothing, SumF holds the sum.
	FlagOverflow

	knownFlags = FlagNaN | FlagNoRange | FlagOverflow
)

// Stats summarises the non-null cells of a block.
type Stats struct {
	Count   uint32 // non-null cells
	Flags   uint8
	MinTime int64 // time of the first non-null row
	MaxTime int64 // time of the last non-null row
	// First, Last, Min and Max hold the cell's bits: IEEE 754 bits for floats
	// (a Float32's in the low 32), two's complement of the value widened to 64
	// bits for integers, 0 and 1 for Bool (false < true). Zero for Text. Of
	// cells that compare equal, such as 0 and -0, Min and Max hold the first.
	First, Last, Min, Max uint64
	// SumF is the sum of floats, and of integers after an overflow. Cell i of
	// the non-null ones is added to the partial sum i mod 4, in float64; then
	// (s0 + s1) + (s2 + s3).
	SumF float64
	SumI int64 // sum of integers; number of true for Bool
}

// Compute sets s from the rows of a chunk: times strictly increasing, v and
// nulls over the same rows.
func (s *Stats) Compute(times []int64, v *column.Vector, nulls column.Bitmap) {
	n := v.Len()
	*s = Stats{Flags: FlagNoRange}
	if !nulls.Any(n) {
		nulls = nil
	}
	first, last := nulls.NextClear(0, n), n-1
	if first >= n {
		return
	}
	for nulls.Get(last) {
		last--
	}
	s.Count = uint32(n - nulls.Count(n))
	s.MinTime, s.MaxTime = times[first], times[last]
	rows := v.Slice(first, last+1)
	switch v.Kind {
	case column.Bool:
		s.bools(rows.Bools, nulls, first)
	case column.Int32:
		computeInts(s, rows.Int32s, nulls, first)
	case column.Int64:
		computeInts(s, rows.Int64s, nulls, first)
	case column.Float32:
		s.First = uint64(math.Float32bits(rows.Float32s[0]))
		s.Last = uint64(math.Float32bits(rows.Float32s[last-first]))
		lo, hi := computeFloats(s, rows.Float32s, nulls, first)
		s.Min, s.Max = uint64(math.Float32bits(lo)), uint64(math.Float32bits(hi))
	case column.Float64:
		s.First = math.Float64bits(rows.Float64s[0])
		s.Last = math.Float64bits(rows.Float64s[last-first])
		lo, hi := computeFloats(s, rows.Float64s, nulls, first)
		s.Min, s.Max = math.Float64bits(lo), math.Float64bits(hi)
	}
}

func (s *Stats) bools(v []bool, nulls column.Bitmap, at int) {
	for i, b := range v {
		if b && !nulls.Get(at+i) {
			s.SumI++
		}
	}
	s.First, s.Last = bit(v[0]), bit(v[len(v)-1])
	s.Min, s.Max = bit(s.SumI == int64(s.Count)), bit(s.SumI > 0)
	s.Flags &^= FlagNoRange
}

func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// computeInts adds in 128 bits. v begins at row at and with a non-null cell.
func computeInts[T int32 | int64](s *Stats, v []T, nulls column.Bitmap, at int) {
	lo, hi := v[0], v[0]
	var sum uint64
	var over int64
	for to := 0; to < len(v); {
		from := nulls.NextClear(at+to, at+len(v)) - at
		to = nulls.NextSet(at+from, at+len(v)) - at
		for _, x := range v[from:to] {
			lo, hi = min(lo, x), max(hi, x)
			var carry uint64
			sum, carry = bits.Add64(sum, uint64(int64(x)), 0)
			over += int64(carry) + int64(x)>>63
		}
	}
	s.First, s.Last = uint64(int64(v[0])), uint64(int64(v[len(v)-1]))
	s.Min, s.Max = uint64(int64(lo)), uint64(int64(hi))
	s.Flags &^= FlagNoRange
	if over == int64(sum)>>63 {
		s.SumI = int64(sum)
		return
	}
	s.Flags |= FlagOverflow
	s.SumF = float64(float64(over)*(1<<64)) + float64(sum)
}

// computeFloats sets the sum and the flags and returns the range, zeros if there
// is none. v begins at row at.
func computeFloats[T float32 | float64](s *Stats, v []T, nulls column.Bitmap, at int) (lo, hi T) {
	lo, hi = T(math.Inf(1)), T(math.Inf(-1))
	var sum [4]float64
	if nulls == nil {
		lo, hi = sumFloats(&sum, v)
	} else {
		k := 0
		for to := 0; to < len(v); {
			from := nulls.NextClear(at+to, at+len(v)) - at
			to = nulls.NextSet(at+from, at+len(v)) - at
			for _, x := range v[from:to] {
				if x < lo {
					lo = x
				}
				if x > hi {
					hi = x
				}
				sum[k&3] += float64(x)
				k++
			}
		}
	}
	s.SumF = (sum[0] + sum[1]) + (sum[2] + sum[3])
	if s.SumF != s.SumF && anyNaN(v, nulls, at) {
		s.Flags |= FlagNaN
	}
	// One bit pattern for every NaN: its payload differs by machine.
	if s.SumF != s.SumF {
		s.SumF = math.NaN()
	}
	if lo > hi {
		return 0, 0
	}
	s.Flags &^= FlagNoRange
	return lo, hi
}

// sumFloats is the loop for columns without nulls.
func sumFloats[T float32 | float64](sum *[4]float64, v []T) (lo, hi T) {
	lo, hi = T(math.Inf(1)), T(math.Inf(-1))
	var a, b, c, d float64
	if along {
		if whole, ok := any(v).([]float64); ok && len(v) >= 8 {
			if n, low, high := sumAlong(sum, whole); n > 0 {
				lo, hi = T(low), T(high)
				a, b, c, d = sum[0], sum[1], sum[2], sum[3]
				v = v[n:]
			}
		}
	}
	for len(v) >= 4 {
		q := (*[4]T)(v)
		for _, x := range q {
			if x < lo {
				lo = x
			}
			if x > hi {
				hi = x
			}
		}
		a += float64(q[0])
		b += float64(q[1])
		c += float64(q[2])
		d += float64(q[3])
		v = v[4:]
	}
	*sum = [4]float64{a, b, c, d}
	for i, x := range v {
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
		sum[i] += float64(x)
	}
	return lo, hi
}

func anyNaN[T float32 | float64](v []T, nulls column.Bitmap, at int) bool {
	for i, x := range v {
		if x != x && !nulls.Get(at+i) {
			return true
		}
	}
	return false
}

// Append appends s to dst; ReadStats reads it.
func (s *Stats) Append(dst []byte) []byte {
	dst = append(dst, s.Flags)
	dst = binary.AppendUvarint(dst, uint64(s.Count))
	dst = binary.AppendVarint(dst, s.MinTime)
	dst = binary.AppendUvarint(dst, uint64(s.MaxTime)-uint64(s.MinTime))
	for _, x := range [...]uint64{s.First, s.Last, s.Min, s.Max, math.Float64bits(s.SumF)} {
		dst = binary.LittleEndian.AppendUint64(dst, x)
	}
	return binary.AppendVarint(dst, s.SumI)
}

// ReadStats reads what Append wrote and returns what follows it.
func ReadStats(src []byte) (s Stats, rest []byte, err error) {
	bad := func() (Stats, []byte, error) {
		return Stats{}, nil, corrupt("statistics", "%d bytes are none", len(src))
	}
	if len(src) == 0 || src[0]&^knownFlags != 0 {
		return bad()
	}
	s.Flags = src[0]
	rest = src[1:]
	count, k := binary.Uvarint(rest)
	if k <= 0 || count > MaxRows {
		return bad()
	}
	s.Count = uint32(count)
	rest = rest[k:]
	if s.MinTime, k = binary.Varint(rest); k <= 0 {
		return bad()
	}
	rest = rest[k:]
	span, k := binary.Uvarint(rest)
	s.MaxTime = int64(uint64(s.MinTime) + span)
	if k <= 0 || s.MaxTime < s.MinTime {
		return bad()
	}
	if rest = rest[k:]; len(rest) < 40 {
		return bad()
	}
	for i, p := range [...]*uint64{&s.First, &s.Last, &s.Min, &s.Max} {
		*p = binary.LittleEndian.Uint64(rest[8*i:])
	}
	s.SumF = math.Float64frombits(binary.LittleEndian.Uint64(rest[32:]))
	rest = rest[40:]
	if s.SumI, k = binary.Varint(rest); k <= 0 {
		return bad()
	}
	return s, rest[k:], nil
}
