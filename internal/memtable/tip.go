package memtable

import (
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
)

// tip is the end of the columns of a group of one series of numbers of eight bytes:
// the next point is written to where it is to stay, behind the rows that the columns
// are said to have, and nothing of group, lane and chunk is looked at. Rows of more
// columns wait elsewhere, see fresh. settle adds the points to the columns before
// anything but the next point is done with the group. The device's lock guards it.
//
// It is one line of the cache, and so has no way back to its group.
type tip struct {
	times []int64  // of the points; its capacity is what there is room for, none when it is not in use
	nums  []uint64 // the memory of the column, as in column.Cell
	last  int64    // time of the newest
	epoch uint64   // of the group
}

const tipBytes = 64

// tip returns what takes a point of the layout, nil if it is late or the first one,
// or is not one of a group of a single series of such numbers.
func (d *Device) tip(l *Layout, at int64, lsn uint64, cut Cut) *tip {
	if p := d.knownTip(l, at, cut.Epoch); p != nil {
		return p
	}
	i := d.targetOf(l)
	if i < 0 {
		return nil
	}
	return d.nextTip(&d.targets[i], at, lsn, cut)
}

// knownTip is tip where the point goes on from the one before in the same epoch.
func (d *Device) knownTip(l *Layout, at int64, epoch uint64) *tip {
	if uint(l.at) >= uint(len(d.targets)) {
		return nil
	}
	tg := &d.targets[l.at]
	p := tg.tip
	if tg.layout != l || p == nil || len(p.times) == cap(p.times) || at <= p.last || p.epoch < epoch {
		return nil
	}
	return p
}

// nextTip is tip where the group has to be looked at.
func (d *Device) nextTip(tg *target, at int64, lsn uint64, cut Cut) *tip {
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return nil
	}
	g := tg.parts[0].g
	if !g.hasTip() || !g.open || len(g.lanes) == 0 || at <= g.newest() {
		return nil
	}
	g.touch(cut, d.table)
	tg.tip = g.beginTip(d.table, lsn)
	return tg.tip
}

// hasTip reports whether points of g are written to its tip, once there are some.
func (g *group) hasTip() bool {
	return len(g.kinds) == 1 && (g.kinds[0] == column.Float64 || g.kinds[0] == column.Int64)
}

// beginTip makes room for at least one point. The point need not follow.
func (g *group) beginTip(t *Table, lsn uint64) *tip {
	p := g.tip
	if p != nil && len(p.times) > 0 {
		return p
	}
	if p == nil {
		p = one(t, &t.room.tips)
		g.tip = p
		t.bytes.Add(tipBytes)
	}
	l := &g.lanes[0]
	var c *chunk
	if n := len(l.chunks); n > 0 && !l.chunks[n-1].closed {
		c = l.chunks[n-1]
	} else {
		c = g.newChunk(l, t, lsn)
	}
	g.reserve(c, t, 1)
	n, nums := len(c.rows.times), words(&c.rows.cols[0])
	room := min(cap(c.rows.times), cap(nums), c.limit)
	if room <= n {
		return nil
	}
	p.times, p.nums, p.last, p.epoch = c.rows.times[n:n:room], nums[n:n:room], g.last, g.epoch
	return p
}

// words is the memory of a column of eight bytes a number, as in column.Cell.
func words(v *column.Vector) []uint64 {
	if v.Kind == column.Float64 {
		return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.Float64s))), cap(v.Float64s))
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(v.Int64s))), cap(v.Int64s))
}

// put writes a point for which there is room, and reports whether it was the last.
func (p *tip) put(at int64, num uint64) (full bool) {
	n := len(p.times)
	p.times = p.times[:n+1]
	p.nums = p.nums[:n+1]
	p.times[n], p.nums[n], p.last = at, num, at
	return n+1 == cap(p.times)
}

// AppendPoint is TakesPoint, and AddPoint if it may follow.
func (d *Device) AppendPoint(l *Layout, at int64, num, lsn uint64, cut Cut) bool {
	p := d.knownTip(l, at, cut.Epoch)
	if p == nil {
		if !d.TakesPoint(l, at, lsn, cut) {
			return false
		}
		d.AddPoint(l, at, num, cut)
		return true
	}
	d.accepted++
	if p.put(at, num) {
		d.settleLayout(l, cut)
	}
	return true
}

// addPoint writes a point to what tip returned for its layout.
func (d *Device) addPoint(p *tip, l *Layout, at int64, num uint64, cut Cut) {
	if p.put(at, num) {
		d.settleLayout(l, cut)
	}
}

// settleLayout settles the group of a layout that has a tip.
func (d *Device) settleLayout(l *Layout, cut Cut) {
	d.targets[l.at].parts[0].g.settle(d.table, cut)
}

// settleTip adds the points to the columns.
func (g *group) settleTip(t *Table, cut Cut) {
	p := g.tip
	n := len(p.times)
	p.times, p.nums = nil, nil // in any case: maybe the point that there was to be room for has not come
	if n == 0 {
		return
	}
	l := &g.lanes[0]
	c := l.chunks[len(l.chunks)-1]
	rows := len(c.rows.times) + n
	c.rows.times = c.rows.times[:rows]
	if v := &c.rows.cols[0]; v.Kind == column.Float64 {
		v.Float64s = v.Float64s[:rows]
	} else {
		v.Int64s = v.Int64s[:rows]
	}
	l.last, g.last = p.last, p.last
	g.inOrder += n
	if rows == c.limit {
		g.full(0, c, t, cut)
	}
}
