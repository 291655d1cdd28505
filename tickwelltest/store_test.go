package tickwelltest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/vfs"
)

// What a user's test looks like: no more than fifteen lines.
func TestStoreOfAUser(t *testing.T) {
	s := tickwelltest.New(t, nil)
	alerts := s.Sink("alerts")
	s.Trigger(alert.Rule{Name: "hot", Condition: alert.Above(90, 80), For: time.Minute}.Spec("root.plant.*.temp"))
	for _, temp := range []float64{71, 93, 95, 96, 79} {
		s.Put("root.plant.press1", tickwell.Float64("temp", temp))
		s.Advance(time.Minute)
	}
	s.RequireFired("hot", 6) // five rows, and once because it was due
	alerts.Require(t,
		"+2m0s root.plant.press1.temp firing value=93",
		"+4m0s root.plant.press1.temp resolved value=79")
}

func TestStoreContinuousQuery(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{ContinuousQueries: []tickwell.CQSpec{{
		Name: "mean", Every: time.Minute,
		Query: tickwell.Query{Select: []expr.Expr{expr.Avg(expr.Col("v"))}, From: []string{"root.d"},
			GroupBy: tickwell.GroupByTime{Interval: time.Minute},
			Into:    []tickwell.Target{{Device: "root.m", Columns: []string{"v"}}}},
	}}})
	for i := range 12 {
		s.Put("root.d", tickwell.Float64("v", float64(i)))
		s.Advance(10 * time.Second)
	}
	s.RequireRan("mean", "-1m0s..+0s", "+0s..+1m0s", "+1m0s..+2m0s")
	s.RequireWritten("root.m.v", "+0s 2.5", "+1m0s 8.5")
}

func TestStoreReopens(t *testing.T) {
	s := tickwelltest.New(t, &tickwell.Options{FS: vfs.NewMem()})
	sink := s.Sink("out")
	s.Put("root.d", tickwell.Int64("n", 1))
	s.Clock.Advance(time.Second)
	s.Reopen()
	s.Put("root.d", tickwell.Int64("n", 2))
	s.RequireWritten("root.d.n", "+0s 1", "+1s 2")
	s.Trigger(tickwell.TriggerSpec{Name: "tell", Pattern: "root.d.n", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		f.Emit(tickwell.Event{Series: "root.d.n", Time: f.Row(0).Time()})
		return nil
	})})
	s.Put("root.d", tickwell.Int64("n", 3))
	s.Wait()
	sink.Require(t, "+1s root.d.n")
}

// recordingTB stands for a test that is expected to fail.
type recordingTB struct {
	testing.TB
	failed   bool
	lines    []string
	cleanups []func()
}

func (r *recordingTB) Helper()          {}
func (r *recordingTB) Failed() bool     { return r.failed }
func (r *recordingTB) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recordingTB) Name() string     { return "recorded" }
func (r *recordingTB) Errorf(f string, a ...any) {
	r.failed = true
	r.lines = append(r.lines, fmt.Sprintf(f, a...))
}
func (r *recordingTB) Fatalf(f string, a ...any) {
	r.Errorf(f, a...)
	panic(r)
}

// failures runs f as a test of its own and returns what it failed with.
func failures(t *testing.T, f func(t testing.TB)) string {
	r := &recordingTB{TB: t}
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(r) {
				panic(v)
			}
		}()
		f(r)
	}()
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return strings.Join(r.lines, "\n")
}

func TestStoreTellsWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(t testing.TB)
		want string
	}{
		{"points", func(t testing.TB) {
			s := tickwelltest.New(t, nil)
			s.Put("root.d", tickwell.Int64("n", 1))
			s.RequireWritten("root.d.n", "+0s 2", "+1s 3")
		}, "points of root.d.n:\n!  +0s 1, want +0s 2\n!  nothing, want +1s 3"},
		{"no such series", func(t testing.TB) {
			tickwelltest.New(t, nil).RequireWritten("root.d.n", "+0s 2")
		}, "points of root.d.n:\n!  nothing, want +0s 2"},
		{"fired", func(t testing.TB) {
			tickwelltest.New(t, nil).RequireFired("hot", 1)
		}, "trigger hot fired 0 times, want 1; fired: none; there is no trigger of that name"},
		{"a pattern of a device", func(t testing.TB) {
			s := tickwelltest.New(t, nil)
			s.Trigger(tickwell.TriggerSpec{Name: "hot", Pattern: "root.d", Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return nil })})
			s.Put("root.d", tickwell.Int64("n", 1))
			s.RequireFired("hot", 1)
		}, "; fired: none; its pattern root.d matches no series: it is of whole paths, the measurement included"},
		{"a trigger that was stopped", func(t testing.TB) {
			s := tickwelltest.New(t, nil)
			s.Trigger(tickwell.TriggerSpec{Name: "hot", Pattern: "root.d.n", DisableAfter: 1, Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return errors.New("no") })})
			s.Put("root.d", tickwell.Int64("n", 1))
			s.Put("root.d", tickwell.Int64("n", 1))
			s.RequireFired("hot", 2)
		}, "trigger hot fired 1 times, want 2; fired: hot 1 times; it is STOPPED: tickwell: fire trigger hot: no"},
		{"ran", func(t testing.TB) {
			tickwelltest.New(t, nil).RequireRan("mean", "+0s..+1m0s")
		}, "continuous query mean ran over:\n!  nothing, want +0s..+1m0s"},
		{"events", func(t testing.TB) {
			tickwelltest.New(t, nil).Sink("out").Require(t, "+0s x")
		}, "events:\n!  nothing, want +0s x"},
		{"a trigger that changes its rows", func(t testing.TB) {
			s := tickwelltest.New(t, nil)
			s.Trigger(tickwell.TriggerSpec{Name: "bad", Pattern: "root.d.n", When: tickwell.BeforeInsert,
				Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error { f.Times[0]++; return nil })})
			s.Put("root.d", tickwell.Int64("n", 1))
		}, "changed"},
		{"options that cannot be", func(t testing.TB) {
			tickwelltest.New(t, &tickwell.Options{Triggers: []tickwell.TriggerSpec{{Name: "none"}}})
		}, "tickwelltest: "},
		{"a goroutine that stays", func(t testing.TB) {
			s := tickwelltest.New(t, nil)
			block := make(chan struct{})
			go func() {
				for range s.DB.Triggers() {
				}
				<-block
			}()
		}, "goroutines are left"},
	} {
		if got := failures(t, c.run); !strings.Contains(got, c.want) {
			t.Errorf("%s: the test says\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// A month of rows at 1 Hz through a hysteresis rule and a deadman, in a bubble.
func TestStoreMonth(t *testing.T) {
	if testing.Short() {
		t.Skip("a month of rows")
	}
	synctest.Test(t, func(t *testing.T) {
		s := tickwelltest.New(t, nil)
		alerts := s.Sink("alerts")
		s.Trigger(alert.Rule{Name: "hot", Condition: alert.Above(90, 80)}.Spec("root.press.temp"))
		s.Trigger(alert.Rule{Name: "silent", Absent: 2 * time.Hour}.Spec("root.press.temp"))
		const hour = 3600
		tab := &tickwell.Tablet{Device: "root.press", Times: make([]int64, hour), Columns: []tickwell.Column{{Name: "temp", Data: make(tickwell.Float64s, hour)}}}
		for h := range 30 * 24 {
			for i := range hour {
				tab.Times[i] = s.Clock.Now().Add(time.Duration(i) * time.Second).UnixNano()
				tab.Columns[0].Data.(tickwell.Float64s)[i] = 70
			}
			if h == 100 {
				tab.Columns[0].Data.(tickwell.Float64s)[1800] = 95
			}
			if h < 500 || h >= 503 {
				if err := s.InsertTablet(t.Context(), tab); err != nil {
					t.Fatal(err)
				}
			}
			s.Advance(time.Hour)
		}
		alerts.Require(t,
			"+100h30m0s root.press.temp firing value=95",
			"+100h30m1s root.press.temp resolved value=70",
			"+501h59m59s root.press.temp firing last=1769025599000000000",
			"+503h0m0s root.press.temp resolved last=1769036400000000000")
	})
}

func TestWaitGivesUp(t *testing.T) {
	s := tickwelltest.New(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Quiesce(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("quiesce with a context that is over: %v", err)
	}
}
