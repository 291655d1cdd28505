package tickwell

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// slowWaker asks for a time to come, when it is let.
type slowWaker struct {
	in, out chan struct{}
	at      time.Time
	woken   int
}

func (w *slowWaker) Fire(_ context.Context, f *Firing) error {
	f.Wake(w.at)
	close(w.in)
	<-w.out
	return nil
}

func (w *slowWaker) OnWake(context.Context, *Firing) error {
	w.woken++
	return nil
}

// A firing that asks to be woken while the store is being closed leaves no timer.
func TestWakeDuringClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		w := &slowWaker{in: make(chan struct{}), out: make(chan struct{}), at: clk.Now().Add(1000 * time.Hour)}
		db := openDir(t, "data", &Options{FS: memFS(), Clock: clk, Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: w}}})
		go db.Insert(t.Context(), "root.d", clk.Now(), Float64("v", 1))
		<-w.in
		done := make(chan error)
		go func() { done <- db.Close() }()
		synctest.Wait()
		close(w.out)
		must(t, <-done)
		synctest.Wait()
		for range 3 {
			if n := clk.Timers(); n > 0 {
				t.Errorf("%d timers are left", n)
			}
			clk.Advance(time.Hour)
		}
	})
}

// A firing that asks to be woken while its trigger is stopped is woken after the start.
func TestWakeDuringStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clk := clock.NewFake(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		w := &slowWaker{in: make(chan struct{}), out: make(chan struct{}), at: clk.Now().Add(time.Hour)}
		db := openDir(t, "data", &Options{FS: memFS(), Clock: clk, Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: w}}})
		go db.Insert(t.Context(), "root.d", clk.Now(), Float64("v", 1))
		<-w.in
		done := make(chan error)
		go func() { done <- db.StopTrigger(t.Context(), "w") }()
		synctest.Wait()
		close(w.out)
		must(t, <-done)
		synctest.Wait()
		clk.Advance(2 * time.Hour)
		must(t, db.Quiesce(t.Context()))
		if w.woken > 0 {
			t.Error("woken while stopped")
		}
		must(t, db.StartTrigger(t.Context(), "w"))
		clk.Advance(time.Minute)
		must(t, db.Quiesce(t.Context()))
		if w.woken != 1 {
			t.Errorf("woken %d times, want once", w.woken)
		}
		must(t, db.Close())
		if n := clk.Timers(); n > 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

// far asks to be woken in a century.
type far struct{}

func (far) Fire(_ context.Context, f *Firing) error {
	f.Wake(time.Unix(0, f.Times[0]).AddDate(100, 0, 0))
	return nil
}

func (far) OnWake(context.Context, *Firing) error { return nil }

// Time without rows costs a backtest nothing, also when the trigger waits for an alarm.
func TestBacktestAlarmFar(t *testing.T) {
	db := openDir(t, "", nil)
	begin := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 3 {
		must(t, db.Insert(t.Context(), "root.d", begin.AddDate(i, 0, 0), Float64("v", 1)))
	}
	allocs := testing.AllocsPerRun(1, func() {
		_, err := db.Backtest(t.Context(), TriggerSpec{Name: "w", Pattern: "root.d.*", Trigger: far{}}, time.Time{}, time.Time{})
		must(t, err)
	})
	if allocs > 100_000 {
		t.Errorf("%v allocations for three rows in two years", allocs)
	}
	must(t, db.Close())
}
