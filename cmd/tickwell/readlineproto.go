package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

// parseLineProtocol reads a line of InfluxDB's line protocol:
//
//	measurement,tag=value,… field=1.5,other=3i,flag=t,text="x" 1700000000000000000
//
// A measurement that is a path of the store is the device; of any other, prefix,
// measurement and the values of the tags, sorted by their keys, make it.
func parseLineProtocol(prefix string, now int64, unit int64) func([]byte, *record) error {
	return func(line []byte, r *record) error {
		p := lineParser{s: string(line)}
		name, tags, err := p.series()
		if err != nil {
			return err
		}
		if r.device, err = lineDevice(prefix, name, tags); err != nil {
			return err
		}
		if r.fields, err = p.fields(); err != nil {
			return err
		}
		r.at = now
		if rest := strings.TrimSpace(p.s[p.i:]); rest != "" {
			n, ok := integer(rest)
			if !ok || n*unit/unit != n {
				return p.bad("%q is no time", rest)
			}
			r.at = n * unit
		}
		return nil
	}
}

func lineDevice(prefix, name string, tags [][2]string) (string, error) {
	if strings.HasPrefix(name, "root.") {
		if path, err := pattern.Canonical(name); err == nil && len(tags) == 0 {
			return path, nil
		}
	}
	slices.SortFunc(tags, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	device := prefix + "." + node(name)
	for _, t := range tags {
		device += "." + node(t[1])
	}
	return pattern.Canonical(device)
}

type lineParser struct {
	s string
	i int
}

func (p *lineParser) bad(format string, args ...any) error {
	return fmt.Errorf("line protocol: %s (at byte %d): %w", fmt.Sprintf(format, args...), p.i+1, tickwell.ErrBadInput)
}

// series reads the measurement and the tags, up to the blank before the fields.
func (p *lineParser) series() (name string, tags [][2]string, err error) {
	name = p.until(", ", ", ")
	if name == "" {
		return "", nil, p.bad("no measurement")
	}
	for p.peek() == ',' {
		p.i++
		key := p.until("=, ", ",= ")
		if key == "" || p.peek() != '=' {
			return "", nil, p.bad("a tag is key=value")
		}
		p.i++
		value := p.until(", =", ",= ")
		if value == "" {
			return "", nil, p.bad("tag %s has no value", key)
		}
		tags = append(tags, [2]string{key, value})
	}
	if p.peek() != ' ' {
		return "", nil, p.bad("fields are missing")
	}
	p.blanks()
	return name, tags, nil
}

func (p *lineParser) fields() ([]tickwell.Field, error) {
	var out []tickwell.Field
	for {
		key := p.until("=, ", ",= ")
		if key == "" || p.peek() != '=' {
			return nil, p.bad("a field is key=value")
		}
		p.i++
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		f := tickwell.Field{Name: node(key), Value: v}
		if i := slices.IndexFunc(out, func(o tickwell.Field) bool { return o.Name == f.Name }); i >= 0 {
			out[i] = f
		} else {
			out = append(out, f)
		}
		if p.peek() != ',' {
			break
		}
		p.i++
	}
	if c := p.peek(); c != ' ' && c != 0 {
		return nil, p.bad("unexpected %q after a field", c)
	}
	return out, nil
}

func (p *lineParser) value() (tickwell.Value, error) {
	if p.peek() == '"' {
		return p.text()
	}
	raw := p.until(", ", "")
	switch raw {
	case "t", "T", "true", "True", "TRUE":
		return tickwell.BoolValue(true), nil
	case "f", "F", "false", "False", "FALSE":
		return tickwell.BoolValue(false), nil
	}
	if digits, ok := strings.CutSuffix(raw, "i"); ok {
		if n, ok := integer(digits); ok {
			return tickwell.Int64Value(n), nil
		}
	} else if digits, ok := strings.CutSuffix(raw, "u"); ok {
		if n, err := strconv.ParseUint(digits, 10, 63); err == nil {
			return tickwell.Int64Value(int64(n)), nil
		}
	} else if strings.Trim(raw, "0123456789+-.eE") == "" {
		if f, err := strconv.ParseFloat(raw, 64); err == nil {
			return tickwell.Float64Value(f), nil
		}
	}
	return tickwell.Value{}, p.bad("%q is no value", raw)
}

func (p *lineParser) text() (tickwell.Value, error) {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '\\' && p.i+1 < len(p.s) && (p.s[p.i+1] == '"' || p.s[p.i+1] == '\\'):
			p.i++
			b.WriteByte(p.s[p.i])
		case c == '"':
			p.i++
			return tickwell.TextValue(b.String()), nil
		default:
			b.WriteByte(c)
		}
	}
	return tickwell.Value{}, fmt.Errorf("line protocol: %w: %w", errOpenText, tickwell.ErrBadInput)
}

// until reads up to one of the bytes of stop; those of escaped lose a backslash
// before them.
func (p *lineParser) until(stop, escaped string) string {
	var b strings.Builder
	for ; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		if c == '\\' && p.i+1 < len(p.s) && strings.IndexByte(escaped, p.s[p.i+1]) >= 0 {
			p.i++
			b.WriteByte(p.s[p.i])
			continue
		}
		if strings.IndexByte(stop, c) >= 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}

func (p *lineParser) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *lineParser) blanks() {
	for p.peek() == ' ' {
		p.i++
	}
}
