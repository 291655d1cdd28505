package wal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// TestPrepare: a log whose first file was made before the first record is the log that
// it would have been.
func TestPrepare(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		files := map[bool][]byte{}
		for _, prepared := range []bool{false, true} {
			fsys := newHookFS()
			l, _, _ := open(t, testConfig(fsys, mode), 41)
			if prepared {
				l.Prepare()
				l.Prepare() // once is enough
				require.Equal(t, 1, l.Segments())
				require.EqualValues(t, 41, l.Last())
				require.EqualValues(t, 41, l.Durable())
			}
			made := fsys.calls["create"]
			for lsn := uint64(42); lsn < 50; lsn++ {
				r := recAt(lsn)
				got, err := l.Append(r.kind, []byte(r.payload))
				require.NoError(t, err)
				require.Equal(t, lsn, got)
				require.NoError(t, l.Commit(bg, lsn, false))
			}
			if prepared {
				require.Equal(t, made, fsys.calls["create"], "files made for a record")
			}
			l.Prepare()
			require.Equal(t, 1, l.Segments())
			require.NoError(t, l.Close())
			var err error
			files[prepared], err = vfs.ReadFile(fsys, testDir+"/"+segmentName(1))
			require.NoError(t, err)
			l, _, recs := open(t, testConfig(fsys, mode), 41)
			require.Equal(t, recsBetween(42, 49), recs)
			l.Prepare() // it has a file
			require.Equal(t, 1, l.Segments())
			require.NoError(t, l.Close())
			l.Prepare()
		}
		require.Equal(t, files[false], files[true], "the files of mode %v", mode)
	}
}

// TestPrepareAlone: a log that was prepared and never written to opens again, and again
// after everything that was not synced is lost.
func TestPrepareAlone(t *testing.T) {
	fsys := newHookFS()
	for range 3 {
		l, rep, recs := open(t, testConfig(fsys, Interval), 0)
		require.Empty(t, recs)
		require.Empty(t, rep.Damage)
		l.Prepare()
		require.Equal(t, 1, l.Segments())
		require.NoError(t, l.Rotate())
		require.NoError(t, l.Retire(0))
		require.NoError(t, l.Close())
	}
	cfg := testConfig(fsys, Interval)
	cfg.ReadOnly = true
	l, _, _ := open(t, cfg, 0)
	l.Prepare()
	require.NoError(t, l.Close())
	l, _, _ = open(t, testConfig(fsys, Interval), 0)
	r := recAt(1)
	lsn, err := l.Append(r.kind, []byte(r.payload))
	require.NoError(t, err)
	require.NoError(t, l.Commit(bg, lsn, true))
	require.NoError(t, l.Close())
	l, _, recs := open(t, testConfig(fsys, Interval), 0)
	require.Equal(t, recsBetween(1, 1), recs)
	require.NoError(t, l.Close())
}

// TestPrepareNothingTorn: a log that nothing was written to ends where its header does.
func TestPrepareNothingTorn(t *testing.T) {
	for _, mode := range []Mode{Always, Interval, Buffered, Never} {
		fsys := newHookFS()
		l, _, _ := open(t, testConfig(fsys, mode), 0)
		l.Prepare()
		require.NoError(t, l.Close())
		b, err := vfs.ReadFile(fsys, testDir+"/"+segmentName(1))
		require.NoError(t, err)
		require.Len(t, b, headerBytes)
		l, rep, _ := open(t, testConfig(fsys, mode), 0)
		require.Zero(t, rep.TornBytes)
		require.NoError(t, l.Close())
	}
}

// TestPrepareFails: the first record tries again, unless the file has its name already:
// then the log has failed, and what is left of the file is not in the way.
func TestPrepareFails(t *testing.T) {
	for _, op := range []string{"create", "write", "sync", "rename", "syncdir", "openrw"} {
		for _, full := range []bool{false, true} {
			fsys := newHookFS()
			l, _, _ := open(t, testConfig(fsys, Interval), 0)
			hit := false
			fsys.setHook(func(at, _ string) error {
				if at != op {
					return nil
				}
				hit = true
				if full {
					return vfs.ErrNoSpace
				}
				return errInjected
			})
			l.Prepare()
			require.True(t, hit, op)
			fsys.setHook(nil)
			r := recAt(1)
			lsn, err := l.Append(r.kind, []byte(r.payload))
			if err == nil {
				err = l.Commit(bg, lsn, true)
			}
			tries := op != "syncdir" && op != "openrw"
			if tries {
				require.NoError(t, err, op)
			} else {
				require.ErrorIs(t, err, errs.StorageFailed, op)
			}
			_ = l.Close()
			l, rep, recs := open(t, testConfig(fsys, Interval), 0)
			require.Empty(t, rep.Damage, op)
			if tries {
				require.Equal(t, recsBetween(1, 1), recs, op)
			} else {
				require.Empty(t, recs, op)
			}
			require.NoError(t, l.Close())
		}
	}
}
