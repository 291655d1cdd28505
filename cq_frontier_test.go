package tickwell

import (
	"context"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

// A delete of the newest row is built while a run computes, and logged after it:
// what the run stored is known after a reopen, so that it can go with its rows.
func TestIncrementalDeleteBesideARun(t *testing.T) {
	ctx := context.Background()
	inRun := func() {}
	opts := &Options{FS: crashfs.New(), Clock: newFake(), Profile: killProfile(), Functions: []FunctionSpec{
		{Name: "summing", UDAF: func() UDAF { inRun(); return &mergedSum{} }},
	}}
	db := openOnly(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "m", OnChange: true, Query: Query{
		Select: []expr.Expr{expr.Call("summing", expr.Col("s")), expr.Count(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m", Columns: []string{"sum", "n"}}},
	}}))
	cqPut(t, db, "root.in.d", 10, 1)
	must(t, db.Quiesce(ctx))
	cqPut(t, db, "root.in.d", 70, 1)

	var under cqMarks
	var b engine.Batch
	inRun = func() {
		if b.Deletes != nil {
			return
		}
		ser, _ := db.eng.Lookup("root.in.d", "s")
		b.Deletes = []engine.Delete{{Series: []*engine.Series{ser}, From: 60e9, To: 200e9}}
		var table *cqTable
		table, under = db.cqs.begin()
		under.deletes(db, table, &b)
		under.store(&b)
	}
	_, err := db.pump(ctx, db.cqs.find("m"))
	must(t, err)
	inRun = func() {}
	cqRows(t, db, "root.m.n", "n@0=1 n@60=1")
	if b.Deletes == nil {
		t.Fatal("the run did not ask for the function")
	}
	_, err = db.eng.Commit(ctx, &b, false)
	must(t, err)
	under.settle(db, nil)

	must(t, db.Close())
	db = openOnly(t, "data", opts)
	defer func() { must(t, db.Close()) }()
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=1")
}
