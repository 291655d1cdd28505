package iotsql

import (
	"fmt"
	"math"
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
// nil, bool, int64, float64, float32, string or time.Time.
func constant(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, int64, float64, float32, string, time.Time:
		return v, nil
	case int:
		return int64(v), nil
	case int8:
		return int64(v), nil
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case uint:
		return unsigned(uint64(v))
	case uint8:
		return int64(v), nil
	case uint16:
		return int64(v), nil
	case uint32:
		return int64(v), nil
	case uint64:
		return unsigned(v)
	case []byte:
		if v == nil {
			return nil, nil
		}
		return string(v), nil
	}
	return nil, fmt.Errorf("a value of type %T cannot be bound", v)
}

func unsigned(v uint64) (any, error) {
	if v > math.MaxInt64 {
		return nil, fmt.Errorf("%d is greater than the greatest INT64", v)
	}
	return int64(v), nil
}
