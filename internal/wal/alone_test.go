package wal

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestAloneWritesTheSameBytes: a record that is written alone is one like all
// others, whatever lay in the memory before, and segments change where they would.
func TestAloneWritesTheSameBytes(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		files := func(alone bool) map[string]string {
			fsys := vfs.NewMem()
			cfg := testConfig(fsys, mode)
			cfg.Clock = &stoppedClock{}
			l, _, _ := open(t, cfg, 0)
			for i := range 400 {
				r := recAt(l.Last() + 1)
				lsn, mine, err := l.Last()+1, false, error(nil)
				if alone {
					lsn, mine, err = l.Begin(r.kind, []byte(r.payload))
				} else {
					_, err = l.Append(r.kind, []byte(r.payload))
				}
				require.NoError(t, err)
				require.Equal(t, r.lsn, lsn)
				if i > 0 && len(r.payload) < 200 && mine != (alone && (mode == Interval || mode == Never)) {
					require.Greater(t, l.active.end+int64(recordHeader+len(r.payload)+recordHeader+7), int64(4096), "record %d of %d bytes, mine: %v", i, len(r.payload), mine)
				}
				if mine {
					require.Less(t, l.Written(), lsn)
					require.NoError(t, l.End(lsn))
				} else {
					require.NoError(t, l.Commit(bg, lsn, false))
				}
				if mode != Buffered {
					require.Equal(t, lsn, l.Written())
				}
				if i%50 == 49 {
					require.NoError(t, l.Sync(bg))
				}
			}
			requireRecs(t, recsBetween(1, l.Written()), cursorRecs(t, l, 1))
			require.NoError(t, l.Close())
			out := map[string]string{}
			for _, name := range segmentFiles(t, fsys) {
				out[name] = string(readAll(fsys, testDir+"/"+name))
			}
			return out
		}
		want, got := files(false), files(true)
		require.Greater(t, len(want), 5)
		require.Len(t, got, len(want))
		for name := range want {
			require.True(t, want[name] == got[name], "%v: %s differs", mode, name)
		}
	}
}

// TestOthersWaitForARecordThatIsBegun: what others append meanwhile comes behind it,
// and so does the end of the log.
func TestOthersWaitForARecordThatIsBegun(t *testing.T) {
	for _, mode := range []Mode{Interval, Never} {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			cfg := testConfig(fsys, mode)
			l, _, _ := open(t, cfg, 0)
			add(t, l, 2)
			r := recAt(3)
			lsn, mine, err := l.Begin(r.kind, []byte(r.payload))
			require.NoError(t, err)
			require.True(t, mine)
			var wg sync.WaitGroup
			r = recAt(4)
			_, mine, err = l.Begin(r.kind, []byte(r.payload))
			require.NoError(t, err)
			require.False(t, mine)
			done := [3]bool{}
			for i, f := range []func() error{
				func() error { return l.Commit(bg, 4, false) }, func() error { return l.Sync(bg) }, l.Rotate,
			} {
				wg.Go(func() {
					if err := f(); err != nil {
						t.Error(err)
					}
					done[i] = true
				})
			}
			synctest.Wait()
			require.Equal(t, [3]bool{}, done)
			require.Equal(t, []uint64{4, 2}, []uint64{l.Last(), l.Written()})
			require.NoError(t, l.End(lsn))
			wg.Wait()
			require.Equal(t, uint64(4), l.Durable())
			add(t, l, 1)
			r = recAt(6)
			lsn, mine, err = l.Begin(r.kind, []byte(r.payload))
			require.NoError(t, err)
			require.True(t, mine)
			wg.Go(func() {
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			_, _, err = l.Begin(1, nil)
			require.ErrorIs(t, err, errs.Closed)
			require.NoError(t, l.End(lsn))
			wg.Wait()
			l, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage)
			requireRecs(t, recsBetween(1, 6), got)
			require.NoError(t, l.Close())
		})
	}
}

// TestSyncFailsWhileARecordIsBegun: its writer is not told that it is stored.
func TestSyncFailsWhileARecordIsBegun(t *testing.T) {
	fsys := newHookFS()
	l, _, _ := open(t, testConfig(fsys, Never), 0)
	add(t, l, 2)
	lsn, mine, err := l.Begin(1, []byte("x"))
	require.NoError(t, err)
	require.True(t, mine)
	fsys.setHook(func(op, _ string) error {
		if op == "sync" {
			return errInjected
		}
		return nil
	})
	require.ErrorIs(t, l.Commit(bg, 2, true), errInjected)
	require.ErrorIs(t, l.End(lsn), errs.StorageFailed)
	_, _, err = l.Begin(1, nil)
	require.ErrorIs(t, err, errs.StorageFailed)
	require.ErrorIs(t, l.Close(), errs.StorageFailed)
}

// TestAloneAfterRefusals: positions that failed are told by a record of the log, so
// that the next does not go by itself.
func TestAloneAfterRefusals(t *testing.T) {
	for _, hold := range []bool{false, true} {
		fsys := newHookFS()
		cfg := testConfig(fsys, Never)
		cfg.Hold = hold
		l, _, _ := open(t, cfg, 0)
		add(t, l, 2)
		fsys.setSpace(10)
		lsn, mine, err := l.Begin(1, []byte(strings.Repeat("x", 100)))
		require.NoError(t, err)
		require.True(t, mine)
		err = l.End(lsn)
		require.ErrorIs(t, err, errs.NoSpace)
		require.Equal(t, fmt.Sprint(l.Commit(bg, lsn, false)), fmt.Sprint(err))
		fsys.setSpace(-1)
		if hold {
			_, _, err = l.Begin(1, nil)
			require.ErrorIs(t, err, errs.NoSpace)
			l.Resume(lsn)
		}
		r := recAt(4)
		lsn, mine, err = l.Begin(r.kind, []byte(r.payload))
		require.NoError(t, err)
		require.False(t, mine)
		require.NoError(t, l.Commit(bg, lsn, false))
		add(t, l, 1)
		require.NoError(t, l.Close())
		_, rep, got := open(t, testConfig(fsys, Never), 0)
		require.Empty(t, rep.Damage)
		requireRecs(t, append(recsBetween(1, 2), recsBetween(4, 5)...), got)
	}
}

// TestAloneAllocatesNothing: in the steady state.
func TestAloneAllocatesNothing(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), Interval)
	cfg.SegmentBytes = 1 << 30
	l, _, _ := open(t, cfg, 0)
	payload := make([]byte, 200)
	run := func() {
		if _, mine, err := l.Begin(1, payload); err != nil || !mine && l.Last() > 1 {
			t.Fatal(mine, err)
		} else if mine {
			err = l.End(l.Last())
		} else if err = l.Commit(bg, l.Last(), false); err != nil {
			t.Fatal(err)
		}
	}
	for range 2000 {
		run()
	}
	if n := testing.AllocsPerRun(3000, run); n != 0 {
		t.Errorf("expected 0 allocations per record, got %v", n)
	}
	require.NoError(t, l.Close())
}
