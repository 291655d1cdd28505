package memtable

import (
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
)

// Tip is the end of the columns of a group of one series of numbers of eight bytes:
// the next point is written to where it is to stay, behind the rows that the columns
// are said to have, and nothing of group, lane and chunk is looked at. Rows of more
// columns wait elsewhere, see fresh. settle adds the points to the columns before
// anything but the next point is done with the group. The device's lock guards it.
//
// It is one line of the cache, and so has no way back to its group. Who writes points
// may keep it, see Device.TipOf.
type Tip struct {
	d     *Device // constant
	id    uint32  // of the series; constant
	n     int     // points
	room  int     // for how many there is room, 0 when it is not in use
	last  int64   // time of the newest
	epoch uint64  // of the group
	times unsafe.Pointer
	nums  unsafe.Pointer // the memory of the column, as in column.Cell
}

const tipBytes = 64

// Of reports whether the points belong to the device, without the lock. Those of nil
// belong to none.
func (p *Tip) Of(d *Device) bool { return p != nil && p.d == d }

// In reports whether the points belong to a device of the table, without the lock.
// Those of nil belong to none.
func (p *Tip) In(t *Table) bool { return p != nil && p.d.table == t }

// Series returns the number of the series, without the lock.
func (p *Tip) Series() uint32 { return p.id }

// Takes reports whether Put may follow: if a point goes on from the one before in the
// same epoch and is not the last for which there is room. AppendPoint is for all
// points. The caller holds the lock.
func (p *Tip) Takes(at int64, epoch uint64) bool {
	return p.n+1 < p.room && at > p.last && p.epoch >= epoch
}

// Put writes and counts the point that Takes was asked about. It reports whether
// Ahead should follow. The caller has held the lock since.
func (p *Tip) Put(at int64, num uint64) (line bool) {
	to := unsafe.Add(p.times, 8*p.n)
	p.put(at, num)
	p.d.accepted++
	return looksAhead && uintptr(to)%64 == 0
}

// Ahead asks for the lines of the cache after those that the next points are written
// to. Who writes to a thousand series in turn has them by the time that they are
// needed, where the writes would be waited for with the lock.
func (p *Tip) Ahead() {
	ahead(unsafe.Add(p.times, 8*(p.n-1)), unsafe.Add(p.nums, 8*(p.n-1)))
}

// TipOf returns where points of the layout are written, nil if that is not known. It
// stays right: when they go elsewhere, it takes none. The caller holds the lock.
func (d *Device) TipOf(l *Layout) *Tip {
	if i := d.targetOf(l); i >= 0 {
		return d.targets[i].tip
	}
	return nil
}

// tip returns what takes a point of the layout, nil if it is late or the first one,
// or is not one of a group of a single series of such numbers.
func (d *Device) tip(l *Layout, at int64, lsn uint64, cut Cut) *Tip {
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
func (d *Device) knownTip(l *Layout, at int64, epoch uint64) *Tip {
	if uint(l.at) >= uint(len(d.targets)) {
		return nil
	}
	tg := &d.targets[l.at]
	p := tg.tip
	if tg.layout != l || p == nil || p.n == p.room || at <= p.last || p.epoch < epoch {
		return nil
	}
	return p
}

// nextTip is tip where the group has to be looked at.
func (d *Device) nextTip(tg *target, at int64, lsn uint64, cut Cut) *Tip {
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return nil
	}
	g := tg.parts[0].g
	if !g.hasTip() || !g.open || len(g.lanes) == 0 || at <= g.newest() {
		return nil
	}
	g.touch(cut, d.table)
	tg.tip = g.beginTip(d, lsn)
	return tg.tip
}

// hasTip reports whether points of g are written to its tip, once there are some.
func (g *group) hasTip() bool {
	return len(g.kinds) == 1 && (g.kinds[0] == column.Float64 || g.kinds[0] == column.Int64)
}

// beginTip makes room for at least one point. The point need not follow.
func (g *group) beginTip(d *Device, lsn uint64) *Tip {
	t, p := d.table, g.tip
	if p != nil && p.n > 0 {
		return p
	}
	if p == nil {
		p = one(t, &t.room.tips)
		p.d, p.id = d, g.ids[0]
		g.tip = p
		t.bytes.Add(tipBytes)
	}
	l := &g.lanes[0]
	c := l.open()
	if c == nil {
		c = g.newChunk(l, t, lsn)
	}
	g.reserve(c, t, 1)
	n := len(c.rows.times)
	nums, room := words(&c.rows.cols[0])
	room = min(cap(c.rows.times), room, c.limit)
	if room <= n {
		return nil
	}
	p.times, p.nums = unsafe.Pointer(&c.rows.times[:n+1][n]), unsafe.Add(nums, 8*n)
	p.room, p.last, p.epoch = room-n, g.last, g.epoch
	return p
}

// words is the memory of a column of eight bytes a number, as in column.Cell, and how
// many there is room for.
func words(v *column.Vector) (unsafe.Pointer, int) {
	if v.Kind == column.Float64 {
		return unsafe.Pointer(unsafe.SliceData(v.Float64s)), cap(v.Float64s)
	}
	return unsafe.Pointer(unsafe.SliceData(v.Int64s)), cap(v.Int64s)
}

// put writes a point for which there is room, and reports whether it was the last.
func (p *Tip) put(at int64, num uint64) (full bool) {
	*(*int64)(unsafe.Add(p.times, 8*p.n)) = at
	*(*uint64)(unsafe.Add(p.nums, 8*p.n)) = num
	p.n++
	p.last = at
	return p.n == p.room
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
func (d *Device) addPoint(p *Tip, l *Layout, at int64, num uint64, cut Cut) {
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
	n := p.n
	p.n, p.room, p.times, p.nums = 0, 0, nil, nil // in any case: maybe the point that there was to be room for has not come
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
