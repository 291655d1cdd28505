package memtable

import (
	"math"
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"
)

// TestDroppedSeriesAreFreed: nothing of a device that stays keeps the rows of series
// that were dropped, wherever they were among the device's groups and layouts.
func TestDroppedSeriesAreFreed(t *testing.T) {
	for _, c := range []struct {
		name    string
		layouts [][]uint32
		forget  []uint32
		freed   []int // of the groups, in the order they were made
	}{
		{"the first of several", [][]uint32{{1}, {2}, {3}}, []uint32{1}, []int{0}},
		{"the last of several", [][]uint32{{1}, {2}, {3}}, []uint32{3}, []int{2}},
		{"the only one", [][]uint32{{1}}, []uint32{1}, []int{0}},
		{"one in company", [][]uint32{{1, 2, 3}}, []uint32{2}, []int{0}},
		{"one in company, of several", [][]uint32{{1, 2, 3}, {4, 5}}, []uint32{2}, []int{0}},
		{"one that changed its company", [][]uint32{{1, 2}, {2, 3}}, []uint32{2}, []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			table := New(100)
			d := table.Device(1, true)
			var layouts []*Layout // a store keeps them as long as somebody may write
			for k, ids := range c.layouts {
				layouts = append(layouts, intLayout(ids...))
				for at := range int64(250) {
					add(d, layouts[k], uint64(at+1), now, at, at)
				}
			}
			var groups []weak.Pointer[group]
			for _, g := range d.groups {
				groups = append(groups, weak.Make(g))
			}
			d.Forget(c.forget)
			runtime.GC()
			for _, k := range c.freed {
				require.Nil(t, groups[k].Value(), "group %d", k)
			}
			runtime.KeepAlive(d)
			runtime.KeepAlive(layouts)
		})
	}
}

// TestEvictedChunksAreFreed: nothing of a group keeps chunks that were evicted, also
// when late rows came meanwhile.
func TestEvictedChunksAreFreed(t *testing.T) {
	for _, late := range []bool{false, true} {
		table := New(100)
		d := table.Device(1, true)
		l := intLayout(1, 2)
		for at := range int64(1000) {
			add(d, l, uint64(at+1), now, at, 2*at+1)
		}
		if late {
			var times []int64
			for at := range int64(200) {
				times = append(times, 1500+2*at)
			}
			add(d, l, 2000, now, 7, times...)
			require.Len(t, d.groups[0].lanes, 2)
		}
		var chunks []weak.Pointer[Sealed]
		for _, c := range d.groups[0].lanes[0].chunks[:5] {
			chunks = append(chunks, weak.Make(c.sealed))
		}
		require.NotZero(t, table.Evict(now, math.MinInt64, func(uint32) int64 { return 1200 }))
		runtime.GC()
		for i, c := range chunks {
			require.Nil(t, c.Value(), "late=%v: chunk %d", late, i)
		}
		runtime.KeepAlive(d)
	}
}
