package iotsql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/pattern"
)

// The expressions bind as IoTDB's grammar has it, weakest first:
//
//	OR | ·  AND &  ·  IN CONTAINS  ·  LIKE REGEXP  ·  BETWEEN  ·  IS NULL
//	·  = != < <= > >=  ·  + -  ·  * / %  ·  - !
//
// There NOT is as tight as !, so that NOT a > 1 could only be an error; here it
// binds as in other dialects, weaker than everything but AND and OR.
//
// Levels of prec, each of which is the least its operator may stand at.
const (
	precOr = iota
	precAnd
	precIn
	precLike
	precBetween
	precIsNull
	precCompare
	precSum
	precProduct
)

// expr takes an expression.
func (p *parser) expr() expr.Expr { return p.exprAt(precOr) }

func (p *parser) exprAt(prec int) expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	pos := p.tok.pos
	e := p.at(pos, p.unary())
	links := 0
	for p.err == nil {
		next, ok := p.infix(e, prec)
		if !ok {
			return e
		}
		if links++; links > maxDepth {
			p.fail(p.tok, fmt.Sprintf("more than %d operators in a row; use brackets or IN", maxDepth))
			return expr.Null()
		}
		e = p.at(pos, next)
	}
	return expr.Null()
}

// at notes where e begins.
func (p *parser) at(pos int, e expr.Expr) expr.Expr {
	if !p.bind.placed || e.Pos() >= 0 {
		return e
	}
	return e.At(pos)
}

// infix takes an operator that binds at least as tightly as prec, and what it
// needs on its right.
func (p *parser) infix(e expr.Expr, prec int) (expr.Expr, bool) {
	if p.tok.kind != tokSymbol && p.tok.kind != tokWord {
		return e, false
	}
	binary := func(level int, join func(expr.Expr) expr.Expr) (expr.Expr, bool) {
		if prec > level {
			return e, false
		}
		p.advance()
		return join(p.exprAt(level + 1)), true
	}
	if p.tok.kind == tokSymbol {
		switch p.word() {
		case "|", "||":
			return binary(precOr, e.Or)
		case "&", "&&":
			return binary(precAnd, e.And)
		case "=", "==":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Eq(r) })
		case "!=", "<>":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Ne(r) })
		case "<":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Lt(r) })
		case "<=":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Le(r) })
		case ">":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Gt(r) })
		case ">=":
			return binary(precCompare, func(r expr.Expr) expr.Expr { return e.Ge(r) })
		case "+":
			return binary(precSum, func(r expr.Expr) expr.Expr { return e.Add(r) })
		case "-":
			return binary(precSum, func(r expr.Expr) expr.Expr { return e.Sub(r) })
		case "*":
			return binary(precProduct, func(r expr.Expr) expr.Expr { return e.Mul(r) })
		case "/":
			return binary(precProduct, func(r expr.Expr) expr.Expr { return e.Div(r) })
		case "%":
			return binary(precProduct, func(r expr.Expr) expr.Expr { return e.Mod(r) })
		}
		return e, false
	}
	switch {
	case p.is("OR"):
		return binary(precOr, e.Or)
	case p.is("AND"):
		return binary(precAnd, e.And)
	case p.is("DIV"):
		return e, false
	}
	return p.predicate(e, prec)
}

// predicate takes IS NULL, and [NOT] IN, CONTAINS, BETWEEN, LIKE and REGEXP.
func (p *parser) predicate(e expr.Expr, prec int) (expr.Expr, bool) {
	if p.is("IS") && prec <= precIsNull {
		p.advance()
		not := p.accept("NOT")
		p.expect("NULL")
		if not {
			return e.NotNull(), true
		}
		return e.IsNull(), true
	}
	not := p.is("NOT")
	word := p.tok
	if not {
		word = p.peek()
	}
	var level int
	switch s := p.text[word.pos:word.end]; {
	case word.kind != tokWord:
		return e, false
	case strings.EqualFold(s, "IN"), strings.EqualFold(s, "CONTAINS"):
		level = precIn
	case strings.EqualFold(s, "BETWEEN"):
		level = precBetween
	case strings.EqualFold(s, "LIKE"), strings.EqualFold(s, "REGEXP"):
		level = precLike
	default:
		return e, false
	}
	if prec > level {
		return e, false
	}
	if not {
		p.advance()
	}
	var out expr.Expr
	switch {
	case p.acceptOne("IN", "CONTAINS") != "":
		out = e.In(p.list()...)
	case p.accept("BETWEEN"):
		lo := p.exprAt(precBetween + 1)
		p.expect("AND")
		out = e.Between(lo, p.exprAt(precBetween+1))
	case p.accept("LIKE"):
		out = e.Like(p.str("a pattern"))
	default:
		p.advance()
		out = e.Regexp(p.str("a regular expression"))
	}
	if not {
		out = out.Negate()
	}
	return out, true
}

// list takes the constants of IN.
func (p *parser) list() []any {
	var all []any
	p.expect("(")
	for p.err == nil {
		all = append(all, p.exprAt(precSum))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return all
}

func (p *parser) unary() expr.Expr {
	switch {
	case p.accept("-"):
		if p.tok.kind == tokInteger && !p.isDuration(p.peek()) {
			return p.number(true)
		}
		return p.deeper(func(e expr.Expr) expr.Expr {
			switch v := e.Const().(type) {
			case int32:
				return integerConst(-int64(v))
			case int64:
				if v > math.MinInt64 {
					return integerConst(-v)
				}
			case float32:
				return expr.Lit(-v)
			case float64:
				return expr.Lit(-v)
			}
			return e.Neg()
		})
	case p.accept("+"):
		return p.deeper(func(e expr.Expr) expr.Expr { return e })
	case p.accept("!"):
		return p.deeper(expr.Not)
	case p.accept("NOT"):
		return expr.Not(p.exprAt(precIn))
	}
	return p.primary()
}

// deeper takes the operand of a prefix.
func (p *parser) deeper(f func(expr.Expr) expr.Expr) expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	return f(p.unary())
}

// number takes an integer or decimal constant.
func (p *parser) number(minus bool) expr.Expr {
	s := p.word()
	if minus {
		s = "-" + s
	}
	if p.tok.kind == tokInteger {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			p.fail(p.tok, s+" is outside the range of INT64")
			return expr.Null()
		}
		p.advance()
		return integerConst(v)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		p.fail(p.tok, s+" is outside the range of DOUBLE")
		return expr.Null()
	}
	p.advance()
	return expr.Lit(v)
}

// integerConst is INT32 if that can hold it, as in IoTDB.
func integerConst(v int64) expr.Expr {
	if v >= math.MinInt32 && v <= math.MaxInt32 {
		return expr.Lit(int32(v))
	}
	return expr.Lit(v)
}

// primary takes a constant, a column, a function call or a bracket.
func (p *parser) primary() expr.Expr {
	tok := p.tok
	switch tok.kind {
	case tokInteger, tokDecimal:
		return p.number(false)
	case tokString:
		s := unquote(p.word())
		p.advance()
		return expr.Lit(s)
	case tokParam:
		return p.bound()
	case tokDatetime:
		return expr.Lit(p.units(tok, p.moved(p.datum())))
	case tokQuoted:
		return p.column()
	case tokSymbol:
		switch p.word() {
		case "(":
			p.advance()
			if p.is("SELECT") {
				p.fail(tok, "sub-queries are not supported; store what the inner query says by a continuous query, and select from its target")
				return expr.Null()
			}
			e := p.expr()
			p.expect(")")
			return e
		case "*", "**":
			return p.column()
		}
	case tokWord:
		return p.wordExpr()
	}
	p.expected("an expression")
	return expr.Null()
}

// bound is the value of a parameter as a constant.
func (p *parser) bound() expr.Expr {
	tok := p.tok
	c, _ := p.given()
	switch v := c.(type) {
	case time.Time:
		return expr.Lit(p.units(tok, v))
	case int64:
		return integerConst(v)
	}
	return expr.Lit(c)
}

// wordExpr takes an expression that begins with a word.
func (p *parser) wordExpr() expr.Expr {
	call := p.follows("(")
	switch {
	case p.isNow():
		tok := p.tok
		return expr.Lit(p.units(tok, p.moved(p.datum())))
	case p.is("CASE"):
		return p.caseExpr()
	case p.is("CAST") && call:
		return p.cast()
	case p.is("SUBSTRING") && call:
		return p.substring()
	case call && p.peek().pos == p.tok.end || call && !p.isOne("AND", "OR", "IN", "AS", "FROM"):
		return p.call()
	case p.isOne("TIME", "TIMESTAMP") && !p.follows("."):
		p.advance()
		return expr.Time()
	case p.isOne("TRUE", "FALSE") && !p.follows("."):
		v := p.is("TRUE")
		p.advance()
		return expr.Lit(v)
	case p.is("NULL") && !p.follows("."):
		p.advance()
		return expr.Null()
	case p.tok.kind == tokWord && p.word() == "NaN" && !p.follows("."):
		p.advance()
		return expr.Lit(math.NaN())
	case p.isOne(reserved...) && !p.follows("."):
		p.expected("an expression")
		return expr.Null()
	case p.isDuration(p.tok) && !p.follows("."):
		p.fail(p.tok, shown(p.word())+" is a duration, which can only be added to a time; as a name it needs backquotes")
		return expr.Null()
	}
	return p.column()
}

// reserved are the words that begin or go on a clause, so that a column of such
// a name needs backquotes.
var reserved = []string{
	"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "FILL", "LIMIT", "OFFSET", "SLIMIT", "SOFFSET", "ALIGN", "INTO",
	"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "REGEXP", "IS", "AS", "BEGIN", "WHEN", "THEN", "ELSE", "VALUES", "DISABLE",
}

// column takes a series: a suffix of a path, with wildcards.
func (p *parser) column() expr.Expr {
	pos := p.tok.pos
	if p.tok.kind == tokWord || p.tok.kind == tokQuoted {
		if end := p.multiplied(); end > 0 {
			text := p.text[pos:end]
			p.seek(end)
			return p.seriesName(pos, text)
		}
	}
	text := p.scanPath("a series", false)
	if p.err != nil {
		return expr.Null()
	}
	return p.seriesName(pos, text)
}

// multiplied returns the end of a path that is followed, without a blank, by *
// as an operator; 0 if the next path is none such. A star belongs to the node
// unless an operand follows it.
func (p *parser) multiplied() int {
	end := p.tok.pos
	for {
		node := end
		for node < len(p.text) && nameByte(p.text[node]) {
			node++
		}
		if node == end {
			if node = p.scanNode(end); p.err != nil || node <= end || p.text[end] != '`' {
				return 0
			}
		}
		end = node
		if end == len(p.text) {
			return 0
		}
		switch p.text[end] {
		case '.':
			end++
			continue
		case '*':
			after := p.next(end + 1)
			word := p.text[after.pos:after.end]
			switch after.kind {
			case tokInteger, tokDecimal, tokString, tokQuoted, tokParam, tokDatetime:
				return end
			case tokSymbol:
				if word == "(" || word == "-" && p.sign(after) {
					return end
				}
			case tokWord:
				if after.pos > end+1 && clauseWord(word) {
					return 0
				}
				return end
			}
			return 0
		}
		return 0
	}
}

// sign reports whether a minus is the sign of what follows it at once.
func (p *parser) sign(minus token) bool {
	return minus.end < len(p.text) && (nameByte(p.text[minus.end]) || p.text[minus.end] == '(' || p.text[minus.end] == '`' || p.text[minus.end] == '.')
}

// clauseWord reports whether a word after an expression goes on the statement.
func clauseWord(s string) bool {
	for _, w := range reserved {
		if strings.EqualFold(w, s) {
			return true
		}
	}
	return strings.EqualFold(s, "END") || strings.EqualFold(s, "CONTAINS")
}

// seriesName is a column whose name is checked.
func (p *parser) seriesName(pos int, text string) expr.Expr {
	if _, err := pattern.Parse(text); err != nil {
		p.badPath(pos, err)
		return expr.Null()
	}
	if !strings.ContainsAny(text, "*`") {
		if c, err := pattern.Canonical(text); err == nil {
			text = c
		}
	}
	return expr.Col(text)
}
