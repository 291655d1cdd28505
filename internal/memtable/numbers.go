package memtable

import (
	"github.com/tickwell/tickwell/internal/column"
)

// AddNumbers writes one row of numbers in the order of the layout, which has at
// most 64 columns: cells as in column.Cell, and a bit of nulls for each that is
// null. It returns whether the row was late. The caller holds the lock.
func (d *Device) AddNumbers(l *Layout, at int64, nums []uint64, nulls, lsn uint64, cut *Cut) (late bool) {
	if i := l.at; i < len(d.targets) { // where most rows go: with those that wait
		tg := &d.targets[i]
		if f := tg.fresh; f != nil && tg.layout == l && f.n < f.room && at > f.last && f.epoch >= cut.Epoch {
			row := f.row()[:len(nums)]
			for c, num := range nums {
				row[c] = num
			}
			if f.end(at, nulls) {
				f.g.filled(d.table, *cut)
			}
			return false
		}
	}
	return d.addNumbers(l, at, nums, nulls, lsn, *cut)
}

// addNumbers is AddNumbers for all rows.
func (d *Device) addNumbers(l *Layout, at int64, nums []uint64, nulls, lsn uint64, cut Cut) (late bool) {
	if len(nums) == 1 && nulls == 0 {
		if p := d.tip(l, at, lsn, cut); p != nil {
			d.addPoint(p, l, at, nums[0], cut)
			return false
		}
	}
	if f := d.next(l, at, lsn, cut); f != nil {
		copy(f.row(), nums)
		f.put(at, nulls, d.table, cut)
		return false
	}
	if i := d.targetOf(l); i >= 0 && len(d.targets[i].parts) == 1 {
		tg := &d.targets[i]
		p := &tg.parts[0]
		g := p.g
		switch {
		case !g.open || len(g.lanes) == 0:
		case at <= g.newest():
			g.touch(cut, d.table)
			if p.amendNumbers(d.table, at, nums, nulls, cut) {
				return true
			}
			if tg.narrow && !g.takesNarrow(at, 1, len(nums)) {
				break
			} else if tg.narrow {
				g.narrow += len(nums)
			}
			p.addLateNumbers(d.table, at, nums, nulls, lsn, cut)
			return true
		case p.from == nil:
			var cells [maxFresh]column.Cell
			g.touch(cut, d.table)
			g.addInOrder(d.table, at, g.cells(&cells, nums, nulls), lsn, cut)
			return false
		}
	}
	w := Write{Layout: l, Rows: rowsOf(l, at, nums, nulls), LSN: lsn, Cut: cut}
	return d.Add(&w) > 0
}

// cells makes cells of the columns of g.
func (g *group) cells(buf *[maxFresh]column.Cell, nums []uint64, nulls uint64) []column.Cell {
	cells := buf[:len(nums)]
	for i, k := range g.kinds {
		if nulls>>i&1 == 0 {
			cells[i] = column.Cell{Kind: k, Num: nums[i]}
		}
	}
	return cells
}

// rowsOf makes a tablet of one row.
func rowsOf(l *Layout, at int64, nums []uint64, nulls uint64) Rows {
	r := Rows{Times: []int64{at}, Cols: make([]column.Vector, len(nums)), Nulls: make([]column.Bitmap, len(nums))}
	for i, k := range l.Kinds {
		r.Cols[i].Kind = k
		r.Cols[i].AppendCell(&column.Cell{Kind: k, Num: nums[i]})
		if nulls>>i&1 != 0 {
			r.Nulls[i].Set(0)
		}
	}
	return r
}

// addLateNumbers writes a late row to the side.
func (p *part) addLateNumbers(t *Table, at int64, nums []uint64, nulls, lsn uint64, cut Cut) {
	g := p.g
	s := &g.side
	if len(s.rows) == 0 {
		s.lsn = lsn
	}
	g.aside = max(g.aside, at)
	before := s.bytes()
	if p.from != nil && len(nums) == 1 { // as most late points come
		if nulls&1 == 0 {
			s.cells = append(s.cells, sideCell{nums[0], p.only})
		}
	} else {
		for col := range g.kinds {
			j := col
			if p.from != nil {
				j = p.from[col]
			}
			if j >= 0 && nulls>>j&1 == 0 {
				s.cells = append(s.cells, sideCell{nums[j], col})
			}
		}
	}
	s.rows = append(s.rows, sideRow{at, len(s.cells)})
	t.bytes.Add(s.bytes() - before)
	if s.full() {
		g.sealSide(&Write{Cut: cut}, t)
	}
}
