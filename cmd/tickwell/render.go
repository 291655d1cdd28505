package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/sink"
)

// show prints a result.
func (s *session) show(res *iotsql.Result) error {
	if !res.HasRows() {
		return nil
	}
	switch {
	case s.o.format == "table":
		return s.showTable(res)
	case s.o.format == "json":
		return s.showJSON(res)
	case s.o.times == "iso":
		return s.showCSV(res)
	}
	h := &holding{out: s.c.out}
	if err := res.WriteCSV(h); err != nil {
		return err
	}
	return h.release()
}

// holding keeps the beginning of a result back, so that a query that fails early
// prints nothing of it.
type holding struct {
	out  io.Writer
	held []byte
	free bool
}

// mostHeld is how much is kept back.
const mostHeld = 1 << 20

func (h *holding) Write(b []byte) (int, error) {
	if h.free {
		return h.out.Write(b)
	}
	if h.held = append(h.held, b...); len(h.held) > mostHeld {
		return len(b), h.release()
	}
	return len(b), nil
}

func (h *holding) release() error {
	h.free = true
	_, err := h.out.Write(h.held)
	h.held = nil
	return err
}

// isoForm is the form in which IoTDB prints times of a precision.
func isoForm(unit time.Duration) string {
	switch unit {
	case time.Nanosecond:
		return "2006-01-02T15:04:05.000000000Z07:00"
	case time.Microsecond:
		return "2006-01-02T15:04:05.000000Z07:00"
	}
	return "2006-01-02T15:04:05.000Z07:00"
}

// cell is the text of a value.
func (s *session) cell(res *iotsql.Result, c iotsql.Column, v tickwell.Value) string {
	if c.IsTime && s.o.times == "iso" && !v.IsNull() {
		return res.Time(v).In(s.o.location).Format(isoForm(s.o.unit))
	}
	return iotsql.Text(v)
}

func (s *session) showCSV(res *iotsql.Result) error {
	w := csv.NewWriter(s.c.out)
	cells := make([]string, len(res.Columns()))
	for i, c := range res.Columns() {
		cells[i] = c.Name
	}
	w.Write(cells)
	for row, err := range res.Rows() {
		if err != nil {
			w.Flush()
			return errors.Join(err, w.Error())
		}
		for i, v := range row {
			if cells[i] = ""; !v.IsNull() {
				cells[i] = s.cell(res, res.Columns()[i], v)
			}
		}
		w.Write(cells)
	}
	w.Flush()
	s.c.printf("\n")
	return w.Error()
}

// showJSON prints an object in one line: columns with their types, and rows.
func (s *session) showJSON(res *iotsql.Result) (err error) {
	w := bufio.NewWriter(s.c.out)
	defer func() { err = errors.Join(err, w.Flush()) }()
	b := []byte(`{"columns":[`)
	for i, c := range res.Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONText(append(b, `{"name":`...), c.Name)
		b = append(appendJSONText(append(b, `,"type":`...), c.TypeName()), '}')
	}
	b = append(b, `],"rows":[`...)
	n := 0
	for row, err := range res.Rows() {
		if err != nil {
			w.Write(append(b, "]}\n"...))
			return err
		}
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		for i, v := range row {
			if i > 0 {
				b = append(b, ',')
			}
			if c := res.Columns()[i]; c.IsTime && s.o.times == "iso" && !v.IsNull() {
				b = appendJSONText(b, s.cell(res, c, v))
			} else {
				b = sink.AppendValueJSON(b, v)
			}
		}
		b = append(b, ']')
		n++
		if len(b) > 1<<15 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	w.Write(append(b, "]}\n"...))
	return nil
}

// measured is how many rows decide how wide the columns of a table are.
const measured = 1000

// showTable prints a frame and the number of rows, as IoTDB's shell does.
func (s *session) showTable(res *iotsql.Result) (err error) {
	w := bufio.NewWriter(s.c.out)
	defer func() { err = errors.Join(err, w.Flush()) }()
	columns := res.Columns()
	f := frame{w: w, width: make([]int, len(columns))}
	head := make([]string, len(columns))
	for i, c := range columns {
		head[i] = printable(c.Name)
		f.width[i] = utf8.RuneCountInString(head[i])
	}
	var waiting [][]string
	start := func() {
		for _, row := range waiting {
			for i, cell := range row {
				f.width[i] = max(f.width[i], utf8.RuneCountInString(cell))
			}
		}
		f.line()
		f.row(head)
		f.line()
		for _, row := range waiting {
			f.row(row)
		}
		waiting = nil
	}
	n := 0
	for row, err := range res.Rows() {
		if err != nil {
			return err
		}
		cells := make([]string, len(row))
		for i, v := range row {
			if cells[i] = "null"; !v.IsNull() {
				cells[i] = printable(s.cell(res, columns[i], v))
			}
		}
		switch n++; {
		case n < measured:
			waiting = append(waiting, cells)
		case n == measured:
			waiting = append(waiting, cells)
			start()
		default:
			f.row(cells)
		}
	}
	if n < measured {
		start()
	}
	f.line()
	fmt.Fprintf(w, "Total line number = %d\n", n)
	return nil
}

type frame struct {
	w     *bufio.Writer
	width []int
}

func (f *frame) line() {
	for _, n := range f.width {
		f.w.WriteString("+" + strings.Repeat("-", n))
	}
	f.w.WriteString("+\n")
}

func (f *frame) row(cells []string) {
	for i, cell := range cells {
		f.w.WriteString("|" + strings.Repeat(" ", max(0, f.width[i]-utf8.RuneCountInString(cell))) + cell)
	}
	f.w.WriteString("|\n")
}

// printable keeps texts from moving the cursor of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return '\uFFFD'
		}
		return r
	}, s)
}
