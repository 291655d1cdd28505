package exec

import "github.com/tickwell/tickwell/expr"

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

// Lift returns the plan of the same query of another device, or nil if that has
// not the same series, of the same kinds. The path of the device is as From has
// it; p must be liftable.
func (p *Plan) Lift(device string, cat Catalog) *Plan {
	from := p.parts[0].in.(*aggRows)
	n := len(from.direct.series)
	base := &seriesRows{series: make([]*Series, n), kinds: make([]Column, n)}
	nodes := make([]node, n)
	for i, old := range from.direct.series {
		s, ok := cat.Lookup(device, old.Name)
		if !ok || s.Kind != old.Kind {
			return nil
		}
		base.series[i] = s
		base.kinds[i] = Column{Name: s.Path(), Kind: s.Kind, Source: s}
		nodes[i] = node{op: opSlot, slot: i, kind: s.Kind, text: base.kinds[i].Name}
	}
	q := *p.q
	q.From = []string{device}
	a := &aggRows{in: base, direct: base, group: &q.Group, exact: from.exact, slots: make([]*aggSlot, len(from.slots))}
	made := make([]plannedAgg, len(from.slots))
	for i, old := range from.slots {
		slot := old.members[0].direct
		path, at := base.kinds[slot].Name, len(old.call.Name)+1
		text := old.text[:at] + path + old.text[at+len(from.direct.kinds[slot].Name):]
		m := &made[i]
		m.arg[0], m.inputs[0] = &nodes[slot], Column{Name: path, Kind: base.kinds[slot].Kind}
		m.one[0] = aggMember{args: m.arg[:], direct: slot}
		m.itsCall = *old.call
		m.itsCall.Inputs = m.inputs[:]
		m.aggSlot = *old
		m.text, m.kind.Name, m.call, m.members, m.input = text, text, &m.itsCall, m.one[:], base.series[slot]
		m.node = node{op: opSlot, slot: i, kind: m.kind.Kind, text: text}
		a.slots[i] = &m.aggSlot
	}
	pt := &part{in: a, outputs: make([]*node, len(p.cols)), cols: make([]Column, len(p.cols))}
	for i, old := range p.parts[0].outputs {
		m := &made[old.slot]
		pt.outputs[i], pt.cols[i] = &m.node, Column{Name: m.text, Kind: m.kind.Kind}
	}
	lifted := *p
	lifted.q, lifted.cols, lifted.parts, lifted.read = &q, pt.cols, []*part{pt}, base.series
	return &lifted
}
