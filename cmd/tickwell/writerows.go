package main

import (
	"bufio"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// rowForm is how the rows of a unit are written.
type rowForm struct {
	out   *bufio.Writer
	unit  *unit
	nanos int64 // of an integer time in CSV; 0: ISO
	buf   []byte
}

// rowWriter writes row i of a tablet, whose columns are the series of the unit;
// without a tablet, what stands before the rows.
type rowWriter func(f *rowForm, t *tickwell.Tablet, i int) error

var rowWriters = map[string]rowWriter{"csv": writeCSV, "jsonl": writeJSON, "line": writeLine}

func writeCSV(f *rowForm, t *tickwell.Tablet, i int) error {
	b := f.buf[:0]
	switch {
	case t == nil:
		b = append(b, "Time"...)
		for _, s := range f.unit.series {
			name := s.Name
			if f.unit.name == "" {
				name = s.Path()
			}
			b = appendCell(append(b, ','), name+"("+kindNames[s.Kind]+")")
		}
	default:
		var err error
		if b, err = f.appendTime(b, t.Times[i]); err != nil {
			return err
		}
		row := t.Row(i)
		for c := range t.Columns {
			b = append(b, ',')
			if v := row.Value(c); !v.IsNull() {
				b = appendCell(b, cellText(v))
			}
		}
	}
	f.buf = append(b, '\n')
	_, err := f.out.Write(f.buf)
	return err
}

func (f *rowForm) appendTime(b []byte, ns int64) ([]byte, error) {
	if f.nanos == 0 {
		return unixNano(ns).AppendFormat(b, time.RFC3339Nano), nil
	}
	if ns%f.nanos != 0 {
		return b, fmt.Errorf("time %s is finer than -times says: %w", stamp(unixNano(ns)), tickwell.ErrBadInput)
	}
	return strconv.AppendInt(b, ns/f.nanos, 10), nil
}

// cellText is the text of a value in an exported CSV file; see csvText.
func cellText(v tickwell.Value) string {
	s := v.String()
	if v.Kind() == tickwell.KindText && strings.Trim(s, `"`) == "" {
		return s + emptyText
	}
	return s
}

func appendCell(b []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}

// writeJSON writes the form that import reads: kinds tells those that JSON does
// not.
func writeJSON(f *rowForm, t *tickwell.Tablet, i int) error {
	if t == nil {
		return nil
	}
	f.buf = appendRowJSON(f.buf[:0], f.unit.name, t, i, func(c int) (string, tickwell.Kind) { return f.unit.series[c].Name, f.unit.kinds[c] })
	_, err := f.out.Write(f.buf)
	return err
}

// appendRowJSON appends a line; column tells names and kinds.
func appendRowJSON(b []byte, device string, t *tickwell.Tablet, i int, column func(c int) (string, tickwell.Kind)) []byte {
	b = append(b, `{"time":"`...)
	b = unixNano(t.Times[i]).AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","device":`...)
	b = appendJSONText(b, device)
	b = append(b, `,"fields":{`...)
	row := t.Row(i)
	first, odd := true, false
	for c := range t.Columns {
		v := row.Value(c)
		if v.IsNull() {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		name, _ := column(c)
		b = appendJSONText(b, name)
		b = append(b, ':')
		b = sink.AppendValueJSON(b, v)
		odd = odd || needsKind(v)
	}
	b = append(b, '}')
	if odd {
		b = append(b, `,"kinds":{`...)
		first = true
		for c := range t.Columns {
			if v := row.Value(c); needsKind(v) {
				if !first {
					b = append(b, ',')
				}
				first = false
				name, kind := column(c)
				b = append(appendJSONText(b, name), ':')
				b = appendJSONText(b, kindNames[kind])
			}
		}
		b = append(b, '}')
	}
	return append(b, "}\n"...)
}

// needsKind reports whether JSON does not tell the kind of a value.
func needsKind(v tickwell.Value) bool {
	switch v.Kind() {
	case tickwell.KindInt32, tickwell.KindInt64, tickwell.KindFloat32:
		return true
	case tickwell.KindFloat64:
		return math.IsNaN(v.Float64()) || math.IsInf(v.Float64(), 0)
	}
	return false
}

func appendJSONText(b []byte, s string) []byte {
	return sink.AppendValueJSON(b, tickwell.TextValue(s))
}

// writeLine writes line protocol: the device is the measurement, without tags.
func writeLine(f *rowForm, t *tickwell.Tablet, i int) error {
	if t == nil {
		return nil
	}
	b := append(f.buf[:0], lineEscape.Replace(f.unit.name)...)
	sep := byte(' ')
	row := t.Row(i)
	for c := range t.Columns {
		v := row.Value(c)
		if v.IsNull() || isOddFloat(v) {
			continue
		}
		b = append(b, sep)
		sep = ','
		b = append(append(b, lineEscape.Replace(f.unit.series[c].Name)...), '=')
		switch v.Kind() {
		case tickwell.KindText:
			b = append(append(append(b, '"'), lineText.Replace(v.Text())...), '"')
		case tickwell.KindInt32, tickwell.KindInt64:
			b = append(strconv.AppendInt(b, v.Int64(), 10), 'i')
		default:
			b = append(b, v.String()...)
		}
	}
	if sep == ' ' {
		return nil
	}
	b = strconv.AppendInt(append(b, ' '), t.Times[i], 10)
	f.buf = append(b, '\n')
	_, err := f.out.Write(f.buf)
	return err
}

// isOddFloat reports a value that line protocol cannot say.
func isOddFloat(v tickwell.Value) bool {
	f := v.Float64()
	return v.Kind() >= tickwell.KindFloat32 && v.Kind() <= tickwell.KindFloat64 && (math.IsNaN(f) || math.IsInf(f, 0))
}

var (
	lineEscape = strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`)
	lineText   = strings.NewReplacer(`"`, `\"`, `\`, `\\`)
)
