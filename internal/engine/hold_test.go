package engine

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

// TestRefusedBatchIsNotOvertaken: a batch that a full disk refused is durable
// before anything newer, with its state and its event, or nothing newer is.
func TestRefusedBatchIsNotOvertaken(t *testing.T) {
	fs := crashfs.New()
	e := open(t, crashConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	batch := func(at int64) *Batch {
		return &Batch{
			Tablets: []Tablet{{Shape: s, Times: []int64{at}, Cols: []column.Vector{{Kind: column.Float64, Float64s: []float64{float64(at)}}}}},
			Puts:    []Put{{Key: "count", Value: []byte{byte(at)}}},
		}
	}
	_, err := e.Commit(bg, batch(1), false)
	require.NoError(t, err)
	fs.Fail(1, vfs.ErrNoSpace, false, func(op crashfs.Op) bool { return op.Kind == crashfs.Write })
	_, err = e.Commit(bg, batch(2), false)
	var stored *StoredError
	require.ErrorAs(t, err, &stored)
	require.ErrorIs(t, err, errs.NoSpace)
	require.False(t, stored.Durable)
	fs.Fail(1, vfs.ErrNoSpace, true, func(op crashfs.Op) bool { return op.Kind == crashfs.Create })
	_, err = e.Commit(bg, batch(3), false)
	require.ErrorIs(t, err, errs.NoSpace, "nothing newer while the batch is nowhere")
	require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, s.Series()[0]))
	fs.Heal()
	_, err = e.Commit(bg, batch(4), false)
	require.NoError(t, err)
	img := fs.Image(fs.Ops(), crashfs.None, 0)
	require.NoError(t, e.Close())
	e = open(t, crashConfig(img))
	defer e.Close()
	ser, ok := e.Lookup("root.d", "a")
	require.True(t, ok)
	require.Equal(t, map[int64]float64{1: 1, 2: 2, 4: 4}, points(t, e, ser))
	v, _ := e.Get("count")
	require.Equal(t, []byte{4}, v)
	require.Equal(t, Report{Replayed: e.Report().Replayed}, e.Report())
}

// TestEventsOfRefusedBatchWait: a sink is not handed an event whose batch a full
// disk refused before a file holds it, whatever else becomes durable.
func TestEventsOfRefusedBatchWait(t *testing.T) {
	fs := crashfs.New()
	cfg := crashConfig(fs)
	cfg.Sync = wal.Policy{Mode: wal.Never}
	e := open(t, cfg)
	defer e.Close()
	e.Outbox().Attach("s")
	batch := func(key string) *Batch { return &Batch{Events: []Event{{Sinks: []string{"s"}, Key: key}}} }
	ready := func() (keys []string) {
		entries, err := e.Outbox().Next("s", Pos{}, 10)
		require.NoError(t, err)
		for _, ent := range entries {
			keys = append(keys, ent.Key)
		}
		return keys
	}
	_, err := e.Commit(bg, batch("a"), false)
	require.NoError(t, err)
	fs.Fail(1, vfs.ErrNoSpace, true, func(op crashfs.Op) bool { return op.Kind == crashfs.Write || op.Kind == crashfs.Create })
	_, err = e.Commit(bg, batch("b"), false)
	require.ErrorIs(t, err, errs.NoSpace)
	require.ErrorIs(t, e.Sync(bg), errs.NoSpace) // b is stored, and nowhere on the disk
	require.Equal(t, []string{"a"}, ready())
	_, err = e.Commit(bg, batch("c"), false)
	require.ErrorIs(t, err, errs.NoSpace)
	require.ErrorIs(t, e.Sync(bg), errs.NoSpace) // b is stored, and nowhere on the disk
	require.Equal(t, []string{"a"}, ready())
	fs.Heal()
	require.NoError(t, e.Flush(bg))
	require.Equal(t, []string{"a", "b"}, ready())
	_, err = e.Commit(bg, batch("d"), true)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "d"}, ready())
}

// TestParentsAreSynced: a store made below directories that were not there
// survives a power cut; a parent that cannot be synced is an error.
func TestParentsAreSynced(t *testing.T) {
	fs := crashfs.New()
	cfg := crashConfig(fs)
	cfg.Dir = "a/b/db"
	e := open(t, cfg)
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	img := fs.Image(fs.Ops(), crashfs.None, 0)
	require.NoError(t, e.Close())
	cfg.FS = img
	e = open(t, cfg)
	ser, ok := e.Lookup("root.d", "a")
	require.True(t, ok)
	require.Equal(t, map[int64]float64{1: 1}, points(t, e, ser))
	require.NoError(t, e.Close())

	fs = crashfs.New()
	cfg = crashConfig(fs)
	fs.Fail(1, nil, false, func(op crashfs.Op) bool { return op.Kind == crashfs.SyncDir })
	_, err := Open(bg, cfg)
	require.Error(t, err)
	e = open(t, cfg)
	s = floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	img = fs.Image(fs.Ops(), crashfs.None, 0)
	require.NoError(t, e.Close())
	e = open(t, crashConfig(img))
	_, ok = e.Lookup("root.d", "a")
	require.True(t, ok)
	require.NoError(t, e.Close())
}

// TestFailedSyncIsNotTrusted: an edit whose sync failed may be in the cache of
// the operating system only; the next Open must not build on it.
func TestFailedSyncIsNotTrusted(t *testing.T) {
	fs := crashfs.New()
	e := open(t, crashConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	require.NoError(t, e.Flush(bg))
	_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: s.Series(), From: 1, To: 2}}}, false)
	require.NoError(t, err)
	name := "/" + e.disk.manifestName(e.disk.no)
	fs.Fail(1, nil, false, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync && op.Name == name })
	require.Error(t, e.Flush(bg))
	require.NoError(t, e.Close())
	e = open(t, crashConfig(fs))
	s = floatShape(t, e, "root.d", "a")
	require.NoError(t, e.Flush(bg), "nothing to flush: the log must stay")
	for range 3 {
		img := fs.Image(fs.Ops(), crashfs.None, 0)
		again := open(t, crashConfig(img))
		ser, ok := again.Lookup("root.d", "a")
		require.True(t, ok)
		require.NotContains(t, points(t, again, ser), int64(1))
		require.Empty(t, again.Report().LostLog)
		require.NoError(t, again.Close())
		put(t, e, s, []int64{5}, 5)
		require.NoError(t, e.Flush(bg))
	}
	require.NoError(t, e.Close())
}

// TestManifestNumberUsedInVain: a manifest that could not be written leaves a
// file of the number that the next Open gives to its own; that one stays.
func TestManifestNumberUsedInVain(t *testing.T) {
	fs := crashfs.New()
	e := open(t, crashConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{1}, 1)
	require.NoError(t, e.Flush(bg))
	require.NoError(t, e.Close())
	e = open(t, crashConfig(fs))
	s = floatShape(t, e, "root.d", "a")
	put(t, e, s, []int64{2}, 2)
	fs.Fail(1, nil, false, func(op crashfs.Op) bool {
		return op.Kind == crashfs.Write && strings.Contains(op.Name, "MANIFEST")
	})
	require.Error(t, e.Flush(bg))
	require.NoError(t, e.Close())
	for range 3 {
		e = open(t, crashConfig(fs))
		ser, ok := e.Lookup("root.d", "a")
		require.True(t, ok)
		require.Equal(t, map[int64]float64{1: 1, 2: 2}, points(t, e, ser))
		require.Empty(t, e.Report().Quarantined)
		require.Empty(t, e.Report().LostLog)
		require.NoError(t, e.Close())
	}
}
