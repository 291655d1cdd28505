package codec

import "math/bits"

// xorWindow is where neighbouring values differ: width bits from bit shift up.
type xorWindow struct{ width, shift uint }

func xorWindowOf(v []uint64, size int) xorWindow {
	var or uint64
	prev := v[0]
	for _, b := range v[1:] {
		or |= b ^ prev
		prev = b
	}
	shift := uint(bits.TrailingZeros64(or)) & 63
	width := packWidth(uint(bits.Len64(or)) - shift)
	if width == 64 {
		shift = 0
	}
	return xorWindow{width, shift}
}

func (w xorWindow) cost(n, size int) int { return 3 + size + packedLen(n-1, w.width) }

// floatXOR: width byte, shift byte, bits of the first value, then the XOR of each
// value with the one before it, shifted right and packed at that width.
func (e *Encoder) appendFloatXOR(dst []byte, v []uint64, w xorWindow, size int) []byte {
	dst = append(dst, floatXOR, byte(w.width), byte(w.shift))
	dst = appendFixed(dst, v[0], size)
	prev := v[0]
	for i, b := range v[1:] {
		v[i] = (b ^ prev) >> w.shift
		prev = b
	}
	return pack(dst, v[:len(v)-1], w.width)
}

func decodeFloatXOR[T float](d *Decoder, dst []T, r *Reader) {
	width, shift := uint(r.Byte()), uint(r.Byte())
	prev := r.fixed(bytesOf[T]())
	b := r.packed(len(dst)-1, width)
	if total := uint(8 * bytesOf[T]()); r.Bad || width+shift > total {
		r.Fail()
		return
	}
	d.wide = sized(d.wide, len(dst)-1)
	unpack(d.wide, b, width, 0)
	dst[0] = fromBits[T](prev)
	for i, x := range d.wide {
		prev ^= uint64(x) << (shift & 63)
		dst[i+1] = fromBits[T](prev)
	}
}
