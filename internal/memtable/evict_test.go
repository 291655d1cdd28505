package memtable

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEvictFreesTheFirstChunk: the first chunk is part of its group; its rows go
// with it all the same, encoded or not, and a snapshot keeps what it sees.
func TestEvictFreesTheFirstChunk(t *testing.T) {
	never := func(uint32) int64 { return 1 << 40 }
	for _, rows := range []int64{10, 600, 3000} {
		for _, held := range []bool{false, true} {
			t.Run(fmt.Sprintf("rows=%d/snapshot=%v", rows, held), func(t *testing.T) {
				table := New(1024)
				d := table.Device(1, true)
				l := intLayout(1, 2)
				want := map[int64]int64{}
				for at := range rows {
					add(d, l, uint64(at+1), now, at, at)
					want[at] = at
				}
				g := d.groups[0]
				require.Same(t, &g.first, g.lanes[0].chunks[0])
				cut := now
				if cut.Epoch = 2; held {
					cut.Oldest = 1
				}
				require.Equal(t, 2*rows, table.Evict(cut, math.MinInt64, never))
				require.Empty(t, read(t, d, 2, 2))
				require.Nil(t, g.first.sealed, "encoded rows of the chunk that went")
				require.Nil(t, g.first.room)
				require.Nil(t, g.first.rows.times, "rows of the chunk that went")
				require.Nil(t, g.first.rows.cols)
				if held {
					require.Equal(t, want, read(t, d, 2, 1), "what the snapshot sees")
				}
				add(d, l, uint64(rows+1), cut, 7, rows)
				require.NotSame(t, &g.first, g.lanes[0].chunks[0], "a chunk is not used twice")
				require.Equal(t, map[int64]int64{rows: 7}, read(t, d, 2, 2))
				if held {
					require.Equal(t, want, read(t, d, 2, 1), "what the snapshot sees, after a write")
				}
			})
		}
	}
}
