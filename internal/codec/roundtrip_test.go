package codec

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInt64s(t *testing.T) {
	var e Encoder
	var d Decoder
	for name, v := range intColumns() {
		t.Run(name, func(t *testing.T) {
			checkRoundTrip(t, v, e.AppendInt64s, d.Int64s, slices.Equal[[]int64])
		})
	}
}

func TestInt32s(t *testing.T) {
	var e Encoder
	var d Decoder
	for name, wide := range intColumns() {
		v := make([]int32, len(wide))
		for i, x := range wide {
			v[i] = int32(x)
		}
		t.Run(name, func(t *testing.T) {
			checkRoundTrip(t, v, e.AppendInt32s, d.Int32s, slices.Equal[[]int32])
		})
	}
}

func TestInt32sOutOfRange(t *testing.T) {
	var e Encoder
	var d Decoder
	for _, v := range [][]int64{{1 << 31}, {-1<<31 - 1, 0}, {0, 1 << 40, 3}} {
		_, err := d.Int32s(nil, e.AppendInt64s(nil, v), len(v))
		requireCorrupt(t, err)
	}
}

func TestTimes(t *testing.T) {
	var e Encoder
	for name, v := range intColumns() {
		t.Run(name, func(t *testing.T) {
			v := slices.Compact(slices.Sorted(slices.Values(v)))
			checkRoundTrip(t, v, e.AppendTimes, Times, slices.Equal[[]int64])
		})
	}
}

func TestTimesMustIncrease(t *testing.T) {
	var e Encoder
	for _, v := range [][]int64{{2, 1}, {1, 1}, {1, 2, 3, 3}, {1, 5, 4, 9}, {1 << 62, -1 << 62}} {
		_, err := Times(nil, e.AppendTimes(nil, v), len(v))
		requireCorrupt(t, err)
	}
}

func TestFloat64s(t *testing.T) {
	var e Encoder
	var d Decoder
	for name, v := range float64Columns() {
		t.Run(name, func(t *testing.T) {
			checkRoundTrip(t, v, e.AppendFloat64s, d.Float64s, sameBits[float64])
		})
	}
}

func TestFloat32s(t *testing.T) {
	var e Encoder
	var d Decoder
	for name, v := range float32Columns() {
		t.Run(name, func(t *testing.T) {
			checkRoundTrip(t, v, e.AppendFloat32s, d.Float32s, sameBits[float32])
		})
	}
}

func TestBools(t *testing.T) {
	var e Encoder
	var d Decoder
	for name, v := range boolColumns() {
		t.Run(name, func(t *testing.T) {
			checkRoundTrip(t, v, e.AppendBools, d.Bools, slices.Equal[[]bool])
		})
	}
}

func TestTexts(t *testing.T) {
	var d Decoder
	for _, compress := range []bool{false, true} {
		e := Encoder{Compress: compress}
		for name, v := range textColumns() {
			t.Run(name, func(t *testing.T) {
				checkRoundTrip(t, v, e.AppendTexts, d.Texts, slices.Equal[[]string])
			})
		}
	}
}

// checkRoundTrip sees that v comes back, that encoding appends, is repeatable
// and that every prefix of the encoding and a longer one is refused.
func checkRoundTrip[T any](t *testing.T, v []T, enc func([]byte, []T) []byte,
	dec func([]T, []byte, int) ([]T, error), equal func(a, b []T) bool) {
	t.Helper()
	keep := slices.Clone(v)
	b := enc(nil, v)
	require.True(t, equal(keep, v), "encoding changed its input")
	require.Equal(t, append([]byte("head"), b...), enc([]byte("head"), v), "appended bytes differ")

	dirty := make([]T, len(v)+3)
	got, err := dec(dirty, b, len(v))
	require.NoError(t, err)
	require.True(t, equal(v, got), "expected %v\ngot      %v", v, got)

	_, err = dec(nil, append(bytes.Clone(b), 0), len(v))
	requireCorrupt(t, err)
	for k := range b {
		if k > 64 && k < len(b)-64 && k%97 != 0 {
			continue
		}
		_, err = dec(nil, bytes.Clone(b[:k]), len(v))
		requireCorrupt(t, err)
	}
	for _, n := range []int{-1, MaxValues + 1} {
		_, err = dec(nil, b, n)
		requireCorrupt(t, err)
	}
}
