package memtable

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Rows of a side are sorted as slices.SortFunc does it, whether they are nearly in
// order, as late rows come, or not at all.
func TestSortRefs(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 2, 3, 17, 256, 1000} {
		for _, late := range []int{0, 1, 5, 30, 300, 5000} {
			got := make([]rowRef, n)
			for i := range got {
				got[i] = rowRef{int64(i - rnd.IntN(late+1)), i}
			}
			if late == 5000 {
				slices.Reverse(got) // of one time, too
				for i := range got {
					got[i] = rowRef{got[i].at / 7, i}
				}
			}
			want := slices.Clone(got)
			slices.SortFunc(want, byTime)
			if sortRefs(got); !slices.Equal(got, want) {
				t.Errorf("%d rows, late by up to %d: %v, want %v", n, late, got, want)
			}
		}
	}
}
