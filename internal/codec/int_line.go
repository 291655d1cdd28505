package codec

// intLine: varint first, varint step.
func appendIntLine(dst []byte, first, step int64) []byte {
	dst = appendVarint(append(dst, intLine), first)
	return appendVarint(dst, step)
}

func decodeIntLine(dst []int64, r *Reader) {
	first := r.Varint()
	Line(dst, first, r.Varint())
}

// Line sets dst to integers of a constant step.
func Line(dst []int64, first, step int64) {
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
}

// IsLine reports whether the encoding of integers says that they have a constant
// step.
func IsLine(src []byte) bool { return len(src) > 0 && src[0] == intLine }
