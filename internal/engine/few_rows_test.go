package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/vfs"
)

// rowsText is rows as text; null cells are nulls whatever they hold.
func rowsText(times []int64, n int, col func(i int) (*column.Vector, column.Bitmap)) (out []string) {
	for k, at := range times {
		line := fmt.Sprint(at)
		for i := range n {
			v, nulls := col(i)
			if nulls.Get(k) {
				line += " null"
				continue
			}
			cell := v.Cell(k)
			line += fmt.Sprint(" ", cell.Kind, cell.Num)
		}
		out = append(out, line)
	}
	return out
}

// TestFewRows: the short way reads what a cursor of the same snapshot does, in memory
// and on a disk, of snapshots before which and after which rows were written, with
// nulls, rows late and alone, flushes, deletes, drops and series of another tablet.
func TestFewRows(t *testing.T) {
	names := []string{"f", "i", "n", "b", "g", "t"}
	kinds := []column.Kind{column.Float64, column.Int32, column.Int64, column.Bool, column.Float32, column.Text}
	for _, c := range []struct {
		name string
		cfg  func() Config
	}{{"memory", memConfig}, {"disk", func() Config { return diskConfig(vfs.NewMem()) }}} {
		t.Run(c.name, func(t *testing.T) {
			short, long, old, both, nulls := 0, 0, 0, 0, 0
			var few merge.FewRows
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, 6))
				cfg := c.cfg()
				cfg.BlockRows = []int{100, 1024, 70}[seed%3]
				e := open(t, cfg)
				at := int64(1)
				width := 5 // without texts
				if seed%4 == 3 {
					width = 6
				}
				var snaps []*Snapshot
				for range 120 {
					late := 0
					if seed%2 == 0 {
						late = 200
					}
					rows := 60
					if r.IntN(2) == 0 {
						rows = 1
					}
					if seed%3 == 0 {
						commitRandom(t, e, r, names[:width], kinds[:width], &at, rows, late)
					} else {
						tb := emptyTablet(t, e, "root.d", names[:width], kinds[:width])
						for range 1 + r.IntN(rows) {
							at++
							when := at
							if late > 0 && r.IntN(late) == 0 {
								when -= int64(r.IntN(200))
							}
							addRandomRow(&tb, r, when, r.IntN(5) == 0)
						}
						_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
						require.NoError(t, err)
					}
					switch r.IntN(24) {
					case 0, 1:
						require.NoError(t, e.Flush(bg))
					case 2, 5, 6, 7, 8:
						if e.log != nil {
							require.NotNil(t, e.freeze())
						}
					case 3:
						if ser, ok := e.Lookup("root.d", names[r.IntN(width)]); ok && seed%4 == 3 {
							_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{ser}, From: at - 20, To: at - 5}}}, false)
							require.NoError(t, err)
						}
					case 4:
						if ser, ok := e.Lookup("root.d", names[r.IntN(width)]); ok && seed%4 == 1 {
							_, err := e.Commit(bg, &Batch{Drops: []*Series{ser}}, false)
							require.NoError(t, err)
						}
					}
					if len(snaps) > 0 && r.IntN(2) == 0 {
						snaps[0].Release()
						snaps = snaps[1:]
					}
					snaps = append(snaps, e.Snapshot())
					for k, s := range snaps {
						var series []*Series
						for i := range width {
							if ser, ok := e.Lookup("root.d", names[i]); ok && (r.IntN(3) > 0 || seed%3 == 0) {
								series = append(series, ser)
							}
						}
						if len(series) == 0 {
							continue
						}
						r.Shuffle(len(series), func(i, j int) { series[i], series[j] = series[j], series[i] })
						from := at - int64(r.IntN(200))
						to := from + int64(r.IntN(150)) - 5
						if r.IntN(3) == 0 {
							to = math.MaxInt64
						}
						if !s.FewRows(&few, series, from, to) {
							long++
							continue
						}
						short++
						if len(few.Times()) > 0 {
							if k < len(snaps)-1 {
								old++
							}
							if e.frozen != nil {
								both++
							}
						}
						var want []string
						c := s.Rows(series, from, to)
						for c.Next() {
							want = append(want, rowsText(c.Times(), len(series), c.Col)...)
						}
						require.NoError(t, c.Err())
						c.Close()
						got := rowsText(few.Times(), len(series), func(i int) (*column.Vector, column.Bitmap) {
							v, gaps := few.Col(i)
							if gaps != nil {
								nulls++
							}
							return v, gaps
						})
						require.Equal(t, want, got, "seed %d, snapshot %d of %d, [%d, %d)", seed, k, len(snaps), from, to)
					}
				}
				for _, s := range snaps {
					s.Release()
				}
				require.NoError(t, e.Close())
			}
			require.NotZero(t, short, "reads by the short way")
			require.NotZero(t, long, "reads by the long way")
			require.NotZero(t, old, "reads of a snapshot after which rows were written")
			require.NotZero(t, nulls, "reads of nulls")
			if c.name == "disk" {
				require.NotZero(t, both, "reads while rows are on their way to a file")
			}
			t.Logf("%d short, %d long, %d of old snapshots, %d beside a frozen table", short, long, old, both)
		})
	}
}

// Once its memory is there, the short way allocates nothing.
func TestFewRowsAllocatesNothing(t *testing.T) {
	if detector {
		t.Skip("the race detector allocates")
	}
	e := open(t, memConfig())
	defer e.Close()
	shape, err := e.Shape("root.d", []string{"a", "b"}, []column.Kind{column.Float64, column.Float64})
	require.NoError(t, err)
	for at := range int64(50) {
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{{Shape: shape, Times: []int64{at}, Cols: append(floats(1), floats(2)...)}}}, false)
		require.NoError(t, err)
	}
	s := e.Snapshot()
	defer s.Release()
	var few merge.FewRows
	read := func() {
		if !s.FewRows(&few, shape.Series(), 30, math.MaxInt64) {
			t.Fatal("not read by the short way")
		}
	}
	read()
	require.Zero(t, testing.AllocsPerRun(100, read))
}
