package exec

import (
	"math"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/internal/column"
)

// bulkAggregator is an Aggregator that can fold many short windows of its one
// input at once, with the same bits as window by window. Windows of a few rows
// cost more to begin and end than to fold. It never looks at the times of rows.
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
	if f.open[len(f.open)-1].k >= k || f.open[len(f.open)-1].w.end > windows[0].start {
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
	mem := boundsPool.Get().(*[]int32)
	defer boundsPool.Put(mem)
	var bounds []int32
	if f.line.n > 0 {
		bounds = f.line.bound(f.low, windows, (*mem)[:0])
	} else {
		bounds = f.bound(windows, (*mem)[:0])
	}
	*mem = bounds
	n := len(bounds) / 2
	if n < fewest {
		return 0
	}
	f.low = int(bounds[2*n-2]) // the next window may begin in the last of them: 30d, 1mo
	for _, c := range columns {
		at := t.from[c][0][1]
		aggs[at].(bulkAggregator).bulk(&f.views[at].Cols[0], bounds, &t.batch.Cols[c])
	}
	return n
}

// boundsPool has memory for the rows of windows.
var boundsPool = sync.Pool{New: func() any { return new([]int32) }}

// bound appends the rows of the windows that follow each other and lie wholly
// before the last row of the batch at hand.
func (f *fold) bound(windows []window, bounds []int32) []int32 {
	times := f.batch.Times
	if f.low >= len(times) {
		return bounds
	}
	last := times[len(times)-1]
	bounds = slices.Grow(bounds, 2*len(windows))
	low, rows := f.low, 0
	for n := range windows {
		w := &windows[n]
		if w.end > last || n > 0 && w.start < windows[n-1].end {
			break
		}
		lo := low
		if times[lo] < w.start {
			lo = seek(times, lo, w.start)
		}
		// Mostly a window has as many rows as the one before it.
		low = lo + rows
		if low >= len(times) || times[low] < w.end || rows > 0 && times[low-1] >= w.end {
			low = seek(times, lo, w.end)
			rows = low - lo
		}
		bounds = append(bounds, int32(lo), int32(low))
	}
	return bounds
}

func (a *sumAgg) canBulk(c *Col) bool { return c.Kind == column.Float64 }

func (a *sumAgg) bulk(c *Col, b []int32, out *Col) {
	for i := 0; i+1 < len(b); i += 2 {
		lo, hi := b[i], b[i+1]
		if i+8 <= len(b) && lo < hi && a.four(c.Float64s, b[i:i+8], out) {
			i += 6
			continue
		}
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

// four sums four windows side by side, if they have as many rows each: each in
// the order of time, but without one sum waiting for another.
func (a *sumAgg) four(v []float64, b []int32, out *Col) bool {
	n := b[1] - b[0]
	if b[3]-b[2] != n || b[5]-b[4] != n || b[7]-b[6] != n {
		return false
	}
	w0, w1, w2, w3 := v[b[0]:b[1]], v[b[2]:b[3]], v[b[4]:b[5]], v[b[6]:b[7]]
	w1, w2, w3 = w1[:len(w0)], w2[:len(w0)], w3[:len(w0)]
	var s0, s1, s2, s3 float64
	for i := range w0 {
		s0 += w0[i]
		s1 += w1[i]
		s2 += w2[i]
		s3 += w3[i]
	}
	if a.mean {
		d := float64(n)
		s0, s1, s2, s3 = s0/d, s1/d, s2/d, s3/d
	}
	out.Float64s = append(out.Float64s, s0, s1, s2, s3)
	return true
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
