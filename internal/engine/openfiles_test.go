package engine

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/vfs"
)

// fdFS counts the block files that are open for reading.
type fdFS struct {
	vfs.FS
	now, most atomic.Int64
}

type fdFile struct {
	vfs.File
	fs *fdFS
}

func (f *fdFS) Open(name string) (vfs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".blk") {
		return file, err
	}
	for n := f.now.Add(1); ; {
		most := f.most.Load()
		if n <= most || f.most.CompareAndSwap(most, n) {
			return &fdFile{file, f}, nil
		}
	}
}

func (f *fdFile) Close() error {
	f.fs.now.Add(-1)
	return f.File.Close()
}

// readAll compares a series in a snapshot with want; it may run beside others.
func readAll(s *Snapshot, ser *Series, n int64) error {
	c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
	defer c.Close()
	next := int64(0)
	for c.Next() {
		for i, at := range c.Times() {
			if v := c.Values().Int64s[i]; at != next || v != at {
				return fmt.Errorf("%d at time %d, want time %d", v, at, next)
			}
			next++
		}
	}
	if next != n && c.Err() == nil {
		return fmt.Errorf("%d points, want %d", next, n)
	}
	return c.Err()
}

// TestOpenFiles: a store of many block files holds few of them open, whoever
// reads, and those that a snapshot still needs are there after compaction.
func TestOpenFiles(t *testing.T) {
	const limit, files, rows = 4, 24, 50
	fsys := &fdFS{FS: vfs.NewMem()}
	cfg := diskConfig(fsys)
	cfg.OpenFiles, cfg.BlockRows, cfg.IndexCache = limit, 16, 1
	e := open(t, cfg)
	for i := range int64(files) {
		insertRows(t, e, "root.d", i*rows, rows, "a")
		require.NoError(t, e.Flush(bg))
	}
	require.Equal(t, files, e.Stats().Files)
	require.Equal(t, limit, e.files.Held())

	ser, ok := e.Lookup("root.d", "a")
	require.True(t, ok)
	old := e.Snapshot()
	read := func(s *Snapshot, what string) {
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if err := readAll(s, ser, files*rows); err != nil {
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		wg.Wait()
	}
	read(old, "before compaction")
	var wg sync.WaitGroup
	wg.Go(func() { read(old, "beside compaction") })
	require.NoError(t, e.Compact(bg))
	wg.Wait()
	require.Less(t, e.Stats().Files, files)
	read(old, "after compaction")
	now := e.Snapshot()
	read(now, "what was compacted")
	require.Greater(t, len(blockFiles(t, e)), files, "the snapshot's files are there")
	old.Release()
	require.Len(t, blockFiles(t, e), e.Stats().Files, "and gone with it")
	now.Release()
	v, err := e.Verify(bg)
	require.NoError(t, err)
	require.Empty(t, v.Damage)
	require.NoError(t, e.Close())
	require.Zero(t, fsys.now.Load(), "open after Close")
	require.LessOrEqual(t, fsys.most.Load(), int64(limit))

	// A snapshot that outlives its engine keeps its files.
	e = open(t, cfg)
	ser, _ = e.Lookup("root.d", "a")
	last := e.Snapshot()
	require.NoError(t, e.Close())
	require.NoError(t, readAll(last, ser, files*rows))
	last.Release()
	require.Zero(t, fsys.now.Load())
	require.LessOrEqual(t, fsys.most.Load(), int64(limit))
}

// TestOpenFilesReadOnly: beside a writer that takes files away a reader holds
// all of its own open.
func TestOpenFilesReadOnly(t *testing.T) {
	fsys := &fdFS{FS: vfs.NewMem()}
	cfg := diskConfig(fsys)
	cfg.OpenFiles = 1
	e := open(t, cfg)
	for i := range int64(6) {
		insertRows(t, e, "root.d", i*10, 10, "a")
		require.NoError(t, e.Flush(bg))
	}
	require.EqualValues(t, 1, fsys.most.Load())
	ro := cfg
	ro.ReadOnly = true
	r, err := Open(context.Background(), ro)
	require.NoError(t, err)
	require.EqualValues(t, 7, fsys.now.Load())
	require.NoError(t, e.Compact(bg))
	s := r.Snapshot()
	ser, _ := r.Lookup("root.d", "a")
	require.NoError(t, readAll(s, ser, 60))
	s.Release()
	require.NoError(t, r.Close())
	require.NoError(t, e.Close())
	require.Zero(t, fsys.now.Load())
}
