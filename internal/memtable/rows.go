package memtable

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/sorting"
)

// Rows is a tablet without its names: Cols[i] and Nulls[i] belong to column i.
// Nulls may be nil or shorter than Cols.
type Rows struct {
	Times []int64
	Cols  []column.Vector
	Nulls []column.Bitmap
}

func (r *Rows) nullsOf(i int) column.Bitmap {
	if i < len(r.Nulls) {
		return r.Nulls[i]
	}
	return nil
}

// Sorted reports whether the times are strictly increasing.
func (r *Rows) Sorted() bool {
	last := int64(math.MinInt64)
	for _, t := range r.Times {
		if t <= last {
			return false
		}
		last = t
	}
	return true
}

// Sorter orders rows by time; it keeps its memory between uses.
type Sorter struct {
	order []rowRef
	pick  []int32
	ends  []int32
	out   Rows
}

// Sort returns the rows of r in strictly increasing time order. Of rows with the
// same time each column keeps its last non-null cell. The result is valid until
// the next call.
func (s *Sorter) Sort(r *Rows) *Rows {
	n := len(r.Times)
	s.order = slices.Grow(s.order[:0], n)
	for i, at := range r.Times {
		s.order = append(s.order, rowRef{at, i})
	}
	sorting.Fast(s.order, byTime)
	out := &s.out
	out.Times, s.ends = out.Times[:0], s.ends[:0]
	for k := range s.order {
		if at := s.order[k].at; len(out.Times) == 0 || out.Times[len(out.Times)-1] != at {
			out.Times = append(out.Times, at)
			s.ends = append(s.ends, 0)
		}
		s.ends[len(s.ends)-1] = int32(k + 1)
	}
	for len(out.Cols) < len(r.Cols) {
		out.Cols = append(out.Cols, column.Vector{})
		out.Nulls = append(out.Nulls, nil)
	}
	out.Cols, out.Nulls = out.Cols[:len(r.Cols)], out.Nulls[:len(r.Cols)]
	for c := range r.Cols {
		s.column(c, r)
	}
	return out
}

func (s *Sorter) column(c int, r *Rows) {
	nulls := r.nullsOf(c)
	from := int32(0)
	s.pick = s.pick[:0]
	for _, end := range s.ends {
		best := s.order[end-1].row
		for k := end - 1; k >= from && nulls != nil; k-- {
			if row := s.order[k].row; !nulls.Get(row) {
				best = row
				break
			}
		}
		s.pick = append(s.pick, int32(best))
		from = end
	}
	v := &s.out.Cols[c]
	v.Reset(r.Cols[c].Kind)
	v.AppendRows(&r.Cols[c], s.pick)
	if nulls == nil {
		s.out.Nulls[c] = nil
		return
	}
	bits := column.Bitmap(nil)
	for j, i := range s.pick {
		if nulls.Get(int(i)) {
			bits.Set(j)
		}
	}
	s.out.Nulls[c] = bits
}

// Forget drops references to caller memory.
func (s *Sorter) Forget() {
	for c := range s.out.Cols {
		clear(s.out.Cols[c].Texts)
	}
}

// columns is row memory that only grows: a copy of its slice headers is a
// snapshot of its rows, but for nulls, whose last words change.
type columns struct {
	times []int64
	cols  []column.Vector
	nulls []column.Bitmap
	text  int // bytes of strings
}

func newColumns(kinds []column.Kind) columns {
	c := columns{cols: make([]column.Vector, len(kinds)), nulls: make([]column.Bitmap, len(kinds))}
	for i, k := range kinds {
		c.cols[i].Kind = k
	}
	return c
}

// append adds the rows [lo, hi) of r; from maps own columns to r's, -1 = null,
// nil = the same.
func (c *columns) append(r *Rows, from []int, lo, hi int) {
	if hi-lo == 1 {
		c.appendRow(r, from, lo)
		return
	}
	row := len(c.times)
	c.times = append(c.times, r.Times[lo:hi]...)
	for i := range c.cols {
		j := i
		if from != nil {
			j = from[i]
		}
		v := &c.cols[i]
		if j < 0 {
			v.AppendZero(hi - lo)
			c.nulls[i].SetRange(row, row+hi-lo)
			continue
		}
		src := &r.Cols[j]
		switch v.Kind {
		case column.Text:
			v.Texts = append(v.Texts, src.Texts[lo:hi]...)
			for _, s := range src.Texts[lo:hi] {
				c.text += len(s)
			}
		default:
			v.AppendRange(src, lo, hi)
		}
		if nulls := r.nullsOf(j); nulls != nil {
			c.nulls[i].SetFrom(row, nulls, lo, hi)
		}
	}
}

// appendRow is append for one row.
func (c *columns) appendRow(r *Rows, from []int, at int) {
	row := len(c.times)
	c.times = append(c.times, r.Times[at])
	for i := range c.cols {
		v, j := &c.cols[i], i
		if from != nil {
			if j = from[i]; j < 0 {
				v.AppendZero(1)
				c.nulls[i].Set(row)
				continue
			}
		}
		switch src := &r.Cols[j]; v.Kind {
		case column.Float64:
			v.Float64s = append(v.Float64s, src.Float64s[at])
		case column.Int64:
			v.Int64s = append(v.Int64s, src.Int64s[at])
		case column.Text:
			v.Texts = append(v.Texts, src.Texts[at])
			c.text += len(src.Texts[at])
		default:
			v.AppendRange(src, at, at+1)
		}
		if nulls := r.nullsOf(j); nulls != nil && nulls.Get(at) {
			c.nulls[i].Set(row)
		}
	}
}

// words is how many words of eight bytes a row takes in the columns of the usual kinds.
func (c *columns) words() int {
	n := 1
	for i := range c.cols {
		if k := c.cols[i].Kind; k == column.Int64 || k == column.Float64 {
			n++
		}
	}
	return n
}

// grow makes room for n rows in all, which are more than there is room for. The
// columns of the usual kinds share room, of n times words.
func (c *columns) grow(n int, room []uint64) {
	more := n - len(c.times)
	c.times, room = moveTo(room, c.times, n)
	for i := range c.cols {
		switch v := &c.cols[i]; v.Kind {
		case column.Bool:
			v.Bools = slices.Grow(v.Bools, more)
		case column.Int32:
			v.Int32s = slices.Grow(v.Int32s, more)
		case column.Int64:
			v.Int64s, room = moveTo(room, v.Int64s, n)
		case column.Float32:
			v.Float32s = slices.Grow(v.Float32s, more)
		case column.Float64:
			v.Float64s, room = moveTo(room, v.Float64s, n)
		case column.Text:
			v.Texts = slices.Grow(v.Texts, more)
		}
	}
}

// moveTo copies old to the first n words of room, and returns the copy and the rest of
// room.
func moveTo[T int64 | float64](room []uint64, old []T, n int) (moved []T, rest []uint64) {
	return append(wordsAs[T](room)[:0:n], old...), room[n:]
}

// head returns the first n rows as they are now, safe against later appends.
func (c *columns) head(n int) columns {
	h := columns{times: c.times[:n:n], cols: make([]column.Vector, len(c.cols)), nulls: make([]column.Bitmap, len(c.cols))}
	for i := range c.cols {
		h.keep(i, c, i, n)
	}
	return h
}

// some makes h show the first n rows of the wanted columns only, -1 = none; at is
// where they are in h.
func (c *columns) some(h *rawChunk, n int, wanted []int) (at []int) {
	switch {
	case len(wanted) == 1 && wanted[0] >= 0: // mostly
		h.columns = columns{times: c.times[:n:n], cols: h.oneCol[:], nulls: h.oneNull[:]}
		h.keep(0, c, wanted[0], n)
		return firstCol
	case len(c.cols) <= 2*len(wanted):
		h.columns = c.head(n)
		return wanted
	}
	h.columns = columns{times: c.times[:n:n], cols: make([]column.Vector, len(wanted)), nulls: make([]column.Bitmap, len(wanted))}
	at = make([]int, len(wanted))
	for i, col := range wanted {
		if at[i] = -1; col >= 0 {
			h.keep(i, c, col, n)
			at[i] = i
		}
	}
	return at
}

// firstCol maps the only wanted series to the first column.
var firstCol = []int{0}

// keep makes column i of h the first n rows of column col of c.
func (h *columns) keep(i int, c *columns, col, n int) {
	h.cols[i] = c.cols[col].Slice(0, n)
	if c.nulls[col].Any(n) {
		h.nulls[i] = slices.Clone(c.nulls[col][:min((n+63)/64, len(c.nulls[col]))])
	}
}

// reset empties c and keeps its memory.
func (c *columns) reset() {
	c.times, c.text = c.times[:0], 0
	for i := range c.cols {
		c.cols[i].Reset(c.cols[i].Kind)
		clear(c.nulls[i])
		c.nulls[i] = c.nulls[i][:0]
	}
}

func width(k column.Kind) int {
	switch k {
	case column.Bool:
		return 1
	case column.Int32, column.Float32:
		return 4
	case column.Text:
		return 16
	}
	return 8
}

func rowWidth(kinds []column.Kind) int {
	w := 8
	for _, k := range kinds {
		w += width(k)
	}
	return w
}
