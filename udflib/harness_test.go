package udflib

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// rows is an input: rows separated by commas, in each the time in units and the
// values of s1, s2 … separated by blanks, - for null. Values are of kind.
type rows struct {
	kind tickwell.Kind
	unit time.Duration
	text string
}

// sec are rows of float64 with times in seconds, msec in milliseconds.
func sec(text string) rows  { return rows{tickwell.KindFloat64, time.Second, text} }
func msec(text string) rows { return rows{tickwell.KindFloat64, time.Millisecond, text} }

func (r rows) as(k tickwell.Kind) rows { r.kind = k; return r }

// plain are values one step of unit apart, beginning at first.
func plain(unit time.Duration, first int, values ...float64) rows {
	var b strings.Builder
	for i, v := range values {
		fmt.Fprintf(&b, "%d %v,", first+i, v)
	}
	return rows{tickwell.KindFloat64, unit, b.String()}
}

func (r rows) cell(t testing.TB, name, text string) (tickwell.Field, bool) {
	if text == "-" {
		return tickwell.Field{}, false
	}
	f := tickwell.Field{Name: name}
	number := func() float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	switch r.kind {
	case tickwell.KindBool:
		f.Value = tickwell.BoolValue(text == "true")
	case tickwell.KindText:
		f.Value = tickwell.TextValue(text)
	default:
		f.Value = value(r.kind, number())
	}
	return f, true
}

func open(t testing.TB) *tickwell.DB {
	t.Helper()
	db, err := tickwell.Open(context.Background(), "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler), Seed: 1, Functions: Specs(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// insert stores r below root.d and returns the number of its series.
func (r rows) insert(t testing.TB, db *tickwell.DB) int {
	t.Helper()
	width := 0
	tab := &tickwell.Tablet{Device: "root.d"}
	for line := range strings.SplitSeq(r.text, ",") {
		cells := strings.Fields(line)
		if len(cells) == 0 {
			continue
		}
		at, err := strconv.ParseFloat(cells[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		width = max(width, len(cells)-1)
		var fields []tickwell.Field
		for i, c := range cells[1:] {
			if f, ok := r.cell(t, fmt.Sprint("s", i+1), c); ok {
				fields = append(fields, f)
			}
		}
		if err := tab.Append(time.Unix(0, int64(math.Round(at*float64(r.unit)))), fields...); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.InsertTablet(context.Background(), tab); err != nil {
		t.Fatal(err)
	}
	return width
}

type result struct {
	at    int64
	value tickwell.Value
}

// invoke calls a function, "name key=value …", over the series of root.d. In
// values, _ stands for a blank.
func invoke(t testing.TB, db *tickwell.DB, inputs int, call string) ([]result, error) {
	t.Helper()
	out, _, err := invokeKind(t, db, inputs, call)
	return out, err
}

// invokeKind also returns the kind of the output; 0 if the query cannot be
// planned.
func invokeKind(t testing.TB, db *tickwell.DB, inputs int, call string) (out []result, kind tickwell.Kind, err error) {
	t.Helper()
	parts := strings.Split(call, " ")
	var args []any
	for i := range inputs {
		args = append(args, expr.Col(fmt.Sprint("s", i+1)))
	}
	e := expr.Call(parts[0], args...)
	for _, p := range parts[1:] {
		k, v, _ := strings.Cut(p, "=")
		e = e.With(k, strings.ReplaceAll(v, "_", " "))
	}
	res, err := db.Query(context.Background(), tickwell.Query{Select: []expr.Expr{e}, From: []string{"root.d"}})
	if err != nil {
		return nil, 0, err
	}
	kind = res.Columns()[0].Kind
	for row, err := range res.Rows() {
		if err != nil {
			return nil, kind, err
		}
		out = append(out, result{row.UnixNano(), row.Value(0)})
	}
	return out, kind, nil
}

// run calls a function over r.
func run(t testing.TB, r rows, call string) []result {
	t.Helper()
	db := open(t)
	out, err := invoke(t, db, r.insert(t, db), call)
	if err != nil {
		t.Fatalf("%s: %v", call, err)
	}
	return out
}

// list shows results as "time value, …" with times in units; one of an
// aggregate, which has no time of its own, as its value.
func list(out []result, unit time.Duration) string {
	var b strings.Builder
	for i, p := range out {
		if i > 0 {
			b.WriteString(", ")
		}
		if unit > 0 {
			fmt.Fprint(&b, strconv.FormatFloat(float64(p.at)/float64(unit), 'g', -1, 64), " ")
		}
		if p.value.IsNull() {
			b.WriteString("null")
		} else {
			fmt.Fprint(&b, p.value)
		}
	}
	return b.String()
}

// like compares texts as list makes them; numbers may differ by tol, relative
// to their size where it is above 1.
func like(t testing.TB, what, got, want string, tol float64) {
	t.Helper()
	g := strings.FieldsFunc(got, func(r rune) bool { return r == ' ' || r == ',' })
	w := strings.FieldsFunc(want, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\t' })
	same := len(g) == len(w)
	for i := 0; same && i < len(g); i++ {
		x, err1 := strconv.ParseFloat(g[i], 64)
		y, err2 := strconv.ParseFloat(w[i], 64)
		if err1 != nil || err2 != nil || math.IsNaN(x) || math.IsNaN(y) {
			same = g[i] == w[i]
		} else {
			same = x == y || math.Abs(x-y) <= tol*max(1, math.Abs(y))
		}
		if !same {
			t.Errorf("%s: at %d: got %s, want %s", what, i, g[i], w[i])
		}
	}
	if !same {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// figure is a call with the result that a document or a formula gives.
type figure struct {
	from string // where the figures come from
	in   rows
	call string
	want string
	unit time.Duration // of the times in want; 0: values only
	tol  float64
}

func (f figure) check(t *testing.T) {
	t.Helper()
	like(t, f.call+" ("+f.from+")", list(run(t, f.in, f.call), f.unit), f.want, max(f.tol, 1e-12))
}

// refused checks that a call over r is an error that says each of words.
func refused(t *testing.T, r rows, call string, words ...string) {
	t.Helper()
	db := open(t)
	_, err := invoke(t, db, r.insert(t, db), call)
	if err == nil {
		t.Errorf("%s: no error", call)
		return
	}
	if !errors.Is(err, tickwell.ErrBadInput) && !errors.Is(err, tickwell.ErrKindMismatch) {
		t.Errorf("%s: %v is neither bad input nor a wrong kind", call, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: error %q does not say %q", call, err, w)
		}
	}
}

// fmtRow appends a row of one value to the text of rows.
func fmtRow(b []byte, at, v float64) []byte {
	b = strconv.AppendFloat(b, at, 'g', -1, 64)
	b = append(b, ' ')
	b = strconv.AppendFloat(b, v, 'g', -1, 64)
	return append(b, ',')
}
