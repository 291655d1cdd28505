package segment

import "sync/atomic"

// lines remembers times blocks whose times have a constant step, as those of
// most sensors do: they are three numbers, and all series of a device need them.
// Each block has one place, which the newest takes.
type lines struct {
	slots []atomic.Pointer[line] // as many as a power of two
}

// line is the times of a block that were read and checked.
type line struct {
	reader      *Reader
	offset      int64
	n           int
	first, step int64
}

// mostLines bounds what lines take to some 0.3 MB.
const mostLines = 4096

// newLines returns lines that take at most a quarter of limit bytes.
func newLines(limit int64) lines {
	const size = 64 + 8
	n := 1
	for n < mostLines && int64(n)*size*8 <= limit {
		n *= 2
	}
	return lines{slots: make([]atomic.Pointer[line], n)}
}

func (l *lines) slot(r *Reader, offset int64) *atomic.Pointer[line] {
	h := (uint64(offset) + r.head.FileNo<<32) * 0x9E3779B97F4A7C15
	return &l.slots[h>>40&uint64(len(l.slots)-1)]
}

// line returns the line of the times block at an offset, nil if it is not held.
func (c *Cache) line(r *Reader, offset int64) *line {
	if c == nil {
		return nil
	}
	if at := c.lines.slot(r, offset).Load(); at != nil && at.reader == r && at.offset == offset {
		return at
	}
	return nil
}

// putLine remembers that the times block at an offset is a line.
func (c *Cache) putLine(r *Reader, offset int64, times []int64) {
	if c == nil || len(times) < 2 {
		return
	}
	c.lines.slot(r, offset).Store(&line{reader: r, offset: offset, n: len(times), first: times[0], step: times[1] - times[0]})
}

// forget drops the lines of a reader that is closed.
func (l *lines) forget(r *Reader) {
	for i := range l.slots {
		if at := l.slots[i].Load(); at != nil && at.reader == r {
			l.slots[i].CompareAndSwap(at, nil)
		}
	}
}
