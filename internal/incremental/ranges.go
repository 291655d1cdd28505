package incremental

import (
	"slices"
	"sort"
)

// Range is [From, To).
type Range struct{ From, To int64 }

// Empty reports whether nothing is in r.
func (r Range) Empty() bool { return r.From >= r.To }

// Intersect returns what r and o have in common.
func (r Range) Intersect(o Range) Range { return Range{max(r.From, o.From), min(r.To, o.To)} }

// Minus returns what of r is not in o: up to two ranges.
func (r Range) Minus(o Range) []Range {
	if r.Intersect(o).Empty() {
		return []Range{r}
	}
	var out []Range
	if r.From < o.From {
		out = append(out, Range{r.From, o.From})
	}
	if o.To < r.To {
		out = append(out, Range{o.To, r.To})
	}
	return out
}

// Ranges is a set of instants as sorted ranges that neither overlap nor touch.
// The zero Ranges is empty.
type Ranges struct{ list []Range }

// All returns the ranges, oldest first. They must not be changed.
func (s *Ranges) All() []Range { return s.list }

// Empty reports whether nothing is in s.
func (s *Ranges) Empty() bool { return len(s.list) == 0 }

// Clone returns a copy.
func (s *Ranges) Clone() Ranges { return Ranges{slices.Clone(s.list)} }

// Add puts all of r into s.
func (s *Ranges) Add(r Range) {
	if r.Empty() {
		return
	}
	// [i, j) overlap or touch r.
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].To >= r.From })
	j := i
	for j < len(s.list) && s.list[j].From <= r.To {
		j++
	}
	if j > i {
		r = Range{min(r.From, s.list[i].From), max(r.To, s.list[j-1].To)}
	}
	s.list = slices.Replace(s.list, i, j, r)
}

// Remove takes all of r out of s.
func (s *Ranges) Remove(r Range) {
	if r.Empty() {
		return
	}
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].To > r.From })
	j := i
	var keep []Range
	for j < len(s.list) && s.list[j].From < r.To {
		keep = append(keep, s.list[j].Minus(r)...)
		j++
	}
	s.list = slices.Replace(s.list, i, j, keep...)
}

// Contains reports whether all of r is in s.
func (s *Ranges) Contains(r Range) bool {
	if r.Empty() {
		return true
	}
	i := sort.Search(len(s.list), func(i int) bool { return s.list[i].To > r.From })
	return i < len(s.list) && s.list[i].From <= r.From && r.To <= s.list[i].To
}
