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

// Count, Sum and Max are folds.
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
