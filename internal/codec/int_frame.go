package codec

import "math"

// intFrame (frame of reference): width byte, uvarint unit, varint min, then
// (value - min) / unit packed at that width.
func (e *intEncoder) appendFrame(dst []byte, v []int64, low int64, width uint, unit divisor) []byte {
	dst = appendFrameHead(dst, low, width, unit.by)
	if unit.by == 1 {
		return e.packFrame(dst, v, low, width)
	}
	u := e.packed[:len(v)]
	for i, x := range v {
		u[i] = unit.quotient(uint64(x) - uint64(low))
	}
	return pack(dst, u, width)
}

// appendFrameHead appends what stands before the packed numbers.
//
//go:noinline
func appendFrameHead(dst []byte, low int64, width uint, unit uint64) []byte {
	dst = append(dst, intFrame, byte(width))
	dst = appendUvarint(dst, unit)
	return appendVarint(dst, low)
}

// packFrame appends the distances of v from low, packed.
func (e *intEncoder) packFrame(dst []byte, v []int64, low int64, width uint) []byte {
	if along {
		var n int
		dst, n = packFrameAlong(dst, v, low, width)
		v = v[n:]
	}
	u := e.packed[:len(v)]
	for i, x := range v {
		u[i] = uint64(x) - uint64(low)
	}
	return pack(dst, u, width)
}

// decodeIntFrame returns a bound of the magnitudes of the values.
func decodeIntFrame(dst []int64, r *Reader) (reach float64) {
	width := uint(r.Byte())
	unit := r.Uvarint()
	low := r.Varint()
	b := r.packed(len(dst), width)
	if r.Bad {
		return 0
	}
	if unit == 1 {
		unpack(dst, b, width, low)
	} else {
		unpack(dst, b, width, 0)
		for i, x := range dst {
			dst[i] = low + x*int64(unit)
		}
	}
	return math.Abs(float64(low)) + float64(float64(unit)*powerOfTwo(width))
}
