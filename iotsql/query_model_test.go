package iotsql_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/vfs"
)

// The slow reference of whole queries: their clauses in combinations, over
// several devices and values at the edges of their kinds. It shares no code with
// the store, and works on maps and loops as the documents say. Each query is
// asked as a Query, again with its plan kept, and as SQL. What single aggregates
// and groups give is also held by the reference in the root package, which looks
// at statistics of blocks and at many rows.

type value = tickwell.Value

var null value

// cell is the values of a series by time.
type cells map[int64]value

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

var aggregates = map[string]bool{
	"count": true, "sum": true, "avg": true, "min_value": true, "max_value": true, "extreme": true, "first_value": true, "last_value": true,
	"min_time": true, "max_time": true, "time_duration": true, "mode": true, "stddev": true, "var_pop": true, "variance": true, "stddev_pop": true,
	"count_if": true, "max_by": true, "min_by": true, "count_time": true,
}

func (t *tree) isAgg() bool { return t.op == "call" && aggregates[t.name] }

func (t *tree) hasAgg() (has bool) {
	t.walk(func(x *tree) { has = has || x.isAgg() })
	return has
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

// aggregate computes an aggregate over the rows of a group.
func (t *tree) aggregate(r *row) value {
	var rows []*row
	for i := range r.group {
		rows = append(rows, &r.group[i])
	}
	if t.name == "count_time" {
		n := int64(0)
		for _, x := range rows {
			if len(x.cells) > 0 {
				n++
			}
		}
		return tickwell.Int64Value(n)
	}
	if t.name == "count_if" {
		return t.countIf(rows)
	}
	if len(t.args) == 2 { // max_by, min_by
		best, at := null, null
		for _, x := range rows {
			v, y := t.args[0].eval(x), t.args[1].eval(x)
			if y.IsNull() || math.IsNaN(y.Float64()) {
				continue
			}
			if at.IsNull() || t.name == "max_by" && y.Float64() > at.Float64() || t.name == "min_by" && y.Float64() < at.Float64() {
				best, at = v, y
			}
		}
		return best
	}
	var vs []value
	var ts []int64
	for _, x := range rows {
		if v := t.args[0].eval(x); !v.IsNull() {
			vs, ts = append(vs, v), append(ts, x.t)
		}
	}
	if t.name == "count" {
		return tickwell.Int64Value(int64(len(vs)))
	}
	if len(vs) == 0 {
		return null
	}
	n := float64(len(vs))
	total := func() float64 {
		if isInt(vs[0]) {
			s := new(big.Int)
			for _, v := range vs {
				s.Add(s, big.NewInt(v.Int64()))
			}
			f, _ := new(big.Float).SetInt(s).Float64()
			return f
		}
		s := 0.0
		for _, v := range vs {
			s += v.Float64()
		}
		return s
	}
	best := func(better func(a, b value) bool) value {
		b := vs[0]
		for _, v := range vs[1:] {
			if math.IsNaN(b.Float64()) || !math.IsNaN(v.Float64()) && better(v, b) {
				b = v
			}
		}
		return b
	}
	variance := func(by float64) value {
		if by <= 0 {
			return null
		}
		mean, m2 := 0.0, 0.0
		for _, v := range vs {
			mean += v.Float64() / n
		}
		for _, v := range vs {
			m2 += (v.Float64() - mean) * (v.Float64() - mean)
		}
		return tickwell.Float64Value(m2 / by)
	}
	root := func(v value) value {
		if v.IsNull() {
			return v
		}
		return tickwell.Float64Value(math.Sqrt(v.Float64()))
	}
	less := func(a, b value) bool { c, _ := compare(a, b); return c < 0 }
	switch t.name {
	case "sum":
		return tickwell.Float64Value(total())
	case "avg":
		return tickwell.Float64Value(total() / n)
	case "min_value":
		return best(less)
	case "max_value":
		return best(func(a, b value) bool { return less(b, a) })
	case "extreme":
		size := func(v value) *big.Float {
			if isInt(v) {
				return new(big.Float).SetInt(new(big.Int).Abs(big.NewInt(v.Int64())))
			}
			return big.NewFloat(math.Abs(v.Float64()))
		}
		return best(func(a, b value) bool {
			c := size(a).Cmp(size(b))
			return c > 0 || c == 0 && less(b, a)
		})
	case "first_value":
		return vs[0]
	case "last_value":
		return vs[len(vs)-1]
	case "min_time":
		return tickwell.Int64Value(ts[0])
	case "max_time":
		return tickwell.Int64Value(ts[len(ts)-1])
	case "time_duration":
		return tickwell.Int64Value(ts[len(ts)-1] - ts[0])
	case "var_pop":
		return variance(n)
	case "stddev_pop":
		return root(variance(n))
	case "variance":
		return variance(n - 1)
	case "stddev":
		return root(variance(n - 1))
	case "mode":
		b, most := 0, 0
		for i := range vs {
			same := 0
			for _, v := range vs {
				if v.Equal(vs[i]) {
					same++
				}
			}
			if same > most {
				b, most = i, same
			}
		}
		return vs[b]
	}
	panic("no reference for " + t.name)
}

func (t *tree) countIf(rows []*row) value {
	keep, ignore := int64(1), true
	op := ">="
	for _, a := range t.attr {
		switch a[0] {
		case "keep":
			s := strings.TrimLeft(a[1], "<>=! ")
			if o := strings.TrimSpace(a[1][:len(a[1])-len(s)]); o != "" {
				op = o
			}
			keep, _ = strconv.ParseInt(s, 10, 64)
		case "ignoreNull":
			ignore = a[1] == "true"
		}
	}
	n, run := int64(0), int64(0)
	end := func() {
		if run > 0 && (&tree{op: op}).compare(tickwell.Int64Value(run), tickwell.Int64Value(keep)).Bool() {
			n++
		}
		run = 0
	}
	for _, x := range rows {
		switch truth(t.args[0].eval(x)) {
		case 1:
			run++
		case 0:
			end()
		default:
			if !ignore {
				end()
			}
		}
	}
	end()
	return tickwell.Int64Value(n)
}

// store is a tickwell store and what must be in it.
type store struct {
	t      *testing.T
	rng    *rand.Rand
	db     *tickwell.DB
	conn   *iotsql.Conn
	opts   *tickwell.Options
	series []string         // paths in the order of creation
	points map[string]cells // by path
	kinds  map[string]tickwell.Kind
	base   int64
	span   int64
	odd    bool // NaN, infinities, extremes
	others int
	tables bool  // functions of a series in questions
	strays bool  // those that give points at times of no row
	unit   int64 // what times are counted in here, in nanoseconds
}

func deviceOf(path string) string { return path[:strings.LastIndexByte(path, '.')] }
func nameOf(path string) string   { return path[strings.LastIndexByte(path, '.')+1:] }

var kindsOf = map[string]tickwell.Kind{
	"b": tickwell.KindBool, "i": tickwell.KindInt32, "l": tickwell.KindInt64, "f": tickwell.KindFloat32, "d": tickwell.KindFloat64, "t": tickwell.KindText,
	"x": tickwell.KindFloat64,
}

func pickOf[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

func (s *store) value(k tickwell.Kind) value {
	r := s.rng
	edge := s.odd && r.IntN(6) == 0
	switch k {
	case tickwell.KindBool:
		return tickwell.BoolValue(r.IntN(2) == 0)
	case tickwell.KindInt32:
		if edge {
			return tickwell.Int32Value(pickOf[int32](r, math.MinInt32, math.MaxInt32, 0))
		}
		return tickwell.Int32Value(int32(r.IntN(11) - 5))
	case tickwell.KindInt64:
		if edge {
			return tickwell.Int64Value(pickOf[int64](r, math.MinInt64, math.MaxInt64, math.MaxInt64-1, 1<<53, 1<<53+1))
		}
		return tickwell.Int64Value(r.Int64N(9) - 4)
	case tickwell.KindFloat32:
		if edge {
			return tickwell.Float32Value(pickOf(r, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.Copysign(0, -1))))
		}
		return tickwell.Float32Value(float32(r.IntN(40)-20) / 8)
	case tickwell.KindFloat64:
		if edge {
			return tickwell.Float64Value(pickOf(r, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1e300))
		}
		return tickwell.Float64Value(float64(r.IntN(60)-30) / 4)
	}
	return tickwell.TextValue(pickOf(r, "", "a", "ab", "A_b", "50%", "é", "a'b", "v1", "v2"))
}

func newStore(t *testing.T, seed uint64, unit time.Duration) *store {
	return newStoreOver(t, seed, unit, 0, 0)
}

// newStoreOver has its rows in span from base on; 0: as it comes.
func newStoreOver(t *testing.T, seed uint64, unit time.Duration, base, span int64) *store {
	s := &store{t: t, unit: int64(unit), rng: rand.New(rand.NewPCG(seed, 99)), points: map[string]cells{}, kinds: map[string]tickwell.Kind{}}
	r := s.rng
	s.span = pickOf[int64](r, 40, 200, 3000)
	s.base = pickOf[int64](r, 0, -50, 1_700_000_000_000_000_000, -s.span/2, time.Date(2023, 10, 29, 0, 59, 59, 999999990, time.UTC).UnixNano())
	s.base /= s.unit
	if span > 0 {
		s.base, s.span = base, span
	}
	s.odd = r.IntN(2) == 0
	s.opts = &tickwell.Options{FS: vfs.NewMem(), Profile: tickwell.Profile{BlockRows: pickOf(r, 4, 16, 64)}, Seed: 1, Functions: mineSpecs()}
	s.reopen(false)
	for range pickOf(r, 1, 3, 12) {
		s.write()
		switch r.IntN(8) {
		case 0, 1:
			s.check(s.db.Flush(context.Background()))
		case 2:
			s.erase()
		case 3:
			s.check(s.db.Compact(context.Background()))
		case 4:
			s.reopen(true)
		}
	}
	return s
}

func (s *store) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *store) reopen(close bool) {
	if close {
		s.check(s.db.Close())
	}
	db, err := tickwell.Open(context.Background(), "data", s.opts)
	s.check(err)
	s.db = db
	s.t.Cleanup(func() { _ = db.Close() })
	s.conn, err = iotsql.New(db, &iotsql.Options{Precision: time.Duration(s.unit)})
	s.check(err)
}

var devices = []string{"root.g.d1", "root.g.d2", "root.h.d1", "root.g.e.d3"}

// write inserts a tablet of rows that are late, repeated and have nulls.
func (s *store) write() {
	r := s.rng
	dev := pickOf(r, devices...)
	names := slices.Sorted(maps.Keys(kindsOf))
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	names = names[:1+r.IntN(len(names))]
	tab := &tickwell.Tablet{Device: dev}
	at := r.Int64N(s.span)
	dense := r.IntN(3)
	for range 1 + r.IntN(60) {
		var fields []tickwell.Field
		for _, n := range names {
			if dense == 0 || r.IntN(3) > 0 {
				fields = append(fields, tickwell.Field{Name: n, Value: s.value(kindsOf[n])})
			}
		}
		if len(fields) > 0 {
			s.check(tab.Append(s.at(s.base+at), fields...))
			for _, f := range fields {
				p := dev + "." + f.Name
				if s.points[p] == nil {
					s.points[p] = cells{}
				}
				s.points[p][s.base+at] = f.Value
			}
		}
		at = (at + 1 + r.Int64N(max(s.span/40, 2))) % s.span
	}
	if tab.Len() == 0 {
		return
	}
	if r.IntN(4) == 0 {
		for i := range tab.Columns { // says nothing of the rows there are
			tab.Columns[i].Nulls.Set(tab.Len() + r.IntN(70))
		}
	}
	s.check(s.db.InsertTablet(context.Background(), tab))
	s.list()
}

// list takes over which series there are, in the order of their creation.
func (s *store) list() {
	s.series = s.series[:0]
	res, err := s.db.Query(context.Background(), tickwell.Query{From: []string{"root.**"}})
	s.check(err)
	for _, c := range res.Columns() {
		if strings.HasPrefix(c.Name, "root.other.") {
			continue
		}
		s.series = append(s.series, c.Name)
		s.kinds[c.Name] = c.Kind
	}
}

// at is a time of the reference as the store takes it.
func (s *store) at(t int64) time.Time { return time.Unix(0, t*s.unit) }

func (s *store) erase() {
	if len(s.series) == 0 {
		return
	}
	p := pickOf(s.rng, s.series...)
	from := s.base + s.rng.Int64N(s.span)
	to := from + 1 + s.rng.Int64N(s.span/4)
	s.check(s.db.Delete(context.Background(), p, s.at(from), s.at(to)))
	maps.DeleteFunc(s.points[p], func(t int64, _ value) bool { return t >= from && t < to })
}

// question is a query in the words of the reference.
type question struct {
	sel      []*tree
	alias    []string
	from     []string
	where    *tree
	start    int64 // with group by time
	end      int64
	bounded  bool
	group    string // "", time, variation, condition, session, count
	interval int64
	step     int64
	leftOpen bool
	by       *tree
	delta    float64
	keepOp   string
	keepN    int64
	nulls    bool
	size     int64
	having   *tree
	fill     string // previous, linear, or value
	fillVal  value
	order    []*tree
	desc     []bool
	first    []bool
	limit    int
	offset   int
	slimit   int
	soffset  int
	byDevice bool
	apart    bool
	unit     int64
	calendar *calendar
}

var keepOps = map[string]expr.Op{"=": expr.OpEq, "!=": expr.OpNe, "<": expr.OpLt, "<=": expr.OpLe, ">": expr.OpGt, ">=": expr.OpGe}

func (q *question) query() tickwell.Query {
	out := tickwell.Query{From: q.from, Limit: q.limit, Offset: q.offset, SeriesLimit: q.slimit, SeriesOffset: q.soffset, AlignByDevice: q.byDevice, DisableAlign: q.apart, TimeUnit: time.Duration(q.unit)}
	for i, e := range q.sel {
		x := e.expr()
		if q.alias[i] != "" {
			x = x.As(q.alias[i])
		}
		out.Select = append(out.Select, x)
	}
	if q.where != nil {
		out.Where = q.where.expr()
	}
	if q.bounded {
		out.Start, out.End = time.Unix(0, q.start*q.unit).UTC(), time.Unix(0, q.end*q.unit).UTC()
	}
	switch q.group {
	case "calendar":
		out.GroupBy, out.Zone = q.calendar.groups, q.calendar.zone
	case "time":
		out.GroupBy = tickwell.GroupByTime{Interval: time.Duration(q.interval * q.unit), Step: time.Duration(q.step * q.unit), LeftOpen: q.leftOpen}
	case "variation":
		out.GroupBy = tickwell.GroupByVariation{By: q.by.expr(), Delta: q.delta, KeepNulls: q.nulls}
	case "condition":
		out.GroupBy = tickwell.GroupByCondition{By: q.by.expr(), KeepOp: keepOps[q.keepOp], KeepN: q.keepN, KeepNulls: q.nulls}
	case "session":
		out.GroupBy = tickwell.GroupBySession{Gap: time.Duration(q.size * q.unit)}
	case "count":
		out.GroupBy = tickwell.GroupByCount{By: q.by.expr(), Size: int(q.size), KeepNulls: q.nulls}
	}
	if q.having != nil {
		out.Having = q.having.expr()
	}
	switch q.fill {
	case "previous":
		out.Fill.Previous = true
	case "linear":
		out.Fill.Linear = true
	case "value":
		out.Fill.Value = q.fillVal
	}
	for i, o := range q.order {
		out.OrderBy = append(out.OrderBy, tickwell.Order{By: o.expr(), Desc: q.desc[i], NullsFirst: q.first[i]})
	}
	return out
}

// sql is the query as text; "" if it cannot be said.
func (q *question) sql() string {
	var items []string
	for i, e := range q.sel {
		x := e.sql()
		if q.alias[i] != "" {
			x += " as " + q.alias[i]
		}
		items = append(items, x)
	}
	s := "select " + strings.Join(items, ", ") + " from " + strings.Join(q.from, ", ")
	where := ""
	if q.where != nil {
		where = q.where.sql()
	}
	if q.bounded && q.group != "time" && q.calendar == nil {
		if where != "" {
			where = "(" + where + ") and "
		}
		where += fmt.Sprintf("time >= %d and time < %d", q.start, q.end)
	}
	if where != "" {
		s += " where " + where
	}
	ignore := fmt.Sprintf("ignoreNull=%v", !q.nulls)
	unit := map[int64]string{1: "ns", 1000: "us", 1000_000: "ms"}[q.unit]
	switch q.group {
	case "calendar":
		s += q.calendar.sql(q)
	case "time":
		a, b := "[", ")"
		if q.leftOpen {
			a, b = "(", "]"
		}
		s += fmt.Sprintf(" group by (%s%d, %d%s, %d%s, %d%s)", a, q.start, q.end, b, q.interval, unit, q.step, unit)
	case "variation":
		s += fmt.Sprintf(" group by variation(%s, %s, %s)", q.by.sql(), strconv.FormatFloat(q.delta, 'f', -1, 64), ignore)
	case "condition":
		s += fmt.Sprintf(" group by condition(%s, keep %s %d, %s)", q.by.sql(), q.keepOp, q.keepN, ignore)
	case "session":
		s += fmt.Sprintf(" group by session(%d%s)", q.size, unit)
	case "count":
		s += fmt.Sprintf(" group by count(%s, %d, %s)", q.by.sql(), q.size, ignore)
	}
	if q.having != nil {
		s += " having " + q.having.sql()
	}
	for i, o := range q.order {
		if i == 0 {
			s += " order by "
		} else {
			s += ", "
		}
		s += o.sql()
		if q.desc[i] {
			s += " desc"
		}
		if q.first[i] {
			s += " nulls first"
		}
	}
	switch q.fill {
	case "value":
		s += " fill(" + lit(q.fillVal).sql() + ")"
	case "previous", "linear":
		s += " fill(" + q.fill + ")"
	}
	add := func(word string, n int) {
		if n > 0 {
			s += fmt.Sprintf(" %s %d", word, n)
		}
	}
	add("limit", q.limit)
	add("offset", q.offset)
	add("slimit", q.slimit)
	add("soffset", q.soffset)
	if q.byDevice {
		s += " align by device"
	}
	if q.apart {
		s += " disable align"
	}
	return s
}

// answer is what a query gives: rows with their times and devices.
type answer struct {
	names []string
	rows  []answered
}

type answered struct {
	device string
	column int // of disable align
	t      int64
	vals   []value
}

// matches reports whether a path is below a pattern of From and has a
// measurement of that name.
func matches(from, name, path string) bool {
	p := path
	if strings.HasPrefix(name, "root.") {
		return matchNodes(strings.Split(name, "."), strings.Split(p, "."))
	}
	return matchNodes(append(strings.Split(from, "."), strings.Split(name, ".")...), strings.Split(p, "."))
}

func matchNodes(pat, nodes []string) bool {
	if len(pat) == 0 {
		return len(nodes) == 0
	}
	if len(nodes) == 0 {
		return false
	}
	if pat[0] == "**" {
		for n := 1; n <= len(nodes); n++ {
			if matchNodes(pat[1:], nodes[n:]) {
				return true
			}
		}
		return false
	}
	return (pat[0] == "*" || pat[0] == nodes[0]) && matchNodes(pat[1:], nodes[1:])
}

// find lists the series that a name stands for.
func (s *store) find(q *question, name string) (all []string) {
	for _, f := range q.from {
		for _, p := range s.series {
			if matches(f, name, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// expand makes an expression of each choice of series for the names of e.
func expand(e *tree, find func(string) []string) []*tree {
	var lists [][]string
	all := map[*tree]bool{} // the * of count_time
	e.walk(func(x *tree) {
		if x.name == "count_time" {
			all[x.args[0]] = true
		}
		if x.op == "col" {
			if x.name == "__endTime" || all[x] {
				lists = append(lists, []string{x.name})
			} else {
				lists = append(lists, find(x.name))
			}
		}
	})
	var out []*tree
	var choose func(picked []string)
	choose = func(picked []string) {
		if len(picked) == len(lists) {
			at := 0
			out = append(out, e.with(picked, &at))
			return
		}
		for _, p := range lists[len(picked)] {
			choose(append(slices.Clip(picked), p))
		}
	}
	choose(nil)
	return out
}

func conj(all []*tree) *tree {
	if len(all) == 0 {
		return lit(null)
	}
	e := all[0]
	for _, x := range all[1:] {
		e = node("and", e, x)
	}
	return e
}

// ask answers a query by loops; ok is false where it makes no sense.
func (s *store) ask(q *question) *answer {
	find := func(name string) []string { return s.find(q, name) }
	if !q.byDevice {
		var sel []*tree
		for _, e := range q.sel {
			sel = append(sel, expand(e, find)...)
		}
		sel = cutColumns(q, sel)
		if len(sel) == 0 {
			return &answer{}
		}
		out := &answer{}
		bind := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			found := expand(e, find)
			if len(found) == 0 {
				return lit(null)
			}
			return conj(found)
		}
		var where *tree
		if q.where != nil {
			where = conj(expand(q.where, func(name string) []string {
				if f := find(name); len(f) > 0 {
					return f
				}
				return []string{"absent"}
			}))
		}
		order := q.order
		var keys []*tree
		for _, o := range order {
			keys = append(keys, bind(o))
		}
		if q.apart {
			for i, e := range sel {
				rows, _ := s.part(q, []*tree{e}, where, nil, nil, nil, keys)
				rows = slices.DeleteFunc(rows, func(r answered) bool { return r.vals[0].IsNull() })
				for _, r := range cutRows(q, rows) {
					out.rows = append(out.rows, answered{column: i, t: r.t, vals: r.vals})
				}
			}
			return out
		}
		out.rows, _ = s.part(q, sel, where, bind(q.by), bind(q.having), find, keys)
		out.rows = cutRows(q, out.rows)
		for _, e := range sel {
			out.names = append(out.names, e.sql())
		}
		return out
	}
	var devs []string
	for _, p := range find("*") {
		if !slices.Contains(devs, deviceOf(p)) {
			devs = append(devs, deviceOf(p))
		}
	}
	slices.Sort(devs)
	names := func(name string) (all []string) {
		found := find(name)
		slices.SortFunc(found, func(a, b string) int { return slices.Index(s.series, a) - slices.Index(s.series, b) })
		for _, p := range found {
			if !slices.Contains(all, nameOf(p)) {
				all = append(all, nameOf(p))
			}
		}
		return all
	}
	var sel []*tree
	for _, e := range q.sel {
		sel = append(sel, expand(e, names)...)
	}
	sel = cutColumns(q, sel)
	type sorted struct {
		answered
		keys []value
	}
	var all []sorted
	for _, d := range devs {
		in := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			var list []string
			e.walk(func(x *tree) {
				if x.op != "col" {
					return
				}
				if x.name == "__endTime" || x.name == "*" {
					list = append(list, x.name)
				} else {
					list = append(list, d+"."+x.name)
				}
			})
			at := 0
			return e.with(list, &at)
		}
		var mine []*tree
		reads := false
		for _, e := range sel {
			mine = append(mine, in(e))
			mine[len(mine)-1].walk(func(x *tree) { reads = reads || x.op == "col" && (s.kinds[x.name] != 0 || x.name == "*") })
		}
		if !reads {
			continue
		}
		each := func(e *tree) *tree {
			if e == nil {
				return nil
			}
			var list []*tree
			for _, x := range expand(e, names) {
				list = append(list, in(x))
			}
			return conj(list)
		}
		var where *tree
		if q.where != nil {
			where = conj(func() (list []*tree) {
				for _, x := range expand(q.where, func(name string) []string {
					if f := names(name); len(f) > 0 {
						return f
					}
					return []string{"absent"}
				}) {
					list = append(list, in(x))
				}
				return list
			}())
		}
		var keys []*tree
		for _, o := range q.order {
			keys = append(keys, in(o))
		}
		rows, sortKeys := s.part(q, mine, where, in(q.by), each(q.having), func(string) []string {
			var of []string
			for _, p := range s.series {
				if deviceOf(p) == d {
					of = append(of, p)
				}
			}
			return of
		}, keys)
		for i, r := range rows {
			r.device = d
			x := sorted{answered: r, keys: sortKeys[i]}
			for k, o := range q.order {
				if o.op == "device" {
					x.keys[k] = tickwell.TextValue(d)
				}
			}
			all = append(all, x)
		}
	}
	if len(q.order) > 0 {
		slices.SortStableFunc(all, func(a, b sorted) int { return compareKeys(q, a.keys, b.keys) })
	}
	out := &answer{}
	for _, x := range all {
		out.rows = append(out.rows, x.answered)
	}
	out.rows = cutRows(q, out.rows)
	return out
}

func cutColumns(q *question, all []*tree) []*tree {
	all = all[min(q.soffset, len(all)):]
	if q.slimit > 0 {
		all = all[:min(q.slimit, len(all))]
	}
	return all
}

func cutRows(q *question, all []answered) []answered {
	all = all[min(q.offset, len(all)):]
	if q.limit > 0 {
		all = all[:min(q.limit, len(all))]
	}
	return all
}

func compareKeys(q *question, a, b []value) int {
	for i := range q.order {
		x, y := a[i], b[i]
		c := 0
		if x.IsNull() || y.IsNull() {
			if x.IsNull() != y.IsNull() {
				c = 1
				if x.IsNull() == q.first[i] {
					c = -1
				}
				return c
			}
			continue
		}
		var ok bool
		if c, ok = compare(x, y); !ok { // NaN after every number
			nx, ny := math.IsNaN(x.Float64()), math.IsNaN(y.Float64())
			c = 0
			if nx != ny {
				c = -1
				if nx {
					c = 1
				}
			}
		}
		if q.desc[i] {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// part answers a query whose names are whole paths: all of it, or of a device.
func (s *store) part(q *question, sel []*tree, where, by, having *tree, everything func(string) []string, keys []*tree) ([]answered, [][]value) {
	paths := map[string]bool{}
	for _, e := range slices.Concat(sel, keys, []*tree{where, by, having}) {
		if e == nil {
			continue
		}
		e.walk(func(x *tree) {
			if x.op != "col" {
				return
			}
			paths[x.name] = true
			if x.name == "*" {
				for _, p := range everything("*") {
					paths[p] = true
				}
			}
		})
	}
	byTime := map[int64]*row{}
	for p := range paths {
		for t, v := range s.points[p] {
			if q.bounded && !q.leftOpen && (t < q.start || t >= q.end) || q.leftOpen && (t <= q.start || t > q.end) {
				continue
			}
			if byTime[t] == nil {
				byTime[t] = &row{t: t, cells: map[string]value{}, diff: map[*tree]value{}}
			}
			byTime[t].cells[p] = v
		}
	}
	var rows []row
	for _, t := range slices.Sorted(maps.Keys(byTime)) {
		rows = append(rows, *byTime[t])
	}
	shown := slices.Concat(sel, keys, []*tree{having})
	rows = tabulate(where, rows, false, false)
	if where != nil {
		rows = slices.DeleteFunc(rows, func(r row) bool { return truth(where.eval(&r)) != 1 })
	}
	if agg := slices.ContainsFunc(q.sel, (*tree).hasAgg); agg {
		rows = tabulate(by, rows, false, false)
		for _, e := range shown {
			rows = tabulate(e, rows, true, false)
		}
		rows = s.groups(q, rows, by)
		for i := range rows {
			rows[i].diff = map[*tree]value{}
		}
		for i := range rows { // also where HAVING leaves the group out, for a CAST may fail
			for _, e := range shown {
				if e != nil {
					e.walk(func(x *tree) {
						if x.isAgg() {
							x.eval(&rows[i])
						}
					})
				}
			}
		}
		rows = tabulate(having, rows, false, false)
		if having != nil {
			rows = slices.DeleteFunc(rows, func(r row) bool { return truth(having.eval(&r)) != 1 })
		}
		for _, e := range slices.Concat(sel, keys) {
			rows = tabulate(e, rows, false, false)
		}
	} else {
		for _, e := range shown {
			rows = tabulate(e, rows, false, false)
		}
		if slices.ContainsFunc(slices.Concat(sel, keys), (*tree).makesRows) {
			rows = slices.DeleteFunc(rows, func(r row) bool {
				return !slices.ContainsFunc(sel, func(e *tree) bool { return !e.eval(&r).IsNull() })
			})
		}
	}
	var out []answered
	var sortKeys [][]value
	for i := range rows {
		a := answered{t: rows[i].t}
		for _, e := range sel {
			a.vals = append(a.vals, e.eval(&rows[i]))
		}
		var ks []value
		for _, k := range keys {
			if k.op == "device" {
				ks = append(ks, tickwell.TextValue(""))
				continue
			}
			ks = append(ks, k.eval(&rows[i]))
		}
		out, sortKeys = append(out, a), append(sortKeys, ks)
	}
	if len(keys) > 0 {
		at := make([]int, len(out))
		for i := range at {
			at[i] = i
		}
		slices.SortStableFunc(at, func(a, b int) int { return compareKeys(q, sortKeys[a], sortKeys[b]) })
		o, k := slices.Clone(out), slices.Clone(sortKeys)
		for i, j := range at {
			out[i], sortKeys[i] = o[j], k[j]
		}
	}
	if !q.apart {
		for c := range sel {
			s.fill(q, out, c)
		}
	}
	return out, sortKeys
}

func (s *store) fill(q *question, rows []answered, c int) {
	last := null
	prev := -1
	for i := range rows {
		v := &rows[i].vals[c]
		if !v.IsNull() {
			if q.fill == "linear" && prev >= 0 && v.Kind() != tickwell.KindBool && v.Kind() != tickwell.KindText {
				for j := prev + 1; j < i; j++ {
					a, b := rows[prev], rows[i]
					w := float64(rows[j].t-a.t) / float64(b.t-a.t)
					x, y := a.vals[c].Float64(), b.vals[c].Float64()
					f := x + (y-x)*w
					if b.t == a.t {
						f = x + (y-x)*0.5
					}
					rows[j].vals[c] = numberAs(v.Kind(), f)
				}
			}
			last, prev = *v, i
			continue
		}
		if q.fill == "previous" {
			*v = last
		}
	}
}

// numberAs is a float as a value of a numeric kind: fractions are cut off, what
// does not fit is the nearest.
func numberAs(k tickwell.Kind, f float64) value {
	switch k {
	case tickwell.KindInt32:
		return tickwell.Int32Value(int32(min(max(f, math.MinInt32), math.MaxInt32)))
	case tickwell.KindInt64:
		if f >= math.MaxInt64 {
			return tickwell.Int64Value(math.MaxInt64)
		}
		return tickwell.Int64Value(int64(max(f, math.MinInt64)))
	case tickwell.KindFloat32:
		return tickwell.Float32Value(float32(f))
	}
	return tickwell.Float64Value(f)
}

// fillsWith is the constant of FILL for a column of a kind, null if it does not suit.
func fillsWith(k tickwell.Kind, v value) value {
	switch {
	case k == v.Kind():
		return v
	case k == tickwell.KindText:
		return tickwell.TextValue(v.String())
	case v.Kind() == tickwell.KindBool || v.Kind() == tickwell.KindText || k == tickwell.KindBool:
		return null
	case k == tickwell.KindFloat32 || k == tickwell.KindFloat64:
		return numberAs(k, v.Float64())
	case !isInt(v):
		return null
	case k == tickwell.KindInt32 && (v.Int64() < math.MinInt32 || v.Int64() > math.MaxInt32):
		return null
	case k == tickwell.KindInt32:
		return tickwell.Int32Value(int32(v.Int64()))
	}
	return tickwell.Int64Value(v.Int64())
}

// groups puts rows together; each group is a row.
func (s *store) groups(q *question, rows []row, by *tree) (out []row) {
	switch q.group {
	case "":
		return []row{{group: rows}}
	case "calendar":
		return q.calendar.cut(q, rows)
	case "time":
		for a := q.start; a < q.end; a += q.step {
			b := min(a+q.interval, q.end)
			g := row{t: a, end: b - 1}
			if q.leftOpen {
				g.t, g.end = b, b
			}
			for _, r := range rows {
				if !q.leftOpen && r.t >= a && r.t < b || q.leftOpen && r.t > a && r.t <= b {
					g.group = append(g.group, r)
				}
			}
			out = append(out, g)
		}
		return out
	}
	open := false
	var first value
	for i, r := range rows {
		v := null
		if by != nil {
			v = by.eval(&r)
			if v.IsNull() && !q.nulls {
				continue
			}
		}
		begins := !open
		switch q.group {
		case "session":
			begins = i == 0 || r.t-rows[i-1].t > q.size
		case "variation":
			begins = begins || differs(first, v, q.delta)
		case "condition":
			if truth(v) != 1 {
				open = false
				continue
			}
		case "count":
			begins = begins || int64(len(out[len(out)-1].group)) == q.size
		}
		if begins {
			out = append(out, row{t: r.t})
			first, open = v, true
		}
		g := &out[len(out)-1]
		g.group, g.end = append(g.group, r), r.t
	}
	return slices.DeleteFunc(out, func(g row) bool {
		n := int64(len(g.group))
		return q.group == "count" && n < q.size ||
			q.group == "condition" && !(&tree{op: q.keepOp}).compare(tickwell.Int64Value(n), tickwell.Int64Value(q.keepN)).Bool()
	})
}

func differs(a, b value, delta float64) bool {
	switch {
	case a.IsNull() || b.IsNull():
		return a.IsNull() != b.IsNull()
	case a.Kind() == tickwell.KindText || a.Kind() == tickwell.KindBool:
		return !a.Equal(b)
	case isInt(a):
		d, _ := new(big.Float).SetInt(new(big.Int).Abs(new(big.Int).Sub(big.NewInt(a.Int64()), big.NewInt(b.Int64())))).Float64()
		return d > delta
	}
	x, y := a.Float64(), b.Float64()
	if math.IsNaN(x) || math.IsNaN(y) {
		return math.IsNaN(x) != math.IsNaN(y)
	}
	return x != y && math.Abs(x-y) > delta
}

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
			q.having = node(pickOf(r, ">", "<", ">=", "!="), call(pickOf(r, "count", "sum", "max_value", "avg"), col(pickOf(r, "i", "d", "f", "l"))), lit(tickwell.Int32Value(int32(r.IntN(5)-1))))
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

// rowsOf reads a result.
func (s *store) rowsOf(res *tickwell.Result, whole bool) (*answer, []tickwell.Kind, error) {
	out := &answer{}
	var kinds []tickwell.Kind
	for _, c := range res.Columns() {
		out.names, kinds = append(out.names, c.Name), append(kinds, c.Kind)
	}
	take := func(t *tickwell.Tablet) {
		for i, at := range t.Times {
			if at%s.unit != 0 {
				s.t.Fatalf("a row at %d ns, the unit is %d", at, s.unit)
			}
			a := answered{device: t.Device, t: at / s.unit}
			for c := range t.Columns {
				a.vals = append(a.vals, t.Row(i).Value(c))
			}
			out.rows = append(out.rows, a)
		}
	}
	if whole {
		all, err := res.Collect()
		if err != nil {
			return nil, nil, err
		}
		for _, t := range all {
			take(t)
		}
		return out, kinds, nil
	}
	for t, err := range res.Tablets() {
		if err != nil {
			return nil, nil, err
		}
		take(t)
	}
	for i := range out.rows { // what was lent is not kept
		for c := range out.rows[i].vals {
			if v := &out.rows[i].vals[c]; v.Kind() == tickwell.KindText {
				*v = tickwell.TextValue(strings.Clone(v.Text()))
			}
		}
	}
	return out, kinds, nil
}

func same(a, b value) bool {
	if a.Kind() != b.Kind() {
		return false
	}
	if k := a.Kind(); k != tickwell.KindFloat32 && k != tickwell.KindFloat64 {
		return a.Equal(b)
	}
	x, y := a.Float64(), b.Float64()
	return x == y || math.IsNaN(x) && math.IsNaN(y) || math.Abs(x-y) <= 1e-9*max(1, math.Abs(x), math.Abs(y)) && !math.IsInf(x, 0) && !math.IsInf(y, 0)
}

func (a *answer) String() string {
	var b strings.Builder
	for i, r := range a.rows {
		if i == 40 {
			fmt.Fprintln(&b, " …")
			break
		}
		fmt.Fprint(&b, "  ", r.t, " ", r.device)
		for _, v := range r.vals {
			if v.Kind() == tickwell.KindText {
				fmt.Fprintf(&b, " %q", v.Text())
				continue
			}
			fmt.Fprint(&b, " ", v, ":", v.Kind())
		}
		fmt.Fprintln(&b)
	}
	return b.String()
}

func (a *answer) differs(b *answer) string {
	if len(a.rows) != len(b.rows) {
		return fmt.Sprintf("%d rows, want %d", len(b.rows), len(a.rows))
	}
	for i, x := range a.rows {
		y := b.rows[i]
		if x.t != y.t || x.device != y.device || len(x.vals) != len(y.vals) {
			return fmt.Sprintf("row %d: %d %s (%d columns), want %d %s (%d columns)", i, y.t, y.device, len(y.vals), x.t, x.device, len(x.vals))
		}
		for c, v := range x.vals {
			if !same(v, y.vals[c]) {
				return fmt.Sprintf("row %d at %d, column %d: %v (%s), want %v (%s)", i, x.t, c, y.vals[c], y.vals[c].Kind(), v, v.Kind())
			}
		}
	}
	return ""
}

// refill applies FILL with a constant, which needs the kinds of columns.
func (q *question) refill(a *answer, kinds []tickwell.Kind) {
	if q.fill != "value" || q.apart {
		return
	}
	for i := range a.rows {
		for c := range a.rows[i].vals {
			if v := &a.rows[i].vals[c]; v.IsNull() && c < len(kinds) {
				*v = fillsWith(kinds[c], q.fillVal)
			}
		}
	}
}

// try asks a question in all ways and compares.
// answer is ask, nil if a CAST fails.
func (s *store) answer(q *question) (a *answer) {
	defer func() {
		if p := recover(); p != nil {
			if p != (noValue{}) {
				panic(p)
			}
			a = nil
		}
	}()
	return s.ask(q)
}

func (s *store) try(q *question, refused map[string]int) {
	ctx := context.Background()
	text := q.sql()
	query := q.query()
	res, err := s.db.Query(ctx, query)
	if err != nil {
		refused[err.Error()]++
		if _, sqlErr := s.conn.Exec(ctx, text); sqlErr == nil {
			s.t.Fatalf("%s\nrefused as a Query (%v), not as SQL", text, err)
		}
		return
	}
	want := s.answer(q)
	got, kinds, err := s.rowsOf(res, true)
	if want == nil { // of which LIMIT may have left out the row that has no value
		if err != nil {
			refused["a CAST that fails"]++
		}
		return
	}
	if err != nil {
		s.t.Fatalf("%s\n%v", text, err)
	}
	q.refill(want, kinds)
	compare := func(what string, got *answer) {
		s.t.Helper()
		if d := want.differs(got); d != "" {
			s.t.Fatalf("%s: %s\n%s\n%s\ngot:\n%v\nwant:\n%v", what, text, d, res.Explain().Plan, got, want)
		}
	}
	compare("query", got)
	for round := range 3 {
		if round == 1 && query.Start.IsZero() == false {
			moved := query
			moved.Start = moved.Start.Add(-time.Duration(s.rng.Int64N(s.span) * s.unit))
			if r, err := s.db.Query(ctx, moved); err == nil {
				for range r.Rows() {
					break
				}
			}
		}
		if round == 2 && s.rng.IntN(4) == 0 {
			s.others++
			s.check(s.db.Insert(ctx, fmt.Sprint("root.other.s", s.others), time.Unix(0, 1), tickwell.Field{Name: "i", Value: tickwell.Int32Value(1)}))
			query.From = slices.Clone(query.From)
		}
		again, err := s.db.Query(ctx, query)
		s.check(err)
		got, _, err := s.rowsOf(again, round == 0)
		s.check(err)
		compare(fmt.Sprint("again ", round), got)
	}
	sql, err := s.conn.Exec(ctx, text)
	if err != nil {
		s.t.Fatalf("%s\nrefused as SQL: %v", text, err)
	}
	compare("sql", s.sqlRows(q, sql, text))
}

func (s *store) sqlRows(q *question, res *iotsql.Result, text string) *answer {
	out := &answer{}
	byColumn := map[int][]answered{}
	for r, err := range res.Rows() {
		if err != nil {
			s.t.Fatalf("%s\n%v", text, err)
		}
		r = slices.Clone(r)
		if q.apart {
			for i := 0; i < len(r); i += 2 {
				if !r[i].IsNull() {
					byColumn[i] = append(byColumn[i], answered{t: r[i].Int64(), vals: r[i+1 : i+2]})
				}
			}
			continue
		}
		var a answered
		cols := res.Columns()
		if cols[0].IsTime {
			a.t, r, cols = r[0].Int64(), r[1:], cols[1:]
		}
		if q.byDevice {
			a.device, r = r[0].Text(), r[1:]
		}
		a.vals = r
		out.rows = append(out.rows, a)
	}
	for _, i := range slices.Sorted(maps.Keys(byColumn)) {
		out.rows = append(out.rows, byColumn[i]...)
	}
	return out
}

var (
	modelSeeds = flag.Uint("model.seeds", 8, "how many stores the reference of queries makes")
	modelFirst = flag.Uint("model.first", 0, "the first of them")
)

// Clauses in combinations give what the slow reference gives.
func TestQueriesAgainstReference(t *testing.T) {
	tryMany(t, 120, time.Nanosecond, func(*store) {})
}

// Time may be counted in other units.
func TestQueriesInUnitsAgainstReference(t *testing.T) {
	for _, unit := range []time.Duration{time.Microsecond, time.Millisecond} {
		t.Run(unit.String(), func(t *testing.T) {
			tryMany(t, 10, unit, func(s *store) { s.tables = s.rng.IntN(2) == 0 })
		})
	}
}

// tryMany asks questions of many stores, which set makes ready.
func tryMany(t *testing.T, questions int, unit time.Duration, set func(*store)) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 3)
	}
	refused := map[string]int{}
	asked := 0
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			s := newStore(t, seed, unit)
			set(s)
			for i := range questions {
				if i%40 == 39 {
					s.write()
				}
				asked++
				s.try(s.question(), refused)
			}
		})
	}
	n := 0
	for _, c := range refused {
		n += c
	}
	t.Logf("%d queries, %d refused", asked, n)
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}
