package exec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// scope is what names mean in one part of a plan.
type scope struct {
	p        *planner
	series   map[string]*Series // by path, or by measurement with byDevice
	kinds    map[string]*Series // byDevice: a series of that measurement somewhere
	byDevice bool
	device   string    // byDevice
	cond     expr.Expr // WHERE with names resolved
	by       expr.Expr // of the groups
	reads    bool      // a series that exists was named
	shown    bool      // in a column of the result
	stars    []bool    // of the selected expressions: whether their measurements are wildcards
	star     bool      // of the one that is planned

	base    *seriesRows
	slotOf  ordinals[string]
	slots   []*node // by slot
	aggs    *aggRows
	aggOf   ordinals[string]
	builder *builder // over series
}

// where resolves WHERE: a name that stands for several series must hold for
// all, one that stands for none is null.
func (s *scope) where(find func(string) ([]string, error)) error {
	orNull := func(name string) ([]string, error) {
		found, err := find(name)
		if len(found) == 0 && err == nil {
			found = []string{name}
		}
		return found, err
	}
	if s.p.q.Where.IsZero() {
		return nil
	}
	all, err := s.p.conditions(s.p.q.Where, orNull)
	if err != nil {
		return err
	}
	s.cond = expr.And(all...)
	return nil
}

// group resolves the expression of GROUP BY.
func (s *scope) group(find func(string) ([]string, error)) error {
	by := s.p.q.Group.By
	if by.IsZero() {
		return nil
	}
	all, err := s.p.expand(by, find)
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return at(by, badQuery("%s in group by clause doesn't exist", by))
	case len(all) > 1:
		return at(by, badQuery("%s in group by clause shouldn't refer to more than one timeseries", by))
	}
	s.by = all[0]
	return nil
}

// part plans the rows of the scope.
func (s *scope) part(device string, sel []expr.Expr, find func(string) ([]string, error)) (*part, error) {
	p := s.p
	s.base = &seriesRows{}
	s.slotOf, s.slots, s.aggOf = ordinals[string]{}, nil, ordinals[string]{}
	s.builder = &builder{leaf: s.seriesLeaf, funcs: p.funcs, unit: perUnit(p.q.Unit)}
	var in rows = s.base
	pt := &part{device: device, outputs: make([]*node, 0, len(sel)), cols: make([]Column, 0, len(sel))}
	out := s.builder
	if !s.cond.IsZero() {
		n, err := s.builder.build(s.cond)
		if err != nil {
			return nil, err
		}
		if n.kind != column.Bool && n.kind != column.Null {
			return nil, at(p.q.Where, fmt.Errorf("the output type of the expression in WHERE clause should be BOOLEAN, actual data type: %s: %w",
				DocumentKind(n.kind), errs.KindMismatch))
		}
		in = &filtered{in: s.base, where: n}
	}
	if p.agg {
		s.aggs = &aggRows{in: in, group: &p.q.Group, exact: p.q.Exact, slots: make([]*aggSlot, 0, len(sel))}
		if s.cond.IsZero() {
			s.aggs.direct = s.base
		}
		if !s.by.IsZero() {
			n, err := s.builder.build(s.by)
			if err != nil {
				return nil, err
			}
			if err := s.checkBy(n); err != nil {
				return nil, at(s.by, err)
			}
			s.aggs.by = n
		}
		in = s.aggs
		out = &builder{leaf: s.aggLeaf, funcs: p.funcs, unit: perUnit(p.q.Unit)}
	}
	pt.in = in
	s.reads = false
	if err := s.outputs(pt, out, sel); err != nil {
		return nil, err
	}
	s.shown = s.reads // conditions, groups and keys alone make no rows of a device
	if !p.q.Having.IsZero() {
		if err := s.having(pt, out, find); err != nil {
			return nil, err
		}
	}
	if err := s.keys(pt, out, find); err != nil {
		return nil, err
	}
	if s.aggs != nil {
		s.aggs.wholeRows(len(s.base.series))
	}
	return pt, nil
}

func (s *scope) checkBy(n *node) error {
	switch g := &s.p.q.Group; {
	case g.Kind == GroupCondition && n.kind != column.Bool:
		return fmt.Errorf("only support boolean type in predict of group by series, %s is %s: %w", s.by, DocumentKind(n.kind), errs.KindMismatch)
	case g.Kind == GroupVariation && g.Delta != 0 && !n.kind.Numeric():
		return fmt.Errorf("only support numeric type when delta != 0, %s is %s: %w", s.by, DocumentKind(n.kind), errs.KindMismatch)
	}
	return nil
}

// outputs plans the columns of the result.
func (s *scope) outputs(pt *part, out *builder, sel []expr.Expr) error {
	masked := map[string]bool{}
	for i, e := range sel {
		name := e.Alias()
		s.star = i < len(s.stars) && s.stars[i]
		if len(s.p.q.Levels) > 0 {
			column := s.mask(e)
			s.p.key = column.AppendBinary(s.p.key[:0])
			if masked[string(s.p.key)] {
				// Another series of the same column: it joins its aggregates.
				if _, err := out.build(e); err != nil {
					return err
				}
				continue
			}
			masked[string(s.p.key)] = true
			if name == "" {
				name = column.String()
			}
		}
		n, err := out.build(e)
		if err != nil {
			return err
		}
		if n.kind == column.Null && n.op != opSlot || isConst(n) {
			return at(e, badQuery("%s: constant column is not supported", e))
		}
		switch {
		case name != "":
		case e.Op() == expr.OpCall:
			name = n.String()
		default:
			name = e.String()
		}
		col := Column{Name: name, Kind: n.kind}
		if n.op == opSlot && !s.p.agg {
			col.Source = s.base.series[n.slot]
			if s.byDevice && col.Source == nil {
				col.Source = s.kinds[e.Name()]
			}
		}
		pt.outputs = append(pt.outputs, n)
		pt.cols = append(pt.cols, col)
	}
	if len(s.p.q.Levels) > 0 {
		lo := min(s.p.q.SOffset, len(pt.cols))
		hi := len(pt.cols)
		if s.p.q.SLimit > 0 {
			hi = lo + min(hi-lo, s.p.q.SLimit)
		}
		pt.outputs, pt.cols = pt.outputs[lo:hi], pt.cols[lo:hi]
		seen := map[string]bool{}
		for _, c := range pt.cols {
			if seen[c.Name] && slices.ContainsFunc(sel, func(e expr.Expr) bool { return e.Alias() == c.Name }) {
				return badQuery("alias '%s' can only be matched with one time series", c.Name)
			}
			seen[c.Name] = true
		}
	}
	return nil
}

func (s *scope) having(pt *part, out *builder, find func(string) ([]string, error)) error {
	s.star = anyMeasurement(s.p.q.Having)
	all, err := s.p.conditions(s.p.q.Having, find)
	if err != nil {
		return err
	}
	n, err := out.build(expr.And(all...))
	if len(all) == 0 {
		n, err = &node{op: expr.OpConst}, nil
	}
	if err != nil {
		return err
	}
	if n.kind != column.Bool && n.kind != column.Null {
		return at(s.p.q.Having, fmt.Errorf("the output type of the expression in HAVING clause should be BOOLEAN, actual data type: %s: %w",
			DocumentKind(n.kind), errs.KindMismatch))
	}
	pt.in = &filtered{in: pt.in, where: n}
	return nil
}

// keys plans ORDER BY.
func (s *scope) keys(pt *part, out *builder, find func(string) ([]string, error)) error {
	for _, o := range s.p.q.OrderBy {
		if o.By.Op() == expr.OpDevice && s.byDevice {
			pt.keys = append(pt.keys, nil)
			continue
		}
		if find == nil {
			if o.By.Op() != expr.OpTime {
				return at(o.By, badQuery("disable align can only be ordered by time"))
			}
			pt.keys = append(pt.keys, &node{op: expr.OpTime, kind: column.Int64})
			continue
		}
		s.star = anyMeasurement(o.By)
		all, err := s.p.expand(o.By, find)
		switch {
		case err != nil:
			return err
		case len(all) == 0:
			return at(o.By, badQuery("%s in order by clause doesn't exist", o.By))
		case len(all) > 1:
			return at(o.By, badQuery("%s in order by clause shouldn't refer to more than one timeseries", o.By))
		}
		n, err := out.build(all[0])
		if err != nil {
			return err
		}
		pt.keys = append(pt.keys, n)
	}
	return nil
}

// seriesLeaf resolves a column to a stored series.
func (s *scope) seriesLeaf(e expr.Expr) (*node, error) {
	if _, _, ok := s.p.aggregate(e); ok {
		if s.p.agg {
			return nil, badQuery("%s: aggregation results cannot be as input of the aggregation function", e)
		}
		return nil, badQuery("%s: an aggregate is not possible here", e)
	}
	if e.Op() != expr.OpColumn {
		return nil, nil
	}
	if slot, ok := s.slotOf.of(e.Name()); ok {
		return s.slotNode(slot), nil
	}
	ser := s.series[e.Name()]
	col := Column{Name: e.Name(), Source: ser}
	if ser != nil {
		col.Kind = ser.Kind
		s.p.note(ser)
	} else if k := s.kinds[e.Name()]; k != nil {
		col.Kind = k.Kind
	}
	slot := s.slotOf.add(e.Name())
	s.base.series = append(s.base.series, ser)
	s.base.kinds = append(s.base.kinds, col)
	s.slots = append(s.slots, &node{op: opSlot, slot: slot, kind: col.Kind, text: col.Name})
	return s.slotNode(slot), nil
}

func (s *scope) slotNode(slot int) *node {
	if s.base.series[slot] != nil {
		s.reads = true
	}
	return s.slots[slot]
}

// aggLeaf resolves an aggregate to a column of the aggregates.
func (s *scope) aggLeaf(e expr.Expr) (*node, error) {
	if e.Op() == expr.OpColumn {
		if strings.EqualFold(e.Name(), endTime) {
			if s.p.q.Group.Kind == GroupNone {
				return nil, badQuery("%s needs a group by clause", endTime)
			}
			end := &node{op: opSlot, slot: endSlot, kind: column.Int64, text: endTime}
			if unit := perUnit(s.p.q.Unit); unit > 1 {
				end = &node{op: opUnit, args: []*node{end}, kind: column.Int64, text: endTime, unit: unit}
			}
			return end, nil
		}
		return nil, badQuery("%s: raw data and aggregation result hybrid calculation is not supported", e)
	}
	makeNew, builtin, ok := s.p.aggregate(e)
	if !ok {
		return nil, nil
	}
	made := &plannedAgg{}
	if err := s.member(e, made); err != nil {
		return nil, err
	}
	member, call := made.one[0], &made.itsCall
	plain := e
	if e.Alias() != "" {
		plain = e.As("")
	}
	s.p.key = s.mask(plain).AppendBinary(s.p.key[:0])
	key, text := string(s.p.key), e.String()
	if builtin != nil {
		if err := builtin.check(call); err != nil {
			return nil, err
		}
	}
	if slot, ok := s.aggOf.of(key); ok {
		slots := s.aggs.slots[slot]
		if len(s.p.q.Levels) > 0 && !slices.ContainsFunc(slots.members, member.same) {
			if err := fits(slots, call); err != nil {
				return nil, err
			}
			slots.members = append(slots.members, member)
		}
		return &node{op: opSlot, slot: slot, kind: slots.kind.Kind, text: text}, nil
	}
	a := makeNew()
	kind, err := a.Start(call)
	merged := err == nil && merges(a)
	a.Close()
	if err != nil {
		return nil, err
	}
	slot := s.aggOf.add(key)
	made.aggSlot = aggSlot{
		text: text, kind: Column{Name: text, Kind: kind}, call: call, make: makeNew, members: made.one[:], builtin: builtin != nil, merges: merged, stored: s.storedAs(e, s.device),
	}
	if len(member.args) == 1 && member.args[0].op == opSlot {
		made.input = s.base.series[member.args[0].slot]
	}
	if len(call.Inputs) > 0 {
		made.join = joinOf(made.stored.Fn, call.Inputs[0].Kind)
	}
	s.aggs.slots = append(s.aggs.slots, &made.aggSlot)
	made.node = node{op: opSlot, slot: slot, kind: kind, text: text}
	return &made.node, nil
}

// fits refuses to put call into what slot computes if a series of call is of
// another kind. Only what has one input and counts whatever its kind may do so:
// that it counts shows when it is asked for both kinds.
func fits(slot *aggSlot, call *Call) error {
	if !slot.builtin && !slot.merges {
		return fmt.Errorf("function %s: has no method Merge, which groups over several series call: %w", call.Name, errs.BadInput)
	}
	for i, in := range call.Inputs {
		have := slot.call.Inputs[i]
		if in.Kind == have.Kind || in.Kind == column.Null { // of a series that is not there come nulls
			continue
		}
		a := slot.make()
		kind, err := a.Start(call)
		a.Close()
		if err != nil || len(call.Inputs) > 1 || kind != column.Int64 || slot.kind.Kind != column.Int64 {
			return fmt.Errorf("group by level: %s and %s have different data types: %w", have.Name, in.Name, errs.KindMismatch)
		}
	}
	return nil
}

// plannedAgg is an aggregate of one input and what belongs to it, in one piece.
type plannedAgg struct {
	aggSlot
	itsCall Call
	one     [1]aggMember
	arg     [1]*node
	inputs  [1]Column
	node    node
}

// same reports whether o reads the same columns.
func (m aggMember) same(o aggMember) bool {
	return len(m.args) == len(o.args) && slices.EqualFunc(m.args, o.args, func(a, b *node) bool { return a.String() == b.String() })
}

// member plans the inputs of an aggregate, as its first member.
func (s *scope) member(e expr.Expr, made *plannedAgg) error {
	m, call := &made.one[0], &made.itsCall
	*m = aggMember{direct: -1, args: made.arg[:0]}
	*call = Call{Name: e.Name(), Attrs: e.Attrs(), Unit: perUnit(s.p.q.Unit), Inputs: made.inputs[:0]}
	args := e.Args()
	if countTime(e) {
		if len(args) != 1 || args[0].Op() != expr.OpColumn || args[0].Name() != "*" {
			return badQuery("%s: count_time takes only *", e)
		}
		args = nil
		for _, name := range s.everything() {
			args = append(args, expr.Col(name))
		}
	}
	constants := true
	for _, a := range args {
		n, err := s.builder.build(a)
		if err != nil {
			return err
		}
		constants = constants && isConst(n)
		m.args = append(m.args, n)
		call.Inputs = append(call.Inputs, Column{Name: a.String(), Kind: n.kind, Const: isConst(n)})
	}
	if len(args) > 0 && constants {
		return badQuery("input of '%s' is illegal: it is constant", e.Name())
	}
	if len(m.args) == 1 && m.args[0].op == opSlot {
		m.direct = m.args[0].slot
		m.absent = s.base.series[m.direct] == nil
		if s.p.q.Group.Kind > GroupTime || !s.cond.IsZero() {
			m.direct = -1
		}
	}
	return nil
}

// everything lists the columns of the scope of a query, for count_time(*).
func (s *scope) everything() []string {
	names := make([]string, 0, len(s.series))
	if s.byDevice {
		for name := range s.series {
			names = append(names, name)
		}
	} else if all, err := s.p.seriesOf("*"); err == nil {
		for _, ser := range all {
			s.series[ser.Path()] = ser
			names = append(names, ser.Path())
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// mask replaces the path nodes that GROUP BY LEVEL folds together by *. The
// node root, which all paths of the documents share, stays.
func (s *scope) mask(e expr.Expr) expr.Expr {
	if len(s.p.q.Levels) == 0 {
		return e
	}
	return e.Map(func(x expr.Expr) (expr.Expr, bool) {
		if x.Op() != expr.OpColumn {
			return x, countTime(x)
		}
		nodes := pattern.Nodes(x.Name())
		parts := make([]string, len(nodes))
		for i, n := range nodes {
			parts[i] = "*"
			if slices.Contains(s.p.q.Levels, i) || i == len(nodes)-1 && !s.star || i == 0 && n == "root" {
				parts[i] = pattern.Quote(n)
			}
		}
		return expr.Col(strings.Join(parts, ".")), true
	})
}

// checkCall resolves a function that is no aggregate.
func (b *builder) checkCall(e expr.Expr, n *node) error {
	name := strings.ToLower(e.Name())
	n.call = &Call{Name: e.Name(), Attrs: e.Attrs(), Unit: perUnit(b.unit)}
	constants := true
	for i, a := range n.args {
		n.call.Inputs = append(n.call.Inputs, Column{Name: e.Args()[i].String(), Kind: a.kind})
		constants = constants && isConst(a)
	}
	if s, ok := scalars[name]; ok {
		kind, err := s.check(n.call)
		if err != nil {
			return err
		}
		n.scalar, n.kind = s, kind
		return nil
	}
	makeNew, ok := tables[name]
	if !ok && b.funcs != nil {
		var f Function
		f, ok = b.funcs.Function(name)
		makeNew = f.Series
	}
	if !ok || makeNew == nil {
		return unknownFunction(e.Name())
	}
	if constants {
		return badQuery("input of '%s' is illegal: it needs at least one series", e.Name())
	}
	t := makeNew()
	kind, access, err := t.Start(n.call)
	t.Close()
	if err != nil {
		return err
	}
	if err := access.check(len(n.args)); err != nil {
		return fmt.Errorf("function %s: %w", e.Name(), err)
	}
	n.op, n.kind, n.table, n.access = opTable, kind, makeNew, access
	return nil
}
