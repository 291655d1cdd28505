package memtable

import (
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
)

// MaxMoments is the largest number of moments of Moments.
const MaxMoments = 16

// Moments is rows of many devices at several moments, one of each device at each of
// them, with columns of the same kinds: the rows of a device go to its columns at
// once. What is added must stay as it is.
type Moments struct {
	n      int
	kinds  []column.Kind
	lsns   [MaxMoments]uint64
	times  [MaxMoments][]int64
	holes  []bool           // columns in which something is null
	nulls  []column.Bitmap  // these by column, of each the moments
	floats [][]float64      // if it is of that kind
	ints   [][]int64        // if it is of that kind
	others []*column.Vector // if it is of another kind
}

// Reset makes m empty, for columns of these kinds.
func (m *Moments) Reset(kinds []column.Kind) {
	m.Forget()
	m.n, m.kinds = 0, append(m.kinds[:0], kinds...)
	if n := len(kinds) * MaxMoments; len(m.nulls) < n {
		m.holes = make([]bool, len(kinds))
		m.nulls, m.floats, m.ints, m.others = make([]column.Bitmap, n), make([][]float64, n), make([][]int64, n), make([]*column.Vector, n)
	}
	clear(m.holes)
}

// Forget drops references to what was added.
func (m *Moments) Forget() {
	clear(m.times[:])
	clear(m.nulls)
	clear(m.floats)
	clear(m.ints)
	clear(m.others)
}

// Add adds the rows of a moment, which is later than those before it.
func (m *Moments) Add(lsn uint64, r *Rows) {
	j := m.n
	m.n++
	m.lsns[j], m.times[j] = lsn, r.Times
	for c := range m.kinds {
		at := c*MaxMoments + j
		switch v := &r.Cols[c]; v.Kind {
		case column.Float64:
			m.floats[at] = v.Float64s
		case column.Int64:
			m.ints[at] = v.Int64s
		default:
			m.others[at] = v
		}
		if m.nulls[at] = r.nullsOf(c); m.nulls[at].Any(len(r.Times)) {
			m.holes[c] = true
		}
	}
}

// AddMoments writes row k of the moments of m from a first one on, in the order of the
// layout, and returns of how many: of none if it has not been written before or does
// not go to a group of its own, and of no more than come in time order. The caller
// holds the lock.
func (d *Device) AddMoments(l *Layout, m *Moments, first, k int, cut Cut) (n int) {
	g := d.rowsTo(l)
	if g == nil {
		return 0
	}
	last := g.newest()
	for n = 0; first+n < m.n && m.times[first+n][k] > last; n++ {
		last = m.times[first+n][k]
	}
	if n == 0 {
		return 0
	}
	t := d.table
	g.touch(cut, t)
	g.settle(t, cut)
	ln := &g.lanes[0]
	for from, end := first, first+n; from < end; {
		c := ln.open()
		if c == nil {
			c = g.newChunk(ln, t, m.lsns[from])
		}
		to := from + min(end-from, c.limit-len(c.rows.times))
		g.reserve(c, t, to-from)
		text := c.rows.text
		c.rows.appendMoments(m, from, to, k)
		if c.rows.text != text {
			t.bytes.Add(int64(c.rows.text - text))
		}
		ln.last = m.times[to-1][k]
		g.last = ln.last
		g.inOrder += (to - from) * len(g.kinds)
		if from = to; len(c.rows.times) == c.limit {
			g.full(0, c, t, cut)
		}
	}
	return n
}

// appendMoments adds row k of the moments [from, to) of m, for which there is room. What
// comes next for these columns comes when all other devices have had their rows: the
// lines behind these are asked for now, or the next lock would wait for them.
func (c *columns) appendMoments(m *Moments, from, to, k int) {
	row, n := len(c.times), to-from
	c.times = c.times[:row+n]
	for i, times := range m.times[from:to] {
		c.times[row+i] = times[k]
	}
	var last unsafe.Pointer
	if looksAhead {
		last = unsafe.Pointer(&c.times[row+n-1])
	}
	for col := range c.cols {
		at := col*MaxMoments + from
		switch v := &c.cols[col]; v.Kind {
		case column.Float64:
			v.Float64s = v.Float64s[:row+n]
			dst := v.Float64s[row:]
			for i, src := range m.floats[at:][:len(dst)] {
				dst[i] = src[k]
			}
			if looksAhead {
				ahead(last, unsafe.Pointer(&dst[n-1]))
			}
		case column.Int64:
			v.Int64s = v.Int64s[:row+n]
			dst := v.Int64s[row:]
			for i, src := range m.ints[at:][:len(dst)] {
				dst[i] = src[k]
			}
			if looksAhead {
				ahead(last, unsafe.Pointer(&dst[n-1]))
			}
		default:
			for _, src := range m.others[at : at+n] {
				v.AppendRange(src, k, k+1)
				if v.Kind == column.Text {
					c.text += len(src.Texts[k])
				}
			}
		}
		if !m.holes[col] {
			continue
		}
		for i, nulls := range m.nulls[at : at+n] {
			if nulls.Get(k) {
				c.nulls[col].Set(row + i)
			}
		}
	}
}
