package column

import (
	"math"
	"testing"
)

func TestFloatText(t *testing.T) {
	for _, c := range []struct {
		f    float64
		bits int
		want string
	}{
		{0, 64, "0.0"}, {math.Copysign(0, -1), 64, "-0.0"}, {14, 64, "14.0"}, {-2.5, 32, "-2.5"},
		{1e-3, 64, "0.001"}, {math.Nextafter(1e-3, 0), 64, "9.999999999999998E-4"}, {float64(float32(1e-3)), 32, "0.001"},
		{9999999, 64, "9999999.0"}, {1e7, 64, "1.0E7"}, {-1.25e10, 32, "-1.25E10"}, {1e100, 64, "1.0E100"},
		{float64(float32(0.1)), 32, "0.1"}, {float64(float32(0.1)), 64, "0.10000000149011612"},
		{5e-324, 64, "5.0E-324"}, {math.MaxFloat64, 64, "1.7976931348623157E308"},
		{math.NaN(), 64, "NaN"}, {math.Inf(1), 32, "Infinity"}, {math.Inf(-1), 64, "-Infinity"},
	} {
		if got := FloatText(c.f, c.bits); got != c.want {
			t.Errorf("%v with %d bits: got %s, want %s", c.f, c.bits, got, c.want)
		}
	}
}
