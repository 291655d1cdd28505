package tickwell_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/sink/local"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/window"
)

// Promises of the trigger pages that concern more than one part of the store.

// An OPTIMISTIC failure does not fail the insert; the log, the counters and the
// observer tell of it, with the name.
func TestTriggerFailureReported(t *testing.T) {
	if tickwell.SmallProgram {
		t.Skip("reads what went to Options.Logger")
	}
	var log bytes.Buffer
	var seen []string
	boom := errors.New("boom")
	s := tickwelltest.New(t, &tickwell.Options{
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Observer: &tickwell.Observer{Fire: func(f tickwell.FireInfo) {
			if f.Err != nil {
				seen = append(seen, f.Trigger+": "+f.Err.Error())
			}
		}},
		Triggers: []tickwell.TriggerSpec{{Name: "faulty", Pattern: "root.**", Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return boom })}},
	})
	s.Put("root.d", tickwell.Int64("n", 1)) // fails the test if the insert does
	s.Put("root.d", tickwell.Int64("n", 2))
	if got := s.Stats().TriggerFailures; got != 2 {
		t.Errorf("Stats counts %d failures, want 2", got)
	}
	if want := []string{"faulty: boom", "faulty: boom"}; !slices.Equal(seen, want) {
		t.Errorf("the observer saw %q, want %q", seen, want)
	}
	if text := log.String(); strings.Count(text, "trigger=faulty") != 2 || !strings.Contains(text, "boom") {
		t.Errorf("the log does not tell of both failures by name:\n%s", text)
	}
	s.RequireWritten("root.d.n", "+0s 2")
}

// Whatever way rows come, matching triggers fire: for each path one row of a
// series of its own.
func TestTriggerAllInsertPaths(t *testing.T) {
	ctx := context.Background()
	var mu sync.Mutex
	var fired []string
	s := tickwelltest.New(t, nil)
	s.Trigger(tickwell.TriggerSpec{Name: "watch", Pattern: "root.to.**", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		mu.Lock()
		defer mu.Unlock()
		for row := range f.Rows() {
			fired = append(fired, f.Device+" "+row.Value(0).String())
		}
		return nil
	})})
	at := tickwelltest.Start
	one := func(device string) *tickwell.Tablet {
		return &tickwell.Tablet{Device: device, Times: []int64{at.UnixNano()}, Columns: []tickwell.Column{{Name: "v", Data: tickwell.Int64s{7}}}}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(s.Insert(ctx, "root.to.row", at, tickwell.Int64("v", 7)))
	check(s.InsertTablet(ctx, one("root.to.tablet")))
	check(s.InsertTablets(ctx, one("root.to.group"), one("root.from.group")))
	if _, err := s.Write(ctx, tickwell.WriteOptions{Partial: true}, one("root.to.partial")); err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer("root.to.writer", tickwell.ColumnInfo{Name: "v", Kind: tickwell.KindInt64})
	check(err)
	check(w.Insert(ctx, at, tickwell.Int64Value(7)))
	h, err := tickwell.SeriesOf[int64](s.DB, "root.to.series.v")
	check(err)
	check(h.Insert(ctx, at, 7))
	conn, err := iotsql.New(s.DB, nil)
	check(err)
	_, err = conn.Exec(ctx, "INSERT INTO root.to.sql(time, v) VALUES (1, 7)")
	check(err)
	_, err = s.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Col("v")}, From: []string{"root.from.group"},
		Into: []tickwell.Target{{Device: "root.to.into", Columns: []string{"v"}}}})
	check(err)
	check(s.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "cq", Every: time.Hour, StartOffset: 2 * time.Hour, Query: tickwell.Query{
		Select: []expr.Expr{expr.Col("v")}, From: []string{"root.from.group"}, Into: []tickwell.Target{{Device: "root.to.cq", Columns: []string{"v"}}}}}))
	s.Advance(time.Hour)
	check(s.AddSink(ctx, tickwell.SinkSpec{Name: "local", Sink: &local.Sink{Device: "root.to.local", Columns: []tickwell.ColumnInfo{{Name: "v", Kind: tickwell.KindInt64}}}}))
	s.Trigger(tickwell.TriggerSpec{Name: "emit", Pattern: "root.from.group.v", Sinks: []string{"local"}, Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		f.Emit(tickwell.Event{Time: f.Row(0).Time(), Fields: []tickwell.Field{tickwell.Int64("v", 7)}})
		return f.Write(one("root.to.trigger"))
	})})
	check(s.InsertTablet(ctx, one("root.from.group")))
	s.Wait()
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(fired)
	fired = slices.Compact(fired) // a scheduled query may run again over the same rows
	var want []string
	for _, name := range []string{"cq", "group", "into", "local", "partial", "row", "series", "sql", "tablet", "trigger", "writer"} {
		want = append(want, "root.to."+name+" 7")
	}
	if !slices.Equal(fired, want) {
		t.Errorf("fired for\n%s\nwant\n%s", strings.Join(fired, "\n"), strings.Join(want, "\n"))
	}
}

// The evaluator of a window in a trigger may do whatever a trigger may.
func TestWindowTriggerAnyLogic(t *testing.T) {
	s := tickwelltest.New(t, nil)
	sink := s.Sink("out")
	s.Trigger(tickwell.TriggerSpec{Name: "any", Pattern: "root.d.v", Trigger: tickwell.OnWindow(window.Count(2), nil,
		func(ctx context.Context, f *tickwell.Firing, series string, w window.Window[float64]) error {
			r, err := s.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Count(expr.Col("v"))}, From: []string{"root.d"}})
			if err != nil {
				return err
			}
			for row, err := range r.Rows() {
				if err != nil {
					return err
				}
				f.Emit(tickwell.Event{Series: series, Time: time.Unix(0, w.Time(1)), Fields: []tickwell.Field{tickwell.Int64("rows", row.Value(0).Int64())}})
			}
			return s.Insert(ctx, "root.sum", time.Unix(0, w.Time(1)), tickwell.Float64("v", w.Value(0)+w.Value(1)))
		})})
	for i := range 4 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Advance(time.Second)
	}
	sink.Require(t, "+1s root.d.v rows=2", "+3s root.d.v rows=4")
	s.RequireWritten("root.sum.v", "+1s 1", "+3s 5")
}

// A window of one kind passes over values of another: they neither count nor
// move its clock.
func TestWindowTriggerOtherKind(t *testing.T) {
	s := tickwelltest.New(t, nil)
	sink := s.Sink("out")
	for _, c := range []struct {
		name string
		spec window.Spec
	}{{"size", window.Count(2)}, {"time", window.Tumbling(2 * time.Second)}} {
		s.Trigger(tickwell.TriggerSpec{Name: c.name, Pattern: "root.d.*", Trigger: tickwell.OnWindow(c.spec, nil,
			func(_ context.Context, f *tickwell.Firing, series string, w window.Window[float64]) error {
				f.Emit(tickwell.Event{Series: series + " by " + c.name, Time: time.Unix(0, w.Time(0)), Fields: []tickwell.Field{tickwell.Int64("rows", int64(w.Len()))}})
				return nil
			})})
	}
	for i := range 6 {
		s.Put("root.d", tickwell.Int64("n", 1), tickwell.Text("x", "far ahead"))
		if i == 1 || i == 4 {
			s.Put("root.d", tickwell.Float64("v", 1))
		}
		s.Advance(time.Second)
	}
	s.Put("root.d", tickwell.Int64("n", 1))
	sink.Require(t, "+1s root.d.v by size rows=2", "+1s root.d.v by time rows=1")
}

// Handlers of windows take rows from one goroutine at a time; a trigger sees to
// it.
func TestWindowTriggerSerialised(t *testing.T) {
	s := tickwelltest.New(t, nil)
	var mu sync.Mutex
	counted := map[string]int{}
	s.Trigger(tickwell.TriggerSpec{Name: "sizes", Pattern: "root.d.*", Trigger: tickwell.OnWindow(window.Count(10), nil,
		func(_ context.Context, _ *tickwell.Firing, series string, w window.Window[int64]) error {
			mu.Lock()
			defer mu.Unlock()
			counted[series] += w.Len()
			return nil
		})})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 250 {
				at := tickwelltest.Start.Add(time.Duration(i*4+g) * time.Second)
				if err := s.Insert(context.Background(), "root.d", at, tickwell.Int64(fmt.Sprint("v", g), 1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	mu.Lock()
	defer mu.Unlock()
	for g := range 4 {
		if series := fmt.Sprint("root.d.v", g); counted[series] != 250 {
			t.Errorf("windows of %s hold %d rows, want 250", series, counted[series])
		}
	}
}

// What many triggers cost an insert: those that do not match next to nothing,
// the others their call. Ratios of one run, with room for a busy machine.
func TestTriggerManyCost(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	measure := func(n int, pattern string) time.Duration {
		opts := &tickwell.Options{Logger: slog.New(slog.DiscardHandler)}
		for i := range n {
			opts.Triggers = append(opts.Triggers, tickwell.TriggerSpec{Name: fmt.Sprint("t", i), Pattern: pattern,
				Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return nil })})
		}
		db, err := tickwell.Open(context.Background(), "", opts)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		tab := &tickwell.Tablet{Device: "root.d", Times: make([]int64, 100)}
		for c := range 10 {
			tab.Columns = append(tab.Columns, tickwell.Column{Name: fmt.Sprint("c", c), Data: make(tickwell.Float64s, 100)})
		}
		best, at := time.Hour, int64(0)
		for range 30 {
			for i := range tab.Times {
				at += 1e9
				tab.Times[i] = at
			}
			began := time.Now()
			if err := db.InsertTablet(context.Background(), tab); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	for _, c := range []struct {
		n       int
		pattern string
		most    float64 // times an insert without triggers
	}{{1, "root.**", 5}, {100, "root.**", 100}, {10_000, "root.other.*.x", 3}} {
		got := math.Inf(1)
		for try := 0; try < 20 && got > c.most; try++ { // a busy machine can only make it slower
			got = min(got, float64(measure(c.n, c.pattern))/float64(measure(0, "")))
		}
		t.Logf("%d triggers on %s: %.2f times an insert of 1,000 points without", c.n, c.pattern, got)
		if got > c.most {
			t.Errorf("%d triggers on %s cost %.1f times an insert without, want at most %.0f", c.n, c.pattern, got, c.most)
		}
	}
}
