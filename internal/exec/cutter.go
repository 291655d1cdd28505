package exec

import (
	"context"
	"fmt"
	"math"
	"sort"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// cutter cuts the rows of a table function into the windows of its access
// strategy. It holds the rows of the windows that are not yet complete.
type cutter struct {
	access Access
	name   string
	budget int64

	buf   Batch
	first int64 // number of buf's row 0
	eof   bool
	bytes int64

	// The next window begins at row `row` (count, session, state) or at time
	// `start` (sliding time).
	row     int64
	start   int64
	begun   bool
	over    bool  // no more windows
	scanned int64 // rows looked at for the end of a session or state window

	win   Batch
	nulls []column.Bitmap
}

func newCutter(a Access, name string, budget int64) *cutter {
	return &cutter{access: a, name: name, budget: budget}
}

func (c *cutter) total() int64 { return c.first + int64(len(c.buf.Times)) }

func (c *cutter) finish() { c.eof = true }

// add takes rows; those outside the display window are left out.
func (c *cutter) add(b *Batch) error {
	lo := sort.Search(b.Len(), func(i int) bool { return b.Times[i] >= c.access.Begin })
	hi := b.Len()
	if c.access.End != NoEnd {
		hi = sort.Search(b.Len(), func(i int) bool { return b.Times[i] >= c.access.End })
	}
	if lo >= hi {
		return nil
	}
	if c.buf.Cols == nil {
		c.buf.Cols = make([]Col, len(b.Cols))
		c.nulls = make([]column.Bitmap, len(b.Cols))
		for i := range b.Cols {
			c.buf.Cols[i].reset(b.Cols[i].Kind)
		}
	}
	c.trim()
	c.buf.Times = append(c.buf.Times, b.Times[lo:hi]...)
	for i := range b.Cols {
		c.buf.Cols[i].appendCells(&b.Cols[i], lo, hi)
		c.bytes += cellBytes(&b.Cols[i], lo, hi)
	}
	c.bytes += 8 * int64(hi-lo)
	if c.bytes > c.budget {
		return fmt.Errorf("function %s: its windows hold more than %d bytes: %w", c.name, c.budget, errs.Limit)
	}
	if !c.begun {
		c.begun = true
		c.start = c.access.Begin
		if c.start == NoBegin {
			c.start = c.buf.Times[0]
		}
	}
	return nil
}

func cellBytes(c *Col, lo, hi int) int64 {
	switch c.Kind {
	case column.Text:
		n := int64(0)
		for _, s := range c.Texts[lo:hi] {
			n += 16 + int64(len(s))
		}
		return n
	case column.Int64, column.Float64:
		return 8 * int64(hi-lo)
	}
	return 4 * int64(hi-lo)
}

// trim forgets the rows before the next window.
func (c *cutter) trim() {
	drop := c.row - c.first
	if c.access.Kind == SlidingTime {
		drop = int64(sort.Search(len(c.buf.Times), func(i int) bool { return c.buf.Times[i] >= c.start }))
	}
	n := int(min(drop, int64(len(c.buf.Times))))
	if n <= 0 || n < len(c.buf.Times)/2 {
		return
	}
	c.buf.Times = append(c.buf.Times[:0], c.buf.Times[n:]...)
	c.bytes = 8 * int64(len(c.buf.Times))
	for i := range c.buf.Cols {
		var fresh Col
		fresh.reset(c.buf.Cols[i].Kind)
		fresh.appendCells(&c.buf.Cols[i], n, c.buf.Cols[i].Len())
		c.buf.Cols[i] = fresh
		c.bytes += cellBytes(&fresh, 0, fresh.Len())
	}
	c.first += int64(n)
}

// next finds the next complete window: rows [lo, hi) of buf and the interval
// [start, end] it stands for.
func (c *cutter) next() (lo, hi int, start, end int64, ok bool) {
	if !c.begun || c.over {
		return
	}
	switch c.access.Kind {
	case SlidingTime:
		return c.nextTime()
	case SlidingSize:
		rest := c.total() - c.row // row + Size may be more than int64 holds
		if rest <= 0 || !c.eof && c.access.Size > rest {
			return
		}
		lo = int(c.row - c.first)
		hi = lo + int(min(c.access.Size, rest))
	default:
		if c.row >= c.total() {
			return
		}
		if hi, ok = c.boundary(); !ok {
			return
		}
		lo = int(c.row - c.first)
	}
	return lo, hi, c.buf.Times[lo], c.buf.Times[hi-1], true
}

func (c *cutter) nextTime() (lo, hi int, start, end int64, ok bool) {
	times := c.buf.Times
	if c.start >= c.access.End || len(times) == 0 {
		return
	}
	last := times[len(times)-1]
	if last < c.start {
		return // only a later row can make this window exist
	}
	limit := addTime(c.start, c.access.Interval)
	if !c.eof && last < limit {
		return
	}
	lo = sort.Search(len(times), func(i int) bool { return times[i] >= c.start })
	hi = lo + sort.Search(len(times)-lo, func(i int) bool { return times[lo+i] >= limit })
	return lo, hi, c.start, limit - 1, true
}

// addTime adds without running over the end of time.
func addTime(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}

// boundary finds where the session or state window that begins at row ends.
func (c *cutter) boundary() (int, bool) {
	from := int(c.row - c.first)
	i := max(from+1, int(c.scanned-c.first))
	for ; i < len(c.buf.Times); i++ {
		if c.access.Kind == Session {
			// Times of both signs may lie further apart than int64 holds.
			if uint64(c.buf.Times[i])-uint64(c.buf.Times[i-1]) > uint64(c.access.Interval) {
				return i, true
			}
		} else if differs(&c.buf.Cols[0], from, i, c.access.Delta) {
			return i, true
		}
	}
	c.scanned = c.first + int64(i)
	return i, c.eof
}

// differs reports whether cell i lies more than delta from cell first; texts
// and booleans must be equal. Integers are compared without overflow.
func differs(c *Col, first, i int, delta float64) bool {
	switch c.Kind {
	case column.Bool:
		return c.Bools[i] != c.Bools[first]
	case column.Text:
		return c.Texts[i] != c.Texts[first]
	case column.Int32, column.Int64:
		a, b := integerAt(c, first), integerAt(c, i)
		if a > b {
			a, b = b, a
		}
		return float64(uint64(b)-uint64(a)) > delta
	}
	a, b := c.Float64At(first), c.Float64At(i)
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) != math.IsNaN(b)
	}
	return a != b && math.Abs(b-a) > delta
}

// advance moves on to the window after the one of rows [_, hi).
func (c *cutter) advance(hi int) {
	switch c.access.Kind {
	case SlidingTime:
		next := addTime(c.start, c.access.Step)
		c.over = next == math.MaxInt64
		c.start = next
	case SlidingSize:
		c.row += c.access.Step
	default:
		c.row = c.first + int64(hi)
	}
}

// pending reports whether a window is complete.
func (c *cutter) pending() bool {
	_, _, _, _, ok := c.next()
	return ok
}

// feed gives complete windows to f until it has emitted something.
func (c *cutter) feed(ctx context.Context, f Transformer, out *Out) error {
	for len(out.times) == 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		lo, hi, start, end, ok := c.next()
		if !ok {
			return nil
		}
		c.win.Times = c.buf.Times[lo:hi:hi]
		c.win.Cols = c.win.Cols[:0]
		for i := range c.buf.Cols {
			col := c.buf.Cols[i].cut(lo, hi, c.nulls[i])
			if lo > 0 && col.Nulls != nil {
				c.nulls[i] = col.Nulls
			}
			c.win.Cols = append(c.win.Cols, col)
		}
		c.advance(hi)
		if err := f.Window(&c.win, start, end, out); err != nil {
			return err
		}
	}
	return nil
}
