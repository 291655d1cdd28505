// Package cqoracle says what continuous queries have to have stored. It is a
// sorted list of points and nothing else: it imports nothing of the store.
package cqoracle

import "sort"

// Point is a value at a time.
type Point struct {
	At    int64
	Value float64
}

// Series is points in time order.
type Series struct{ points []Point }

// Put stores a point, in place of one at the same time.
func (s *Series) Put(at int64, v float64) {
	i := sort.Search(len(s.points), func(i int) bool { return s.points[i].At >= at })
	if i < len(s.points) && s.points[i].At == at {
		s.points[i].Value = v
		return
	}
	s.points = append(s.points, Point{})
	copy(s.points[i+1:], s.points[i:])
	s.points[i] = Point{at, v}
}

// Delete removes the points in [from, to).
func (s *Series) Delete(from, to int64) {
	kept := s.points[:0]
	for _, p := range s.points {
		if p.At < from || p.At >= to {
			kept = append(kept, p)
		}
	}
	s.points = kept
}

// Newest returns the time of the last point.
func (s *Series) Newest() (int64, bool) {
	if len(s.points) == 0 {
		return 0, false
	}
	return s.points[len(s.points)-1].At, true
}

// Points returns the points. They must not be changed.
func (s *Series) Points() []Point { return s.points }

// Fold makes one number of the values of a window, in time order.
type Fold func(values []float64) float64

// Count is how many values there are.
func Count(values []float64) float64 { return float64(len(values)) }

// Sum adds up the values.
func Sum(values []float64) float64 {
	s := 0.0
	for _, v := range values {
		s += v
	}
	return s
}

// Max is the largest value.
func Max(values []float64) float64 {
	m := values[0]
	for _, v := range values {
		m = max(m, v)
	}
	return m
}

// Windows folds s over windows of a length that begin at its multiples. A window
// without points has no result. Only windows that end at or before until count.
func (s *Series) Windows(length, until int64, f Fold) *Series {
	out := &Series{}
	for i := 0; i < len(s.points); {
		start := s.points[i].At - mod(s.points[i].At, length)
		var values []float64
		for ; i < len(s.points) && s.points[i].At < start+length; i++ {
			values = append(values, s.points[i].Value)
		}
		if start+length <= until {
			out.points = append(out.points, Point{start, f(values)})
		}
	}
	return out
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

// Window is points that belong together because of what they are.
type Window struct {
	First, Last int64
	// Ended is the time of the point that showed its end: of a count its own
	// last one. Never, if there is none.
	Ended  int64
	Values []float64
}

// Never is later than every point.
const Never = 1<<63 - 1

// Sessions are points that follow each other by at most gap.
func (s *Series) Sessions(gap int64) []Window {
	return s.split(func(w *Window, p Point) bool { return p.At-w.Last > gap })
}

// Variations are points that differ from the first of theirs by at most delta.
func (s *Series) Variations(delta float64) []Window {
	return s.split(func(w *Window, p Point) bool {
		d := p.Value - w.Values[0]
		return d > delta || -d > delta
	})
}

func (s *Series) split(at func(w *Window, p Point) bool) []Window {
	var all []Window
	for _, p := range s.points {
		if n := len(all) - 1; n >= 0 && !at(&all[n], p) {
			all[n].Last, all[n].Values = p.At, append(all[n].Values, p.Value)
			continue
		}
		if n := len(all) - 1; n >= 0 {
			all[n].Ended = p.At
		}
		all = append(all, Window{First: p.At, Last: p.At, Ended: Never, Values: []float64{p.Value}})
	}
	return all
}

// Conditions are runs of points of at least least for which a condition holds.
func (s *Series) Conditions(holds func(float64) bool, least int) []Window {
	var all, kept []Window
	open := false
	for _, p := range s.points {
		switch ok := holds(p.Value); {
		case ok && open:
			w := &all[len(all)-1]
			w.Last, w.Values = p.At, append(w.Values, p.Value)
		case ok:
			all = append(all, Window{First: p.At, Last: p.At, Ended: Never, Values: []float64{p.Value}})
		case open:
			all[len(all)-1].Ended = p.At
		}
		open = holds(p.Value)
	}
	for _, w := range all {
		if len(w.Values) >= least {
			kept = append(kept, w)
		}
	}
	return kept
}

// Counts are each n points. A rest of fewer is none.
func (s *Series) Counts(n int) []Window {
	var all []Window
	for i := 0; i+n <= len(s.points); i += n {
		w := Window{First: s.points[i].At, Last: s.points[i+n-1].At, Ended: s.points[i+n-1].At}
		for _, p := range s.points[i : i+n] {
			w.Values = append(w.Values, p.Value)
		}
		all = append(all, w)
	}
	return all
}

// Over are the windows that a watermark shows to have ended, sessions of gap also
// by its distance from them; gap < 0: they are no sessions.
func Over(all []Window, mark, gap int64) []Window {
	var over []Window
	for _, w := range all {
		if w.Ended <= mark || gap >= 0 && mark-w.Last > gap {
			over = append(over, w)
		}
	}
	return over
}

// FoldAll folds each window; the result is at its first point.
func FoldAll(all []Window, f Fold) *Series {
	out := &Series{}
	for _, w := range all {
		out.points = append(out.points, Point{w.First, f(w.Values)})
	}
	return out
}
