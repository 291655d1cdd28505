package iotsql

import (
	"io"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/column"
)

// WriteCSV writes the columns and rows as lines of comma separated values: a
// line of names, a line a row with times in the precision of the connection and
// nothing for null, and an empty line at the end. An empty text is "". For a
// statement that does not answer with rows nothing is written.
func (r *Result) WriteCSV(w io.Writer) error {
	if !r.HasRows() {
		return nil
	}
	var b []byte
	for i, c := range r.Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCSV(b, c.Name)
	}
	b = append(b, '\n')
	for row, err := range r.Rows() {
		if err != nil {
			_, werr := w.Write(b)
			if werr != nil {
				return werr
			}
			return err
		}
		for i, v := range row {
			if i > 0 {
				b = append(b, ',')
			}
			if !v.IsNull() {
				b = appendCSV(b, Text(v))
			}
		}
		b = append(b, '\n')
		if len(b) > 32<<10 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	b = append(b, '\n')
	_, err := w.Write(b)
	return err
}

// appendCSV quotes what needs it: commas, quotes, ends of lines, blanks at an
// end, and the empty text.
func appendCSV(b []byte, s string) []byte {
	if s != "" && !strings.ContainsAny(s, ",\"\r\n") && s[0] != ' ' && s[len(s)-1] != ' ' {
		return append(b, s...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		b = append(append(b, s[:i+1]...), '"')
		s = s[i+1:]
	}
	return append(append(b, s...), '"')
}

// Text prints a value as IoTDB does: floats with a decimal point, such as 14.0,
// and with an exponent, such as 1.0E10, from 10^7 on and below 10^-3.
func Text(v tickwell.Value) string {
	switch v.Kind() {
	case tickwell.KindFloat32:
		return column.FloatText(v.Float64(), 32)
	case tickwell.KindFloat64:
		return column.FloatText(v.Float64(), 64)
	}
	return v.String()
}
