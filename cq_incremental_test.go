package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// minuteView is an incremental query: count and sum of root.in.*.s by minute.
func minuteView(name string) CQSpec {
	return CQSpec{Name: name, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s")), expr.Sum(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m", Columns: []string{"n", "sum"}}},
	}}
}

func cqPut(t testing.TB, db *DB, device string, sec int64, v float64) {
	t.Helper()
	must(t, db.Insert(context.Background(), device, time.Unix(sec, 0), Float64("s", v)))
}

// rowsAt prints the points under a pattern with seconds as times.
func rowsAt(t testing.TB, db *DB, pattern string) string {
	t.Helper()
	var out []string
	for _, line := range dump(t, db, pattern) {
		path, rest, _ := strings.Cut(line, "@")
		at, v, _ := strings.Cut(rest, "=")
		var ns int64
		fmt.Sscan(at, &ns)
		out = append(out, fmt.Sprintf("%s@%d=%s", path[strings.LastIndexByte(path, '.')+1:], ns/1e9, v))
	}
	return strings.Join(out, " ")
}

func cqRows(t testing.TB, db *DB, pattern, want string) {
	t.Helper()
	if got := rowsAt(t, db, pattern); got != want {
		t.Errorf("stored under %s: %s\nwant: %s", pattern, got, want)
	}
}

// A window is stored when it is over, again when rows in it change, and goes
// when its rows go.
func TestIncrementalWindows(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	cqPut(t, db, "root.in.d", 10, 1)
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	cqPut(t, db, "root.in.d", 20, 2)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "") // not over
	cqPut(t, db, "root.in.d", 60, 5)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=2 sum@0=3")
	cqPut(t, db, "root.in.d", 130, 7)
	cqPut(t, db, "root.in.d", 30, 4) // late
	cqPut(t, db, "root.in.d", 10, 9) // overwrites
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=3 n@60=1 sum@0=15 sum@60=5")
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(60, 0), time.Unix(61, 0)))
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(10, 0), time.Unix(21, 0)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=1 sum@0=4")
	must(t, db.DropSeries(ctx, "root.in.d.s"))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "")
	list, err := db.ContinuousQueries(ctx)
	must(t, err)
	for q := range list {
		if !q.Incremental || q.State != "ACTIVE" || q.Dirty != 1 || q.Failed != 0 {
			t.Errorf("listed %+v", q)
		}
	}
}

// Changes are computed without anybody waiting for it, soon after.
func TestIncrementalRunsByItself(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	ran := make(chan CQRunInfo, 10)
	db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { ran <- i }}})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	cqPut(t, db, "root.in.d", 10, 1)
	cqPut(t, db, "root.in.d", 70, 1)
	clock.Advance(cqDelay)
	if i := <-ran; i.Name != "m" || i.Start.Unix() != 0 || i.End.Unix() != 60 || i.Err != nil {
		t.Errorf("ran %+v", i)
	}
	clock.Advance(time.Hour)
	must(t, db.Quiesce(ctx))
	if len(ran) != 0 {
		t.Errorf("ran again: %+v", <-ran)
	}
}

// Lateness holds windows back; the idle timeout ends them.
func TestIncrementalLatenessAndIdle(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	db := openMem(t, &Options{Clock: clock})
	spec := minuteView("m")
	spec.Lateness, spec.IdleTimeout = 30*time.Second, 10*time.Second
	must(t, db.CreateContinuousQuery(ctx, spec))
	cqPut(t, db, "root.in.d", 10, 1)
	cqPut(t, db, "root.in.d", 89, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "")
	cqPut(t, db, "root.in.d", 90, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=1")
	clock.Advance(10 * time.Second)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=1 n@60=2")
}

// A window that is not over yet is stored too with OnChange.
func TestIncrementalOnChange(t *testing.T) {
	ctx := context.Background()
	var j journal
	db := openMem(t, &Options{Clock: newFake(), Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, es []Event) error {
		for i := range es {
			e := &es[i]
			j.add("%d r%d n=%s sum=%s %s", e.Time.Unix(), e.Revision, e.Get("n"), e.Get("sum"), e.Notes["retracted"])
		}
		return nil
	})}}})
	spec := minuteView("m")
	q := spec.Query.(Query)
	q.Select = []expr.Expr{q.Select[0].As("n"), q.Select[1].As("sum")}
	spec.Query, spec.OnChange, spec.Sinks = q, true, []string{"s"}
	must(t, db.CreateContinuousQuery(ctx, spec))
	step := func(stored string, events ...string) {
		t.Helper()
		must(t, db.Quiesce(ctx))
		cqRows(t, db, "root.m.*", stored)
		j.want(t, events...)
	}
	cqPut(t, db, "root.in.d", 10, 1)
	step("n@0=1 sum@0=1", "0 r0 n=1 sum=1 ")
	cqPut(t, db, "root.in.d", 11, 2)
	step("n@0=2 sum@0=3", "0 r1 n=2 sum=3 ")
	cqPut(t, db, "root.in.d", 11, 2) // the same again: no revision
	step("n@0=2 sum@0=3")
	must(t, db.Delete(ctx, "root.in.*.*", time.Time{}, time.Time{}))
	step("", "0 r2 n=null sum=null true")
	cqPut(t, db, "root.in.d", 11, 2)
	step("n@0=1 sum@0=2", "0 r3 n=1 sum=2 ")
}

// A hierarchy follows a change at the bottom, and a cycle is refused.
func TestIncrementalHierarchy(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	hour := CQSpec{Name: "a-hour", Query: Query{Select: []expr.Expr{expr.Sum(expr.Col("n")), expr.Sum(expr.Col("sum"))}, From: []string{"root.m"},
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.h", Columns: []string{"n", "sum"}}}}}
	must(t, db.CreateContinuousQuery(ctx, hour))
	for i := int64(0); i < 2*3600+61; i += 20 {
		cqPut(t, db, "root.in.d", i, 1)
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.h.*", "n@0=180 n@3600=180 sum@0=180 sum@3600=180")
	cqPut(t, db, "root.in.d", 5, 10)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.h.*", "n@0=181 n@3600=180 sum@0=190 sum@3600=180")
	back := CQSpec{Name: "back", Query: Query{Select: []expr.Expr{expr.Sum(expr.Col("n"))}, From: []string{"root.h"},
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.in.d", Columns: []string{"s"}}}}}
	if err := db.CreateContinuousQuery(ctx, back); !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), "back → m → a-hour → back") {
		t.Errorf("a cycle: got %v", err)
	}
	self := minuteView("self")
	q := self.Query.(Query)
	q.Into = []Target{{Device: "root.in.d", Columns: []string{"s", "x"}}}
	self.Query = q
	if err := db.CreateContinuousQuery(ctx, self); !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), "own input") {
		t.Errorf("a query of its own results: got %v", err)
	}
}

// Natural months in a zone, and windows that overlap.
func TestIncrementalGrids(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	count := func(name string, g GroupByTime, zone string) CQSpec {
		return CQSpec{Name: name, OnChange: true, Query: Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"}, GroupBy: g, Zone: zone,
			Into: []Target{{Device: "root." + name, Columns: []string{"n"}}}}}
	}
	must(t, db.CreateContinuousQuery(ctx, count("month", GroupByTime{IntervalMonths: 1}, "Europe/Berlin")))
	must(t, db.CreateContinuousQuery(ctx, count("slide", GroupByTime{Interval: time.Minute, Step: 20 * time.Second}, "")))
	must(t, db.CreateContinuousQuery(ctx, count("gap", GroupByTime{Interval: 20 * time.Second, Step: time.Minute}, "")))
	end := count("late", GroupByTime{Interval: time.Minute}, "")
	end.AtEnd = true
	must(t, db.CreateContinuousQuery(ctx, end))
	base := time.Date(2026, 3, 31, 21, 59, 50, 0, time.UTC).Unix() // Berlin: 23:59:50
	for i := range int64(3) {
		cqPut(t, db, "root.in.d", base+10*i, 1)
	}
	must(t, db.Quiesce(ctx))
	march, april := time.Date(2026, 2, 28, 23, 0, 0, 0, time.UTC).Unix(), time.Date(2026, 3, 31, 22, 0, 0, 0, time.UTC).Unix()
	cqRows(t, db, "root.month.*", fmt.Sprintf("n@%d=1 n@%d=2", march, april))
	cqRows(t, db, "root.slide.*", fmt.Sprintf("n@%d=1 n@%d=3 n@%d=3 n@%d=2", april-60, april-40, april-20, april))
	cqRows(t, db, "root.gap.*", fmt.Sprintf("n@%d=2", april))
	cqRows(t, db, "root.late.*", fmt.Sprintf("n@%d=1 n@%d=2", april, april+60))
}

// The marks of what is dirty are in the log: after a crash or a reopen nothing
// is missing and nothing is computed that is clean.
func TestIncrementalAfterReopen(t *testing.T) {
	ctx := context.Background()
	fs := memFS()
	var runs []string
	opts := &Options{FS: fs, Clock: newFake(), Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, fmt.Sprintf("%d-%d", i.Start.Unix(), i.End.Unix())) }}}
	db := openDir(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	for i := range int64(600) {
		cqPut(t, db, "root.in.d", i, 1)
	}
	must(t, db.Quiesce(ctx))
	must(t, db.PauseContinuousQuery(ctx, "m"))
	cqPut(t, db, "root.in.d", 125, 100)
	must(t, db.Close())
	runs = nil
	db = openDir(t, "data", opts) // the query goes on by itself
	must(t, db.Quiesce(ctx))
	if len(runs) != 0 {
		t.Errorf("a paused query ran: %v", runs)
	}
	list, err := db.ContinuousQueries(ctx)
	must(t, err)
	for q := range list {
		if q.State != "PAUSED" || q.Dirty != 2 || q.Spec.Name != "m" || !q.Incremental {
			t.Errorf("listed %+v", q)
		}
	}
	must(t, db.ResumeContinuousQuery(ctx, "m"))
	must(t, db.Quiesce(ctx))
	if got := strings.Join(runs, " "); got != "120-180" {
		t.Errorf("computed %s, want 120-180", got)
	}
	res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Col("root.m.sum")}})
	must(t, err)
	var got []string
	for r, err := range res.Rows() {
		must(t, err)
		got = append(got, r.Value(0).String())
	}
	if want := []string{"60", "60", "159", "60", "60", "60", "60", "60", "60"}; !slices.Equal(got, want) {
		t.Errorf("sums %v, want %v", got, want)
	}
}
