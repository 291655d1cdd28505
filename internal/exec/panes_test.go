package exec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tickwell/tickwell/internal/column"
)

// Overlapping windows put together from panes say what the windows say one by
// one.
func TestPanes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	f := newFakeStore()
	var times []int64
	v := column.Vector{Kind: column.Float64}
	for at := int64(-50); at < 3000; at += 1 + rng.Int64N(3) {
		if at > 1000 && at < 1400 {
			continue // windows without rows
		}
		times = append(times, at)
		x := math.Round(rng.NormFloat64()*100) / 4
		if rng.IntN(40) == 0 {
			x = math.NaN()
		}
		v.Float64s = append(v.Float64s, x)
	}
	f.add("root.d", "s", times, v)
	names := []string{"count", "sum", "avg", "min_value", "max_value", "extreme", "first_value", "last_value", "min_time", "max_time", "time_duration"}
	for _, c := range []struct{ start, end, interval, step int64 }{
		{0, 3000, 100, 10}, {0, 3000, 100, 1}, {-20, 2990, 103, 7}, {7, 2000, 1000, 1}, {0, 3001, 50, 12}, {500, 1500, 64, 16}, {0, 40, 100, 5},
	} {
		for _, open := range []bool{false, true} {
			if paneOf(&grid{interval: Span{NS: c.interval}, step: Span{NS: c.step}}) == 0 {
				t.Fatalf("%+v is not paned", c)
			}
			q := Query{Select: aggs(names...), From: []string{"root.d"}, Start: c.start, End: c.end,
				Group: Group{Kind: GroupTime, Interval: Span{NS: c.interval}, Step: Span{NS: c.step}, LeftOpen: open}}
			got := f.run(t, q)
			q.Exact = true // window by window
			want := f.run(t, q)
			if fmt.Sprint(got.Times) != fmt.Sprint(want.Times) {
				t.Fatalf("%+v: times %v, want %v", c, got.Times, want.Times)
			}
			for i := range got.Cols {
				for r := range got.Times {
					a, b := got.Cols[i].Float64At(r), want.Cols[i].Float64At(r)
					if got.Cols[i].Nulls.Get(r) != want.Cols[i].Nulls.Get(r) || !(math.Abs(a-b) <= 1e-9 || math.IsNaN(a) && math.IsNaN(b)) {
						t.Fatalf("%+v, left open %v: %s of window %d is %v, want %v", c, open, names[i], got.Times[r], a, b)
					}
				}
			}
		}
	}
}
