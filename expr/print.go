package expr

import (
	"strconv"
	"strings"
)

// String prints e as a query's column header shows it: paths and function
// names as given, spaces around binary operators, & | ! for AND, OR and NOT,
// attributes as "k"="v", and parentheses only around an argument whose
// operator binds weaker (so a-(b-c) prints a - b - c, as IoTDB does). The
// alias is not printed.
//
//go:noinline
func (e Expr) String() string {
	if e.Op() == OpColumn {
		return e.n.name
	}
	var b strings.Builder
	b.Grow(64) // most are shorter
	e.print(&b)
	return b.String()
}

// How tightly operators bind; greater is tighter.
func (e Expr) precedence() int {
	switch e.Op() {
	case OpOr:
		return 1
	case OpAnd:
		return 2
	case OpIn:
		return 3
	case OpBetween:
		return 4
	case OpLike, OpRegexp:
		return 5
	case OpIsNull:
		return 6
	case OpEq, OpNe, OpLt, OpLe, OpGt, OpGe:
		return 7
	case OpAdd, OpSub:
		return 8
	case OpMul, OpDiv, OpMod:
		return 9
	case OpNeg, OpNot:
		return 10
	}
	return 11
}

var symbols = [opMax]string{
	OpAdd: " + ", OpSub: " - ", OpMul: " * ", OpDiv: " / ", OpMod: " % ",
	OpEq: " = ", OpNe: " != ", OpLt: " < ", OpLe: " <= ", OpGt: " > ", OpGe: " >= ",
	OpAnd: " & ", OpOr: " | ",
}

func (e Expr) print(b *strings.Builder) {
	if e.n == nil {
		return
	}
	n := e.n
	switch n.op {
	case OpBad:
		b.WriteString("<" + n.name + ">")
	case OpColumn:
		b.WriteString(n.name)
	case OpTime:
		b.WriteString("Time")
	case OpDevice:
		b.WriteString("Device")
	case OpConst:
		b.WriteString(constText(n.value))
	case OpNeg:
		b.WriteByte('-')
		e.printArg(b, n.args[0])
	case OpNot:
		b.WriteByte('!')
		e.printArg(b, n.args[0])
	case OpIn:
		e.printArg(b, n.args[0])
		b.WriteString(e.word(" IN ("))
		for i, a := range n.args[1:] {
			if i > 0 {
				b.WriteByte(',')
			}
			a.print(b)
		}
		b.WriteByte(')')
	case OpBetween:
		e.printArg(b, n.args[0])
		b.WriteString(e.word(" BETWEEN "))
		e.printArg(b, n.args[1])
		b.WriteString(" AND ")
		e.printArg(b, n.args[2])
	case OpLike:
		e.printArg(b, n.args[0])
		b.WriteString(e.word(" LIKE '") + likeText(n.name) + "'")
	case OpRegexp:
		e.printArg(b, n.args[0])
		b.WriteString(e.word(" REGEXP '") + n.name + "'")
	case OpIsNull:
		e.printArg(b, n.args[0])
		if n.not {
			b.WriteString(" IS NOT NULL")
		} else {
			b.WriteString(" IS NULL")
		}
	case OpCase:
		e.printCase(b)
	case OpCast:
		b.WriteString("CAST(")
		n.args[0].print(b)
		b.WriteString(" AS " + strings.ToUpper(n.name) + ")")
	case OpCall:
		e.printCall(b)
	default:
		e.printArg(b, n.args[0])
		b.WriteString(symbols[n.op])
		e.printArg(b, n.args[1])
	}
}

// likeText is the regular expression that a pattern of LIKE means, which is how
// IoTDB shows it.
func likeText(pattern string) string {
	var b strings.Builder
	b.WriteByte('^')
	escaped := false
	for _, r := range pattern {
		switch {
		case !escaped && r == '\\':
			escaped = true
			continue
		case !escaped && r == '%':
			b.WriteString(".*?")
		case !escaped && r == '_':
			b.WriteByte('.')
		case strings.ContainsRune(`.^$*+?{}[]|()\`, r):
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
		escaped = false
	}
	b.WriteByte('$')
	return b.String()
}

func (e Expr) word(s string) string {
	if e.n.not {
		return " NOT" + s
	}
	return s
}

func (e Expr) printArg(b *strings.Builder, a Expr) {
	if a.precedence() < e.precedence() {
		b.WriteByte('(')
		a.print(b)
		b.WriteByte(')')
		return
	}
	a.print(b)
}

func (e Expr) printCase(b *strings.Builder) {
	b.WriteString("CASE")
	args := e.n.args
	for ; len(args) >= 2; args = args[2:] {
		b.WriteString(" WHEN ")
		args[0].print(b)
		b.WriteString(" THEN ")
		args[1].print(b)
	}
	if len(args) == 1 {
		b.WriteString(" ELSE ")
		args[0].print(b)
	}
	b.WriteString(" END")
}

func (e Expr) printCall(b *strings.Builder) {
	b.WriteString(e.n.name)
	b.WriteByte('(')
	for i, a := range e.n.args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.print(b)
	}
	for i, a := range e.n.attrs {
		if i > 0 || len(e.n.args) > 0 {
			b.WriteString(", ")
		}
		if a.Key == "keep" && strings.EqualFold(e.n.name, "count_if") {
			// Written as an argument: count_if(s1 > 0, 3), count_if(s1 > 0, keep >= 3).
			if a.Value != "" && (a.Value[0] < '0' || a.Value[0] > '9') {
				b.WriteString("keep ")
			}
			b.WriteString(a.Value)
			continue
		}
		b.WriteString(`"` + a.Key + `"="` + a.Value + `"`)
	}
	b.WriteByte(')')
}

func constText(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int32:
		return strconv.FormatInt(int64(v), 10)
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return floatText(float64(v), 32)
	case float64:
		return floatText(v, 64)
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'"
	}
	return "NULL"
}

// floatText keeps a decimal point, so that 3.0 is told from 3.
func floatText(v float64, bits int) string {
	s := strconv.FormatFloat(v, 'g', -1, bits)
	if strings.ContainsAny(s, ".eIN") {
		return s
	}
	return s + ".0"
}
