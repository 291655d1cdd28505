package window

import (
	"iter"
	"math"
	"math/bits"
)

// Range is one window of a grid: the times from Start up to, not including,
// End. Bounds beyond int64 are given as its extremes.
type Range struct{ Start, End int64 }

// Contains reports whether t is inside r.
func (r Range) Contains(t int64) bool { return r.Start <= t && t < r.End }

// Clip returns the part of r inside [from, to).
func (r Range) Clip(from, to int64) Range {
	return Range{max(r.Start, from), max(min(r.End, to), max(r.Start, from))}
}

// Grid is the arithmetic of a time or calendar [Spec]: window number k is the
// same stretch of time whoever asks. Numbers are consecutive and may be
// negative; windows that begin before the first point or Begin do not exist for
// anchor [FirstPoint]. A Grid does not change and may be used concurrently.
type Grid struct {
	interval, step int64
	phase          int64 // start of window 0, in [0, step)
	lowest         int64 // number of the first window
	cal            *calendarGrid
}

// NewGrid makes the grid of s, which must be of kind [Time] or [Calendar].
// first is the time of the first row or the begin of the queried range: anchor
// [FirstPoint] counts from it unless s has a Begin.
func NewGrid(s Spec, first int64) (*Grid, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if s.Kind != Time && s.Kind != Calendar {
		return nil, bad("kind", s.Kind, "has no grid; only time and calendar windows have one")
	}
	g := &Grid{interval: int64(s.Interval), step: int64(s.Step), lowest: math.MinInt64}
	if s.Kind == Calendar {
		c, err := newCalendar(s)
		if err != nil {
			return nil, err
		}
		g.cal = c
	}
	switch {
	case s.Anchor == FirstPoint && s.HasBegin:
		g.moveTo(s.Begin)
	case s.Anchor == FirstPoint:
		g.moveTo(first)
	case s.Anchor == Instant:
		g.moveTo(s.Origin)
		g.lowest = math.MinInt64
	}
	return g, nil
}

// from returns a copy that counts from origin: nothing begins before it.
func (g *Grid) from(origin int64) *Grid {
	moved := *g
	if g.cal != nil {
		c := *g.cal
		moved.cal = &c
	}
	moved.moveTo(origin)
	return &moved
}

func (g *Grid) moveTo(origin int64) {
	if g.cal != nil {
		g.cal.moveTo(origin)
		g.lowest = 0
		return
	}
	q, r := floorDiv(origin, g.step)
	g.phase, g.lowest = r, q
}

// At returns window k.
func (g *Grid) At(k int64) Range { return Range{g.Start(k), g.End(k)} }

// Start returns the first instant of window k.
func (g *Grid) Start(k int64) int64 {
	if g.cal != nil {
		return saturate(g.cal.start(k))
	}
	return mulAdd(k, g.step, g.phase, 0)
}

// End returns the first instant after window k.
func (g *Grid) End(k int64) int64 {
	if g.cal != nil {
		return saturate(g.cal.end(k))
	}
	return mulAdd(k, g.step, g.phase, g.interval)
}

// Last returns the number of the last window that begins at or before t. It is
// one less than the first window's number where t lies before all windows.
func (g *Grid) Last(t int64) int64 {
	if g.cal != nil {
		return g.notBelow(g.cal.last(t))
	}
	q, r := floorDiv(t, g.step)
	if r < g.phase {
		q-- // no overflow: phase > 0 means step > 1
	}
	return g.notBelow(q)
}

func (g *Grid) notBelow(k int64) int64 {
	if g.lowest == math.MinInt64 {
		return k
	}
	return max(k, g.lowest-1)
}

// First returns the number of the first window that ends after t. Rows at t are
// in the windows First(t) to Last(t); there are none where First is the larger.
func (g *Grid) First(t int64) int64 {
	if g.cal != nil {
		return max(g.cal.first(t), g.lowest)
	}
	q, r := floorDiv(t, g.step)
	qi, ri := floorDiv(g.interval, g.step)
	down := uint64(qi)
	// what is left of t-phase-interval, in (-2·step, step), beside (q-qi)·step
	if take := uint64(g.phase) + uint64(ri); uint64(r) < take {
		down++
		if uint64(r)+uint64(g.step) < take {
			down++
		}
	}
	if down == 0 {
		return max(satAdd(q, 1), g.lowest)
	}
	if down--; uint64(q)-1<<63 < down { // distance of q from the least int64
		return g.lowest
	}
	return max(int64(uint64(q)-down), g.lowest)
}

// Windows yields the windows that share an instant with [from, to), in order,
// with their full bounds: clip them where only the range counts.
func (g *Grid) Windows(from, to int64) iter.Seq2[int64, Range] {
	return func(yield func(int64, Range) bool) {
		if from >= to {
			return
		}
		last := g.Last(to - 1)
		for k := g.First(from); k <= last; k++ {
			if r := g.At(k); r.Start < r.End && !yield(k, r) {
				return
			}
			if k == math.MaxInt64 {
				return
			}
		}
	}
}

// Ranges yields the windows of s in the range [from, to) as GROUP BY and
// continuous queries need them: with anchor [FirstPoint] counted from from,
// otherwise every window that shares an instant with the range. The bounds of
// the first and the last one may lie outside it; see [Range.Clip]. Begin and End
// of s narrow the range.
func Ranges(s Spec, from, to int64) (iter.Seq[Range], error) {
	if s.HasBegin {
		from = max(from, s.Begin)
	}
	if s.HasEnd {
		to = min(to, s.End)
	}
	g, err := NewGrid(s, from)
	if err != nil {
		return nil, err
	}
	return func(yield func(Range) bool) {
		for _, r := range g.Windows(from, to) {
			if !yield(r) {
				return
			}
		}
	}, nil
}

// endless reports whether window k ends after all times there are; its End is
// then the last of them, and belongs to it.
func (g *Grid) endless(k, end int64) bool {
	return end == math.MaxInt64 && k >= g.First(math.MaxInt64)
}

// overlap is an upper bound of how many windows share an instant.
func (g *Grid) overlap() int64 {
	if g.cal != nil {
		return int64((g.cal.units + g.cal.step - 1) / g.cal.step)
	}
	q, r := floorDiv(g.interval, g.step)
	if r > 0 {
		q++
	}
	return q
}

// floorDiv divides by a positive m, rounding down.
func floorDiv(a, m int64) (q, r int64) {
	q, r = a/m, a%m
	if r < 0 {
		q, r = q-1, r+m
	}
	return q, r
}

// mulAdd returns k·m+a+b for non-negative m, a and b, held to int64's range.
func mulAdd(k, m, a, b int64) int64 {
	if hi, lo := bits.Mul64(uint64(k), uint64(m)); hi == 0 && int64(lo) >= 0 && k >= 0 {
		return satAdd(satAdd(int64(lo), a), b)
	}
	hi, lo := bits.Mul64(uint64(k), uint64(m))
	if k < 0 {
		hi -= uint64(m) // the unsigned product of k+2⁶⁴ has m·2⁶⁴ too much
	}
	var c uint64
	lo, c = bits.Add64(lo, uint64(a), 0)
	hi += c
	lo, c = bits.Add64(lo, uint64(b), 0)
	hi += c
	switch {
	case int64(hi) < 0 && (hi != math.MaxUint64 || int64(lo) >= 0):
		return math.MinInt64
	case int64(hi) >= 0 && (hi != 0 || int64(lo) < 0):
		return math.MaxInt64
	}
	return int64(lo)
}

// satAdd adds, held to int64's range.
func satAdd(a, b int64) int64 {
	s := a + b
	switch {
	case a > 0 && b > 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && s >= 0:
		return math.MinInt64
	}
	return s
}

// satSub subtracts, held to int64's range.
func satSub(a, b int64) int64 {
	s := a - b
	switch {
	case a >= 0 && b < 0 && s < 0:
		return math.MaxInt64
	case a < 0 && b > 0 && s >= 0:
		return math.MinInt64
	}
	return s
}
