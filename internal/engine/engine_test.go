package engine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/wal"
	"github.com/tickwell/tickwell/vfs"
)

var bg = context.Background()

// engines runs f in memory and on a disk.
func engines(t *testing.T, f func(t *testing.T, e *Engine)) {
	t.Run("memory", func(t *testing.T) {
		e := open(t, memConfig())
		defer e.Close()
		f(t, e)
	})
	t.Run("disk", func(t *testing.T) {
		e := open(t, diskConfig(vfs.NewMem()))
		defer e.Close()
		f(t, e)
	})
}

func floats(v ...float64) []column.Vector {
	return []column.Vector{{Kind: column.Float64, Float64s: v}}
}

func floatShape(t testing.TB, e *Engine, device, name string) *Shape {
	t.Helper()
	s, err := e.Shape(device, []string{name}, []column.Kind{column.Float64})
	require.NoError(t, err)
	return s
}

// emptyTablet makes a tablet without rows of a device's columns, which are made if
// they are missing.
func emptyTablet(t testing.TB, e *Engine, device string, names []string, kinds []column.Kind) Tablet {
	t.Helper()
	s, err := e.Shape(device, names, kinds)
	require.NoError(t, err)
	tb := Tablet{Shape: s, Cols: make([]column.Vector, len(kinds)), Nulls: make([]column.Bitmap, len(kinds))}
	for c, kind := range kinds {
		tb.Cols[c].Kind = kind
	}
	return tb
}

// addRandomRow adds a row of few different values to tb, a quarter of them null if
// nulls is set.
func addRandomRow(tb *Tablet, r *rand.Rand, at int64, nulls bool) {
	row := len(tb.Times)
	tb.Times = append(tb.Times, at)
	for c := range tb.Cols {
		tb.Cols[c].AppendCell(&column.Cell{Num: uint64(r.IntN(2)), Text: fmt.Sprint(r.IntN(100))})
		if nulls && r.IntN(4) == 0 {
			tb.Nulls[c].Set(row)
		}
	}
}

// commitRandom writes a tablet of up to rows random rows of some of a device's
// columns, often of all of them, at the times that follow at; if late is not 0, one row
// in late is up to 200 earlier.
func commitRandom(t testing.TB, e *Engine, r *rand.Rand, names []string, kinds []column.Kind, at *int64, rows, late int) {
	t.Helper()
	lo := r.IntN(len(names))
	hi := lo + 1 + r.IntN(len(names)-lo)
	if r.IntN(3) > 0 {
		lo, hi = 0, len(names)
	}
	tb := emptyTablet(t, e, "root.d", names[lo:hi], kinds[lo:hi])
	nulls := r.IntN(3) == 0
	for range 1 + r.IntN(rows) {
		*at++
		when := *at
		if late > 0 && r.IntN(late) == 0 {
			when -= int64(r.IntN(200))
		}
		addRandomRow(&tb, r, when, nulls)
	}
	_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
	require.NoError(t, err)
}

func put(t testing.TB, e *Engine, s *Shape, times []int64, v ...float64) *Batch {
	t.Helper()
	b := &Batch{Tablets: []Tablet{{Shape: s, Times: times, Cols: floats(v...)}}}
	_, err := e.Commit(bg, b, false)
	require.NoError(t, err)
	return b
}

func points(t testing.TB, e *Engine, ser *Series) map[int64]float64 {
	t.Helper()
	s := e.Snapshot()
	defer s.Release()
	c := s.Cursor(ser, math.MinInt64, math.MaxInt64)
	out := map[int64]float64{}
	for c.Next() {
		for i, at := range c.Times() {
			out[at] = c.Values().Float64s[i]
		}
	}
	require.NoError(t, c.Err())
	return out
}

func TestCheckAndShape(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		kf, ki := column.Float64, column.Int32
		e.cfg.MaxSeries = 3
		_, err := e.Shape("root.d", []string{"a", "b"}, []column.Kind{kf, ki})
		require.NoError(t, err)
		for _, c := range []struct {
			device string
			names  []string
			kinds  []column.Kind
			want   error
			text   string
		}{
			{"root.d", []string{"b", "a"}, []column.Kind{ki, kf}, nil, ""},
			{"root.d", []string{"c"}, []column.Kind{ki}, nil, ""},
			{"root.d", []string{"a"}, []column.Kind{ki}, errs.KindMismatch, "series root.d.a is float64, not int32"},
			{"root.d", []string{"c", "d"}, []column.Kind{ki, ki}, errs.Limit, "2 of 3 exist"},
			{"root.d", []string{"a", "a"}, []column.Kind{kf, kf}, errs.BadInput, "measurement a twice"},
			{"root.d", []string{"a"}, nil, errs.BadInput, "1 measurements with 0 kinds"},
			{"root.d", nil, nil, errs.BadInput, "0 measurements"},
			{"root.d", []string{""}, []column.Kind{ki}, errs.BadInput, "root.d."},
			{"root..d", []string{"x"}, []column.Kind{ki}, errs.BadInput, "root..d.x"},
			{"root.d", []string{"*"}, []column.Kind{ki}, errs.BadInput, "root.d.*"},
			{"root.d", []string{"x"}, []column.Kind{column.Null}, errs.BadInput, "kind 0"},
			{"root.d", []string{"x"}, []column.Kind{9}, errs.BadInput, "kind 9"},
		} {
			err := e.Check(c.device, c.names, c.kinds)
			require.ErrorIs(t, err, c.want, "%v", c.names)
			if c.want != nil {
				require.ErrorContains(t, err, c.text)
				_, err = e.Shape(c.device, c.names, c.kinds)
				require.ErrorIs(t, err, c.want, "%v", c.names)
			}
		}
		require.Equal(t, 2, e.Stats().Series, "refused shapes made series")
		s1, _ := e.Shape("root.d", []string{"b", "a"}, []column.Kind{ki, kf})
		s2, _ := e.Shape("root.d", []string{"b", "a"}, []column.Kind{ki, kf})
		require.Same(t, s1, s2)
		a, ok := e.Lookup("root.d", "a")
		require.True(t, ok)
		require.Same(t, a, s1.Series()[1])
	})
}

func TestMatchOrders(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		for _, p := range [][2]string{{"root.b", "z"}, {"root.a", "y"}, {"root.b", "a"}, {"root.a.c", "x"}, {"root.ab", "q"}} {
			floatShape(t, e, p[0], p[1])
		}
		list := func(series []*Series) (out []string) {
			for _, s := range series {
				out = append(out, s.Path())
			}
			return out
		}
		for _, c := range []struct {
			pattern     string
			paths, made []string
			_           struct{}
		}{
			{pattern: "root.**", paths: []string{"root.a.c.x", "root.a.y", "root.ab.q", "root.b.a", "root.b.z"}, made: []string{"root.b.z", "root.a.y", "root.b.a", "root.a.c.x", "root.ab.q"}},
			{pattern: "root.b.*", paths: []string{"root.b.a", "root.b.z"}, made: []string{"root.b.z", "root.b.a"}},
			{pattern: "root.a.**", paths: []string{"root.a.c.x", "root.a.y"}, made: []string{"root.a.y", "root.a.c.x"}},
			{pattern: "root.a.y", paths: []string{"root.a.y"}, made: []string{"root.a.y"}},
			{pattern: "root.*.q", paths: []string{"root.ab.q"}, made: []string{"root.ab.q"}},
			{pattern: "root.c.**"},
		} {
			p, err := pattern.Parse(c.pattern)
			require.NoError(t, err)
			require.Equal(t, c.paths, list(e.Match(p)), c.pattern)
			require.Equal(t, c.made, list(e.MatchCreated(p)), c.pattern)
		}
		require.Equal(t, []string{"root.a", "root.a.c"}, e.Devices("root.a"))
	})
}

func TestCommitRefuses(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		s := floatShape(t, e, "root.d", "a")
		before := e.Stats().LastLSN
		dead, cancel := context.WithCancel(bg)
		cancel()
		for _, c := range []struct {
			name string
			ctx  context.Context
			b    Batch
			want error
		}{
			{"context", dead, Batch{Puts: []Put{{Key: "x"}}}, context.Canceled},
			{"no shape", bg, Batch{Tablets: []Tablet{{Times: []int64{1}}}}, errs.BadInput},
			{"columns", bg, Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1}}}}, errs.BadInput},
			{"lengths", bg, Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1, 2}, Cols: floats(1)}}}, errs.BadInput},
			{"kind", bg, Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1}, Cols: []column.Vector{{Kind: column.Int32, Int32s: []int32{1}}}}}}, errs.KindMismatch},
			{"least time", bg, Batch{Tablets: []Tablet{{Shape: s, Times: []int64{math.MinInt64}, Cols: floats(1)}}}, errs.BadInput},
			{"greatest time", bg, Batch{Tablets: []Tablet{{Shape: s, Times: []int64{math.MaxInt64}, Cols: floats(1)}}}, errs.BadInput},
			{"rows", bg, Batch{Tablets: []Tablet{{Shape: s, Times: make([]int64, MaxRows+1), Cols: floats(make([]float64, MaxRows+1)...)}}}, errs.Limit},
			{"range", bg, Batch{Deletes: []Delete{{Series: s.Series(), From: 2, To: 1}}}, errs.BadInput},
			{"no series", bg, Batch{Drops: []*Series{nil}}, errs.BadInput},
		} {
			lsn, err := e.Commit(c.ctx, &c.b, false)
			require.ErrorIs(t, err, c.want, c.name)
			require.Zero(t, lsn, c.name)
			var stored *StoredError
			require.NotErrorAs(t, err, &stored, c.name)
		}
		lsn, err := e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Cols: floats()}}}, true)
		require.NoError(t, err)
		require.Zero(t, lsn, "an empty batch")
		require.Equal(t, before, e.Stats().LastLSN)
		put(t, e, s, []int64{MinTime, MaxTime}, 1, 2)
		require.Equal(t, map[int64]float64{MinTime: 1, MaxTime: 2}, points(t, e, s.Series()[0]))
	})
}

func TestDropMakesShapesStale(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		old := floatShape(t, e, "root.d", "a")
		put(t, e, old, []int64{1, 2}, 1, 2)
		held := e.Snapshot()
		defer held.Release()
		_, err := e.Commit(bg, &Batch{Drops: old.Series()}, false)
		require.NoError(t, err)
		require.True(t, old.Stale())
		_, err = e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: old, Times: []int64{3}, Cols: floats(3)}}}, false)
		require.ErrorIs(t, err, ErrStale)
		_, ok := e.Lookup("root.d", "a")
		require.False(t, ok)
		again, err := e.Shape("root.d", []string{"a"}, []column.Kind{column.Float64})
		require.NoError(t, err)
		require.NotEqual(t, old.Series()[0].ID, again.Series()[0].ID, "an id was used twice")
		require.Empty(t, points(t, e, again.Series()[0]))
		p, ok, err := held.Last(old.Series()[0])
		require.NoError(t, err)
		require.True(t, ok, "a snapshot lost a series that was dropped later")
		require.Equal(t, int64(2), p.Time)
	})
}

func TestLateRowsAreCounted(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		s := floatShape(t, e, "root.d", "a")
		require.Equal(t, 0, put(t, e, s, []int64{10, 20}, 1, 2).LateRows)
		require.Equal(t, 2, put(t, e, s, []int64{5, 20, 30}, 1, 2, 3).LateRows)
		require.Equal(t, 1, put(t, e, s, []int64{30}, 4).LateRows)
		require.Equal(t, int64(3), e.Stats().LateRows)
		require.Equal(t, map[int64]float64{5: 1, 10: 1, 20: 2, 30: 4}, points(t, e, s.Series()[0]))
	})
}

func TestClosed(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		s := floatShape(t, e, "root.d", "a")
		put(t, e, s, []int64{1}, 1)
		held := e.Snapshot()
		require.NoError(t, e.Close())
		require.ErrorIs(t, e.Close(), errs.Closed)
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{2}, Cols: floats(2)}}}, false)
		require.ErrorIs(t, err, errs.Closed)
		_, err = e.Shape("root.d", []string{"b"}, []column.Kind{column.Float64})
		require.ErrorIs(t, err, errs.Closed)
		require.ErrorIs(t, e.Flush(bg), errs.Closed)
		require.ErrorIs(t, e.Sync(bg), errs.Closed)
		late := e.Snapshot()
		require.ErrorIs(t, late.Cursor(s.Series()[0], 0, 9).Err(), errs.Closed)
		late.Release()
		p, ok, err := held.Last(s.Series()[0])
		require.NoError(t, err)
		require.True(t, ok && p.Value.Float64s[0] == 1, "a snapshot ended with its store")
		held.Release()
		held.Release()
		require.ErrorIs(t, held.Cursor(s.Series()[0], 0, 9).Err(), errs.Closed)
	})
}

func TestLocked(t *testing.T) {
	fs := vfs.NewMem()
	e := open(t, diskConfig(fs))
	_, err := Open(bg, diskConfig(fs))
	require.ErrorIs(t, err, errs.Locked)
	require.NoError(t, e.Close())
	open(t, diskConfig(fs)).Close()
}

// TestLockRemoved: who takes LOCK for what a killed process left behind, and removes
// it, does not get in beside a process that has the store open.
func TestLockRemoved(t *testing.T) {
	dir := t.TempDir()
	locked, err := vfs.OS().Lock(dir)
	if err != nil {
		t.Skip("folders cannot be locked here")
	}
	require.NoError(t, locked.Close())
	cfg := diskConfig(vfs.OS())
	cfg.Dir = filepath.Join(dir, "db")
	e := open(t, cfg)
	put(t, e, floatShape(t, e, "root.d", "a"), []int64{1}, 1)
	for range 2 {
		require.NoError(t, os.Remove(filepath.Join(cfg.Dir, "LOCK")))
		_, err = Open(bg, cfg)
		require.ErrorIs(t, err, errs.Locked)
	}
	cfg.ReadOnly = true
	require.NoError(t, open(t, cfg).Close())
	cfg.ReadOnly = false
	require.NoError(t, e.Close())
	require.NoError(t, open(t, cfg).Close())
}

func TestStoredWhenContextEnds(t *testing.T) {
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	ctx, cancel := context.WithCancel(bg)
	s := floatShape(t, e, "root.d", "a")
	e.gate.Lock() // the commit passes its checks and waits here
	done := make(chan error)
	go func() {
		_, err := e.Commit(ctx, &Batch{Tablets: []Tablet{{Shape: s, Times: []int64{1}, Cols: floats(1)}}}, false)
		done <- err
	}()
	cancel()
	e.gate.Unlock()
	err := <-done
	if err != nil { // it may have seen the end before its position, or sync at once
		require.ErrorIs(t, err, context.Canceled)
	}
	var stored *StoredError
	got := points(t, e, s.Series()[0])
	require.Equal(t, err == nil || errors.As(err, &stored), len(got) == 1, "stored %v, error %v", got, err)
}

func TestDeleteAndRewriteInOneBatch(t *testing.T) {
	engines(t, func(t *testing.T, e *Engine) {
		s := floatShape(t, e, "root.d", "a")
		put(t, e, s, []int64{1, 2, 3, 4}, 1, 2, 3, 4)
		_, err := e.Commit(bg, &Batch{
			Deletes: []Delete{{Series: s.Series(), From: 2, To: 4}},
			Tablets: []Tablet{{Shape: s, Times: []int64{3}, Cols: floats(30)}},
		}, false)
		require.NoError(t, err)
		require.Equal(t, map[int64]float64{1: 1, 3: 30, 4: 4}, points(t, e, s.Series()[0]))
		require.NoError(t, e.Flush(bg))
		require.Equal(t, map[int64]float64{1: 1, 3: 30, 4: 4}, points(t, e, s.Series()[0]))
		_, err = e.Commit(bg, &Batch{Deletes: []Delete{{Series: s.Series(), From: math.MinInt64, To: math.MaxInt64}}}, false)
		require.NoError(t, err)
		require.NoError(t, e.Flush(bg))
		require.Empty(t, points(t, e, s.Series()[0]))
	})
}

// TestBackPressure feeds a store whose memtable is far smaller than the data.
func TestBackPressure(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.ManualFlush, cfg.MemtableBytes, cfg.MemtableHard = false, 20<<10, 40<<10
	cfg.Sync = wal.Policy{Mode: wal.Never}
	e := open(t, cfg)
	s := floatShape(t, e, "root.d", "a")
	want := map[int64]float64{}
	for i := range int64(3000) {
		times, v := []int64{i * 10, i*10 + 1, i*10 + 2}, []float64{float64(i), math.Sqrt(float64(i)), -1}
		put(t, e, s, times, v...)
		for k := range times {
			want[times[k]] = v[k]
		}
		require.Less(t, e.Stats().MemtableBytes, cfg.MemtableHard+64<<10)
	}
	require.Positive(t, e.Stats().Flushes)
	require.Equal(t, want, points(t, e, s.Series()[0]))
	require.NoError(t, e.Close())
}
