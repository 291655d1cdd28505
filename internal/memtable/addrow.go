package memtable

import "github.com/tickwell/tickwell/internal/column"

// AddRow writes one row in the order of the layout and tells whether it was late,
// if the layout has been written before and goes to a group of its own, as that
// of a gauge does which is read every second. Else it changes nothing and ok is
// false: Add is for all rows. The caller holds the lock.
func (d *Device) AddRow(l *Layout, at int64, cells []column.Cell, lsn uint64, cut Cut) (late, ok bool) {
	i := d.targetOf(l)
	if i < 0 {
		return false, false
	}
	tg := &d.targets[i]
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return false, false
	}
	g := tg.parts[0].g
	if !g.open || len(g.lanes) == 0 {
		return false, false
	}
	g.touch(cut)
	if at <= g.last {
		d.accepted += int64(g.addLateRow(d.table, at, cells, lsn, cut))
		return true, true
	}
	lane := &g.lanes[0]
	var c *chunk
	if n := len(lane.chunks); n > 0 && !lane.chunks[n-1].closed {
		c = lane.chunks[n-1]
	} else {
		c = g.newChunk(lane, d.table, lsn)
	}
	rows := &c.rows
	row := len(rows.times)
	if row == cap(rows.times) {
		g.reserve(c, d.table, 1)
	}
	rows.times = append(rows.times, at)
	d.accepted += int64(len(rows.cols))
	for i := range rows.cols {
		v, cell := &rows.cols[i], &cells[i]
		switch {
		case cell.Kind == column.Float64:
			v.AppendCell(cell)
		case cell.Kind == column.Null:
			v.AppendZero(1)
			rows.nulls[i].Set(row)
			d.accepted--
		case cell.Kind == column.Text:
			v.AppendCell(cell)
			rows.text += len(cell.Text)
			d.table.bytes.Add(int64(len(cell.Text)))
		default:
			v.AppendCell(cell)
		}
	}
	lane.last, g.last = at, at
	g.inOrder += len(rows.cols)
	if row+1 == c.limit {
		g.full(0, c, d.table, cut)
	}
	return false, true
}

// addLateRow writes a late row to the side and returns how many cells it has.
func (g *group) addLateRow(t *Table, at int64, cells []column.Cell, lsn uint64, cut Cut) int {
	if len(g.side.rows) == 0 {
		g.side.lsn = lsn
	}
	before := g.side.bytes()
	n := g.side.addRow(at, cells)
	t.bytes.Add(g.side.bytes() - before)
	if g.side.full() {
		g.sealSide(&Write{Cut: cut}, t)
	}
	return n
}
