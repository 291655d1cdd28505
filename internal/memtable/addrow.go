package memtable

import "github.com/tickwell/tickwell/internal/column"

// AddRow writes one row in the order of the layout, if it is newer than all of
// its group and the layout has been written before, which is what a gauge that is
// read every second does. Else it changes nothing and returns false: Add is for
// all rows. The caller holds the lock.
func (d *Device) AddRow(l *Layout, at int64, cells []column.Cell, lsn uint64, cut Cut) bool {
	i := d.targetOf(l)
	if i < 0 {
		return false
	}
	tg := &d.targets[i]
	if len(tg.parts) != 1 || tg.parts[0].from != nil {
		return false
	}
	g := tg.parts[0].g
	if !g.open || at <= g.last || len(g.lanes) == 0 {
		return false
	}
	g.touch(cut)
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
	return true
}
