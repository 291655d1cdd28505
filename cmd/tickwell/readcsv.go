package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

// csvForm is what the header of a CSV file says.
type csvForm struct {
	device  string // of the rows; "" if the columns or the rows name it
	byRow   bool   // the second column is the device
	columns []csvColumn
	devices []string // of the columns, where they are whole paths
}

type csvColumn struct {
	device, name string
	kind         tickwell.Kind // KindNull: not said
}

// readHeader understands the header forms: a time column and then measurements
// (the device is that of the file), whole paths, or Device and measurements. A
// name may carry its kind, as in "temperature(FLOAT)".
func readHeader(head []string, device string) (*csvForm, error) {
	first := strings.ToLower(strings.TrimSpace(strings.TrimPrefix(head[0], "\ufeff")))
	if first != "time" && first != "timestamp" && first != "date" && first != "datetime" {
		return nil, fmt.Errorf("the first column is %q, not time or timestamp: %w", head[0], tickwell.ErrBadInput)
	}
	f := &csvForm{device: device}
	rest := head[1:]
	if len(rest) > 0 && strings.EqualFold(strings.TrimSpace(rest[0]), "device") {
		f.byRow, f.device, rest = true, "", rest[1:]
	}
	if len(rest) == 0 {
		return nil, fmt.Errorf("the file has no columns besides the time: %w", tickwell.ErrBadInput)
	}
	for _, name := range rest {
		name = strings.TrimSpace(name)
		c := csvColumn{name: name}
		if i := strings.LastIndexByte(name, '('); i > 0 && strings.HasSuffix(name, ")") {
			if k, ok := kindNamed(name[i+1 : len(name)-1]); ok {
				c.name, c.kind = name[:i], k
			}
		}
		if path, err := pattern.Canonical(c.name); err == nil && !f.byRow && strings.HasPrefix(path, "root.") {
			c.device, c.name = pattern.Split(path)
			f.device = ""
			f.devices = append(f.devices, c.device)
		} else {
			c.name, c.device = node(c.name), f.device
		}
		f.columns = append(f.columns, c)
	}
	if n := len(f.devices); n > 0 && n != len(f.columns) {
		return nil, fmt.Errorf("some columns are whole paths and others are not: %w", tickwell.ErrBadInput)
	}
	return f, nil
}

// csvReader reads the rows of a CSV file. A line of several devices gives as
// many records.
type csvReader struct {
	r       *csv.Reader
	base    int64 // where r began
	form    *csvForm
	clock   *timeReader
	pending []record
	before  int64 // lines before r began
	line    int64
	at      int64
}

// openCSV reads the header at the beginning and goes on at an offset, 0 meaning
// the first row.
func openCSV(in io.Reader, seek func(int64) error, from, line int64, device string, clock *timeReader) (*csvReader, error) {
	c := &csvReader{clock: clock}
	c.begin(in, 0)
	head, err := c.r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the file is empty: %w", tickwell.ErrBadInput)
	}
	if err != nil {
		return nil, err
	}
	if c.form, err = readHeader(head, device); err != nil {
		return nil, err
	}
	c.at = c.r.InputOffset()
	if from > 0 {
		if err := seek(from); err != nil {
			return nil, err
		}
		c.begin(in, from)
		c.at, c.before, c.line = from, line, line
	}
	return c, nil
}

func (c *csvReader) begin(in io.Reader, at int64) {
	c.r, c.base = csv.NewReader(in), at
	c.r.FieldsPerRecord, c.r.ReuseRecord, c.r.LazyQuotes = -1, true, true
}

func (c *csvReader) offset() int64 { return c.at }

func (c *csvReader) next(r *record) error {
	for {
		if n := len(c.pending); n > 0 {
			*r, c.pending = c.pending[0], c.pending[1:]
			return nil
		}
		cells, err := c.r.Read()
		if err == nil || !errors.Is(err, io.EOF) {
			c.at = c.base + c.r.InputOffset()
		}
		if err != nil {
			var parse *csv.ParseError
			if errors.As(err, &parse) {
				c.line = c.before + int64(parse.Line)
				return &badRow{c.line, parse.Err}
			}
			return err
		}
		line, _ := c.r.FieldPos(0)
		c.line = c.before + int64(line)
		if err := c.row(cells); err != nil {
			return &badRow{c.line, err}
		}
	}
}

// row makes records of the cells of a line.
func (c *csvReader) row(cells []string) error {
	if len(cells) == 1 && strings.TrimSpace(cells[0]) == "" {
		return nil
	}
	at, err := c.clock.read(strings.TrimSpace(cells[0]))
	if err != nil {
		return err
	}
	f := c.form
	device := f.device
	cells = cells[1:]
	if f.byRow {
		if len(cells) == 0 {
			return fmt.Errorf("the row has no device: %w", tickwell.ErrBadInput)
		}
		if device, err = pattern.Canonical(strings.TrimSpace(cells[0])); err != nil {
			return err
		}
		cells = cells[1:]
	}
	if len(cells) > len(f.columns) {
		return fmt.Errorf("the row has %d cells more than the header: %w", len(cells)-len(f.columns), tickwell.ErrBadInput)
	}
	for i, cell := range cells {
		col := &f.columns[i]
		if cell == "" || col.kind != tickwell.KindText && strings.TrimSpace(cell) == "" {
			continue
		}
		owner := device
		if owner == "" {
			owner = col.device
		}
		field := tickwell.Field{Name: col.name, Value: tickwell.TextValue(cell)}
		plain := true
		if col.kind != tickwell.KindNull {
			plain = false
			if field.Value, err = parseValue(csvText(cell, col.kind), col.kind); err != nil {
				return fmt.Errorf("column %s: %w", col.name, err)
			}
		} else {
			field.Value = tickwell.TextValue(strings.TrimSpace(cell))
		}
		c.place(owner, at, field, plain)
	}
	return nil
}

// place adds a field to the record of its device in this line.
func (c *csvReader) place(device string, at int64, f tickwell.Field, plain bool) {
	for i := range c.pending {
		if p := &c.pending[i]; p.device == device && p.plain == plain {
			p.fields = append(p.fields, f)
			return
		}
	}
	c.pending = append(c.pending, record{device: device, at: at, fields: []tickwell.Field{f}, plain: plain})
}

// An empty cell is a null, so an empty text is written as two quotes, and texts
// of nothing but quotes with two more.
const emptyText = `""`

func csvText(cell string, kind tickwell.Kind) string {
	if kind != tickwell.KindText {
		return strings.TrimSpace(cell)
	}
	if len(cell) >= len(emptyText) && strings.Trim(cell, `"`) == "" {
		return cell[:len(cell)-len(emptyText)]
	}
	return cell
}

// timeReader reads times in the form that the first one has.
type timeReader struct {
	zone *time.Location
	unit int64 // nanoseconds of an integer
	form string
}

func (t *timeReader) read(s string) (int64, error) {
	if t.form != "" {
		if at, err := time.ParseInLocation(t.form, s, t.zone); err == nil {
			return nanos(at)
		}
	}
	if n, ok := integer(s); ok {
		if at := n * t.unit; at/t.unit == n {
			return at, nil
		}
		return 0, fmt.Errorf("time %s is out of range (-precision says what integers count): %w", s, tickwell.ErrBadInput)
	}
	for _, form := range timeForms {
		if at, err := time.ParseInLocation(form, s, t.zone); err == nil {
			t.form = form
			return nanos(at)
		}
	}
	return 0, fmt.Errorf("%q is no time: %w", s, tickwell.ErrBadInput)
}
