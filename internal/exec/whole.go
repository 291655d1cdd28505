package exec

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
		for _, a := range n.args {
			sees = sees || n.op == opTable && !a.strict()
		}
		return !sees
	})
	return sees
}
