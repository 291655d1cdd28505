package wal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/vfs"
)

// TestAllocations: in the steady state Append and Commit allocate nothing.
func TestAllocations(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		cfg := testConfig(vfs.NewMem(), mode)
		cfg.SegmentBytes, cfg.BufferBytes = 1<<30, 1<<16
		l, _, _ := open(t, cfg, 0)
		payload := make([]byte, 200)
		run := func() {
			lsn, err := l.Append(1, payload)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Commit(bg, lsn, false); err != nil {
				t.Fatal(err)
			}
		}
		for range 2000 {
			run()
		}
		if n := testing.AllocsPerRun(3000, run); n != 0 {
			t.Errorf("%v: expected 0 allocations per record, got %v", mode, n)
		}
		c := l.Cursor(1)
		require.NoError(t, l.Sync(bg))
		for range 1000 {
			require.True(t, c.Next())
		}
		if n := testing.AllocsPerRun(3000, func() { c.Next() }); n != 0 {
			t.Errorf("%v: expected 0 allocations per record read, got %v", mode, n)
		}
		require.NoError(t, c.Close())
		require.NoError(t, l.Close())
	}
}
