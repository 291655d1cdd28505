package codec

import "encoding/binary"

// intLine: varint first, varint step.
func appendIntLine(dst []byte, first, step int64) []byte {
	dst = binary.AppendVarint(append(dst, intLine), first)
	return binary.AppendVarint(dst, step)
}

func decodeIntLine(dst []int64, r *reader) (first, step int64) {
	first = r.varint()
	step = r.varint()
	v, twice := first, 2*step
	for len(dst) > 4 { // as in accumulate
		d := (*[4]int64)(dst)
		d[0], d[1] = v, v+step
		v += twice
		d[2], d[3] = v, v+step
		v += twice
		dst = dst[4:]
	}
	for i := range dst {
		dst[i] = v
		v += step
	}
	return first, step
}
