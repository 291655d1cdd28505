package iotsql

import (
	"fmt"
	"math"
	"reflect"
	"time"

	"github.com/tickwell/tickwell/internal/pattern"
)

// literal is a value of an INSERT as it was written, so that it can become a
// value of the kind of its series.
type literal struct {
	kind litKind
	text string // of a number, a text
	val  any    // of a parameter
}

type litKind uint8

const (
	litNull litKind = iota
	litBool
	litInteger
	litDecimal
	litNaN
	litText
	litBound // a value of a parameter of a Go type that has a kind
)

// insertRow is one tuple of VALUES.
type insertRow struct {
	at     int64 // Unix nanoseconds
	values []literal
}

// insertStmt is INSERT INTO device(time, columns) VALUES (…), ….
type insertStmt struct {
	device  string
	columns []string
	rows    []insertRow
	aligned bool
}

// insert takes an INSERT statement.
func (p *parser) insert() statement {
	p.expectWords("INSERT", "INTO")
	st := &insertStmt{device: p.path("a device")}
	p.expect("(")
	timed, at := false, -1
	for n := 0; p.err == nil; n++ {
		if p.isOne("TIME", "TIMESTAMP") {
			if timed {
				p.fail(p.tok, "the time is given twice")
			}
			p.advance()
			timed, at = true, n
		} else {
			st.columns = append(st.columns, p.measurement())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.err == nil && len(st.columns) == 0 {
		p.fail(p.tok, "no measurement is given")
	}
	st.aligned = p.accept("ALIGNED")
	p.expectAny("VALUES", "VALUE")
	first := p.tok
	for p.err == nil {
		st.rows = append(st.rows, p.tuple(st, timed, at))
		if !p.accept(",") && !p.is("(") {
			break
		}
	}
	if !timed && len(st.rows) > 1 {
		p.fail(first, "need timestamps when insert multi rows")
	}
	return st
}

func (p *parser) expectAny(list ...string) {
	if p.acceptOne(list...) == "" {
		p.expected(list[0])
	}
}

// measurement takes the name of a measurement.
func (p *parser) measurement() string {
	pos := p.tok.pos
	end := p.scanNode(pos)
	if end == pos {
		p.expected("a measurement")
		return ""
	}
	if end < len(p.text) && (p.text[end] == '-' || p.text[end] == '.') {
		p.failf(end, "a measurement with the character %q needs backquotes", p.text[end])
		return ""
	}
	s, err := pattern.CanonicalNode(p.text[pos:end])
	if err != nil {
		p.badPath(pos, err)
		return ""
	}
	p.seek(end)
	return s
}

// tuple takes one row of VALUES.
func (p *parser) tuple(st *insertStmt, timed bool, at int) insertRow {
	row := insertRow{values: make([]literal, 0, len(st.columns))}
	open := p.tok
	p.expect("(")
	n := 0
	for ; p.err == nil; n++ {
		if timed && n == at {
			tok := p.tok
			units := p.instant("a time")
			ns, ok := p.c.nanos(units)
			if !ok {
				p.fail(tok, fmt.Sprintf("time %d is outside the years 1678 to 2261", units))
			}
			row.at = ns
		} else {
			row.values = append(row.values, p.literal())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.err == nil && len(row.values) != len(st.columns) || p.err == nil && timed && n < at {
		p.fail(open, fmt.Sprintf("the measurements (%d) and the values (%d) do not match", len(st.columns), len(row.values)))
	}
	if !timed {
		now := p.c.db.Now().UnixNano()
		row.at = now - (now - floorDiv(now, int64(p.c.unit))*int64(p.c.unit))
	}
	return row
}

// literal takes a value.
func (p *parser) literal() literal {
	tok := p.tok
	switch tok.kind {
	case tokString:
		s := unquote(p.word())
		p.advance()
		return literal{kind: litText, text: s}
	case tokInteger, tokDecimal:
		return p.numberLiteral("")
	case tokParam:
		v, ok := p.param()
		if !ok || p.bind.open {
			return literal{}
		}
		return p.boundLiteral(tok, v)
	case tokDatetime:
		return literal{kind: litInteger, text: fmt.Sprint(p.units(tok, p.moved(p.datum())))}
	case tokSymbol:
		if sign := p.word(); sign == "-" || sign == "+" {
			p.advance()
			if sign == "+" {
				sign = ""
			}
			if p.is("Infinity") {
				p.advance()
				return literal{kind: litDecimal, text: sign + "Inf"}
			}
			if p.tok.kind != tokInteger && p.tok.kind != tokDecimal {
				p.expected("a number")
				return literal{}
			}
			return p.numberLiteral(sign)
		}
	case tokWord:
		switch {
		case p.isOne("TRUE", "FALSE"):
			s := p.word()
			p.advance()
			return literal{kind: litBool, text: s}
		case p.accept("NULL"):
			return literal{}
		case p.accept("NaN"):
			return literal{kind: litNaN, text: "NaN"}
		case p.isNow():
			return literal{kind: litInteger, text: fmt.Sprint(p.units(tok, p.moved(p.datum())))}
		}
		p.fail(tok, "found "+shown(p.word())+"; a text needs quotes")
		return literal{}
	}
	p.expected("a value")
	return literal{}
}

func (p *parser) numberLiteral(sign string) literal {
	kind := litInteger
	if p.tok.kind == tokDecimal {
		kind = litDecimal
	}
	text := p.word()
	if sign != "" {
		text = sign + text
	}
	p.advance()
	return literal{kind: kind, text: text}
}

// boundLiteral is the value of a parameter. Its Go type says which kind a new
// series gets.
func (p *parser) boundLiteral(tok token, v any) literal {
	switch v := v.(type) {
	case nil:
		return literal{}
	case bool, int32, int64, float32, float64, string:
		return literal{kind: litBound, val: v}
	case time.Time:
		return literal{kind: litBound, val: p.units(tok, v)}
	}
	c, err := constant(v)
	if err != nil {
		p.fail(tok, err.Error())
		return literal{}
	}
	if c == nil {
		return literal{}
	}
	k := reflect.TypeOf(v).Kind()
	if n, ok := c.(int64); ok && k != reflect.Int && k != reflect.Int64 && n >= math.MinInt32 && n <= math.MaxInt32 {
		return literal{kind: litBound, val: int32(n)}
	}
	return literal{kind: litBound, val: c}
}
