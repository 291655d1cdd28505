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

// Of two deletes of the newest rows the one that was built first is logged last:
// the watermark does not go back with it, nor after a third.
func TestIncrementalDeletesOutOfOrder(t *testing.T) {
	ctx := context.Background()
	opts := &Options{FS: crashfs.New(), Clock: newFake(), Profile: killProfile()}
	db := openOnly(t, "data", opts)
	view := CQSpec{Name: "m", Lateness: time.Hour, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m", Columns: []string{"n"}}},
	}}
	must(t, db.CreateContinuousQuery(ctx, view))
	type built struct {
		marks cqMarks
		b     engine.Batch
	}
	build := func(at int64) *built {
		w := &built{}
		ser, _ := db.eng.Lookup("root.in.d", "s")
		w.b.Deletes = []engine.Delete{{Series: []*engine.Series{ser}, From: at * 1e9, To: at*1e9 + 1}}
		var table *cqTable
		table, w.marks = db.cqs.begin()
		w.marks.deletes(db, table, &w.b)
		w.marks.store(&w.b)
		return w
	}
	log := func(w *built) {
		_, err := db.eng.Commit(ctx, &w.b, false)
		must(t, err)
		w.marks.settle(db, nil)
	}
	reopen := func(want int64) {
		t.Helper()
		must(t, db.eng.Sync(ctx))
		// Not closed: a run would store the watermark.
		again := openOnly(t, "data", &Options{FS: opts.FS.(*crashfs.FS).Image(opts.FS.(*crashfs.FS).Ops(), crashfs.All, 1), Clock: newFake(), Profile: killProfile()})
		defer func() { must(t, again.Close()) }()
		if head := again.cqs.find("m").view.head; head != want*1e9 {
			t.Errorf("after the reopen rows have come to %d, want %d", head/1e9, want)
		}
	}
	cqPut(t, db, "root.in.d", 10, 1)
	first := build(10)
	cqPut(t, db, "root.in.d", 500, 1)
	second := build(500)
	log(second)
	log(first)
	reopen(500)
	cqPut(t, db, "root.in.d", 600, 1)
	log(build(600))
	reopen(600)
	must(t, db.Close())
}
