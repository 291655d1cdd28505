package codec

import "math"

// Encoding bytes of float columns. They are written to disk and never change.
const (
	floatConst   = 1 + iota // one bit pattern for all rows
	floatDecimal            // integers over a power of ten
	floatXOR                // differing bits of neighbours in one window
	floatRD                 // dictionary of the high bits, low bits packed
	floatRaw                // the bits
)

type float interface{ float32 | float64 }

// bitsOf returns the IEEE 754 bits of f: 32 or 64 of them.
func bitsOf[T float](f T) uint64 {
	switch x := any(f).(type) {
	case float32:
		return uint64(math.Float32bits(x))
	case float64:
		return math.Float64bits(x)
	}
	return 0
}

// fromBits is the inverse of bitsOf.
func fromBits[T float](b uint64) T {
	var f T
	switch p := any(&f).(type) {
	case *float32:
		*p = math.Float32frombits(uint32(b))
	case *float64:
		*p = math.Float64frombits(b)
	}
	return f
}

// bytesOf returns the size of T: 4 or 8.
func bytesOf[T float]() int {
	var f T
	if _, ok := any(f).(float32); ok {
		return 4
	}
	return 8
}

// AppendFloat64s appends the encoding of at most MaxValues numbers, bit for bit:
// signed zeros, infinities, subnormals and NaN payloads are kept.
func (e *Encoder) AppendFloat64s(dst []byte, v []float64) []byte {
	if hasQuick && e.Quick {
		if dst, ok := e.appendQuickFloats(dst, v); ok {
			return dst
		}
	}
	return appendFloats(e, dst, v)
}

// AppendFloat32s is AppendFloat64s for 32-bit numbers.
func (e *Encoder) AppendFloat32s(dst []byte, v []float32) []byte { return appendFloats(e, dst, v) }

// Float64s decodes n numbers into dst[:0].
func (d *Decoder) Float64s(dst []float64, src []byte, n int) ([]float64, error) {
	return decodeFloats(d, dst, src, n)
}

// Float32s decodes n numbers into dst[:0].
func (d *Decoder) Float32s(dst []float32, src []byte, n int) ([]float32, error) {
	return decodeFloats(d, dst, src, n)
}

func appendFloats[T float](e *Encoder, dst []byte, v []T) []byte {
	n, size := len(v), bytesOf[T]()
	if n == 0 {
		return dst
	}
	if allEqual(v) {
		return appendFloatConst(dst, bitsOf(v[0]), size)
	}
	start := len(dst)
	limit := 1 + n*size
	if k, ok := sampleDecimals(v); ok && findDecimals(&e.dec, v, k) {
		dst = appendFloatDecimal(e, dst, v, k)
		// At three quarters of the raw size nothing else is likely to do better.
		if limit = len(dst) - start; limit <= n*size/4*3 {
			return dst
		}
	}
	e.bits = sized(e.bits, n)
	for i, f := range v {
		e.bits[i] = bitsOf(f)
	}
	window := xorWindowOf(e.bits, size)
	plan := planRD(e.bits, size)
	switch xor := window.cost(n, size); {
	case plan.cost < limit && plan.cost < xor:
		return e.appendFloatRD(dst[:start], e.bits, &plan, size)
	case xor < limit:
		return e.appendFloatXOR(dst[:start], e.bits, window, size)
	case limit < 1+n*size:
		return dst
	}
	return appendFloatRaw(dst[:start], e.bits, size)
}

// allEqual compares bits.
func allEqual[T float](v []T) bool {
	first := bitsOf(v[0])
	for _, f := range v[1:] {
		if bitsOf(f) != first {
			return false
		}
	}
	return true
}

func decodeFloats[T float](d *Decoder, dst []T, src []byte, n int) ([]T, error) {
	dst, err := begin("floats", dst, n)
	if err != nil {
		return dst, err
	}
	r := Reader{Src: src}
	if n > 0 {
		decodeFloatsOf(d, dst, &r)
	}
	if err := finish("floats", &r, n, len(src)); err != nil {
		return dst[:0], err
	}
	return dst, nil
}

func decodeFloatsOf[T float](d *Decoder, dst []T, r *Reader) {
	switch r.Byte() {
	case floatConst:
		decodeFloatConst(dst, r)
	case floatDecimal:
		decodeFloatDecimal(d, dst, r)
	case floatXOR:
		decodeFloatXOR(d, dst, r)
	case floatRD:
		decodeFloatRD(d, dst, r)
	case floatRaw:
		decodeFloatRaw(dst, r)
	default:
		r.Fail()
	}
}
