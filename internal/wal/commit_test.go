package wal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// slowSync makes every sync of a segment take d.
func slowSync(d time.Duration) func(op, name string) error {
	return func(op, name string) error {
		if op == "sync" && strings.HasSuffix(name, segmentSuffix) {
			time.Sleep(d)
		}
		return nil
	}
}

// TestGroupCommit: with syncs of 1 ms, 64 writers commit at least 12 times as
// many records in the same time as one.
func TestGroupCommit(t *testing.T) {
	rate := func(writers int) (done int) {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			fsys.setHook(slowSync(time.Millisecond))
			cfg := testConfig(fsys, Always)
			cfg.SegmentBytes = 1 << 20
			l, _, _ := open(t, cfg, 0)
			start := time.Now()
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for time.Since(start) < time.Second {
						lsn, err := l.Append(1, []byte("reading"))
						if err == nil {
							err = l.Commit(bg, lsn, false)
						}
						if err != nil || l.Durable() < lsn {
							t.Errorf("commit %d: error %v, durable %d", lsn, err, l.Durable())
							return
						}
						mu.Lock()
						done++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			require.NoError(t, l.Close())
		})
		return done
	}
	one, many := rate(1), rate(64)
	if many < 12*one {
		t.Fatalf("expected 64 writers to commit at least 12 times what one does (%d), got %d", one, many)
	}
	t.Logf("1 writer %d/s, 64 writers %d/s", one, many)
}

// TestPolicies: what is written and synced right after Commit, and after the
// interval has passed.
func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		mode              Mode
		durable           bool
		written, synced   uint64 // after Commit
		writtenL, syncedL uint64 // an interval later
	}{
		{Always, false, 3, 3, 3, 3},
		{Interval, false, 3, 0, 3, 3},
		{Interval, true, 3, 3, 3, 3},
		{Buffered, false, 0, 0, 3, 3},
		{Buffered, true, 3, 3, 3, 3},
		{Never, false, 3, 0, 3, 0},
		{Never, true, 3, 3, 3, 3},
	} {
		t.Run(fmt.Sprintf("%v durable %v", c.mode, c.durable), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := testConfig(newHookFS(), c.mode)
				cfg.Policy.Interval = 10 * time.Millisecond
				l, _, _ := open(t, cfg, 0)
				for i := range 3 {
					lsn, err := l.Append(1, []byte{byte(i)})
					require.NoError(t, err)
					if i == 2 {
						require.NoError(t, l.Commit(bg, lsn, c.durable))
					}
				}
				require.Equal(t, []uint64{3, c.written, c.synced}, []uint64{l.Last(), l.Written(), l.Durable()})
				time.Sleep(10*time.Millisecond + 1)
				synctest.Wait()
				require.Equal(t, []uint64{3, c.writtenL, c.syncedL}, []uint64{l.Last(), l.Written(), l.Durable()})
				require.NoError(t, l.Close())
				require.Equal(t, uint64(3), l.Durable())
			})
		})
	}
}

// TestIntervalSyncsOnlyWhenNeeded: an idle log does not wake the disk.
func TestIntervalSyncsOnlyWhenNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newHookFS()
		l, _, _ := open(t, testConfig(fsys, Interval), 0)
		syncs := func() int { fsys.mu.Lock(); defer fsys.mu.Unlock(); return fsys.calls["sync"] }
		add(t, l, 2)
		made := syncs()
		time.Sleep(time.Hour)
		require.Equal(t, made+1, syncs())
		add(t, l, 2)
		add(t, l, 2)
		time.Sleep(time.Hour)
		require.Equal(t, made+2, syncs())
		require.NoError(t, l.Close())
	})
}

// TestIntervalIsNotHeldUpBySync: a writer does not wait for the background sync.
func TestIntervalIsNotHeldUpBySync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newHookFS()
		l, _, _ := open(t, testConfig(fsys, Interval), 0)
		add(t, l, 1)
		fsys.setHook(slowSync(time.Minute))
		time.Sleep(time.Second + 1) // the sync has begun
		start := time.Now()
		add(t, l, 5)
		require.Zero(t, time.Since(start))
		require.Equal(t, uint64(6), l.Written())
		require.Zero(t, l.Durable())
		require.NoError(t, l.Close())
	})
}

func TestDurableCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []uint64
		var busy sync.Mutex
		fsys := newHookFS()
		fsys.setHook(slowSync(time.Millisecond))
		cfg := testConfig(fsys, Always)
		var l *Log
		cfg.OnDurable = func(lsn uint64) {
			if !busy.TryLock() {
				t.Error("expected one call at a time")
				return
			}
			defer busy.Unlock()
			if d := l.Durable(); d < lsn {
				t.Errorf("told of %d when %d is durable", lsn, d)
			}
			_ = l.Bytes() // takes the lock
			time.Sleep(3 * time.Millisecond)
			seen = append(seen, lsn)
		}
		l, _, _ = open(t, cfg, 0)
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 20 {
					lsn, err := l.Append(2, make([]byte, 100))
					if err != nil || l.Commit(bg, lsn, false) != nil {
						t.Error("append or commit failed")
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, l.Close())
		require.Equal(t, uint64(400), seen[len(seen)-1])
		for i := 1; i < len(seen); i++ {
			require.Greater(t, seen[i], seen[i-1])
		}
	})
}

func TestContextEndsWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := newHookFS()
		fsys.setHook(slowSync(10 * time.Millisecond))
		cfg := testConfig(fsys, Always)
		l, _, _ := open(t, cfg, 0)
		var wg sync.WaitGroup
		r := recAt(1)
		_, err := l.Append(r.kind, []byte(r.payload))
		require.NoError(t, err)
		wg.Go(func() {
			if err := l.Commit(bg, 1, false); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		r = recAt(2)
		_, err = l.Append(r.kind, []byte(r.payload))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(bg, time.Millisecond)
		defer cancel()
		start := time.Now()
		require.ErrorIs(t, l.Commit(ctx, 2, false), context.DeadlineExceeded)
		require.Equal(t, time.Millisecond, time.Since(start))
		wg.Wait()
		require.Less(t, l.Durable(), uint64(2))
		time.Sleep(30 * time.Millisecond) // nobody waits, and yet it is stored
		synctest.Wait()
		require.Equal(t, uint64(2), l.Durable())
		require.NoError(t, l.Close())
		_, _, got := open(t, cfg, 0)
		requireRecs(t, recsBetween(1, 2), got)
	})
}

// TestManyContexts: writers that give up at random times never leave the others
// without a leader.
func TestManyContexts(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Never} {
		synctest.Test(t, func(t *testing.T) {
			fsys := newHookFS()
			fsys.setHook(func(op, name string) error {
				if op == "sync" || op == "write" {
					time.Sleep(time.Millisecond)
				}
				return nil
			})
			cfg := testConfig(fsys, mode)
			cfg.BufferBytes = 300
			l, _, _ := open(t, cfg, 0)
			var wg sync.WaitGroup
			for w := range 30 {
				wg.Go(func() {
					for i := range 40 {
						lsn, err := l.Append(1, make([]byte, 50))
						if err != nil {
							t.Error(err)
							return
						}
						ctx, cancel := context.WithTimeout(bg, time.Duration((w*7+i*13)%5)*time.Millisecond)
						if w%5 == 0 {
							ctx = bg
						}
						err = l.Commit(ctx, lsn, w%3 == 0)
						cancel()
						if err != nil && !errors.Is(err, context.DeadlineExceeded) {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			require.NoError(t, l.Sync(bg))
			require.Equal(t, uint64(1200), l.Durable())
			require.NoError(t, l.Close())
			l, rep, got := open(t, cfg, 0)
			require.Empty(t, rep.Damage)
			require.Len(t, got, 1200)
			require.NoError(t, l.Close())
		})
	}
}

// TestBackPressure: the buffer is bounded in every mode, whatever the record.
func TestBackPressure(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		cfg := testConfig(newHookFS(), mode)
		cfg.BufferBytes = 1000
		cfg.Clock = &stoppedClock{}
		l, _, _ := open(t, cfg, 0)
		for range 100 {
			r := recAt(l.Last() + 1)
			_, err := l.Append(r.kind, []byte(r.payload))
			require.NoError(t, err)
			l.mu.Lock()
			n := len(l.buf)
			l.mu.Unlock()
			if n > 1000 && n > recordHeader+8+len(r.payload) {
				t.Fatalf("%v: expected at most 1000 bytes in the buffer, got %d", mode, n)
			}
		}
		require.NoError(t, l.Close())
		_, _, got := open(t, cfg, 0)
		requireRecs(t, recsBetween(1, 100), got)
	}
}

func TestLimits(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), Interval)
	cfg.SegmentBytes = 1 << 20
	l, _, _ := open(t, cfg, 0)
	_, err := l.Append(1, make([]byte, MaxPayload+1))
	require.ErrorIs(t, err, errs.Limit)
	require.Zero(t, l.Last())
	big := make([]byte, MaxPayload)
	big[MaxPayload-1] = 7
	for lsn, p := range [][]byte{nil, big, {1}} {
		got, err := l.Append(uint8(lsn), p)
		require.NoError(t, err)
		require.Equal(t, uint64(lsn+1), got)
		require.NoError(t, l.Commit(bg, got, true))
	}
	require.NoError(t, l.Close())
	l, rep, got := open(t, cfg, 0)
	require.Empty(t, rep.Damage)
	require.Equal(t, []int{0, MaxPayload, 1}, []int{len(got[0].payload), len(got[1].payload), len(got[2].payload)})
	require.True(t, got[1].payload == string(big), "the large payload differs")
	require.ErrorIs(t, l.Commit(bg, 4, false), errs.BadInput)
	require.NoError(t, l.Close())
}

func TestClosed(t *testing.T) {
	cfg := testConfig(vfs.NewMem(), Always)
	l, _, _ := open(t, cfg, 0)
	add(t, l, 3)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	_, err := l.Append(1, nil)
	require.ErrorIs(t, err, errs.Closed)
	require.NoError(t, l.Commit(bg, 3, true)) // it is durable
	require.ErrorIs(t, l.Rotate(), errs.Closed)
	require.ErrorIs(t, l.Retire(3), errs.Closed)
	c := l.Cursor(1)
	require.False(t, c.Next())
	require.ErrorIs(t, c.Err(), errs.Closed)
}

func TestReadOnly(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Always)
	ro := cfg
	ro.ReadOnly = true
	l, _, got := open(t, ro, 0) // nothing there yet
	require.Empty(t, got)
	require.NoError(t, l.Close())
	require.Zero(t, fsys.opCount())

	w, _, _ := open(t, cfg, 0)
	add(t, w, 30)
	writeAll(fsys.FS, testDir+"/0000000000000fff.wal.tmp", []byte("litter"))
	before := fsys.opCount()
	l, rep, got := open(t, ro, 10)
	require.Empty(t, rep.Damage)
	requireRecs(t, recsBetween(11, 30), got)
	requireRecs(t, recsBetween(1, 30), cursorRecs(t, l, 1))
	_, err := l.Append(1, nil)
	require.ErrorIs(t, err, errs.ReadOnly)
	require.ErrorIs(t, l.Rotate(), errs.ReadOnly)
	require.ErrorIs(t, l.Retire(5), errs.ReadOnly)
	require.ErrorIs(t, l.Sync(bg), errs.ReadOnly)
	require.NoError(t, l.Close())
	require.Equal(t, before, fsys.opCount())
	require.NoError(t, w.Close())
}

// TestConcurrentEverything mixes all calls; the race detector and the final
// replay judge. The bubble fails if a goroutine is left.
func TestConcurrentEverything(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		for _, recycle := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				fsys := newHookFS()
				fsys.setHook(slowSync(time.Millisecond))
				cfg := testConfig(fsys, mode)
				cfg.Recycle, cfg.BufferBytes, cfg.Policy.Interval = recycle, 2000, 5*time.Millisecond
				cfg.OnDurable = func(uint64) {}
				l, _, _ := open(t, cfg, 0)
				var wg sync.WaitGroup
				for w := range 8 {
					wg.Go(func() {
						for i := range 60 {
							payload := strings.Repeat(fmt.Sprint(w, i), 20)
							if w%2 == 0 && i%7 != 0 {
								if _, err := put(l, rec{kind: uint8(w + 1), payload: payload}); err != nil {
									t.Error(err)
								}
								time.Sleep(time.Duration(w) * 100 * time.Microsecond)
								continue
							}
							lsn, err := l.Append(uint8(w+1), []byte(payload))
							if err == nil {
								err = l.Commit(bg, lsn, i%7 == 0)
							}
							if err != nil {
								t.Error(err)
							}
							time.Sleep(time.Duration(w) * 100 * time.Microsecond)
						}
					})
				}
				var retired uint64
				wg.Go(func() {
					for range 20 {
						time.Sleep(2 * time.Millisecond)
						retired = l.Durable() / 2
						if err := errors.Join(l.Rotate(), l.Retire(retired), l.Sync(bg)); err != nil {
							t.Error(err)
						}
					}
				})
				wg.Go(func() {
					c := l.Cursor(1)
					defer c.Close()
					last := uint64(0)
					for range 60 {
						time.Sleep(time.Millisecond)
						for c.Next() {
							if c.LSN() <= last {
								t.Errorf("cursor: %d after %d", c.LSN(), last)
							}
							last = c.LSN()
						}
						if c.Err() != nil {
							t.Error(c.Err())
						}
					}
				})
				wg.Wait()
				require.NoError(t, l.Close())
				l, rep, got := open(t, cfg, retired)
				require.Empty(t, rep.Damage)
				require.Len(t, got, 480-int(retired))
				require.NoError(t, l.Close())
			})
		}
	}
}
