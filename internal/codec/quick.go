package codec

import "math/bits"

// Quick encodings are for what is read once or never, such as a log: two are
// measured, in one pass, and none of them is looked for in a sample. What they
// are no good for goes the longer way.

// quickFrom is the number of values from which on a quick encoding is tried.
const quickFrom = 4

// appendQuickFloats appends floatDecimal without exceptions, with the least
// exponent, if v is of that kind, and otherwise nothing.
func (e *Encoder) appendQuickFloats(dst []byte, v []float64) ([]byte, bool) {
	if len(v) < quickFrom {
		return dst, false
	}
	e.dec.digits = sized(e.dec.digits, len(v))
	digits := e.dec.digits
	k := quickExponent(v[len(v)/2], quickExponent(v[0], 0))
	for k <= quotientDecimals {
		q := &quotients[k]
		var ok bool
		if digits[0], ok = toDecimal(v[0], k); !ok || !q.reaches(digits[0]) {
			break
		}
		s := spanFrom(digits[0])
		i := 1
		if along {
			i = digitsAlong(digits, v, i, q, &s)
		}
		i = plainDecimals(digits, v, i, q, &s)
		if i < len(v) {
			k = quickExponent(v[i], k+1)
			continue
		}
		start := len(dst)
		dst, ok = e.ints.appendQuick(append(dst, floatDecimal, byte(k)), digits, &s)
		if !ok || len(dst)-start > len(v)*6 {
			return dst[:start], false
		}
		return append(dst, 0), true // exceptions
	}
	return dst, false
}

// quickExponent returns the least exponent from k on at which f is decimal, and
// may be divided by multiplication; more than quotientDecimals if there is none.
//
//go:noinline
func quickExponent(f float64, k int) int {
	for ; k <= quotientDecimals; k++ {
		if d, ok := toDecimal(f, k); ok && quotients[k].reaches(d) {
			break
		}
	}
	return k
}

// spanOf returns the span of v, which is not empty.
//
//go:noinline
func spanOf(v []int64) span {
	lo, hi := v[0], v[0]
	least, most := noSteps.least, noSteps.most
	prev := v[0]
	for _, x := range v[1:] {
		step := x - prev
		prev = x
		lo, hi = min(lo, x), max(hi, x)
		least, most = min(least, step), max(most, step)
	}
	return span{lo, hi, steps{least, most}}
}

// appendQuick appends v, which is not short, as intConst, intLine, intFrame or
// intDelta, in units of 1. It appends nothing if the unit may be larger or the
// numbers are too wide.
func (e *intEncoder) appendQuick(dst []byte, v []int64, s *span) ([]byte, bool) {
	n := len(v)
	switch {
	case s.lo == s.hi:
		return appendIntConst(dst, v[0]), true
	case s.least == s.most:
		return appendIntLine(dst, v[0], s.least), true
	case !unitIsOne(v):
		return dst, false
	}
	e.packed = sized(e.packed, n)
	frame := packWidth(uint(bits.Len64(uint64(s.hi) - uint64(s.lo))))
	delta := packWidth(uint(bits.Len64(uint64(s.most) - uint64(s.least))))
	if min(frame, delta) > maxPackWidth {
		return dst, false
	}
	if packedLen(n, frame)+varintLen(s.lo) <= packedLen(n-1, delta)+varintLen(v[0])+varintLen(s.least) {
		return e.packFrame(appendFrameHead(dst, s.lo, frame, 1), v, s.lo, frame), true
	}
	return e.packSteps(appendDeltaHead(dst, v[0], s.least, delta, 1), v, s.least, delta), true
}

// unitIsOne reports whether a few steps of v have no common divisor.
func unitIsOne(v []int64) bool {
	unit := uint64(0)
	stride := max(1, len(v)/8)
	for i := 1; i < len(v) && unit != 1; i += stride {
		unit = gcd(unit, magnitude(v[i]-v[i-1]))
	}
	return unit == 1
}
