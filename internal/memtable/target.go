package memtable

import (
	"math"
	"slices"
)

// maxFlips bounds how often a device's series may change the company in which
// they are written before each gets a group of its own.
const maxFlips = 8

// Rows of a few of a group's series may come late without breaking its company:
// they wait with the group's late rows, as nulls in the columns of the others.
// Bounds of that: a layout is at least the maxNarrow-th part of its group, and
// such cells are few beside those in order, so that a device whose columns come
// in parts, each row after the first part being late, is still taken apart.
const (
	maxNarrow   = 64
	narrowCells = 256 // that are always few
	narrowShare = 8   // else the cells in order are this many times more
)

// target returns where the rows of w's layout go, making groups as needed. A
// layout that has most of a group's series goes there, with nulls for the rest;
// one that cuts across groups ends them and starts a new one.
func (d *Device) target(w *Write) *target {
	if i := d.targetOf(w.Layout); i >= 0 {
		if tg := &d.targets[i]; tg.open() && (!tg.narrow || tg.parts[0].g.takesNarrow(w.span())) {
			return tg
		}
		d.targets = slices.Delete(d.targets, i, i+1)
	}
	parts, narrow := d.resolve(w)
	if d.targets == nil {
		d.targets = d.firstTarget[:0]
	}
	d.targets = withRoom(d.table, &d.table.room.targets, d.targets)
	if d.targets = append(d.targets, target{layout: w.Layout, parts: parts, narrow: narrow}); len(d.targets) > 1 {
		d.firstTarget = [1]target{} // it has moved, and would keep its group
	}
	return &d.targets[len(d.targets)-1]
}

// targetOf returns where in d.targets the layout is, -1 if it is not. A device
// may have many layouts, one a series, so the layout remembers.
func (d *Device) targetOf(l *Layout) int {
	if l.at < len(d.targets) && d.targets[l.at].layout == l {
		return l.at
	}
	i := slices.IndexFunc(d.targets, func(t target) bool { return t.layout == l })
	if i >= 0 {
		l.at = i
	}
	return i
}

// takesNarrow reports whether rows of less than half of the group's series, the
// last at a time, may go to it.
func (g *group) takesNarrow(last int64, rows, width int) bool {
	if last > g.newest() || maxNarrow*width < len(g.ids) {
		return false
	}
	return g.narrow+rows*width <= narrowCells+g.inOrder/narrowShare
}

// span returns the last time of w, its rows and its columns.
func (w *Write) span() (last int64, rows, width int) {
	n := len(w.Rows.Times)
	return w.Rows.Times[n-1], n, len(w.Layout.IDs)
}

func (t *target) open() bool {
	for i := range t.parts {
		if !t.parts[i].g.open {
			return false
		}
	}
	return true
}

func (d *Device) resolve(w *Write) (parts []part, narrow bool) {
	ids := w.Layout.IDs
	owner, same, owned := (*group)(nil), true, 0
	if len(d.series) == 0 {
		d.series = d.table.memberList(len(ids))
	}
	for i, id := range ids {
		m := d.addMember(id)
		if m.open != nil {
			owned++
		}
		if i == 0 {
			owner = m.open
		} else if m.open != owner {
			same = false
		}
	}
	switch {
	case d.flips > maxFlips:
		return d.single(w), false
	case owned == 0:
		g := d.newGroup(w, ids, nil)
		g.part[0].g = g
		return g.part[:], false
	case same && 2*len(ids) >= len(owner.ids):
		return []part{owner.partOf(ids)}, false
	case same && owner.takesNarrow(w.span()):
		return []part{owner.partOf(ids)}, true
	}
	d.flips++
	for _, id := range ids {
		if m := d.member(id); m.open != nil {
			d.end(m.open, w)
		}
	}
	if d.flips > maxFlips {
		return d.single(w), false
	}
	return []part{{g: d.newGroup(w, ids, nil)}}, false
}

// single gives every series of the layout a group of its own.
func (d *Device) single(w *Write) []part {
	parts := make([]part, 0, len(w.Layout.IDs))
	for i, id := range w.Layout.IDs {
		m := d.member(id)
		if m.open != nil && len(m.open.ids) > 1 {
			d.end(m.open, w)
			m = d.member(id)
		}
		g := m.open
		if g == nil {
			g = d.newGroup(w, []uint32{id}, []int{i})
		}
		parts = append(parts, part{g: g, from: []int{i}})
	}
	return parts
}

// newGroup makes a group of series; at says which columns of the layout they
// are, nil = all of them.
func (d *Device) newGroup(w *Write, ids []uint32, at []int) *group {
	kinds := w.Layout.Kinds
	if at != nil {
		kinds = kinds[at[0] : at[0]+1]
	}
	var g *group
	var own []*group
	if len(ids) == 1 { // in one piece
		p := one(d.table, &d.table.room.groups)
		p.cols[0].Kind = kinds[0]
		g, own = &p.group, p.own[:]
		g.spare = columns{cols: p.cols[:], nulls: p.nulls[:]}
	} else {
		g, own = new(group), make([]*group, len(ids))
	}
	g.ids, g.kinds, g.last, g.aside, g.open, g.birth, g.epoch = ids, kinds, math.MinInt64, math.MinInt64, true, w.Cut.Epoch, w.Cut.Epoch
	g.lanes = g.firstLane[:0]
	for i, id := range ids {
		m := d.member(id)
		g.last = max(g.last, m.last)
		m.open = g
		if m.groups == nil {
			own[i] = g
			m.groups = own[i : i+1 : i+1]
		} else {
			m.groups = append(m.groups, g)
		}
	}
	if d.groups == nil {
		d.groups = d.firstGroup[:0]
	}
	d.groups = withRoom(d.table, &d.table.room.places, d.groups)
	if d.groups = append(d.groups, g); len(d.groups) > 1 {
		d.firstGroup = [1]*group{} // it has moved
	}
	d.table.bytes.Add(groupBytes)
	return g
}

// end closes a group for its series; what it holds stays.
func (d *Device) end(g *group, w *Write) {
	g.barrier(w, d.table)
	g.dropSide(d.table, false)
	g.dropFresh(d.table)
	g.open = false
	d.table.bytes.Add(int64(-cap(g.spare.times) * rowWidth(g.kinds)))
	g.spare = columns{}
	for _, id := range g.ids {
		m := d.member(id)
		m.open, m.last = nil, max(m.last, g.last)
	}
}

// partOf returns g as the part of a layout of these series, all of them its own.
func (g *group) partOf(ids []uint32) part {
	p := part{g: g, from: mapping(g.ids, ids)}
	if len(ids) == 1 {
		p.only = g.col(ids[0])
	}
	return p
}

// mapping returns for every id of the group its column in the layout, or -1.
func mapping(group, layout []uint32) []int {
	if slices.Equal(group, layout) {
		return nil
	}
	from := make([]int, len(group))
	if len(layout) <= 8 {
		for i, id := range group {
			from[i] = slices.Index(layout, id)
		}
		return from
	}
	at := make(map[uint32]int, len(layout))
	for i, id := range layout {
		at[id] = i
	}
	for i, id := range group {
		var ok bool
		if from[i], ok = at[id]; !ok {
			from[i] = -1
		}
	}
	return from
}
