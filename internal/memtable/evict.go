package memtable

import (
	"cmp"
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/sorting"
)

// Newest returns the latest time of any row, math.MinInt64 if there is none.
func (t *Table) Newest() int64 {
	newest := int64(math.MinInt64)
	for _, d := range t.Devices() {
		d.mu.Lock()
		for _, g := range d.groups {
			newest = max(newest, g.newest())
		}
		d.mu.Unlock()
	}
	return newest
}

// OldestFor returns a time such that the chunks that end before it have at
// least the given bytes, or all chunks do.
func (t *Table) OldestFor(bytes int64) (at int64, ok bool) {
	type aged struct {
		last  int64
		bytes int64
	}
	var all []aged
	for _, d := range t.Devices() {
		d.mu.Lock()
		for _, g := range d.groups {
			g.settle(t, Cut{})
			for k := range g.lanes {
				for _, c := range g.lanes[k].chunks {
					if c.len() > 0 {
						all = append(all, aged{c.last(), c.bytes(g)})
					}
				}
			}
		}
		d.mu.Unlock()
	}
	sorting.By(all, func(a, b aged) int { return cmp.Compare(a.last, b.last) })
	for i := range all {
		at, ok = all[i].last+1, true
		if bytes -= all[i].bytes; bytes <= 0 {
			break
		}
	}
	return at, ok
}

// Evict frees the chunks of which every row lies before the horizon of all
// series in it, and returns how many cells they had. Snapshots that cut knows of
// keep what they see. Horizons may go back, but not behind floor: after it chunks
// stay that may hide older rows which stay.
func (t *Table) Evict(cut Cut, floor int64, horizon func(id uint32) int64) (cells int64) {
	for _, d := range t.Devices() {
		d.mu.Lock()
		for _, g := range d.groups {
			h := int64(math.MaxInt64)
			for _, id := range g.ids {
				h = min(h, horizon(id))
			}
			cells += g.evict(t, cut, max(floor, min(h, d.before(g))), floor)
		}
		d.mu.Unlock()
	}
	return cells
}

// before is the time of the oldest row in the groups that the series of g had before.
func (d *Device) before(g *group) int64 {
	oldest := int64(math.MaxInt64)
	for _, id := range g.ids {
		m := d.member(id)
		if m == nil {
			continue
		}
		for _, old := range m.groups {
			if old == g {
				break
			}
			oldest = min(oldest, old.oldest())
		}
	}
	return oldest
}

func (g *group) oldest() int64 {
	oldest := int64(math.MaxInt64)
	for k := range g.lanes {
		oldest = min(oldest, g.lanes[k].oldest())
	}
	for i := range g.side.rows {
		oldest = min(oldest, g.side.rows[i].at)
	}
	return oldest
}

// oldest is the time of the first row of l.
//
//go:noinline
func (l *lane) oldest() int64 {
	if len(l.chunks) > 0 && l.chunks[0].len() > 0 {
		return l.chunks[0].first()
	}
	return math.MaxInt64
}

// evict frees chunks that end before a time. Of later lanes, which are newer, it keeps
// from floor on what may hide rows of those before them.
func (g *group) evict(t *Table, cut Cut, before, floor int64) (cells int64) {
	touched := false
	g.settle(t, cut)
	for k := range g.lanes {
		if k > 0 {
			before = max(floor, min(before, g.lanes[k-1].oldest()))
		}
		l := &g.lanes[k]
		n := 0
		for n < len(l.chunks) && l.chunks[n].len() > 0 && l.chunks[n].last() < before {
			n++
		}
		if n == 0 {
			continue
		}
		if !touched {
			g.touch(cut, t)
			touched = true
			l = &g.lanes[k]
		}
		first := l.chunks[0] == &g.first
		for _, c := range l.chunks[:n] {
			cells += c.cells(g)
			t.bytes.Add(-c.bytes(g))
		}
		l.chunks = slices.Clone(l.chunks[n:])
		if first {
			g.emptyFirst()
		}
		l.parts = min(l.parts, len(l.chunks))
	}
	return cells
}

// emptyFirst frees the rows of the first chunk, which is not in a lane any more:
// it is part of g, and they would stay as long as g. What saved states show moves
// to a chunk of its own.
func (g *group) emptyFirst() {
	c := &g.first
	moved := &chunk{lsn: c.lsn, rows: c.rows, sealed: c.sealed, limit: c.limit, closed: true}
	for _, s := range g.saved {
		for k := range s.lanes {
			l := &s.lanes[k]
			if i := slices.Index(l.chunks, c); i >= 0 {
				l.chunks = slices.Clone(l.chunks)
				l.chunks[i] = moved
			}
		}
	}
	c.rows, c.sealed, c.room = columns{}, nil, nil
}

// last is the time of the last row of a chunk, of one without rows later than all.
func (c *chunk) last() int64 {
	switch n := len(c.rows.times); {
	case c.sealed != nil:
		return c.sealed.Max
	case n > 0:
		return c.rows.times[n-1]
	}
	return math.MaxInt64
}

func (c *chunk) bytes(g *group) int64 {
	n := int64(cap(c.rows.times)*rowWidth(g.kinds) + c.rows.text)
	if c.sealed != nil {
		n += c.sealed.bytes()
	}
	return n
}

// cells counts the cells of c that are not null.
func (c *chunk) cells(g *group) (n int64) {
	if c.sealed != nil {
		for i := range c.sealed.cols {
			if s := c.sealed.Stats(i); s != nil {
				n += int64(s.Count)
			}
		}
		return n
	}
	rows := len(c.rows.times)
	for i := range g.kinds {
		n += int64(rows - c.rows.nulls[i].Count(rows))
	}
	return n
}

// Forget frees the rows of series that were dropped. No snapshot may be in use
// that shows them; one that is taken meanwhile sees the other series as they
// are.
func (d *Device) Forget(ids []uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.table
	dropped := func(id uint32) bool { return slices.Contains(ids, id) }
	for _, g := range d.groups {
		if slices.ContainsFunc(g.ids, dropped) {
			g.settle(t, Cut{})
			g.dropFresh(t)
			g.sealSide(&Write{}, t)
		}
	}
	grown := -d.ownBytes()
	for i, g := range d.groups {
		if !slices.ContainsFunc(g.ids, dropped) {
			continue
		}
		grown -= g.bytes()
		d.groups[i] = nil
		if n := g.without(dropped); n != nil {
			d.groups[i] = n
			grown += n.bytes()
		} else {
			g.leave()
		}
		for j := range d.series {
			m := &d.series[j]
			if k := slices.Index(m.groups, g); k >= 0 {
				if m.groups = slices.Clone(m.groups); d.groups[i] != nil {
					m.groups[k] = d.groups[i]
				} else {
					m.groups = slices.Delete(m.groups, k, k+1)
				}
			}
			if m.open == g {
				m.open = d.groups[i]
			}
		}
		g.open = false
	}
	// Rows of those that stay are resolved again; who wrote those that go may never come.
	d.targets = slices.DeleteFunc(d.targets, func(tg target) bool { return !tg.open() })
	d.groups = slices.DeleteFunc(d.groups, func(g *group) bool { return g == nil })
	d.series = slices.DeleteFunc(d.series, func(m member) bool { return dropped(m.id) })
	d.masks = slices.DeleteFunc(d.masks, func(m mask) bool { return dropped(m.id) })
	t.bytes.Add(grown + d.ownBytes())
}

// without returns g with fewer series, nil if none is left.
func (g *group) without(dropped func(uint32) bool) *group {
	n := &group{last: g.last, aside: g.aside, floor: g.floor, birth: g.birth, epoch: g.epoch, open: g.open}
	var keep []int
	for i, id := range g.ids {
		if !dropped(id) {
			keep = append(keep, i)
			n.ids, n.kinds = append(n.ids, id), append(n.kinds, g.kinds[i])
		}
	}
	if len(keep) == 0 {
		return nil
	}
	for _, l := range g.lanes {
		nl := lane{last: l.last, chunks: make([]*chunk, 0, len(l.chunks))}
		for _, c := range l.chunks {
			nl.chunks = append(nl.chunks, c.with(keep, n))
		}
		n.lanes = append(n.lanes, nl)
	}
	return n
}

// with returns c with the columns keep only.
func (c *chunk) with(keep []int, g *group) *chunk {
	n := &chunk{lsn: c.lsn, limit: c.limit, closed: c.closed}
	if s := c.sealed; s != nil {
		n.sealed = s.pick(keep, g)
		return n
	}
	rows := c.rows.head(len(c.rows.times))
	n.rows = newColumns(g.kinds)
	r := Rows{Times: rows.times}
	for _, i := range keep {
		r.Cols, r.Nulls = append(r.Cols, rows.cols[i]), append(r.Nulls, rows.nulls[i])
	}
	n.rows.append(&r, nil, 0, len(r.Times))
	return n
}

// pick returns s with the columns keep only, in memory of its own.
func (s *Sealed) pick(keep []int, g *group) *Sealed {
	n := &Sealed{N: s.N, Min: s.Min, Max: s.Max, Times: slices.Clone(s.Times), Kinds: g.kinds}
	for _, i := range keep {
		from := len(n.data)
		n.data = append(n.data, s.Col(i)...)
		n.cols = append(n.cols, sealedColumn{from, len(n.data), s.cols[i].stats})
	}
	return n
}
