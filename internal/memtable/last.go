package memtable

import (
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// lookBack is how many chunks Last looks at for a cell that is not null.
const lookBack = 4

// Last finds the newest cell of a series that a snapshot of the epoch, whose
// last commit is upTo, sees in the table, without copying anything. ok is false
// if there is none. known is false when that is not quickly told: deletes,
// changes since the snapshot, texts that are encoded; Sources tells always. The
// caller holds the lock.
func (d *Device) Last(id uint32, epoch, upTo uint64) (at int64, cell column.Cell, ok, known bool) {
	for i := range d.masks {
		if d.masks[i].id == id && d.masks[i].LSN <= upTo {
			return 0, cell, false, false
		}
	}
	m := d.member(id)
	if m == nil {
		return 0, cell, false, true
	}
	at = math.MinInt64
	for _, g := range m.groups {
		if g.birth > epoch {
			continue
		}
		if g.epoch > epoch {
			return 0, cell, false, false
		}
		g.settle(d.table, Cut{})
		col := g.col(id)
		for k := range g.lanes { // a later lane wins at the same time
			t, c, found, known := g.lanes[k].newest(col, at)
			if !known {
				return 0, cell, false, false
			}
			if found {
				at, cell, ok = t, c, true
			}
		}
		for i := range g.side.rows {
			t := g.side.rows[i].at
			if t < at {
				continue
			}
			for _, c := range g.side.row(i) {
				if c.col == col {
					at, cell, ok = t, g.side.cell(c, g.kinds[col]), true
				}
			}
		}
	}
	return at, cell, ok, true
}

// newest returns the newest cell of a column at or after a time.
func (l *lane) newest(col int, from int64) (at int64, cell column.Cell, ok, known bool) {
	looked := 0
	for i := len(l.chunks) - 1; i >= 0; i-- {
		c := l.chunks[i]
		if looked++; looked > lookBack {
			return 0, cell, false, false
		}
		if s := c.sealed; s != nil {
			if s.Max < from {
				break
			}
			if s.cols[col].stats.Count == 0 {
				continue
			}
			stats := &s.cols[col].stats
			if stats.MaxTime < from {
				break
			}
			if s.Kinds[col] == column.Text {
				return 0, cell, false, false
			}
			cell = column.Cell{Kind: s.Kinds[col], Num: stats.Last}
			if cell.Kind == column.Int32 { // statistics are widened
				cell.Num = uint64(uint32(cell.Num))
			}
			return stats.MaxTime, cell, true, true
		}
		times, nulls := c.rows.times, c.rows.nulls[col]
		for row := len(times) - 1; row >= 0; row-- {
			if times[row] < from {
				return 0, cell, false, true
			}
			if !nulls.Get(row) {
				return times[row], c.rows.cols[col].Cell(row), true, true
			}
		}
	}
	return 0, cell, false, true
}
