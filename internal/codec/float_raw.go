package codec

import "encoding/binary"

// floatRaw: the bits of each value, 4 or 8 bytes.
func appendFloatRaw(dst []byte, bits []uint64, size int) []byte {
	dst = append(dst, floatRaw)
	for _, b := range bits {
		dst = appendFixed(dst, b, size)
	}
	return dst
}

func decodeFloatRaw[T float](dst []T, r *Reader) {
	size := bytesOf[T]()
	b := r.Bytes(size * len(dst))
	if r.Bad {
		return
	}
	if size == 4 {
		for i := range dst {
			dst[i] = fromBits[T](uint64(binary.LittleEndian.Uint32(b[4*i:])))
		}
		return
	}
	for i := range dst {
		dst[i] = fromBits[T](binary.LittleEndian.Uint64(b[8*i:]))
	}
}
