package tickwell

import (
	"math"
	"strconv"

	"github.com/tickwell/tickwell/internal/column"
)

// Kind is the type of the values of a series. The first write or
// [DB.CreateSeries] fixes a series' kind.
type Kind uint8

// The six kinds of the IoTDB documents (BOOLEAN, INT32, INT64, FLOAT, DOUBLE,
// TEXT). KindNull is the kind of the zero [Value].
const (
	KindNull    = Kind(column.Null)
	KindBool    = Kind(column.Bool)
	KindInt32   = Kind(column.Int32)
	KindInt64   = Kind(column.Int64)
	KindFloat32 = Kind(column.Float32)
	KindFloat64 = Kind(column.Float64)
	KindText    = Kind(column.Text)
)

// String returns the lower-case name of k, such as "float64".
func (k Kind) String() string { return column.Kind(k).String() }

// Value is one cell. Like [log/slog.Value] it holds numbers and text without
// allocating. The zero Value is null. Compare with [Value.Equal].
type Value struct {
	_    [0]func() // not comparable with ==: NaN and -0 would surprise
	num  uint64
	str  string
	kind Kind
}

// BoolValue returns a Value of kind Bool.
func BoolValue(v bool) Value {
	if v {
		return Value{num: 1, kind: KindBool}
	}
	return Value{kind: KindBool}
}

// Int32Value returns a Value of kind Int32.
func Int32Value(v int32) Value { return Value{num: uint64(uint32(v)), kind: KindInt32} }

// Int64Value returns a Value of kind Int64.
func Int64Value(v int64) Value { return Value{num: uint64(v), kind: KindInt64} }

// Float32Value returns a Value of kind Float32.
func Float32Value(v float32) Value {
	return Value{num: uint64(math.Float32bits(v)), kind: KindFloat32}
}

// Float64Value returns a Value of kind Float64.
func Float64Value(v float64) Value { return Value{num: math.Float64bits(v), kind: KindFloat64} }

// TextValue returns a Value of kind Text.
func TextValue(v string) Value { return Value{str: v, kind: KindText} }

// Kind returns the kind of v, KindNull for the zero Value.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is the zero Value.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns v if it is of kind Bool, else false.
func (v Value) Bool() bool { return v.kind == KindBool && v.num == 1 }

// Int64 returns an Int32 or Int64 value as int64, else 0.
func (v Value) Int64() int64 {
	switch v.kind {
	case KindInt32:
		return int64(int32(uint32(v.num)))
	case KindInt64:
		return int64(v.num)
	}
	return 0
}

// Float64 returns a numeric value as float64; false is 0 and true is 1. It
// returns NaN for null and text, so that a missing number is never taken for 0.
func (v Value) Float64() float64 {
	switch v.kind {
	case KindBool:
		return float64(v.num)
	case KindInt32, KindInt64:
		return float64(v.Int64())
	case KindFloat32:
		return float64(math.Float32frombits(uint32(v.num)))
	case KindFloat64:
		return math.Float64frombits(v.num)
	}
	return math.NaN()
}

// Text returns v if it is of kind Text, else "". Use [Value.String] to print.
func (v Value) Text() string { return v.str }

// String formats v for people: numbers in the shortest form that reads back
// as the same number, null as "null".
func (v Value) String() string {
	switch v.kind {
	case KindBool:
		return strconv.FormatBool(v.num == 1)
	case KindInt32, KindInt64:
		return strconv.FormatInt(v.Int64(), 10)
	case KindFloat32:
		return strconv.FormatFloat(v.Float64(), 'g', -1, 32)
	case KindFloat64:
		return strconv.FormatFloat(v.Float64(), 'g', -1, 64)
	case KindText:
		return v.str
	}
	return "null"
}

// Equal reports whether v and w have the same kind and the same bits: NaN
// equals the same NaN, 0 differs from -0.
func (v Value) Equal(w Value) bool {
	return v.kind == w.kind && v.num == w.num && v.str == w.str
}

// Field is a measurement and its value.
type Field struct {
	Name  string // the measurement
	Value Value  // a null is not stored
}

// Bool makes a [Field], as [log/slog.Bool] makes an Attr.
func Bool(name string, v bool) Field { return Field{name, BoolValue(v)} }

// Int32 makes a [Field] of kind Int32.
func Int32(name string, v int32) Field { return Field{name, Int32Value(v)} }

// Int64 makes a [Field] of kind Int64.
func Int64(name string, v int64) Field { return Field{name, Int64Value(v)} }

// Float32 makes a [Field] of kind Float32.
func Float32(name string, v float32) Field { return Field{name, Float32Value(v)} }

// Float64 makes a [Field] of kind Float64.
func Float64(name string, v float64) Field { return Field{name, Float64Value(v)} }

// Text makes a [Field] of kind Text.
func Text(name, v string) Field { return Field{name, TextValue(v)} }
