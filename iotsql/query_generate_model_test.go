package iotsql_test

import (
	"fmt"
	"math"
	"strings"

	"github.com/tickwell/tickwell"
)

// The generator of queries.

func (s *store) num(depth int) *tree {
	r := s.rng
	if s.tables && depth >= 0 && r.IntN(3) == 0 {
		return s.seriesCall(depth, false)
	}
	if depth <= 0 || r.IntN(3) == 0 {
		switch r.IntN(12) {
		case 0:
			return lit(tickwell.Int32Value(int32(r.IntN(7) - 3)))
		case 1:
			return lit(tickwell.Float64Value(float64(r.IntN(9)-4) / 2))
		case 2:
			if s.odd {
				return lit(pickOf(r, tickwell.Int64Value(math.MaxInt64), tickwell.Int64Value(1<<53), tickwell.Float64Value(math.NaN())))
			}
		}
		return col(pickOf(r, "i", "l", "f", "d", "i", "d", "x"))
	}
	switch r.IntN(10) {
	case 9:
		return node("case", s.number(), node("+", s.num(depth-1), toInt32), s.num(depth-1))
	case 0:
		if a := s.num(depth - 1); a.op != "const" { // else SQL makes a constant of it
			return node("neg", a)
		}
	case 1:
		return node("case", s.truth(depth-1), s.num(depth-1), s.truth(depth-1), s.num(depth-1), s.num(depth-1))
	case 2:
		return node("case", s.truth(depth-1), s.num(depth-1))
	case 3:
		return call("abs", col(pickOf(r, "i", "f", "d")))
	case 4:
		return call("floor", s.num(depth-1))
	case 5:
		return &tree{op: "cast", name: "DOUBLE", args: []*tree{s.num(depth - 1)}}
	}
	return node(pickOf(r, "+", "-", "*", "/", "%"), s.num(depth-1), s.num(depth-1))
}

// number tells whether toInt32 can be computed.
func (s *store) number() *tree {
	return node("and", &tree{op: "regexp", name: "^v?[0-9]$", args: []*tree{col("t")}}, s.truth(1))
}

// toInt32 is the digit of a text such as v1, which most have none of.
var toInt32 = &tree{op: "cast", name: "INT32", args: []*tree{call("replace", col("t"), lit(tickwell.TextValue("v")), lit(tickwell.TextValue("")))}}

func (s *store) text(depth int) *tree {
	r := s.rng
	if s.tables && depth >= 0 && r.IntN(4) == 0 {
		return s.seriesCall(depth, true)
	}
	switch {
	case depth <= 0 || r.IntN(2) == 0:
		return col("t")
	case r.IntN(3) == 0:
		return call("concat", s.text(depth-1), s.text(depth-1))
	case r.IntN(3) == 0:
		return node("case", s.truth(depth-1), s.text(depth-1), lit(tickwell.TextValue("else")))
	}
	return call("upper", s.text(depth-1))
}

func (s *store) truth(depth int) *tree {
	r := s.rng
	if depth <= 0 {
		return pickOf(r, col("b"), node("isnull", col(pickOf(r, "i", "t", "b", "x"))), node(">", col("i"), lit(tickwell.Int32Value(0))))
	}
	d := depth - 1
	switch r.IntN(15) {
	case 14:
		return node("and", s.number(), node(pickOf(r, "=", "<", ">"), toInt32, s.num(d)))
	case 0:
		return node("not", s.truth(d))
	case 1, 2:
		return node("and", s.truth(d), s.truth(d))
	case 3, 4:
		return node("or", s.truth(d), s.truth(d))
	case 5:
		return node(pickOf(r, "isnull", "notnull"), pickOf(r, s.num(d), s.text(d), s.truth(d)))
	case 6:
		return node(pickOf(r, "in", "notin"), s.num(d), s.num(0), lit(tickwell.Int32Value(1)), lit(tickwell.Float64Value(0.5)))
	case 7:
		return node(pickOf(r, "between", "notbetween"), s.num(d), s.num(0), s.num(0))
	case 8:
		return &tree{op: "like", name: pickOf(r, "%a%", "_", "", "v_", `50\%`, "%", "a%b"), args: []*tree{s.text(d)}}
	case 9:
		return &tree{op: "regexp", name: pickOf(r, "^a", "b$", "v[12]", ".", ""), args: []*tree{s.text(d)}}
	case 10:
		return node(pickOf(r, "=", "!=", "<", ">="), s.text(d), lit(tickwell.TextValue(pickOf(r, "a", "", "v1"))))
	case 11:
		at := s.base + r.Int64N(s.span)
		return node(pickOf(r, "=", "!=", "<", "<=", ">", ">="), node("time"), lit(tickwell.Int64Value(at)))
	}
	return node(pickOf(r, "=", "!=", "<", "<=", ">", ">="), s.num(d), s.num(d))
}

func (s *store) agg() *tree {
	r := s.rng
	if s.users && r.IntN(3) == 0 {
		return s.userAgg("fold_rows", "fold_rows_m", "fold_size", "fold_size_m")
	}
	arg := func() *tree {
		switch r.IntN(5) {
		case 0:
			return s.num(2)
		case 1:
			if r.IntN(3) == 0 {
				return call("diff", s.num(1))
			}
		}
		return col(pickOf(r, "i", "l", "f", "d", "x"))
	}
	switch r.IntN(12) {
	case 0:
		return call(pickOf(r, "count", "first_value", "last_value", "mode", "min_time", "max_time"), pickOf(r, s.text(1), s.truth(1), s.truth(2)))
	case 1:
		return call("count", pickOf(r, node("isnull", s.num(1)), node("notnull", col("t")), s.truth(2)))
	case 2:
		e := call("count_if", s.truth(1))
		e.attr = append(e.attr, [2]string{"keep", pickOf(r, "1", "2", ">= 2", "<= 1", "= 2")})
		if r.IntN(2) == 0 {
			e.attr = append(e.attr, [2]string{"ignoreNull", pickOf(r, "true", "false")})
		}
		return e
	case 3:
		return call(pickOf(r, "max_by", "min_by"), s.num(1), s.num(1))
	case 4:
		return call("count_time", col("*"))
	case 5:
		if !s.odd {
			return call(pickOf(r, "stddev", "stddev_pop", "variance", "var_pop"), col(pickOf(r, "i", "f", "d")))
		}
	}
	return call(pickOf(r, "count", "sum", "avg", "min_value", "max_value", "extreme", "first_value", "last_value", "min_time", "max_time", "time_duration", "mode"), arg())
}

func (s *store) aggExpr(depth int) *tree {
	r := s.rng
	if depth <= 0 || r.IntN(3) > 0 {
		return s.agg()
	}
	number := func() *tree {
		if s.users && r.IntN(3) == 0 {
			return s.userAgg("fold_size", "fold_size_m")
		}
		return call(pickOf(r, "count", "sum", "avg", "max_value"), col(pickOf(r, "i", "d", "f")))
	}
	switch r.IntN(3) {
	case 0:
		return node("case", node(">", number(), lit(tickwell.Int32Value(2))), number(), lit(tickwell.Int32Value(-1)))
	case 1:
		return node("isnull", number())
	}
	return node(pickOf(r, "+", "-", "*", "/"), number(), pickOf(r, number(), lit(tickwell.Int32Value(3))))
}

func (s *store) question() *question {
	r := s.rng
	q := &question{byDevice: r.IntN(3) == 0, group: "", unit: s.unit}
	q.from = pickOf(r, []string{"root.g.d1"}, []string{"root.g.*"}, []string{"root.g.**"}, []string{"root.h.d1", "root.g.d1"}, []string{"root.*.d1"},
		[]string{devices[r.IntN(4)]}, []string{devices[r.IntN(4)]})
	few := len(q.from) == 1 && !strings.Contains(q.from[0], "*") || q.byDevice
	depth := 0
	if few {
		depth = 1 + r.IntN(2)
	}
	agg := r.IntN(2) == 0
	for range 1 + r.IntN(3) {
		var e *tree
		s.strays = !agg
		switch {
		case agg:
			e = s.aggExpr(depth)
			if few && s.tables && r.IntN(4) == 0 {
				e = call(pickOf(r, "difference", "change_points"), s.agg())
			}
		case r.IntN(4) == 0:
			e = col("*")
		case r.IntN(12) == 0:
			e = call("diff", s.num(depth))
		default:
			e = pickOf(r, s.num(depth), s.num(0), s.truth(depth), s.text(depth), col(pickOf(r, "b", "t", "l")))
		}
		s.strays = false
		q.sel = append(q.sel, e)
		q.alias = append(q.alias, "")
		if few && r.IntN(5) == 0 && e.op != "col" {
			q.alias[len(q.alias)-1] = fmt.Sprint("name", len(q.alias))
		}
	}
	if r.IntN(2) == 0 {
		q.where = s.truth(depth)
	}
	if r.IntN(2) == 0 {
		q.bounded = true
		q.start = s.base + r.Int64N(s.span) - s.span/10
		q.end = q.start + 1 + r.Int64N(s.span)
	}
	if agg {
		q.group = pickOf(r, "", "time", "time", "variation", "condition", "session", "count")
		q.nulls = r.IntN(2) == 0
		switch q.group {
		case "time":
			if !q.bounded {
				q.bounded, q.start, q.end = true, s.base-3, s.base+s.span
			}
			q.interval = 1 + r.Int64N(s.span/2)
			q.step = pickOf(r, q.interval, 1+q.interval/2, 1+q.interval/5, 1+q.interval/9, 2*q.interval, 1+r.Int64N(s.span))
			if (q.end-q.start)/q.step > 300 {
				q.step = q.interval + s.span/100
			}
			q.leftOpen = r.IntN(4) == 0 && (!s.tables || q.step >= q.interval) // else two rows may be of one time
		case "variation":
			q.by = pickOf(r, s.num(0), s.num(depth), col("t"), s.truth(depth))
			if r.IntN(2) == 0 {
				q.by, q.delta = s.num(depth), float64(r.IntN(9))/2
			}
		case "condition":
			q.by, q.keepOp, q.keepN = s.truth(depth), pickOf(r, ">=", "=", "<=", ">", "<", "!="), int64(r.IntN(4))
		case "session":
			q.size = r.Int64N(1 + s.span/20)
		case "count":
			q.by, q.size = pickOf(r, s.num(depth), col("t"), s.truth(depth)), 1+r.Int64N(5)
		}
		if r.IntN(3) == 0 {
			of := call(pickOf(r, "count", "sum", "max_value", "avg"), col(pickOf(r, "i", "d", "f", "l")))
			if s.users && r.IntN(3) == 0 {
				of = s.userAgg("fold_size", "fold_size_m")
			}
			q.having = node(pickOf(r, ">", "<", ">=", "!="), of, lit(tickwell.Int32Value(int32(r.IntN(5)-1))))
			if (few || !s.tables) && r.IntN(3) == 0 {
				q.having = node("or", q.having, node("isnull", s.agg()))
			}
			if few && s.tables && r.IntN(2) == 0 {
				q.having = node(pickOf(r, "and", "or"), q.having, node(">=", call("difference", s.agg()), lit(tickwell.Int32Value(0))))
			}
		}
		if r.IntN(6) == 0 && q.group != "" && q.group != "time" {
			q.sel, q.alias = append(q.sel, col("__endTime")), append(q.alias, "")
		}
	} else if r.IntN(10) == 0 && !q.byDevice {
		q.apart = true
	}
	switch r.IntN(6) {
	case 0:
		q.fill = "previous"
	case 1:
		q.fill = "linear"
	case 2:
		q.fill = "value"
		q.fillVal = pickOf(r, tickwell.Int32Value(7), tickwell.Int64Value(math.MaxInt64), tickwell.Float64Value(1.5), tickwell.TextValue("none"), tickwell.BoolValue(true))
	}
	if r.IntN(3) == 0 {
		for range 1 + r.IntN(2) {
			var o *tree
			switch {
			case q.apart || r.IntN(3) == 0 && (!agg || q.group != ""):
				o = node("time")
			case q.byDevice && r.IntN(3) == 0:
				o = node("device")
			case agg:
				o = s.aggExpr(depth)
			default:
				o = pickOf(r, s.num(depth), s.text(depth), s.truth(depth))
			}
			q.order, q.desc, q.first = append(q.order, o), append(q.desc, r.IntN(2) == 0), append(q.first, r.IntN(2) == 0)
		}
	}
	if r.IntN(4) == 0 {
		q.limit = 1 + r.IntN(8)
	}
	if r.IntN(4) == 0 {
		q.offset = r.IntN(6)
	}
	if r.IntN(8) == 0 {
		q.slimit = 1 + r.IntN(3)
	}
	if r.IntN(8) == 0 {
		q.soffset = r.IntN(2)
	}
	return q
}
