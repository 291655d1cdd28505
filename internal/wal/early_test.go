package wal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWritesEarly: what nobody waits for is written by the quarter of a megabyte, long
// before the buffer is full, whether it comes by Append or by Join.
func TestWritesEarly(t *testing.T) {
	cfg := testConfig(newHookFS(), Buffered)
	cfg.SegmentBytes, cfg.Clock = 1<<30, &stoppedClock{}
	l, _, _ := open(t, cfg, 0)
	require.Equal(t, maxBufferBytes, l.cfg.BufferBytes)
	payload := make([]byte, 500)
	for range 2000 {
		before := l.Written()
		lsn, err := l.Append(1, payload)
		require.NoError(t, err)
		if w := l.Written(); w != before {
			require.Equal(t, lsn-1, w) // all that was there
		}
		l.mu.Lock()
		n := len(l.buf)
		l.mu.Unlock()
		if n > earlyBytes {
			t.Fatalf("expected at most %d bytes in the buffer, got %d", earlyBytes, n)
		}
	}
	require.Positive(t, l.Written())
	l.mu.Lock()
	require.Less(t, max(cap(l.buf), cap(l.spare)), 2*earlyBytes)
	l.mu.Unlock()
	require.NoError(t, l.Sync(bg))
	before := l.Written()
	for range 40000 {
		_, err := l.Join(2, payload[:25])
		require.NoError(t, err)
	}
	require.Greater(t, l.Written(), before)
	last := l.Last()
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
