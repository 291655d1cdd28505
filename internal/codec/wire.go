package codec

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/tickwell/tickwell/internal/errs"
)

// corrupt makes the error of a decoder.
func corrupt(what, format string, args ...any) error {
	return fmt.Errorf("decode %s: %s: %w", what, fmt.Sprintf(format, args...), errs.Corrupt)
}

// reader takes fields off the front of untrusted bytes. After the first field
// that does not fit, bad is set and every field is zero: check once.
type reader struct {
	src []byte
	bad bool
}

//go:noinline
func (r *reader) fail() {
	r.bad = true
	r.src = nil
}

func (r *reader) byte() byte {
	if len(r.src) == 0 {
		r.fail()
		return 0
	}
	b := r.src[0]
	r.src = r.src[1:]
	return b
}

func (r *reader) uvarint() uint64 {
	if len(r.src) > 0 && r.src[0] < 0x80 {
		return uint64(r.byte())
	}
	v, k := binary.Uvarint(r.src)
	if k <= 0 {
		r.fail()
		return 0
	}
	r.src = r.src[k:]
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// count reads a number that may be at most limit.
func (r *reader) count(limit int) int {
	v := r.uvarint()
	if v > uint64(limit) {
		r.fail()
		return 0
	}
	return int(v)
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// fixed reads a little-endian number of size 4 or 8 bytes.
func (r *reader) fixed(size int) uint64 {
	b := r.take(size)
	switch len(b) {
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// take returns the next n bytes, nil if there are fewer.
//
//go:noinline
func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.src) {
		r.fail()
		return nil
	}
	b := r.src[:n:n]
	r.src = r.src[n:]
	return b
}

// packed returns the rest of the input, of which at least the first n values of
// w bits exist, and moves behind them. The rest lets kernels load whole words.
//
//go:noinline
func (r *reader) packed(n int, w uint) []byte {
	if !validWidth(w) {
		r.fail()
		return nil
	}
	need := packedLen(n, w)
	if need > len(r.src) {
		r.fail()
		return nil
	}
	b := r.src
	r.src = r.src[need:]
	return b
}

// appendFixed appends a little-endian number of size 4 or 8 bytes.
func appendFixed(dst []byte, v uint64, size int) []byte {
	if size == 4 {
		return binary.LittleEndian.AppendUint32(dst, uint32(v))
	}
	return binary.LittleEndian.AppendUint64(dst, v)
}

// sized returns s with length n, keeping nothing.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, 1<<bits.Len(uint(n-1))) // the next may be a little longer
	}
	return s[:n]
}

// appendUvarint and appendVarint are not inlined, which takes 230 bytes each time.
//
//go:noinline
func appendUvarint(dst []byte, u uint64) []byte { return binary.AppendUvarint(dst, u) }

//go:noinline
func appendVarint(dst []byte, x int64) []byte { return appendUvarint(dst, zigzag(x)) }
