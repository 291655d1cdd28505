package engine

import (
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
)

// Written is what the file system below was given, through log, flush,
// compaction, state and reopening.
func TestWritten(t *testing.T) {
	fs := crashfs.New()
	var seen atomic.Int64
	fs.Watch(func(op crashfs.Op) {
		if op.Kind == crashfs.Write {
			seen.Add(op.Len)
		}
	})
	cfg := diskConfig(fs)
	cfg.ManualFlush = true
	for round := range int64(3) {
		seen.Store(0)
		e := open(t, cfg)
		sh, err := e.Shape("root.d", []string{"v"}, []column.Kind{column.Int64})
		require.NoError(t, err)
		for i := range int64(300) {
			v := column.Vector{Kind: column.Int64, Int64s: []int64{i * i}}
			b := Batch{Tablets: []Tablet{{Shape: sh, Times: []int64{round*1000 + i}, Cols: []column.Vector{v}, Nulls: make([]column.Bitmap, 1)}}}
			_, err := e.Commit(bg, &b, i%100 == 0)
			require.NoError(t, err)
			if i == 150 {
				require.NoError(t, e.Flush(bg))
			}
		}
		require.NoError(t, e.Flush(bg))
		require.NoError(t, e.Compact(bg))
		require.NoError(t, e.Sync(bg))
		require.Positive(t, seen.Load())
		require.Equal(t, seen.Load(), e.Stats().Written, "round %d", round)
		require.NoError(t, e.Close())
	}
}
