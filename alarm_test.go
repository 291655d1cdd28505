package tickwell

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// woken asks for an hour after its rows, and notes when it is woken.
type woken struct {
	clock *clock.Fake
	at    []time.Time
}

func (w *woken) Fire(_ context.Context, f *Firing) error {
	f.Wake(time.Unix(0, f.Times[0]).Add(time.Hour))
	return nil
}

func (w *woken) OnWake(context.Context, *Firing) error {
	w.at = append(w.at, w.clock.Now())
	return nil
}

// An alarm goes by the wall clock: one that is set forward makes it due, also the
// alarm of an earlier life that waits since a boot in 1970, and one that is set back
// makes it wait.
func TestWakeClockSteps(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ctx, fs := t.Context(), memFS()
	clk := clock.NewFake(begin)
	w := &woken{clock: clk}
	opts := &Options{FS: fs, Clock: clk, Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: w, Stateful: true}}}
	db := openDir(t, "data", opts)
	put := func(at time.Time) { must(t, db.Insert(ctx, "root.d", at, Float64("v", 1))) }
	quiet := func() { must(t, db.Quiesce(ctx)) }
	want := func(what string, at ...time.Time) {
		t.Helper()
		quiet()
		if !slices.EqualFunc(w.at, at, time.Time.Equal) {
			t.Fatalf("%s: woken at %v, want %v", what, w.at, at)
		}
		w.at = nil
	}
	put(begin)
	clk.Set(begin.Add(-time.Hour))
	clk.Advance(90 * time.Minute)
	want("set back")
	clk.Advance(30 * time.Minute)
	want("set back, later", begin.Add(time.Hour))

	put(begin.Add(time.Hour))
	clk.Set(begin.Add(100 * time.Hour))
	clk.Advance(time.Minute)
	if quiet(); len(w.at) != 1 {
		t.Fatalf("set forward: woken at %v", w.at)
	}
	w.at = nil

	put(begin.Add(200 * time.Hour))
	must(t, db.Close())
	clk = clock.NewFake(time.Unix(5, 0)) // a boot without a clock
	w.clock, opts.Clock = clk, clk
	db = openDir(t, "data", opts)
	clk.Advance(time.Hour)
	want("boot in 1970")
	clk.Set(begin.Add(300 * time.Hour))
	clk.Advance(time.Minute)
	if quiet(); len(w.at) != 1 {
		t.Fatalf("the clock was set after a boot in 1970: woken at %v", w.at)
	}
	if n := clk.Timers(); n > 2 {
		t.Errorf("%d timers are left", n)
	}
	must(t, db.Close())
}
