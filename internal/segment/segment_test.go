package segment

import (
	"context"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

func TestWriteRead(t *testing.T) {
	for name, d := range map[string]testData{
		"no blocks":      {head: Header{StoreID: testStore, FileNo: testFile}},
		"one row":        makeData(1, 1, 1, 1),
		"two devices":    makeData(2, 2, 3, 50),
		"many devices":   makeData(3, 120, 1, 20),
		"many chunks":    makeData(4, 1, 200, 5),
		"several pages":  makeData(5, 30, 70, 3),
		"blocks of 1024": makeData(6, 3, 3, 1024),
	} {
		t.Run(name, func(t *testing.T) {
			fsys := vfs.NewMem()
			m, want := d.write(t, fsys, "f.blk")
			cache := NewCache(40 << 10)
			r, err := Open(fsys, "f.blk", testStore, testFile, cache)
			require.NoError(t, err)
			require.Equal(t, m, r.Meta())
			require.Equal(t, int64(len(readFile(t, fsys, "f.blk"))), m.Size)
			require.Equal(t, metaOf(d, want, m.Size), m)
			for range 2 { // from the disk, then as far as it goes from the cache
				require.NoError(t, compare(t, r, want))
			}
			require.LessOrEqual(t, cache.Bytes(), int64(40<<10))
			require.NoError(t, r.Verify(context.Background(), func(d Damage) { t.Errorf("unexpected finding: %+v", d) }))
			require.NoError(t, r.Close())
			require.Zero(t, cache.Bytes(), "cache after Close")
		})
	}
}

// metaOf derives the totals from the data.
func metaOf(d testData, want map[uint32]*seriesData, size int64) Meta {
	m := Meta{Header: d.head, Size: size, Series: len(want)}
	for _, sd := range want {
		for _, s := range sd.stats {
			if m.Blocks == 0 {
				m.MinTime, m.MaxTime = s.MinTime, s.MaxTime
			}
			m.Blocks++
			m.Points += uint64(s.Count)
			m.MinTime, m.MaxTime = min(m.MinTime, s.MinTime), max(m.MaxTime, s.MaxTime)
		}
	}
	return m
}

func TestBlocksIn(t *testing.T) {
	fsys := vfs.NewMem()
	d := makeData(8, 2, 300, 4)
	_, want := d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	cachedReader, err := Open(fsys, "f.blk", testStore, testFile, NewCache(1<<20))
	require.NoError(t, err)
	defer cachedReader.Close()
	const id = 100 + 3*uint32(column.Float64)
	sd := want[id]
	last := len(sd.stats) - 1
	for _, tt := range []struct {
		name     string
		from, to int64
	}{
		{"all", math.MinInt64, math.MaxInt64},
		{"before", math.MinInt64, sd.stats[0].MinTime - 1},
		{"after", sd.stats[last].MaxTime + 1, math.MaxInt64},
		{"first instant", sd.stats[0].MinTime, sd.stats[0].MinTime},
		{"last instant", sd.stats[last].MaxTime, sd.stats[last].MaxTime},
		{"across entries", sd.stats[60].MaxTime, sd.stats[130].MinTime},
		{"one block", sd.stats[70].MinTime, sd.stats[70].MaxTime},
		{"reversed", sd.stats[70].MaxTime, sd.stats[69].MinTime},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var expected []block.Stats
			for _, s := range sd.stats {
				if s.MaxTime >= tt.from && s.MinTime <= tt.to {
					expected = append(expected, s)
				}
			}
			blocks, err := r.BlocksIn(make([]BlockInfo, 1), id, tt.from, tt.to)
			require.NoError(t, err)
			require.Equal(t, BlockInfo{}, blocks[0], "element before the result")
			var got []block.Stats
			for _, b := range blocks[1:] {
				got = append(got, b.Stats)
			}
			require.Equal(t, expected, got)
			for range 2 { // decoded, and then perhaps out of the cache
				got = nil
				entries, err := cachedReader.EntriesIn([]any{nil}, id, tt.from, tt.to, func(b []BlockInfo) any { return b })
				require.NoError(t, err)
				require.Nil(t, entries[0], "element before the result")
				for _, e := range entries[1:] {
					for _, b := range e.([]BlockInfo) {
						if b.MaxTime >= tt.from && b.MinTime <= tt.to {
							got = append(got, b.Stats)
						}
					}
				}
				require.Equal(t, expected, got)
			}
		})
	}
	for _, absent := range []uint32{0, 4, id + 1, math.MaxUint32} {
		blocks, err := r.Blocks(absent)
		require.NoError(t, err)
		require.Empty(t, blocks)
		require.False(t, r.Has(absent))
	}
	require.True(t, r.Has(id))
}

func TestTimesAreStoredOnce(t *testing.T) {
	fsys := vfs.NewMem()
	makeData(9, 1, 1, 40).write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	var refs []Ref
	for id := range r.Series() {
		blocks, err := r.Blocks(id)
		require.NoError(t, err)
		refs = append(refs, blocks[0].Times)
	}
	require.Len(t, refs, 6)
	for _, ref := range refs {
		require.Equal(t, refs[0], ref)
	}
}

func TestWriterRefuses(t *testing.T) {
	stats := func(count uint32, from, to int64) *block.Stats {
		return &block.Stats{Count: count, MinTime: from, MaxTime: to}
	}
	begin := func(t *testing.T, w *Writer) ChunkRef {
		c, err := w.BeginChunk([]byte{1}, 10, 100, 200)
		require.NoError(t, err)
		require.NoError(t, w.AddBlock(1, column.Int64, c, []byte{1}, stats(10, 120, 150)))
		return c
	}
	for name, call := range map[string]func(w *Writer, c ChunkRef) error{
		"no rows": func(w *Writer, c ChunkRef) error { _, err := w.BeginChunk([]byte{1}, 0, 1, 1); return err },
		"too many rows": func(w *Writer, c ChunkRef) error {
			_, err := w.BeginChunk([]byte{1}, block.MaxRows+1, 1, 2)
			return err
		},
		"reversed chunk": func(w *Writer, c ChunkRef) error { _, err := w.BeginChunk([]byte{1}, 1, 2, 1); return err },
		"no times":       func(w *Writer, c ChunkRef) error { _, err := w.BeginChunk(nil, 1, 1, 2); return err },
		"zero chunk": func(w *Writer, c ChunkRef) error {
			return w.AddBlock(2, column.Int64, ChunkRef{N: 10}, []byte{1}, stats(1, 100, 100))
		},
		"kind":         func(w *Writer, c ChunkRef) error { return w.AddBlock(2, 9, c, []byte{1}, stats(1, 100, 100)) },
		"changed kind": func(w *Writer, c ChunkRef) error { return w.AddBlock(1, column.Bool, c, []byte{1}, stats(1, 160, 160)) },
		"no payload":   func(w *Writer, c ChunkRef) error { return w.AddBlock(2, column.Int64, c, nil, stats(1, 100, 100)) },
		"too many cells": func(w *Writer, c ChunkRef) error {
			return w.AddBlock(2, column.Int64, c, []byte{1}, stats(11, 100, 200))
		},
		"before chunk": func(w *Writer, c ChunkRef) error { return w.AddBlock(2, column.Int64, c, []byte{1}, stats(1, 99, 100)) },
		"after chunk": func(w *Writer, c ChunkRef) error {
			return w.AddBlock(2, column.Int64, c, []byte{1}, stats(1, 100, 201))
		},
		"overlap": func(w *Writer, c ChunkRef) error {
			return w.AddBlock(1, column.Int64, c, []byte{1}, stats(1, 150, 160))
		},
		"out of order": func(w *Writer, c ChunkRef) error {
			return w.AddBlock(1, column.Int64, c, []byte{1}, stats(1, 100, 110))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := Create(vfs.NewMem(), "f.blk", Header{})
			require.NoError(t, err)
			c := begin(t, w)
			require.ErrorIs(t, call(w, c), errs.BadInput)
			require.NoError(t, w.Abort())
		})
	}
	_, err := Create(vfs.NewMem(), "f.blk", Header{MinLSN: 2, MaxLSN: 1})
	require.ErrorIs(t, err, errs.BadInput)
}

func TestAbortRemoves(t *testing.T) {
	fsys := vfs.NewMem()
	w, err := Create(fsys, "f.blk", Header{})
	require.NoError(t, err)
	require.NoError(t, w.Abort())
	require.NoError(t, w.Abort(), "a second time")
	names, err := fsys.List(".")
	require.NoError(t, err)
	require.Empty(t, names)
	_, err = w.Finish()
	require.ErrorIs(t, err, errs.Closed)
}

func TestNullBlockIsLeftOut(t *testing.T) {
	fsys := vfs.NewMem()
	w, err := Create(fsys, "f.blk", Header{StoreID: testStore, FileNo: testFile})
	require.NoError(t, err)
	c, err := w.BeginChunk(block.AppendTimes(nil, []int64{1, 2}), 2, 1, 2)
	require.NoError(t, err)
	require.NoError(t, w.AddBlock(1, column.Int64, c, []byte{3}, &block.Stats{}))
	m, err := w.Finish()
	require.NoError(t, err)
	require.Equal(t, 0, m.Blocks)
	r, err := Open(fsys, "f.blk", testStore, testFile, nil)
	require.NoError(t, err)
	defer r.Close()
	require.NoError(t, r.Verify(context.Background(), func(d Damage) { t.Errorf("unexpected finding: %+v", d) }))
}

func TestOpenForeignFile(t *testing.T) {
	fsys := vfs.NewMem()
	makeData(10, 1, 1, 5).write(t, fsys, "f.blk")
	for _, tt := range []struct {
		name          string
		store, fileNo uint64
		reason        string
	}{
		{"other store", testStore + 1, testFile, "file of another store"},
		{"other number", testStore, testFile + 1, "file number 42, expected 43"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(fsys, "f.blk", tt.store, tt.fileNo, nil)
			var d *DamageError
			require.ErrorAs(t, err, &d)
			require.ErrorIs(t, err, errs.Corrupt)
			require.Contains(t, d.Reason, tt.reason)
			require.Equal(t, "f.blk", d.File)
		})
	}
}

func TestOpenNewerVersion(t *testing.T) {
	fsys := vfs.NewMem()
	makeData(10, 1, 1, 5).write(t, fsys, "f.blk")
	b := readFile(t, fsys, "f.blk")
	for _, newer := range [][2]byte{{versionCoded + 1, 0}, {versionCoded, flagCold << 1}, {0, 0}} {
		b[8], b[9] = newer[0], newer[1]
		var sum checksum
		sum.init(testStore, testFile)
		copy(b, sum.append(b[:headSize-crcSize:headSize-crcSize], 0, pieceHeader, 0))
		overwrite(t, fsys, "f.blk", b)
		_, err := Open(fsys, "f.blk", testStore, testFile, nil)
		require.ErrorIs(t, err, ErrVersion)
		require.NotErrorIs(t, err, errs.Corrupt, "a newer file is not damaged")
	}
}

func TestOpenAbsent(t *testing.T) {
	_, err := Open(vfs.NewMem(), "none.blk", 1, 1, nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, errs.Corrupt)
}

func TestConcurrentReaders(t *testing.T) {
	fsys := vfs.NewMem()
	d := makeData(11, 10, 10, 30)
	_, want := d.write(t, fsys, "f.blk")
	r, err := Open(fsys, "f.blk", testStore, testFile, NewCache(4<<10))
	require.NoError(t, err)
	defer r.Close()
	t.Run("together", func(t *testing.T) {
		for i := range 4 {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				require.NoError(t, compare(t, r, want))
			})
		}
	})
}

func TestCacheDropsLeastRecentlyUsed(t *testing.T) {
	c := NewCache(13)
	r := &Reader{dir: &directory{pages: make([]page, 9)}}
	put := func(i, n int) { c.putPage(r, i, make([]byte, n)) }
	put(0, 4)
	put(1, 4)
	require.NotNil(t, c.page(r, 0))
	put(2, 4) // 1 goes
	put(3, 11)
	var held []int
	for i := range 9 {
		if c.page(r, i) != nil {
			held = append(held, i)
		}
	}
	require.Equal(t, []int{0, 2}, held)
	require.Equal(t, int64(8), c.Bytes())
	c.forget(r)
	require.Zero(t, c.Bytes())
}

// TestCacheOfEntries: decoded entries have room of their own, and go like pages.
func TestCacheOfEntries(t *testing.T) {
	c := NewCache(entryShare * 3 * entryBlockSize)
	r := &Reader{dir: &directory{pages: make([]page, 1), ids: make([]uint32, 9)}}
	put := func(i, n int) { c.putEntry(r, i, n, n) }
	entry := func(r *Reader, e int) any {
		made, _ := c.entry(r, e, 0)
		return made
	}
	put(0, 2)
	put(1, 1)
	c.putPage(r, 0, make([]byte, 5))
	require.Equal(t, 2, entry(r, 0))
	put(2, 1) // 1 goes
	put(3, 4) // too large
	var held []int
	for i := range 9 {
		if entry(r, i) != nil {
			held = append(held, i)
		}
	}
	require.Equal(t, []int{0, 2}, held)
	_, content := c.entry(r, 1, 0)
	require.Len(t, content, 5)
	_, content = c.entry(r, 1, 1)
	require.Nil(t, content)
	require.Equal(t, int64(3*entryBlockSize+5), c.Bytes())
	require.NotNil(t, c.page(r, 0))
	c.forget(r)
	require.Zero(t, c.Bytes())
	other := &Reader{dir: &directory{ids: make([]uint32, 1)}}
	put(0, 1)
	c.putEntry(other, 0, 7, 1)
	c.forget(r) // looks at what is there
	require.Equal(t, 7, entry(other, 0))
	put(0, 1)
	c.forget(other) // looks for what there may be
	require.Equal(t, 1, entry(r, 0))
	require.Equal(t, int64(entryBlockSize), c.Bytes())
	var none *Cache
	none.putEntry(r, 0, 1, 1)
	made, page := none.entry(r, 0, 0)
	require.Nil(t, made)
	require.Nil(t, page)
}
