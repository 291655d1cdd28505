package block

// AppendTimes appends the block of times, which must be strictly increasing and
// at most MaxRows.
func AppendTimes(dst []byte, times []int64) []byte { return dst }

// DecodeTimes decodes a block of n times into dst[:0], growing it if needed. The
// result is strictly increasing or the error wraps errs.Corrupt.
func DecodeTimes(dst []int64, src []byte, n int) ([]int64, error) { return dst, nil }
