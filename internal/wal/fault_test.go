package wal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// TestDiskFull lets the disk run full at every byte of a run, then gives space
// back: what was acknowledged is there, what was refused is not, and the log
// went on by itself.
func TestDiskFull(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		for space := int64(0); space < 6000; space += 37 {
			fsys := newHookFS()
			cfg := testConfig(fsys, mode)
			cfg.SegmentBytes = 1024
			cfg.Clock = &stoppedClock{}
			refused := map[uint64]bool{}
			told := map[uint64]bool{}
			cfg.OnFailed = func(first, last uint64, err error) {
				require.ErrorIs(t, err, errs.NoSpace)
				for lsn := first; lsn <= last; lsn++ {
					require.False(t, told[lsn], "told twice of %d", lsn)
					told[lsn] = true
				}
			}
			cfg.OnDurable = func(lsn uint64) {
				for r := range refused {
					require.True(t, r > lsn || told[r], "durable %d before refused %d was told", lsn, r)
				}
			}
			l, _, _ := open(t, cfg, 0)
			fsys.setSpace(space)
			for i := range 60 {
				if i == 40 {
					fsys.setSpace(-1)
				}
				group := 1 + i%3
				first := l.Last() + 1
				if group == 1 && i%4 != 0 && mode != Buffered {
					if _, err := put(l, recAt(first)); err != nil {
						require.ErrorIs(t, err, errs.NoSpace)
						require.ErrorIs(t, l.Commit(bg, first, false), errs.NoSpace)
						require.Less(t, i, 40, "refused with space left")
						refused[first] = true
					}
					continue
				}
				for range group {
					r := recAt(l.Last() + 1)
					_, err := l.Append(r.kind, []byte(r.payload))
					require.NoError(t, err)
				}
				for lsn := first; lsn < first+uint64(group); lsn++ {
					if err := l.Commit(bg, lsn, i%4 == 0); err != nil {
						require.ErrorIs(t, err, errs.NoSpace)
						require.ErrorIs(t, l.Commit(bg, lsn, false), errs.NoSpace)
						require.Less(t, i, 40, "refused with space left")
						refused[lsn] = true
					}
				}
			}
			if mode == Buffered { // refused without anybody waiting
				for lsn := range told {
					refused[lsn] = true
				}
			}
			require.Equal(t, refused, told)
			if space < 3000 {
				require.NotEmpty(t, refused)
			}
			last := l.Last()
			var want []rec
			for _, r := range recsBetween(1, last) {
				if !refused[r.lsn] {
					want = append(want, r)
				}
			}
			where := fmt.Sprintf("%v, %d bytes", mode, space)
			require.NoError(t, l.Sync(bg))
			requireRecs(t, want, cursorRecs(t, l, 1), where)
			for lsn := range refused {
				_, _, err := l.ReadAt(lsn)
				require.ErrorIs(t, err, errs.NotFound, where)
			}
			require.NoError(t, l.Close())
			l, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage, where)
			requireRecs(t, want, got, where)
			require.Equal(t, last, l.Last(), where)
			require.NoError(t, l.Close())
			r := rand.New(rand.NewPCG(uint64(space), 1))
			cfg.FS = fsys.crash(fsys.opCount(), keepNone, r)
			_, rep, got = open(t, cfg, 0)
			require.Empty(t, rep.Damage, where)
			requireRecs(t, want, got, where+" after power loss")
		}
	}
}

// TestDiskFullWhileOthersAppend: records appended while a write fails are
// refused with it.
func TestDiskFullWhileOthersAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newHookFS()
		cfg := testConfig(fsys, Never)
		l, _, _ := open(t, cfg, 0)
		add(t, l, 2)
		fsys.setHook(func(op, _ string) error {
			if op == "write" {
				time.Sleep(time.Millisecond)
			}
			return nil
		})
		fsys.setSpace(10)
		var wg sync.WaitGroup
		errors := make([]error, 6)
		for i := range errors {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
				r := recAt(l.Last() + 1)
				if i%2 == 0 {
					_, errors[i] = put(l, r)
					return
				}
				lsn, err := l.Append(r.kind, []byte(r.payload))
				if err == nil {
					err = l.Commit(bg, lsn, i%3 == 0)
				}
				errors[i] = err
			})
		}
		wg.Wait()
		for i := range errors {
			require.ErrorIs(t, errors[i], errs.NoSpace)
		}
		fsys.setSpace(-1)
		fsys.setHook(nil)
		add(t, l, 2)
		require.NoError(t, l.Close())
		_, rep, got := open(t, cfg, 0)
		require.Empty(t, rep.Damage)
		requireRecs(t, append(recsBetween(1, 2), recsBetween(9, 10)...), got)
	})
}

// TestFullDiskCannotBeCut: if the remains of a refused record cannot be taken
// off, the log must not go on.
func TestFullDiskCannotBeCut(t *testing.T) {
	fsys := newHookFS()
	l, _, _ := open(t, testConfig(fsys, Always), 0)
	add(t, l, 1)
	fsys.setSpace(10)
	fsys.setHook(func(op, _ string) error {
		if op == "truncate" {
			return errInjected
		}
		return nil
	})
	lsn, err := l.Append(1, []byte("x"))
	require.NoError(t, err)
	require.ErrorIs(t, l.Commit(bg, lsn, false), errs.StorageFailed)
	_, err = l.Append(1, []byte("x"))
	require.ErrorIs(t, err, errs.StorageFailed)
	require.Error(t, l.Close())
}

// TestSyncFailure: after one failed sync nobody is told that anything is
// stored, and the file is never synced again.
func TestSyncFailure(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			cfg := testConfig(fsys, mode)
			l, _, _ := open(t, cfg, 0)
			add(t, l, 5)
			require.NoError(t, l.Sync(bg))
			syncs := 0
			fsys.setHook(func(op, name string) error {
				if op != "sync" {
					return nil
				}
				time.Sleep(time.Millisecond)
				if syncs++; syncs == 1 {
					return errInjected
				}
				return nil
			})
			var wg sync.WaitGroup
			for range 10 {
				wg.Go(func() {
					lsn, err := l.Append(1, []byte("lost"))
					if err == nil {
						err = l.Commit(bg, lsn, true)
					}
					if !errors.Is(err, errs.StorageFailed) || !errors.Is(err, errInjected) {
						t.Errorf("expected a failed storage because of the injected fault, got %v", err)
					}
				})
			}
			wg.Wait()
			require.NoError(t, l.Commit(bg, 5, true)) // was durable before
			_, err := l.Append(1, nil)
			require.ErrorIs(t, err, errs.StorageFailed)
			require.ErrorIs(t, l.Sync(bg), errs.StorageFailed)
			require.ErrorIs(t, l.Rotate(), errs.StorageFailed)
			requireRecs(t, recsBetween(1, 5), cursorRecs(t, l, 1)[:5]) // reading goes on
			require.ErrorIs(t, l.Close(), errs.StorageFailed)
			require.Equal(t, 1, syncs)
			fsys.setHook(nil)
			_, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage)
			requireRecs(t, recsBetween(1, 5), got[:5])
		})
	}
}

// TestSyncFailsWhileSegmentEnds: a writer that waits to end the segment learns
// of it and leaves the file alone.
func TestSyncFailsWhileSegmentEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newHookFS()
		l, _, _ := open(t, testConfig(fsys, Interval), 0)
		add(t, l, 1)
		syncs := 0
		fsys.setHook(func(op, name string) error {
			if op != "sync" {
				return nil
			}
			syncs++
			time.Sleep(time.Minute)
			return errInjected
		})
		time.Sleep(time.Second + 1) // the background sync has begun
		for {
			lsn, err := l.Append(1, make([]byte, 300))
			if err == nil {
				err = l.Commit(bg, lsn, false)
			}
			if err != nil {
				require.ErrorIs(t, err, errInjected)
				break
			}
		}
		require.ErrorIs(t, l.Close(), errs.StorageFailed)
		require.Equal(t, 1, syncs)
		require.Len(t, segmentFiles(t, fsys), 1)
	})
}

// TestBackgroundSyncFailure reaches the next writer of Interval and Buffered.
func TestBackgroundSyncFailure(t *testing.T) {
	for _, mode := range []Mode{Interval, Buffered} {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			l, _, _ := open(t, testConfig(fsys, mode), 0)
			add(t, l, 1)
			fsys.setHook(func(op, name string) error {
				if op == "sync" {
					return errInjected
				}
				return nil
			})
			time.Sleep(2 * time.Second)
			require.ErrorIs(t, l.Commit(bg, 1, false), errs.StorageFailed)
			_, err := l.Append(1, nil)
			require.ErrorIs(t, err, errs.StorageFailed)
			require.Error(t, l.Close())
		})
	}
}

// TestEveryCallFails makes the n-th call of the file system fail or panic, for
// every n, once or from then on. Whatever was acknowledged is there afterwards.
func TestEveryCallFails(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		for _, panics := range []bool{false, true} {
			for _, recycle := range []bool{false, true} {
				for n, hit := 1, true; hit; n++ {
					hit = failNth(t, n, sticky, panics, recycle)
				}
			}
		}
	}
}

func failNth(t *testing.T, n int, sticky, panics, recycle bool) (hit bool) {
	where := fmt.Sprintf("call %d sticky %v panics %v recycle %v", n, sticky, panics, recycle)
	fsys := newHookFS()
	cfg := testConfig(fsys, Mode(n%4))
	cfg.Clock = &stoppedClock{}
	cfg.SegmentBytes, cfg.Recycle = 1024, recycle
	var acked, retired uint64
	opened := false
	calls := 0
	fsys.setHook(func(op, name string) error {
		calls++
		if calls == n || sticky && calls > n {
			hit = true
			if panics && opened && (op == "write" || op == "sync") {
				panic("the file system fell over")
			}
			return fmt.Errorf("%s %s: %w", op, name, errInjected)
		}
		return nil
	})
	l, _, _, err := tryOpen(cfg, 0)
	if err == nil {
		opened = true
		for i := range 40 {
			r := recAt(l.Last() + 1)
			if i%3 == 0 && i%5 != 0 && cfg.Policy.Mode != Buffered {
				if lsn, err := put(l, r); err == nil {
					acked = lsn
				}
				continue
			}
			lsn, err := l.Append(r.kind, []byte(r.payload))
			if err == nil && l.Commit(bg, lsn, i%5 == 0) == nil && (cfg.Policy.Mode != Buffered || i%5 == 0) {
				acked = lsn
			}
			if i%9 == 8 && l.Rotate() == nil {
				acked = l.Last()
			}
			if i%13 == 12 {
				retired = l.Durable() / 2
				_ = l.Retire(retired)
			}
		}
		if l.Close() == nil {
			acked = l.Last()
		}
	}
	fsys.setHook(nil)
	l, rep, got := open(t, cfg, retired)
	require.Empty(t, rep.Damage, where)
	if l.Last() < acked {
		t.Fatalf("%s: expected at least the acknowledged %d records, got %d", where, acked, l.Last())
	}
	requireRecs(t, recsBetween(retired+1, l.Last()), got, where)
	add(t, l, 2)
	require.NoError(t, l.Close(), where)
	names, err := fsys.List(testDir)
	require.NoError(t, err)
	require.NotContains(t, strings.Join(names, " "), tmpSuffix, where)
	return hit
}
