package merge

import (
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// FewRows is rows of several series that were copied from where they are kept, as
// Few is points of one. Its memory is used again by the next Start. Not safe for
// concurrent use.
type FewRows struct {
	Series   []FewSeries
	times    []int64
	from, to int64
}

// FewSeries is a series of FewRows.
type FewSeries struct {
	ID    uint32
	At    int // its column in the rows that are added
	col   column.Vector
	nulls column.Bitmap
	some  bool // of them are set
}

// Start empties f for n series and times with from <= time < to.
func (f *FewRows) Start(n int, from, to int64) {
	f.from, f.to, f.times = from, to, f.times[:0]
	f.Series = slices.Grow(f.Series[:0], n)[:n]
}

// Want sets a series, and reports whether rows of its kind can be copied: texts
// would be kept by memory that rests.
func (f *FewRows) Want(i int, id uint32, kind column.Kind) bool {
	s := &f.Series[i]
	s.ID, s.some = id, false
	s.col.Reset(kind)
	return kind != column.Text
}

// Touches reports whether some of the times from first to last are asked for.
func (f *FewRows) Touches(first, last int64) bool {
	return last >= f.from && (f.to == toEnd || first < f.to)
}

// Since is the time from which on rows are asked for.
func (f *FewRows) Since() int64 { return f.from }

// Add adds those of some rows that are asked for. It reports whether all is well:
// whether they are few, come after those that were added before, and have a value
// each. If not, f is of no use any more.
func (f *FewRows) Add(times []int64, cols []column.Vector, nulls []column.Bitmap) bool {
	hi := len(times)
	if f.to != toEnd && hi > 0 && times[hi-1] >= f.to {
		hi, _ = slices.BinarySearch(times, f.to)
	}
	lo := sinceBack(times[:hi], f.from)
	n := len(f.times)
	switch {
	case lo >= hi:
		return true
	case n+hi-lo > maxFew, n > 0 && times[lo] <= f.times[n-1]:
		return false
	}
	f.times = append(f.times, times[lo:hi]...)
	full := false // a column without nulls
	for i := range f.Series {
		s := &f.Series[i]
		src := &cols[s.At]
		if src.Kind != s.col.Kind {
			return false
		}
		s.col.AppendRange(src, lo, hi)
		if gaps := nulls[s.At]; !gaps.Any(hi) {
			full = true
		} else {
			if !s.some {
				clear(s.nulls)
				s.nulls, s.some = s.nulls[:0], true
			}
			s.nulls.SetFrom(n, gaps, lo, hi)
		}
	}
	return full || f.filled(n)
}

// filled reports whether all rows from row n on have a value.
func (f *FewRows) filled(n int) bool {
	for ; n < len(f.times); n++ {
		null := true
		for i := range f.Series {
			null = null && f.Series[i].nulls.Get(n)
		}
		if null {
			return false
		}
	}
	return true
}

// Times returns the times, strictly increasing, valid until Start.
func (f *FewRows) Times() []int64 { return f.times }

// Col returns the values of series i and its null bitmap (nil = no nulls), valid until
// Start.
func (f *FewRows) Col(i int) (*column.Vector, column.Bitmap) {
	s := &f.Series[i]
	if !s.some {
		return &s.col, nil
	}
	return &s.col, s.nulls
}
