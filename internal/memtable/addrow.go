package memtable

import "github.com/tickwell/tickwell/internal/column"

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
	g := d.rowsTo(l)
	if g == nil {
		return 0, false, false
	}
	g.touch(cut)
	if at <= g.last {
		return g.addLateRow(d.table, at, cells, lsn, cut), true, true
	}
	lane := &g.lanes[0]
	var c *chunk
	if k := len(lane.chunks) - 1; k >= 0 && !lane.chunks[k].closed {
		c = lane.chunks[k]
	} else {
		c = g.newChunk(lane, d.table, lsn)
	}
	rows := &c.rows
	row := len(rows.times)
	if row == cap(rows.times) {
		g.reserve(c, d.table, 1)
	}
	rows.times = append(rows.times, at)
	n = len(rows.cols)
	for i := range rows.cols {
		v, cell := &rows.cols[i], &cells[i]
		switch {
		case cell.Kind == column.Float64:
			v.AppendCell(cell)
		case cell.Kind == column.Null:
			v.AppendZero(1)
			rows.nulls[i].Set(row)
			n--
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
	return n, false, true
}

// Count adds to what Table.Accepted returns. The caller holds the lock.
func (d *Device) Count(cells int) { d.accepted += int64(cells) }

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
