package iotsql

import (
	"strconv"
	"strings"

	"github.com/tickwell/tickwell/expr"
)

// call takes a function call. The name is printed as it was typed.
func (p *parser) call() expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	var args []any
	type attr struct{ key, value string }
	var attrs []attr
	name := p.word()
	countIf := strings.EqualFold(name, "count_if")
	p.advance()
	p.expect("(")
	for i := 0; p.err == nil && !p.is(")"); i++ {
		if i > 0 {
			p.expect(",")
		}
		switch {
		case p.tok.kind == tokString && p.follows("="):
			key := p.str("an attribute")
			p.advance()
			if p.tok.kind == tokString || p.tok.kind == tokParam {
				attrs = append(attrs, attr{key, p.str("the value of an attribute")})
				continue
			}
			p.fail(p.tok, `attributes of functions should be quoted with '' or ""`)
		case countIf && i == 1:
			attrs = append(attrs, attr{"keep", p.keepText()})
		case i > 0 && p.tok.kind == tokWord && p.follows("=") && p.constantAfterEqual():
			p.fail(p.tok, `attributes of functions should be quoted with '' or ""; a comparison needs brackets here`)
		case len(attrs) > 0:
			p.expected("an attribute in quotes, since attributes come after all series")
		default:
			args = append(args, p.expr())
		}
	}
	p.expect(")")
	e := expr.Call(name, args...)
	for _, a := range attrs {
		e = e.With(a.key, a.value)
	}
	return e
}

// constantAfterEqual reports whether a constant stands behind the equals sign
// that is the token after the next.
func (p *parser) constantAfterEqual() bool {
	t := p.next(p.peek().end)
	switch t.kind {
	case tokInteger, tokDecimal, tokString:
		return true
	}
	return false
}

// keepText is the second argument of COUNT_IF as text: "keep >= 2" or "2".
func (p *parser) keepText() string {
	op := ""
	if p.accept("KEEP") {
		op = p.acceptOne("=", "==", "!=", "<>", "<", "<=", ">", ">=")
		if op == "" {
			p.expected("a comparison such as KEEP >= 2")
			return ""
		}
		op += " "
	}
	return op + strconv.FormatInt(p.integer(p.accept("-")), 10)
}

func (p *parser) caseExpr() expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	p.expect("CASE")
	var subject expr.Expr
	if !p.is("WHEN") {
		subject = p.expr()
	}
	var args []any
	for p.accept("WHEN") {
		when := p.expr()
		if !subject.IsZero() {
			when = subject.Eq(when)
		}
		p.expect("THEN")
		args = append(args, when, p.expr())
	}
	if len(args) == 0 {
		p.expected("WHEN")
		return expr.Null()
	}
	if p.accept("ELSE") {
		args = append(args, p.expr())
	}
	p.expect("END")
	return expr.Case(args...)
}

// cast takes CAST(x AS T) and cast(x, 'type'='T').
func (p *parser) cast() expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	p.advance()
	p.expect("(")
	e := p.expr()
	var kind string
	if p.accept("AS") {
		kind = strings.ToUpper(p.word())
		if _, ok := kinds[kind]; !ok {
			p.expected(kindList)
		}
		p.advance()
	} else if p.expect(","); p.err == nil {
		tok := p.tok
		if key := p.str("'type'"); !strings.EqualFold(key, "type") {
			p.fail(tok, "CAST has no attribute "+strconv.Quote(key)+", only 'type'")
		}
		p.expect("=")
		tok = p.tok
		kind = strings.ToUpper(p.str("a type"))
		if _, ok := kinds[kind]; !ok && !p.bind.open {
			p.fail(tok, "there is no type "+strconv.Quote(kind)+": there are "+kindList)
		}
	}
	p.expect(")")
	return e.Cast(kind)
}

// substring takes SUBSTRING(s, from [, for]) and SUBSTRING(s FROM a [FOR b]).
func (p *parser) substring() expr.Expr {
	if !p.enter() {
		return expr.Null()
	}
	defer p.leave()
	name := p.word()
	p.advance()
	p.expect("(")
	args := []any{p.expr()}
	if p.accept("FROM") {
		args = append(args, p.expr())
		if p.accept("FOR") {
			args = append(args, p.expr())
		}
	} else {
		for p.accept(",") && len(args) < 3 {
			args = append(args, p.expr())
		}
	}
	p.expect(")")
	return expr.Call(name, args...)
}
