package codec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireFew sees that the decoders of short columns say the same as those of any, or
// leave it to them.
func requireFew(t testing.TB, src []byte, n, behind int) (ints, floats bool) {
	t.Helper()
	var d Decoder
	size := len(src) - behind
	got := make([]int64, n)
	if ints = FewInt64s(got, src, size); ints {
		want, err := d.Int64s(nil, src[:size], n)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	numbers := make([]float64, n)
	if floats = FewFloat64s(numbers, make([]int64, n), src, size); floats {
		want, err := d.Float64s(nil, src[:size], n)
		require.NoError(t, err)
		for i := range want {
			require.Equal(t, math.Float64bits(want[i]), math.Float64bits(numbers[i]))
		}
	}
	return ints, floats
}

// TestFew decodes short columns of every encoding, with and without bytes behind them.
func TestFew(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var e Encoder
	done := map[byte]int{}
	for k := range 20000 {
		n := 1 + r.IntN(64)
		ints, floats := make([]int64, n), make([]float64, n)
		at, unit, wide := r.Int64(), int64(1+r.IntN(3)*999), r.IntN(62)
		for i := range ints {
			switch k % 4 {
			case 0:
				at += unit * (r.Int64N(1<<wide) - 1<<wide/3)
			case 1:
				at += unit * 17
				if r.IntN(6) == 0 {
					at += unit * r.Int64N(1<<wide)
				}
			case 2:
				at = unit * r.Int64N(1<<wide)
			}
			ints[i], floats[i] = at, float64(at>>(k%40))/powersOfTen[k%5]
			if k%7 == 0 {
				floats[i] *= 1 + float64(r.IntN(3))*1e-16
			}
		}
		for kind, src := range [][]byte{e.AppendInt64s(nil, ints), e.AppendFloat64s(nil, floats)} {
			for _, behind := range []int{0, 3, 8} {
				all := append(src[:len(src):len(src)], make([]byte, behind)...)
				knew, knewFloats := requireFew(t, all, n, behind)
				if kind == 0 && knew || kind == 1 && knewFloats {
					done[byte(16*kind)+src[0]]++
				}
				for range 3 { // what is wrong is left to the others
					all[r.IntN(len(all))] = byte(r.Uint32())
					requireFew(t, all, n, behind)
				}
				requireFew(t, all[:len(all)-1], n, behind)
			}
		}
	}
	for _, kind := range []byte{intConst, intLine, intFrame, intDelta, intModal, 16 + floatDecimal} {
		require.Greater(t, done[kind], 300, "encoding %d: %v", kind, done)
	}
}

// FuzzFew decodes any bytes.
func FuzzFew(f *testing.F) {
	var e Encoder
	for _, v := range intColumns() {
		if len(v) > 0 && len(v) <= 64 {
			f.Add(e.AppendInt64s(nil, v), len(v), 0)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, n, behind int) {
		if n >= 1 && n <= 1000 && behind >= 0 && behind <= len(src) {
			requireFew(t, src, n, behind)
		}
	})
}

func BenchmarkFew(b *testing.B) {
	var e Encoder
	var d Decoder
	times, values := make([]int64, 10), make([]float64, 10)
	for i := range times {
		times[i], values[i] = 1_700_000_000_000_000_000+int64(i)*1024e9+int64(i*i%7)*1e6, float64(2000+i*i*13%101)/100
	}
	ints, floats := e.AppendInt64s(nil, times), e.AppendFloat64s(nil, values)
	b.Run("few", func(b *testing.B) {
		for b.Loop() {
			if !FewInt64s(times, ints, len(ints)) || !FewFloat64s(values, times, floats, len(floats)) {
				b.Fatal("left to others")
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Int64s(times, ints, 10); err != nil {
				b.Fatal(err)
			}
			if _, err := d.Float64s(values, floats, 10); err != nil {
				b.Fatal(err)
			}
		}
	})
}
