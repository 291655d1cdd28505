package exec

// whole is stored series of which all are read, whichever are asked for, so that its
// rows are the same for all who read it: those of all series of the query.
type whole struct {
	in    rows
	width int
}

// wholeOf returns the whole of an input; of groups, those that the whole of theirs makes.
func wholeOf(in rows) rows {
	switch b := in.(type) {
	case *seriesRows:
		return &whole{in, len(b.series)}
	case *filtered:
		if s, ok := b.in.(*seriesRows); ok {
			return &whole{in, len(s.series)}
		}
		return &filtered{in: wholeOf(b.in), where: b.where}
	case *aggRows:
		if b.direct != nil && b.group.Kind <= GroupTime { // windows over series that are read one by one
			return b
		}
		all := *b
		all.in = wholeOf(b.in)
		return &all
	}
	return in // is whole
}

func (w *whole) column(i int) Column { return w.in.column(i) }

func (w *whole) open(r *run, need []int) (stream, error) {
	every := make([]int, w.width)
	for i := range every {
		every[i] = i
	}
	nodes := make([]*node, 0, len(need))
	for _, n := range need {
		nodes = append(nodes, &node{op: opSlot, slot: n, kind: w.in.column(n).Kind})
	}
	s, err := w.in.open(r, every)
	if err != nil {
		return nil, err
	}
	return projected(s, nodes, func(n *node) int { return n.slot }, false)
}

func isWhole(in rows) bool { _, is := in.(*whole); return is }

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
