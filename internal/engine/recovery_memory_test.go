package engine

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestRecoveryMemory: what Open holds after a crash is no more than the store was
// allowed to hold when it ran, however much was written before.
func TestRecoveryMemory(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.ManualFlush, cfg.BlockRows, cfg.MemtableBytes, cfg.MemtableHard = false, 64, 16<<10, 32<<10
	e := open(t, cfg)
	ro := cfg
	ro.ReadOnly = true // sees what a crash now would leave
	seen, most := 0, int64(0)
	for i := range int64(300) {
		insertRows(t, e, "root.a", i*100, 100, "s1", "s2", "s3")
		if i%20 != 19 {
			continue
		}
		r, err := Open(bg, ro)
		if errors.Is(err, errs.Overloaded) {
			continue // the writer replaces files too quickly
		}
		require.NoError(t, err)
		require.Len(t, dump(t, r)["root.a.s1"], int(i+1)*100)
		most = max(most, r.Stats().MemtableBytes)
		seen++
		require.NoError(t, r.Close())
	}
	t.Logf("%d times opened, at most %d bytes in memory", seen, most)
	require.LessOrEqual(t, most, cfg.MemtableHard*5/4)
	require.Positive(t, seen)
	require.Positive(t, e.Stats().Flushes)
	require.NoError(t, e.Close())
}
