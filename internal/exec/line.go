package exec

import "slices"

// lineCursor is a Cursor that may know that the times of the block of PeekStats have
// a constant step.
type lineCursor interface {
	Cursor
	// NextLine is Next for such a block. It tells the times instead of writing them
	// out: Times has nothing. If rows is 0, it is none, and nothing was done.
	NextLine() (first, step int64, rows int)
}

// line is the times of rows that are a constant step apart: most sensors measure by
// the clock, and where rows lie is then found without looking at any of them.
type line struct {
	first, step int64
	n           int
}

func (l *line) at(i int) int64 { return l.first + int64(i)*l.step }

func (l *line) last() int64 { return l.at(l.n - 1) }

// seek returns the first index from i on with a time of at least t.
func (l *line) seek(i int, t int64) int {
	if t <= l.first {
		return i
	}
	rows := (uint64(t)-uint64(l.first)-1)/uint64(l.step) + 1
	return max(i, int(min(rows, uint64(l.n))))
}

// bound is [fold.bound] for rows from low on.
func (l *line) bound(low int, windows []window, bounds []int32) []int32 {
	if low >= l.n {
		return bounds
	}
	last := l.last()
	bounds = slices.Grow(bounds, 2*len(windows))
	next, rows := l.at(low), 0 // next is the time of row low
	for n := range windows {
		w := &windows[n]
		if w.end > last || n > 0 && w.start < windows[n-1].end {
			break
		}
		if next < w.start {
			low = l.seek(low, w.start)
			next = l.at(low)
		}
		// Mostly a window has as many rows as the one before it.
		lo := low
		low += rows
		next += int64(rows) * l.step
		if low >= l.n || next < w.end || rows > 0 && next-l.step >= w.end {
			low = l.seek(lo, w.end)
			next = l.at(low)
			rows = low - lo
		}
		bounds = append(bounds, int32(lo), int32(low))
	}
	return bounds
}
