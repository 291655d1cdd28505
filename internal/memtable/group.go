package memtable

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
)

const (
	sideRows  = 256 // single late rows that wait to be sorted into a run
	lateRows  = 64  // late rows of one tablet from which on they make a run at once
	sealRows  = 64  // chunks that end early are encoded from here on
	firstRows = 16  // first size of a chunk; it grows fourfold
)

// group is series of one device that are written together: they share a column
// of times. Lane 0 takes rows in time order; every further lane is a sorted run
// of late rows, newer than all before it. Rows with a time that a group has seen
// pass are therefore always in a newer place than the rows they replace. The
// device's lock guards all of it.
type group struct {
	ids   []uint32
	kinds []column.Kind
	lanes []lane
	side  columns // late rows in the order of arrival, newest of all
	sideN int
	// sideLSN is the first commit in side.
	sideLSN uint64
	last    int64 // no later time was ever written to one of the series
	floor   int   // lanes before it end at a mask and are not merged with later ones

	order []int32 // columns by id, made when a wide group is first searched

	birth uint64  // epoch in which it was made
	epoch uint64  // epoch of the last change
	saved []saved // states that snapshots of earlier epochs see
	spare columns // memory of a sealed chunk for the next one
	open  bool    // takes rows
}

// lane is chunks in time order; only the last may grow.
type lane struct {
	last   int64
	chunks []*chunk
	parts  int // of the last chunks, those that will make one block: see Table.stageRows
}

// chunk is raw until it is sealed.
type chunk struct {
	lsn    uint64
	rows   columns
	sealed *Sealed
	closed bool // takes no more rows
}

func (c *chunk) len() int {
	if c.sealed != nil {
		return c.sealed.N
	}
	return len(c.rows.times)
}

// saved is a group as snapshots with an epoch up to upTo see it.
type saved struct {
	upTo        uint64
	lanes       []lane
	rows0, rows int // rows of the last chunk in the first and in the newest lane
	side        columns
	sideLSN     uint64
}

// col returns the group's column of a series, -1 if it has none.
func (g *group) col(id uint32) int {
	if i := uint(id - g.ids[0]); i < uint(len(g.ids)) && g.ids[i] == id {
		return int(i) // series made together have neighbouring ids
	}
	if len(g.ids) <= 16 {
		return slices.Index(g.ids, id)
	}
	if g.order == nil {
		g.order = make([]int32, len(g.ids))
		for i := range g.order {
			g.order[i] = int32(i)
		}
		slices.SortFunc(g.order, func(a, b int32) int { return cmp.Compare(g.ids[a], g.ids[b]) })
	}
	k, ok := slices.BinarySearchFunc(g.order, id, func(i int32, id uint32) int { return cmp.Compare(g.ids[i], id) })
	if !ok {
		return -1
	}
	return int(g.order[k])
}

// touch keeps the present state for the snapshots that need it, before a change.
func (g *group) touch(cut Cut) {
	if g.epoch >= cut.Epoch {
		return
	}
	if len(g.saved) > 0 {
		g.saved = slices.DeleteFunc(g.saved, func(s saved) bool { return s.upTo < cut.Oldest })
	}
	if cut.Oldest < cut.Epoch {
		g.saved = append(g.saved, g.state(cut.Epoch-1))
	}
	g.epoch = cut.Epoch
}

func (g *group) state(upTo uint64) saved {
	s := saved{upTo: upTo, lanes: slices.Clone(g.lanes), sideLSN: g.sideLSN}
	if len(g.lanes) > 0 {
		s.rows0 = lastRows(g.lanes[0])
		s.rows = lastRows(g.lanes[len(g.lanes)-1])
	}
	if n := len(g.side.times); n > 0 {
		s.side = g.side.head(n)
	}
	return s
}

func lastRows(l lane) int {
	if len(l.chunks) == 0 {
		return 0
	}
	return l.chunks[len(l.chunks)-1].len()
}

// at returns the state that a snapshot of the epoch sees; ok is false when the
// group is younger.
func (g *group) at(epoch uint64) (saved, bool) {
	if g.birth > epoch {
		return saved{}, false
	}
	if g.epoch <= epoch {
		return g.state(math.MaxUint64), true
	}
	i := sort.Search(len(g.saved), func(i int) bool { return g.saved[i].upTo >= epoch })
	if i == len(g.saved) {
		return g.state(math.MaxUint64), true
	}
	return g.saved[i], true
}

// add writes rows, sorted by time, and returns how many were late.
func (g *group) add(w *Write, t *Table, from []int) int {
	g.touch(w.Cut)
	r := &w.Rows
	n := len(r.Times)
	late := 0
	if r.Times[0] <= g.last {
		late = sort.Search(n, func(i int) bool { return r.Times[i] > g.last })
		g.addLate(w, t, from, late)
	}
	if late < n {
		if len(g.lanes) == 0 {
			g.lanes = append(g.lanes, lane{last: math.MinInt64})
		}
		g.addTo(0, w, t, r, from, late, n, w.LSN)
		g.last = r.Times[n-1]
	}
	return late
}

func (g *group) addLate(w *Write, t *Table, from []int, n int) {
	r := &w.Rows
	if len(g.lanes) == 0 {
		g.lanes = append(g.lanes, lane{last: math.MinInt64})
	}
	if len(g.side.times) == 0 || n >= lateRows {
		g.sealSide(w, t)
		k := len(g.lanes) - 1
		if k >= max(1, g.floor) && r.Times[0] > g.lanes[k].last {
			g.addTo(k, w, t, r, from, 0, n, w.LSN)
			return
		}
		if n >= lateRows {
			g.addTo(g.newLane(t), w, t, r, from, 0, n, w.LSN)
			return
		}
	}
	if len(g.side.times) == 0 {
		g.side = newColumns(g.kinds)
		g.sideLSN = w.LSN
	}
	before := cap(g.side.times)
	g.side.append(r, from, 0, n)
	t.bytes.Add(int64((cap(g.side.times) - before) * rowWidth(g.kinds)))
	if len(g.side.times) >= sideRows {
		g.sealSide(w, t)
	}
}

// sealSide sorts the late rows into a run.
func (g *group) sealSide(w *Write, t *Table) {
	if len(g.side.times) == 0 {
		return
	}
	s := sorters.Get().(*Sorter)
	r := s.Sort(&Rows{Times: g.side.times, Cols: g.side.cols, Nulls: g.side.nulls})
	k := len(g.lanes) - 1
	if k < max(1, g.floor) || r.Times[0] <= g.lanes[k].last {
		k = g.newLane(t)
	}
	g.addTo(k, w, t, r, nil, 0, len(r.Times), g.sideLSN)
	s.Forget()
	sorters.Put(s)
	t.bytes.Add(int64(-cap(g.side.times) * rowWidth(g.kinds)))
	g.side = columns{}
}

// newLane starts a run of late rows and ends the one before it.
func (g *group) newLane(t *Table) int {
	if k := len(g.lanes) - 1; k > 0 {
		g.endChunk(k, t, Cut{Oldest: 0})
		g.mergeLanes(t)
	}
	g.lanes = append(g.lanes, lane{last: math.MinInt64})
	return len(g.lanes) - 1
}

// addTo appends the rows [lo, hi) of r, which come after all rows of lane k.
func (g *group) addTo(k int, w *Write, t *Table, r *Rows, from []int, lo, hi int, lsn uint64) {
	l := &g.lanes[k]
	l.last = r.Times[hi-1]
	for lo < hi {
		var c *chunk
		if n := len(l.chunks); n > 0 && !l.chunks[n-1].closed {
			c = l.chunks[n-1]
		} else if hi-lo >= t.blockRows {
			s := seal(g.kinds, r, from, lo, lo+t.blockRows)
			t.bytes.Add(s.bytes())
			l.chunks, l.parts = append(l.chunks, &chunk{lsn: lsn, sealed: s, closed: true}), 0
			lo += t.blockRows
			continue
		} else {
			c = g.newChunk(lsn)
			l.chunks = append(l.chunks, c)
		}
		m := min(hi-lo, t.stageRows-len(c.rows.times))
		g.reserve(c, t, m)
		text := c.rows.text
		c.rows.append(r, from, lo, lo+m)
		if text != c.rows.text {
			t.bytes.Add(int64(c.rows.text - text))
		}
		lo += m
		if len(c.rows.times) == t.stageRows {
			g.full(k, c, t, w.Cut)
		}
	}
}

func (g *group) newChunk(lsn uint64) *chunk {
	c := &chunk{lsn: lsn}
	if g.spare.cols != nil {
		c.rows, g.spare = g.spare, columns{}
	} else {
		c.rows = newColumns(g.kinds)
	}
	return c
}

// reserve makes room for m more rows in c: 16, 64, 256 … up to what is encoded.
func (g *group) reserve(c *chunk, t *Table, m int) {
	need, have := len(c.rows.times)+m, cap(c.rows.times)
	if need <= have {
		return
	}
	size := firstRows
	for size < need {
		size *= 4
	}
	c.rows.grow(min(size, t.stageRows))
	t.bytes.Add(int64((cap(c.rows.times) - have) * rowWidth(g.kinds)))
}

// sealChunk encodes c. Its memory serves the next chunk unless a snapshot may
// still look at it.
func (g *group) sealChunk(c *chunk, t *Table, cut Cut) {
	rows := Rows{Times: c.rows.times, Cols: c.rows.cols, Nulls: c.rows.nulls}
	c.sealed = seal(g.kinds, &rows, nil, 0, len(rows.Times))
	c.closed = true
	t.bytes.Add(c.sealed.bytes() - int64(c.rows.text))
	if cut.Oldest == NoSnapshot && g.spare.cols == nil {
		c.rows.reset()
		g.spare, c.rows = c.rows, columns{}
		return
	}
	t.bytes.Add(int64(-cap(c.rows.times) * rowWidth(g.kinds)))
	c.rows = columns{}
}

// endChunk closes the last chunk of lane k.
func (g *group) endChunk(k int, t *Table, cut Cut) {
	l := &g.lanes[k]
	l.parts = 0
	if len(l.chunks) == 0 {
		return
	}
	c := l.chunks[len(l.chunks)-1]
	if c.closed {
		return
	}
	if c.len() >= sealRows {
		g.sealChunk(c, t, cut)
	}
	c.closed = true
}

// barrier makes every later row go to new chunks, so that a mask hides whole
// chunks or none.
func (g *group) barrier(w *Write, t *Table) {
	g.touch(w.Cut)
	g.sealSide(w, t)
	for k := range g.lanes {
		if k == 0 || k == len(g.lanes)-1 {
			g.endChunk(k, t, w.Cut)
		}
	}
	g.floor = len(g.lanes)
}

// sources appends what a snapshot of the epoch sees, oldest run first. cols are
// the group's columns of the wanted series, -1 = not in this group.
func (g *group) sources(dst []merge.Source, cols []int, epoch uint64, from, to int64) []merge.Source {
	s, ok := g.at(epoch)
	if !ok {
		return dst
	}
	for k, l := range s.lanes {
		src := make(merge.Source, 0, len(l.chunks))
		for i, c := range l.chunks {
			n := c.len()
			if i == len(l.chunks)-1 && k == 0 {
				n = s.rows0
			}
			if i == len(l.chunks)-1 && k == len(s.lanes)-1 {
				n = s.rows
			}
			if b, ok := c.block(n, cols); ok && b.Max >= from && (to == math.MaxInt64 || b.Min < to) {
				src = append(src, b)
			}
		}
		if len(src) > 0 {
			dst = append(dst, src)
		}
	}
	if len(s.side.times) > 0 {
		var sorter Sorter // its memory becomes the chunk's
		r := sorter.Sort(&Rows{Times: s.side.times, Cols: s.side.cols, Nulls: s.side.nulls})
		n := len(r.Times)
		dst = append(dst, merge.Source{{
			Min: r.Times[0], Max: r.Times[n-1], N: n, LSN: s.sideLSN, Cols: cols,
			Chunk: &rawChunk{columns{times: r.Times, cols: r.Cols, nulls: r.Nulls}},
		}})
	}
	return dst
}

// block shows the first n rows of c.
func (c *chunk) block(n int, cols []int) (merge.Block, bool) {
	if n == 0 {
		return merge.Block{}, false
	}
	b := merge.Block{N: n, LSN: c.lsn, Cols: cols}
	if s := c.sealed; s != nil {
		b.Min, b.Max, b.Whole, b.Chunk = s.Min, s.Max, n == s.N, sealedChunk{s}
		copied, wanted := false, false
		for i, col := range cols {
			if col < 0 {
				continue
			}
			if s.Cols[col] != nil {
				wanted = true
				continue
			}
			if !copied {
				b.Cols, copied = slices.Clone(cols), true
			}
			b.Cols[i] = -1
		}
		return b, wanted
	}
	// Only the wanted columns are shown: a group may have thousands.
	var rows columns
	rows, b.Cols = c.rows.some(n, cols)
	b.Min, b.Max, b.Chunk = rows.times[0], rows.times[n-1], &rawChunk{rows}
	return b, true
}
