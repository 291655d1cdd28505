package codec

import (
	"math"
	"math/bits"
)

// Encoding bytes of integer columns. They are written to disk and never change.
const (
	intConst = 1 + iota // one value for all rows
	intLine             // first value and constant step
	intFrame            // distances from the minimum
	intDelta            // steps, as distances from the smallest step
	intModal            // steps, as distances from a typical step, outliers patched
	intRaw              // 8 bytes each
)

// AppendInt64s appends the encoding of at most MaxValues integers. It appends
// nothing for none.
func (e *Encoder) AppendInt64s(dst []byte, v []int64) []byte {
	if hasQuick && e.Quick && len(v) >= quickFrom {
		s := spanOf(v)
		if dst, ok := e.ints.appendQuick(dst, v, &s); ok {
			return dst
		}
	}
	return e.ints.append(dst, v)
}

// AppendInt32s is AppendInt64s for 32-bit values: the bytes are the same.
func (e *Encoder) AppendInt32s(dst []byte, v []int32) []byte {
	e.wide = sized(e.wide, len(v))
	for i, x := range v {
		e.wide[i] = int64(x)
	}
	return e.AppendInt64s(dst, e.wide)
}

// Int64s decodes n integers into dst[:0].
func (d *Decoder) Int64s(dst []int64, src []byte, n int) ([]int64, error) {
	return decodeAllInts("integers", dst, src, n)
}

// Int32s decodes n integers into dst[:0]; one outside the 32-bit range is an
// error.
func (d *Decoder) Int32s(dst []int32, src []byte, n int) ([]int32, error) {
	wide, err := d.Int64s(d.wide, src, n)
	d.wide = wide
	if err != nil {
		return dst[:0], err
	}
	dst = sized(dst, n)
	var over int64
	for i, x := range wide {
		dst[i] = int32(x)
		over |= x ^ int64(int32(x))
	}
	if over != 0 {
		return dst[:0], corrupt("integers", "value outside 32 bits")
	}
	return dst, nil
}

// begin returns dst with length n, or an error if n is out of range.
func begin[T any](what string, dst []T, n int) ([]T, error) {
	if n < 0 || n > MaxValues {
		return dst[:0], corrupt(what, "%d values asked for", n)
	}
	return sized(dst, n), nil
}

// finish returns the error of a decoder that went through size bytes: they were
// bad, or there were more.
func finish(what string, r *Reader, n, size int) error {
	if r.Bad {
		return corrupt(what, "%d bytes are no encoding of %d values", size, n)
	}
	if len(r.Src) > 0 {
		return corrupt(what, "%d bytes left over after %d values", len(r.Src), n)
	}
	return nil
}

// decodeAllInts decodes n integers into dst[:0] and sees that they take up src.
func decodeAllInts(what string, dst []int64, src []byte, n int) ([]int64, error) {
	dst, err := begin(what, dst, n)
	if err != nil {
		return dst, err
	}
	r := Reader{Src: src}
	if n > 0 {
		decodeInts(dst, &r)
	}
	if err := finish(what, &r, n, len(src)); err != nil {
		return dst[:0], err
	}
	return dst, nil
}

// intEncoder chooses the integer encoding of a column.
type intEncoder struct {
	packed  []uint64 // the numbers to pack
	patches []byte   // written behind them
	spread  spread
}

// intShape is what the choice needs to know of a column.
type intShape struct {
	min, max int64 // of the values
	modal    int64 // a typical step
	unit     divisor
}

// append appends v in the smallest of the encodings.
func (e *intEncoder) append(dst []byte, v []int64) []byte {
	if len(v) == 0 {
		return dst
	}
	return e.appendSteps(dst, v, stepsOf(v))
}

// appendSteps is append for a v that is not empty and has these steps.
func (e *intEncoder) appendSteps(dst []byte, v []int64, st steps) []byte {
	switch {
	case len(v) == 1 || st.least == 0 && st.most == 0:
		return appendIntConst(dst, v[0])
	case st.least == st.most:
		return appendIntLine(dst, v[0], st.least)
	}
	e.packed = sized(e.packed, len(v))
	modal, unit := sampleSteps(v)
	if unit == 1 && st.short() {
		if dst, ok := e.appendPlainDelta(dst, v, st, modal); ok {
			return dst
		}
	}
	return e.appendSmallest(dst, v, st, modal, unit)
}

// appendSmallest appends v, whose steps are not all equal, in what takes the
// fewest bytes. e.packed is as long as v.
func (e *intEncoder) appendSmallest(dst []byte, v []int64, st steps, modal int64, unit uint64) []byte {
	s := shapeOf(v, modal, unit)
	e.residuals(v, &s)
	n := len(v)
	modalWidth, modalCost := e.spread.cheapest(n - 1)
	modalCost += 2 + uvarintLen(s.unit.by) + varintLen(v[0]) + varintLen(s.modal)

	frameWidth := packWidth(uint(bits.Len64((uint64(s.max) - uint64(s.min)) / s.unit.by)))
	frameCost := 2 + uvarintLen(s.unit.by) + varintLen(s.min) + packedLen(n, frameWidth)
	deltaWidth := packWidth(uint(bits.Len64((uint64(st.most) - uint64(st.least)) / s.unit.by)))
	deltaCost := 2 + uvarintLen(s.unit.by) + varintLen(v[0]) + varintLen(st.least) + packedLen(n-1, deltaWidth)

	switch best := min(frameCost, deltaCost, modalCost); {
	case 1+8*n <= best:
		return appendIntRaw(dst, v)
	case frameCost == best:
		return e.appendFrame(dst, v, s.min, frameWidth, s.unit)
	case deltaCost == best:
		return e.appendDelta(dst, v, st.least, deltaWidth, s.unit)
	}
	return e.appendModal(dst, v[0], s.modal, modalWidth, s.unit)
}

// shapeOf looks at all of v, which is not empty. unit divides the steps of a
// sample.
func shapeOf(v []int64, modal int64, unit uint64) intShape {
	s := intShape{min: v[0], max: v[0], modal: modal}
	for _, x := range v[1:] {
		s.min, s.max = min(s.min, x), max(s.max, x)
	}
	// Beyond this range differences of steps may wrap, and a wrapped number is
	// no multiple any more.
	if uint64(s.max)-uint64(s.min) >= 1<<62 {
		unit = 1
	}
	s.unit = newDivisor(unit)
	return s
}

// sampleSteps returns the median of up to 33 steps and their greatest common
// divisor.
func sampleSteps(v []int64) (modal int64, unit uint64) {
	var some [sampled]int64
	k := 0
	stride := max(1, len(v)/len(some))
	least, most := noSteps.least, noSteps.most
	for i := 1; i < len(v) && k < len(some); i += stride {
		step := v[i] - v[i-1]
		if unit != 1 {
			unit = gcd(unit, magnitude(step))
		}
		some[k] = step
		least, most = min(least, step), max(most, step)
		k++
	}
	return medianOf(&some, k, least, most), max(unit, 1)
}

// sampled is how many steps sampleSteps looks at.
const sampled = 33

// medianOf returns the middle of the first n steps, which are from least to most, and
// may change them.
func medianOf(steps *[sampled]int64, n int, least, most int64) int64 {
	width := bits.Len64(uint64(most) - uint64(least))
	if width > 16 {
		for i, step := range steps[:n] {
			for ; i > 0 && steps[i-1] > step; i-- {
				steps[i] = steps[i-1]
			}
			steps[i] = step
		}
		return steps[n/2]
	}
	// It is the largest number that no more than half of the steps are below, made
	// bit by bit: sorting takes longer, since it cannot be foretold where a step goes.
	for i := range steps {
		if steps[i] -= least; i >= n {
			steps[i] = math.MaxInt64
		}
	}
	at := int64(0)
	for bit := width - 1; bit >= 0; bit-- {
		next := at | 1<<bit
		below := 0
		for i := 0; i < sampled; i += 3 {
			below += int(uint64(steps[i]-next)>>63 + uint64(steps[i+1]-next)>>63 + uint64(steps[i+2]-next)>>63)
		}
		if below <= n/2 {
			at = next
		}
	}
	return least + at
}

// residuals sets e.packed to the zigzag distances of the steps from the typical
// one, in units, and lowers the unit until it divides them all.
func (e *intEncoder) residuals(v []int64, s *intShape) {
	u := e.packed[:len(v)-1]
	if s.unit.by > 1 && !e.unitResiduals(u, v, s) {
		e.residuals(v, s)
		return
	}
	if s.unit.by > 1 {
		return
	}
	e.spread = spread{}
	prev := v[0]
	for i, x := range v[1:] {
		z := zigzag(x - prev - s.modal)
		prev = x
		u[i] = z
		e.spread.add(z)
	}
}

// unitResiduals is residuals for a unit above 1. At the first step that the unit
// does not divide it lowers the unit and returns false.
func (e *intEncoder) unitResiduals(u []uint64, v []int64, s *intShape) bool {
	e.spread = spread{}
	prev := v[0]
	for i, x := range v[1:] {
		step := x - prev
		prev = x
		q, ok := s.unit.divide(step - s.modal)
		if !ok {
			s.unit = newDivisor(gcd(s.unit.by, magnitude(step)))
			return false
		}
		z := zigzag(q)
		u[i] = z
		e.spread.add(z)
	}
	return true
}

// decodeInts fills dst, which is not empty.
func decodeInts(dst []int64, r *Reader) {
	if steps, _ := readInts(dst, r); steps && !r.Bad {
		accumulate(dst)
	}
}

// readInts fills dst, which is not empty, with integers or, if steps is true,
// with numbers whose running sums they are. No integer has a magnitude above
// reach, which is infinite where that is not known.
func readInts(dst []int64, r *Reader) (steps bool, reach float64) {
	reach = math.Inf(1)
	switch r.Byte() {
	case intConst:
		decodeIntConst(dst, r)
	case intLine:
		decodeIntLine(dst, r)
	case intFrame:
		reach = decodeIntFrame(dst, r)
	case intDelta:
		return true, readIntDelta(dst, r)
	case intModal:
		decodeIntModal(dst, r)
	case intRaw:
		decodeIntRaw(dst, r)
	default:
		r.Fail()
	}
	return false, reach
}

func uvarintLen(u uint64) int { return (bits.Len64(u|1) + 6) / 7 }

func varintLen(x int64) int { return uvarintLen(zigzag(x)) }
