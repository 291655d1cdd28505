package window

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Values of the basic types are written little-endian, strings behind their
// length.

func appendInts(dst []byte, v []int64) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, 8*len(v))...)
	for i, x := range v {
		binary.LittleEndian.PutUint64(dst[at+8*i:], uint64(x))
	}
	return dst
}

func loadInts(src []byte, v []int64) ([]byte, error) {
	if len(src)/8 < len(v) {
		return nil, ErrState
	}
	for i := range v {
		v[i] = int64(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return src[8*len(v):], nil
}

func appendFloats(dst []byte, v []float64) []byte {
	for _, x := range v {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(x))
	}
	return dst
}

func loadFloats(src []byte, v []float64) ([]byte, error) {
	if len(src)/8 < len(v) {
		return nil, ErrState
	}
	for i := range v {
		v[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return src[8*len(v):], nil
}

// appendValue writes a value of a basic type, or of any type with its codec.
// ok is false where there is none.
func appendValue[T any](dst []byte, v T, c Codec[T]) (out []byte, ok bool) {
	if c != nil {
		return c.Append(dst, v), true
	}
	le := binary.LittleEndian
	switch x := any(v).(type) {
	case float64:
		return le.AppendUint64(dst, math.Float64bits(x)), true
	case float32:
		return le.AppendUint32(dst, math.Float32bits(x)), true
	case int64:
		return le.AppendUint64(dst, uint64(x)), true
	case int32:
		return le.AppendUint32(dst, uint32(x)), true
	case int16:
		return le.AppendUint16(dst, uint16(x)), true
	case int8:
		return append(dst, byte(x)), true
	case int:
		return le.AppendUint64(dst, uint64(x)), true
	case uint64:
		return le.AppendUint64(dst, x), true
	case uint32:
		return le.AppendUint32(dst, x), true
	case uint16:
		return le.AppendUint16(dst, x), true
	case uint8:
		return append(dst, x), true
	case uint:
		return le.AppendUint64(dst, uint64(x)), true
	case bool:
		if x {
			return append(dst, 1), true
		}
		return append(dst, 0), true
	case string:
		dst = binary.AppendUvarint(dst, uint64(len(x)))
		return append(dst, x...), true
	case struct{}:
		return dst, true
	}
	return dst, false
}

// loadValue reads what appendValue wrote.
func loadValue[T any](src []byte, c Codec[T]) (v T, rest []byte, err error) {
	if c != nil {
		return c.Load(src)
	}
	width := 8
	switch any(v).(type) {
	case float32, int32, uint32:
		width = 4
	case int16, uint16:
		width = 2
	case int8, uint8, bool:
		width = 1
	case struct{}:
		width = 0
	case string:
		s, rest, err := loadString(src)
		return any(s).(T), rest, err
	}
	if len(src) < width {
		return v, nil, ErrState
	}
	var b [8]byte
	copy(b[:], src[:width])
	u := binary.LittleEndian.Uint64(b[:])
	var x any
	switch any(v).(type) {
	case float64:
		x = math.Float64frombits(u)
	case float32:
		x = math.Float32frombits(uint32(u))
	case int64:
		x = int64(u)
	case int32:
		x = int32(u)
	case int16:
		x = int16(u)
	case int8:
		x = int8(u)
	case int:
		x = int(u)
	case uint64:
		x = u
	case uint32:
		x = uint32(u)
	case uint16:
		x = uint16(u)
	case uint8:
		x = uint8(u)
	case uint:
		x = uint(u)
	case bool:
		if u > 1 {
			return v, nil, ErrState
		}
		x = u == 1
	case struct{}:
		x = struct{}{}
	default:
		return v, nil, noCodec[T]()
	}
	return x.(T), src[width:], nil
}

func noCodec[T any]() error {
	return fmt.Errorf("window: values of type %T need Options.Codec to be saved: %w", *new(T), ErrState)
}

func loadString(src []byte) (string, []byte, error) {
	n, k := binary.Uvarint(src)
	if k <= 0 || n > uint64(len(src)-k) {
		return "", nil, ErrState
	}
	return string(src[k : k+int(n)]), src[k+int(n):], nil
}

func appendExtents[T Number](dst []byte, accs []Extent[T]) []byte {
	for i := range accs {
		dst, _ = appendNumber(dst, accs[i].Min)
		dst, _ = appendNumber(dst, accs[i].Max)
		dst, _ = appendValue(dst, accs[i].Has, nil)
	}
	return dst
}

func loadExtents[T Number](src []byte, accs []Extent[T]) (rest []byte, err error) {
	for i := range accs {
		a := &accs[i]
		if a.Min, src, err = loadNumber[T](src); err != nil {
			return nil, err
		}
		if a.Max, src, err = loadNumber[T](src); err != nil {
			return nil, err
		}
		if a.Has, src, err = loadValue[bool](src, nil); err != nil {
			return nil, err
		}
	}
	return src, nil
}

// appendNumber writes numbers of named types too, as 8 bytes.
func appendNumber[T Number](dst []byte, v T) ([]byte, bool) {
	if isFloat[T]() {
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(v))), true
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(v)), true
}

func loadNumber[T Number](src []byte) (T, []byte, error) {
	if len(src) < 8 {
		return 0, nil, ErrState
	}
	u := binary.LittleEndian.Uint64(src)
	if isFloat[T]() {
		return T(math.Float64frombits(u)), src[8:], nil
	}
	return T(u), src[8:], nil
}

func isFloat[T Number]() bool { return T(1)/T(2) != 0 }

func appendPoints[T any](dst []byte, accs []Point[T]) []byte {
	for i := range accs {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(accs[i].Time))
		dst, _ = appendValue(dst, accs[i].Value, nil)
		dst, _ = appendValue(dst, accs[i].Has, nil)
	}
	return dst
}

func loadPoints[T any](src []byte, accs []Point[T]) (rest []byte, err error) {
	for i := range accs {
		a := &accs[i]
		if a.Time, src, err = loadValue[int64](src, nil); err != nil {
			return nil, err
		}
		if a.Value, src, err = loadValue[T](src, nil); err != nil {
			return nil, err
		}
		if a.Has, src, err = loadValue[bool](src, nil); err != nil {
			return nil, err
		}
	}
	return src, nil
}
