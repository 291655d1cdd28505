package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/pattern"
)

// A record is a row on its way in: some measurements of one device at one time.
// Values that the file gives as text only, without saying what they are, are of
// kind Text with plain set.
type record struct {
	device string
	at     int64
	fields []tickwell.Field
	plain  bool
}

// A reader takes the rows out of one file.
type reader interface {
	// next reads a row. Its error is io.EOF at the end, a badRow for a row that
	// makes no sense, after which next goes on with the one after it, or fatal.
	next(r *record) error
	// offset returns where the row after the last one begins, in bytes.
	offset() int64
}

// badRow is an error in one row.
type badRow struct {
	line int64
	err  error
}

func (e *badRow) Error() string { return e.err.Error() }
func (e *badRow) Unwrap() error { return e.err }

// kinds knows the kind of each series: of those that exist, what the store says,
// of others, what the first row or the header of the file says.
type kinds struct {
	c     *call
	db    *tickwell.DB
	known map[string]map[string]tickwell.Kind // by device and measurement
}

func newKinds(c *call, db *tickwell.DB) *kinds {
	return &kinds{c: c, db: db, known: map[string]map[string]tickwell.Kind{}}
}

func (k *kinds) device(name string) (map[string]tickwell.Kind, error) {
	if m := k.known[name]; m != nil {
		return m, nil
	}
	series, err := listSeries(k.c, k.db, name+".*")
	if err != nil {
		return nil, err
	}
	m := make(map[string]tickwell.Kind, len(series))
	for _, s := range series {
		m[s.Name] = s.Kind
	}
	k.known[name] = m
	return m, nil
}

// fit gives the fields of a row the kinds of their series.
func (k *kinds) fit(r *record) error {
	m, err := k.device(r.device)
	if err != nil {
		return err
	}
	for i := range r.fields {
		f := &r.fields[i]
		kind, ok := m[f.Name]
		switch {
		case ok && kind == f.Value.Kind():
			continue
		case !ok && r.plain:
			kind = guess(f.Value.Text())
			m[f.Name] = kind
		case !ok:
			m[f.Name] = f.Value.Kind()
			continue
		}
		v, err := convert(f.Value, kind, r.plain)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", r.device, f.Name, err)
		}
		f.Value = v
	}
	return nil
}

// guess says what a text without a declared kind is: a number is a DOUBLE.
func guess(s string) tickwell.Kind {
	if _, err := strconv.ParseFloat(s, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return tickwell.KindFloat64
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return tickwell.KindBool
	}
	return tickwell.KindText
}

// convert gives a value another kind if nothing of it is lost.
func convert(v tickwell.Value, kind tickwell.Kind, plain bool) (tickwell.Value, error) {
	bad := func() (tickwell.Value, error) {
		return v, fmt.Errorf("%s is no %s: %w", strconv.Quote(v.String()), kindNames[kind], tickwell.ErrKindMismatch)
	}
	if plain && v.Kind() == tickwell.KindText {
		out, err := parseValue(v.Text(), kind)
		if err != nil {
			return bad()
		}
		return out, nil
	}
	number := v.Kind() >= tickwell.KindInt32 && v.Kind() <= tickwell.KindFloat64
	whole := v.Kind() == tickwell.KindInt32 || v.Kind() == tickwell.KindInt64
	switch {
	case v.IsNull() || v.Kind() == kind:
		return v, nil
	case kind == tickwell.KindFloat64 && number:
		f := v.Float64()
		if whole && (f >= 1<<63 || int64(f) != v.Int64()) {
			return bad()
		}
		return tickwell.Float64Value(f), nil
	case kind == tickwell.KindFloat32 && number:
		return tickwell.Float32Value(float32(v.Float64())), nil
	case (kind == tickwell.KindInt32 || kind == tickwell.KindInt64) && number:
		n := v.Int64()
		if !whole {
			f := v.Float64()
			if f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
				return bad()
			}
			n = int64(f)
		}
		if kind == tickwell.KindInt64 {
			return tickwell.Int64Value(n), nil
		}
		if n != int64(int32(n)) {
			return bad()
		}
		return tickwell.Int32Value(int32(n)), nil
	}
	return bad()
}

// parseValue reads a text as a value of a kind.
func parseValue(s string, kind tickwell.Kind) (tickwell.Value, error) {
	switch kind {
	case tickwell.KindBool:
		switch {
		case strings.EqualFold(s, "true") || s == "1":
			return tickwell.BoolValue(true), nil
		case strings.EqualFold(s, "false") || s == "0":
			return tickwell.BoolValue(false), nil
		}
	case tickwell.KindInt32:
		if n, err := strconv.ParseInt(s, 10, 32); err == nil {
			return tickwell.Int32Value(int32(n)), nil
		}
	case tickwell.KindInt64:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return tickwell.Int64Value(n), nil
		}
	case tickwell.KindFloat32:
		if f, err := strconv.ParseFloat(s, 32); err == nil {
			return tickwell.Float32Value(float32(f)), nil
		}
	case tickwell.KindFloat64:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			return tickwell.Float64Value(f), nil
		}
	case tickwell.KindText:
		return tickwell.TextValue(s), nil
	}
	return tickwell.Value{}, fmt.Errorf("%q is no %s: %w", s, kindNames[kind], tickwell.ErrKindMismatch)
}

// node makes a node of a path of any text.
func node(s string) string {
	if n, err := pattern.CanonicalNode(s); err == nil {
		return n
	}
	return pattern.Quote(s)
}

// A batch collects rows by device, in the order in which they came.
type batch struct {
	tablets []*tickwell.Tablet
	index   map[string]*tickwell.Tablet
	rows    int
}

func (b *batch) add(r *record) error {
	t := b.index[r.device]
	if t == nil {
		if b.index == nil {
			b.index = map[string]*tickwell.Tablet{}
		}
		t = &tickwell.Tablet{Device: r.device}
		b.index[r.device] = t
		b.tablets = append(b.tablets, t)
	}
	b.rows++
	return t.Append(unixNano(r.at), r.fields...)
}

func (b *batch) reset() { *b = batch{} }
