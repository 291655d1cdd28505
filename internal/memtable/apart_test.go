package memtable

import "testing"

// A hundred devices that are written together, whatever their columns, do not
// fill their first block, and so none of the next, with the same row.
func TestGroupsFillApart(t *testing.T) {
	for _, width := range []int{1, 2, 3, 7, 10, 16, 64} {
		for _, first := range []uint32{1, 5, 1001} {
			by := map[int]int{}
			for k := range 100 {
				g := &group{ids: make([]uint32, width)}
				g.ids[0] = first + uint32(k*width)
				n := g.apart(512)
				if n < 0 || n >= 512 {
					t.Fatalf("group %d of %d columns: %d is outside of [0, 512)", k, width, n)
				}
				if other, ok := by[n]; ok {
					t.Errorf("groups %d and %d of %d columns from series %d on: both %d", other, k, width, first, n)
				}
				by[n] = k
			}
		}
	}
}
