package block

import (
	"sync"

	"github.com/tickwell/tickwell/internal/codec"
)

var timeEncoders = sync.Pool{New: func() any { return new(codec.Encoder) }}

// AppendTimes appends the block of times, which must be strictly increasing and
// at most MaxRows. It may be called from several goroutines.
func AppendTimes(dst []byte, times []int64) []byte {
	enc := timeEncoders.Get().(*codec.Encoder)
	dst = enc.AppendTimes(append(dst, kindTimes), times)
	timeEncoders.Put(enc)
	return dst
}

// DecodeTimes decodes a block of n times into dst[:0], growing it if needed. The
// result is strictly increasing or the error wraps errs.Corrupt.
func DecodeTimes(dst []int64, src []byte, n int) ([]int64, error) {
	if len(src) == 0 {
		return dst[:0], corrupt("times block", "it is empty")
	}
	if src[0] != kindTimes {
		return dst[:0], corrupt("times block", "first byte %#02x", src[0])
	}
	return codec.Times(dst, src[1:], n)
}

// TimesAreLine reports whether the block of times src says that they have a
// constant step.
func TimesAreLine(src []byte) bool {
	return len(src) > 0 && src[0] == kindTimes && codec.IsLine(src[1:])
}
