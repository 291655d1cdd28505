package codec

import (
	"math"
	"math/bits"
)

// AppendTimes appends the encoding of at most MaxValues strictly increasing
// times. It is that of integers; a unit that divides all steps, such as a
// millisecond, costs nothing.
func (e *Encoder) AppendTimes(dst []byte, t []int64) []byte { return e.ints.append(dst, t) }

// Times decodes n times into dst[:0] without scratch memory. Times that do not
// increase are an error.
func Times(dst []int64, src []byte, n int) ([]int64, error) {
	dst, err := decodeAllInts("times", dst, src, n)
	if err != nil {
		return dst, err
	}
	if n > 1 && IsLine(src) && lineIncreases(dst) {
		return dst, nil
	}
	if !increasing(dst) {
		return dst[:0], corrupt("times", "they do not increase")
	}
	return dst, nil
}

// lineIncreases reports whether t, which has a constant step modulo 2^64,
// increases; of ranges of more than 2^63 it need not know.
func lineIncreases(t []int64) bool {
	over, span := bits.Mul64(uint64(len(t)-1), uint64(t[1]-t[0]))
	// A sum that wrapped would be less than the first.
	return over == 0 && span <= math.MaxInt64 && t[len(t)-1] > t[0]
}

func increasing(t []int64) bool {
	if len(t) == 0 {
		return true
	}
	prev := t[0]
	t = t[1:]
	for len(t) > 4 { // as in accumulate
		s := (*[4]int64)(t)
		if s[0] <= prev || s[1] <= s[0] || s[2] <= s[1] || s[3] <= s[2] {
			return false
		}
		prev = s[3]
		t = t[4:]
	}
	for _, x := range t {
		if x <= prev {
			return false
		}
		prev = x
	}
	return true
}
