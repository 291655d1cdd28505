//go:build !tickwell_small

package codec

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// bothWays returns what enc appends with and without eight numbers at a time.
func bothWays(enc func(e *Encoder) []byte) (got, want []byte) {
	defer func() { hasDecimalSteps = true }()
	got = enc(new(Encoder))
	hasDecimalSteps = false
	return got, enc(new(Encoder))
}

// TestDigitsAlong: columns of decimals, with a few numbers that are none at any
// place, give the same bytes with and without.
func TestDigitsAlong(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	odd := []float64{math.Pi, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e300, -1e16, 5e-324, 0.1 + 0.2, 1 << 53}
	rnd := rand.New(rand.NewPCG(15, 16))
	for round := range 3000 {
		v := make([]float64, 1+rnd.IntN(1200))
		at, k := rnd.Int64N(1<<uint(1+rnd.IntN(50)))-1<<20, rnd.IntN(10)
		most := int64(2) << rnd.IntN(24)
		for i := range v {
			at += rnd.Int64N(most) - most/2
			if v[i] = float64(at) / powersOfTen[k]; round%2 == 0 && rnd.IntN(100) == 0 {
				v[i] = odd[rnd.IntN(len(odd))]
			}
		}
		for _, quick := range []bool{false, true} {
			got, want := bothWays(func(e *Encoder) []byte {
				e.Quick = quick
				return e.AppendFloat64s(nil, v)
			})
			require.Equal(t, want, got, "round %d, quick %v", round, quick)
		}
	}
}

// TestDigitsOf compares each result of decimalDigits with that of plainDecimals,
// to the ends of what may be divided.
func TestDigitsOf(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	rnd := rand.New(rand.NewPCG(17, 18))
	taken := 0
	for range 4000 {
		k := rnd.IntN(quotientDecimals + 1)
		q := &quotients[k]
		v := make([]float64, 9+rnd.IntN(40))
		for i := range v {
			d := rnd.Int64N(2*int64(q.bound)+1) - int64(q.bound)
			switch rnd.IntN(60) {
			case 0:
				d = int64(q.bound) + rnd.Int64N(2)
			case 1:
				d = -int64(q.bound) - rnd.Int64N(2)
			}
			v[i] = float64(d) / q.by
			if rnd.IntN(60) == 0 {
				v[i] = math.Float64frombits(rnd.Uint64())
			}
		}
		want, got := make([]int64, len(v)), make([]int64, len(v))
		last := rnd.Int64N(1000)
		want[0], got[0] = last, last
		a, b := spanFrom(last), spanFrom(last)
		n := digitsAlong(got, v, 1, q, &b)
		taken += n - 1
		require.Equal(t, n, plainDecimals(want[:n], v[:n], 1, q, &a))
		require.Equal(t, want, got)
		require.Equal(t, a, b)
		if end := plainDecimals(want, v, n, q, &a); end < 1+(len(v)-1)&^3 {
			require.Less(t, end-n, 4)
		}
	}
	require.Greater(t, taken, 20_000)
}

// TestPackAlong: all widths and lengths.
func TestPackAlong(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	rnd := rand.New(rand.NewPCG(19, 20))
	for w := range uint(widestEights + 3) {
		for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 100, 1023, 1024} {
			low := int64(rnd.Uint64())
			v := make([]int64, n)
			for i := range v {
				v[i] = low + int64(rnd.Uint64()&(1<<w-1))
			}
			steps := append([]int64{low * 3}, v...)
			accumulate(steps)
			for name, enc := range map[string]func(e *Encoder) []byte{
				"frame": func(e *Encoder) []byte {
					e.ints.packed = make([]uint64, n+1)
					return e.ints.packFrame([]byte("x"), v, low, w)
				},
				"steps": func(e *Encoder) []byte {
					e.ints.packed = make([]uint64, n+1)
					return e.ints.packSteps([]byte("x"), steps, low, w)
				},
			} {
				got, want := bothWays(enc)
				require.Equal(t, want, got, "%s of %d, width %d", name, n, w)
			}
		}
	}
}

// TestLongAlong: all widths, and steps at the ends of what is long.
func TestLongAlong(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	rnd := rand.New(rand.NewPCG(23, 24))
	for width := uint(1); width <= maxPackWidth; width++ {
		for _, n := range []int{2, 3, 5, 9, 100, 1024} {
			modal := rnd.Int64N(1 << 40)
			v, want := make([]int64, n), uint64(0)
			for i := 1; i < n; i++ {
				z := rnd.Uint64() & (1<<(width+1) - 1)
				switch rnd.IntN(3) {
				case 0:
					z = 1<<(width-1) - rnd.Uint64N(2)
				case 1:
					z = 1<<(width-1) + rnd.Uint64N(2)
				}
				v[i] = v[i-1] + modal + unzigzag(z)
			}
			count, done := longAlong(v, modal, width)
			for i := 1; i <= done; i++ {
				want += isLong(v[i]-v[i-1]-modal, width)
			}
			require.Equal(t, want, count, "width %d of %d", width, n)
			require.True(t, width < 2 || done == (n-1)&^3)
		}
	}
}

// FuzzDigits: whatever the numbers, they give the same bytes with and without.
func FuzzDigits(f *testing.F) {
	if !hasDecimalSteps {
		f.Skip("this machine has no AVX2")
	}
	for _, v := range float64Columns() {
		var b []byte
		for _, x := range v[:min(len(v), 200)] {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v := make([]float64, min(len(b)/8, MaxValues))
		w := make([]int64, len(v))
		for i := range v {
			w[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			v[i] = math.Float64frombits(uint64(w[i]))
		}
		for _, quick := range []bool{false, true} {
			got, want := bothWays(func(e *Encoder) []byte {
				e.Quick = quick
				return e.AppendInt64s(e.AppendFloat64s(nil, v), w)
			})
			require.Equal(t, want, got)
		}
	})
}
