package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/codec"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/memtable"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/vfs"
)

func randomRows(rng *rand.Rand, kinds []column.Kind, n int) *memtable.Rows {
	r := &memtable.Rows{Cols: make([]column.Vector, len(kinds)), Nulls: make([]column.Bitmap, len(kinds))}
	at := MinTime + int64(rng.Uint64()>>2)
	for range n {
		at += 1 + rng.Int64N(1<<rng.IntN(40))
		r.Times = append(r.Times, at)
	}
	for c, k := range kinds {
		r.Cols[c].Kind = k
		some := rng.IntN(3)
		for i := range n {
			randomCell(rng, &r.Cols[c])
			if some == 1 && rng.IntN(3) == 0 || some == 2 {
				r.Nulls[c].Set(i)
			}
		}
	}
	return r
}

func TestTabletRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 15, 16, 17, 200, 5000} {
		l := &memtable.Layout{IDs: []uint32{9, 3, 200, 4, 5, 6}, Kinds: []column.Kind{1, 2, 3, 4, 5, 6}}
		r := randomRows(rng, l.Kinds, n)
		lo := rng.IntN(n)
		var enc block.Encoder
		var dec block.Decoder
		var scratch []byte
		b := appendTablet(nil, &enc, &scratch, l, r, lo, n)
		w := wire{codec.Reader{Src: b}}
		require.Equal(t, l.IDs, w.ids())
		got, err := w.tabletRows(&dec, l.Kinds)
		require.NoError(t, err)
		require.Equal(t, r.Times[lo:], got.Times)
		for c := range l.Kinds {
			for i := range got.Times {
				require.Equal(t, r.Nulls[c].Get(lo+i), got.Nulls[c].Get(i), "rows %d column %d row %d", n, c, i)
				if !got.Nulls[c].Get(i) {
					require.Equal(t, bitsOf(&r.Cols[c], lo+i), bitsOf(&got.Cols[c], i))
				}
			}
		}
		for cut := range min(len(b), 300) {
			w := wire{codec.Reader{Src: b[:len(b)-1-cut]}}
			w.ids()
			_, err := w.tabletRows(&dec, l.Kinds)
			require.Error(t, err, "cut by %d", cut+1)
		}
	}
}

// FuzzRecord replays any bytes as a log record: no panic, and the store works on.
func FuzzRecord(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	l := &memtable.Layout{IDs: []uint32{1, 2}, Kinds: []column.Kind{column.Float64, column.Text}}
	var enc block.Encoder
	var scratch []byte
	for _, n := range []int{1, 20} {
		f.Add(appendSection(nil, sectionTablet, appendTablet(nil, &enc, &scratch, l, randomRows(rng, l.Kinds, n), 0, n)))
	}
	f.Add(appendSection(nil, sectionPut, appendPut(nil, &Put{Key: ackPrefix + "s", Value: appendPos(nil, Pos{3, 1})})))
	f.Add(appendSection(nil, sectionEvent, appendEvent(nil, &Event{Sinks: []string{"s"}, Key: "k", Payload: []byte("p")})))
	f.Add(appendSection(nil, sectionDrop, appendIDs(nil, []uint32{2})))
	f.Add(appendSection(nil, sectionDelete, append(appendIDs(nil, []uint32{1}), 2, 8)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e := open(t, memConfig())
		defer e.Close()
		_, err := e.Shape("root.d", []string{"a", "b"}, l.Kinds)
		require.NoError(t, err)
		r := replay{e: e}
		if err := r.record(7, recordGroup, b); err != nil {
			t.Fatalf("a record that does not parse must be reported, not end Open: %v", err)
		}
		require.NoError(t, r.finish())
		dump(t, e)
	})
}

func TestManifestEdits(t *testing.T) {
	var m manifest
	var ed edit
	f := fileMeta{No: 3, MinLSN: 1, MaxLSN: 9, Size: 100, MinTime: -5, MaxTime: MaxTime, Points: 4}
	k := seriesMask{7, merge.Mask{LSN: 4, From: MinTime - 1, To: MaxTime + 1}}
	ed.addFile(f)
	ed.mask(k)
	ed.tag(editFlushed, 9)
	ed.tag(editState, 5)
	ed.tag(editCatalog, 6)
	ed.tag(editAddOutbox, 8, 1, 9)
	ed.tag(editNextNo, 10)
	ed.tag(editNextSeries, 12)
	require.NoError(t, m.apply(ed.b))
	want := manifest{Files: []fileMeta{f}, Masks: []seriesMask{k}, Outbox: []outboxSegment{{8, 1, 9}}, Flushed: 9, NextNo: 10, State: 5, Catalog: 6, NextSeries: 12}
	require.Equal(t, want, m)
	var again manifest
	require.NoError(t, again.apply(m.whole().b))
	require.Equal(t, want, again)
	for cut := 1; cut < len(ed.b); cut++ {
		c := m.clone()
		if err := c.apply(ed.b[:cut]); err != nil {
			require.ErrorIs(t, err, errs.Corrupt)
		}
	}
	ed = edit{}
	ed.tag(editRemoveFile, 3)
	ed.tag(editDropOutbox, 8)
	ed.tag(editUnmask, 4)
	require.NoError(t, m.apply(ed.b))
	require.Empty(t, slices.Concat(fmtAll(m.Files), fmtAll(m.Masks), fmtAll(m.Outbox)))
	require.ErrorIs(t, m.apply([]byte{99}), errNewer)
}

func fmtAll[T any](s []T) (out []string) {
	for _, x := range s {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

// TestManifestIsRewritten flushes often with a small bound.
func TestManifestIsRewritten(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	s := floatShape(t, e, "root.d", "a")
	want := map[int64]float64{}
	for i := range int64(40) {
		put(t, e, s, []int64{i}, float64(i))
		want[i] = float64(i)
		if i%10 == 9 {
			e.disk.size = maxManifest + 1
		}
		require.NoError(t, e.Flush(bg))
	}
	require.NoError(t, e.Close())
	names, err := fs.List("db")
	require.NoError(t, err)
	require.Len(t, slices.DeleteFunc(names, func(n string) bool { _, ok := parseNumbered(n, "MANIFEST-", ""); return !ok }), 1)
	e = open(t, diskConfig(fs))
	defer e.Close()
	require.Equal(t, want, points(t, e, s.Series()[0]))
	require.Equal(t, 40, e.Stats().Files)
}
