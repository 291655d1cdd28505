package tickwell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/crashfs"
)

func countEvery(name string, every time.Duration) CQSpec {
	return CQSpec{Name: name, Every: every, Query: Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: every}, Into: []Target{{Device: "root.out", Columns: []string{name}}}}}
}

func cqByName(t testing.TB, db *DB, name string) CQInfo {
	t.Helper()
	list, err := db.ContinuousQueries(context.Background())
	must(t, err)
	for q := range list {
		if q.Spec.Name == name {
			return q
		}
	}
	t.Fatalf("no continuous query %s", name)
	return CQInfo{}
}

// The columns a query writes are its own: on creation, after its first run with
// a template, and until it is dropped.
func TestCQOwnsItsTargets(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	must(t, db.CreateContinuousQuery(ctx, countEvery("n", 10*time.Second)))
	refused := func(path string, want bool) {
		t.Helper()
		device, name, _ := splitPath(path)
		err := db.Insert(ctx, device, time.Unix(1, 0), Int64(name, 1))
		if got := errors.Is(err, ErrReadOnly); got != want || !want && err != nil {
			t.Errorf("insert into %s: %v, refused should be %t", path, err, want)
		}
	}
	refused("root.out.n", true)
	refused("root.out.free", false)
	if err := db.Insert(ctx, "root.out", time.Unix(1, 0), Int64("free", 1), Int64("n", 1)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a row with an owned column: %v", err)
	}
	w, err := db.Writer("root.out", ColumnInfo{"n", KindInt64})
	must(t, err)
	if err := w.Insert(ctx, time.Unix(1, 0), Int64Value(1)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a writer: %v", err)
	}
	two := countEvery("two", 10*time.Second)
	q := two.Query.(Query)
	q.Into = []Target{{Device: "root.out", Columns: []string{"n"}}}
	two.Query = q
	if err := db.CreateContinuousQuery(ctx, two); !errors.Is(err, ErrExists) {
		t.Errorf("a second query into the same column: %v", err)
	}
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "copy", Every: 10 * time.Second, Query: Query{
		Select: []expr.Expr{expr.Col("s")}, From: []string{"root.in.*"}, Into: []Target{{Device: "root.copy.${2}", Columns: []string{"::"}}}}}))
	refused("root.copy.e.s", false) // no such series is read yet
	clock.Advance(time.Second)
	must(t, db.Quiesce(ctx))
	cqPut(t, db, "root.in.d", 2, 1)
	clock.Advance(9 * time.Second)
	must(t, db.Quiesce(ctx))
	if err := db.Insert(ctx, "root.copy.d", time.Unix(1, 0), Float64("s", 1)); !errors.Is(err, ErrReadOnly) {
		t.Errorf("insert into a target that a template made: %v", err)
	}
	must(t, db.DropContinuousQuery(ctx, "copy"))
	must(t, db.Insert(ctx, "root.copy.d", time.Unix(1, 0), Float64("s", 1)))
	must(t, db.DropContinuousQuery(ctx, "n"))
	refused("root.out.n", false)
}

// What a query writes fires triggers; a veto fails the run, which is repeated.
func TestCQFiresTriggersAndIsVetoed(t *testing.T) {
	ctx := context.Background()
	for _, incremental := range []bool{false, true} {
		clock := newFake()
		clock.Set(time.Unix(5, 0))
		veto := true
		var j journal
		db := openMem(t, &Options{Clock: clock, Triggers: []TriggerSpec{
			{Name: "veto", Pattern: "root.out.*", When: BeforeInsert, Trigger: pessimist{func(context.Context, *Firing) error {
				if veto {
					return errBoom
				}
				return nil
			}}},
			{Name: "see", Pattern: "root.out.*", When: AfterInsert, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
				j.add("%s", render(f.Tablet))
				return nil
			})},
		}})
		spec := countEvery("n", 10*time.Second)
		if incremental {
			spec.Every = 0
		}
		must(t, db.CreateContinuousQuery(ctx, spec))
		cqPut(t, db, "root.in.d", 2, 1)
		cqPut(t, db, "root.in.d", 11, 1)
		clock.Advance(5 * time.Second)
		must(t, db.Quiesce(ctx))
		if q := cqByName(t, db, "n"); q.State != "FAILING" || !errors.Is(q.LastErr, ErrRejected) {
			t.Errorf("incremental %t: %s, %v; want FAILING", incremental, q.State, q.LastErr)
		}
		cqRows(t, db, "root.out.*", "")
		j.want(t)
		veto = false
		clock.Advance(10 * time.Second)
		must(t, db.Quiesce(ctx))
		if got := rowsAt(t, db, "root.out.*"); !strings.HasPrefix(got, "n@0=1") {
			t.Errorf("incremental %t: stored %s", incremental, got)
		}
		if lines := j.take(); len(lines) == 0 || lines[0] != "root.out [0] n:1" {
			t.Errorf("incremental %t: fired with %v", incremental, lines)
		}
		if q := cqByName(t, db, "n"); !incremental && q.State != "ACTIVE" {
			t.Errorf("after it: %s", q.State)
		}
	}
}

type pessimist struct {
	f func(context.Context, *Firing) error
}

func (p pessimist) Fire(ctx context.Context, f *Firing) error { return p.f(ctx, f) }
func (pessimist) FailureStrategy() FailureStrategy            { return Pessimistic }

// A query that fails or panics says so, is tried again, and holds up nobody.
func TestCQFailureLeavesOthers(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(5, 0))
	db := openMem(t, &Options{Clock: clock})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "a-panics", Every: 10 * time.Second, Query: runFunc(func(context.Context, *CQRun) error { panic("boom") })}))
	must(t, db.Insert(ctx, "root.kind", time.Unix(1, 0), Text("n", "text")))
	kind := minuteView("b-kind")
	q := kind.Query.(Query)
	q.Into = []Target{{Device: "root.kind", Columns: []string{"n", "sum"}}}
	kind.Query = q
	must(t, db.CreateContinuousQuery(ctx, kind))
	must(t, db.CreateContinuousQuery(ctx, countEvery("d", 10*time.Second)))
	must(t, db.CreateContinuousQuery(ctx, minuteView("c-fine")))
	cqPut(t, db, "root.in.d", 2, 1)
	cqPut(t, db, "root.in.d", 61, 1)
	clock.Advance(5 * time.Second)
	must(t, db.Quiesce(ctx))
	var states []string
	list, err := db.ContinuousQueries(ctx)
	must(t, err)
	for q := range list {
		states = append(states, q.Spec.Name+" "+q.State)
	}
	if got, want := strings.Join(states, ", "), "a-panics FAILING, b-kind FAILING, c-fine ACTIVE, d ACTIVE"; got != want {
		t.Errorf("states %s, want %s", got, want)
	}
	var p *PanicError
	if err := cqByName(t, db, "a-panics").LastErr; !errors.As(err, &p) {
		t.Errorf("panic is listed as %v", err)
	}
	if err := cqByName(t, db, "b-kind").LastErr; !errors.Is(err, ErrKindMismatch) {
		t.Errorf("wrong kind is listed as %v", err)
	}
	cqRows(t, db, "root.m.*", "n@0=1 sum@0=1")
	cqRows(t, db, "root.out.d", "d@0=1")
}

// An incremental query that fails is FAILING, with its error, until it is mended:
// also while it waits before it tries again, and after Quiesce has tried.
func TestIncrementalStaysFailing(t *testing.T) {
	ctx := context.Background()
	clk := newFake()
	db := openMem(t, &Options{Clock: clk})
	put := func(f func(i int) Field) {
		for i := range 12 {
			must(t, db.Insert(ctx, "root.in.d", clk.Now(), f(i)))
			clk.Advance(10 * time.Second)
		}
	}
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Query: Query{From: []string{"root.in.d"}, Select: []expr.Expr{expr.Last(expr.Col("s"))},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.q", Columns: []string{"last"}}}}}))
	put(func(i int) Field { return Float64("s", float64(i)) })
	must(t, db.Quiesce(ctx))
	must(t, db.DropSeries(ctx, "root.in.d.s")) // of another kind from now on
	put(func(i int) Field { return Text("s", fmt.Sprint(i)) })
	for range 40 {
		must(t, db.Quiesce(ctx))
		if q := cqByName(t, db, "q"); q.State != "FAILING" || !errors.Is(q.LastErr, ErrKindMismatch) {
			t.Fatalf("%s, %v; want FAILING, as kinds differ", q.State, q.LastErr)
		}
		clk.Advance(500 * time.Millisecond)
	}
	must(t, db.DropSeries(ctx, "root.q.*"))
	clk.Advance(time.Hour)
	must(t, db.Quiesce(ctx))
	if q := cqByName(t, db, "q"); q.State != "ACTIVE" || q.LastErr != nil {
		t.Errorf("%s, %v; want ACTIVE once the targets are gone", q.State, q.LastErr)
	}
}

// Runs counts the runs of an incremental query that had something to compute,
// whoever began them, not those that only looked.
func TestIncrementalRuns(t *testing.T) {
	ctx := context.Background()
	clk := newFake()
	db := openMem(t, &Options{Clock: clk})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Query: Query{From: []string{"root.in.d"}, Select: []expr.Expr{expr.Last(expr.Col("s"))},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.q", Columns: []string{"last"}}}}}))
	for minute := range int64(10) {
		must(t, db.Insert(ctx, "root.in.d", clk.Now(), Float64("s", 1)))
		for range 6 {
			must(t, db.Quiesce(ctx))
			clk.Advance(10 * time.Second)
		}
		must(t, db.Quiesce(ctx))
		if q := cqByName(t, db, "q"); q.Runs != minute || q.Computed != minute || q.Failed != 0 {
			t.Fatalf("after %d rows, a minute apart: %d runs, %d windows, %d failed; want %d runs and windows", minute+1, q.Runs, q.Computed, q.Failed, minute)
		}
	}
}

// Definitions outlive the program: a Query goes on by itself, one of the
// program's own is listed until it is created again.
func TestCQDefinitionsAreStored(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(5, 0))
	opts := &Options{FS: memFS(), Clock: clock}
	db := openDir(t, "data", opts)
	spec := countEvery("n", 10*time.Second)
	spec.Text = "CREATE CQ n\n  BEGIN … END"
	must(t, db.CreateContinuousQuery(ctx, spec))
	own := CQSpec{Name: "Own", Every: 10 * time.Second, Query: runFunc(func(context.Context, *CQRun) error { return nil })}
	must(t, db.CreateContinuousQuery(ctx, own))
	must(t, db.Close())
	db = openDir(t, "data", opts)
	if q := cqByName(t, db, "Own"); q.State != "INACTIVE" || q.LastErr == nil {
		t.Errorf("the program's own: %s, %v", q.State, q.LastErr)
	}
	if q := cqByName(t, db, "n"); q.State != "ACTIVE" || q.Spec.Text != spec.Text || !reflect.DeepEqual(q.Spec, spec) {
		t.Errorf("restored as %+v", q)
	}
	cqPut(t, db, "root.in.d", 7, 1)
	clock.Advance(5 * time.Second)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "n@0=1")
	must(t, db.CreateContinuousQuery(ctx, own))
	if q := cqByName(t, db, "Own"); q.State != "ACTIVE" {
		t.Errorf("created again: %s", q.State)
	}
	must(t, db.CreateContinuousQuery(ctx, spec)) // still wanted
	if err := db.CreateContinuousQuery(ctx, spec); !errors.Is(err, ErrExists) {
		t.Errorf("twice: %v", err)
	}
	must(t, db.DropContinuousQuery(ctx, "Own"))
	must(t, db.DropContinuousQuery(ctx, "n"))
	must(t, db.Close())
	db = openDir(t, "data", opts)
	if n := db.Stats().ContinuousQueries; n != 0 {
		t.Errorf("%d queries after they were dropped", n)
	}
	cqRows(t, db, "root.out.*", "n@0=1")
}

// Pause, resume, alter, refresh and try of a scheduled query.
func TestCQManagement(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	spec := countEvery("n", 10*time.Second)
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	for i := range int64(60) {
		cqPut(t, db, "root.in.d", i, 1)
	}
	must(t, db.PauseContinuousQuery(ctx, "n"))
	clock.Advance(30 * time.Second)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "")
	if s := cqByName(t, db, "n").State; s != "PAUSED" {
		t.Errorf("state %s, want PAUSED", s)
	}
	must(t, db.ResumeContinuousQuery(ctx, "n"))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "n@0=10 n@10=10 n@20=10")
	cqPut(t, db, "root.in.d", 60, 1)
	must(t, db.Insert(ctx, "root.in.d", time.Unix(5, 5), Float64("s", 1)))
	must(t, db.RefreshContinuousQuery(ctx, "n", time.Unix(0, 0), time.Unix(10, 0)))
	cqRows(t, db, "root.out.*", "n@0=11 n@10=10 n@20=10")
	if q := cqByName(t, db, "n"); q.NextRun.Unix() != 40 {
		t.Errorf("next run at %v, want 40", q.NextRun.Unix())
	}
	spec.Every = 20 * time.Second // goes on after the run of 30 s: next at 40
	q := spec.Query.(Query)
	q.GroupBy = GroupByTime{Interval: 20 * time.Second}
	spec.Query = q
	must(t, db.AlterContinuousQuery(ctx, spec))
	clock.Advance(20 * time.Second)
	must(t, db.Quiesce(ctx))
	if got := rowsAt(t, db, "root.out.*"); !strings.Contains(got, "n@30=20") && !strings.Contains(got, "n@20=20") {
		t.Errorf("after alter: %s", got)
	}
	rows, err := db.TryContinuousQuery(ctx, countEvery("other", 10*time.Second), time.Unix(0, 0), time.Unix(20, 0))
	must(t, err)
	if len(rows) != 1 || render(rows[0]) != "root.out [0 10000000000] other:11,10" {
		t.Errorf("tried: %v", rows)
	}
	if _, ok := db.eng.Lookup("root.out", "other"); ok {
		t.Error("a try has stored something")
	}
	for op, err := range map[string]error{"pause": db.PauseContinuousQuery(ctx, "no"), "resume": db.ResumeContinuousQuery(ctx, "no"),
		"alter": db.AlterContinuousQuery(ctx, countEvery("no", time.Second)), "refresh": db.RefreshContinuousQuery(ctx, "no", time.Time{}, time.Time{})} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of an unknown query: %v", op, err)
		}
	}
}

// The live results of the Timeplus page: tumbling windows of 2 s by car, one
// event a row, with the end of the window as time and min over flags.
func TestCQEventsByCar(t *testing.T) {
	ctx := context.Background()
	var j journal
	db := openMem(t, &Options{Clock: newFake(), Sinks: []SinkSpec{{Name: "kafka", Sink: SinkFunc(func(_ context.Context, es []Event) error {
		for i := range es {
			e := &es[i]
			var fields []string
			for _, f := range e.Fields {
				fields = append(fields, f.Name+"="+f.Value.String())
			}
			j.add("%s %d %s", e.Series, e.Time.Unix(), strings.Join(fields, " "))
		}
		return nil
	})}}})
	col := expr.Col
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "cars", AtEnd: true, Sinks: []string{"kafka"}, Query: Query{
		Select: []expr.Expr{expr.Avg(col("speed_kmh")).As("speed_kmh"), expr.Max(col("total_km")).As("total_km"), expr.Avg(col("gas_percent")).As("gas_percent"),
			expr.Min(col("locked")).As("locked"), expr.Min(col("in_use")).As("in_use")},
		From: []string{"root.car.*"}, GroupBy: GroupByTime{Interval: 2 * time.Second}, AlignByDevice: true,
	}}))
	drive := func(car string, sec int64, speed, km, gas float64, locked, used bool) {
		must(t, db.Insert(ctx, "root.car."+car, time.Unix(sec, 0), Float64("speed_kmh", speed), Float64("total_km", km), Float64("gas_percent", gas),
			Bool("locked", locked), Bool("in_use", used)))
	}
	drive("c1", 0, 40, 100, 50, true, true)
	drive("c1", 1, 60, 101, 48, false, true)
	drive("c2", 1, 10, 7, 90, true, false)
	drive("c1", 2, 50, 102, 47, false, true)
	must(t, db.Quiesce(ctx))
	j.want(t, "root.car.c1 2 speed_kmh=50 total_km=101 gas_percent=49 locked=false in_use=true",
		"root.car.c2 2 speed_kmh=10 total_km=7 gas_percent=90 locked=true in_use=false")
}

// Each run is logged at Debug with its name, range and number of rows.
func TestCQLogsItsRuns(t *testing.T) {
	if SmallProgram {
		t.Skip("reads what went to Options.Logger")
	}
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	var log bytes.Buffer
	db := openMem(t, &Options{Clock: clock, CQWorkers: 1, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	must(t, db.CreateContinuousQuery(ctx, countEvery("n", 10*time.Second)))
	cqPut(t, db, "root.in.d", 2, 1)
	clock.Advance(10 * time.Second)
	must(t, db.Quiesce(ctx))
	must(t, db.Close())
	if want := `level=DEBUG msg="continuous query ran" cq=n at=1970-01-01T00:00:10.000Z start=1970-01-01T00:00:00.000Z end=1970-01-01T00:00:10.000Z rows=1`; !strings.Contains(log.String(), want) {
		t.Errorf("log:\n%s\nhas no line with\n%s", log.String(), want)
	}
}

func everyClause() []CQSpec {
	c := expr.Col("s")
	q := Query{Select: []expr.Expr{expr.Sum(c).As("x"), c.Add(1)}, From: []string{"root.*", "root.b"}, Where: c.Gt(3).And(c.Lt(9)), Levels: []int{1, 2}, Having: expr.Sum(c).Gt(0),
		Fill: Fill{Value: TextValue("none")}, OrderBy: []Order{{By: expr.Time(), Desc: true, NullsFirst: true}}, Limit: 1, Offset: 2, SeriesLimit: 3, SeriesOffset: 4,
		AlignByDevice: true, DisableAlign: true, Last: true, Zone: "Europe/Berlin", Into: []Target{{Device: "root.out.::", Columns: []string{"a", "${2}"}}}}
	var all []CQSpec
	for _, g := range []GroupBy{nil, GroupByTime{time.Second, time.Minute, 1, 2, true}, GroupByVariation{c, 1.5, true}, GroupByCondition{c.Gt(1), expr.OpGe, 3, true},
		GroupBySession{time.Hour}, GroupByCount{c, 5, true}} {
		q := q
		q.GroupBy = g
		all = append(all, CQSpec{Name: "n", Text: "text", Query: q, Every: 1, Boundary: time.Unix(2, 0).UTC(), StartOffset: 3, EndOffset: 4, Cron: "* * * * *", Policy: Discard,
			Lateness: 5, IdleTimeout: 6, OnChange: true, Origin: time.Unix(7, 0).UTC(), From: time.Unix(8, 0).UTC(), AtEnd: true, Sinks: []string{"a", "b"}})
	}
	return append(all, CQSpec{Name: "bare"})
}

// A stored definition comes back as it was; damaged ones are errors.
func TestCQCodec(t *testing.T) {
	for i, s := range everyClause() {
		b := encodeCQ(&s)
		got, err := decodeCQ(b)
		must(t, err)
		if want, have := fmt.Sprintf("%+v", s), fmt.Sprintf("%+v", got); want != have {
			t.Errorf("%d: got\n%s\nwant\n%s", i, have, want)
		}
		if !bytes.Equal(encodeCQ(&got), b) {
			t.Errorf("%d: encodes differently", i)
		}
		for n := range b {
			if _, err := decodeCQ(b[:n]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%d: the first %d bytes: %v", i, n, err)
			}
		}
	}
}

func FuzzDecodeCQ(f *testing.F) {
	for _, s := range everyClause() {
		f.Add(encodeCQ(&s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := decodeCQ(b); err == nil {
			encodeCQ(&s)
		}
	})
}

func TestOverlap(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"root.a.b", "root.a.b", true}, {"root.a.b", "root.a.c", false}, {"root.a.*", "root.a.c", true}, {"root.**", "root.a", true}, {"root.**", "root", false},
		{"root.**.x", "root.*.b.*", true}, {"root.**.x", "root.*.b.y", false}, {"root.out.**.t", "root.ln.*.*.t", false}, {"root.a*.x", "root.b.x", true},
		{"**", "**.s", true}, {"root.`a.b`.c", "root.a.b.c", false}, {"root.`*`.c", "root.x.c", false},
	} {
		if got := overlap(c.a, c.b); got != c.want || overlap(c.b, c.a) != got {
			t.Errorf("%s and %s overlap: %t, want %t", c.a, c.b, got, c.want)
		}
	}
}

// What cannot be computed incrementally is refused with the reason.
func TestIncrementalRefused(t *testing.T) {
	if SmallProgram {
		t.Skip("has windows that depend on rows")
	}
	db := openMem(t, nil)
	base := minuteView("m")
	for name, c := range map[string]struct {
		change func(*CQSpec, *Query)
		says   string
	}{
		"order":                {func(_ *CQSpec, q *Query) { q.OrderBy = []Order{{By: expr.Time(), Desc: true}} }, "ORDER BY"},
		"limit":                {func(_ *CQSpec, q *Query) { q.Limit = 1 }, "LIMIT"},
		"fill":                 {func(_ *CQSpec, q *Query) { q.Fill.Previous = true }, "FILL"},
		"constant":             {func(_ *CQSpec, q *Query) { q.Fill.Value = Int64Value(1) }, "FILL"},
		"session of an origin": {func(s *CQSpec, q *Query) { q.GroupBy, s.Origin = GroupBySession{time.Second}, time.Unix(1, 0) }, "Origin"},
		"session at its end":   {func(s *CQSpec, q *Query) { q.GroupBy, s.AtEnd = GroupBySession{time.Second}, true }, "end of a window"},
		"count of nothing":     {func(_ *CQSpec, q *Query) { q.GroupBy = GroupByCount{By: expr.Col("s")} }, "size"},
		"no group":             {func(_ *CQSpec, q *Query) { q.GroupBy = nil }, "every interval and the group by interval"},
		"day 31": {func(s *CQSpec, q *Query) {
			q.GroupBy, s.Origin = GroupByTime{IntervalMonths: 1}, time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
		}, "day 31"},
		"lateness":  {func(s *CQSpec, _ *Query) { s.Lateness = -1 }, "lateness"},
		"scheduled": {func(s *CQSpec, _ *Query) { s.Lateness, s.Every = time.Second, time.Minute }, "incremental"},
		"no into":   {func(_ *CQSpec, q *Query) { q.Into = nil }, "INTO"},
	} {
		s, q := base, base.Query.(Query)
		c.change(&s, &q)
		s.Query = q
		if err := db.CreateContinuousQuery(context.Background(), s); !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want one that says %q", name, err, c.says)
		}
	}
}

// What is deleted while a query is altered is seen by the new definition.
func TestIncrementalAlterWhileDeleting(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	spec := minuteView("m")
	spec.OnChange = true
	must(t, db.CreateContinuousQuery(ctx, spec))
	for i := range 60 {
		for n := range int64(20) {
			cqPut(t, db, "root.in.d", 60*n, 1)
		}
		must(t, db.Quiesce(ctx))
		altered := make(chan error)
		go func() {
			s := spec
			s.Text = fmt.Sprint("text ", i)
			altered <- db.AlterContinuousQuery(ctx, s)
		}()
		for n := range int64(20) {
			must(t, db.Delete(ctx, "root.in.d.s", time.Unix(60*n, 0), time.Unix(60*n+1, 0)))
		}
		must(t, <-altered)
		must(t, db.Quiesce(ctx))
		if got := rowsAt(t, db, "root.m.n"); got != "" {
			t.Fatalf("stored in round %d though all rows are deleted: %s", i, got)
		}
	}
}

// Into has a place for each column of Select, of which some have no series yet:
// the query is created, altered, and stores its results once they are there.
func TestCQIntoAwaitsSeries(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	q := Query{
		Select: []expr.Expr{expr.Sum(expr.Col("s")), expr.Sum(expr.Col("later"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m", Columns: []string{"a", "b"}}},
	}
	spec := CQSpec{Name: "m", OnChange: true, Query: q}
	must(t, db.Insert(ctx, "root.in.d", ns(10e9), Float64("s", 1)))
	must(t, db.CreateContinuousQuery(ctx, spec))
	spec.Text = "altered"
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.Insert(ctx, "root.in.d", ns(20e9), Float64("later", 2)))
	must(t, db.Insert(ctx, "root.in.d", ns(70e9), Float64("s", 3), Float64("later", 4)))
	must(t, db.RefreshContinuousQuery(ctx, "m", ns(0), ns(120e9)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "a@0=1 a@60=3 b@0=2 b@60=4")

	q.Into = []Target{{Device: "root.n", Columns: []string{"a"}}}
	if err := db.CreateContinuousQuery(ctx, CQSpec{Name: "short", OnChange: true, Query: q}); !errors.Is(err, ErrBadInput) {
		t.Errorf("two columns into one, all series there: %v, want %v", err, ErrBadInput)
	}
}

// A query that is dropped while a record is under way, and whose drop is not waited
// for, is gone after a reopen too; one that could not be dropped goes on.
func TestCQDropIsWhole(t *testing.T) {
	disk := crashfs.New()
	opts := &Options{Clock: newFake(), FS: disk, Sync: SyncAlways(), Profile: killProfile()}
	db := openOnly(t, "data", opts)
	ctx := context.Background()
	for _, name := range []string{"q", "stays"} {
		spec := lowest(10 * time.Second)
		query := spec.Query.(Query)
		spec.Name, query.Into = name, []Target{{Device: "root." + name, Columns: []string{"min"}}}
		spec.Query = query
		must(t, db.CreateContinuousQuery(ctx, spec))
	}
	_, under := db.cqs.begin()
	brief, cancel := context.WithCancel(ctx)
	dropped := make(chan error)
	go func() { dropped <- db.DropContinuousQuery(brief, "q") }()
	for db.cqs.find("q") != nil {
		runtime.Gosched()
	}
	cancel()
	err := <-dropped
	under.settle(db, nil)
	must(t, db.Close())
	db = openOnly(t, "data", opts)
	if there := db.cqs.find("q") != nil; there != (err != nil) {
		t.Errorf("its drop returned %v; there after a reopen: %t", err, there)
	}
	must(t, db.Insert(ctx, "root.q", time.Unix(0, 0), Float64("min", 1))) // is nobody's

	cqPut(t, db, "root.in.d", 5, 5)
	must(t, db.Quiesce(ctx))
	disk.Fail(1, nil, true, func(op crashfs.Op) bool { return op.Kind == crashfs.Write || op.Kind == crashfs.Sync })
	if err := db.Insert(ctx, "root.other", time.Unix(0, 0), Float64("s", 1)); err == nil {
		t.Error("inserted without a disk")
	}
	if err := db.DropContinuousQuery(ctx, "stays"); err == nil {
		t.Error("dropped without a disk")
	}
	if db.cqs.find("stays") == nil || len(db.cqs.targetsOf("stays")) != 1 {
		t.Error("gone, though it is stored")
	}
	disk.Heal()
	db.Close()
	db = openOnly(t, "data", opts)
	defer db.Close()
	if db.cqs.find("stays") == nil {
		t.Error("gone after a reopen")
	}
	cqRows(t, db, "root.stays.*", "min@0=5")
}
