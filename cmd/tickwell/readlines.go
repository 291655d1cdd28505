package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

// lineReader reads files of which each line is a row.
type lineReader struct {
	in    *bufio.Reader
	at    int64
	line  int64
	parse func(line []byte, r *record) error
	long  []byte
}

// longestLine bounds the memory that a line may take.
const longestLine = 64 << 20

func newLineReader(in io.Reader, at, line int64, parse func([]byte, *record) error) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, 1<<16), at: at, line: line, parse: parse}
}

func (l *lineReader) offset() int64 { return l.at }

func (l *lineReader) next(r *record) error {
	for {
		line, err := l.read()
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		return l.row(line, r)
	}
}

// errOpenText says that a text goes on in the next line.
var errOpenText = errors.New("a text has no end")

// row parses a line, and those after it that belong to it.
func (l *lineReader) row(line []byte, r *record) error {
	first := l.line
	for {
		*r = record{}
		err := l.parse(line, r)
		if errors.Is(err, errOpenText) && len(line) < longestLine {
			line = append(bytes.Clone(line), '\n')
			next, rerr := l.read()
			if rerr == nil {
				line = append(line, bytes.TrimRight(next, "\r\n")...)
				continue
			}
		}
		if err != nil {
			return &badRow{first, err}
		}
		return nil
	}
}

func (l *lineReader) read() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.in.ReadSlice('\n')
		l.at += int64(len(part))
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if l.long = append(l.long, part...); len(l.long) > longestLine {
				return nil, fmt.Errorf("line %d is longer than %d bytes: %w", l.line+1, longestLine, tickwell.ErrLimit)
			}
			continue
		case errors.Is(err, io.EOF) && len(part)+len(l.long) > 0:
		case err != nil:
			return nil, err
		}
		l.line++
		if len(l.long) > 0 {
			l.long = append(l.long, part...)
			return l.long, nil
		}
		return part, nil
	}
}

// jsonRow is a line of the JSON form.
type jsonRow struct {
	Time   json.RawMessage            `json:"time"`
	Device string                     `json:"device"`
	Fields map[string]json.RawMessage `json:"fields"`
	Kinds  map[string]string          `json:"kinds"`
}

// parseJSON reads a line such as
//
//	{"time":"2024-01-01T00:00:00Z","device":"root.a","fields":{"x":1.5,"n":3},"kinds":{"n":"INT32"}}
//
// where kinds says what JSON cannot.
func parseJSON(device string, clock *timeReader) func([]byte, *record) error {
	return func(line []byte, r *record) error {
		var row jsonRow
		if err := json.Unmarshal(line, &row); err != nil {
			return fmt.Errorf("%w: %w", err, tickwell.ErrBadInput)
		}
		if row.Device == "" {
			row.Device = device
		}
		var err error
		if r.device, err = pattern.Canonical(row.Device); err != nil {
			return err
		}
		var text string
		if json.Unmarshal(row.Time, &text) != nil {
			text = string(row.Time)
		}
		if r.at, err = clock.read(text); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(row.Fields)) {
			v, err := jsonValue(row.Fields[name], row.Kinds[name])
			if err != nil {
				return fmt.Errorf("field %q: %w", name, err)
			}
			if !v.IsNull() {
				r.fields = append(r.fields, tickwell.Field{Name: node(name), Value: v})
			}
		}
		return nil
	}
}

func jsonValue(raw json.RawMessage, kindName string) (tickwell.Value, error) {
	s := strings.TrimSpace(string(raw))
	kind := tickwell.KindFloat64
	if kindName != "" {
		k, ok := kindNamed(kindName)
		if !ok {
			return tickwell.Value{}, fmt.Errorf("there is no kind %q: %w", kindName, tickwell.ErrBadInput)
		}
		kind = k
	}
	switch {
	case s == "null":
		return tickwell.Value{}, nil
	case s == "true" || s == "false":
		return tickwell.BoolValue(s == "true"), nil
	case strings.HasPrefix(s, `"`):
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return tickwell.Value{}, err
		}
		if kindName != "" && kind != tickwell.KindText {
			return parseValue(text, kind) // NaN and the infinities
		}
		return tickwell.TextValue(text), nil
	case strings.HasPrefix(s, "{"), strings.HasPrefix(s, "["):
		return tickwell.Value{}, fmt.Errorf("a value is a number, a text, true, false or null: %w", tickwell.ErrBadInput)
	}
	return parseValue(s, kind)
}
