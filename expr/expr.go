package expr

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"
)

// Op says what an [Expr] is. Its numbers are part of the stored encoding and
// never change.
type Op uint8

// The operations. Binary operations have two arguments, OpIn one and its list,
// OpBetween three, OpCase pairs of condition and value and, if their number is
// odd, a last value for ELSE.
const (
	OpNone    Op = iota // the zero Expr: absent
	OpBad               // built from an operand of a wrong type, see [Expr.Err]
	OpColumn            // a series by measurement or path, may hold wildcards
	OpTime              // the time of the row, int64 Unix nanoseconds
	OpDevice            // the device of the row, a text; only to order by
	OpConst             // a constant
	OpNeg               // -a
	OpAdd               // a + b
	OpSub               // a - b
	OpMul               // a * b
	OpDiv               // a / b
	OpMod               // a % b
	OpEq                // a = b
	OpNe                // a != b
	OpLt                // a < b
	OpLe                // a <= b
	OpGt                // a > b
	OpGe                // a >= b
	OpAnd               // a & b
	OpOr                // a | b
	OpNot               // !a
	OpIn                // a IN (b, …)
	OpBetween           // a BETWEEN b AND c, both inclusive
	OpLike              // a LIKE pattern, % any text, _ any character
	OpRegexp            // a REGEXP pattern, found anywhere in a
	OpIsNull            // a IS NULL
	OpCase              // CASE WHEN … THEN … ELSE … END
	OpCast              // CAST(a AS kind)
	OpCall              // a function by name
	opMax
)

// Attr is a named argument of a function call, such as 'k'='3': Key is k and
// Value is 3.
type Attr struct{ Key, Value string }

// Expr is an expression. The zero Expr is none. Values are immutable and safe
// for concurrent use.
type Expr struct{ n *node }

type node struct {
	op    Op
	not   bool   // NOT IN, NOT BETWEEN, NOT LIKE, NOT REGEXP, IS NOT NULL
	pos   int32  // in a text, from 1
	name  string // column, function, pattern, kind of a cast, text of an error
	value any    // of a constant: nil bool int32 int64 float32 float64 string
	args  []Expr
	attrs []Attr
	alias string
}

// Col is a series: a measurement below the query's FROM patterns, such as
// "temperature" or "*", or a whole path such as "root.ln.wf01.wt01.status".
func Col(name string) Expr { return Expr{&node{op: OpColumn, name: name}} }

// Time is the time of the row as int64 Unix nanoseconds, or in the query's
// TimeUnit.
func Time() Expr { return Expr{&node{op: OpTime}} }

// Device is the device of the row, to order a query that is aligned by device.
func Device() Expr { return Expr{&node{op: OpDevice}} }

// Lit is a constant. See the package comment for the types it takes.
func Lit(v any) Expr { return operand(v) }

// Null is the constant without a value.
func Null() Expr { return Expr{&node{op: OpConst}} }

// Call applies the function of that name, built in or registered, in any
// letter case. Named arguments are added by [Expr.With].
func Call(function string, args ...any) Expr {
	return Expr{&node{op: OpCall, name: function, args: operands(args)}}
}

// Count is the number of values of e in the group.
func Count(e Expr) Expr { return Call("count", e) }

// Sum is the sum of e over the group.
func Sum(e Expr) Expr { return Call("sum", e) }

// Avg is the mean of e over the group.
func Avg(e Expr) Expr { return Call("avg", e) }

// Min is the least value of e in the group (min_value).
func Min(e Expr) Expr { return Call("min_value", e) }

// Max is the greatest value of e in the group (max_value).
func Max(e Expr) Expr { return Call("max_value", e) }

// First is the earliest value of e in the group (first_value).
func First(e Expr) Expr { return Call("first_value", e) }

// Last is the latest value of e in the group (last_value).
func Last(e Expr) Expr { return Call("last_value", e) }

// Case is the value after the first condition that is true: the arguments are
// condition, value, condition, value … and, if their number is odd, the value
// when none is true (null if not given). A value that can fail, see [Expr.Cast],
// is computed only for the rows that it is taken for, and a later condition only
// where none before is true.
func Case(args ...any) Expr { return Expr{&node{op: OpCase, args: operands(args)}} }

// Not is true where e is false, and null where e is null.
func Not(e Expr) Expr { return Expr{&node{op: OpNot, args: []Expr{e}}} }

// And is true where all are true. And() of nothing is the zero Expr. What can fail,
// see [Expr.Cast], is computed only for the rows for which nothing before is false.
func And(all ...Expr) Expr { return fold(OpAnd, all) }

// Or is true where one is true. Or() of nothing is the zero Expr. What can fail, see
// [Expr.Cast], is computed only for the rows for which nothing before is true.
func Or(any ...Expr) Expr { return fold(OpOr, any) }

func fold(op Op, all []Expr) Expr {
	var e Expr
	for _, x := range all {
		switch {
		case x.IsZero():
		case e.IsZero():
			e = x
		default:
			e = Expr{&node{op: op, args: []Expr{e, x}}}
		}
	}
	return e
}

func (e Expr) binary(op Op, v any) Expr {
	return Expr{&node{op: op, args: []Expr{e, operand(v)}}}
}

// Add is e + v, a float64.
func (e Expr) Add(v any) Expr { return e.binary(OpAdd, v) }

// Sub is e - v, a float64.
func (e Expr) Sub(v any) Expr { return e.binary(OpSub, v) }

// Mul is e * v, a float64.
func (e Expr) Mul(v any) Expr { return e.binary(OpMul, v) }

// Div is e / v, a float64; division by zero gives an infinity or NaN.
func (e Expr) Div(v any) Expr { return e.binary(OpDiv, v) }

// Mod is e % v, a float64 with the sign of e.
func (e Expr) Mod(v any) Expr { return e.binary(OpMod, v) }

// Neg is -e.
func (e Expr) Neg() Expr { return Expr{&node{op: OpNeg, args: []Expr{e}}} }

// Eq is e = v.
func (e Expr) Eq(v any) Expr { return e.binary(OpEq, v) }

// Ne is e != v.
func (e Expr) Ne(v any) Expr { return e.binary(OpNe, v) }

// Lt is e < v.
func (e Expr) Lt(v any) Expr { return e.binary(OpLt, v) }

// Le is e <= v.
func (e Expr) Le(v any) Expr { return e.binary(OpLe, v) }

// Gt is e > v.
func (e Expr) Gt(v any) Expr { return e.binary(OpGt, v) }

// Ge is e >= v.
func (e Expr) Ge(v any) Expr { return e.binary(OpGe, v) }

// And is true where both are true.
func (e Expr) And(x Expr) Expr { return And(e, x) }

// Or is true where one of both is true.
func (e Expr) Or(x Expr) Expr { return Or(e, x) }

// In is true where e equals one of list.
func (e Expr) In(list ...any) Expr {
	return Expr{&node{op: OpIn, args: append([]Expr{e}, operands(list)...)}}
}

// Between is true where lo <= e <= hi.
func (e Expr) Between(lo, hi any) Expr {
	return Expr{&node{op: OpBetween, args: []Expr{e, operand(lo), operand(hi)}}}
}

// Like is true where the text e matches pattern as a whole: % stands for any
// text, _ for one character, \ takes the next character as it is.
func (e Expr) Like(pattern string) Expr {
	return Expr{&node{op: OpLike, name: pattern, args: []Expr{e}}}
}

// Regexp is true where the regular expression (package regexp) is found
// anywhere in the text e.
func (e Expr) Regexp(pattern string) Expr {
	return Expr{&node{op: OpRegexp, name: pattern, args: []Expr{e}}}
}

// IsNull is true where e has no value.
func (e Expr) IsNull() Expr { return Expr{&node{op: OpIsNull, args: []Expr{e}}} }

// NotNull is true where e has a value.
func (e Expr) NotNull() Expr { return Expr{&node{op: OpIsNull, not: true, args: []Expr{e}}} }

// Negate turns IN, BETWEEN, LIKE, REGEXP and IS NULL into their NOT forms and
// back; every other expression becomes [Not] of it.
func (e Expr) Negate() Expr {
	switch e.Op() {
	case OpIn, OpBetween, OpLike, OpRegexp, OpIsNull:
		n := *e.n
		n.not = !n.not
		return Expr{&n}
	}
	return Not(e)
}

// Cast converts e to a kind, by its tickwell or IoTDB name ("int32" or
// "INT32", "float64" or "DOUBLE" …): fractions are rounded half up, a value
// outside the range of the kind or a text that is no number is an error of
// the query, unless [Case], [And] or [Or] keep its row from it.
func (e Expr) Cast(kind string) Expr {
	return Expr{&node{op: OpCast, name: kind, args: []Expr{e}}}
}

// As names the result column.
func (e Expr) As(name string) Expr {
	if e.n == nil {
		return e
	}
	n := *e.n
	n.alias = name
	return Expr{&n}
}

// At notes that e stands at a byte, from 0, of the text it was read from. Who made
// it of a text can then find what an error is about. It is no part of the encoding,
// and [Expr.Equal] passes over it.
func (e Expr) At(pos int) Expr {
	if e.n == nil {
		return e
	}
	n := *e.n
	n.pos = int32(pos) + 1
	return Expr{&n}
}

// Pos returns the position given by [Expr.At], -1 if none.
func (e Expr) Pos() int {
	if e.n == nil {
		return -1
	}
	return int(e.n.pos) - 1
}

// With adds a named argument to a call.
func (e Expr) With(key, value string) Expr {
	if e.Op() != OpCall {
		return bad(fmt.Sprintf("attribute %q on an expression that is no function call", key))
	}
	n := *e.n
	n.attrs = append(slices.Clip(n.attrs), Attr{key, value})
	return Expr{&n}
}

// Op returns what e is.
func (e Expr) Op() Op {
	if e.n == nil {
		return OpNone
	}
	return e.n.op
}

// IsZero reports whether e is the zero Expr.
func (e Expr) IsZero() bool { return e.n == nil }

// Args returns the arguments; do not change them.
func (e Expr) Args() []Expr {
	if e.n == nil {
		return nil
	}
	return e.n.args
}

// Name returns the name of a column or function, the pattern of LIKE and
// REGEXP, the kind of a cast, else "".
func (e Expr) Name() string {
	if e.n == nil {
		return ""
	}
	return e.n.name
}

// Alias returns the name given by [Expr.As], "" if none.
func (e Expr) Alias() string {
	if e.n == nil {
		return ""
	}
	return e.n.alias
}

// Attrs returns the named arguments of a call in the order given; do not
// change them.
func (e Expr) Attrs() []Attr {
	if e.n == nil {
		return nil
	}
	return e.n.attrs
}

// Const returns the value of a constant: nil, bool, int32, int64, float32,
// float64 or string.
func (e Expr) Const() any {
	if e.n == nil {
		return nil
	}
	return e.n.value
}

// Negated reports whether e is the NOT form of IN, BETWEEN, LIKE, REGEXP or
// IS NULL.
func (e Expr) Negated() bool { return e.n != nil && e.n.not }

// Err returns what is wrong with an operand anywhere in e.
func (e Expr) Err() error {
	if e.n == nil {
		return nil
	}
	if e.n.op == OpBad {
		return fmt.Errorf("expression: %s", e.n.name)
	}
	for _, a := range e.n.args {
		if err := a.Err(); err != nil {
			return err
		}
	}
	return nil
}

// Map returns e with f applied to it and, where f says false, to its
// arguments, outermost first. Aliases stay.
func (e Expr) Map(f func(Expr) (Expr, bool)) Expr {
	if e.n == nil {
		return e
	}
	if r, ok := f(e); ok {
		return r
	}
	if len(e.n.args) == 0 {
		return e
	}
	n := *e.n
	n.args = make([]Expr, len(e.n.args))
	for i, a := range e.n.args {
		n.args[i] = a.Map(f)
	}
	return Expr{&n}
}

// Walk calls f for e and everything below it, outermost first.
func (e Expr) Walk(f func(Expr)) {
	if e.n == nil {
		return
	}
	f(e)
	for _, a := range e.n.args {
		a.Walk(f)
	}
}

// Equal reports whether e and x are built alike, aliases and NaN constants
// included.
func (e Expr) Equal(x Expr) bool {
	return e.n == x.n || bytes.Equal(e.AppendBinary(nil), x.AppendBinary(nil))
}

func bad(text string) Expr { return Expr{&node{op: OpBad, name: text}} }

func operands(list []any) []Expr {
	all := make([]Expr, len(list))
	for i, v := range list {
		all[i] = operand(v)
	}
	return all
}

func operand(v any) Expr {
	var c any
	switch v := v.(type) {
	case Expr:
		if v.n == nil {
			return bad("operand is an empty expression")
		}
		return v
	case nil, bool, int32, int64, float32, float64, string:
		c = v
	case int:
		c = int64(v)
	case int8:
		c = int32(v)
	case int16:
		c = int32(v)
	case uint8:
		c = int32(v)
	case uint16:
		c = int32(v)
	case uint32:
		c = int64(v)
	case uint:
		return unsigned(uint64(v))
	case uint64:
		return unsigned(v)
	case time.Duration:
		c = int64(v)
	case time.Time:
		if y := v.Year(); y < 1678 || y > 2261 {
			return bad(fmt.Sprintf("time %s is outside the years 1678 to 2261", v.Format(time.RFC3339)))
		}
		c = v.UnixNano()
	default:
		return bad(fmt.Sprintf("operand of type %T is neither an expression nor a constant", v))
	}
	return Expr{&node{op: OpConst, value: c}}
}

func unsigned(v uint64) Expr {
	if v > math.MaxInt64 {
		return bad(fmt.Sprintf("constant %d is greater than the greatest int64", v))
	}
	return Expr{&node{op: OpConst, value: int64(v)}}
}
