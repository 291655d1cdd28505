package exec

import "slices"

// wholeOf is an input whose rows are those of all its series, whichever of them are
// asked for; of groups, those that all these rows make.
func wholeOf(in rows) rows {
	switch b := in.(type) {
	case *seriesRows:
		all := *b
		all.every = true
		return &all
	case *filtered:
		return &filtered{wholeOf(b.in), b.where}
	case *aggRows:
		if b.direct == nil || b.group.Kind > GroupTime { // else no aggregate sees other rows
			all := *b
			all.in = wholeOf(b.in)
			return &all
		}
	}
	return in
}

// grouped reports whether rows are those of groups.
func grouped(in rows) bool {
	if f, ok := in.(*filtered); ok {
		in = f.in
	}
	_, is := in.(*aggRows)
	return is
}

// seesRows reports whether what n gives depends on rows in which all it reads is null,
// or what a function below does.
func (n *node) seesRows() bool {
	sees := !n.strict()
	n.walk(func(n *node) bool {
		sees = sees || n.op == opTable && slices.ContainsFunc(n.args, seesAsInput)
		return !sees
	})
	return sees
}

// remembersRows reports whether which rows of in count depends on others in which all
// that its condition reads is null: on which series are read beside.
func remembersRows(in rows) (does bool) {
	if f, ok := in.(*filtered); ok {
		f.where.walk(func(n *node) bool {
			does = does || n.call != nil && n.call.minds() || n.op == opTable && slices.ContainsFunc(n.args, seesAsInput)
			return !does
		})
	}
	return does
}

// looksBack reports whether the condition of in, or an input of an aggregate, depends on
// rows before the one that it is of.
func (a *aggRows) looksBack() (does bool) {
	look := func(n *node) bool {
		does = does || n.whole || n.op == opTable
		return !does
	}
	if f, ok := a.in.(*filtered); ok {
		f.where.walk(look)
	}
	for _, s := range a.slots {
		for _, m := range s.members {
			for _, arg := range m.args {
				arg.walk(look)
			}
		}
	}
	return does
}

// seesAsInput reports whether n, as an input of a function of a series, may have a
// value in rows in which all it reads is null. Constants make no row.
func seesAsInput(n *node) bool { return !n.strict() && !isConst(n) }

// mapped reports whether functions that map row to row, and the columns need, have
// together a row wherever one of the series of in has.
func mapped(in rows, need []int, tables []*node) bool {
	if f, ok := in.(*filtered); ok {
		in = f.in
	}
	base, ok := in.(*seriesRows)
	if !ok {
		return false
	}
	has := make([]bool, len(base.series))
	for _, i := range need {
		has[i] = true
	}
	for _, t := range tables {
		for _, a := range t.args {
			if t.access.Kind == Mapped && a.op == opSlot {
				has[a.slot] = true
			}
		}
	}
	for i, s := range base.series {
		if s != nil && !has[i] {
			return false
		}
	}
	return true
}
