package merge

import (
	"math"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/internal/column"
)

// Few is points of one series that were copied from where they are kept: an answer
// so short that a cursor, and the snapshot that it needs, would cost more than the
// points. Not safe for concurrent use.
type Few struct {
	columns
	col  [1]column.Vector // memory of columns
	from int64
	to   int64
}

// Few has less than viewRows points: more are shown in place.
const maxFew = viewRows - 1

var fews = sync.Pool{New: func() any {
	f := new(Few)
	f.cols = f.col[:]
	return f
}}

// NewFew returns an empty answer for from <= time < to (to = math.MaxInt64: to the
// end), with memory of one that was closed.
func NewFew(kind column.Kind, from, to int64) *Few {
	f := fews.Get().(*Few)
	f.from, f.to = from, to
	f.times = f.times[:0]
	f.col[0].Reset(kind)
	return f
}

// Add adds those of some points that are asked for, without those that are null.
// It reports whether all is well: whether they are few and come after those that
// were added before. If not, f is of no use any more.
func (f *Few) Add(times []int64, values *column.Vector, nulls column.Bitmap) bool {
	hi := len(times)
	if hi == 0 || times[hi-1] < f.from {
		return true
	}
	if f.to != toEnd && times[hi-1] >= f.to {
		hi, _ = slices.BinarySearch(times, f.to)
	}
	lo := sinceBack(times[:hi], f.from)
	n := len(f.times)
	switch {
	case lo >= hi:
		return true
	case n+hi-lo > maxFew, n > 0 && times[lo] <= f.times[n-1], values.Kind != f.col[0].Kind, values.Kind == column.Text:
		return false // texts would be kept by memory that rests
	}
	if !nulls.Any(hi) {
		f.times = append(f.times, times[lo:hi]...)
		f.col[0].AppendRange(values, lo, hi)
		return true
	}
	for i := lo; i < hi; i++ {
		if !nulls.Get(i) {
			f.times = append(f.times, times[i])
			f.col[0].AppendRange(values, i, i+1)
		}
	}
	return true
}

// sinceBack returns the first of times that is not before from. What is asked for is
// mostly near the end, and so is what it looks at.
func sinceBack(times []int64, from int64) int {
	hi, step := len(times), 32 // a half of four lines of the cache
	for hi > 0 && times[max(0, hi-step)] >= from {
		hi, step = max(0, hi-step), 2*step
	}
	lo := max(0, hi-step)
	n, _ := slices.BinarySearch(times[lo:hi], from)
	return lo + n
}

// Range returns what NewFew was told.
func (f *Few) Range() (from, to int64) { return f.from, f.to }

// Times returns the times, strictly increasing, valid until Close.
func (f *Few) Times() []int64 { return f.times }

// Values returns the values, none of them null, as long as Times and valid as long.
func (f *Few) Values() *column.Vector { return &f.col[0] }

// Close leaves the memory to later answers.
func (f *Few) Close() {
	f.poison()
	fews.Put(f)
}

// Touches reports whether some of the times from first to last are asked for.
func (f *Few) Touches(first, last int64) bool {
	return last >= f.from && (f.to == math.MaxInt64 || first < f.to)
}
