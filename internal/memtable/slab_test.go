package memtable

import (
	"runtime"
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/require"
)

// TestSharedMemoryOfDropped: in a table that is freed as a whole, series that stay
// keep neither rows nor encoded chunks of those that were dropped, but for what lies in
// one piece of memory with their own.
func TestSharedMemoryOfDropped(t *testing.T) {
	const all, rows = 400, 350
	stays := func(id uint32) bool { return id%100 == 1 }
	for name, device := range map[string]func(id uint32) uint32{
		"of one device":      func(uint32) uint32 { return 1 },
		"each with a device": func(id uint32) uint32 { return id },
	} {
		t.Run(name, func(t *testing.T) {
			table := NewWhole(100)
			layouts := make([]*Layout, all+1)
			for at := range int64(rows) {
				for id := uint32(1); id <= all; id++ {
					if at == 0 {
						layouts[id] = intLayout(id)
					}
					add(table.Device(device(id), true), layouts[id], uint64(at+1), now, at, at)
				}
			}
			var words []weak.Pointer[int64]
			var data []weak.Pointer[byte]
			var dropped []uint32
			for id := uint32(1); id <= all; id++ {
				g := table.Device(device(id), false).member(id).open
				require.Len(t, g.lanes[0].chunks, 4)
				if !stays(id) {
					words = append(words, weak.Make(unsafe.SliceData(g.lanes[0].chunks[3].rows.times)))
					data = append(data, weak.Make(unsafe.SliceData(g.lanes[0].chunks[1].sealed.data)))
					dropped = append(dropped, id)
				}
			}
			before := table.Bytes()
			for _, id := range dropped {
				if device(id) == id {
					table.Remove(id)
				} else {
					table.Device(1, false).Forget([]uint32{id})
				}
			}
			require.Less(t, table.Bytes(), before/20)
			runtime.GC()
			kept := [2]int{}
			for k := range words {
				if words[k].Value() != nil {
					kept[0]++
				}
				if data[k].Value() != nil {
					kept[1]++
				}
			}
			require.LessOrEqual(t, kept[0], (all-len(dropped)+1)*(maxCuts-1), "rows")
			require.LessOrEqual(t, kept[1], 2*(all-len(dropped))*(maxCuts-1), "encoded chunks")
			for id := uint32(1); id <= all; id++ {
				d := table.Device(device(id), false)
				if !stays(id) && d == nil {
					continue
				}
				want := map[int64]int64{}
				for at := int64(0); stays(id) && at < rows; at++ {
					want[at] = at
				}
				require.Equal(t, want, read(t, d, id, Newest), "series %d", id)
			}
		})
	}
}

// TestFewPieces: a thousand series that come one by one, ten a device, need few pieces
// of memory where the table is freed as a whole, and their tips begin a line of the cache.
func TestFewPieces(t *testing.T) {
	const devices, each = 100, 10
	layouts := make([]*Layout, devices*each)
	first := make([]Write, len(layouts))
	for i := range layouts {
		layouts[i] = intLayout(uint32(i + 1))
		first[i] = Write{Layout: layouts[i], Rows: rowsOf(layouts[i], 0, []uint64{7}, 0), LSN: 1, Cut: now}
	}
	var table *Table
	pieces := testing.AllocsPerRun(1, func() {
		table = NewWhole(1024)
		for at := range int64(20) {
			for i, l := range layouts {
				d := table.Device(uint32(i/each+1), true)
				d.Lock()
				if !d.AppendPoint(l, at, 7, 1, now) {
					d.Add(&first[i])
				}
				d.Unlock()
			}
		}
	})
	require.Less(t, pieces, 500.0, "were 1,148 when lists had pieces of their own")
	for i, l := range layouts {
		p := table.Device(uint32(i/each+1), false).TipOf(l)
		require.NotNil(t, p)
		if unsafe.Sizeof(*p) == line {
			require.Zero(t, uintptr(unsafe.Pointer(p))%line, "tip %d", i)
		}
	}
}
