//go:build !tickwell_small

package codec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDecimalSteps compares what decodes eight steps at a time with unpacking and
// dividing one by one: all widths, numbers of values and bytes behind, sums that
// rise, fall and reach what may be divided. What it reads lies in the bytes.
func TestDecimalSteps(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	rnd := rand.New(rand.NewPCG(11, 12))
	taken := 0
	for w := uint(0); w <= widestDecimal+2; w++ {
		for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 64, 100, 1023, 1024} {
			for _, behind := range []int{0, 1, 7, 8, 9, 40} {
				k, span := rnd.IntN(quotientDecimals+1), int64(n)<<w
				for quotients[k].reach < float64(4*span) {
					k--
				}
				q := &quotients[k]
				numbers := make([]uint64, n)
				for i := range numbers {
					numbers[i] = rnd.Uint64() & (1<<w - 1)
				}
				packed := pack(nil, numbers, w)
				src := packed
				for range behind {
					src = append(src, byte(rnd.Uint32()))
				}
				first := rnd.Int64N(2*(int64(q.reach)-2*span)+1) - (int64(q.reach) - 2*span)
				h := deltaHead{width: w, unit: 1, first: first, low: -rnd.Int64N(1 << w), packed: src}
				if n%3 == 0 { // to the end of what may be divided
					h.first = int64(q.reach) - span
					h.low = 0
				}
				require.LessOrEqual(t, h.reach(n+1), q.reach)

				steps, want := make([]int64, n), make([]float64, n)
				h.steps(steps, packed)
				steps[0] += h.first
				quotientsAlong(want, steps, q, h.reach(n+1))
				got := make([]float64, n+1)
				got[n] = 12345
				done, sum := decimalsAlong(got[:n], &h, q)
				taken += done
				if done > 0 {
					require.LessOrEqual(t, (done/8-1)*int(w)+int(w/2)+8, len(src))
				}
				require.LessOrEqual(t, done, n)
				if w >= 1 && w <= widestDecimal && behind >= 8+widestDecimal/2 {
					require.Equal(t, n&^7, done)
				}
				for i := range want[:done] {
					if math.Float64bits(want[i]) != math.Float64bits(got[i]) {
						t.Fatalf("width %d, value %d of %d, k %d: got %v, want %v", w, i, n, k, got[i], want[i])
					}
				}
				for _, x := range got[done:n] {
					require.Zero(t, x, "behind %d of %d", done, n)
				}
				require.Equal(t, 12345.0, got[n])
				accumulate(steps)
				last := h.first
				if done > 0 {
					last = steps[done-1]
				}
				require.Equal(t, last, sum)
			}
		}
	}
	require.Greater(t, taken, 50_000)
}

// TestDecimalStepsDecode: columns decode to the same bits with and without.
func TestDecimalStepsDecode(t *testing.T) {
	if !hasDecimalSteps {
		t.Skip("this machine has no AVX2")
	}
	defer func() { hasDecimalSteps = true }()
	rnd := rand.New(rand.NewPCG(13, 14))
	var e Encoder
	var d Decoder
	for range 400 {
		v := make([]float64, 1+rnd.IntN(1500))
		at, k, most := rnd.Int64N(1<<20), rnd.IntN(6), int64(2)<<rnd.IntN(18)
		for i := range v {
			at += rnd.Int64N(most) - most/2
			if v[i] = float64(at) / powersOfTen[k]; rnd.IntN(300) == 0 {
				v[i] = math.Pi
			}
		}
		src := e.AppendFloat64s(nil, v)
		for _, hasDecimalSteps = range []bool{true, false} {
			got, err := d.Float64s(nil, src, len(v))
			require.NoError(t, err)
			for i := range v {
				if math.Float64bits(v[i]) != math.Float64bits(got[i]) {
					t.Fatalf("value %d of %d: got %v, want %v", i, len(v), got[i], v[i])
				}
			}
			for n := range 3 { // cut off, or for another number of values
				_, err = d.Float64s(nil, src[:len(src)-1-n], len(v))
				require.Error(t, err)
			}
		}
	}
}
