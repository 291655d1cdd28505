package memtable

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/sorting"
)

const (
	sealRows  = 64 // chunks that end early are encoded from here on
	firstRows = 16 // first size of a chunk, or up to twice that; it grows fourfold
)

// group is series of one device that are written together: they share a column
// of times. Lane 0 takes rows in time order; every further lane is a sorted run
// of late rows. At the same time the row of a later lane is newer, and side is
// newer than all: rows with a time that a group has seen pass are always in a
// newer place than the rows they replace, or take their place (amend.go). For that,
// late lanes end the earlier the later they were made, see place. The device's lock
// guards all of it.
type group struct {
	lanes   []lane
	fresh   *fresh // the newest rows, nil if there were never enough
	tip     *Tip   // the same of points
	last    int64  // no later time was ever written to one of the series
	aside   int64  // no later time was ever written to the side or a late lane
	epoch   uint64 // of the last change; here a line of the cache ends
	kinds   []column.Kind
	open    bool // takes rows
	behind  int  // how far back late cells were put among the rows that are not encoded
	inOrder int  // cells that came in time order, about
	narrow  int  // cells of targets with less than half of the series
	floor   int  // lanes before it end at a mask and are not merged with later ones
	ids     []uint32
	side    side

	order []int32 // columns by id, made when a wide group is first searched

	birth uint64  // epoch in which it was made
	saved []saved // states that snapshots of earlier epochs see
	spare columns // memory of a sealed chunk for the next one

	// Memory of what every group has one of; used once, since snapshots may see it.
	firstLane  [1]lane
	firstChunk [1]*chunk
	first      chunk
	part       [1]part
}

// lane is chunks in time order; only the last may grow.
type lane struct {
	last   int64
	tail   int // rows of the last chunk; in a saved state only
	chunks []*chunk
	parts  int // of the last chunks, those that will make one block: see Table.stageRows
}

// chunk is raw until it is sealed.
type chunk struct {
	lsn    uint64
	closed bool // takes no more rows
	limit  int  // rows at which it is full
	rows   columns
	sealed *Sealed
	room   *Sealed      // memory for sealed, nil if it is to be had apart
	lent   atomic.Int32 // cursors that may look at rows
}

// open returns the last chunk of l, nil if it takes no more rows.
func (l *lane) open() *chunk {
	if n := len(l.chunks); n > 0 && !l.chunks[n-1].closed {
		return l.chunks[n-1]
	}
	return nil
}

func (c *chunk) len() int {
	if c.sealed != nil {
		return c.sealed.N
	}
	return len(c.rows.times)
}

// saved is a group as snapshots with an epoch up to upTo see it.
type saved struct {
	upTo  uint64
	lanes []lane
	side  side
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
		sorting.Fast(g.order, func(a, b int32) int { return cmp.Compare(g.ids[a], g.ids[b]) })
	}
	k, ok := slices.BinarySearchFunc(g.order, id, func(i int32, id uint32) int { return cmp.Compare(g.ids[i], id) })
	if !ok {
		return -1
	}
	return int(g.order[k])
}

// touch keeps the present state for the snapshots that need it, before a change.
func (g *group) touch(cut Cut, t *Table) {
	if g.epoch >= cut.Epoch {
		return
	}
	g.settle(t, cut)
	if len(g.saved) > 0 {
		g.saved = slices.DeleteFunc(g.saved, func(s saved) bool { return s.upTo < cut.Oldest })
	}
	if cut.Oldest < cut.Epoch {
		g.saved = append(g.saved, g.state(cut.Epoch-1))
	}
	g.epoch = cut.Epoch
}

func (g *group) state(upTo uint64) saved {
	s := saved{upTo: upTo, lanes: slices.Clone(g.lanes), side: g.side}
	for k := range s.lanes {
		s.lanes[k].tail = lastRows(&s.lanes[k])
	}
	return s
}

func lastRows(l *lane) int {
	if len(l.chunks) == 0 {
		return 0
	}
	return l.chunks[len(l.chunks)-1].len()
}

// at returns what a snapshot of the epoch sees, which must not be changed; now is
// true where that is the present, whose last chunks are seen as they are; ok is
// false when the group is younger.
func (g *group) at(epoch uint64) (lanes []lane, late *side, now, ok bool) {
	if g.birth > epoch {
		return nil, nil, false, false
	}
	if g.epoch > epoch {
		i := sort.Search(len(g.saved), func(i int) bool { return g.saved[i].upTo >= epoch })
		if i < len(g.saved) {
			return g.saved[i].lanes, &g.saved[i].side, false, true
		}
	}
	return g.lanes, &g.side, true, true
}

// add writes rows, sorted by time, and returns how many were late.
func (g *group) add(w *Write, t *Table, from []int) int {
	g.touch(w.Cut, t)
	r := &w.Rows
	n := len(r.Times)
	late := 0
	if last := g.newest(); r.Times[0] <= last {
		late = sort.Search(n, func(i int) bool { return r.Times[i] > last })
		g.addLate(w, t, from, late)
	}
	if late < n {
		g.settle(t, w.Cut)
		if len(g.lanes) == 0 {
			g.lanes = append(g.lanes, lane{last: math.MinInt64})
		}
		g.addTo(0, w, t, r, from, late, n, w.LSN)
		g.last = r.Times[n-1]
		g.inOrder += (n - late) * len(g.ids)
	}
	return late
}

// addLate writes the first n rows, which are late.
func (g *group) addLate(w *Write, t *Table, from []int, n int) {
	if len(g.lanes) == 0 {
		g.lanes = append(g.lanes, lane{last: math.MinInt64})
	}
	for n < lateRows && g.amend(t, &w.Rows, from, n-1, w.Cut) {
		if n--; n == 0 {
			return
		}
	}
	g.aside = max(g.aside, w.Rows.Times[n-1])
	if len(g.side.rows) == 0 || n >= lateRows {
		g.sealSide(w, t)
		k := max(1, g.floor)
		if n >= lateRows || k < len(g.lanes) && w.Rows.Times[0] > g.lanes[k].last {
			g.place(w, t, &w.Rows, from, n, w.LSN)
			return
		}
		g.side.lsn = w.LSN
	}
	before := g.side.bytes()
	g.side.add(g.kinds, &w.Rows, from, n)
	t.bytes.Add(g.side.bytes() - before)
	if g.side.full() {
		g.sealSide(w, t)
	}
}

// sealSide sorts the late rows into runs.
func (g *group) sealSide(w *Write, t *Table) {
	if len(g.side.rows) == 0 {
		return
	}
	m := sideSorters.Get().(*sideSorter)
	m.wantAll(len(g.kinds))
	r := m.sort(&g.side, g.kinds, math.MinInt64, math.MaxInt64)
	g.place(w, t, r, nil, len(r.Times), g.side.lsn)
	m.forget()
	sideSorters.Put(m)
	g.dropSide(t, w.Cut.Oldest == NoSnapshot)
}

// dropSide empties the side; keep is as for side.reset.
func (g *group) dropSide(t *Table, keep bool) {
	before := g.side.bytes()
	g.side.reset(keep)
	t.bytes.Add(g.side.bytes() - before)
}

// place appends the first n rows of r, newer than all that the lanes hold, to the
// late lanes. Each row goes to the first lane that it goes on in time: since later
// lanes end earlier, no older row of its time is in one of them. Rows that are
// older than the ends of all start a lane.
func (g *group) place(w *Write, t *Table, r *Rows, from []int, n int, lsn uint64) {
	for k := max(1, g.floor); k < len(g.lanes) && n > 0; k++ {
		last := g.lanes[k].last
		if r.Times[n-1] <= last {
			continue
		}
		lo := sort.Search(n, func(i int) bool { return r.Times[i] > last })
		g.addTo(k, w, t, r, from, lo, n, lsn)
		n = lo
	}
	if n > 0 {
		g.addTo(g.newLane(t), w, t, r, from, 0, n, lsn)
	}
}

// newLane starts a run of late rows.
func (g *group) newLane(t *Table) int {
	g.mergeLanes(t)
	if g.lanes = append(g.lanes, lane{last: math.MinInt64}); len(g.lanes) > 1 {
		g.firstLane = [1]lane{} // it has moved, and would keep its chunks
	}
	return len(g.lanes) - 1
}

// addTo appends the rows [lo, hi) of r, which come after all rows of lane k.
func (g *group) addTo(k int, w *Write, t *Table, r *Rows, from []int, lo, hi int, lsn uint64) {
	l := &g.lanes[k]
	l.last = r.Times[hi-1]
	for lo < hi {
		c := l.open()
		if c == nil && hi-lo >= t.blockRows {
			s := seal(g.kinds, r, from, lo, lo+t.blockRows)
			t.bytes.Add(s.bytes())
			l.chunks, l.parts = append(l.chunks, &chunk{lsn: lsn, sealed: s, closed: true}), 0
			lo += t.blockRows
			continue
		}
		if c == nil {
			c = g.newChunk(l, t, lsn)
		}
		m := min(hi-lo, c.limit-len(c.rows.times))
		g.reserve(c, t, m)
		text := c.rows.text
		c.rows.append(r, from, lo, lo+m)
		if text != c.rows.text {
			t.bytes.Add(int64(c.rows.text - text))
		}
		lo += m
		if len(c.rows.times) == c.limit {
			g.full(k, c, t, w.Cut)
		}
	}
}

// newChunk adds a chunk to a lane. The first of a group is full early, each
// group's after another number of rows: devices that are written at one moment do
// not all have to be encoded in the same one.
func (g *group) newChunk(l *lane, t *Table, lsn uint64) *chunk {
	var c *chunk
	if l == &g.lanes[0] && len(l.chunks) == 0 && g.first.limit == 0 {
		c, l.chunks = &g.first, g.firstChunk[:0]
	} else if len(g.kinds) == 1 {
		p := one(t, &t.room.chunks)
		c, p.room = &p.chunk, p.empty()
	} else {
		p := new(struct { // there will be more, and most are sealed
			chunk
			sealed Sealed
		})
		c, p.room = &p.chunk, &p.sealed
	}
	c.lsn, c.limit = lsn, t.stageRows
	if l == &g.lanes[0] && len(l.chunks) == 0 {
		c.limit -= g.apart(t.stageRows / 2)
	}
	if g.spare.cols != nil {
		c.rows, g.spare = g.spare, columns{}
	} else {
		c.rows = newColumns(g.kinds)
	}
	if n := len(l.chunks); n > 0 && n == cap(l.chunks) {
		l.chunks = append(t.chunkList(n+max(7, n)), l.chunks...)
	}
	l.chunks = append(l.chunks, c)
	return c
}

// apart returns a number below n, of which groups made one after another have
// different ones. They are counted by their columns, for of every tenth multiple
// of the golden ratio some are as good as the same.
func (g *group) apart(n int) int {
	hash := (g.ids[0] - 1) / uint32(len(g.ids)) * 2654435769 // by the golden ratio
	return int(uint64(hash) * uint64(n) >> 32)
}

// reserve makes room for m more rows in c: 16, 64, 256 … up to what is encoded.
func (g *group) reserve(c *chunk, t *Table, m int) {
	need, have := len(c.rows.times)+m, cap(c.rows.times)
	if need <= have {
		return
	}
	size, step := firstRows+g.apart(firstRows), 0
	for size < need {
		size *= 4
		step++
	}
	size = min(size, t.stageRows) // not c.limit: the chunk after the first goes on with the memory
	c.rows.grow(size, t.room.words(step, size*c.rows.words()))
	t.bytes.Add(int64((cap(c.rows.times) - have) * rowWidth(g.kinds)))
}

// freeRows frees the rows of c, which is encoded. Their memory serves the next chunk
// unless a cursor may still look at it.
func (g *group) freeRows(c *chunk, t *Table, cut Cut) {
	t.bytes.Add(int64(-c.rows.text))
	if (cut.Oldest == NoSnapshot || c.lent.Load() == 0) && g.spare.cols == nil {
		c.rows.reset()
		g.spare, c.rows = c.rows, columns{}
		return
	}
	t.bytes.Add(int64(-cap(c.rows.times) * rowWidth(g.kinds)))
	c.rows = columns{}
}

// nextStats returns memory for the statistics of a chunk. Groups that rows wait for
// will seal more: it is made for up to four chunks at a time.
func (g *group) nextStats(t *Table) []sealedColumn {
	w, f := len(g.kinds), g.fresh
	if f == nil {
		return make([]sealedColumn, w)
	}
	if len(f.stats) == 0 {
		n := w * max(1, min(4, len(g.lanes[0].chunks)))
		f.stats = make([]sealedColumn, n)
		t.bytes.Add(int64(n * sealedColumnBytes))
	}
	next := f.stats[:w:w]
	f.stats = f.stats[w:]
	t.bytes.Add(int64(-w * sealedColumnBytes)) // they are counted with the chunk
	return next
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
		g.encode(c, t, c.len())
		g.freeRows(c, t, cut)
	}
	c.closed = true
}

// barrier makes every later row go to new chunks, so that a mask hides whole
// chunks or none.
func (g *group) barrier(w *Write, t *Table) {
	g.touch(w.Cut, t)
	g.settle(t, w.Cut)
	g.sealSide(w, t)
	for k := range g.lanes {
		g.endChunk(k, t, w.Cut)
	}
	g.floor = len(g.lanes)
}

// sources appends what a snapshot of the epoch sees, oldest run first. cols are
// the group's columns of the wanted series, -1 = not in this group.
func (g *group) sources(dst []merge.Source, t *Table, cols []int, epoch uint64, from, to int64) []merge.Source {
	g.settle(t, Cut{})
	lanes, late, now, ok := g.at(epoch)
	if !ok {
		return dst
	}
	for i := range lanes {
		if src := lanes[i].shown(cols, now, from, to); len(src) > 0 {
			dst = append(dst, src)
		}
	}
	if len(late.rows) > 0 {
		if src := late.source(g.kinds, cols, from, to); src != nil {
			dst = append(dst, src)
		}
	}
	return dst
}

// shown are the chunks with rows in [from, to); now: as they are, and not as a
// saved state says.
func (l *lane) shown(cols []int, now bool, from, to int64) (src merge.Source) {
	first := sort.Search(len(l.chunks), func(i int) bool { return l.chunks[i].last() >= from })
	for i, c := range l.chunks[first:] {
		n := c.len()
		if !now && first+i == len(l.chunks)-1 {
			n = l.tail
		}
		if n == 0 {
			continue
		}
		if to != math.MaxInt64 && c.first() >= to {
			break
		}
		switch b, ok := c.block(n, cols); {
		case ok && b.Max >= from:
			src = append(src, b)
		case ok && b.Lent != nil:
			b.Lent.Add(-1)
		}
	}
	return src
}

// first is the time of the first row of a chunk that is not empty.
func (c *chunk) first() int64 {
	if c.sealed != nil {
		return c.sealed.Min
	}
	return c.rows.times[0]
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
			if s.cols[col].stats.Count > 0 {
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
	shown := new(rawChunk)
	b.Cols = c.rows.some(shown, n, cols)
	b.Min, b.Max, b.Chunk, b.Lent = shown.times[0], shown.times[n-1], shown, &c.lent
	c.lent.Add(1)
	return b, true
}
