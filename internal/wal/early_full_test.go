package wal

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestEarlyOnFullDisk: what a goroutine of its own, or WriteDue, cannot write for want of
// space is told to OnFailed and to Commit, and what comes later is stored.
func TestEarlyOnFullDisk(t *testing.T) {
	for _, join := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			cfg := testConfig(fsys, Buffered)
			cfg.SegmentBytes, cfg.Policy.Interval = 1<<30, time.Hour
			var failed [][2]uint64
			cfg.OnFailed = func(first, last uint64, err error) {
				require.ErrorIs(t, err, errs.NoSpace)
				failed = append(failed, [2]uint64{first, last})
			}
			l, _, _ := open(t, cfg, 0)
			add := func(n int) (last uint64) {
				for range n {
					var err error
					if join {
						last, err = l.Join(2, make([]byte, 1000))
						l.WriteDue()
					} else {
						last, err = l.Append(1, make([]byte, 1000))
					}
					require.NoError(t, err)
					synctest.Wait()
				}
				return last
			}
			good := add(10)
			require.NoError(t, l.Sync(bg))
			fsys.setHook(func(op, _ string) error {
				if op == "write" {
					return vfs.ErrNoSpace
				}
				return nil
			})
			bad := good
			for len(failed) == 0 {
				bad = add(1)
			}
			require.Equal(t, [][2]uint64{{good + 1, bad}}, failed)
			require.ErrorIs(t, l.Commit(bg, bad, false), errs.NoSpace)
			fsys.setHook(nil)
			last := add(300)
			require.NoError(t, l.Commit(bg, last, true))
			require.Len(t, failed, 1)
			require.NoError(t, l.Close())
			l, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage)
			require.Len(t, got, int(good+last-bad))
			require.Equal(t, bad+1, got[good].lsn)
			require.NoError(t, l.Close())
		})
	}
}
