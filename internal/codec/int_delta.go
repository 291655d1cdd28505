package codec

import "math"

// intDelta: width byte, uvarint unit, varint first, varint smallest step, then
// (step - smallest) / unit packed at that width, one fewer than values.
func (e *intEncoder) appendDelta(dst []byte, v []int64, low int64, width uint, unit divisor) []byte {
	dst = appendDeltaHead(dst, v[0], low, width, unit.by)
	if unit.by == 1 {
		return e.packSteps(dst, v, low, width)
	}
	u := e.packed[:len(v)-1]
	prev := v[0]
	for i, x := range v[1:] {
		u[i] = unit.quotient(uint64(x - prev - low))
		prev = x
	}
	return pack(dst, u, width)
}

// appendDeltaHead appends what stands before the packed numbers.
//
//go:noinline
func appendDeltaHead(dst []byte, first, low int64, width uint, unit uint64) []byte {
	dst = append(dst, intDelta, byte(width))
	dst = appendUvarint(dst, unit)
	dst = appendVarint(dst, first)
	return appendVarint(dst, low)
}

// deltaHead is what stands before the packed numbers, and they.
type deltaHead struct {
	width      uint
	unit       uint64
	first, low int64
	packed     []byte // and what follows them
}

// readDeltaHead reads the head of n numbers, of which there is one at least.
func readDeltaHead(r *Reader, n int) (h deltaHead) {
	h.width = uint(r.Byte())
	h.unit = r.Uvarint()
	h.first = r.Varint()
	h.low = r.Varint()
	h.packed = r.packed(n-1, h.width)
	return h
}

// reach returns a bound of the magnitudes of n values.
func (h *deltaHead) reach(n int) float64 {
	longest := math.Abs(float64(h.low)) + float64(float64(h.unit)*powerOfTwo(h.width))
	return math.Abs(float64(h.first)) + float64(float64(n-1)*longest)
}

// readIntDelta fills dst with the first value and the steps from each to the
// next. It returns a bound of the magnitudes of the values.
func readIntDelta(dst []int64, r *Reader) (reach float64) {
	h := readDeltaHead(r, len(dst))
	if r.Bad {
		return 0
	}
	dst[0] = h.first
	h.steps(dst[1:], h.packed)
	return h.reach(len(dst))
}

// steps sets dst to the packed steps.
func (h *deltaHead) steps(dst []int64, packed []byte) {
	if h.unit == 1 {
		unpack(dst, packed, h.width, h.low)
		return
	}
	unpack(dst, packed, h.width, 0)
	for i, x := range dst {
		dst[i] = h.low + x*int64(h.unit)
	}
}

// accumulate replaces steps by their running sums.
func accumulate(steps []int64) {
	p := int64(0)
	for len(steps) > 4 { // and not at 4, for then slicing needs no check of its end
		// In pairs: the chain of dependent additions is one per four steps.
		s := (*[4]int64)(steps)
		a, b, c, d := s[0], s[1], s[2], s[3]
		b += a
		d += c
		s[0] = p + a
		s[1] = p + b
		s[2] = p + b + c
		p += b + d
		s[3] = p
		steps = steps[4:]
	}
	for i, x := range steps {
		p += x
		steps[i] = p
	}
}
