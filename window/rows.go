package window

import (
	"slices"
	"unsafe"
)

// column holds rows in order of time. Rows are numbered from the first ever
// accepted; row number base is at index 0, those before index head are no longer
// needed. The rest is always one piece, so that any window is a slice of it.
type column[T any] struct {
	ts   []int64
	vals []T
	head int
	base int64
}

func (c *column[T]) live() int    { return len(c.ts) - c.head }
func (c *column[T]) total() int64 { return c.base + int64(len(c.ts)) }
func (c *column[T]) low() int64   { return c.base + int64(c.head) }

func (c *column[T]) bytes() int {
	var v T
	return cap(c.ts) * int(8+unsafe.Sizeof(v))
}

func (c *column[T]) at(row int64) int64 { return c.ts[row-c.base] }

// insert puts a row behind all rows of its time or earlier.
func (c *column[T]) insert(ts int64, v T, capacity int, bounded bool) {
	if len(c.ts) == cap(c.ts) {
		c.makeRoom(capacity, bounded)
	}
	c.ts, c.vals = append(c.ts, ts), append(c.vals, v)
	i := len(c.ts) - 1
	if i == c.head || c.ts[i-1] <= ts {
		return
	}
	i = c.after(ts, i)
	copy(c.ts[i+1:], c.ts[i:])
	copy(c.vals[i+1:], c.vals[i:])
	c.ts[i], c.vals[i] = ts, v
}

// makeRoom moves the rows to the front where that frees half of the memory, or
// anything where their number is bounded, and otherwise doubles it.
func (c *column[T]) makeRoom(capacity int, bounded bool) {
	if c.head > 0 && (bounded || 2*c.head >= len(c.ts)) {
		n := copy(c.ts, c.ts[c.head:])
		copy(c.vals, c.vals[c.head:])
		clear(c.vals[n:]) // let go of what the values point to
		c.ts, c.vals = c.ts[:n], c.vals[:n]
		c.base += int64(c.head)
		c.head = 0
		return
	}
	if len(c.ts) == 0 {
		c.ts, c.vals = make([]int64, 0, capacity), make([]T, 0, capacity)
		return
	}
	c.ts, c.vals = doubled(c.ts), doubled(c.vals)
}

func doubled[E any](s []E) []E { return append(make([]E, 0, 2*len(s)), s...) }

// drop forgets the rows before the given number.
func (c *column[T]) drop(row int64) {
	n := min(max(row-c.base, int64(c.head)), int64(len(c.ts)))
	c.head = int(n)
	if c.head == len(c.ts) {
		c.base += int64(len(c.ts))
		c.ts, c.vals, c.head = c.ts[:0], c.vals[:0], 0
	}
}

// before returns the index of the first row at or after ts.
func (c *column[T]) before(ts int64) int {
	n := len(c.ts)
	if n == c.head || c.ts[n-1] < ts {
		return n
	}
	i, _ := slices.BinarySearch(c.ts[c.head:], ts)
	return c.head + i
}

// after returns the index of the first row later than ts, of those up to index
// end.
func (c *column[T]) after(ts int64, end int) int {
	lo, hi := c.head, end
	for lo < hi {
		if m := int(uint(lo+hi) / 2); c.ts[m] <= ts {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo
}
