package codec

// intConst: varint value.
func appendIntConst(dst []byte, v int64) []byte {
	return appendVarint(append(dst, intConst), v)
}

func decodeIntConst(dst []int64, r *Reader) {
	v := r.Varint()
	for i := range dst {
		dst[i] = v
	}
}
