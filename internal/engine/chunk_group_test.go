package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/segment"
	"github.com/tickwell/tickwell/vfs"
)

// stretches returns how often the blocks of series, in time order, do not follow
// each other in the newest file, and the bytes of them all.
func stretches(t *testing.T, e *Engine) (most int, bytes int64) {
	files := e.currentFiles()
	r := files[len(files)-1].reader
	for id := range r.Series() {
		infos, err := r.Blocks(id)
		require.NoError(t, err)
		n, end := 0, int64(-1)
		for _, in := range infos {
			if in.Values.Offset != end {
				n++
			}
			end = in.Values.Offset + int64(in.Values.Length) + 4
			bytes += int64(in.Values.Length)
		}
		most = max(most, n)
	}
	return most, bytes
}

// TestChunkGroups: after a flush and after compactions that copy or merge the
// blocks of a series lie side by side, a bounded number of them, with nulls,
// texts, series that come later and blocks larger than a group; what is read is
// what was written, series by series and by rows, in few reads.
func TestChunkGroups(t *testing.T) {
	for _, c := range []struct {
		name   string
		series int
		rows   int // of a block
		nulls  bool
		text   int // bytes of a text
	}{
		{"one series", 1, 128, false, 3},
		{"ten", 10, 128, false, 3},
		{"nulls", 10, 128, true, 3},
		{"many", 40, 128, false, 3},
		{"large texts", 3, 1024, false, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			fsys := &crashfs.Reads{FS: vfs.NewMem()}
			cfg := diskConfig(fsys)
			cfg.BlockRows = c.rows
			e := open(t, cfg)
			rnd := rand.New(rand.NewPCG(5, 6))
			var names []string
			var kinds []column.Kind
			for i := range c.series {
				names = append(names, fmt.Sprint("s", i))
				kinds = append(kinds, []column.Kind{column.Float64, column.Int64, column.Text}[i%3])
			}
			rows := map[string]map[int64]string{}
			at := int64(0)
			write := func(n, width int, step int64) {
				for done := 0; done < n; done += 250 {
					tb := emptyTablet(t, e, "root.d", names[:width], kinds[:width])
					for row := range 250 {
						at += step
						tb.Times = append(tb.Times, at)
						for i := range width {
							cell := column.Cell{Num: math.Float64bits(float64(rnd.IntN(100_000)) / 100), Text: fmt.Sprintf("%0*d", c.text, rnd.Uint32())}
							if kinds[i] == column.Int64 {
								cell.Num = rnd.Uint64() >> 45
							}
							tb.Cols[i].AppendCell(&cell)
							if c.nulls && (rnd.IntN(5) == 0 || i == 4 && at < 200_000) {
								tb.Nulls[i].Set(row)
								continue
							}
							if rows[names[i]] == nil {
								rows[names[i]] = map[int64]string{}
							}
							got := tb.Cols[i].Cell(row)
							rows[names[i]][at] = fmt.Sprint(got.Num, got.Text)
						}
					}
					_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
					require.NoError(t, err)
				}
			}
			check := func(what string) {
				s := e.Snapshot()
				defer s.Release()
				var all []*Series
				for _, name := range names {
					ser, ok := e.Lookup("root.d", name)
					require.True(t, ok)
					all = append(all, ser)
					got := map[int64]string{}
					cur := s.Cursor(ser, 0, math.MaxInt64)
					for cur.Next() {
						for i, at := range cur.Times() {
							cell := cur.Values().Cell(i)
							got[at] = fmt.Sprint(cell.Num, cell.Text)
						}
					}
					require.NoError(t, cur.Err())
					cur.Close()
					require.Equal(t, rows[name], got, "%s: %s", what, name)
				}
				_, bytes := stretches(t, e)
				before := fsys.Count()
				cur := s.Rows(all, 0, math.MaxInt64)
				cells := 0
				for cur.Next() {
					for i := range all {
						v, nulls := cur.Col(i)
						for row, at := range cur.Times() {
							if nulls.Get(row) {
								continue
							}
							cells++
							cell := v.Cell(row)
							if want := rows[names[i]][at]; want != fmt.Sprint(cell.Num, cell.Text) {
								t.Fatalf("%s: row at %d of %s: got %v, want %s", what, at, names[i], cell, want)
							}
						}
					}
				}
				require.NoError(t, cur.Err())
				cur.Close()
				want := 0
				for _, r := range rows {
					want += len(r)
				}
				require.Equal(t, want, cells, what)
				reads, groups := int64(fsys.Count()-before), bytes/groupBytes+1
				if c.series <= 10 && c.text < 100 { // else the groups are of one chunk
					require.LessOrEqual(t, reads, 6*groups+12, "%s: reads of all rows, %d bytes", what, bytes)
				}
			}
			alone := func(what string) {
				most, bytes := stretches(t, e)
				if c.series <= 10 && c.text < 100 {
					require.LessOrEqual(t, int64(most), bytes*3/2/groupBytes+2, "%s: of %d bytes", what, bytes)
				}
			}
			write(1500, max(1, c.series-2), 1000)
			require.NoError(t, e.Flush(bg))
			alone("flushed")
			write(1500, c.series, 1000)
			require.NoError(t, e.Flush(bg))
			alone("flushed again")
			check("two files")
			require.NoError(t, e.Compact(bg))
			require.Len(t, e.currentFiles(), 1)
			alone("copied")
			check("copied")
			at = 700_500
			write(500, c.series, 1000) // among the others
			require.NoError(t, e.Flush(bg))
			require.NoError(t, e.Compact(bg))
			require.Len(t, e.currentFiles(), 1)
			check("merged")
			report, err := e.Verify(bg)
			require.NoError(t, err)
			require.Empty(t, report.Damage)
			require.NoError(t, e.Close())
			e = open(t, cfg)
			check("reopened")
			require.NoError(t, e.Close())
		})
	}
}

// TestChunkGroupKeeps: copies stay what they are while others come, and the memory
// of a large group is not kept.
func TestChunkGroupKeeps(t *testing.T) {
	var g chunkGroup
	var want, got [][]byte
	for i := range 300 {
		b := slices.Repeat([]byte{byte(i)}, 1000)
		want, got = append(want, b), append(got, g.keep(b))
	}
	require.Equal(t, want, got)
	g.forget()
	require.Nil(t, g.copies)
	_ = g.keep(make([]byte, groupBytes))
	g.forget()
	require.NotNil(t, g.copies)
}

// spans returns how many bytes lie between the times and the values of a chunk of the
// newest file at most, and how many chunks it has.
func spans(t *testing.T, e *Engine) (most int64, chunks int) {
	files := e.currentFiles()
	r := files[len(files)-1].reader
	seen := map[int64]bool{}
	for id := range r.Series() {
		infos, err := r.Blocks(id)
		require.NoError(t, err)
		for _, in := range infos {
			seen[in.Times.Offset] = true
			most = max(most, in.Values.Offset-in.Times.Offset)
		}
	}
	return most, len(seen)
}

// TestChunkGroupOfTimes: a group whose values hardly take a byte is written before
// its times, or its table where few of many series have cells, take much memory.
func TestChunkGroupOfTimes(t *testing.T) {
	for _, c := range []struct {
		name         string
		series, most int
	}{{"times", 1, groupMemory + groupBytes}, {"table", 600, 16 << 10}} {
		t.Run(c.name, func(t *testing.T) {
			cfg := diskConfig(vfs.NewMem())
			cfg.BlockRows = 256
			e := open(t, cfg)
			rnd := rand.New(rand.NewPCG(7, 8))
			var names []string
			for i := range c.series {
				names = append(names, fmt.Sprint("s", i))
			}
			kinds := slices.Repeat([]column.Kind{column.Bool}, c.series)
			var want []int64
			at := int64(0)
			tablets := 240
			if c.series > 1 {
				tablets = 20
			}
			for range tablets {
				tb := emptyTablet(t, e, "root.d", names, kinds)
				for row := range 256 {
					at += 1 + rnd.Int64N(1<<40)
					want = append(want, at)
					tb.Times = append(tb.Times, at)
					for i := range kinds {
						tb.Cols[i].AppendCell(&column.Cell{Num: 1})
						if i > 0 && len(want) > 1 {
							tb.Nulls[i].Set(row)
						}
					}
				}
				_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
				require.NoError(t, err)
			}
			for _, step := range []func() error{
				func() error { return e.Flush(bg) },
				func() error { return e.Compact(bg) },
			} {
				require.NoError(t, step())
				most, chunks := spans(t, e)
				require.Equal(t, tablets, chunks)
				require.LessOrEqual(t, most, int64(c.most))
			}
			s := e.Snapshot()
			ser, ok := e.Lookup("root.d", "s0")
			require.True(t, ok)
			var got []int64
			cur := s.Cursor(ser, 0, math.MaxInt64)
			for cur.Next() {
				got = append(got, cur.Times()...)
			}
			require.NoError(t, cur.Err())
			cur.Close()
			s.Release()
			require.Equal(t, want, got)
			require.NoError(t, e.Close())
		})
	}
}

// TestChunkAlone: a chunk larger than a group is copied block by block, and not held
// in memory whole.
func TestChunkAlone(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.BlockRows = 128
	e := open(t, cfg)
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprint("s", i))
	}
	kinds := slices.Repeat([]column.Kind{column.Text}, len(names))
	rnd := rand.New(rand.NewPCG(9, 10))
	tb := emptyTablet(t, e, "root.d", names, kinds)
	for row := range 2 * cfg.BlockRows {
		tb.Times = append(tb.Times, int64(row))
		for i := range kinds {
			text := make([]byte, 1000)
			for k := range text {
				text[k] = ' ' + byte(rnd.IntN(90))
			}
			tb.Cols[i].AppendCell(&column.Cell{Text: string(text)})
		}
	}
	_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
	require.NoError(t, err)
	require.NoError(t, e.Flush(bg))

	f := e.currentFiles()[0]
	w, err := segment.Create(vfs.NewMem(), "copy", segment.Header{StoreID: 1, FileNo: 1, MaxLSN: 1})
	require.NoError(t, err)
	bw := blockWriter{w: w, rows: cfg.BlockRows, kinds: kinds}
	most, before := int64(0), w.Size()
	bw.pace = func(w *segment.Writer) error {
		most, before = max(most, w.Size()-before), w.Size()
		return nil
	}
	for id := range f.reader.Series() {
		bw.ids = append(bw.ids, id)
	}
	sources, err := f.look(&bw.found, nil, bw.ids, MinTime, MaxTime)
	require.NoError(t, err)
	require.NoError(t, bw.merge(make([][]merge.Mask, len(names)), MinTime, MaxTime, sources))
	require.Equal(t, 2*len(names), bw.blocks)
	require.Greater(t, w.Size(), int64(5<<20))
	require.LessOrEqual(t, most, int64(paceBytes+2*128*1000))
	w.Abort()
	require.NoError(t, e.Close())
}
