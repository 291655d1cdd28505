package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/vfs"
)

// framesIn returns where the frames of a framed file begin, with its end.
func framesIn(t *testing.T, fs vfs.FS, name string) (at []int) {
	t.Helper()
	b, err := vfs.ReadFile(fs, name)
	require.NoError(t, err)
	frames, _, ended := framesOf(b, 42, numberOf(t, name))
	require.True(t, ended)
	for _, fr := range frames {
		at = append(at, fr.off)
	}
	return append(at, len(b)-frameHeader)
}

// wideStore is a store of 768 series, of two frames of definitions and a half, with
// rows in a file and, if they are wanted, rows, deletes and a drop in the log.
func wideStore(t *testing.T, cfg Config, logged bool) (want map[string]content, ids map[string]uint32, catalog string) {
	t.Helper()
	e := open(t, cfg)
	rng := rand.New(rand.NewPCG(5, 6))
	names := []string{"a", "b", "c"}
	kinds := []column.Kind{column.Float64, column.Int64, column.Text}
	write := func(d int, from int64, list ...int) {
		var n []string
		var k []column.Kind
		tb := Tablet{Times: []int64{secs(from), secs(from + 1)}}
		for _, c := range list {
			n, k = append(n, names[c]), append(k, kinds[c])
			v := column.Vector{Kind: kinds[c]}
			randomCell(rng, &v)
			randomCell(rng, &v)
			tb.Cols = append(tb.Cols, v)
		}
		s, err := e.Shape(fmt.Sprintf("root.d%d", d), n, k)
		require.NoError(t, err)
		tb.Shape = s
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		require.NoError(t, err)
	}
	for d := range 256 {
		write(d, 0, 0, 1, 2)
	}
	require.NoError(t, e.Flush(bg))
	catalog = e.disk.catalogName(e.disk.now.Catalog)
	if logged {
		for d := range 256 {
			write(d, 1, 0, 1, 2)
			write(d, 2, 0, 2) // over some of them
			write(d, 2, 1)
		}
		for d := range 256 {
			ser, ok := e.Lookup(fmt.Sprintf("root.d%d", d), names[d%3])
			require.True(t, ok)
			b := &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: secs(1), To: secs(2)}}}
			if d%10 == 9 {
				b = &Batch{Drops: []*Series{ser}}
			}
			_, err := e.Commit(bg, b, false)
			require.NoError(t, err)
		}
	}
	want, ids = readable(t, e), map[string]uint32{}
	for _, ser := range dumpSeries(e) {
		ids[ser.Path()] = ser.ID
	}
	require.NoError(t, e.Close())
	return want, ids, catalog
}

// named is what a store shows whose lost series got names.
func named(want map[string]content, ids map[string]uint32, known func(path string) bool) map[string]content {
	out := map[string]content{}
	for path, c := range want {
		if id, ok := ids[path]; ok && !known(path) {
			path = fmt.Sprintf("%s.s%d", LostDevice, id)
		}
		out[path] = c
	}
	return out
}

// TestLostSeries: where more of the catalogue is lost than can be made up for, the
// points of the series are kept under other names, however much time goes by, until
// they are dropped. What the log has of them is there, too.
func TestLostSeries(t *testing.T) {
	damage := map[string]func(t *testing.T, fs *vfs.Mem, name string, at []int){
		"two frames":  func(t *testing.T, fs *vfs.Mem, name string, at []int) { overwrite(t, fs, name, at[0], at[1]+20) },
		"all of them": func(t *testing.T, fs *vfs.Mem, name string, at []int) { overwrite(t, fs, name, at[0], at[3]) },
		"the middle":  func(t *testing.T, fs *vfs.Mem, name string, at []int) { overwrite(t, fs, name, at[1], at[3]+9) },
		"end":         func(t *testing.T, fs *vfs.Mem, name string, at []int) { overwrite(t, fs, name, at[2], at[4]+8) },
		"cut":         func(t *testing.T, fs *vfs.Mem, name string, at []int) { truncateTo(t, fs, name, at[1]+5) },
		"removed":     func(t *testing.T, fs *vfs.Mem, name string, _ []int) { require.NoError(t, fs.Remove(name)) },
	}
	for what, harm := range damage {
		for _, logged := range []bool{false, true} {
			t.Run(fmt.Sprint(what, " ", logged), func(t *testing.T) {
				fs := vfs.NewMem()
				cfg := diskConfig(fs)
				clock := &handClock{wall: time.Unix(2, 0)}
				cfg.Clock, cfg.TTL = clock, time.Minute
				want, ids, catalog := wideStore(t, cfg, logged)
				harm(t, fs, catalog, framesIn(t, fs, catalog))
				for range 2 { // nothing stores the names
					e := open(t, cfg)
					require.Contains(t, fmt.Sprint(e.Report().Quarantined), "their points are kept as "+LostDevice)
					require.Empty(t, e.Report().LostLog)
					checkNamed(t, e, want, ids)
					require.NoError(t, e.Close())
				}
				e := open(t, cfg)
				require.NoError(t, seconds(t, e, "root.new", 500, 501)) // what is older than a minute expires
				clock.pass(500*time.Second, 0)
				clock.pass(2*time.Hour, 0)
				for round := range 3 {
					got := readable(t, e)
					kept := 0
					for path, id := range ids {
						lost := fmt.Sprintf("%s.s%d", LostDevice, id)
						if _, ok := got[path]; ok {
							require.Empty(t, got[path], path)
							continue
						}
						kept++
						require.Equal(t, want[path], got[lost], "%s, %s, round %d", lost, path, round)
					}
					require.Greater(t, kept, 200)
					require.NoError(t, e.Compact(bg))
					if round > 0 {
						require.NoError(t, e.Close())
						e = open(t, cfg)
						require.Empty(t, e.Report().Quarantined) // they are series like others now
					}
				}
				var all []*Series
				for ser := range e.DeviceSeries(LostDevice) {
					all = append(all, ser)
				}
				_, err := e.Commit(bg, &Batch{Drops: all}, true)
				require.NoError(t, err)
				require.NoError(t, e.Compact(bg))
				for _, f := range e.currentFiles() {
					for id := range f.reader.Series() {
						require.Greater(t, id, slices.Max(slices.Collect(maps.Values(ids))))
					}
				}
				require.NoError(t, e.Close())
			})
		}
	}
}

func checkNamed(t *testing.T, e *Engine, want map[string]content, ids map[string]uint32) {
	t.Helper()
	there := map[string]bool{}
	lost := 0
	for _, ser := range dumpSeries(e) {
		there[ser.Path()] = true
		if ser.Device == LostDevice {
			lost++
		}
	}
	require.Greater(t, lost, 200)
	got := readable(t, e)
	for path, c := range named(want, ids, func(p string) bool { return there[p] }) {
		require.Equal(t, c, got[path], path)
		delete(got, path)
	}
	require.Empty(t, got)
}

func truncateTo(t *testing.T, fs vfs.FS, name string, size int) {
	t.Helper()
	f, err := fs.OpenReadWrite(name)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(int64(size)))
	require.NoError(t, f.Close())
}

// TestLostSeriesOldCatalogue: what the older catalogue knows keeps its name, and ids
// that it would have, were they not dropped before, bring nothing back.
func TestLostSeriesOldCatalogue(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	e := open(t, cfg)
	put(t, e, floatShape(t, e, "root.d", "gone"), []int64{1}, 1)
	put(t, e, floatShape(t, e, "root.d", "stays"), []int64{1}, 2)
	require.NoError(t, e.Flush(bg))
	gone, ok := e.Lookup("root.d", "gone")
	require.True(t, ok)
	_, err := e.Commit(bg, &Batch{Drops: []*Series{gone}}, true)
	require.NoError(t, err)
	put(t, e, floatShape(t, e, "root.d", "before"), []int64{1}, 3)
	require.NoError(t, e.Flush(bg))
	last := floatShape(t, e, "root.d", "new")
	put(t, e, last, []int64{1}, 4)
	require.NoError(t, e.Flush(bg))
	catalog := e.disk.catalogName(e.disk.now.Catalog)
	require.NoError(t, e.Close())
	require.NoError(t, fs.Remove(catalog))
	e = open(t, cfg)
	got := readable(t, e)
	lost := fmt.Sprintf("%s.s%d", LostDevice, last.Series()[0].ID)
	require.ElementsMatch(t, []string{"root.d.stays", "root.d.before", lost}, slices.Collect(maps.Keys(got)))
	require.NoError(t, e.Close())
}

// TestLostSeriesAndLimit: they do not count for MaxSeries, so that the series can be
// made again.
func TestLostSeriesAndLimit(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	_, _, catalog := wideStore(t, cfg, false)
	require.NoError(t, fs.Remove(catalog))
	cfg.MaxSeries = 768
	e := open(t, cfg)
	defer e.Close()
	for d := range 256 {
		_, err := e.Shape(fmt.Sprintf("root.d%d", d), []string{"a", "b", "c"}, []column.Kind{column.Float64, column.Int64, column.Text})
		require.NoError(t, err)
	}
	_, err := e.Shape("root.more", []string{"a"}, []column.Kind{column.Float64})
	require.ErrorIs(t, err, errs.Limit)
}

// TestLostSeriesForReaders: who only reads sees them, is told, and Verify tells it.
func TestLostSeriesForReaders(t *testing.T) {
	fs := vfs.NewMem()
	cfg := diskConfig(fs)
	want, ids, catalog := wideStore(t, cfg, true)
	require.NoError(t, fs.Remove(catalog))
	cfg.ReadOnly = true
	e := open(t, cfg)
	checkNamed(t, e, want, ids)
	require.NoError(t, e.Close())
	v, err := Verify(bg, cfg)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(v.Damage, func(d Damage) bool { return strings.Contains(d.Reason, LostDevice) }), "%v", v.Damage)
}

// TestLostSeriesMadeAgain: where the catalogue is put back after series that were lost
// with it have been made again, they keep what they had, in files and in the log, and the
// new ones what they have; the others get their names back.
func TestLostSeriesMadeAgain(t *testing.T) {
	for _, flushed := range []bool{true, false} {
		fs := vfs.NewMem()
		cfg := diskConfig(fs)
		want, ids, cat := wideStore(t, cfg, true)
		good, err := vfs.ReadFile(fs, cat)
		require.NoError(t, err)
		require.NoError(t, fs.Remove(cat))
		e := open(t, cfg)
		rng := rand.New(rand.NewPCG(13, 3))
		added := map[string]content{}
		for d := 0; d < 256; d += 3 {
			name := []string{"a", "c"}[d%2] // c is of another kind than it was
			s, err := e.Shape(fmt.Sprintf("root.d%d", d), []string{name, "new"}, []column.Kind{column.Float64, column.Int64})
			require.NoError(t, err)
			rows, _ := randomTablet(rng, s.layout.IDs, s.layout.Kinds, 20)
			_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: rows.Times, Cols: rows.Cols, Nulls: rows.Nulls}}}, false)
			require.NoError(t, err)
			added[s.series[0].Path()], added[s.series[1].Path()] = nil, nil
		}
		for path, c := range readable(t, e) {
			if _, ok := added[path]; ok {
				added[path] = c
			}
		}
		require.NoError(t, e.Close())
		f, err := fs.Create(cat)
		require.NoError(t, err)
		_, err = f.Write(good)
		require.NoError(t, err)
		require.NoError(t, f.Close())
		for round := range 3 {
			e := open(t, cfg)
			require.Equal(t, round < 2 || !flushed, strings.Contains(fmt.Sprint(e.Report().LostLog), "root.d0.a is made again"))
			got := readable(t, e)
			for path, c := range want {
				if _, ok := added[path]; ok {
					path = fmt.Sprintf("%s.s%d", LostDevice, ids[path])
				}
				require.Equal(t, c, got[path], "%s, round %d", path, round)
				delete(got, path)
			}
			require.Equal(t, added, got)
			if flushed && round == 1 {
				require.NoError(t, e.Flush(bg))
				require.NoError(t, e.Compact(bg))
			}
			require.NoError(t, e.Close())
		}
	}
}
