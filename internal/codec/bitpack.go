package codec

import "encoding/binary"

//go:generate go run gen_kernels.go

// maxPackWidth is the widest packed value but 64: shifted by up to 7 bits it
// still fits one 64-bit load. Widths in between are stored as 64.
const maxPackWidth = 57

// packWidth rounds w up to a width that pack writes.
func packWidth(w uint) uint {
	if w > maxPackWidth {
		return 64
	}
	return w
}

// validWidth reports whether packWidth can have returned w.
func validWidth(w uint) bool { return w <= maxPackWidth || w == 64 }

// packedLen is the length in bytes of n values of w bits. n is at most
// MaxValues, so the product fits 32 bits.
func packedLen(n int, w uint) int { return (n*int(w) + 7) / 8 }

// grow makes room for n more bytes and returns b that much longer. The new bytes
// hold anything.
func grow(b []byte, n int) []byte {
	if cap(b)-len(b) < n {
		nb := make([]byte, len(b), 2*cap(b)+n)
		copy(nb, b)
		b = nb
	}
	return b[:len(b)+n]
}

// pack appends the low w bits of each value, least significant bit first. The
// values must fit.
func pack(dst []byte, v []uint64, w uint) []byte {
	if w == 0 {
		return dst
	}
	if w == 64 {
		for _, x := range v {
			dst = binary.LittleEndian.AppendUint64(dst, x)
		}
		return dst
	}
	need := packedLen(len(v), w)
	start := len(dst)
	dst = grow(dst, need+16) // the last words are written whole
	out := dst[start:]
	if w <= 16 {
		packEights(out, v, w)
		done := len(v) &^ 7
		out, v = out[done/8*int(w):], v[done:]
	}
	var acc uint64
	var n uint
	p := 0
	for _, x := range v {
		acc |= x << (n & 63)
		n += w
		if n >= 64 {
			binary.LittleEndian.PutUint64(out[p:], acc)
			p += 8
			n -= 64
			acc = 0
			if n > 0 {
				acc = x >> ((w - n) & 63)
			}
		}
	}
	if n > 0 {
		binary.LittleEndian.PutUint64(out[p:], acc)
	}
	return dst[:start+need]
}

// packEights packs eight values of at most 16 bits at a time, into w bytes, and
// leaves out those that are left over. out has 16 bytes more than they need.
func packEights(out []byte, v []uint64, w uint) {
	one, two, four := w&31, 2*w&63, 4*w
	for len(v) >= 8 && len(out) >= 16 {
		q := (*[8]uint64)(v)
		low := q[0] | q[1]<<one | (q[2]|q[3]<<one)<<two
		high := q[4] | q[5]<<one | (q[6]|q[7]<<one)<<two
		binary.LittleEndian.PutUint64(out, low|high<<four)
		if w > 8 {
			binary.LittleEndian.PutUint64(out[8:], high>>(64-four))
		}
		out, v = out[w:], v[8:]
	}
}

// unpack sets dst[i] to base plus the i-th value of w bits, in wrapping
// arithmetic. src holds at least packedLen(len(dst), w) bytes; w is valid.
func unpack(dst []int64, src []byte, w uint, base int64) {
	switch w {
	case 0:
		for i := range dst {
			dst[i] = base
		}
		return
	case 64:
		for i := range dst {
			dst[i] = base + int64(binary.LittleEndian.Uint64(src[i*8:]))
		}
		return
	}
	if w > widestKernel {
		unpackWords(dst, src, w, base)
		return
	}
	step := 4 * int(w)
	need := int(31*w>>3) + 8 // what a kernel may touch
	for len(dst) >= 32 && len(src) >= need {
		unpack32(w, (*[32]int64)(dst), src, base)
		dst = dst[32:]
		src = src[step:]
	}
	for len(dst) > 0 {
		// The end of the input: a copy with room behind it.
		var tail [32*maxPackWidth/8 + 8]byte
		var out [32]int64
		copy(tail[:step], src)
		unpack32(w, &out, tail[:], base)
		k := copy(dst, out[:])
		dst = dst[k:]
		src = src[min(step, len(src)):]
	}
}

// unpackWords is unpack for any width up to maxPackWidth, byte by byte at the end of
// src: the reference for the kernels, what 32-bit machines use for the widths
// that rarely occur, and what short columns are unpacked with.
func unpackWords(dst []int64, src []byte, w uint, base int64) {
	mask := ^uint64(0) >> (64 - w)
	bit := uint(0)
	for i := range dst {
		at := int(bit >> 3)
		var word uint64
		if at+8 <= len(src) {
			word = binary.LittleEndian.Uint64(src[at:])
		} else {
			for j, b := range src[at:] {
				word |= uint64(b) << (8 * uint(j))
			}
		}
		dst[i] = base + int64(word>>(bit&7)&mask)
		bit += w
	}
}

// zigzag maps small positive and negative numbers to small ones.
func zigzag(x int64) uint64 { return uint64(x<<1) ^ uint64(x>>63) }

// unzigzag is the inverse of zigzag.
func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }
