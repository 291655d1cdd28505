package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

// Template is text with places for what an event says:
//
//	Sensor data {{.time}} {{.number}}, note: {{.note | default "none"}}
//
// A name is that of a field of the event, else of a label, else one of series,
// source, id, status and revision. time is always the event's time, in the
// format and zone of the options. Names with blanks, bars or braces stand in
// backquotes: {{.`max speed`}}. Blanks around a name do not matter.
// {{"{{"}} writes two braces.
//
// A bar passes the value to a filter:
//
//	upper, lower, trim   of text
//	fixed 2              a number with two digits after the point
//	default "none"       instead of null, an unknown name or empty text
//	date "15:04"         time, or an INT64 of Unix nanoseconds, in a layout of package time
//	unix, unixms         the same as a number of seconds or milliseconds
//	url                  percent-encoded, for a part of a path or a query
//
// What is written is UTF-8: bytes of a value that are not become U+FFFD. Numbers
// print without needless zeros and not in exponents unless very large
// or small; null prints as null. There are no loops, conditions or methods.
//
// A Template is safe for concurrent use.
type Template struct {
	parts []part
	o     TemplateOptions
	zone  *time.Location
}

// TemplateOptions say how a [Template] reads and writes.
type TemplateOptions struct {
	// Columns are the names that events have, fields and labels. If set, any
	// other name in the template is an error at once. If not, a name that an
	// event does not have is an error then, which gives the event up.
	Columns []string
	// Empty makes names that an event does not have print as nothing.
	Empty bool
	// TimeFormat is a layout of package time. Default DefaultTimeFormat.
	TimeFormat string
	// Zone is a name of the time zone database. Default UTC.
	Zone string
	// JSON says that the text is a JSON document. Inside quotes values are
	// escaped; elsewhere they are JSON values, texts with quotes. A template
	// that can never give JSON is an error at once.
	JSON bool
	// Escape appends a value so that the target does not take it for markup. It
	// is not used with JSON. Nil: as it is. The template's own text is never
	// escaped.
	Escape func(dst []byte, value string) []byte
	// Max is the most bytes of a text. Default 64 KiB.
	Max int
}

// DefaultTimeFormat is how {{.time}} prints.
const DefaultTimeFormat = "2006-01-02 15:04:05.000"

// part is either text or a name with filters.
type part struct {
	text    string
	name    string
	filters []filter
	quoted  bool // stands inside quotes of a JSON template
}

// builtin are the names that every event has.
var builtin = []string{"time", "series", "source", "id", "status", "revision"}

// NewTemplate reads a template. What is wrong with it is an error that satisfies
// errors.Is(err, tickwell.ErrBadInput).
func NewTemplate(text string, o TemplateOptions) (*Template, error) {
	t := &Template{o: o, zone: time.UTC}
	fail := func(err error) (*Template, error) {
		return nil, fmt.Errorf("template %.60q: %w: %w", text, err, tickwell.ErrBadInput)
	}
	if t.o.Max <= 0 {
		t.o.Max = 64 << 10
	}
	if t.o.TimeFormat == "" {
		t.o.TimeFormat = DefaultTimeFormat
	}
	if o.Zone != "" {
		zone, err := time.LoadLocation(o.Zone)
		if err != nil {
			return fail(err)
		}
		t.zone = zone
	}
	var err error
	if t.parts, err = parse(text); err != nil {
		return fail(err)
	}
	for _, p := range t.parts {
		if p.name != "" && o.Columns != nil && !o.Empty && !slices.Contains(o.Columns, p.name) && !slices.Contains(builtin, p.name) {
			return fail(fmt.Errorf("no column %q", p.name))
		}
	}
	if o.JSON {
		if err := t.quote(); err != nil {
			return fail(err)
		}
	}
	return t, nil
}

// quote finds out which places are inside quotes, and whether the text is JSON
// when there is something simple in each.
func (t *Template) quote() error {
	var trial []byte
	in, escaped := false, false
	for i := range t.parts {
		p := &t.parts[i]
		if p.name != "" {
			p.quoted = in
			if !in {
				trial = append(trial, "null"...)
			}
			continue
		}
		for j := range len(p.text) {
			switch c := p.text[j]; {
			case escaped:
				escaped = false
			case in && c == '\\':
				escaped = true
			case c == '"':
				in = !in
			}
		}
		trial = append(trial, p.text...)
	}
	if !json.Valid(trial) {
		return errors.New("does not make JSON")
	}
	return nil
}

// Names returns the names that stand in the template, each once.
func (t *Template) Names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" && !slices.Contains(names, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

// Append appends the text for e. The error is permanent, and dst then as it was.
func (t *Template) Append(dst []byte, e *tickwell.Event) ([]byte, error) {
	start := len(dst)
	out := dst
	for i := range t.parts {
		p := &t.parts[i]
		if p.name == "" {
			out = append(out, p.text...)
		} else {
			c, err := t.cell(p, e)
			if err != nil {
				return dst, Permanent(fmt.Errorf("template: {{.%s}}: %w", p.name, err))
			}
			out = t.write(out, p, &c)
		}
		if len(out)-start > t.o.Max {
			return dst, Permanent(fmt.Errorf("template: more than %d bytes", t.o.Max))
		}
	}
	return out, nil
}

// Render returns the text for e as a string.
func (t *Template) Render(e *tickwell.Event) (string, error) {
	b, err := t.Append(nil, e)
	return string(b), err
}

// cell is the value of a place on its way through the filters.
type cell struct {
	value  tickwell.Value
	time   time.Time
	isTime bool
	number string // digits that a filter has made
	known  bool
}

func (t *Template) cell(p *part, e *tickwell.Event) (c cell, err error) {
	c = t.lookup(p.name, e)
	for i := range p.filters {
		if c, err = p.filters[i].apply(t, c); err != nil {
			return c, fmt.Errorf("%s: %w", p.filters[i].name, err)
		}
	}
	if !c.known && !t.o.Empty {
		return c, fmt.Errorf("event %s has no such field or label", e.ID)
	}
	return c, nil
}

func (t *Template) lookup(name string, e *tickwell.Event) cell {
	if name == "time" {
		return cell{time: e.Time.In(t.zone), isTime: true, known: true}
	}
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return cell{value: e.Fields[i].Value, known: true}
		}
	}
	if s, ok := e.Labels[name]; ok {
		return cell{value: tickwell.TextValue(s), known: true}
	}
	switch name {
	case "series":
		return cell{value: tickwell.TextValue(e.Series), known: true}
	case "source":
		return cell{value: tickwell.TextValue(e.Source), known: true}
	case "id":
		return cell{value: tickwell.TextValue(e.ID), known: true}
	case "status":
		return cell{value: tickwell.TextValue(e.Status.String()), known: true}
	case "revision":
		return cell{value: tickwell.Int64Value(int64(e.Revision)), known: true}
	}
	return cell{}
}

func (t *Template) write(dst []byte, p *part, c *cell) []byte {
	switch {
	case !t.o.JSON && t.o.Escape != nil:
		return t.o.Escape(dst, strings.ToValidUTF8(c.text(t), "\uFFFD"))
	case !t.o.JSON:
		return append(dst, strings.ToValidUTF8(c.text(t), "\uFFFD")...)
	case p.quoted:
		return appendEscaped(dst, c.text(t))
	case c.number != "":
		return append(dst, c.number...)
	case c.isTime:
		return appendText(dst, c.text(t))
	}
	return AppendValueJSON(dst, c.value)
}
