package codec

import "encoding/binary"

// intRaw: 8 bytes a value, for a few values that have nothing in common.
func appendIntRaw(dst []byte, v []int64) []byte {
	dst = append(dst, intRaw)
	for _, x := range v {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(x))
	}
	return dst
}

func decodeIntRaw(dst []int64, r *Reader) {
	b := r.Bytes(8 * len(dst))
	if r.Bad {
		return
	}
	for i := range dst {
		dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
}
