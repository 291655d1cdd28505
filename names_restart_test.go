package tickwell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// oddNames are what a program may call its parts, if it is let.
var oddNames = []string{
	"a", "a b", " a", "a ", "\ta", "a\t", " ", "a\nb", "\n", "a\rb", "a\x00b", "a\x00", "\x00", "\x01", "\x7f", "\xff", "a\xffb", "\xc3\x28",
	"é", "e\u0301", "\u202e", "\u2028", "\ufeffa", "日本", "A", "İ", "ı", "ſ", "K", "ß", "a/b", "a/", "/", "`", "``", "`a`", "a`b", ".", "..", "a.b",
	"'", "\"", "*", "**", "root.*", "%", "\\", "a=b", "a,b", "NULL", "1", strings.Repeat("x", 10_000), strings.Repeat("é", 10_000),
}

// TestNamesOutliveRestart: what a name is given to is there again after Close and
// Open under the same name with its sinks, parameters and state, or the name is
// refused with ErrBadInput when it is given.
func TestNamesOutliveRestart(t *testing.T) {
	ctx := t.Context()
	fs := vfs.NewMem()
	opts := Options{FS: fs, Classes: map[string]func() Trigger{}, FunctionClasses: map[string]FunctionSpec{}}
	for _, n := range oddNames {
		opts.Classes[n] = func() Trigger {
			return TriggerFunc(func(ctx context.Context, f *Firing) error {
				old, _ := f.Get("k")
				f.Put("k", append(old, 'x'))
				return nil
			})
		}
		opts.FunctionClasses[n] = FunctionSpec{UDAF: func() UDAF { return &mergedSum{} }}
	}
	db := openDir(t, "d", &opts)
	var given []string
	give := func(kind, name string, err error) bool {
		switch {
		case err == nil:
			given = append(given, kind+name)
			return true
		case kind == "function " && errors.Is(err, ErrExists): // of names that differ in case only
		case !errors.Is(err, ErrBadInput):
			t.Errorf("%s %.40q: %v", kind, name, err)
		}
		return false
	}
	var sinks []string
	for _, n := range oddNames {
		spec := SinkSpec{Name: n, Sink: SinkFunc(func(context.Context, []Event) error { return nil })}
		if give("sink ", n, db.AddSink(ctx, spec)) {
			sinks = append(sinks, n)
			opts.Sinks = append(opts.Sinks, spec)
		}
	}
	for i, n := range oddNames {
		give("trigger ", n, db.CreateTrigger(ctx, TriggerSpec{Name: n, Pattern: "root.d.*", Class: n, Sinks: sinks, Text: n, Params: Params{n: n}}))
		give("query ", n, db.CreateContinuousQuery(ctx, CQSpec{Name: n, Sinks: sinks, Query: Query{
			Select: []expr.Expr{expr.Call("avg", expr.Col("x"))}, From: []string{"root.d"}, GroupBy: GroupByTime{Interval: 10},
			Into: []Target{{Device: fmt.Sprint("root.out.x", i), Columns: []string{"m"}}}}}))
		give("function ", n, db.RegisterFunction(ctx, FunctionSpec{Name: n, Class: n}))
	}
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("x", 1)))
	must(t, db.Quiesce(ctx))
	want := describe(t, db)
	must(t, db.Close())
	db = openDir(t, "d", &opts)
	got := describe(t, db)
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got[k] != want[k] {
			t.Errorf("%.60q\n%.300q, was\n%.300q", k, got[k], want[k])
		}
		delete(got, k)
	}
	for k, v := range got {
		t.Errorf("new: %.60q %.300q", k, v)
	}
	for _, k := range given {
		if want[k] == "" && !strings.HasPrefix(k, "function ") {
			t.Errorf("not listed: %.60q", k)
		}
	}
}

// describe says of all that has a name what a restart must keep.
func describe(t *testing.T, db *DB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for tr := range db.Triggers() {
		v, _ := db.eng.Get(db.triggers.Load().find(tr.Spec.Name).stateKey("k"))
		out["trigger "+tr.Spec.Name] = fmt.Sprintf("%s %v %q %q %q %q %q", tr.State, tr.Err, tr.Spec.Class, tr.Spec.Text, tr.Spec.Params, tr.Spec.Sinks, v)
	}
	queries, err := db.ContinuousQueries(t.Context())
	must(t, err)
	for q := range queries {
		out["query "+q.Spec.Name] = fmt.Sprintf("%s %q %v", q.State, q.Spec.Sinks, q.Spec.Query)
	}
	for f := range db.Functions() {
		out["function "+f.Name] = fmt.Sprint(f)
	}
	for _, s := range db.Stats().Sinks {
		out["sink "+s.Name] = "there"
	}
	return out
}
