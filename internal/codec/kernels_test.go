package codec

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnpack compares the kernels with the plain loop at every width and around
// every length that changes the path, and reads nothing beyond the input.
func TestUnpack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for w := range uint(65) {
		if !validWidth(w) {
			continue
		}
		for _, n := range []int{0, 1, 7, 8, 31, 32, 33, 63, 64, 65, 100, 1023, 1024} {
			t.Run(fmt.Sprintf("%d values of %d bits", n, w), func(t *testing.T) {
				values := make([]uint64, n)
				for i := range values {
					if w > 0 {
						values[i] = r.Uint64() >> (64 - w)
					}
				}
				const base = -123456789
				want := make([]int64, n)
				for i, x := range values {
					want[i] = base + int64(x)
				}
				b := pack(nil, values, w)
				require.Len(t, b, packedLen(n, w))
				for _, extra := range []int{0, 1, 7, 8, 300} {
					src := append(slices.Clip(b), make([]byte, extra)...)
					got := make([]int64, n)
					unpack(got, slices.Clip(src), w, base)
					require.Equal(t, want, got)
					if w > 0 && w < 64 {
						clear(got)
						unpackWords(got, src, w, base)
						require.Equal(t, want, got)
					}
				}
			})
		}
	}
}

func TestDivisor(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 20_000 {
		by := r.Uint64()>>r.UintN(62)>>2 + 1
		d := newDivisor(by)
		x := int64(r.Uint64()>>r.UintN(62)) >> 1
		if r.IntN(2) == 0 {
			x -= x % int64(by)
		}
		q, ok := d.divide(x)
		require.Equal(t, x%int64(by) == 0, ok, "%d / %d", x, by)
		if ok {
			require.Equal(t, x/int64(by), q, "%d / %d", x, by)
		}
	}
}

// TestSpreadPredicts holds that the estimated cost of the modal encoding is near
// the bytes that it takes.
func TestSpreadPredicts(t *testing.T) {
	for name, v := range intColumns() {
		if len(v) < 50 {
			continue
		}
		if st := stepsOf(v); st.least == st.most {
			continue
		}
		modal, unit := sampleSteps(v)
		s := shapeOf(v, modal, unit)
		var e intEncoder
		e.packed = sized(e.packed, len(v))
		e.residuals(v, &s)
		width, cost := e.spread.cheapest(len(v) - 1)
		b := e.appendModal(nil, v[0], s.modal, width, s.unit)
		head := 2 + uvarintLen(s.unit.by) + varintLen(v[0]) + varintLen(s.modal)
		require.InDelta(t, len(b), head+cost, 8+float64(len(b))/8, name)
	}
}
