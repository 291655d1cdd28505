package codec

import (
	"encoding/binary"
	"math/bits"
)

// Encoding bytes of bit sets. They are written to disk and never change.
const (
	bitsMap  = 1 + iota // one bit each, least significant first
	bitsRuns            // uvarint lengths of runs, the first one of zeros
)

// AppendBits appends the encoding of bits [0, n) of set; bits beyond its end are
// zero. It appends nothing for n = 0.
func AppendBits(dst []byte, set []uint64, n int) []byte {
	if n == 0 {
		return dst
	}
	size := (n + 7) / 8
	if changes(set, n) < size {
		start := len(dst)
		dst = append(dst, bitsRuns)
		at, one := 0, false
		for at < n && len(dst)-start <= size {
			end := runEnd(set, at, n, one)
			dst = binary.AppendUvarint(dst, uint64(end-at))
			at, one = end, !one
		}
		if at == n && len(dst)-start <= size {
			return dst
		}
		dst = dst[:start]
	}
	dst = append(dst, bitsMap)
	for at := 0; at < n; at += 8 {
		b := byte(word(set, at>>6) >> (uint(at) & 63))
		if n-at < 8 {
			b &= 1<<uint(n-at) - 1
		}
		dst = append(dst, b)
	}
	return dst
}

func word(set []uint64, i int) uint64 {
	if i < len(set) {
		return set[i]
	}
	return 0
}

// changes counts the bits of [0, n) that differ from the one before, the first
// one from zero.
func changes(set []uint64, n int) int {
	c := 0
	carry := uint64(0)
	for i := 0; i<<6 < n; i++ {
		w := word(set, i)
		diff := w ^ (w<<1 | carry)
		carry = w >> 63
		if rest := n - i<<6; rest < 64 {
			diff &= 1<<uint(rest) - 1
		}
		c += bits.OnesCount64(diff)
	}
	return c
}

// runEnd returns the first position in [at, n) whose bit is not one, else n.
func runEnd(set []uint64, at, n int, one bool) int {
	for at < n {
		w := word(set, at>>6)
		if one {
			w = ^w
		}
		if w >>= uint(at) & 63; w != 0 {
			return min(n, at+bits.TrailingZeros64(w))
		}
		at = (at>>6 + 1) << 6
	}
	return n
}

// Bits decodes n bits from the front of src into set[:0] and returns what
// follows them. Bits beyond n in the last word are zero.
func Bits(set []uint64, src []byte, n int) (decoded []uint64, rest []byte, err error) {
	if n < 0 || n > MaxValues {
		return set[:0], nil, corrupt("bits", "%d values asked for", n)
	}
	r := Reader{Src: src}
	set = readBits(set, &r, n)
	if r.Bad {
		return set[:0], nil, corrupt("bits", "%d bytes are no encoding of %d bits", len(src), n)
	}
	return set, r.Src, nil
}

func readBits(set []uint64, r *Reader, n int) []uint64 {
	set = sized(set, (n+63)/64)
	clear(set)
	if n == 0 {
		return set
	}
	switch r.Byte() {
	case bitsMap:
		for i, b := range r.Bytes((n + 7) / 8) {
			set[i>>3] |= uint64(b) << (8 * (uint(i) & 7))
		}
		if n&63 != 0 && set[n>>6]>>(uint(n)&63) != 0 {
			r.Fail()
		}
	case bitsRuns:
		one := false
		for at := 0; at < n; one = !one {
			run := r.AtMost(n - at)
			if r.Bad || run == 0 && at > 0 {
				r.Fail()
				return set
			}
			if one {
				setRange(set, at, at+run)
			}
			at += run
		}
	default:
		r.Fail()
	}
	return set
}

// setRange sets the bits [lo, hi).
func setRange(set []uint64, lo, hi int) {
	for lo < hi {
		end := min(hi, (lo>>6+1)<<6)
		set[lo>>6] |= ^uint64(0) >> (64 - uint(end-lo)) << (uint(lo) & 63)
		lo = end
	}
}
