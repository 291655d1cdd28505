package segment

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestFilesShareSeries: readers of one cache have one list of series for files
// of the same, and their own for files of others.
func TestFilesShareSeries(t *testing.T) {
	fsys, cache := vfs.NewMem(), NewCache(1<<20)
	open := func(no uint64, ids ...uint32) *Reader {
		name := fmt.Sprint(no, ".blk")
		w, err := Create(fsys, name, Header{StoreID: testStore, FileNo: no, MinLSN: 1, MaxLSN: 2})
		require.NoError(t, err)
		var enc block.Encoder
		for _, id := range ids {
			c, err := w.BeginChunk(enc.AppendTimes(nil, []int64{1, 2}), 2, 1, 2)
			require.NoError(t, err)
			v := column.Vector{Kind: column.Int64, Int64s: []int64{int64(id), int64(no)}}
			var s block.Stats
			s.Compute([]int64{1, 2}, &v, nil)
			require.NoError(t, w.AddBlock(id, column.Int64, c, enc.AppendValues(nil, &v, nil), &s))
		}
		_, err = w.Finish()
		require.NoError(t, err)
		r, err := Open(fsys, name, testStore, no, cache)
		require.NoError(t, err)
		t.Cleanup(func() { r.Close() })
		for _, id := range ids {
			infos, err := r.Blocks(id)
			require.NoError(t, err)
			var v column.Vector
			_, err = r.ReadValues(&v, nil, new(Scratch), &infos[0])
			require.NoError(t, err)
			require.Equal(t, []int64{int64(id), int64(no)}, v.Int64s)
		}
		return r
	}
	first, other, second := open(1, 1, 2, 3), open(2, 1, 2, 4), open(3, 1, 2, 3)
	require.Same(t, &first.dir.ids[0], &second.dir.ids[0])
	require.Same(t, &first.dir.kinds[0], &second.dir.kinds[0])
	require.NotSame(t, &first.dir.ids[0], &other.dir.ids[0])
	for i := range uint64(sharedLists) { // others take its place
		open(10+i, uint32(10+i))
	}
	third := open(4, 1, 2, 3)
	require.NotSame(t, &first.dir.ids[0], &third.dir.ids[0])
}
