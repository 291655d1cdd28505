package codec

import (
	"math"
	"math/bits"
)

// steps is the range of the differences between neighbours, which wrap.
type steps struct{ least, most int64 }

// noSteps is that of no difference.
var noSteps = steps{math.MaxInt64, math.MinInt64}

// span is the range of integers, and of their steps.
type span struct {
	lo, hi int64
	steps
}

// spanFrom is that of a single number.
func spanFrom(x int64) span { return span{x, x, noSteps} }

// add adds a number and the step to it from the one before, last.
func (s *span) add(x, last int64) {
	s.lo, s.hi = min(s.lo, x), max(s.hi, x)
	s.least, s.most = min(s.least, x-last), max(s.most, x-last)
}

// stepsOf returns the steps of v, which is not empty.
func stepsOf(v []int64) steps {
	least, most := noSteps.least, noSteps.most
	prev := v[0]
	for _, x := range v[1:] {
		step := x - prev
		prev = x
		least, most = min(least, step), max(most, step)
	}
	return steps{least, most}
}

// short reports whether differences of steps do not wrap.
func (s steps) short() bool { return uint64(s.most)-uint64(s.least) < 1<<62 }

// appendPlainDelta appends intDelta in units of 1 if it can tell without the
// exact sizes that intFrame and intModal would not be smaller, as is so where a
// value depends on the one before. Otherwise it appends nothing.
func (e *intEncoder) appendPlainDelta(dst []byte, v []int64, st steps, modal int64) ([]byte, bool) {
	n := len(v)
	span := uint64(st.most) - uint64(st.least)
	width := uint(bits.Len64(span))
	longest := uint(bits.Len64(max(zigzag(st.least-modal), zigzag(st.most-modal))))
	if width > maxPackWidth || longest < width {
		return dst, false
	}
	head := 3 + varintLen(v[0])
	cost := head + varintLen(st.least) + packedLen(n-1, width)
	frame, many := sampleFrame(v, modal, width)
	if !many || cost >= 4+packedLen(n, packWidth(frame)) || cost >= 1+8*n {
		return dst, false
	}
	// At this width intModal has a patch at least, or is as wide as longest.
	head += varintLen(modal)
	if cost > head+packedLen(n-1, packWidth(longest))+1 || longest > width && cost > head+packedLen(n-1, width)+3 {
		return dst, false
	}
	if !manyLong(v, modal, width) {
		return dst, false
	}
	return e.packSteps(appendDeltaHead(dst, v[0], st.least, width, 1), v, st.least, width), true
}

// packSteps appends the distances of the steps of v from low, packed.
func (e *intEncoder) packSteps(dst []byte, v []int64, low int64, width uint) []byte {
	if along {
		var n int
		dst, n = packStepsAlong(dst, v, low, width)
		v = v[n:]
	}
	u := e.packed[:len(v)-1]
	fillSteps(u, v, low)
	return pack(dst, u, width)
}

// fillSteps sets u to the distances of the steps of v from low.
func fillSteps(u []uint64, v []int64, low int64) {
	prev := v[0]
	v = v[1:]
	u = u[:len(v)]
	for i, x := range v {
		u[i] = uint64(x - prev - low)
		prev = x
	}
}

// sampleFrame looks at every sixteenth of v or so. It returns a width that the
// range of v has at least, and whether manyLong may hold.
func sampleFrame(v []int64, modal int64, width uint) (frame uint, many bool) {
	stride := max(1, len(v)/16)
	lo, hi := v[0], v[0]
	n, long := 0, uint64(0)
	for i := stride; i < len(v); i += stride {
		lo, hi = min(lo, v[i]), max(hi, v[i])
		long += isLong(v[i]-v[i-1]-modal, width)
		n++
	}
	return uint(bits.Len64(uint64(hi) - uint64(lo))), 8*int(long) > n
}

// isLong returns 1 if the zigzag number of x, which is shorter than width+2, is
// longer than width-1, otherwise 0.
func isLong(x int64, width uint) uint64 { return (zigzag(x)>>((width-1)&63) + 3) >> 2 }

// manyLong reports whether more than a quarter of the steps of v are long, as
// distances from modal: then spread.cheapest packs none at less than width.
func manyLong(v []int64, modal int64, width uint) bool {
	enough := uint64((len(v) - 1) / 4)
	count := uint64(0)
	if along {
		var n int
		count, n = longAlong(v, modal, width)
		v = v[n:]
	}
	if count > enough {
		return true
	}
	for len(v) > 1 {
		part := v[1:min(65, len(v))]
		prev := v[0]
		for _, x := range part {
			count += isLong(x-prev-modal, width)
			prev = x
		}
		if count > enough {
			return true
		}
		v = v[len(part):]
	}
	return false
}
