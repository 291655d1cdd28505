package tickwell

import "github.com/tickwell/tickwell/internal/column"

// lent is what triggers get to see of the rows of one device: a copy, so that
// nothing a trigger does to it reaches the store or the inserter. The memory is
// used again by the next insert, texts excepted: a trigger that keeps a tablet
// against the rules must not make strings go bad.
type lent struct {
	whole Tablet
	made  bool
	times []int64
	cols  []column.Vector
	nulls []column.Bitmap
	boxes []Vector // of cols, kept while they stay where they are
	subs  []sub
	nsubs int
}

// sub is the tablet of the triggers that match the same columns.
type sub struct {
	cols   []int
	tablet Tablet
	keep   []int // rows of the whole it has; nil: all
	none   bool  // no row is left
	buf    []Column
}

func (l *lent) reset() {
	l.made, l.nsubs = false, 0
	for i := range l.cols {
		if l.cols[i].Kind == column.Text {
			l.cols[i], l.boxes[i] = column.Vector{}, nil
		}
	}
}

// lend returns the copy of p.
func (p *part) lend() *Tablet {
	l := &p.lent
	if l.made {
		return &l.whole
	}
	l.made = true
	l.times = append(l.times[:0], p.times...)
	for len(l.cols) < len(p.cols) {
		l.cols, l.nulls, l.boxes = append(l.cols, column.Vector{}), append(l.nulls, nil), append(l.boxes, nil)
	}
	columns := l.whole.Columns[:0]
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
		columns = append(columns, c)
	}
	l.whole = Tablet{Device: p.device, Times: l.times, Columns: columns}
	return &l.whole
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
	t := p.lend()
	l := &p.lent
	for i := range l.subs[:l.nsubs] {
		if s := &l.subs[i]; sameInts(s.cols, cols) {
			return s.get()
		}
	}
	if cols == nil && !mayHaveEmptyRows(t) {
		return t, nil
	}
	if l.nsubs == len(l.subs) {
		l.subs = append(l.subs, sub{})
	}
	s := &l.subs[l.nsubs]
	l.nsubs++
	*s = sub{cols: cols, buf: s.buf[:0]}
	if cols == nil {
		s.tablet = *t
	} else {
		for _, c := range cols {
			s.buf = append(s.buf, t.Columns[c])
		}
		s.tablet = Tablet{Device: t.Device, Times: t.Times, Columns: s.buf}
	}
	if !mayHaveEmptyRows(&s.tablet) {
		return s.get()
	}
	var keep []int
	for r := range s.tablet.Times {
		for i := range s.tablet.Columns {
			if !s.tablet.Columns[i].Nulls.Get(r) {
				keep = append(keep, r)
				break
			}
		}
	}
	switch len(keep) {
	case 0:
		s.none = true
	case len(t.Times):
	default:
		s.keep = keep
		s.tablet = *s.tablet.pick(keep)
	}
	return s.get()
}

func (s *sub) get() (*Tablet, []int) {
	if s.none {
		return nil, nil
	}
	return &s.tablet, s.keep
}

// mayHaveEmptyRows is false if a column of t has no nulls.
func mayHaveEmptyRows(t *Tablet) bool {
	for i := range t.Columns {
		if t.Columns[i].Nulls == nil {
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
