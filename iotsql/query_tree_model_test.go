package iotsql_test

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// Expressions of the reference of whole queries.

// tree is an expression of the reference.
type tree struct {
	op   string
	args []*tree
	name string // column, function, pattern
	val  value  // const
	attr [][2]string
}

func col(name string) *tree                 { return &tree{op: "col", name: name} }
func lit(v value) *tree                     { return &tree{op: "const", val: v} }
func node(op string, args ...*tree) *tree   { return &tree{op: op, args: args} }
func call(name string, args ...*tree) *tree { return &tree{op: "call", name: name, args: args} }

var binaries = map[string]func(a expr.Expr, b any) expr.Expr{
	"+": expr.Expr.Add, "-": expr.Expr.Sub, "*": expr.Expr.Mul, "/": expr.Expr.Div, "%": expr.Expr.Mod,
	"=": expr.Expr.Eq, "!=": expr.Expr.Ne, "<": expr.Expr.Lt, "<=": expr.Expr.Le, ">": expr.Expr.Gt, ">=": expr.Expr.Ge,
}

func constOf(v value) any {
	switch v.Kind() {
	case tickwell.KindBool:
		return v.Bool()
	case tickwell.KindInt32:
		return int32(v.Int64())
	case tickwell.KindInt64:
		return v.Int64()
	case tickwell.KindFloat32:
		return float32(v.Float64())
	case tickwell.KindFloat64:
		return v.Float64()
	case tickwell.KindText:
		return v.Text()
	}
	return nil
}

// expr is t as a Go value.
func (t *tree) expr() expr.Expr {
	var args []expr.Expr
	var anys []any
	for _, a := range t.args {
		e := a.expr()
		args, anys = append(args, e), append(anys, e)
	}
	switch t.op {
	case "col":
		return expr.Col(t.name)
	case "time":
		return expr.Time()
	case "device":
		return expr.Device()
	case "const":
		return expr.Lit(constOf(t.val))
	case "neg":
		return args[0].Neg()
	case "not":
		return expr.Not(args[0])
	case "and":
		return args[0].And(args[1])
	case "or":
		return args[0].Or(args[1])
	case "isnull":
		return args[0].IsNull()
	case "notnull":
		return args[0].NotNull()
	case "in", "notin":
		e := args[0].In(anys[1:]...)
		if t.op == "notin" {
			e = e.Negate()
		}
		return e
	case "between", "notbetween":
		e := args[0].Between(args[1], args[2])
		if t.op == "notbetween" {
			e = e.Negate()
		}
		return e
	case "like":
		return args[0].Like(t.name)
	case "regexp":
		return args[0].Regexp(t.name)
	case "case":
		return expr.Case(anys...)
	case "cast":
		return args[0].Cast(t.name)
	case "call":
		e := expr.Call(t.name, anys...)
		for _, a := range t.attr {
			e = e.With(a[0], a[1])
		}
		return e
	}
	return binaries[t.op](args[0], args[1])
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sql is t as text.
func (t *tree) sql() string {
	var a []string
	for _, x := range t.args {
		a = append(a, x.sql())
	}
	switch t.op {
	case "col":
		return t.name
	case "time":
		return "time"
	case "device":
		return "device"
	case "const":
		switch t.val.Kind() {
		case tickwell.KindNull:
			return "null"
		case tickwell.KindText:
			return quoted(t.val.Text())
		case tickwell.KindFloat64:
			f := t.val.Float64()
			if math.IsNaN(f) {
				return "NaN"
			}
			s := strconv.FormatFloat(f, 'e', -1, 64)
			if f < 0 {
				return "(" + s + ")"
			}
			return s
		}
		return t.val.String()
	case "neg":
		return "-(" + a[0] + ")"
	case "not":
		return "!(" + a[0] + ")"
	case "and", "or":
		return "(" + a[0] + ") " + t.op + " (" + a[1] + ")"
	case "isnull":
		return "(" + a[0] + ") is null"
	case "notnull":
		return "(" + a[0] + ") is not null"
	case "in":
		return "(" + a[0] + ") in (" + strings.Join(a[1:], ", ") + ")"
	case "notin":
		return "(" + a[0] + ") not in (" + strings.Join(a[1:], ", ") + ")"
	case "between":
		return "(" + a[0] + ") between (" + a[1] + ") and (" + a[2] + ")"
	case "notbetween":
		return "(" + a[0] + ") not between (" + a[1] + ") and (" + a[2] + ")"
	case "like", "regexp":
		return "(" + a[0] + ") " + t.op + " " + quoted(t.name)
	case "case":
		s := "case"
		for len(a) >= 2 {
			s += " when " + a[0] + " then " + a[1]
			a = a[2:]
		}
		if len(a) == 1 {
			s += " else " + a[0]
		}
		return s + " end"
	case "cast":
		return "cast(" + a[0] + " as " + t.name + ")"
	case "call":
		for i, x := range a {
			if strings.Contains(x, "=") {
				a[i] = "(" + x + ")"
			}
		}
		for _, x := range t.attr {
			if x[0] == "keep" {
				op := ""
				if x[1][0] < '0' || x[1][0] > '9' {
					op = "keep"
				}
				a = append(a, op+x[1])
				continue
			}
			a = append(a, quoted(x[0])+"="+quoted(x[1]))
		}
		return t.name + "(" + strings.Join(a, ", ") + ")"
	}
	return "(" + a[0] + ") " + t.op + " (" + a[1] + ")"
}

// walk visits t, outermost first.
func (t *tree) walk(f func(*tree)) {
	f(t)
	for _, a := range t.args {
		a.walk(f)
	}
}

// with is t with the names of its columns replaced, in the order of walk.
func (t *tree) with(names []string, at *int) *tree {
	c := *t
	if t.op == "col" {
		c.name = names[*at]
		*at++
		return &c
	}
	c.args = nil
	for _, a := range t.args {
		c.args = append(c.args, a.with(names, at))
	}
	return &c
}

// row is what expressions are evaluated over: a row, or the rows of a group.
type row struct {
	t     int64
	cells map[string]value // by path
	group []row            // with aggregates
	end   int64
	diff  map[*tree]value // of diff, which has a state, and of functions of a series
	of    map[*tree]bool  // there are only points of functions, for what is over them
}

func truth(v value) int {
	switch {
	case v.IsNull():
		return -1
	case v.Bool():
		return 1
	}
	return 0
}

func boolean(n int) value {
	if n < 0 {
		return null
	}
	return tickwell.BoolValue(n == 1)
}

func isInt(v value) bool { return v.Kind() == tickwell.KindInt32 || v.Kind() == tickwell.KindInt64 }

// compare gives the order of two values that are not null, false if there is none.
func compare(a, b value) (int, bool) {
	switch {
	case a.Kind() == tickwell.KindText:
		return cmp.Compare(a.Text(), b.Text()), true
	case isInt(a) && isInt(b):
		return cmp.Compare(a.Int64(), b.Int64()), true
	}
	x, y := a.Float64(), b.Float64()
	return cmp.Compare(x, y), !math.IsNaN(x) && !math.IsNaN(y)
}

func (t *tree) compare(a, b value) value {
	if a.IsNull() || b.IsNull() {
		return null
	}
	c, ok := compare(a, b)
	if !ok {
		return tickwell.BoolValue(t.op == "!=")
	}
	switch t.op {
	case "=":
		ok = c == 0
	case "!=":
		ok = c != 0
	case "<":
		ok = c < 0
	case "<=":
		ok = c <= 0
	case ">":
		ok = c > 0
	case ">=":
		ok = c >= 0
	}
	return tickwell.BoolValue(ok)
}

// likeRegexp is a pattern of LIKE as a regular expression.
func likeRegexp(p string) *regexp.Regexp {
	s := "(?s)^"
	rs := []rune(p)
	for i := 0; i < len(rs); i++ {
		switch {
		case rs[i] == '\\' && i+1 < len(rs):
			i++
			s += regexp.QuoteMeta(string(rs[i]))
		case rs[i] == '%':
			s += ".*"
		case rs[i] == '_':
			s += "."
		default:
			s += regexp.QuoteMeta(string(rs[i]))
		}
	}
	return regexp.MustCompile(s + "$")
}

func (t *tree) eval(r *row) value {
	if t.isAgg() {
		return t.aggregate(r)
	}
	var a []value
	if t.op != "col" {
		for _, x := range t.args {
			if t.guards(a) && !x.remembers() && !x.hasAgg() {
				a = append(a, null)
				continue
			}
			a = append(a, x.eval(r))
		}
	}
	switch t.op {
	case "col":
		if t.name == "__endTime" {
			return tickwell.Int64Value(r.end)
		}
		return r.cells[t.name]
	case "time":
		return tickwell.Int64Value(r.t)
	case "const":
		return t.val
	case "neg":
		if a[0].IsNull() {
			return null
		}
		return tickwell.Float64Value(-a[0].Float64())
	case "+", "-", "*", "/", "%":
		if a[0].IsNull() || a[1].IsNull() {
			return null
		}
		x, y := a[0].Float64(), a[1].Float64()
		return tickwell.Float64Value(map[string]float64{"+": x + y, "-": x - y, "*": x * y, "/": x / y, "%": math.Mod(x, y)}[t.op])
	case "=", "!=", "<", "<=", ">", ">=":
		return t.compare(a[0], a[1])
	case "not":
		if n := truth(a[0]); n >= 0 {
			return boolean(1 - n)
		}
		return null
	case "and", "or":
		decides := 0
		if t.op == "or" {
			decides = 1
		}
		x, y := truth(a[0]), truth(a[1])
		switch {
		case x == decides || y == decides:
			return boolean(decides)
		case x < 0 || y < 0:
			return null
		}
		return boolean(1 - decides)
	case "isnull":
		return tickwell.BoolValue(a[0].IsNull())
	case "notnull":
		return tickwell.BoolValue(!a[0].IsNull())
	case "in", "notin":
		if a[0].IsNull() {
			return null
		}
		found := false
		for _, v := range a[1:] {
			found = found || (&tree{op: "="}).compare(a[0], v).Bool()
		}
		return tickwell.BoolValue(found == (t.op == "in"))
	case "between", "notbetween":
		if a[0].IsNull() || a[1].IsNull() || a[2].IsNull() {
			return null
		}
		in := (&tree{op: ">="}).compare(a[0], a[1]).Bool() && (&tree{op: "<="}).compare(a[0], a[2]).Bool()
		return tickwell.BoolValue(in == (t.op == "between"))
	case "like", "regexp":
		if a[0].IsNull() {
			return null
		}
		re := likeRegexp(t.name)
		if t.op == "regexp" {
			re = regexp.MustCompile(t.name)
		}
		return tickwell.BoolValue(re.MatchString(a[0].Text()))
	case "case":
		v := null
		if len(a)%2 == 1 {
			v = a[len(a)-1]
		}
		for i := 0; i+1 < len(a); i += 2 {
			if truth(a[i]) == 1 {
				v = a[i+1]
				break
			}
		}
		if k := v.Kind(); k != tickwell.KindNull && k != tickwell.KindBool && k != tickwell.KindText {
			v = tickwell.Float64Value(v.Float64())
		}
		return v
	case "level":
		return t.together(r)
	case "cast": // of what fits, or of what a condition keeps apart
		switch {
		case a[0].IsNull():
			return null
		case t.name == "INT32":
			n, err := strconv.ParseInt(a[0].String(), 10, 32)
			if err != nil {
				panic(noValue{})
			}
			return tickwell.Int32Value(int32(n))
		case t.name == "DOUBLE":
			return tickwell.Float64Value(a[0].Float64())
		case t.name == "BOOLEAN":
			return tickwell.BoolValue(a[0].Float64() != 0)
		}
		return tickwell.TextValue(a[0].String())
	}
	switch t.name {
	case "abs":
		switch v := a[0]; v.Kind() {
		case tickwell.KindInt32:
			return tickwell.Int32Value(int32(max(v.Int64(), -v.Int64())))
		case tickwell.KindInt64:
			return tickwell.Int64Value(max(v.Int64(), -v.Int64()))
		case tickwell.KindFloat32:
			return tickwell.Float32Value(float32(math.Abs(v.Float64())))
		case tickwell.KindFloat64:
			return tickwell.Float64Value(math.Abs(v.Float64()))
		}
		return null
	case "floor":
		if a[0].IsNull() {
			return null
		}
		return tickwell.Float64Value(math.Floor(a[0].Float64()))
	case "upper":
		if a[0].IsNull() {
			return null
		}
		return tickwell.TextValue(strings.ToUpper(a[0].Text()))
	case "length":
		if a[0].IsNull() {
			return null
		}
		return tickwell.Int32Value(int32(len([]rune(a[0].Text()))))
	case "replace":
		if a[0].IsNull() {
			return null
		}
		return tickwell.TextValue(strings.ReplaceAll(a[0].Text(), a[1].Text(), a[2].Text()))
	case "concat":
		s, any := "", false
		for _, v := range a {
			s, any = s+v.Text(), any || !v.IsNull()
		}
		if !any {
			return null
		}
		return tickwell.TextValue(s)
	}
	return r.diff[t]
}

// noValue is the panic of a CAST of what its kind cannot hold.
type noValue struct{}

// guards reports whether the arguments that are known keep t from what the next one
// is.
func (t *tree) guards(a []value) bool {
	i := len(a)
	switch {
	case i == 0:
	case t.op == "and":
		return truth(a[0]) == 0
	case t.op == "or":
		return truth(a[0]) == 1
	case t.op == "case":
		for p := 0; p < i; p += 2 {
			if truth(a[p]) == 1 {
				return p != i-1
			}
		}
		return i%2 == 1
	}
	return false
}

func (t *tree) remembers() (does bool) {
	t.walk(func(x *tree) { does = does || x.name == "diff" })
	return does
}
