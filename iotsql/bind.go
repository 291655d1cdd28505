package iotsql

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// binding is the values of the parameters of a statement.
type binding struct {
	args  []any
	open  bool // only counted: Prepare
	count int  // arguments without a name that are needed
	next  int  // of the next plain ?
	names []string
	// placed says that expressions are to know where they stand.
	placed bool
}

// param takes the value of the parameter that is the next token.
func (p *parser) param() (any, bool) {
	tok := p.tok
	text := p.text[tok.pos:tok.end]
	p.advance()
	b := p.bind
	if text[0] == ':' {
		name := text[1:]
		if !slices.Contains(b.names, name) {
			b.names = append(b.names, name)
		}
		if b.open {
			return nil, true
		}
		for _, a := range b.args {
			if n, ok := a.(Param); ok && n.Name == name {
				return n.Value, true
			}
		}
		p.fail(tok, fmt.Sprintf("parameter :%s has no value", name))
		return nil, false
	}
	i := b.next
	if len(text) > 1 {
		n, err := strconv.Atoi(text[1:])
		if err != nil || n < 1 {
			p.fail(tok, "parameters are counted from 1")
			return nil, false
		}
		i = n - 1
	} else {
		b.next++
	}
	b.count = max(b.count, i+1)
	if b.open {
		return nil, true
	}
	plain := 0
	for _, a := range b.args {
		if _, ok := a.(Param); ok {
			continue
		}
		if plain == i {
			return a, true
		}
		plain++
	}
	p.fail(tok, fmt.Sprintf("parameter %d has no value: %d are given", i+1, plain))
	return nil, false
}

// given takes the value of the parameter that is the next token as [constant] makes
// it, wherever a literal of the statement may be a parameter.
func (p *parser) given() (any, bool) {
	tok := p.tok
	v, ok := p.param()
	if !ok || p.bind.open {
		return nil, false
	}
	c, err := constant(v)
	if err != nil {
		p.fail(tok, err.Error())
	}
	return c, err == nil
}

// checkArgs refuses values that no parameter takes.
func (p *parser) checkArgs() {
	b := p.bind
	if b.open || len(b.args) == 0 {
		return
	}
	plain := 0
	for _, a := range b.args {
		n, ok := a.(Param)
		switch {
		case !ok:
			plain++
		case !slices.Contains(b.names, n.Name):
			p.fail(token{pos: len(p.text), end: len(p.text)}, fmt.Sprintf("there is no parameter :%s", n.Name))
		}
	}
	if plain > b.count {
		p.fail(token{pos: len(p.text), end: len(p.text)}, fmt.Sprintf("%d values are given for %d parameters", plain, b.count))
	}
}

// constant turns a value of a parameter into one of the types of literals:
// nil, bool, int64, float64, float32, string or time.Time. Named types count as what
// they are made of.
func constant(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, float32, string, time.Time:
		return v, nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return string(v), nil
	}
	if _, isDuration := v.(time.Duration); !isDuration { // a duration stands for no number: of what?
		switch r := reflect.ValueOf(v); {
		case r.CanInt():
			return r.Int(), nil
		case r.CanUint():
			return unsigned(r.Uint())
		case r.Kind() == reflect.Float32:
			return float32(r.Float()), nil
		case r.Kind() == reflect.Float64:
			return r.Float(), nil
		case r.Kind() == reflect.String:
			return r.String(), nil
		case r.Kind() == reflect.Bool:
			return r.Bool(), nil
		}
	}
	return nil, fmt.Errorf("a value of type %T cannot be bound here", v)
}

func unsigned(v uint64) (any, error) {
	if v > math.MaxInt64 {
		return nil, fmt.Errorf("%d is greater than the greatest INT64", v)
	}
	return int64(v), nil
}
