package exec

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// bulkAggregator is an Aggregator that can fold many short windows of its one
// input at once, with the same bits as window by window. Windows of a few rows
// cost more to begin and end than to fold.
type bulkAggregator interface {
	// canBulk reports whether it can for cells like those of c, which has no
	// nulls.
	canBulk(c *Col) bool
	// bulk appends the result of each window i, the rows [b[2i], b[2i+1]) of c.
	bulk(c *Col, b []int32, out *Col)
}

// fewest is how many windows make folding them in bulk worth while.
const fewest = 8

// foldMany folds those of the windows that lie wholly before the last row of
// the batch at hand, and returns how many it took, possibly none. columns are
// the results that fold i has in out.
func (t *timeGroups) foldMany(i int, k int64, windows []window, columns []int) int {
	f := t.folds[i]
	if f.paned != nil || !f.loaded || len(windows) < fewest || len(f.open) == 0 {
		return 0
	}
	last := f.batch.Times[f.batch.Len()-1]
	n := 0
	for n < len(windows) && windows[n].end <= last && (n == 0 || windows[n].start >= windows[n-1].end) {
		n++
	}
	if n < fewest || f.open[len(f.open)-1].k >= k || f.open[len(f.open)-1].w.end > windows[0].start {
		return 0
	}
	aggs := f.open[0].aggs
	for _, c := range columns {
		at := t.from[c][0][1]
		b, ok := aggs[at].(bulkAggregator)
		if !ok || len(f.views[at].Cols) != 1 || len(f.views[at].Cols[0].Nulls) > 0 || !b.canBulk(&f.views[at].Cols[0]) {
			return 0
		}
	}
	f.bounds = f.bounds[:0]
	times := f.batch.Times
	rows := 0
	for _, w := range windows[:n] {
		lo := seek(times, f.low, w.start)
		// Mostly a window has as many rows as the one before it.
		if hi := lo + rows; hi < len(times) && times[hi] >= w.end && (rows == 0 || times[hi-1] < w.end) {
			f.low = hi
		} else {
			f.low = seek(times, lo, w.end)
			rows = f.low - lo
		}
		f.bounds = append(f.bounds, int32(lo), int32(f.low))
	}
	for _, c := range columns {
		at := t.from[c][0][1]
		out := &t.batch.Cols[c]
		switch out.Kind { // at once for all windows of the batch
		case column.Float64:
			out.Float64s = slices.Grow(out.Float64s, len(windows))
		case column.Int64:
			out.Int64s = slices.Grow(out.Int64s, len(windows))
		}
		aggs[at].(bulkAggregator).bulk(&f.views[at].Cols[0], f.bounds, out)
	}
	return n
}

func (a *sumAgg) canBulk(c *Col) bool { return c.Kind == column.Float64 }

func (a *sumAgg) bulk(c *Col, b []int32, out *Col) {
	for i := 0; i+1 < len(b); i += 2 {
		lo, hi := b[i], b[i+1]
		if lo == hi {
			out.appendNull()
			continue
		}
		sum := 0.0
		for _, v := range c.Float64s[lo:hi] {
			sum += v
		}
		if a.mean {
			sum /= float64(hi - lo)
		}
		out.Float64s = append(out.Float64s, sum)
	}
}

func (a *countAgg) canBulk(*Col) bool { return true }

func (a *countAgg) bulk(_ *Col, b []int32, out *Col) {
	for i := 0; i+1 < len(b); i += 2 {
		out.Int64s = append(out.Int64s, int64(b[i+1]-b[i]))
	}
}

// canBulk leaves extreme, which looks at both ends, to the longer way.
func (a *rangeAgg) canBulk(c *Col) bool { return c.Kind == column.Float64 && a.min != a.max }

func (a *rangeAgg) bulk(c *Col, b []int32, out *Col) {
	for i := 0; i+1 < len(b); i += 2 {
		lo, hi := b[i], b[i+1]
		if lo == hi {
			out.appendNull()
			continue
		}
		best, ranged := math.NaN(), false
		for _, v := range c.Float64s[lo:hi] {
			switch {
			case v != v:
			case !ranged:
				best, ranged = v, true
			case a.max:
				best = max(best, v)
			default:
				best = min(best, v)
			}
		}
		out.Float64s = append(out.Float64s, best)
	}
}
