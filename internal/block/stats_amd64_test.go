//go:build !tickwell_small

package block

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// bothSums compares the statistics of v with and without four at a time, bit for
// bit.
func bothSums(t *testing.T, v []float64) {
	t.Helper()
	defer func() { hasAVX2 = true }()
	times := make([]int64, len(v))
	for i := range times {
		times[i] = int64(i)
	}
	vec := f64(v...)
	var got, want Stats
	got.Compute(times, &vec, nil)
	hasAVX2 = false
	want.Compute(times, &vec, nil)
	require.Equal(t, math.Float64bits(want.SumF), math.Float64bits(got.SumF), "%v", v)
	want.SumF, got.SumF = 0, 0
	require.Equal(t, want, got, "%v", v)
}

// TestSumAlong: zeros of both signs, NaN and infinities at any place.
func TestSumAlong(t *testing.T) {
	if !hasAVX2 {
		t.Skip("this machine has no AVX2")
	}
	rnd := rand.New(rand.NewPCG(41, 42))
	odd := []float64{0, math.Copysign(0, -1), math.NaN(), math.Float64frombits(0xfff8000000000007), math.Inf(1), math.Inf(-1), 5e-324, math.MaxFloat64}
	for round := range 20_000 {
		v := make([]float64, 1+rnd.IntN(40))
		some := odd[:2+rnd.IntN(len(odd)-1)]
		for i := range v {
			switch x := rnd.Float64(); round % 4 {
			case 0:
				v[i] = x - 0.5
			case 1:
				v[i] = x
			case 2:
				v[i] = -x
			case 3:
				v[i] = some[rnd.IntN(len(some))]
			}
			if rnd.IntN(6) == 0 {
				v[i] = some[rnd.IntN(len(some))]
			}
		}
		bothSums(t, v)
	}
}

// FuzzSumAlong: whatever the bits.
func FuzzSumAlong(f *testing.F) {
	if !hasAVX2 {
		f.Skip("this machine has no AVX2")
	}
	f.Add(slices.Repeat([]byte{0, 0, 0, 0, 0, 0, 0, 128, 1, 2, 3, 4, 5, 6, 7, 64}, 8))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 8 {
			return
		}
		v := make([]float64, min(len(b)/8, MaxRows))
		for i := range v {
			v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
		bothSums(t, v)
	})
}
