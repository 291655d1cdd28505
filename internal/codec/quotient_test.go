package codec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestQuotient compares the bits of quotients by multiplication with those of
// divisions: small numbers, numbers near powers of two and of ten and near what
// may be divided at most, and random ones of every length.
func TestQuotient(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for k := range quotientDecimals + 1 {
		q := &quotients[k]
		require.Equal(t, powersOfTen[k], q.by)
		reach := int64(q.reach)
		try := func(d int64) {
			if d < -reach || d > reach {
				return
			}
			if got, want := q.of(float64(d)), float64(d)/q.by; math.Float64bits(got) != math.Float64bits(want) {
				t.Fatalf("%d / %g: got %v (%x), want %v (%x)", d, q.by, got, math.Float64bits(got), want, math.Float64bits(want))
			}
		}
		n := int64(200_000)
		if testing.Short() {
			n = 20_000
		}
		for d := range n {
			try(d)
			try(-d)
			try(reach - d)
			try(d - reach)
			x := r.Int64() >> (r.UintN(62) + 1)
			try(x)
			try(-x)
		}
		for power := range 63 {
			for d := int64(-1000); d <= 1000; d++ {
				try(1<<power + d)
				try(-1<<power + d)
				if power < 18 {
					try(int64(powersOfTen[power]) + d)
				}
			}
		}
	}
	for k := quotientDecimals + 1; k <= maxDecimals; k++ {
		require.Negative(t, quotients[k].reach)
	}
}

// TestQuotientsOfColumns compares whole columns with divisions, on both sides of
// what may be divided by multiplication, as values and as running sums.
func TestQuotientsOfColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for k := range maxDecimals + 1 {
		q := &quotients[k]
		for _, reach := range []float64{1, 1000, 1 << 20, math.MaxInt32, 1 << 31, q.reach, q.reach + 1, digitLimit - 1} {
			if reach < 1 || reach >= digitLimit {
				continue
			}
			const n = 100
			values, steps := make([]int64, n), make([]int64, n)
			prev := int64(0)
			for i := range values {
				values[i] = r.Int64N(2*int64(reach)+1) - int64(reach)
				steps[i] = values[i] - prev
				prev = values[i]
			}
			want64, want32 := make([]float64, n), make([]float32, n)
			for i, d := range values {
				want64[i] = intToFloat(d) / powersOfTen[k]
				want32[i] = float32(want64[i])
			}
			got64, got32 := make([]float64, n), make([]float32, n)
			quotientsOf(got64, values, q, reachOf(values))
			quotientsOf(got32, values, q, reach)
			require.Equal(t, want64, got64)
			require.Equal(t, want32, got32)
			require.GreaterOrEqual(t, reachOf(values), float64(largest(values)))
			if reach <= q.reach {
				quotientsAlong(got64, steps, q, reach)
				quotientsAlong(got32, steps, q, reach)
				require.Equal(t, want64, got64)
				require.Equal(t, want32, got32)
			}
		}
	}
}

func largest(v []int64) (x uint64) {
	for _, d := range v {
		x = max(x, magnitude(d))
	}
	return x
}
