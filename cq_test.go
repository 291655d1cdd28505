package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// The nine rows of the 1.2 page's use case, UTC+8.
var pageRows = []struct {
	at                 string
	wf02wt02, wf02wt01 float64
	wf01wt02, wf01wt01 float64
}{
	{"22:18:14.598", 121, 72, 183, 115},
	{"22:18:19.941", 0, 68, 68, 103},
	{"22:18:24.949", 122, 45, 11, 14},
	{"22:18:29.967", 47, 14, 59, 181},
	{"22:18:34.979", 182, 113, 29, 180},
	{"22:18:39.990", 42, 11, 52, 19},
	{"22:18:44.995", 78, 38, 123, 52},
	{"22:18:49.999", 137, 172, 135, 193},
	{"22:18:55.003", 16, 124, 183, 18},
}

func pageTime(clock string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, "2021-05-11T"+clock+"+08:00")
	if err != nil {
		panic(err)
	}
	return at
}

func pageInsert(t testing.TB, db *DB, from, to string) {
	t.Helper()
	for _, r := range pageRows {
		if r.at < from || r.at >= to {
			continue
		}
		for _, c := range []struct {
			device string
			v      float64
		}{{"root.ln.wf02.wt02", r.wf02wt02}, {"root.ln.wf02.wt01", r.wf02wt01}, {"root.ln.wf01.wt02", r.wf01wt02}, {"root.ln.wf01.wt01", r.wf01wt01}} {
			must(t, db.Insert(context.Background(), c.device, pageTime(r.at), Float64("temperature", c.v)))
		}
	}
}

var pageInto = []Target{
	{Device: "root.ln.wf02.wt02", Columns: []string{"temperature_max"}}, {Device: "root.ln.wf02.wt01", Columns: []string{"temperature_max"}},
	{Device: "root.ln.wf01.wt02", Columns: []string{"temperature_max"}}, {Device: "root.ln.wf01.wt01", Columns: []string{"temperature_max"}},
}

// renderRun prints a run as the page does: due time, range, then a line per row.
func renderRun(i CQRunInfo) string {
	zone := time.FixedZone("", 8*3600)
	const clock = "15:04:05"
	s := fmt.Sprintf("at %s [%s, %s)", i.At.In(zone).Format(clock), i.Start.In(zone).Format(clock), i.End.In(zone).Format(clock))
	rows := make(map[int64][]string)
	var times []int64
	for _, t := range i.Rows {
		for r := range t.Rows() {
			at := r.UnixNano()
			if rows[at] == nil {
				times = append(times, at)
			}
			rows[at] = append(rows[at], r.Get("temperature_max").String())
		}
	}
	for _, at := range times {
		s += fmt.Sprintf(" | %s %s", time.Unix(0, at).In(zone).Format(clock), strings.Join(rows[at], " "))
	}
	return s
}

// cq1 of the page: EVERY 20s, GROUP BY(10s), positional INTO.
func TestCQ1OfThePage(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(pageTime("22:18:14.000"))
	var runs []string
	db := openMem(t, &Options{
		Clock:    clock,
		Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, renderRun(i)) }},
	})
	pageInsert(t, db, "22:18:14", "22:18:15") // the series exist, in the page's order
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "cq1", Every: 20 * time.Second, Query: Query{
		Select: []expr.Expr{expr.Call("max_value", expr.Col("temperature"))}, From: []string{"root.ln.*.*"},
		GroupBy: GroupByTime{Interval: 10 * time.Second}, Into: pageInto,
	}}))
	clock.Advance(5*time.Second + 900*time.Millisecond) // 22:18:19.9: the run of 18:20 is not due
	pageInsert(t, db, "22:18:20", "22:18:40")
	clock.Advance(20*time.Second + 100*time.Millisecond)
	must(t, db.Quiesce(ctx))
	pageInsert(t, db, "22:18:40", "22:19:00")
	clock.Advance(20 * time.Second)
	must(t, db.Quiesce(ctx))
	want := []string{
		"at 22:18:20 [22:18:00, 22:18:20) | 22:18:10 121 72 183 115",
		"at 22:18:40 [22:18:20, 22:18:40) | 22:18:20 122 45 59 181 | 22:18:30 182 113 52 180",
		"at 22:19:00 [22:18:40, 22:19:00) | 22:18:40 137 172 135 193 | 22:18:50 16 124 183 18",
	}
	for i, w := range want {
		if i >= len(runs) || runs[i] != w {
			t.Fatalf("runs:\n%s\nwant:\n%s", strings.Join(runs, "\n"), strings.Join(want, "\n"))
		}
	}
	var last time.Time
	all, err := db.ContinuousQueries(ctx)
	must(t, err)
	for q := range all {
		last = q.LastRun
		if q.Spec.Name != "cq1" || q.State != "ACTIVE" || q.Runs != 3 || q.LastErr != nil {
			t.Errorf("listed %+v", q)
		}
	}
	if !last.Equal(pageTime("22:19:00.000")) {
		t.Errorf("last run is %s, want 22:19:00", last)
	}
}

// A continuous query that comes back after a restart runs what it missed
// (Blocked) or only the newest (Discard).
func TestCQAfterRestart(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		policy TimeoutPolicy
		want   []string
	}{
		{Blocked, []string{"20", "30", "40", "50"}},
		{Discard, []string{"20", "50"}},
	} {
		clock := newFake()
		clock.Set(time.Unix(15, 0))
		var runs []string
		fs := memFS()
		opts := &Options{FS: fs, Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) { runs = append(runs, fmt.Sprint(i.At.Unix())) }},
			ContinuousQueries: []CQSpec{{Name: "n", Every: 10 * time.Second, Policy: c.policy, Query: Query{
				Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.d"}, GroupBy: GroupByTime{Interval: 10 * time.Second},
				Into: []Target{{Device: "root.out", Columns: []string{"n"}}}}}}}
		db := openDir(t, "data", opts)
		for i := int64(11); i < 50; i++ {
			must(t, db.Insert(ctx, "root.d", time.Unix(i, 0), Float64("s", 1)))
		}
		clock.Advance(6 * time.Second)
		must(t, db.Quiesce(ctx))
		must(t, db.Close())
		clock.Advance(30*time.Second - time.Second) // 50 s
		db = openDir(t, "data", opts)
		must(t, db.Quiesce(ctx))
		if got := fmt.Sprint(runs); got != fmt.Sprint(c.want) {
			t.Errorf("%s: runs at %s, want %s", c.policy, got, c.want)
		}
		must(t, db.Close())
	}
}

// runFunc lets a function be a ContinuousQuery.
type runFunc func(ctx context.Context, r *CQRun) error

func (f runFunc) Run(ctx context.Context, r *CQRun) error { return f(ctx, r) }

// A query of the program's own: it reads one cut, and its rows, events and
// progress are one step.
func TestCQOfTheProgram(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	var j journal
	fail := true
	db := openMem(t, &Options{Clock: clock, Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}, ContinuousQueries: []CQSpec{{
		Name: "own", Every: 10 * time.Second, Query: runFunc(func(ctx context.Context, r *CQRun) error {
			res, err := r.Query(ctx, Query{Select: []expr.Expr{expr.Sum(expr.Col("s"))}, From: []string{"root.d"}, Start: r.Start, End: r.End})
			if err != nil {
				return err
			}
			for row, err := range res.Rows() {
				if err != nil {
					return err
				}
				if row.Value(0).IsNull() {
					return nil
				}
				var tab Tablet
				tab.Device = "root.sums"
				if err := tab.Append(r.Start, Float64("sum", row.Float64(0))); err != nil {
					return err
				}
				if err := r.Write(&tab); err != nil {
					return err
				}
				r.Emit(Event{Series: "root.sums.sum", Time: r.Start})
			}
			if fail {
				return errBoom
			}
			return nil
		})}}})
	must(t, db.Quiesce(ctx))
	must(t, db.Insert(ctx, "root.d", time.Unix(3, 0), Float64("s", 2)))
	must(t, db.Insert(ctx, "root.d", time.Unix(4, 0), Float64("s", 3)))
	clock.Advance(10 * time.Second)
	must(t, db.Quiesce(ctx))
	wantDump(t, db, "root.sums.**")
	j.want(t)
	fail = false
	clock.Advance(10 * time.Second) // the same range is tried again, then the next
	must(t, db.Quiesce(ctx))
	wantDump(t, db, "root.sums.**", "root.sums.sum@0=5")
	j.want(t, "own|root.sums.sum|0|0|0 root.sums.sum@0")
	must(t, db.DropContinuousQuery(ctx, "own"))
	must(t, db.Insert(ctx, "root.d", time.Unix(21, 0), Float64("s", 3)))
	clock.Advance(time.Minute)
	must(t, db.Quiesce(ctx))
	wantDump(t, db, "root.sums.**", "root.sums.sum@0=5")
}

func TestCQRefused(t *testing.T) {
	ctx := context.Background()
	q := Query{Select: []expr.Expr{expr.Avg(expr.Col("s"))}, From: []string{"root.d"}, GroupBy: GroupByTime{Interval: 10 * time.Second},
		Into: []Target{{Device: "root.out", Columns: []string{"avg"}}}}
	with := func(f func(s *CQSpec, q *Query)) CQSpec {
		s, c := CQSpec{Name: "n", Every: 20 * time.Second}, q
		f(&s, &c)
		s.Query = c
		return s
	}
	db := openMem(t, nil)
	for name, c := range map[string]struct {
		spec CQSpec
		says string
	}{
		"no name":           {with(func(s *CQSpec, _ *Query) { s.Name = "" }), "name"},
		"no query":          {CQSpec{Name: "n", Every: time.Second}, "Query"},
		"every too short":   {with(func(s *CQSpec, _ *Query) { s.Every = 50 * time.Millisecond }), "every interval 50ms"},
		"start not > end":   {with(func(s *CQSpec, _ *Query) { s.StartOffset, s.EndOffset = 20*time.Second, 20*time.Second }), "greater than end time offset"},
		"negative end":      {with(func(s *CQSpec, _ *Query) { s.StartOffset, s.EndOffset = 20*time.Second, -time.Second }), "end time offset"},
		"group > start":     {with(func(s *CQSpec, _ *Query) { s.StartOffset = 5 * time.Second }), "group by interval"},
		"range in query":    {with(func(_ *CQSpec, q *Query) { q.Start = time.Unix(1, 0) }), "time"},
		"no into":           {with(func(_ *CQSpec, q *Query) { q.Into = nil }), "INTO"},
		"unknown sink":      {with(func(s *CQSpec, _ *Query) { s.Sinks = []string{"nowhere"} }), "nowhere"},
		"never due":         {with(func(s *CQSpec, _ *Query) { s.Every, s.Cron, s.StartOffset = 0, "0 0 31 2 *", time.Hour }), "0 0 31 2 *"},
		"nothing says when": {with(func(s *CQSpec, q *Query) { s.Every, q.GroupBy = 0, nil; q.Select = []expr.Expr{expr.Col("s")} }), "every"},
	} {
		err := db.CreateContinuousQuery(ctx, c.spec)
		if err == nil || !strings.Contains(err.Error(), c.says) || !(errors.Is(err, ErrBadInput) || errors.Is(err, ErrNotFound)) {
			t.Errorf("%s: got error %v, want one that says %q", name, err, c.says)
		}
	}
	must(t, db.CreateContinuousQuery(ctx, with(func(*CQSpec, *Query) {})))
	if err := db.CreateContinuousQuery(ctx, with(func(*CQSpec, *Query) {})); !errors.Is(err, ErrExists) {
		t.Errorf("same name: got %v, want ErrExists", err)
	}
	if err := db.DropContinuousQuery(ctx, "other"); !errors.Is(err, ErrNotFound) {
		t.Errorf("drop of an unknown name: got %v, want ErrNotFound", err)
	}
}
