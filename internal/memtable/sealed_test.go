package memtable

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStatsOfSeveralChunks: groups that rows wait for make the memory for the
// statistics of several chunks at once. All of it is counted, also once chunks are
// gone.
func TestStatsOfSeveralChunks(t *testing.T) {
	table := New(64)
	d := table.Device(1, true)
	l := intLayout(1, 2)
	want := map[int64]int64{}
	pieces, at, position := map[*sealedColumn]bool{}, int64(0), uint64(0)
	write := func(from, to, step int64) {
		for k := from; k != to; k += step {
			position++
			d.Lock()
			d.AddNumbers(l, k, []uint64{uint64(3 * k), uint64(k * k)}, 0, position, &now)
			d.Unlock()
			want[k] = 3 * k
		}
		require.Equal(t, d.size(), table.Bytes(), "bytes held and bytes counted")
	}
	for range 12 {
		write(at, at+100, 1)
		at += 100
	}
	g := d.groups[0]
	for _, c := range g.lanes[0].chunks {
		if c.sealed == nil {
			continue
		}
		require.Len(t, c.sealed.cols, 2)
		require.Equal(t, 2, cap(c.sealed.cols), "no chunk reaches into the next")
		require.False(t, pieces[&c.sealed.cols[0]], "a piece for each chunk")
		pieces[&c.sealed.cols[0]] = true
		for i, stats := range []int64{3, c.sealed.Max} {
			require.Equal(t, stats*c.sealed.Max, int64(c.sealed.Stats(i).Last))
		}
	}
	require.Greater(t, len(pieces), 16)
	require.Equal(t, want, read(t, d, 1, 1))

	// Nothing is left but the memory that waits.
	table.Evict(now, math.MinInt64, func(uint32) int64 { return math.MaxInt64 })
	require.Empty(t, g.lanes[0].chunks)
	require.Equal(t, d.size(), table.Bytes(), "bytes held and bytes counted, of no rows")
	clear(want)
	write(1000, 500, -1) // late
	write(at, at+300, 1)
	require.Equal(t, want, read(t, d, 1, 1))
	table.Remove(1)
	require.Zero(t, table.Bytes())
}
