package codec

import (
	"encoding/binary"
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

// toDecimal returns the integer d for which d / p, rounded to T, has the bits of
// f, if there is one.
func toDecimal[T float](f T, p float64) (d int64, ok bool) {
	x := float64(float64(f) * p) // rounded here: a fused addition would differ by machine
	d = roundToInt(x)
	back := float64(T(intToFloat(d) / p))
	// NaN differs from itself in x, signed zeros differ in their bits.
	ok = x < digitLimit && x > -digitLimit && math.Float64bits(back) == math.Float64bits(float64(f))
	return d, ok
}

// decimals is scratch: the integers of a column and the positions that have
// none.
type decimals struct {
	digits     []int64
	exceptions []int32
}

// sampleDecimals looks at up to 33 values and returns the exponent that promises
// the fewest bytes; false if too few values are decimal.
func sampleDecimals[T float](v []T) (k int, ok bool) {
	var need [33]int8 // smallest exponent of each sampled value, -1 if none
	var pick [33]T
	stride := max(1, len(v)/len(need))
	n, failed, costly := 0, 0, 0
	var odd uint64 // bits of the last value that failed: repeated, it is cheap
	k = 0
	for i := 0; i < len(v) && n < len(need); i += stride {
		pick[n] = v[i]
		need[n] = decimalsOf(v[i], k)
		if need[n] >= 0 {
			k = int(need[n])
		} else {
			failed++
			if b := bitsOf(v[i]); costly == 0 || b != odd {
				costly++
				odd = b
			}
		}
		n++
		if costly > 12 {
			return 0, false
		}
	}
	if failed == n {
		return 0, false
	}
	var upTo [maxDecimals + 1]int
	for _, d := range need[:n] {
		if d >= 0 {
			upTo[d]++
		}
	}
	best, covered := math.MaxInt, 0
	for exponent, count := range upTo {
		covered += count
		if count == 0 {
			continue
		}
		lo, hi := math.Inf(1), math.Inf(-1)
		for i, d := range need[:n] {
			if d >= 0 && int(d) <= exponent {
				lo, hi = min(lo, float64(pick[i])), max(hi, float64(pick[i]))
			}
		}
		span := float64((hi - lo) * powersOfTen[exponent])
		if !(span < digitLimit) {
			continue
		}
		cost := n*bits.Len64(uint64(roundToInt(span))) + (n-failed-covered)*80
		if cost < best {
			best, k = cost, exponent
		}
	}
	return k, best < math.MaxInt
}

// decimalsOf returns the smallest exponent at which f is decimal, near guess in
// a few steps; -1 if there is none.
func decimalsOf[T float](f T, guess int) int8 {
	if _, ok := toDecimal(f, powersOfTen[guess]); ok {
		for guess > 0 {
			if _, ok := toDecimal(f, powersOfTen[guess-1]); !ok {
				break
			}
			guess--
		}
		return int8(guess)
	}
	for guess++; guess <= maxDecimals; guess++ {
		if _, ok := toDecimal(f, powersOfTen[guess]); ok {
			return int8(guess)
		}
	}
	return -1
}

// findDecimals converts the whole column. It gives up when more than a third of
// the values are exceptions, unless they all are the same.
func findDecimals[T float](s *decimals, v []T, k int) bool {
	s.digits = sized(s.digits, len(v))
	s.exceptions = s.exceptions[:0]
	p := powersOfTen[k]
	last := int64(0)
	for i, f := range v {
		x := float64(float64(f) * p)
		d := roundToInt(x)
		back := float64(T(intToFloat(d) / p))
		if math.Float64bits(back) != math.Float64bits(float64(f)) || !(x < digitLimit && x > -digitLimit) {
			s.exceptions = append(s.exceptions, int32(i))
			d = last
		}
		last = d
		s.digits[i] = d
	}
	return len(s.exceptions) <= len(v)/3 || sameExceptions(v, s.exceptions)
}

func sameExceptions[T float](v []T, at []int32) bool {
	for _, i := range at {
		if bitsOf(v[i]) != bitsOf(v[at[0]]) {
			return false
		}
	}
	return true
}

// floatDecimal: exponent byte, the integers as an integer encoding, uvarint
// number of exceptions; if any, a byte that is 1 if all have the same bits, for
// each uvarint distance from the position after the previous one, then the bits
// of each, or once.
func appendFloatDecimal[T float](e *Encoder, dst []byte, v []T, k int) []byte {
	dst = append(dst, floatDecimal, byte(k))
	dst = e.ints.append(dst, e.dec.digits)
	exceptions := e.dec.exceptions
	dst = binary.AppendUvarint(dst, uint64(len(exceptions)))
	if len(exceptions) == 0 {
		return dst
	}
	same := sameExceptions(v, exceptions)
	if same {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	next := 0
	for _, i := range exceptions {
		dst = binary.AppendUvarint(dst, uint64(int(i)-next))
		next = int(i) + 1
	}
	if same {
		exceptions = exceptions[:1]
	}
	for _, i := range exceptions {
		dst = appendFixed(dst, bitsOf(v[i]), bytesOf[T]())
	}
	return dst
}

func decodeFloatDecimal[T float](d *Decoder, dst []T, r *reader) {
	k := int(r.byte())
	if k > maxDecimals {
		r.fail()
		return
	}
	d.wide = sized(d.wide, len(dst))
	decodeInts(d.wide, r)
	if r.bad {
		return
	}
	if k == 0 {
		for i, x := range d.wide {
			dst[i] = T(intToFloat(x))
		}
	} else {
		p := powersOfTen[k]
		for i, x := range d.wide {
			dst[i] = T(intToFloat(x) / p)
		}
	}
	readExceptions(dst, r)
}

// readExceptions puts the exceptions of floatDecimal in place.
func readExceptions[T float](dst []T, r *reader) {
	count := r.count(len(dst))
	if count == 0 {
		return
	}
	same := r.byte()
	if same > 1 {
		r.fail()
	}
	positions := *r
	for range count {
		r.uvarint()
	}
	size := bytesOf[T]()
	stored := count
	if same == 1 {
		stored = 1
	}
	values := reader{src: r.take(size * stored)}
	if r.bad {
		return
	}
	at := 0
	var bits uint64
	for i := range count {
		at += positions.count(len(dst))
		if at >= len(dst) {
			r.fail()
			return
		}
		if i == 0 || same == 0 {
			bits = values.fixed(size)
		}
		dst[at] = fromBits[T](bits)
		at++
	}
}
