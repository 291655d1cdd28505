package sorting

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

type pair struct {
	key   int
	place int
}

func byKey(a, b pair) int { return cmp.Compare(a.key, b.key) }

// TestAsPackageSlices compares with package slices, at lengths around those at
// which either changes its method, with many and with few equal keys.
func TestAsPackageSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 11, 12, 13, 49, 50, 51, 1000} {
		for _, keys := range []int{1, 3, 1 << 30} {
			in := make([]pair, n)
			for i := range in {
				in[i] = pair{r.IntN(keys), i}
			}
			want := slices.Clone(in)
			slices.SortStableFunc(want, byKey)

			got := slices.Clone(in)
			Stable(got, byKey)
			require.Equal(t, want, got, "stable, %d pairs of %d keys", n, keys)

			got = slices.Clone(in)
			By(got, byKey)
			require.True(t, slices.IsSortedFunc(got, byKey), "%d pairs of %d keys: %v", n, keys, got)
			require.ElementsMatch(t, in, got)
		}
	}
}
