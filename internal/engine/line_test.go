package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/vfs"
)

// TestNextLine: what a cursor gives where times are told by their step are the
// points that it gives where they are written out: of any range, with nulls, gaps,
// deletes and late points, before and after a flush, damaged or not.
func TestNextLine(t *testing.T) {
	cfg := diskConfig(vfs.NewMem())
	cfg.BlockRows = 256
	e := open(t, cfg)
	defer e.Close()
	names, kinds := []string{"full", "nulls", "count"}, []column.Kind{column.Float64, column.Float64, column.Int64}
	rnd := rand.New(rand.NewPCG(3, 4))
	write := func(times []int64) {
		tb := emptyTablet(t, e, "root.d", names, kinds)
		for row, at := range times {
			tb.Times = append(tb.Times, at)
			for c := range kinds {
				tb.Cols[c].AppendCell(&column.Cell{Num: math.Float64bits(float64(rnd.IntN(100_000)) / 100)})
			}
			if rnd.IntN(400) == 0 {
				tb.Nulls[1].Set(row)
			}
		}
		_, err := e.Commit(bg, &Batch{Tablets: []Tablet{tb}}, false)
		require.NoError(t, err)
	}
	run := func(from, n, step int64) (times []int64) {
		for i := range n {
			times = append(times, from+i*step)
		}
		return times
	}
	series := func(name string) *Series {
		s, ok := e.Lookup("root.d", name)
		require.True(t, ok)
		return s
	}
	read := func(ser *Series, from, to int64, byLine bool) (points []string, lines int) {
		s := e.Snapshot()
		defer s.Release()
		c := s.Cursor(ser, from, to)
		defer c.Close()
		for {
			if byLine {
				if _, ok := c.PeekStats(); ok {
					if first, step, rows := c.NextLine(); rows > 0 {
						require.Empty(t, c.Times())
						require.Equal(t, rows, c.Values().Len())
						for i := range rows {
							points = append(points, fmt.Sprint(first+int64(i)*step, c.Values().Cell(i)))
						}
						lines++
						continue
					}
				}
			}
			if !c.Next() {
				break
			}
			for i, at := range c.Times() {
				points = append(points, fmt.Sprint(at, c.Values().Cell(i)))
			}
		}
		require.NoError(t, c.Err())
		return points, lines
	}
	check := func(what string) (lines int) {
		for _, name := range names {
			ser := series(name)
			for range 30 {
				from, to := int64(math.MinInt64), int64(math.MaxInt64)
				if rnd.IntN(3) > 0 {
					from = rnd.Int64N(60_000) - 1000
				}
				if rnd.IntN(3) > 0 {
					to = rnd.Int64N(80_000)
				}
				want, _ := read(ser, from, to, false) // after which lines are known
				got, n := read(ser, from, to, true)
				require.Equal(t, want, got, "%s: %s from %d to %d", what, name, from, to)
				lines += n
			}
		}
		return lines
	}
	write(run(0, 3000, 10))
	require.Zero(t, check("in memory"))
	require.NoError(t, e.Flush(bg))
	require.NotZero(t, check("in a file"))
	write(append(run(30_000, 1000, 7), run(50_000, 1000, 20)...))
	require.NoError(t, e.Flush(bg))
	require.NotZero(t, check("two steps"))
	write([]int64{15_005, 15_010, 40_001})
	require.NotZero(t, check("late points in memory"))
	require.NoError(t, e.Flush(bg))
	require.NotZero(t, check("late points in a file"))
	_, err := e.Commit(bg, &Batch{Deletes: []Delete{{Series: []*Series{series("full"), series("nulls")}, From: 5000, To: 9000}}}, false)
	require.NoError(t, err)
	require.NotZero(t, check("deleted"))
}
