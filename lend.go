package tickwell

import "github.com/tickwell/tickwell/internal/column"

// lent is what triggers get to see of the rows of one device: a copy, so that
// nothing a trigger does to it reaches the store or the inserter. The memory is
// used again by the next insert, texts excepted: a trigger that keeps a tablet
// against the rules must not make strings go bad.
type lent struct {
	made    bool
	fired   bool // a BEFORE trigger has had it
	times   []int64
	cols    []column.Vector
	nulls   []column.Bitmap
	boxes   []Vector // of cols, kept while they stay where they are
	columns []Column // all of them; never lent itself
	subs    []sub
	nsubs   int
}

// sub is the tablet of the triggers that match the same columns.
type sub struct {
	cols    []int // nil: all
	keep    []int // rows of the insert it has; nil: all
	none    bool  // no row is left
	times   []int64
	columns []Column // what it has; never lent itself
	view    []Column
	tablet  Tablet
}

func (l *lent) reset() {
	l.made, l.fired, l.nsubs = false, false, 0
	for i := range l.cols {
		if l.cols[i].Kind == column.Text {
			l.cols[i], l.boxes[i] = column.Vector{}, nil
		}
	}
}

// lend makes the copy of p.
func (p *part) lend() {
	l := &p.lent
	if l.made {
		return
	}
	l.made = true
	l.times = append(l.times[:0], p.times...)
	for len(l.cols) < len(p.cols) {
		l.cols, l.nulls, l.boxes = append(l.cols, column.Vector{}), append(l.nulls, nil), append(l.boxes, nil)
	}
	l.columns = l.columns[:0]
	for i := range p.cols {
		l.cols[i].Reset(p.cols[i].Kind)
		l.cols[i].AppendRange(&p.cols[i], 0, len(p.times))
		if !boxed(l.boxes[i], &l.cols[i]) {
			l.boxes[i] = vectorOf(&l.cols[i])
		}
		c := Column{Name: p.names[i], Data: l.boxes[i]}
		if i < len(p.nulls) && len(p.nulls[i]) > 0 {
			l.nulls[i] = append(l.nulls[i][:0], p.nulls[i]...)
			c.Nulls = Bitmap(l.nulls[i])
		}
		l.columns = append(l.columns, c)
	}
}

// lendAnew makes AFTER triggers see the rows that were stored, whatever BEFORE
// triggers have done to theirs.
func (in *insertion) lendAnew() {
	for i := range in.n {
		if l := &in.parts[i].lent; l.fired {
			l.reset()
		}
	}
}

// boxed reports whether box holds exactly the data of v.
func boxed(box Vector, v *column.Vector) bool {
	n := v.Len()
	if n == 0 {
		return false
	}
	switch d := box.(type) {
	case Bools:
		return v.Kind == column.Bool && len(d) == n && &d[0] == &v.Bools[0]
	case Int32s:
		return v.Kind == column.Int32 && len(d) == n && &d[0] == &v.Int32s[0]
	case Int64s:
		return v.Kind == column.Int64 && len(d) == n && &d[0] == &v.Int64s[0]
	case Float32s:
		return v.Kind == column.Float32 && len(d) == n && &d[0] == &v.Float32s[0]
	case Float64s:
		return v.Kind == column.Float64 && len(d) == n && &d[0] == &v.Float64s[0]
	}
	return false
}

// matching is the tablet a trigger sees: the named columns (nil: all), without
// rows in which all of them are null, and which rows of the insert those are
// (nil: all). The tablet is nil if no row is left.
func (p *part) matching(cols []int) (*Tablet, []int) {
	p.lend()
	l := &p.lent
	for i := range l.subs[:l.nsubs] {
		if s := &l.subs[i]; sameInts(s.cols, cols) {
			return s.fresh(p.device)
		}
	}
	if l.nsubs == len(l.subs) {
		l.subs = append(l.subs, sub{})
	}
	s := &l.subs[l.nsubs]
	l.nsubs++
	s.cols, s.keep, s.none, s.times, s.columns = cols, nil, false, l.times, s.columns[:0]
	if cols == nil {
		s.columns = append(s.columns, l.columns...)
	}
	for _, c := range cols {
		s.columns = append(s.columns, l.columns[c])
	}
	if mayHaveEmptyRows(s.columns) {
		s.leaveOut(p.device)
	}
	return s.fresh(p.device)
}

// leaveOut takes out the rows without a value.
func (s *sub) leaveOut(device string) {
	keep := make([]int, 0, len(s.times))
	for r := range s.times {
		for i := range s.columns {
			if !s.columns[i].Nulls.Get(r) {
				keep = append(keep, r)
				break
			}
		}
	}
	switch len(keep) {
	case 0:
		s.none = true
	case len(s.times):
	default:
		t := Tablet{Device: device, Times: s.times, Columns: s.columns}
		picked := t.pick(keep)
		s.keep, s.times, s.columns = keep, picked.Times, picked.Columns
	}
}

// fresh makes the tablet anew, because the trigger before may have made
// something else of it.
func (s *sub) fresh(device string) (*Tablet, []int) {
	if s.none {
		return nil, nil
	}
	s.view = append(s.view[:0], s.columns...)
	s.tablet = Tablet{Device: device, Times: s.times, Columns: s.view}
	return &s.tablet, s.keep
}

// mayHaveEmptyRows is false if a column has no nulls.
func mayHaveEmptyRows(columns []Column) bool {
	for i := range columns {
		if columns[i].Nulls == nil {
			return false
		}
	}
	return true
}

func sameInts(a, b []int) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	return len(a) == 0 || &a[0] == &b[0]
}
