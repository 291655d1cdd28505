package tickwell

import (
	"errors"
	"testing"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// TestFunctionOfOddCase: a function is called and dropped by the name it was
// given, also where the lower case of a letter's upper case is another letter.
func TestFunctionOfOddCase(t *testing.T) {
	ctx := t.Context()
	opts := Options{FS: vfs.NewMem(), FunctionClasses: map[string]FunctionSpec{"sum": {UDAF: func() UDAF { return &mergedSum{} }}}}
	db := openDir(t, "d", &opts)
	must(t, db.Insert(ctx, "root.d", ns(1), Float64("x", 1)))
	for _, name := range []string{"µs", "ſcale", "ıd", "plain"} {
		before := describe(t, db)
		must(t, db.RegisterFunction(ctx, FunctionSpec{Name: name, Class: "sum"}))
		_, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Call(name, expr.Col("x"))}, From: []string{"root.d"}})
		if err != nil {
			t.Errorf("call of %s: %v", name, err)
		}
		must(t, db.DropFunction(ctx, name))
		if after := describe(t, db); len(after) != len(before) {
			t.Errorf("%s is there after it was dropped", name)
		}
		if err := db.DropFunction(ctx, name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s dropped twice: %v", name, err)
		}
	}
}
