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

// Reader takes fields off the front of untrusted bytes: of blocks, of records of
// the log, of definitions and events. After the first field that does not fit, Bad is
// set, Src is empty and every field is zero: check once. Its zero value has nothing to read.
type Reader struct {
	Src []byte
	Bad bool
}

// Fail makes what follows zero: a field does not mean anything.
//
//go:noinline
func (r *Reader) Fail() {
	r.Bad = true
	r.Src = nil
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.Src) == 0 {
		r.Fail()
		return 0
	}
	b := r.Src[0]
	r.Src = r.Src[1:]
	return b
}

// Uvarint reads what binary.AppendUvarint wrote.
func (r *Reader) Uvarint() uint64 {
	if len(r.Src) > 0 && r.Src[0] < 0x80 {
		return uint64(r.Byte())
	}
	v, k := binary.Uvarint(r.Src)
	if k <= 0 {
		r.Fail()
		return 0
	}
	r.Src = r.Src[k:]
	return v
}

// Varint reads what binary.AppendVarint wrote.
func (r *Reader) Varint() int64 {
	u := r.Uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// AtMost reads a Uvarint that may be at most limit.
func (r *Reader) AtMost(limit int) int {
	v := r.Uvarint()
	if v > uint64(limit) {
		r.Fail()
		return 0
	}
	return int(v)
}

// Count reads the length of a list whose items take at least size bytes each, so
// that memory for them is bounded by what there is to read.
func (r *Reader) Count(size int) int {
	v := r.Uvarint()
	if v > uint64(len(r.Src)/size) {
		r.Fail()
		return 0
	}
	return int(v)
}

// Bytes returns the next n bytes of Src themselves, nil if there are fewer.
//
//go:noinline
func (r *Reader) Bytes(n int) []byte {
	if n < 0 || n > len(r.Src) {
		r.Fail()
		return nil
	}
	b := r.Src[:n:n]
	r.Src = r.Src[n:]
	return b
}

// Text reads a length and so many bytes, which it copies.
func (r *Reader) Text() string { return string(r.Bytes(r.Count(1))) }

// Uint64 reads eight bytes, the lowest first.
func (r *Reader) Uint64() uint64 { return r.fixed(8) }

// Uint32 reads four bytes, the lowest first.
func (r *Reader) Uint32() uint32 { return uint32(r.fixed(4)) }

func (r *Reader) uint16() uint16 {
	if b := r.Bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

// fixed reads a little-endian number of size 4 or 8 bytes.
func (r *Reader) fixed(size int) uint64 {
	b := r.Bytes(size)
	switch len(b) {
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	case 8:
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// packed returns the rest of the input, of which at least the first n values of
// w bits exist, and moves behind them. The rest lets kernels load whole words.
//
//go:noinline
func (r *Reader) packed(n int, w uint) []byte {
	if !validWidth(w) {
		r.Fail()
		return nil
	}
	need := packedLen(n, w)
	if need > len(r.Src) {
		r.Fail()
		return nil
	}
	b := r.Src
	r.Src = r.Src[need:]
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
