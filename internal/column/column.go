// Package column holds typed vectors and null bitmaps in memory: the form in
// which every internal package passes data.
package column

import "slices"

// Kind is the type of the values of a series. Its numbers are written to disk
// and never change.
type Kind uint8

// The six kinds of the IoTDB documents. Null is the kind of no value.
const (
	Null Kind = iota
	Bool
	Int32
	Int64
	Float32
	Float64
	Text
)

var kindNames = [...]string{"null", "bool", "int32", "int64", "float32", "float64", "text"}

// String returns the lower-case name of k, such as "float64".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "invalid"
}

// Valid reports whether k is one of the six kinds.
func (k Kind) Valid() bool { return k >= Bool && k <= Text }

// Numeric reports whether k can be averaged.
func (k Kind) Numeric() bool { return k >= Int32 && k <= Float64 }

// Vector is a column of values of one kind: the slice of that kind is used, the
// others are nil. A Vector is not safe for concurrent use while it is changed.
type Vector struct {
	Kind     Kind
	Float64s []float64 // next to Kind: they share a line of the cache
	Int64s   []int64
	Bools    []bool
	Int32s   []int32
	Float32s []float32
	Texts    []string
}

// Len returns the number of values.
func (v *Vector) Len() int {
	switch v.Kind {
	case Bool:
		return len(v.Bools)
	case Int32:
		return len(v.Int32s)
	case Int64:
		return len(v.Int64s)
	case Float32:
		return len(v.Float32s)
	case Float64:
		return len(v.Float64s)
	case Text:
		return len(v.Texts)
	}
	return 0
}

// Reset empties v, keeps its memory and sets its kind.
func (v *Vector) Reset(k Kind) {
	v.Kind = k
	v.Bools, v.Int32s, v.Int64s = v.Bools[:0], v.Int32s[:0], v.Int64s[:0]
	v.Float32s, v.Float64s = v.Float32s[:0], v.Float64s[:0]
	clear(v.Texts)
	v.Texts = v.Texts[:0]
}

// Slice returns the values [lo, hi) without copying.
func (v *Vector) Slice(lo, hi int) Vector {
	s := Vector{Kind: v.Kind}
	s.View(v, lo, hi)
	return s
}

// View makes v share the values [lo, hi) of src, which must have v's kind. It
// writes one slice where an assignment of [Vector.Slice] writes six.
func (v *Vector) View(src *Vector, lo, hi int) {
	switch v.Kind {
	case Bool:
		v.Bools = src.Bools[lo:hi:hi]
	case Int32:
		v.Int32s = src.Int32s[lo:hi:hi]
	case Int64:
		v.Int64s = src.Int64s[lo:hi:hi]
	case Float32:
		v.Float32s = src.Float32s[lo:hi:hi]
	case Float64:
		v.Float64s = src.Float64s[lo:hi:hi]
	case Text:
		v.Texts = src.Texts[lo:hi:hi]
	}
}

// AppendRange appends the values [lo, hi) of src, which must have v's kind.
func (v *Vector) AppendRange(src *Vector, lo, hi int) {
	switch v.Kind {
	case Bool:
		v.Bools = append(v.Bools, src.Bools[lo:hi]...)
	case Int32:
		v.Int32s = append(v.Int32s, src.Int32s[lo:hi]...)
	case Int64:
		v.Int64s = append(v.Int64s, src.Int64s[lo:hi]...)
	case Float32:
		v.Float32s = append(v.Float32s, src.Float32s[lo:hi]...)
	case Float64:
		v.Float64s = append(v.Float64s, src.Float64s[lo:hi]...)
	case Text:
		v.Texts = append(v.Texts, src.Texts[lo:hi]...)
	}
}

// AppendRows appends the given rows of src, which must have v's kind, in their order.
func (v *Vector) AppendRows(src *Vector, rows []int32) {
	switch v.Kind {
	case Bool:
		v.Bools = Pick(v.Bools, src.Bools, rows)
	case Int32:
		v.Int32s = Pick(v.Int32s, src.Int32s, rows)
	case Int64:
		v.Int64s = Pick(v.Int64s, src.Int64s, rows)
	case Float32:
		v.Float32s = Pick(v.Float32s, src.Float32s, rows)
	case Float64:
		v.Float64s = Pick(v.Float64s, src.Float64s, rows)
	case Text:
		v.Texts = Pick(v.Texts, src.Texts, rows)
	}
}

// Pick appends the values of the given rows of src to dst.
func Pick[T any](dst, src []T, rows []int32) []T {
	dst = slices.Grow(dst, len(rows))
	for _, i := range rows {
		dst = append(dst, src[i])
	}
	return dst
}

// AppendZero appends n zero values, as stand-ins for nulls.
//
//go:noinline
func (v *Vector) AppendZero(n int) {
	if n <= 0 {
		return
	}
	switch v.Kind {
	case Bool:
		v.Bools = append(v.Bools, make([]bool, n)...)
	case Int32:
		v.Int32s = append(v.Int32s, make([]int32, n)...)
	case Int64:
		v.Int64s = append(v.Int64s, make([]int64, n)...)
	case Float32:
		v.Float32s = append(v.Float32s, make([]float32, n)...)
	case Float64:
		v.Float64s = append(v.Float64s, make([]float64, n)...)
	case Text:
		v.Texts = append(v.Texts, make([]string, n)...)
	}
}

// Set copies value j of src, which must have v's kind, over value i.
func (v *Vector) Set(i int, src *Vector, j int) {
	switch v.Kind {
	case Bool:
		v.Bools[i] = src.Bools[j]
	case Int32:
		v.Int32s[i] = src.Int32s[j]
	case Int64:
		v.Int64s[i] = src.Int64s[j]
	case Float32:
		v.Float32s[i] = src.Float32s[j]
	case Float64:
		v.Float64s[i] = src.Float64s[j]
	case Text:
		v.Texts[i] = src.Texts[j]
	}
}

// Float64At returns value i as a float64; false is 0 and true is 1. Text gives 0.
//
//go:noinline
func (v *Vector) Float64At(i int) float64 {
	switch v.Kind {
	case Bool:
		if v.Bools[i] {
			return 1
		}
	case Int32:
		return float64(v.Int32s[i])
	case Int64:
		return float64(v.Int64s[i])
	case Float32:
		return float64(v.Float32s[i])
	case Float64:
		return v.Float64s[i]
	}
	return 0
}
