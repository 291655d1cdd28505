package exec

import (
	"strings"

	"github.com/tickwell/tickwell/expr"
)

// strict reports whether n is null in each row in which all columns it reads are,
// and the same whether there are such rows or not.
func (n *node) strict() bool {
	need, of := 1, n.args // so many of these must be
	switch n.op {
	case opSlot, opTable:
		return true
	case expr.OpIn:
		of = of[:1]
	case expr.OpAnd, expr.OpOr:
		need = len(of)
	case expr.OpCase: // the conditions, so that none holds, and what is taken then; or all values
		return strictCase(n.args)
	case expr.OpCall:
		if n.call.minds() {
			return false
		}
		switch strings.ToLower(n.call.Name) {
		case "concat", "const", "e", "pi": // null only where all inputs are
			need = len(of)
		}
	}
	for _, a := range of {
		if a.strict() {
			need--
		}
	}
	return need <= 0 && n.op != expr.OpIsNull && len(of) > 0
}

func strictCase(args []*node) bool {
	when, then, last := true, true, true
	for i, a := range args {
		is := a.strict()
		switch {
		case i == len(args)-1 && i%2 == 0:
			last, then = is, then && is
		case i%2 == 0:
			when = when && is
		default:
			then = then && is
		}
	}
	return then || when && last
}

// minds reports whether what a built-in function gives depends on rows without a
// value, which it passes over else.
func (c *Call) minds() bool {
	return (strings.EqualFold(c.Name, "diff") || strings.EqualFold(c.Name, "count_if")) && !c.flag("ignoreNull", true)
}

// seesNulls reports whether what an aggregate gives depends on rows in which its
// inputs are null, so on which rows there are: those of all series of the query, of
// which there are n.
func (s *aggSlot) seesNulls(n int) bool {
	for _, m := range s.members {
		sees := s.builtin && s.call.minds()
		for _, a := range m.args {
			sees = sees || !a.strict()
		}
		for _, a := range m.args { // a single series makes no such rows
			sees = sees && (n > 1 || len(a.slots(nil)) == 0)
		}
		if sees {
			return true
		}
	}
	return false
}

// wholeRows lets all aggregates be folded over the rows of all series, where each
// series could be read by itself if none saw nulls, of which there are n.
func (a *aggRows) wholeRows(n int) {
	for i := range a.slots {
		if a.slots[i].seesNulls(n) {
			a.direct = nil
			a.slots[i].stored = Aggregate{} // of other rows, in another query
		}
	}
}
