package expr

import "math"

// TimeRange takes comparisons of time with whole numbers out of a condition, as far as
// all of them must hold: they are true from first to last, both included and in the
// unit of the query, and never where first is greater. What else the condition asks is
// returned as rest, which is zero if that is nothing.
func TimeRange(where Expr) (first, last int64, rest Expr) {
	first, last = math.MinInt64, math.MaxInt64
	var others []Expr
	for _, e := range conjuncts(where, nil) {
		lo, hi, ok := timesOf(e)
		if !ok {
			others = append(others, e)
			continue
		}
		first, last = max(first, lo), min(last, hi)
	}
	return first, last, And(others...)
}

func conjuncts(e Expr, all []Expr) []Expr {
	if e.Op() == OpAnd {
		return conjuncts(e.Args()[1], conjuncts(e.Args()[0], all))
	}
	if e.IsZero() {
		return all
	}
	return append(all, e)
}

// timesOf returns the times that one comparison is true of.
func timesOf(e Expr) (first, last int64, ok bool) {
	first, last = math.MinInt64, math.MaxInt64
	args, op := e.Args(), e.Op()
	switch {
	case op == OpBetween && !e.Negated() && args[0].Op() == OpTime:
		lo, ok1 := whole(args[1])
		hi, ok2 := whole(args[2])
		return lo, hi, ok1 && ok2
	case len(args) != 2:
		return first, last, false
	case args[1].Op() == OpTime:
		args, op = []Expr{args[1], args[0]}, turned(op)
	}
	v, ok := whole(args[1])
	if !ok || args[0].Op() != OpTime {
		return first, last, false
	}
	switch op {
	case OpEq:
		return v, v, true
	case OpLt:
		if v == math.MinInt64 {
			return math.MaxInt64, math.MinInt64, true
		}
		return first, v - 1, true
	case OpLe:
		return first, v, true
	case OpGt:
		if v == math.MaxInt64 {
			return math.MaxInt64, math.MinInt64, true
		}
		return v + 1, last, true
	case OpGe:
		return v, last, true
	}
	return first, last, false
}

// turned returns the comparison of b with a that is true where op of a with b is.
func turned(op Op) Op {
	switch op {
	case OpLt:
		return OpGt
	case OpLe:
		return OpGe
	case OpGt:
		return OpLt
	case OpGe:
		return OpLe
	}
	return op
}

func whole(e Expr) (int64, bool) {
	switch v := e.Const().(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}
