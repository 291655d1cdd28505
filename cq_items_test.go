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

// Run i covers [boundary - start + (i-1)*every, boundary - end + (i-1)*every).
func TestCQWindowFormula(t *testing.T) {
	ctx := context.Background()
	const boundary, every, start, end = 1000, 7, 23, 5
	clock := newFake()
	clock.Set(time.Unix(boundary-3, 0))
	var ran []string
	db := openMem(t, &Options{Clock: clock, Observer: &Observer{Run: func(i CQRunInfo) {
		ran = append(ran, fmt.Sprintf("[%d, %d)", i.Start.Unix(), i.End.Unix()))
	}}})
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "n", Every: every * time.Second, Boundary: time.Unix(boundary, 0),
		StartOffset: start * time.Second, EndOffset: end * time.Second, Query: runFunc(func(context.Context, *CQRun) error { return nil })}))
	for len(ran) < 100 {
		clock.Advance(time.Second)
		must(t, db.Quiesce(ctx))
	}
	for i, got := range ran {
		if want := fmt.Sprintf("[%d, %d)", boundary-start+i*every, boundary-end+i*every); got != want {
			t.Errorf("run %d covers %s, want %s", i+1, got, want)
		}
	}
}

// The documents' shortest period: 1 second unless Options say otherwise.
func TestCQShortestPeriod(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		option, every time.Duration
		ok            bool
	}{
		{0, 999 * time.Millisecond, false}, {0, time.Second, true},
		{time.Minute, 59 * time.Second, false}, {time.Minute, time.Minute, true},
		{10 * time.Millisecond, 10 * time.Millisecond, true}, {10 * time.Millisecond, 9 * time.Millisecond, false},
	} {
		db := openMem(t, &Options{Clock: newFake(), CQMinEvery: c.option})
		err := db.CreateContinuousQuery(ctx, countEvery("n", c.every))
		if (err == nil) != c.ok || err != nil && !(errors.Is(err, ErrBadInput) && strings.Contains(err.Error(), "every interval")) {
			t.Errorf("minimum %s, every %s: got %v", c.option, c.every, err)
		}
	}
}

// As many queries run at a time as Options.CQWorkers says, two by default.
func TestCQWorkers(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ option, want int }{{0, 2}, {1, 1}, {3, 3}} {
		clock := newFake()
		clock.Set(time.Unix(5, 0))
		db := openMem(t, &Options{Clock: clock, CQWorkers: c.option})
		begun, release := make(chan string, 4), make(chan struct{})
		for i := range 4 {
			must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: fmt.Sprint("q", i), Every: 10 * time.Second, Query: runFunc(func(_ context.Context, r *CQRun) error {
				begun <- r.Name
				<-release
				return nil
			})}))
		}
		clock.Advance(5 * time.Second)
		for range c.want {
			<-begun
		}
		running := 0
		for _, s := range db.cqs.sched.Tasks() {
			if s.Running {
				running++
			}
		}
		if running != c.want {
			t.Errorf("CQWorkers %d: %d run at a time, want %d", c.option, running, c.want)
		}
		close(release)
		must(t, db.Quiesce(ctx))
		for i := range 4 {
			if q := cqByName(t, db, fmt.Sprint("q", i)); q.Runs != 1 {
				t.Errorf("CQWorkers %d: %s ran %d times, want once", c.option, q.Spec.Name, q.Runs)
			}
		}
	}
}

// 1,000 points a second become one a second, in the series of the same name of
// another database.
func TestCQDownsamplesIntoAnotherDatabase(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	col := expr.Col("temperature")
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "down", Every: 5 * time.Second, Query: Query{
		Select: []expr.Expr{expr.Avg(col)}, From: []string{"root.raw.**"}, AlignByDevice: true,
		GroupBy: GroupByTime{Interval: time.Second}, Into: []Target{{Device: "root.down.::", Columns: []string{"temperature"}}},
	}}))
	for _, device := range []string{"root.raw.wf01.wt01", "root.raw.wf02.wt02"} {
		tab := &Tablet{Device: device}
		for i := range int64(10_000) {
			must(t, tab.Append(time.UnixMilli(i), Float64("temperature", float64(i/1000))))
		}
		must(t, db.InsertTablet(ctx, tab))
	}
	clock.Advance(10 * time.Second)
	must(t, db.Quiesce(ctx))
	for _, device := range []string{"root.down.wf01.wt01", "root.down.wf02.wt02"} {
		var want []string
		for i := range int64(10) {
			want = append(want, fmt.Sprintf("%s.temperature@%d=%d", device, i*1e9, i))
		}
		wantDump(t, db, device+".*", want...)
	}
}

// What only works on stored series, or needs rows of other windows, is refused
// when the query is created, whatever series there are.
func TestCQRefusedWhateverSeriesThereAre(t *testing.T) {
	db := openMem(t, &Options{Functions: []FunctionSpec{{Name: "doubler", UDTF: func() UDTF { return doubler{} }}}})
	s := expr.Col("s")
	group := GroupByTime{Interval: time.Minute}
	for name, c := range map[string]struct {
		every time.Duration
		query Query
		says  string
	}{
		"template for an aggregate": {time.Minute, Query{Select: []expr.Expr{expr.Avg(s)}, From: []string{"root.*"}, GroupBy: group, Into: []Target{{"root.out.${1}", []string{"avg"}}}}, "raw time series"},
		"column of an aggregate":    {time.Minute, Query{Select: []expr.Expr{expr.Avg(s)}, From: []string{"root.*"}, GroupBy: group, AlignByDevice: true, Into: []Target{{"root.out.::", []string{"::"}}}}, "raw time series"},
		"template for a sum":        {time.Minute, Query{Select: []expr.Expr{s.Add(1)}, From: []string{"root.*"}, Into: []Target{{"root.out.::", []string{"::"}}}}, "raw time series"},
		"built-in with state":       {0, Query{Select: []expr.Expr{expr.Avg(expr.Call("difference", s))}, From: []string{"root.d"}, GroupBy: group, Into: []Target{{"root.out", []string{"avg"}}}}, "difference"},
		"own with state":            {0, Query{Select: []expr.Expr{expr.Avg(expr.Call("Doubler", s))}, From: []string{"root.d"}, GroupBy: group, Into: []Target{{"root.out", []string{"avg"}}}}, "Doubler"},
		"with state in where":       {0, Query{Select: []expr.Expr{expr.Avg(s)}, Where: expr.Call("difference", s).Gt(1), From: []string{"root.d"}, GroupBy: group, Into: []Target{{"root.out", []string{"avg"}}}}, "difference"},
	} {
		err := db.CreateContinuousQuery(context.Background(), CQSpec{Name: "n", Every: c.every, Query: c.query})
		if !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want one that says %q", name, err, c.says)
		}
	}
}
