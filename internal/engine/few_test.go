package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// fewOf is what Few returns, as text; ok is false if it returns nothing.
func fewOf(e *Engine, ser *Series, from, to int64) (out []string, ok bool) {
	f := e.Few(ser, from, to)
	if f == nil {
		return nil, false
	}
	defer f.Close()
	for i, at := range f.Times() {
		cell := f.Values().Cell(i)
		out = append(out, fmt.Sprint(at, cell.Num, cell.Text, cell.Kind))
	}
	return out, true
}

// cursorOf is what a cursor of a snapshot taken now returns, as text.
func cursorOf(t *testing.T, e *Engine, ser *Series, from, to int64) (out []string) {
	s := e.Snapshot()
	defer s.Release()
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

// TestFew: the short way reads what a cursor does, in memory and on a disk, with
// nulls, rows in tablets and alone, late rows, flushes, deletes, drops, reopening and
// rows that are on their way to a file.
func TestFew(t *testing.T) {
	names := []string{"f", "i", "n", "t", "b", "g"}
	kinds := []column.Kind{column.Float64, column.Int32, column.Int64, column.Text, column.Bool, column.Float32}
	for _, c := range []struct {
		name string
		cfg  func() Config
	}{{"memory", memConfig}, {"disk", func() Config { return diskConfig(vfs.NewMem()) }}} {
		t.Run(c.name, func(t *testing.T) {
			short, long, both := 0, 0, 0
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, 5))
				cfg := c.cfg()
				cfg.BlockRows = []int{100, 1024, 70}[seed%3]
				e := open(t, cfg)
				at := int64(1)
				for range 80 {
					late := 0
					if seed%2 == 0 {
						late = 200
					}
					commitRandom(t, e, r, names, kinds, &at, 60, late)
					switch r.IntN(20) {
					case 0, 1, 2, 3:
						require.NoError(t, e.Flush(bg))
					case 4:
						if e.log != nil {
							require.NotNil(t, e.freeze())
						}
					case 5:
						if ser, ok := e.Lookup("root.d", names[r.IntN(len(names))]); ok && seed%4 == 3 {
							_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: at - 20, To: at - 5}}}, false)
							require.NoError(t, err)
						}
					case 6:
						if ser, ok := e.Lookup("root.d", names[r.IntN(len(names))]); ok {
							_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
							require.NoError(t, err)
							_, ok := fewOf(e, ser, 0, math.MaxInt64)
							require.False(t, ok, "a series that was dropped")
						}
					case 7:
						if cfg.Dir != "" {
							require.NoError(t, e.Close())
							e = open(t, cfg)
						}
					}
					for _, name := range names {
						ser, ok := e.Lookup("root.d", name)
						if !ok {
							continue
						}
						from := at - int64(r.IntN(200))
						to := from + int64(r.IntN(150)) - 5
						if r.IntN(3) == 0 {
							to = math.MaxInt64
						}
						got, ok := fewOf(e, ser, from, to)
						if !ok {
							long++
							continue
						}
						short++
						if e.frozen != nil && len(got) > 0 {
							both++
						}
						require.Equal(t, cursorOf(t, e, ser, from, to), got, "seed %d %s [%d, %d)", seed, name, from, to)
					}
				}
				require.NoError(t, e.Close())
			}
			require.NotZero(t, short, "reads by the short way")
			require.NotZero(t, long, "reads by the long way")
			if c.name == "disk" {
				require.NotZero(t, both, "reads while rows are on their way to a file")
			}
		})
	}
}

// TestFewSeesWholeCommits: who reads one series and then another by the short way
// sees of the second all commits that it has seen of the first, whole and without
// gaps, while rows are written, frozen and flushed.
func TestFewSeesWholeCommits(t *testing.T) {
	const commits = 3000
	e := open(t, diskConfig(vfs.NewMem()))
	defer e.Close()
	a, b := floatShape(t, e, "root.a", "s"), floatShape(t, e, "root.b", "s")
	var stop sync.WaitGroup
	done := make(chan struct{})
	stop.Go(func() {
		defer close(done)
		for i := range int64(commits) {
			tablets := []Tablet{{Shape: b, Times: []int64{2 * i, 2*i + 1}, Cols: floats(1, 2)}, {Shape: a, Times: []int64{2 * i, 2*i + 1}, Cols: floats(1, 2)}}
			if _, err := e.Commit(bg, &Batch{Tablets: tablets}, false); err != nil {
				t.Error(err)
				return
			}
			if i%300 == 299 {
				if err := e.Flush(bg); err != nil {
					t.Error(err)
				}
			}
		}
	})
	newest := func(ser *Series, from int64) int64 {
		if f := e.Few(ser, from, math.MaxInt64); f != nil {
			defer f.Close()
			times := f.Times()
			for i := range times {
				if times[i] != times[0]+int64(i) {
					t.Errorf("%s from %d: %v", ser.Path(), from, times)
				}
			}
			if n := len(times); n > 0 {
				if times[n-1]%2 == 0 {
					t.Errorf("%s ends in half a commit: %v", ser.Path(), times)
				}
				return times[n-1]
			}
			return from - 1
		}
		s := e.Snapshot()
		defer s.Release()
		at, _, ok, err := s.LastCell(ser)
		if err != nil || !ok {
			return from - 1
		}
		return at
	}
	pair := [2]*Series{a.Series()[0], b.Series()[0]}
	for seen, k := int64(-1), 0; ; k++ {
		select {
		case <-done:
			require.Equal(t, int64(2*commits-1), newest(pair[0], 2*commits-20))
			stop.Wait()
			return
		default:
		}
		first := newest(pair[k%2], max(0, seen-10))
		second := newest(pair[1-k%2], max(0, first-10))
		if first < seen || second < first {
			t.Fatalf("seen %d, then %d of %s and %d of the other", seen, first, pair[k%2].Path(), second)
		}
		seen = first
	}
}

// The short way allocates nothing.
func TestFewAllocatesNothing(t *testing.T) {
	for _, cfg := range []Config{memConfig(), diskConfig(vfs.NewMem())} {
		e := open(t, cfg)
		shape := floatShape(t, e, "root.d", "s")
		var times []int64
		for at := range int64(200) {
			times = append(times, at)
		}
		put(t, e, shape, times, make([]float64, 200)...)
		require.NoError(t, e.Flush(bg))
		read := func() {
			f := e.Few(shape.Series()[0], 170, math.MaxInt64)
			if f == nil || len(f.Times()) != 30 {
				t.Fatal("not read by the short way")
			}
			f.Close()
		}
		read()
		if !detector {
			require.Zero(t, testing.AllocsPerRun(100, read))
		}
		require.NoError(t, e.Close())
	}
}
