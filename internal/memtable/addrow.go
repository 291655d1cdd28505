package memtable

import (
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// TakesRows reports whether rows of the layout can be written with AddRow: if it
// has been written before and goes to a group of its own, as that of a gauge does
// which is read every second. Add is for all rows. The caller holds the lock.
func (d *Device) TakesRows(l *Layout) bool { return d.rowsTo(l) != nil }

// rowsTo returns the group of the layout, nil if it has none of its own.
func (d *Device) rowsTo(l *Layout) *group {
	i := d.targetOf(l)
	if i < 0 {
		return nil
	}
	tg := &d.targets[i]
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return nil
	}
	if g := tg.parts[0].g; g.open && len(g.lanes) > 0 {
		return g
	}
	return nil
}

// AddRow writes one row in the order of the layout. It returns how many of the
// cells are not null, and whether the row was late. If the layout is not one of
// those that TakesRows means, it changes nothing and ok is false. The caller holds
// the lock.
func (d *Device) AddRow(l *Layout, at int64, cells []column.Cell, lsn uint64, cut Cut) (n int, late, ok bool) {
	if len(cells) == 1 && cells[0].Kind != column.Null {
		if p := d.tip(l, at, lsn, cut); p != nil {
			d.addPoint(p, l, at, cells[0].Num, cut)
			return 1, false, true
		}
	}
	if f := d.next(l, at, lsn, cut); f != nil {
		n = len(cells)
		nulls, to := uint64(0), f.row()
		for i := range to {
			cell := &cells[i]
			if to[i] = cell.Num; cell.Kind == column.Null {
				nulls |= 1 << i
				n--
			}
		}
		f.put(at, nulls, d.table, cut)
		return n, false, true
	}
	g := d.rowsTo(l)
	if g == nil {
		return 0, false, false
	}
	g.touch(cut, d.table)
	if at <= g.newest() {
		return g.addLateRow(d.table, at, cells, lsn, cut), true, true
	}
	return g.addInOrder(d.table, at, cells, lsn, cut), false, true
}

// TakesPoint reports whether AddPoint may follow: if a row of the layout, of one
// number, may wait with the newest rows of its group. least is at most the position
// that the row will have, and beyond those of all that was done with the device. The
// caller holds the lock.
func (d *Device) TakesPoint(l *Layout, at int64, least uint64, cut Cut) bool {
	if d.knownTip(l, at, cut.Epoch) != nil || d.tip(l, at, least, cut) != nil {
		return true
	}
	f := d.next(l, at, least, cut)
	return f != nil && f.width == 1
}

// AddPoint writes and counts the row that TakesPoint was asked about: its only cell,
// as in column.Cell. The caller has held the lock since.
func (d *Device) AddPoint(l *Layout, at int64, num uint64, cut Cut) {
	d.accepted++
	tg := &d.targets[l.at]
	if tg.tip != nil {
		d.addPoint(tg.tip, l, at, num, cut)
		return
	}
	f := tg.fresh
	f.nums[f.n] = num
	f.put(at, 0, d.table, cut)
}

// addInOrder appends a row to the columns and returns how many cells it has.
func (g *group) addInOrder(t *Table, at int64, cells []column.Cell, lsn uint64, cut Cut) (n int) {
	g.settle(t, cut)
	lane := &g.lanes[0]
	c := lane.open()
	if c == nil {
		c = g.newChunk(lane, t, lsn)
	}
	rows := &c.rows
	row := len(rows.times)
	if row == cap(rows.times) {
		g.reserve(c, t, 1)
	}
	rows.times = append(rows.times, at)
	n = len(rows.cols)
	for i := range rows.cols {
		v, cell := &rows.cols[i], &cells[i]
		switch cell.Kind {
		case column.Null:
			v.AppendZero(1)
			rows.nulls[i].Set(row)
			n--
		case column.Text:
			v.AppendCell(cell)
			rows.text += len(cell.Text)
			t.bytes.Add(int64(len(cell.Text)))
		default:
			v.AppendCell(cell)
		}
	}
	lane.last, g.last = at, at
	g.inOrder += len(rows.cols)
	if row+1 == c.limit {
		g.full(0, c, t, cut)
	}
	return n
}

// addOne writes the only row of w, if it may wait.
func (d *Device) addOne(w *Write) bool {
	if len(w.Rows.Cols) == 1 && !w.Rows.nullsOf(0).Get(0) {
		if p := d.tip(w.Layout, w.Rows.Times[0], w.LSN, w.Cut); p != nil {
			d.addPoint(p, w.Layout, w.Rows.Times[0], w.Rows.Cols[0].Cell(0).Num, w.Cut)
			return true
		}
	}
	f := d.next(w.Layout, w.Rows.Times[0], w.LSN, w.Cut)
	if f == nil {
		return false
	}
	nulls, to := uint64(0), f.row()
	for i := range to {
		if v := &w.Rows.Cols[i]; v.Kind == column.Float64 {
			to[i] = math.Float64bits(v.Float64s[0])
		} else {
			to[i] = v.Cell(0).Num
		}
		if b := w.Rows.nullsOf(i); len(b) > 0 {
			nulls |= b[0] & 1 << i
		}
	}
	f.put(w.Rows.Times[0], nulls, d.table, w.Cut)
	return true
}

// Count adds to what Table.Accepted returns. The caller holds the lock.
func (d *Device) Count(cells int) { d.accepted += int64(cells) }

// addLateRow writes a late row, mostly to the side, and returns how many cells it
// has.
func (g *group) addLateRow(t *Table, at int64, cells []column.Cell, lsn uint64, cut Cut) int {
	if n, ok := g.amendCells(t, at, cells, cut); ok {
		return n
	}
	if len(g.side.rows) == 0 {
		g.side.lsn = lsn
	}
	g.aside = max(g.aside, at)
	before := g.side.bytes()
	n := g.side.addRow(at, cells)
	t.bytes.Add(g.side.bytes() - before)
	if g.side.full() {
		g.sealSide(&Write{Cut: cut}, t)
	}
	return n
}
