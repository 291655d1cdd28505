package tickwell

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
)

// TestShortWindows compares averages, counts and maxima of many short windows
// with those folded row by row, bit for bit: of rows at regular times, of rows
// with gaps of several windows, and of rows that are now dense and now sparse.
func TestShortWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const window = 60
	for _, c := range []struct {
		name string
		step func(i int) int64
	}{
		{"six a window", func(int) int64 { return 10 }},
		{"seven and eight a window", func(int) int64 { return 8 }},
		{"one a window", func(int) int64 { return window }},
		{"fewer than windows", func(int) int64 { return window + 1 }},
		{"gaps", func(i int) int64 {
			if i%50 == 49 {
				return 7*window + 3
			}
			return 10
		}},
		{"dense and sparse", func(i int) int64 { return 1 + int64(i/100%5)*17 }},
		{"random", func(int) int64 { return 1 + rng.Int64N(40) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const n = 5000
			db := openMem(t, nil)
			tab := &Tablet{Device: "root.sg.d1"}
			times, values := make([]int64, n), make([]float64, n)
			at := int64(0)
			for i := range n {
				times[i], values[i] = at, rng.NormFloat64()*100
				at += c.step(i)
				must(t, tab.Append(ns(times[i]), Float64("s", values[i])))
			}
			must(t, db.InsertTablet(context.Background(), tab))
			end := (at/window + 1) * window
			s := expr.Col("s")
			res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Avg(s), expr.Count(s), expr.Max(s)}, From: []string{"root.sg.d1"},
				Start: ns(0), End: ns(end), GroupBy: GroupByTime{Interval: window * time.Nanosecond}})
			must(t, err)
			next := int64(0)
			row := 0
			for tab, err := range res.Tablets() {
				must(t, err)
				for i, start := range tab.Times {
					require.Equal(t, next, start)
					next += window
					sum, count, most := 0.0, int64(0), math.Inf(-1)
					for ; row < n && times[row] < next; row++ {
						sum, count, most = sum+values[row], count+1, max(most, values[row])
					}
					require.Equal(t, count, tab.Columns[1].Data.(Int64s)[i], "count of window %d", start)
					if count == 0 {
						require.True(t, tab.Columns[0].Nulls.Get(i) && tab.Columns[2].Nulls.Get(i), "window %d is empty", start)
						continue
					}
					require.Equal(t, sum/float64(count), tab.Columns[0].Data.(Float64s)[i], "average of window %d", start)
					require.Equal(t, most, tab.Columns[2].Data.(Float64s)[i], "maximum of window %d", start)
				}
			}
			require.Equal(t, end, next)
		})
	}
}
