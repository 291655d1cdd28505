//go:build !tickwell_small

package codec

// along: several numbers may be taken at a time.
const along = true

// decimalDigits sets digits to the integers of the first n of v, as plainDecimals
// does, up to four of which one is no quotient, and adds them to s. It returns how
// many. n is a multiple of 4 and not 0; digits[-1] is set.
//
//go:noescape
func decimalDigits(digits *int64, v *float64, n int, by, hi, lo float64, bound int64, s *span) int

// packDistances packs the distances from low of the first n of v, or where steps
// is 1 of the steps from the number before v to the next, at a width of 1 to
// widestEights bits. n is a multiple of 8 and not 0. It writes up to 16 bytes
// beyond the first that the last eight take.
//
//go:noescape
func packDistances(dst *byte, v *int64, n int, width uint, low int64, steps int)

// farSteps counts those of the first n steps to v that are not from modal-far to
// modal+far-1; the number before v is where the first begins. n is a multiple of 4
// and not 0.
//
//go:noescape
func farSteps(v *int64, n int, modal, far int64) int

// widestEights is the largest width of which four, and half a byte, fit a word.
const widestEights = 16

// digitsAlong is plainDecimals for the first from v[i] on, several at a time. It
// returns the index of the next.
func digitsAlong[T float](digits []int64, v []T, i int, q *quotient, s *span) int {
	whole, ok := any(v).([]float64)
	n := (len(v) - i) &^ 3
	if !ok || !hasDecimalSteps || n < 8 || i < 1 || len(digits) < len(v) {
		return i
	}
	return i + decimalDigits(&digits[i], &whole[i], n, q.by, q.hi, q.lo, int64(q.bound), s)
}

// packStepsAlong appends the distances of the first steps of v from low, packed,
// and returns how many: a multiple of 8. dst has room behind it then.
func packStepsAlong(dst []byte, v []int64, low int64, width uint) ([]byte, int) {
	return packAlong(dst, v[1:], low, width, 1)
}

// packFrameAlong is packStepsAlong for the distances of v itself.
func packFrameAlong(dst []byte, v []int64, low int64, width uint) ([]byte, int) {
	return packAlong(dst, v, low, width, 0)
}

// packAlong packs v, of which a number is before the first if they are steps.
func packAlong(dst []byte, v []int64, low int64, width uint, steps int) ([]byte, int) {
	n := len(v) &^ 7
	if !hasDecimalSteps || n == 0 || width < 1 || width > widestEights {
		return dst, 0
	}
	start, end := len(dst), len(dst)+n/8*int(width)
	dst = grow(dst, packedLen(len(v), width)+16)
	packDistances(&dst[start], &v[0], n, width, low, steps)
	return dst[:end], n
}

// longAlong counts the first steps of v that are long, as isLong does, and returns
// of how many.
func longAlong(v []int64, modal int64, width uint) (count uint64, n int) {
	n = (len(v) - 1) &^ 3
	if !hasDecimalSteps || n <= 0 || width < 2 {
		return 0, 0
	}
	return uint64(farSteps(&v[1], n, modal, 1<<(width-2))), n
}
