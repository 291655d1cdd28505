package codec

import (
	"math"
	"math/bits"
)

// maxDecimals is the largest exponent k of value = integer / 10^k.
const maxDecimals = 17

var powersOfTen = [maxDecimals + 1]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
}

// Adding 1.5 * 2^52 to a number below 2^51 in magnitude leaves its nearest
// integer in the low mantissa bits. This converts without the instruction for
// it, which 32-bit machines do not have.
const (
	roundMagic = 6755399441055744.0
	roundBits  = 0x4338000000000000 // math.Float64bits(roundMagic)
	digitLimit = 1 << 51
)

func roundToInt(x float64) int64 { return int64(math.Float64bits(x+roundMagic)) - roundBits }

func intToFloat(d int64) float64 { return math.Float64frombits(uint64(d)+roundBits) - roundMagic }

// toDecimal returns the integer d for which d / 10^k, rounded to T, has the bits
// of f, if there is one.
func toDecimal[T float](f T, k int) (d int64, ok bool) {
	q := &quotients[k]
	x := float64(float64(f) * q.by) // rounded here: a fused addition would differ by machine
	near := x + roundMagic
	d = int64(math.Float64bits(near)) - roundBits
	whole := near - roundMagic
	if q.reaches(d) {
		return d, math.Float64bits(float64(T(q.of(whole)))) == math.Float64bits(float64(f))
	}
	back := float64(T(whole / q.by))
	// NaN differs from itself in x, signed zeros differ in their bits.
	ok = x < digitLimit && x > -digitLimit && math.Float64bits(back) == math.Float64bits(float64(f))
	return d, ok
}

// decimals is scratch: the integers of a column, and the rows whose value is not
// the quotient.
type decimals struct {
	digits     []int64
	span       span // of digits
	exceptions []exception
	far        int // of them that are not near
}

// exception is a row whose value differs from the quotient. Arithmetic on
// decimals, such as averaging, leaves results a few units in the last place
// away; the difference of the bits is then small.
type exception struct {
	row  int32
	near int32 // difference of the bits; 0 if it is too large to store that way
}

// maxNear is the largest difference that takes one byte.
const maxNear = 63

// nearness returns the difference of the bits of f and the quotient d / p, 0 if
// it is beyond maxNear.
func nearness[T float](f T, d int64, p float64) int32 {
	diff := int64(bitsOf(f)) - int64(bitsOf(T(intToFloat(d)/p)))
	if diff < -maxNear || diff > maxNear {
		return 0
	}
	return int32(diff)
}

// Estimated bits of an exception.
const (
	nearCost = 18
	farCost  = 80
)

// sampleDecimals looks at up to 33 values and returns the exponent that promises
// the fewest bytes; false if too few values are decimal.
func sampleDecimals[T float](v []T) (k int, ok bool) {
	var need [33]int8 // smallest exponent of each sampled value, -1 if none
	var pick [33]T
	stride := max(1, len(v)/len(need))
	n, failed := 0, 0
	for i := 0; i < len(v) && n < len(need); i += stride {
		pick[n] = v[i]
		need[n] = decimalsOf(v[i], k)
		if need[n] >= 0 {
			k = int(need[n])
		} else if failed++; failed > 12 && failed == n+1 {
			return 0, false
		}
		n++
	}
	var used [maxDecimals + 1]bool
	for _, d := range need[:n] {
		if d >= 0 {
			used[d] = true
		}
	}
	// From the largest down: at small ones most values are costly exceptions,
	// and then the rest of them need not be looked at.
	best := n*8*bytesOf[T]() - 1
	for exponent := maxDecimals; exponent >= 0; exponent-- {
		if !used[exponent] {
			continue
		}
		if cost := sampleCost(pick[:n], need[:n], exponent, best); cost <= best {
			best, k, ok = cost, exponent, true
		}
	}
	return k, ok
}

// sampleCost estimates the bits of the sample at an exponent. What costs more
// than enough may be given as any larger number.
func sampleCost[T float](pick []T, need []int8, exponent, enough int) int {
	cost := 0
	p := powersOfTen[exponent]
	lo, hi := math.Inf(1), math.Inf(-1)
	far := math.NaN() // the last far exception: repeated, it is cheap
	for i, f := range pick {
		if need[i] < 0 || int(need[i]) > exponent {
			d, _ := toDecimal(f, exponent)
			if x := float64(float64(f) * p); !(x < digitLimit && x > -digitLimit) || nearness(f, d, p) == 0 {
				if math.Float64bits(far) != math.Float64bits(float64(f)) {
					if cost += farCost; cost > enough {
						return cost
					}
				}
				far = float64(f)
				continue
			}
			if cost += nearCost; cost > enough {
				return cost
			}
		}
		lo, hi = min(lo, float64(f)), max(hi, float64(f))
	}
	span := float64((hi - lo) * p)
	if !(span < digitLimit) {
		return math.MaxInt
	}
	return cost + len(pick)*bits.Len64(uint64(roundToInt(span)))
}

// decimalsOf returns the smallest exponent at which f is decimal, near guess in
// a few steps; -1 if there is none.
func decimalsOf[T float](f T, guess int) int8 {
	if _, ok := toDecimal(f, guess); ok {
		for guess > 0 {
			if _, ok := toDecimal(f, guess-1); !ok {
				break
			}
			guess--
		}
		return int8(guess)
	}
	for guess++; guess <= maxDecimals; guess++ {
		if _, ok := toDecimal(f, guess); ok {
			return int8(guess)
		}
	}
	return -1
}

// findDecimals converts the whole column, which is not empty. It gives up when
// more than a third of the values are far from the quotient, unless they all are
// the same.
func findDecimals[T float](s *decimals, v []T, k int) bool {
	s.digits = sized(s.digits, len(v))
	s.exceptions, s.far = s.exceptions[:0], 0
	q := &quotients[k]
	s.digits[0] = oddDecimal(s, v[0], 0, 0, q)
	s.span = spanFrom(s.digits[0])
	run := len(v) // of plain ones
	for i := 1; i < len(v); {
		from := i
		if along && run >= longRun {
			i = digitsAlong(s.digits, v, i, q, &s.span)
		}
		if i = plainDecimals(s.digits, v, i, q, &s.span); i < len(v) {
			last := s.digits[i-1]
			s.digits[i] = oddDecimal(s, v[i], i, last, q)
			s.span.add(s.digits[i], last)
			run = i - from
			i++
		}
	}
	return s.far <= len(v)/3 || sameExceptions(v, s.exceptions)
}

// longRun is the number of plain values behind which more are looked for by
// digitsAlong, which takes some time to begin.
const longRun = 32

// plainDecimals converts v[i] and what follows up to the first that is no quotient
// by multiplication, whose index it returns, and adds them to s. digits[i-1] is
// set.
func plainDecimals[T float](digits []int64, v []T, i int, q *quotient, s *span) int {
	digits = digits[:len(v)]
	by, hi, lo, bound := q.by, q.hi, q.lo, q.bound
	least, most := s.least, s.most
	low, high := s.lo, s.hi
	last := digits[i-1]
	for ; i < len(v); i++ {
		f := v[i]
		near := float64(float64(f)*by) + roundMagic
		whole := near - roundMagic
		back := float64(T(float64(whole*hi) + float64(whole*lo)))
		d := int64(math.Float64bits(near)) - roundBits
		if math.Float64bits(back) != math.Float64bits(float64(f)) || uint64(d)+bound > 2*bound {
			break
		}
		digits[i] = d
		step := d - last
		last = d
		least, most = min(least, step), max(most, step)
		low, high = min(low, d), max(high, d)
	}
	*s = span{low, high, steps{least, most}}
	return i
}

// oddDecimal returns the integer of f in row i, and notes it as an exception if
// its bits are not those of the quotient. One that is far takes the integer before
// it, last.
func oddDecimal[T float](s *decimals, f T, i int, last int64, q *quotient) int64 {
	x := float64(float64(f) * q.by)
	d := roundToInt(x)
	within := x < digitLimit && x > -digitLimit
	back := float64(T(intToFloat(d) / q.by))
	if within && math.Float64bits(back) == math.Float64bits(float64(f)) {
		return d
	}
	e := exception{row: int32(i)}
	if within {
		e.near = nearness(f, d, q.by)
	}
	if e.near == 0 {
		d = last
		s.far++
	}
	s.exceptions = append(s.exceptions, e)
	return d
}

// sameExceptions reports whether all are far and have the same bits.
func sameExceptions[T float](v []T, at []exception) bool {
	for _, e := range at {
		if e.near != 0 || bitsOf(v[e.row]) != bitsOf(v[at[0].row]) {
			return false
		}
	}
	return true
}

// floatDecimal: exponent byte, the integers as an integer encoding, uvarint
// number of exceptions; if any, a byte that is 1 if all have the same bits, for
// each uvarint distance from the position after the previous one, and then
// either the bits once, or for each the zigzag difference of its bits and those
// of the quotient as a byte, 0 for those that are stored whole, followed by
// their bits.
func appendFloatDecimal[T float](e *Encoder, dst []byte, v []T, k int) []byte {
	dst = append(dst, floatDecimal, byte(k))
	dst = e.ints.appendSteps(dst, e.dec.digits, e.dec.span.steps)
	exceptions := e.dec.exceptions
	dst = appendUvarint(dst, uint64(len(exceptions)))
	if len(exceptions) == 0 {
		return dst
	}
	same := sameExceptions(v, exceptions)
	if same {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	next := int32(0)
	for _, x := range exceptions {
		dst = appendUvarint(dst, uint64(x.row-next))
		next = x.row + 1
	}
	if same {
		return appendFixed(dst, bitsOf(v[exceptions[0].row]), bytesOf[T]())
	}
	for _, x := range exceptions {
		dst = append(dst, byte(zigzag(int64(x.near))))
	}
	for _, x := range exceptions {
		if x.near == 0 {
			dst = appendFixed(dst, bitsOf(v[x.row]), bytesOf[T]())
		}
	}
	return dst
}

func decodeFloatDecimal[T float](d *Decoder, dst []T, r *Reader) {
	k := int(r.Byte())
	if k > maxDecimals {
		r.Fail()
		return
	}
	q := &quotients[k]
	if whole, ok := any(dst).([]float64); ok && len(r.Src) > 0 && r.Src[0] == intDelta {
		r.Byte()
		d.decimalDelta(whole, r, q)
	} else {
		decodeDecimals(d, dst, r, q)
	}
	if !r.Bad {
		readExceptions(dst, r)
	}
}

// decimalDelta sets dst to the quotients of numbers that are stored as steps.
func (d *Decoder) decimalDelta(dst []float64, r *Reader, q *quotient) {
	h := readDeltaHead(r, len(dst))
	if r.Bad {
		return
	}
	reach := h.reach(len(dst))
	if reach > q.reach {
		d.wide = sized(d.wide, len(dst))
		d.wide[0] = h.first
		h.steps(d.wide[1:], h.packed)
		accumulate(d.wide)
		quotientsOf(dst, d.wide, q, reachOf(d.wide))
		return
	}
	dst[0] = q.of(wholeFloat(h.first))
	dst = dst[1:]
	n, sum := decimalsAlong(dst, &h, q)
	if dst = dst[n:]; len(dst) == 0 {
		return
	}
	d.wide = sized(d.wide, len(dst))
	h.steps(d.wide, h.packed[n/8*int(h.width):])
	d.wide[0] += sum
	quotientsAlong(dst, d.wide, q, reach)
}

// decodeDecimals sets dst to the quotients of integers of any encoding.
func decodeDecimals[T float](d *Decoder, dst []T, r *Reader, q *quotient) {
	d.wide = sized(d.wide, len(dst))
	steps, reach := readInts(d.wide, r)
	if r.Bad {
		return
	}
	if steps && reach <= q.reach {
		quotientsAlong(dst, d.wide, q, reach)
	} else {
		if steps {
			accumulate(d.wide)
		}
		if reach > q.reach {
			reach = reachOf(d.wide)
		}
		quotientsOf(dst, d.wide, q, reach)
	}
}

// readExceptions puts the exceptions of floatDecimal in place.
func readExceptions[T float](dst []T, r *Reader) {
	count := r.AtMost(len(dst))
	if count == 0 {
		return
	}
	same := r.Byte()
	positions := *r
	for range count {
		r.Uvarint()
	}
	var near []byte
	var bits uint64
	switch same {
	case 0:
		near = r.Bytes(count)
	case 1:
		bits = r.fixed(bytesOf[T]())
	default:
		r.Fail()
	}
	at := 0
	for i := range count {
		at += positions.AtMost(len(dst))
		if r.Bad || at >= len(dst) {
			r.Fail()
			return
		}
		switch {
		case same == 1:
		case near[i] != 0:
			bits = bitsOf(dst[at]) + uint64(unzigzag(uint64(near[i])))
		default:
			bits = r.fixed(bytesOf[T]())
		}
		dst[at] = fromBits[T](bits)
		at++
	}
}
