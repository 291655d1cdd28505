package engine

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// TestReusedLogIsNoReasonToFlush: a log file that is overwritten, or that has room for
// more, is no larger than its records where it is asked whether to flush: a file above
// the limit would be flushed with each row, for good.
func TestReusedLogIsNoReasonToFlush(t *testing.T) {
	for _, mode := range []wal.Mode{wal.Never, wal.Always} {
		cfg := diskConfig(vfs.NewMem())
		cfg.Sync.Mode, cfg.Recycle = mode, true
		write := func(e *Engine, rows int64) {
			s, err := e.Shape("d", []string{"s"}, []column.Kind{column.Int64})
			require.NoError(t, err)
			for at := range rows {
				tb := Tablet{Shape: s, Times: []int64{at}, Cols: []column.Vector{{Kind: column.Int64, Int64s: []int64{at}}}}
				_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
				require.NoError(t, err)
			}
		}
		e := open(t, cfg)
		write(e, 1000)
		require.NoError(t, e.Flush(bg))
		require.NoError(t, e.Close())

		cfg.ManualFlush, cfg.WALBytes = false, 8<<10
		e = open(t, cfg)
		write(e, 1)
		require.Greater(t, e.Stats().LogBytes, cfg.WALBytes, "expected a file to be used again")
		require.True(t, e.roomy(), "%v", mode)
		require.NoError(t, e.Close())
	}
}
