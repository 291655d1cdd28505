package exec

import (
	"strings"

	"github.com/tickwell/tickwell/expr"
)

// Queries of a dashboard, or of a program that goes through its devices, often
// differ in their device only. The plan of one is then made into that of another
// for much less than planning costs.

// liftable returns p's aggregates if p is of one device that From names, and of
// nothing but built-in aggregates of its series as they are stored, else nil.
func (p *Plan) liftable() *aggRows {
	q := p.q
	if len(q.From) != 1 || len(p.parts) != 1 || len(p.parts[0].keys) > 0 || q.Stored || q.ByDevice || q.NoAlign || len(q.Levels) > 0 ||
		q.SLimit > 0 || q.SOffset > 0 || p.pinned || len(q.Select) != len(p.cols) {
		return nil
	}
	a, ok := p.parts[0].in.(*aggRows)
	if !ok || a.lifted != nil || a.direct == nil || a.by != nil || q.Group.Kind > GroupTime {
		return nil
	}
	for i, e := range q.Select {
		if e.Op() != expr.OpCall || e.Alias() != "" || len(e.Args()) != 1 || e.Args()[0].Op() != expr.OpColumn || p.parts[0].outputs[i].op != opSlot {
			return nil
		}
	}
	for _, s := range a.slots {
		if !s.builtin || len(s.members) != 1 || len(s.members[0].args) != 1 || s.members[0].direct < 0 || s.input == nil {
			return nil
		}
		// Its text has the path where its function is called with it.
		if at, path := len(s.call.Name)+1, s.input.Path(); len(s.text) < at+len(path) || s.text[at:at+len(path)] != path {
			return nil
		}
	}
	for i, s := range a.direct.series {
		if s == nil || s.Device != q.From[0] || a.direct.kinds[i].Name != s.Path() {
			return nil
		}
	}
	for _, e := range q.Select {
		if name := e.Args()[0].Name(); !a.direct.has(name) {
			return nil // a path, or a name that is quoted although it need not be
		}
	}
	return a
}

func (s *seriesRows) has(name string) bool {
	for _, ser := range s.series {
		if ser.Name == name {
			return true
		}
	}
	return false
}

// Liftable reports whether [Plan.Lift] may succeed.
func (p *Plan) Liftable() bool { return p.liftable() != nil }

// lifted is the parts of a plan of one device of which there is one each, and memory
// for those of few series.
type lifted struct {
	plan   Plan
	part   part
	parts  [1]*part
	rows   aggRows
	base   seriesRows
	series [2]*Series
	cols   [6]Column
}

// Lift returns the plan of the same query of another device for the range
// [start, end), or nil if the device has not the same series, of the same kinds. The
// path of the device is as From has it; p must be liftable. Its Query is still that of
// p, as are the aggregates: only what names a series is its own.
func (p *Plan) Lift(device string, cat Catalog, start, end int64) (*Plan, error) {
	from := p.parts[0].in.(*aggRows)
	n, outputs := len(from.direct.series), p.parts[0].outputs
	l := new(lifted)
	series, columns := l.series[:], l.cols[:]
	if n > len(series) || n+len(outputs) > len(columns) {
		series, columns = make([]*Series, n), make([]Column, n+len(outputs))
	}
	series, columns = series[:n:n], columns[:n+len(outputs)]
	for i, old := range from.direct.series {
		s, ok := cat.Lookup(device, old.Name)
		if !ok || s.Kind != old.Kind {
			return nil, nil
		}
		series[i], columns[i] = s, Column{Kind: s.Kind, Source: s}
	}
	l.base = seriesRows{series: series, kinds: columns[:n:n]}
	l.part = part{in: &l.rows, outputs: outputs, cols: columns[n:]}
	l.rows = aggRows{in: &l.base, direct: &l.base, group: from.group, exact: from.exact, slots: from.slots, lifted: &l.part}
	l.name(from)
	l.parts[0] = &l.part
	l.plan = *p
	l.plan.cols, l.plan.parts, l.plan.read = l.part.cols, l.parts[:], series
	return &l.plan, l.plan.move(start, end)
}

// name gives the columns of the plan their names, which lie in one piece of memory.
func (l *lifted) name(from *aggRows) {
	size := 0
	for _, o := range l.part.outputs {
		old := from.slots[o.slot]
		d := old.members[0].direct
		s := l.base.series[d]
		size += len(old.text) - len(from.direct.kinds[d].Name) + len(s.Device) + 1 + len(s.Name)
	}
	var b strings.Builder
	b.Grow(size)
	for i, o := range l.part.outputs {
		old := from.slots[o.slot]
		d := old.members[0].direct
		s := l.base.series[d]
		head, tail := old.text[:len(old.call.Name)+1], old.text[len(old.call.Name)+1+len(from.direct.kinds[d].Name):]
		at := b.Len()
		b.WriteString(head)
		path := b.Len()
		b.WriteString(s.Device)
		b.WriteByte('.')
		b.WriteString(s.Name)
		end := b.Len()
		b.WriteString(tail)
		text := b.String() // which stays where it is: there is room for all
		l.part.cols[i] = Column{Name: text[at:], Kind: old.kind.Kind}
		l.base.kinds[d].Name = text[path:end]
	}
}

// text returns how aggregate n of a is printed.
func (a *aggRows) text(n int) string {
	if a.lifted != nil {
		for i, o := range a.lifted.outputs {
			if o.slot == n {
				return a.lifted.cols[i].Name
			}
		}
	}
	return a.slots[n].text
}
