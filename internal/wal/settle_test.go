package wal

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
)

// killed returns the files of a log of n records whose process died, and how many
// bytes they take in the only segment. Nothing was synced but what the mode syncs.
func killed(t *testing.T, mode Mode, n int) (*hookFS, int64) {
	fsys := newHookFS()
	cfg := testConfig(fsys, mode)
	cfg.SegmentBytes = 16 << 20
	l, _, _ := open(t, cfg, 0)
	for last := uint64(0); last < uint64(n); last = l.Last() {
		add(t, l, 100)
	}
	require.Len(t, segmentFiles(t, fsys), 1)
	require.Greater(t, l.segs[0].end, int64(2*settleStep))
	out := fsys.crash(fsys.opCount(), keepAll, nil)
	end := l.segs[0].end
	require.NoError(t, l.Close())
	return out, end
}

// behindConfig is for opening such a log, part of which is settled while it is replayed.
func behindConfig(fsys *hookFS) Config {
	cfg := testConfig(fsys, Never)
	cfg.SegmentBytes = 16 << 20
	return cfg
}

// requireRewritten says that all records were written again by the operations from a
// first one on, and that a sync came after the last of these writes.
func requireRewritten(t *testing.T, fsys *hookFS, first int, end int64) {
	t.Helper()
	again := make([]bool, end)
	synced := false
	for _, o := range fsys.ops[first:] {
		switch o.op {
		case "write":
			for i := range o.data {
				again[o.off+int64(i)] = true
			}
			synced = false
		case "sync":
			synced = true
		}
	}
	require.Equal(t, -1, slices.Index(again[headerBytes:], false), "of %d bytes", end)
	require.True(t, synced)
}

// TestSettledWhileReplayed: what was not synced when the process died is written and
// synced again when Open returns, most of it while the rest was replayed.
func TestSettledWhileReplayed(t *testing.T) {
	const n = 5000
	fsys, end := killed(t, Never, n)
	l, _, got := open(t, behindConfig(fsys), 0)
	requireRecs(t, recsBetween(1, n), got)
	requireRewritten(t, fsys, fsys.base, end)
	if settlesBeside {
		require.GreaterOrEqual(t, fsys.calls["sync"], 2, "of a part and of all")
		require.Equal(t, 2, fsys.calls["openrw"])
	}
	require.NoError(t, l.Close())
	_, _, got = open(t, behindConfig(fsys.crash(fsys.opCount(), keepNone, nil)), 0)
	requireRecs(t, recsBetween(1, n), got)
}

// TestSettlingBehindFails: what fails while the log is replayed ends Open, as it does at
// the end, and the next one settles all of it.
func TestSettlingBehindFails(t *testing.T) {
	if !settlesBeside {
		t.Skip("settled at the end only")
	}
	const n = 5000
	for _, op := range []string{"openrw", "write", "sync"} {
		for _, fault := range []string{"fails", "panics"} {
			fsys, end := killed(t, Never, n)
			calls := 0
			fsys.setHook(func(o, _ string) error {
				if o != op {
					return nil
				}
				if calls++; calls > 1 {
					return nil
				}
				if fault == "panics" {
					panic("no such disk")
				}
				return errInjected
			})
			_, _, _, err := tryOpen(behindConfig(fsys), 0)
			require.ErrorContains(t, err, "settle "+segmentName(1), "%s %s", op, fault)
			if fault == "fails" {
				require.ErrorIs(t, err, errInjected, op)
			}
			if fault == "panics" || op == "sync" {
				require.ErrorIs(t, err, errs.StorageFailed, op)
			}
			fsys.setHook(nil)
			first := fsys.opCount()
			l, _, got, err := tryOpen(behindConfig(fsys), 0)
			require.NoError(t, err, "%s %s", op, fault)
			requireRewritten(t, fsys, first, end)
			requireRecs(t, recsBetween(1, n), got)
			require.NoError(t, l.Close())
		}
	}
}

// TestNothingIsSettledBehind: neither where the records say that those before them are
// synced, nor by who only reads.
func TestNothingIsSettledBehind(t *testing.T) {
	const n = 5000
	fsys, _ := killed(t, Always, n)
	l, _, got := open(t, behindConfig(fsys), 0)
	requireRecs(t, recsBetween(1, n), got)
	require.Equal(t, 1, fsys.calls["openrw"])
	require.NoError(t, l.Close())

	fsys, _ = killed(t, Never, n)
	cfg := behindConfig(fsys)
	cfg.ReadOnly = true
	l, _, got = open(t, cfg, 0)
	requireRecs(t, recsBetween(1, n), got)
	require.Zero(t, fsys.calls["openrw"]+fsys.calls["write"]+fsys.calls["sync"])
	require.NoError(t, l.Close())
}

// TestReplayFailsWhileSettled: an error of who is given the records ends Open, and what
// was settled until then is right.
func TestReplayFailsWhileSettled(t *testing.T) {
	const n = 5000
	fsys, _ := killed(t, Never, n)
	cfg := behindConfig(fsys)
	own := errors.New("enough")
	_, _, err := Open(cfg, 0, func(lsn uint64, _ uint8, _ []byte) error {
		if lsn == n/2 {
			return own
		}
		return nil
	})
	require.ErrorIs(t, err, own)
	ops := fsys.opCount()
	_, _, got := open(t, behindConfig(fsys), 0)
	requireRecs(t, recsBetween(1, n), got)
	require.Greater(t, fsys.opCount(), ops)
}
