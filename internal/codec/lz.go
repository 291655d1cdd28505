package codec

import "encoding/binary"

// lz writes and reads blocks of texts where the assembly of the s2 package does
// not run. That package weighs 0.2 MB of an edge device's flash, half of it
// through crypto/rand, which also sets 32 MB of address space aside. The blocks
// are in the format of snappy's description; lzDecode also reads the repetitions
// that s2 adds to it, so that a store may move between machines.
type lz struct {
	table []uint32 // where four bytes with this hash began last, plus one
}

const (
	lzBits      = 12
	lzReach     = 1<<16 - 1 // of a copy
	lzTagCopy1  = 1
	lzTagCopy2  = 2
	lzTagCopy4  = 3
	lzShortest  = 4
	lzLongest   = 64 // of one copy of two bytes' offset
	lzNearReach = 1 << 11
)

// encode returns src as a block in dst[:0]. src is shorter than 2^24 bytes.
func (z *lz) encode(dst, src []byte) []byte {
	dst = binary.AppendUvarint(dst[:0], uint64(len(src)))
	if z.table == nil {
		z.table = make([]uint32, 1<<lzBits)
	}
	clear(z.table)
	from, i := 0, 0 // src[from:i] is not written yet
	for i+lzShortest <= len(src) {
		four := binary.LittleEndian.Uint32(src[i:])
		slot := &z.table[four*0x9E3779B1>>(32-lzBits)]
		at := int(*slot) - 1
		*slot = uint32(i + 1)
		if at < 0 || i-at > lzReach || binary.LittleEndian.Uint32(src[at:]) != four {
			i += 1 + (i-from)>>5 // quicker over what does not repeat
			continue
		}
		n := lzShortest
		for i+n < len(src) && src[at+n] == src[i+n] {
			n++
		}
		dst = appendCopy(appendLiteral(dst, src[from:i]), i-at, n)
		i += n
		from = i
	}
	return appendLiteral(dst, src[from:])
}

//go:noinline
func appendLiteral(dst, lit []byte) []byte {
	switch n := len(lit) - 1; {
	case n < 0:
		return dst
	case n < 60:
		dst = append(dst, byte(n<<2))
	case n < 1<<8:
		dst = append(dst, 60<<2, byte(n))
	case n < 1<<16:
		dst = append(dst, 61<<2, byte(n), byte(n>>8))
	default:
		dst = append(dst, 62<<2, byte(n), byte(n>>8), byte(n>>16))
	}
	return append(dst, lit...)
}

func appendCopy(dst []byte, offset, n int) []byte {
	for n > 0 {
		part := min(n, lzLongest)
		if part >= lzShortest && part < 12 && offset < lzNearReach {
			dst = append(dst, byte(offset>>8<<5|(part-4)<<2|lzTagCopy1), byte(offset))
		} else {
			dst = append(dst, byte((part-1)<<2|lzTagCopy2), byte(offset), byte(offset>>8))
		}
		n -= part
	}
	return dst
}

// lzLen returns how long a block is when it is unpacked.
func lzLen(block []byte) (int, bool) {
	n, used := binary.Uvarint(block)
	return int(n), used > 0 && n < 1<<31
}

// lzDecode unpacks a block into dst, which is as long as lzLen says, and reports
// whether the block fills it exactly.
func lzDecode(dst, block []byte) bool {
	_, used := binary.Uvarint(block)
	if used <= 0 {
		return false
	}
	src := block[used:]
	done, offset := 0, 0
	for len(src) > 0 {
		tag := src[0]
		src = src[1:]
		if tag&3 == 0 {
			n, extra := int(tag>>2), 0
			if n >= 60 {
				extra = n - 59
				v, ok := lzUint(src, extra)
				if !ok || v >= 1<<31 {
					return false
				}
				n = int(v)
			}
			n++
			if src = src[extra:]; n > len(src) || n > len(dst)-done {
				return false
			}
			done += copy(dst[done:], src[:n])
			src = src[n:]
			continue
		}
		n, rest, ok := 0, src, true
		switch tag & 3 {
		case lzTagCopy1:
			n, offset, rest, ok = lzNear(tag, src, offset)
		case lzTagCopy2:
			var v uint32
			v, ok = lzUint(src, 2)
			n, offset = int(tag>>2)+1, int(v)
			rest = src[min(2, len(src)):]
		case lzTagCopy4:
			var v uint32
			v, ok = lzUint(src, 4)
			ok = ok && v < 1<<31
			n, offset = int(tag>>2)+1, int(v&(1<<31-1))
			rest = src[min(4, len(src)):]
		}
		if !ok || offset == 0 || offset > done || n > len(dst)-done {
			return false
		}
		for i := range n { // byte by byte, for a copy may reach into itself
			dst[done+i] = dst[done-offset+i]
		}
		done += n
		src = rest
	}
	return done == len(dst)
}

// lzNear reads a copy with an offset of eleven bits. With the offset 0, which the
// common format has no use for, it is one of s2: the last offset again, with a
// length that may have up to three bytes of its own.
func lzNear(tag byte, src []byte, last int) (n, offset int, rest []byte, ok bool) {
	if len(src) == 0 {
		return 0, 0, nil, false
	}
	n, offset, rest = int(tag>>2&7), int(tag>>5)<<8|int(src[0]), src[1:]
	if offset != 0 {
		return n + 4, offset, rest, true
	}
	if extra := n - 4; extra > 0 {
		v, ok := lzUint(rest, extra)
		if !ok {
			return 0, 0, nil, false
		}
		n, rest = int(v)+[]int{4, 1 << 8, 1 << 16}[extra-1], rest[extra:]
	}
	return n + 4, last, rest, true
}

// lzUint reads size bytes, little-endian.
func lzUint(src []byte, size int) (v uint32, ok bool) {
	if size > len(src) {
		return 0, false
	}
	for i := range size {
		v |= uint32(src[i]) << (8 * i)
	}
	return v, true
}
