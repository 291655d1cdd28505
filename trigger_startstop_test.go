package tickwell

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/tickwell/tickwell/vfs"
)

// halting is a trigger that writes down which of its hooks are called.
type halting struct{ j *journal }

func (h *halting) Fire(context.Context, *Firing) error { h.j.add("fire"); return nil }
func (h *halting) OnStart(context.Context) error       { h.j.add("start"); return nil }
func (h *halting) OnStop(context.Context) error        { h.j.add("stop"); return nil }
func (h *halting) OnDrop(context.Context) error        { h.j.add("drop"); return nil }

// TestTriggerStopThenStartInFiring: what is left to be done of a stop that a firing
// asked for does not reach a trigger that was started again meanwhile: it would be
// ACTIVE and let no insert in, and inserts went round and round.
func TestTriggerStopThenStartInFiring(t *testing.T) {
	ctx := t.Context()
	for range 20 {
		var j journal
		var started error
		db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "other", Pattern: "root.other.*", Trigger: &halting{&j}}}})
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "boss", Pattern: "root.boss.*", Trigger: TriggerFunc(func(ctx context.Context, _ *Firing) error {
			must(t, db.StopTrigger(ctx, "other"))
			started = db.StartTrigger(ctx, "other")
			return nil
		})}))
		must(t, db.Insert(ctx, "root.boss", ns(1), Int64("x", 1)))
		must(t, db.Quiesce(ctx))
		switch {
		case started == nil:
			j.want(t, "stop", "start")
		case errors.Is(started, ErrOverloaded): // OnStop had not been called yet
			must(t, db.StartTrigger(ctx, "other"))
			j.want(t, "stop", "start")
		default:
			t.Fatal(started)
		}
		done := make(chan error, 1)
		go func() { done <- db.Insert(ctx, "root.other", ns(1), Int64("x", 1)) }()
		select {
		case err := <-done:
			must(t, err)
			j.want(t, "fire")
		case <-time.After(10 * time.Second):
			t.Fatal("the insert does not return")
		}
	}
}

// TestTriggerStopThenDropInFiring: a trigger that a firing stops and then drops stays
// dropped, and OnDrop is the last of it.
func TestTriggerStopThenDropInFiring(t *testing.T) {
	ctx, fs := t.Context(), vfs.NewMem()
	for range 20 {
		var j journal
		db := openDir(t, "d", &Options{FS: fs, Triggers: []TriggerSpec{{Name: "other", Pattern: "root.other.*", Trigger: &halting{&j}}}})
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "boss", Pattern: "root.boss.*", Trigger: TriggerFunc(func(ctx context.Context, _ *Firing) error {
			must(t, db.StopTrigger(ctx, "other"))
			return db.DropTrigger(ctx, "other")
		})}))
		must(t, db.Insert(ctx, "root.boss", ns(1), Int64("x", 1)))
		must(t, db.Quiesce(ctx))
		must(t, db.DropTrigger(ctx, "boss"))
		must(t, db.Close())
		if got := j.take(); len(got) == 0 || got[len(got)-1] != "drop" {
			t.Fatalf("hooks called: %v", got)
		}
		db = openDir(t, "d", &Options{FS: fs})
		for tr := range db.Triggers() {
			t.Fatalf("%s is back, %s", tr.Spec.Name, tr.State)
		}
		must(t, db.Close())
	}
}

// TestTriggerBeforeEmitsImpossibleTime: an event without a time is a failure of its
// trigger, so an optimistic one BEFORE the insert does not keep the rows out.
func TestTriggerBeforeEmitsImpossibleTime(t *testing.T) {
	ctx := t.Context()
	for _, strategy := range []FailureStrategy{Optimistic, Pessimistic} {
		var j journal
		failures := 0
		b := &strategist{strategy, nil}
		db := openMem(t, &Options{Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}, OnTriggerError: func(*TriggerError) { failures++ }})
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", When: BeforeInsert, Trigger: &emitter{b}}))
		err := db.Insert(ctx, "root.d", ns(1), Int64("x", 1))
		if failures != 1 || (err == nil) != (strategy == Optimistic) {
			t.Errorf("strategy %d: %d failures told, insert: %v", strategy, failures, err)
		}
		if strategy == Optimistic {
			wantDump(t, db, "root.**", "root.d.x@1=1")
		} else {
			wantDump(t, db, "root.**")
		}
	}
}

// emitter emits an event whose time cannot be stored.
type emitter struct{ *strategist }

func (*emitter) Fire(_ context.Context, f *Firing) error { f.Emit(Event{}); return nil }

// TestShutdownTwice: a second Shutdown does not cut short what the first waits for.
func TestShutdownTwice(t *testing.T) {
	ctx := t.Context()
	db := openMem(t, nil)
	in, out, delivered := make(chan bool, 1), make(chan bool), false
	must(t, db.AddSink(ctx, SinkSpec{Name: "s", Sink: SinkFunc(func(ctx context.Context, _ []Event) error {
		in <- true
		select {
		case <-out:
			delivered = true
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})}))
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
		f.Emit(Event{Time: ns(1)})
		return nil
	})}))
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("x", 1)))
	<-in
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- db.Shutdown(ctx) }()
	for db.phase.Load() != phaseDraining {
		runtime.Gosched()
	}
	go func() { second <- db.Shutdown(ctx) }()
	select {
	case err := <-second:
		t.Errorf("the second Shutdown returned while the sink was busy: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(out)
	must(t, <-first)
	if !delivered {
		t.Error("the event was not delivered")
	}
}

// TestTriggerWakesForTimesLongAgo: a time more than 292 years before now is over, and
// not, its distance wrapped round, in 292 years.
func TestTriggerWakesForTimesLongAgo(t *testing.T) {
	woke := make(chan bool, 1)
	db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "n", Pattern: "root.**", Trigger: &early{woke}}}})
	must(t, db.Insert(t.Context(), "root.d", ns(1), Int64("x", 1)))
	select {
	case <-woke:
	case <-time.After(10 * time.Second):
		t.Error("OnWake was not called")
	}
}

type early struct{ woke chan bool }

func (*early) Fire(_ context.Context, f *Firing) error {
	f.Wake(time.Date(1700, 1, 1, 0, 0, 0, 0, time.UTC))
	return nil
}

func (e *early) OnWake(context.Context, *Firing) error { e.woke <- true; return nil }
