package memtable

import (
	"math"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// Late rows mostly come while the row of their time, with nulls where they have
// cells, is not encoded yet: they are put there, as if they had come in time. What
// is then encoded has no gaps, and nothing is left to be merged. For that nobody may
// see the rows as they were, and no older cell of that time may lie in a newer place.

// spot is a row of lane 0 that can be changed: of those that wait, or of columns.
type spot struct {
	f    *fresh
	rows *columns
	row  int
}

// find returns where the row of a time is, if late cells can be put there. It is
// called after touch.
func (g *group) find(t *Table, at int64, cut Cut) (s spot, ok bool) {
	if cut.Oldest != NoSnapshot || at <= g.aside || len(g.lanes) == 0 {
		return s, false
	}
	f, waiting := g.fresh, 0
	if f != nil && f.sealing != nil { // some of its columns are encoded
		g.settle(t, cut)
	}
	if f != nil && f.n > 0 {
		waiting = int(f.n)
		if at >= f.times[0] {
			for k := waiting - 1; f.times[k] >= at; k-- {
				if f.times[k] == at {
					g.behind = max(g.behind, waiting-k)
					return spot{f: f, row: k}, true
				}
			}
			return s, false
		}
	}
	c := g.lanes[0].open()
	if c == nil {
		return s, false
	}
	row, ok := findTime(c.rows.times, at)
	if ok {
		g.behind = max(g.behind, len(c.rows.times)+waiting-row)
	}
	return spot{rows: &c.rows, row: row}, ok
}

// findTime returns where at is in times, which mostly have one step.
func findTime(times []int64, at int64) (int, bool) {
	n := len(times)
	if n < 2 {
		return 0, n == 1 && times[0] == at
	}
	last := times[n-1]
	if at > last {
		return 0, false
	}
	if back := uint64(last-at) / uint64(last-times[n-2]); back < uint64(n) {
		if k := n - 1 - int(back); times[k] == at {
			return k, true
		}
	}
	return slices.BinarySearch(times, at)
}

// set puts a number, as in column.Cell, into column col.
func (s *spot) set(col int, num uint64) {
	if f := s.f; f != nil {
		f.nums[s.row*int(f.width)+col] = num
		f.nulls[s.row] &^= 1 << col
		return
	}
	if v := &s.rows.cols[col]; v.Kind == column.Float64 {
		v.Float64s[s.row] = math.Float64frombits(num)
	} else {
		v.SetCell(s.row, column.Cell{Kind: v.Kind, Num: num})
	}
	s.rows.nulls[col].Unset(s.row)
}

// setText puts a text into column col. Rows with texts do not wait.
func (s *spot) setText(col int, text string, t *Table) {
	old := &s.rows.cols[col].Texts[s.row]
	s.rows.text += len(text) - len(*old)
	t.bytes.Add(int64(len(text) - len(*old)))
	*old = text
	s.rows.nulls[col].Unset(s.row)
}

// amendCells is addLateRow for a row that can be put at its place. It returns how
// many cells the row has.
func (g *group) amendCells(t *Table, at int64, cells []column.Cell, cut Cut) (n int, ok bool) {
	s, ok := g.find(t, at, cut)
	if !ok {
		return 0, false
	}
	for col := range cells {
		switch c := &cells[col]; c.Kind {
		case column.Null:
			continue
		case column.Text:
			s.setText(col, c.Text, t)
		default:
			s.set(col, c.Num)
		}
		n++
	}
	return n, true
}

// amendNumbers is addLateNumbers for a row that can be put at its place.
func (p *part) amendNumbers(t *Table, at int64, nums []uint64, nulls uint64, cut Cut) bool {
	s, ok := p.g.find(t, at, cut)
	if !ok {
		return false
	}
	if p.from != nil && len(nums) == 1 { // as most late points come
		if nulls&1 == 0 {
			s.set(p.only, nums[0])
		}
		return true
	}
	for col := range p.g.kinds {
		j := col
		if p.from != nil {
			j = p.from[col]
		}
		if j >= 0 && nulls>>j&1 == 0 {
			s.set(col, nums[j])
		}
	}
	return true
}

// amend puts row i of r at its place, if it can be; from is as for columns.append.
func (g *group) amend(t *Table, r *Rows, from []int, i int, cut Cut) bool {
	s, ok := g.find(t, r.Times[i], cut)
	if !ok {
		return false
	}
	for col := range g.kinds {
		j := col
		if from != nil {
			j = from[col]
		}
		if j < 0 || r.nullsOf(j).Get(i) {
			continue
		}
		if v := &r.Cols[j]; v.Kind == column.Text {
			s.setText(col, v.Texts[i], t)
		} else {
			s.set(col, v.Cell(i).Num)
		}
	}
	return true
}

// amendNth puts row i of w at its place, if its layout has been written before, it
// is late and it can be.
func (d *Device) amendNth(w *Write, i int) bool {
	k, at := d.targetOf(w.Layout), w.Rows.Times[i]
	if k < 0 || len(d.targets[k].parts) != 1 {
		return false
	}
	p := &d.targets[k].parts[0]
	g := p.g
	if !g.open || at > g.newest() {
		return false
	}
	g.touch(w.Cut, d.table)
	if p.from == nil || len(w.Layout.IDs) != 1 || w.Layout.Kinds[0] == column.Text {
		return g.amend(d.table, &w.Rows, p.from, i, w.Cut)
	}
	s, ok := g.find(d.table, at, w.Cut)
	if ok && !w.Rows.nullsOf(0).Get(i) {
		s.set(p.only, w.Rows.Cols[0].Cell(i).Num)
	}
	return ok
}

// keeps returns how many of the newest rows of c, which is full, are not encoded with
// those before them, since late cells for them are to be expected.
func (g *group) keeps(c *chunk, t *Table, cut Cut) int {
	n := 0
	if cut.Oldest == NoSnapshot {
		n = min(g.behind+g.behind/4, t.stageRows/8, len(c.rows.times)/2)
	}
	g.behind = 0
	return n
}

// dropFirst removes the first n rows of c and keeps its memory.
func (c *columns) dropFirst(n int) {
	m := len(c.times) - n
	copy(c.times, c.times[n:])
	c.times = c.times[:m]
	for i := range c.cols {
		switch v := &c.cols[i]; v.Kind {
		case column.Bool:
			v.Bools = dropFirst(v.Bools, n)
		case column.Int32:
			v.Int32s = dropFirst(v.Int32s, n)
		case column.Int64:
			v.Int64s = dropFirst(v.Int64s, n)
		case column.Float32:
			v.Float32s = dropFirst(v.Float32s, n)
		case column.Float64:
			v.Float64s = dropFirst(v.Float64s, n)
		case column.Text:
			for _, s := range v.Texts[:n] {
				c.text -= len(s)
			}
			v.Texts = dropFirst(v.Texts, n)
		}
		c.nulls[i] = dropBits(c.nulls[i], n)
	}
}

func dropFirst[T any](v []T, n int) []T {
	m := copy(v, v[n:])
	clear(v[m:])
	return v[:m]
}

// dropBits removes the first n bits of b and keeps its memory.
func dropBits(b column.Bitmap, n int) column.Bitmap {
	word, shift := n>>6, n&63
	if word >= len(b) {
		return b[:0]
	}
	last := len(b) - 1 - word
	for w := range last {
		b[w] = b[word+w]>>shift | b[word+w+1]<<(64-shift)
	}
	b[last] = b[len(b)-1] >> shift
	return b[:last+1]
}
