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
	if !ok || a.direct == nil || a.by != nil || q.Group.Kind > GroupTime {
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

// lifted is the parts of a plan of one device of which there is one each.
type lifted struct {
	plan  Plan
	part  part
	parts [1]*part
	rows  aggRows
	base  seriesRows
}

// Lift returns the plan of the same query of another device, or nil if that has
// not the same series, of the same kinds. The path of the device is as From has
// it; p must be liftable. Its Query is still that of p.
func (p *Plan) Lift(device string, cat Catalog) *Plan {
	from := p.parts[0].in.(*aggRows)
	n, outputs := len(from.direct.series), p.parts[0].outputs
	series := make([]*Series, n)
	size := 0
	for i, old := range from.direct.series {
		s, ok := cat.Lookup(device, old.Name)
		if !ok || s.Kind != old.Kind {
			return nil
		}
		series[i] = s
		size += len(s.Device) + 1 + len(s.Name)
	}
	for _, old := range from.slots {
		d := old.members[0].direct
		size += len(old.text) - len(from.direct.kinds[d].Name) + len(series[d].Device) + 1 + len(series[d].Name)
	}
	var text texts
	text.b.Grow(size)
	for _, s := range series {
		text.add(s.Device, ".", s.Name)
	}
	for _, old := range from.slots {
		d := old.members[0].direct
		head, tail := old.text[:len(old.call.Name)+1], old.text[len(old.call.Name)+1+len(from.direct.kinds[d].Name):]
		text.add(head, series[d].Device, ".", series[d].Name, tail)
	}
	text.rest = text.b.String()

	l := new(lifted)
	columns, nodes := make([]Column, n+len(outputs)), make([]node, n)
	l.base = seriesRows{series: series, kinds: columns[:n:n]}
	for i, s := range series {
		l.base.kinds[i] = Column{Name: text.next(len(s.Device) + 1 + len(s.Name)), Kind: s.Kind, Source: s}
		nodes[i] = node{op: opSlot, slot: i, kind: s.Kind, text: l.base.kinds[i].Name}
	}
	l.rows = aggRows{in: &l.base, direct: &l.base, group: from.group, exact: from.exact, slots: make([]*aggSlot, len(from.slots))}
	made := make([]plannedAgg, len(from.slots))
	for i, old := range from.slots {
		d := old.members[0].direct
		path := l.base.kinds[d].Name
		m := &made[i]
		m.arg[0], m.inputs[0] = &nodes[d], Column{Name: path, Kind: l.base.kinds[d].Kind}
		m.one[0] = aggMember{args: m.arg[:], direct: d}
		m.itsCall = *old.call
		m.itsCall.Inputs = m.inputs[:]
		m.aggSlot = *old
		m.text = text.next(len(old.text) - len(from.direct.kinds[d].Name) + len(path))
		m.kind.Name, m.call, m.members, m.input = m.text, &m.itsCall, m.one[:], series[d]
		m.node = node{op: opSlot, slot: i, kind: m.kind.Kind, text: m.text}
		l.rows.slots[i] = &m.aggSlot
	}
	l.part = part{in: &l.rows, outputs: make([]*node, len(outputs)), cols: columns[n:]}
	for i, old := range outputs {
		m := &made[old.slot]
		l.part.outputs[i], l.part.cols[i] = &m.node, Column{Name: m.text, Kind: m.kind.Kind}
	}
	l.parts[0] = &l.part
	l.plan = *p
	l.plan.cols, l.plan.parts, l.plan.read = l.part.cols, l.parts[:], series
	return &l.plan
}

// texts is several texts in one piece of memory: they are added, rest is set, and
// they are taken in the same order.
type texts struct {
	b    strings.Builder
	rest string
}

func (t *texts) add(pieces ...string) {
	for _, s := range pieces {
		t.b.WriteString(s)
	}
}

// next returns the next n bytes.
func (t *texts) next(n int) (s string) {
	s, t.rest = t.rest[:n], t.rest[n:]
	return s
}
