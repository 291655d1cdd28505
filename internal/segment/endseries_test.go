package segment

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestEndSeries: series that were said to have ended, and went on, have all
// their blocks in order, and memory of blocks goes from one series to the next.
func TestEndSeries(t *testing.T) {
	fsys := vfs.NewMem()
	w, err := Create(fsys, "f.blk", Header{StoreID: testStore, FileNo: testFile, MinLSN: 1, MaxLSN: 2})
	require.NoError(t, err)
	const blocks = 150
	var enc block.Encoder
	want := map[uint32][]int64{}
	for i := range blocks {
		at := int64(i * 100)
		c, err := w.BeginChunk(enc.AppendTimes(nil, []int64{at, at + 1}), 2, at, at+1)
		require.NoError(t, err)
		for id := uint32(1); id <= 3; id++ {
			v := column.Vector{Kind: column.Int64, Int64s: []int64{int64(id), int64(i)}}
			var s block.Stats
			s.Compute([]int64{at, at + 1}, &v, nil)
			require.NoError(t, w.AddBlock(id, column.Int64, c, enc.AppendValues(nil, &v, nil), &s))
			want[id] = append(want[id], at)
		}
		if i%7 == 0 {
			w.EndSeries([]uint32{1, 2, 99})
		}
	}
	w.EndSeries([]uint32{1, 2, 3})
	require.Len(t, w.spare, 3)
	m, err := w.Finish()
	require.NoError(t, err)
	require.Equal(t, 3*blocks, m.Blocks)
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	for id := uint32(1); id <= 3; id++ {
		infos, err := r.Blocks(id)
		require.NoError(t, err)
		var got []int64
		for i := range infos {
			got = append(got, infos[i].MinTime)
		}
		require.Equal(t, want[id], got)
		var scratch Scratch
		var v column.Vector
		_, err = r.ReadValues(&v, nil, &scratch, &infos[blocks-1])
		require.NoError(t, err)
		require.Equal(t, []int64{int64(id), blocks - 1}, v.Int64s)
	}
}
