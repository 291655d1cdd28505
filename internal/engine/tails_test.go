package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// withTails returns the files that have tails now.
func withTails(e *Engine) (files []*blockFile) {
	for _, f := range e.currentFiles() {
		if t := f.tails.Load(); t != nil && len(t.ids) > 0 {
			files = append(files, f)
		}
	}
	return files
}

// TestTails: what is read of the newest points by way of tails is what is read
// without them, with nulls, late rows, deletes, snapshots, flushes, compactions
// and drops between.
func TestTails(t *testing.T) {
	used, carried, learnt := 0, 0, 0
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		cfg := diskConfig(vfs.NewMem())
		cfg.BlockRows = []int{100, 256, 70, 1024}[seed%4]
		e := open(t, cfg)
		names := []string{"f", "i", "n", "t", "b", "g"}
		kinds := []column.Kind{column.Float64, column.Int32, column.Int64, column.Text, column.Bool, column.Float32}
		at := int64(0)
		read := func(s *Snapshot, ser *Series, from, to int64) (out []string) {
			c := s.Cursor(ser, from, to)
			defer c.Close()
			for c.Next() {
				for i, at := range c.Times() {
					cell := c.Values().Cell(i)
					out = append(out, fmt.Sprint(at, cell.Num, cell.Text, cell.Kind))
				}
			}
			require.NoError(t, c.Err())
			return out
		}
		check := func(s *Snapshot) {
			type kept struct {
				f *blockFile
				t *tails
			}
			for _, name := range names {
				ser, ok := e.Lookup("root.d", name)
				if !ok {
					continue
				}
				from := at - int64(r.IntN(150))
				to := from + int64(r.IntN(200))
				if r.IntN(3) == 0 {
					to = math.MaxInt64
				}
				got := read(s, ser, from, to)
				var all []kept
				for _, f := range s.version.files {
					if t := f.tails.Load(); t != nil {
						if src, ok := t.since(ser.ID, from); ok && len(src) > 0 {
							used++
							if t.late != nil {
								learnt++
							}
						}
						all = append(all, kept{f, t})
						f.tails.Store(nil)
					}
				}
				want := read(s, ser, from, to)
				for _, k := range all {
					k.f.tails.Store(k.t)
				}
				require.Equal(t, want, got, "seed %d %s [%d, %d)", seed, name, from, to)
			}
		}
		var held *Snapshot
		for range 120 {
			commitRandom(t, e, r, names, kinds, &at, 120, 100)
			switch r.IntN(12) {
			case 0, 1, 2:
				require.NoError(t, e.Flush(bg))
				require.LessOrEqual(t, len(withTails(e)), 1, "files with tails after a flush")
			case 3:
				had := len(withTails(e)) > 0
				require.NoError(t, e.Compact(bg))
				if had && len(withTails(e)) > 0 {
					carried++
				}
			case 4:
				if ser, ok := e.Lookup("root.d", names[r.IntN(len(names))]); ok {
					from := at - int64(r.IntN(100))
					_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: from, To: from + int64(r.IntN(80))}}}, false)
					require.NoError(t, err)
				}
			case 5:
				if ser, ok := e.Lookup("root.d", names[r.IntN(len(names))]); ok && held == nil {
					_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
					require.NoError(t, err)
				}
			case 6:
				if held == nil {
					held = e.Snapshot()
				} else {
					check(held)
					held.Release()
					held = nil
				}
			case 7:
				if held == nil {
					require.NoError(t, e.Close())
					e = open(t, cfg)
				}
			}
			now := e.Snapshot()
			check(now)
			now.Release()
		}
		if held != nil {
			check(held)
			held.Release()
		}
		require.NoError(t, e.Close())
	}
	require.NotZero(t, used, "reads by way of tails")
	require.NotZero(t, carried, "compactions that carried tails")
	require.NotZero(t, learnt, "reads by way of tails of a store that was opened")
}

// One file has tails, also when a flush ends while a compaction is writing and a
// snapshot keeps the files that it replaces.
func TestTailsOfOneFile(t *testing.T) {
	fill := func(e *Engine, from int64) {
		var values []float64
		var times []int64
		for i := range int64(100) {
			times, values = append(times, from+i), append(values, float64(i))
		}
		put(t, e, floatShape(t, e, "root.d", "a"), times, values...)
	}
	for _, flushed := range []bool{false, true} {
		e := open(t, diskConfig(vfs.NewMem()))
		fill(e, 0)
		require.NoError(t, e.Flush(bg))
		fill(e, 1000)
		require.NoError(t, e.Flush(bg))
		inputs := e.currentFiles()
		s := e.Snapshot()
		e.compacting.Lock()
		c := &compaction{version: s.version, inputs: inputs, applied: e.disk.now.Flushed, reach: e.reach()}
		require.NoError(t, e.writeCompacted(bg, c, 0))
		e.carryTails(c.inputs, c.outputs)
		if flushed {
			fill(e, 2000)
			require.NoError(t, e.Flush(bg))
		}
		require.NoError(t, e.replaceFiles(c.inputs, c.outputs))
		e.compacting.Unlock()
		now := e.currentFiles()
		require.Equal(t, now[len(now)-1:], withTails(e), "the newest of %d files", len(now))
		for _, f := range inputs {
			require.Nil(t, f.tails.Load(), "a file that is gone")
		}
		ser, _ := e.Lookup("root.d", "a")
		require.Len(t, points(t, e, ser), 100+100*len(now))
		s.Release()
		require.NoError(t, e.Close())
	}
}

// A point far in the future, as of a clock that was wrong, does not keep the files
// of later rows from having tails.
func TestTailsAfterAPointInTheFuture(t *testing.T) {
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	shape := floatShape(t, e, "root.d", "s")
	year := int64(365 * 24 * time.Hour)
	now := e.clock.Now().UnixNano()
	for _, c := range []struct {
		name  string
		times []int64
		tails bool // the file that they are written to has them
	}{
		{"rows", []int64{now - 5000}, true},
		{"rows and one in the future", []int64{now - 4000, now + year}, true},
		{"later rows", []int64{now - 3000}, true},
		{"rows between", []int64{now - 3500}, false},
		{"late and later rows", []int64{now - 8000, now - 2000}, true},
	} {
		for _, from := range c.times {
			var times []int64
			for i := range int64(100) {
				times = append(times, from+i)
			}
			put(t, e, shape, times, make([]float64, 100)...)
		}
		require.NoError(t, e.Flush(bg))
		files := e.currentFiles()
		newest := slices.MaxFunc(files, func(a, b *blockFile) int { return cmp.Compare(a.meta.No, b.meta.No) })
		require.Equal(t, c.tails, newest.tails.Load() != nil, c.name)
		require.Len(t, withTails(e), 1, c.name)
	}
}

// Tails are for the newest rows, of as many series as there is room for; no room
// is taken of a small cache.
func TestTailRoom(t *testing.T) {
	fill := func(e *Engine, device string, from int64) {
		tb := emptyTablet(t, e, device, []string{"a", "b", "c"}, []column.Kind{column.Float64, column.Float64, column.Float64})
		for i := range int64(300) {
			tb.Times = append(tb.Times, from+i)
			for c := range tb.Cols {
				tb.Cols[c].Float64s = append(tb.Cols[c].Float64s, float64(i))
			}
		}
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		require.NoError(t, err)
	}
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	fill(e, "root.d", 1000)
	require.NoError(t, e.Flush(bg))
	files := withTails(e)
	require.Len(t, files, 1)
	require.Len(t, files[0].tails.Load().ids, 3)
	require.True(t, slices.IsSorted(files[0].tails.Load().ids))

	fill(e, "root.d", 0) // older than what is in files
	require.NoError(t, e.Flush(bg))
	require.Equal(t, files, withTails(e), "a file of older rows takes no place")

	fill(e, "root.e", 2000)
	require.NoError(t, e.Flush(bg))
	newer := withTails(e)
	require.Len(t, newer, 1)
	require.NotEqual(t, files[0].meta.No, newer[0].meta.No, "the newest file has them")

	f := newer[0]
	f.keepTails(0)
	require.Empty(t, f.tails.Load().ids)
	f.keepTails(tailBytes*2 + 8*tailRows)
	require.Len(t, f.tails.Load().ids, 2, "series in the room of two")

	small := diskConfig(vfs.NewMem())
	small.IndexCache = 1 << 20 // of the Edge profile
	s := open(t, small)
	defer s.Close()
	fill(s, "root.d", 0)
	require.NoError(t, s.Flush(bg))
	require.Empty(t, withTails(s), "with a small cache")
}
