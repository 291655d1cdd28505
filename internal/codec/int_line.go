package codec

import "encoding/binary"

// intLine: varint first, varint step.
func appendIntLine(dst []byte, first, step int64) []byte {
	dst = binary.AppendVarint(append(dst, intLine), first)
	return binary.AppendVarint(dst, step)
}

func decodeIntLine(dst []int64, r *reader) {
	v := r.varint()
	step := r.varint()
	for i := range dst {
		dst[i] = v
		v += step
	}
}
