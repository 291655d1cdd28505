package tickwell

import (
	"math"
	"testing"
)

func TestValue(t *testing.T) {
	nan := math.Float64frombits(0x7ff8000000000123)
	for _, c := range []struct {
		v    Value
		kind Kind
		text string
		num  float64
	}{
		{Value{}, KindNull, "null", math.NaN()},
		{BoolValue(true), KindBool, "true", 1},
		{BoolValue(false), KindBool, "false", 0},
		{Int32Value(-7), KindInt32, "-7", -7},
		{Int32Value(math.MinInt32), KindInt32, "-2147483648", math.MinInt32},
		{Int64Value(math.MaxInt64), KindInt64, "9223372036854775807", math.MaxInt64},
		{Float32Value(0.1), KindFloat32, "0.1", float64(float32(0.1))},
		{Float64Value(0.1), KindFloat64, "0.1", 0.1},
		{Float64Value(math.Inf(-1)), KindFloat64, "-Inf", math.Inf(-1)},
		{Float64Value(nan), KindFloat64, "NaN", nan},
		{TextValue("a b"), KindText, "a b", math.NaN()},
		{TextValue(""), KindText, "", math.NaN()},
	} {
		if c.v.Kind() != c.kind || c.v.String() != c.text {
			t.Errorf("got %s %q, want %s %q", c.v.Kind(), c.v, c.kind, c.text)
		}
		if got := c.v.Float64(); got != c.num && !(math.IsNaN(got) && math.IsNaN(c.num)) {
			t.Errorf("%s: Float64 is %v, want %v", c.text, got, c.num)
		}
		if again := c.v; !c.v.Equal(again) {
			t.Errorf("%s does not equal itself", c.text)
		}
	}
	if Float64Value(0).Equal(Float64Value(math.Copysign(0, -1))) {
		t.Error("0 equals -0; they are different bits")
	}
	if Int32Value(1).Equal(Int64Value(1)) {
		t.Error("values of different kinds are equal")
	}
	if got := math.Float64bits(Float64Value(nan).Float64()); got != 0x7ff8000000000123 {
		t.Errorf("NaN payload is %x, want 7ff8000000000123", got)
	}
}
