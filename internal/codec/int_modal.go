package codec

import "math/bits"

// intModal: width byte, uvarint unit, varint first, varint typical step, then
// zigzag((step - typical) / unit), its low bits packed at that width, one fewer
// than values; then uvarint number of patches and for each uvarint distance from
// the position after the previous patch, uvarint the bits above the width.
// e.packed holds the zigzag numbers.
func (e *intEncoder) appendModal(dst []byte, first, typical int64, width uint, unit divisor) []byte {
	dst = append(dst, intModal, byte(width))
	dst = appendUvarint(dst, unit.by)
	dst = appendVarint(dst, first)
	dst = appendVarint(dst, typical)
	u := e.packed[:len(e.packed)-1]
	patches := 0
	e.patches = e.patches[:0]
	if width < 64 {
		next := 0
		for i, z := range u {
			if high := z >> width; high != 0 {
				e.patches = appendUvarint(e.patches, uint64(i-next))
				e.patches = appendUvarint(e.patches, high)
				patches++
				next = i + 1
				u[i] = z & (1<<width - 1)
			}
		}
	}
	dst = pack(dst, u, width)
	dst = appendUvarint(dst, uint64(patches))
	return append(dst, e.patches...)
}

func decodeIntModal(dst []int64, r *Reader) {
	width := uint(r.Byte())
	unit := r.Uvarint()
	first := r.Varint()
	typical := r.Varint()
	b := r.packed(len(dst)-1, width)
	if r.Bad {
		return
	}
	steps := dst[1:]
	unpack(steps, b, width, 0)
	at := 0
	for range r.AtMost(len(steps)) {
		at += r.AtMost(len(steps))
		high := r.Uvarint()
		if r.Bad || at >= len(steps) || high == 0 || uint(bits.Len64(high))+width > 64 {
			r.Fail()
			return
		}
		steps[at] |= int64(high << width)
		at++
	}
	if r.Bad {
		return
	}
	dst[0] = first
	accumulateModal(steps, first, typical, int64(unit))
}

// accumulateModal is accumulate over steps given as zigzag distances from the
// typical one, in units.
func accumulateModal(steps []int64, first, typical, unit int64) {
	p := first
	for len(steps) > 4 { // as in accumulate
		s := (*[4]int64)(steps)
		a := unzigzag(uint64(s[0]))*unit + typical
		b := unzigzag(uint64(s[1]))*unit + typical
		c := unzigzag(uint64(s[2]))*unit + typical
		d := unzigzag(uint64(s[3]))*unit + typical
		b += a
		d += c
		s[0] = p + a
		s[1] = p + b
		s[2] = p + b + c
		p += b + d
		s[3] = p
		steps = steps[4:]
	}
	for i, z := range steps {
		p += unzigzag(uint64(z))*unit + typical
		steps[i] = p
	}
}
