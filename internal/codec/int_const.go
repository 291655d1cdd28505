package codec

import "encoding/binary"

// intConst: varint value.
func appendIntConst(dst []byte, v int64) []byte {
	return binary.AppendVarint(append(dst, intConst), v)
}

func decodeIntConst(dst []int64, r *reader) {
	v := r.varint()
	for i := range dst {
		dst[i] = v
	}
}
