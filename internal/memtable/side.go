package memtable

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/merge"
	"github.com/tickwell/tickwell/internal/sorting"
)

const (
	sideRows  = 256  // late rows that wait to be sorted into runs
	sideCells = 4096 // and their cells
	lateRows  = 64   // late rows of one tablet from which on they do not wait
)

// side is late rows in the order of arrival, newer than all runs of their group.
// Cells that are null take no room, so that rows of a few of many series cost
// what they hold. Its slices only grow: a copy of it is a snapshot of its rows.
type side struct {
	rows  []sideRow
	cells []sideCell
	texts []string
	text  int    // bytes of texts
	lsn   uint64 // of the first commit in it
}

// sideRow is a row whose cells end at end and begin where the row before it ends.
type sideRow struct {
	at  int64
	end int
}

// sideCell is a cell of a column of the group; num is as in column.Cell, of a
// text its place in texts.
type sideCell struct {
	num uint64
	col int
}

// bytes is the memory that s holds.
func (s *side) bytes() int64 {
	return int64(cap(s.rows)*16 + cap(s.cells)*16 + cap(s.texts)*16 + s.text)
}

// full reports whether it is time to sort the rows.
func (s *side) full() bool { return len(s.rows) >= sideRows || len(s.cells) >= sideCells }

// add appends the first n rows of r; from is as for columns.append.
func (s *side) add(kinds []column.Kind, r *Rows, from []int, n int) {
	for i := range n {
		for col := range kinds {
			j := col
			if from != nil {
				if j = from[col]; j < 0 {
					continue
				}
			}
			if nulls := r.nullsOf(j); nulls != nil && nulls.Get(i) {
				continue
			}
			var num uint64
			switch v := &r.Cols[j]; v.Kind {
			case column.Float64:
				num = math.Float64bits(v.Float64s[i])
			case column.Text:
				num = uint64(len(s.texts))
				s.texts = append(s.texts, v.Texts[i])
				s.text += len(v.Texts[i])
			default:
				num = v.Cell(i).Num
			}
			s.cells = append(s.cells, sideCell{num, col})
		}
		s.rows = append(s.rows, sideRow{r.Times[i], len(s.cells)})
	}
}

// addRow appends a row of all columns and returns how many cells it has.
func (s *side) addRow(at int64, cells []column.Cell) (n int) {
	for col := range cells {
		c := &cells[col]
		num := c.Num
		switch c.Kind {
		case column.Null:
			continue
		case column.Text:
			num = uint64(len(s.texts))
			s.texts = append(s.texts, c.Text)
			s.text += len(c.Text)
		}
		s.cells = append(s.cells, sideCell{num, col})
		n++
	}
	s.rows = append(s.rows, sideRow{at, len(s.cells)})
	return n
}

// row returns the cells of row i.
func (s *side) row(i int) []sideCell {
	from := 0
	if i > 0 {
		from = s.rows[i-1].end
	}
	return s.cells[from:s.rows[i].end]
}

// cell returns c as a cell of its kind.
func (s *side) cell(c sideCell, kind column.Kind) column.Cell {
	if kind == column.Text {
		return column.Cell{Kind: kind, Text: s.texts[c.num]}
	}
	return column.Cell{Kind: kind, Num: c.num}
}

// reset empties s; it keeps its memory if nobody else may look at it.
func (s *side) reset(keep bool) {
	if !keep {
		*s = side{}
		return
	}
	clear(s.texts)
	*s = side{rows: s.rows[:0], cells: s.cells[:0], texts: s.texts[:0]}
}

// sideSorter puts the rows of a side in order; it keeps its memory between uses.
type sideSorter struct {
	order []rowRef
	out   Rows
	place []int // for each column of the group where it is in out, -1 = nowhere
}

// rowRef is a row that is to be put in order.
type rowRef struct {
	at  int64
	row int
}

// byTime orders rows by time, those of one time as they came.
func byTime(a, b rowRef) int {
	if a.at != b.at {
		return cmp.Compare(a.at, b.at)
	}
	return a.row - b.row
}

// sortRefs sorts rows that come in the order of arrival. Late rows mostly are at
// their place but for a few: they are moved there one by one, unless that takes
// longer than to sort them all.
func sortRefs(order []rowRef) {
	moves := 16 * len(order)
	for i := 1; i < len(order); i++ {
		x, k := order[i], i
		for ; k > 0 && order[k-1].at > x.at; k-- {
			order[k] = order[k-1]
		}
		order[k] = x
		if moves -= i - k; moves < 0 {
			sorting.Fast(order, byTime)
			return
		}
	}
}

var sideSorters = sync.Pool{New: func() any { return new(sideSorter) }}

// sort returns the rows of s with from <= time, and time < to unless that is
// math.MaxInt64, that have cells in the wanted columns of the group: those for
// which place has a column of the result, made as kinds say. Times are strictly
// increasing, of cells with the same time the last is kept.
func (m *sideSorter) sort(s *side, kinds []column.Kind, from, to int64) *Rows {
	m.order = m.order[:0]
	for i := range s.rows {
		at := s.rows[i].at
		if at < from || at >= to && to != math.MaxInt64 {
			continue
		}
		if slices.ContainsFunc(s.row(i), func(c sideCell) bool { return m.place[c.col] >= 0 }) {
			m.order = append(m.order, rowRef{at, i})
		}
	}
	sortRefs(m.order)
	out := &m.out
	out.Times = out.Times[:0]
	for i := range m.order {
		if at := m.order[i].at; i == 0 || at != m.order[i-1].at {
			out.Times = append(out.Times, at)
		}
	}
	for len(out.Cols) < len(kinds) {
		out.Cols, out.Nulls = append(out.Cols, column.Vector{}), append(out.Nulls, nil)
	}
	out.Cols, out.Nulls = out.Cols[:len(kinds)], out.Nulls[:len(kinds)]
	n := len(out.Times)
	for c, kind := range kinds {
		out.Cols[c].Reset(kind)
		out.Cols[c].AppendZero(n)
		out.Nulls[c] = out.Nulls[c][:0]
		out.Nulls[c].SetRange(0, n)
	}
	row := -1
	for i := range m.order {
		if i == 0 || m.order[i].at != m.order[i-1].at {
			row++
		}
		for _, cell := range s.row(m.order[i].row) {
			c := m.place[cell.col]
			if c < 0 {
				continue
			}
			if v := &out.Cols[c]; v.Kind == column.Float64 {
				v.Float64s[row] = math.Float64frombits(cell.num)
			} else {
				v.SetCell(row, s.cell(cell, v.Kind))
			}
			out.Nulls[c].Unset(row)
		}
	}
	return out
}

// wantAll makes the result have the columns of the group.
func (m *sideSorter) wantAll(n int) {
	m.place = m.place[:0]
	for i := range n {
		m.place = append(m.place, i)
	}
}

// forget drops references to texts.
func (m *sideSorter) forget() {
	for c := range m.out.Cols {
		clear(m.out.Cols[c].Texts)
	}
}

// source returns the rows of s that have cells in the wanted columns, -1 = none,
// in memory of their own.
func (s *side) source(kinds []column.Kind, cols []int, from, to int64) merge.Source {
	m := sideSorter{place: make([]int, len(kinds))}
	for i := range m.place {
		m.place[i] = -1
	}
	var wanted []column.Kind
	at := make([]int, len(cols))
	for i, col := range cols {
		if at[i] = -1; col >= 0 {
			at[i], m.place[col] = len(wanted), len(wanted)
			wanted = append(wanted, kinds[col])
		}
	}
	r := m.sort(s, wanted, from, to)
	n := len(r.Times)
	if n == 0 {
		return nil
	}
	for c := range r.Nulls {
		if !r.Nulls[c].Any(n) {
			r.Nulls[c] = nil
		}
	}
	return merge.Source{{
		Min: r.Times[0], Max: r.Times[n-1], N: n, LSN: s.lsn, Cols: at,
		Chunk: &rawChunk{columns: columns{times: r.Times, cols: r.Cols, nulls: r.Nulls}},
	}}
}
