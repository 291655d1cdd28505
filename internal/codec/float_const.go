package codec

// floatConst: the bits, 4 or 8 bytes.
func appendFloatConst(dst []byte, bits uint64, size int) []byte {
	return appendFixed(append(dst, floatConst), bits, size)
}

func decodeFloatConst[T float](dst []T, r *Reader) {
	f := fromBits[T](r.fixed(bytesOf[T]()))
	for i := range dst {
		dst[i] = f
	}
}
