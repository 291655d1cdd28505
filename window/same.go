package window

import (
	"math"
	"unsafe"
)

// sameFunc returns the rule of a state window for T: numbers by distance, wide
// enough never to overflow, and NaN like no number but NaN; strings and
// booleans by equality. Nil where T needs Options.Same.
func sameFunc[T any](delta float64) func(first, v T) bool {
	var f any
	switch any(*new(T)).(type) {
	case float64:
		f = sameFloat[float64](delta)
	case float32:
		f = sameFloat[float32](delta)
	case int64:
		f = sameInt[int64](delta)
	case int32:
		f = sameInt[int32](delta)
	case int16:
		f = sameInt[int16](delta)
	case int8:
		f = sameInt[int8](delta)
	case int:
		f = sameInt[int](delta)
	case uint64:
		f = sameUint[uint64](delta)
	case uint32:
		f = sameUint[uint32](delta)
	case uint16:
		f = sameUint[uint16](delta)
	case uint8:
		f = sameUint[uint8](delta)
	case uint:
		f = sameUint[uint](delta)
	case string:
		f = func(first, v string) bool { return first == v }
	case bool:
		f = func(first, v bool) bool { return first == v }
	}
	g, _ := f.(func(first, v T) bool)
	return g
}

func sameFloat[F float32 | float64](delta float64) func(first, v F) bool {
	if delta == 0 {
		return func(first, v F) bool { return first == v || first != first && v != v }
	}
	return func(first, v F) bool {
		if first != first || v != v {
			return first != first && v != v
		}
		// equal infinities have no difference, not one that is NaN
		return first == v || math.Abs(float64(v)-float64(first)) <= delta
	}
}

func sameInt[I int | int8 | int16 | int32 | int64](delta float64) func(first, v I) bool {
	most := wholePart(delta)
	return func(first, v I) bool {
		d := uint64(int64(v)) - uint64(int64(first))
		if v < first {
			d = -d
		}
		return d <= most
	}
}

func sameUint[I uint | uint8 | uint16 | uint32 | uint64](delta float64) func(first, v I) bool {
	most := wholePart(delta)
	return func(first, v I) bool { return uint64(max(v, first)-min(v, first)) <= most }
}

// wholePart is the largest whole distance that delta allows.
func wholePart(delta float64) uint64 {
	if delta >= 1<<64 {
		return math.MaxUint64
	}
	return uint64(delta)
}

// holdsFunc returns the condition of T where T is its own.
func holdsFunc[T any]() func(T) bool {
	var f any = func(v bool) bool { return v }
	g, _ := f.(func(T) bool)
	return g
}

// isWord reports whether T is a number of 8 bytes, whose word says that two are
// the same without asking a function.
func isWord[T any]() bool {
	switch any(*new(T)).(type) {
	case int64, uint64, float64:
		return true
	}
	return false
}

// word returns the bits of v, of which isWord must hold.
func word[T any](v T) uint64 { return *(*uint64)(unsafe.Pointer(&v)) }
