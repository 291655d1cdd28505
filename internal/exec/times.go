package exec

import (
	"math"

	"github.com/tickwell/tickwell/expr"
)

// Times takes comparisons of time with whole numbers that must all hold out of a
// condition: those that it is true of are first to last, both included, none where
// first is greater. What else the condition asks is returned as rest, which is zero if
// that is nothing.
func Times(where expr.Expr) (first, last int64, rest expr.Expr) {
	first, last = math.MinInt64, math.MaxInt64
	var others []expr.Expr
	for _, e := range conjuncts(where, nil) {
		lo, hi, ok := timesOf(e)
		if !ok {
			others = append(others, e)
			continue
		}
		first, last = max(first, lo), min(last, hi)
	}
	return first, last, expr.And(others...)
}

func conjuncts(e expr.Expr, all []expr.Expr) []expr.Expr {
	if e.Op() == expr.OpAnd {
		return conjuncts(e.Args()[1], conjuncts(e.Args()[0], all))
	}
	if e.IsZero() {
		return all
	}
	return append(all, e)
}

// timesOf returns the times that one comparison is true of.
func timesOf(e expr.Expr) (first, last int64, ok bool) {
	first, last = math.MinInt64, math.MaxInt64
	args, op := e.Args(), e.Op()
	switch {
	case op == expr.OpBetween && !e.Negated() && args[0].Op() == expr.OpTime:
		lo, ok1 := whole(args[1])
		hi, ok2 := whole(args[2])
		return lo, hi, ok1 && ok2
	case len(args) != 2:
		return first, last, false
	case args[1].Op() == expr.OpTime:
		args, op = []expr.Expr{args[1], args[0]}, turned(op)
	}
	v, ok := whole(args[1])
	if !ok || args[0].Op() != expr.OpTime {
		return first, last, false
	}
	switch op {
	case expr.OpEq:
		return v, v, true
	case expr.OpLt:
		if v == math.MinInt64 {
			return math.MaxInt64, math.MinInt64, true
		}
		return first, v - 1, true
	case expr.OpLe:
		return first, v, true
	case expr.OpGt:
		if v == math.MaxInt64 {
			return math.MaxInt64, math.MinInt64, true
		}
		return v + 1, last, true
	case expr.OpGe:
		return v, last, true
	}
	return first, last, false
}

// turned returns the comparison of b with a that is true where op of a with b is.
func turned(op expr.Op) expr.Op {
	switch op {
	case expr.OpLt:
		return expr.OpGt
	case expr.OpLe:
		return expr.OpGe
	case expr.OpGt:
		return expr.OpLt
	case expr.OpGe:
		return expr.OpLe
	}
	return op
}

func whole(e expr.Expr) (int64, bool) {
	switch v := e.Const().(type) {
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}
