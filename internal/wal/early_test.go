package wal

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWritesEarly: what nobody waits for is written by the quarter of a megabyte, long
// before the buffer is full: by a goroutine of its own what came by Append, and by
// WriteDue what came by Join.
func TestWritesEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testConfig(newHookFS(), Buffered)
		cfg.SegmentBytes, cfg.Policy.Interval = 1<<30, time.Hour
		l, _, _ := open(t, cfg, 0)
		require.Equal(t, maxBufferBytes, l.cfg.BufferBytes)
		buffered := func() int {
			l.mu.Lock()
			defer l.mu.Unlock()
			return len(l.buf)
		}
		payload := make([]byte, 500)
		for range 2000 {
			due := buffered() > earlyBytes
			lsn, err := l.Append(1, payload)
			require.NoError(t, err)
			synctest.Wait()
			if due {
				require.Equal(t, lsn, l.Written()) // all that was there
			}
			require.LessOrEqual(t, buffered(), earlyBytes+1000)
		}
		require.Positive(t, l.Written())
		require.NoError(t, l.Sync(bg))
		for range 40000 {
			_, err := l.Join(2, payload[:25])
			require.NoError(t, err)
			require.LessOrEqual(t, buffered(), earlyBytes+2*(joinBytes+recordHeader))
			l.WriteDue()
		}
		require.Greater(t, l.Written(), uint64(2000))
		last := l.Last()
		require.Less(t, l.Written(), last)
		require.NoError(t, l.Close())
		l, rep, got := open(t, cfg, 0)
		require.Empty(t, rep.Damage)
		require.Equal(t, last, got[len(got)-1].lsn)
		joined := 0
		for _, r := range got[2000:] {
			joined += len(r.payload)
		}
		require.Equal(t, 40000*25, joined)
		require.NoError(t, l.Close())
	})
}

// TestEarlyAndClose: who comes to write finds a log that is closed, or has failed.
func TestEarlyAndClose(t *testing.T) {
	for _, fails := range []bool{false, true} {
		for range 50 {
			fsys := newHookFS()
			cfg := testConfig(fsys, Buffered)
			cfg.SegmentBytes, cfg.Clock = 1<<30, &stoppedClock{}
			l, _, _ := open(t, cfg, 0)
			for range earlyBytes/1000 + 2 {
				_, err := l.Append(1, make([]byte, 1000))
				require.NoError(t, err)
			}
			if fails {
				fsys.setHook(func(op, _ string) error {
					if op == "write" {
						return errInjected
					}
					return nil
				})
			}
			last := l.Last()
			err := l.Close()
			fsys.setHook(nil)
			l, _, got := open(t, cfg, 0)
			if !fails {
				require.NoError(t, err)
				require.Len(t, got, int(last))
			} else if err == nil { // it was written before
				require.Len(t, got, int(last))
			}
			require.NoError(t, l.Close())
		}
	}
}

// TestEarlyBesideSlowWrite: while the disk takes its time, what is appended does not
// wait for it until the buffer is full.
func TestEarlyBesideSlowWrite(t *testing.T) {
	fsys := newHookFS()
	cfg := testConfig(fsys, Buffered)
	cfg.SegmentBytes, cfg.Clock = 1<<30, &stoppedClock{}
	l, _, _ := open(t, cfg, 0)
	began, goOn := make(chan struct{}), make(chan struct{})
	fsys.setHook(func(op, _ string) error {
		if op == "write" {
			select {
			case began <- struct{}{}:
				<-goOn
			case <-goOn:
			}
		}
		return nil
	})
	payload := make([]byte, 1000)
	_, err := l.Append(1, payload)
	require.NoError(t, err)
	synced := make(chan error)
	go func() { synced <- l.Sync(bg) }()
	<-began
	for range maxBufferBytes / 1100 {
		_, err := l.Append(1, payload)
		require.NoError(t, err)
	}
	l.mu.Lock()
	require.Greater(t, len(l.buf), 8*earlyBytes)
	l.mu.Unlock()
	require.Equal(t, uint64(0), l.Written())
	close(goOn)
	require.NoError(t, <-synced)
	last := l.Last()
	require.NoError(t, l.Close())
	l, _, got := open(t, cfg, 0)
	require.Len(t, got, int(last))
	require.NoError(t, l.Close())
}
