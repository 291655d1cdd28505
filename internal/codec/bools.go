package codec

// AppendBools appends the encoding of at most MaxValues bools.
func (e *Encoder) AppendBools(dst []byte, v []bool) []byte {
	e.set = sized(e.set, (len(v)+63)/64)
	for i := range e.set {
		chunk := v[i<<6:]
		if len(chunk) >= 64 {
			e.set[i] = gather((*[64]bool)(chunk))
			continue
		}
		var w uint64
		for j, b := range chunk {
			if b {
				w |= 1 << uint(j)
			}
		}
		e.set[i] = w
	}
	return AppendBits(dst, e.set, len(v))
}

func gather(v *[64]bool) uint64 {
	var w uint64
	for i, b := range v {
		var x uint64
		if b {
			x = 1
		}
		w |= x << uint(i)
	}
	return w
}

// Bools decodes n bools into dst[:0].
func (d *Decoder) Bools(dst []bool, src []byte, n int) ([]bool, error) {
	set, rest, err := Bits(d.set, src, n)
	d.set = set
	if err != nil {
		return dst[:0], err
	}
	if len(rest) > 0 {
		return dst[:0], corrupt("bools", "%d bytes left over after %d values", len(rest), n)
	}
	dst = sized(dst, n)
	for i, w := range set {
		chunk := dst[i<<6:]
		if len(chunk) >= 64 {
			scatter((*[64]bool)(chunk), w)
			continue
		}
		for j := range chunk {
			chunk[j] = w>>uint(j)&1 != 0
		}
	}
	return dst, nil
}

func scatter(v *[64]bool, w uint64) {
	for i := range v {
		v[i] = w>>uint(i)&1 != 0
	}
}
