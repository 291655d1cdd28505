package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/catalog"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/vfs"
)

// randomTablet is a tablet of series of any kinds as the log has it.
func randomTablet(rng *rand.Rand, ids []uint32, kinds []column.Kind, n int) (rows memtable.Rows, body []byte) {
	at := rng.Int64N(1000)
	for range n {
		at += 1 + rng.Int64N(300)
		rows.Times = append(rows.Times, at)
	}
	for _, kind := range kinds {
		v, nulls := column.Vector{Kind: kind}, column.Bitmap(nil)
		some := rng.IntN(4) // no null, all null, some
		for i := range n {
			if some == 1 || some == 2 && rng.IntN(2) == 0 {
				v.AppendZero(1)
				nulls.Set(i)
			} else {
				randomCell(rng, &v)
			}
		}
		rows.Cols, rows.Nulls = append(rows.Cols, v), append(rows.Nulls, nulls)
	}
	var enc block.Encoder
	var scratch []byte
	return rows, appendTablet(nil, &enc, &scratch, &memtable.Layout{IDs: ids, Kinds: kinds}, &rows, 0, n)
}

// TestTabletWithoutColumns: what is left of a tablet is what it was; of block columns
// nothing is lost, nor of raw ones before the first of unknown kind, and of those behind
// little.
func TestTabletWithoutColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 1))
	behind, kept := 0, 0
	for range 4000 {
		width, n := 1+rng.IntN(9), 1+rng.IntN(2*blockFrom)
		ids, kinds := make([]uint32, width), make([]column.Kind, width)
		for i := range ids {
			ids[i], kinds[i] = uint32(1+rng.IntN(1<<20)), column.Kind(1+rng.IntN(6))
		}
		rows, body := randomTablet(rng, ids, kinds, n)
		known, first := slices.Clone(kinds), width
		for i := range known {
			if rng.IntN(4) == 0 {
				known[i], first = column.Null, min(first, i)
			}
		}
		w := wire{codec.Reader{Src: body}}
		require.Equal(t, ids, w.ids())
		got, left := w.without(ids, known, &fitting{})
		if left == 0 {
			require.True(t, first == 0 || n >= blockFrom && !slices.ContainsFunc(known, column.Kind.Valid))
			continue
		}
		w = wire{codec.Reader{Src: got}}
		own := w.ids()
		require.Len(t, own, left)
		var is []int
		var of []column.Kind
		for i, id := range ids { // an id may be there twice
			switch {
			case known[i] == column.Null:
			case len(is) < len(own) && own[len(is)] == id:
				is, of = append(is, i), append(of, kinds[i])
			default:
				require.True(t, n < blockFrom && i > first, "column %d of %v", i, known)
			}
			if known[i] != column.Null && i > first && n < blockFrom {
				behind++
			}
		}
		require.Len(t, is, left)
		var dec block.Decoder
		out, err := w.tabletRows(&dec, of)
		require.NoError(t, err)
		require.Equal(t, rows.Times, out.Times)
		for k, i := range is {
			require.Equal(t, rows.Nulls[i].Count(n), out.Nulls[k].Count(n))
			for row := range n {
				require.Equal(t, rows.Nulls[i].Get(row), out.Nulls[k].Get(row))
				if !out.Nulls[k].Get(row) {
					require.Equal(t, fmt.Sprint(rows.Cols[i].Slice(row, row+1)), fmt.Sprint(out.Cols[k].Slice(row, row+1)))
				}
			}
			if i > first && n < blockFrom {
				kept++
			}
		}
	}
	t.Log(kept, "of", behind, "raw columns behind one of unknown kind are kept")
	require.Greater(t, kept, behind*9/10)
}

// TestManyUnknownBeside: of a wide device half of whose series are not known the others
// lose nothing, though round numbers, full of zeros, could begin at many places: what is
// tried is bounded, and what one row leaves open another says.
func TestManyUnknownBeside(t *testing.T) {
	const width, n = 24, 300
	e := open(t, memConfig())
	defer e.Close()
	r := replay{e: e}
	defer r.second.stop()
	ids, kinds := make([]uint32, width), make([]column.Kind, width)
	var defs []catalog.Definition
	for i := range ids {
		ids[i], kinds[i] = uint32(i+1), []column.Kind{column.Float64, column.Int64, column.Bool, column.Float64}[i/2%4]
		if i%2 == 1 {
			defs = append(defs, catalog.Definition{ID: ids[i], Kind: kinds[i], Device: "root.d", Name: fmt.Sprintf("s%02d", i)})
		}
	}
	require.NoError(t, r.record(1, recordGroup, appendSection(nil, sectionSeries, appendDefinitions(nil, defs))))
	rng := rand.New(rand.NewPCG(13, 4))
	want := map[uint32]content{}
	var enc block.Encoder
	var scratch []byte
	for i := range n {
		rows := memtable.Rows{Nulls: make([]column.Bitmap, width)}
		for j := range 1 + i%3 {
			rows.Times = append(rows.Times, int64(10*i+j))
		}
		for c, kind := range kinds {
			v := column.Vector{Kind: kind}
			for j, at := range rows.Times {
				x := rng.IntN(100)
				switch kind {
				case column.Float64:
					v.Float64s = append(v.Float64s, float64(x))
				case column.Int64:
					v.Int64s = append(v.Int64s, int64(x))
				default:
					v.Bools = append(v.Bools, x%2 == 0)
				}
				if want[ids[c]] == nil {
					want[ids[c]] = content{}
				}
				if x%10 == 0 {
					rows.Nulls[c].Set(j)
				} else {
					want[ids[c]][at] = bitsOf(&v, j)
				}
			}
			rows.Cols = append(rows.Cols, v)
		}
		body := appendTablet(nil, &enc, &scratch, &memtable.Layout{IDs: ids, Kinds: kinds}, &rows, 0, len(rows.Times))
		require.NoError(t, r.record(uint64(i+2), recordGroup, appendSection(nil, sectionTablet, body)))
	}
	require.NoError(t, r.finish())
	require.Less(t, r.fitting.tries, maxTries/16)
	all := readable(t, e)
	require.Len(t, all, width/2)
	for _, def := range defs {
		require.Equal(t, want[def.ID], all["root.d."+def.Name], "%s of kind %v", def.Name, def.Kind)
	}
}

// FuzzTabletWithout: whatever the bytes are, nothing panics, takes long or becomes longer.
func FuzzTabletWithout(f *testing.F) {
	rng := rand.New(rand.NewPCG(13, 2))
	for n := range 2 * blockFrom {
		ids, kinds := []uint32{1, 2, 3}, []column.Kind{column.Text, column.Float64, column.Bool}
		_, body := randomTablet(rng, ids, kinds, n+1)
		f.Add(body, []byte{6, 0, 1})
		f.Add(body, []byte{0, 5, 0})
	}
	f.Fuzz(func(t *testing.T, body, of []byte) {
		w := wire{codec.Reader{Src: body}}
		ids := w.ids()
		kinds := make([]column.Kind, len(ids))
		for i := range kinds {
			if i < len(of) {
				kinds[i] = column.Kind(of[i] % 7)
			}
		}
		got, left := w.without(ids, kinds, &fitting{})
		require.LessOrEqual(t, left, len(ids))
		w = wire{codec.Reader{Src: got}}
		if left > 0 {
			require.Len(t, w.ids(), left)
			require.LessOrEqual(t, len(w.Src), len(body))
		}
	})
}

// TestLostSeriesBesideUnresolved: series of which nothing is known but rows in the log
// cost nothing of those beside them, whatever comes in between, and nothing that was
// dropped comes back.
func TestLostSeriesBesideUnresolved(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { besideUnresolved(t, seed, true) })
		t.Run(fmt.Sprint(seed, " removed"), func(t *testing.T) { besideUnresolved(t, seed, false) })
	}
}

func besideUnresolved(t *testing.T, seed uint64, middle bool) {
	rng := rand.New(rand.NewPCG(13, seed))
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	e := open(t, cfg)
	names := []string{"a", "b", "c", "d"}
	kindsOf := func(d int) []column.Kind {
		return []column.Kind{column.Kind(1 + d%6), column.Kind(1 + d/6%6), column.Float64, column.Kind(1 + d/36%6)}
	}
	write := func(d, n int, absent ...int) {
		s, err := e.Shape(fmt.Sprint("root.d", d), names, kindsOf(d))
		require.NoError(t, err)
		rows, _ := randomTablet(rng, s.layout.IDs, kindsOf(d), n)
		for _, c := range absent {
			for i := range n {
				rows.Nulls[c].Set(i)
			}
		}
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: rows.Times, Cols: rows.Cols, Nulls: rows.Nulls}}}, false)
		require.NoError(t, err)
	}
	for d := range 200 {
		write(d, 1, 1+2*(d%2)) // b or d has no row in a file
	}
	require.NoError(t, e.Flush(bg))
	filed := readable(t, e)
	ids, cat := map[string]uint32{}, e.disk.catalogName(e.disk.now.Catalog)
	for _, ser := range dumpSeries(e) {
		ids[ser.Path()] = ser.ID
	}
	dropped := map[string]bool{}
	for range 400 {
		d := rng.IntN(200)
		switch rng.IntN(8) {
		case 0:
			if ser, ok := e.Lookup(fmt.Sprint("root.d", d), names[rng.IntN(4)]); ok {
				_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: 0, To: 1 + rng.Int64N(2000)}}}, false)
				require.NoError(t, err)
			}
		case 1:
			if ser, ok := e.Lookup(fmt.Sprint("root.d", d), names[rng.IntN(4)]); ok && !dropped[ser.Device] {
				dropped[ser.Device] = true // what is made again has another id
				_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
				require.NoError(t, err)
			}
		default:
			if !dropped[fmt.Sprint("root.d", d)] {
				write(d, 1+rng.IntN(2*blockFrom))
			}
		}
	}
	want := readable(t, e)
	require.NoError(t, e.Close())
	if at := framesIn(t, fs, cat); middle {
		overwrite(t, fs, cat, at[1], at[3]+9)
	} else {
		require.NoError(t, fs.Remove(cat))
	}
	for range 2 {
		e = open(t, cfg)
		got := readable(t, e)
		there, lost, unclear := 0, 0, 0
		for path, c := range want {
			name := path
			if _, ok := got[name]; !ok {
				name = fmt.Sprintf("%s.s%d", LostDevice, ids[path])
			}
			if _, ok := got[name]; !ok {
				lost++ // no row in a file says what it is
				require.Empty(t, filed[path], path)
				continue
			}
			there++
			if !maps.Equal(c, got[name]) { // where two series of a row are not known, other kinds of theirs may fit
				require.Less(t, len(got[name]), len(c), path)
				unclear++
			}
			delete(got, name)
		}
		require.LessOrEqual(t, unclear, there/100)
		require.Empty(t, got)
		require.Greater(t, there, 200)
		require.Positive(t, lost)
		require.NoError(t, e.Close())
	}
}

// TestLostSeriesDroppedInLog: a series of which only the older catalogue knows, itself
// damaged elsewhere, does not come back when the log has dropped it.
func TestLostSeriesDroppedInLog(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	wideStore(t, cfg, false)
	e := open(t, cfg)
	floatShape(t, e, "root.more", "x")
	require.NoError(t, e.Flush(bg))
	a, ok := e.Lookup("root.d0", "a")
	require.True(t, ok)
	_, err := e.Commit(bg, &Batch{Drops: []*Series{a}}, true)
	require.NoError(t, err)
	now, old := e.disk.catalogName(e.disk.now.Catalog), e.disk.catalogName(e.disk.now.OldCatalog)
	require.NoError(t, e.Close())
	at := framesIn(t, fs, old)
	overwrite(t, fs, old, at[1], at[3]+9)
	require.NoError(t, fs.Remove(now))
	e = open(t, cfg)
	defer e.Close()
	_, ok = e.Lookup("root.d0", "b")
	require.True(t, ok, "the older catalogue has it")
	_, ok = e.Lookup(LostDevice, fmt.Sprint("s", a.ID))
	require.False(t, ok)
	require.Contains(t, fmt.Sprint(e.Report().Quarantined), fmt.Sprintf("kept as %s.s257 to", LostDevice))
}

// TestDefinitionsOfOthers: sections that wait for a series are not read again for each
// definition of another, and are put in by its own.
func TestDefinitionsOfOthers(t *testing.T) {
	const n = 2000
	e := open(t, memConfig())
	defer e.Close()
	r := replay{e: e}
	defer r.second.stop()
	definition := func(id uint32) {
		def := catalog.Definition{ID: id, Kind: column.Float64, Device: "root.d", Name: fmt.Sprintf("s%06d", id)}
		require.NoError(t, r.record(uint64(id), recordGroup, appendSection(nil, sectionSeries, appendDefinitions(nil, []catalog.Definition{def}))))
	}
	var enc block.Encoder
	var scratch []byte
	for i := range int64(n) {
		rows := memtable.Rows{Times: []int64{i}, Cols: floats(float64(i))}
		body := appendTablet(nil, &enc, &scratch, &memtable.Layout{IDs: []uint32{3 * n}}, &rows, 0, 1)
		require.NoError(t, r.record(uint64(i+1), recordGroup, appendSection(nil, sectionTablet, body)))
	}
	require.Len(t, r.waiting, n)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range uint32(n) {
		definition(n + i)
	}
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
	require.Len(t, r.waiting, n)
	definition(3 * n)
	require.Empty(t, r.waiting)
	require.NoError(t, r.finish())
	ser, ok := e.cat.ByID(3 * n)
	require.True(t, ok)
	require.Len(t, points(t, e, ser), n)
	require.Empty(t, e.Report().LostLog)
}
