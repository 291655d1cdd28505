package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

func tab(device string, at int64, name string, v Vector) *Tablet {
	return &Tablet{Device: device, Times: []int64{at}, Columns: []Column{{Name: name, Data: v}}}
}

// within fails the test if f takes long: a deadlock must not hang the suite.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(5 * time.Minute):
		t.Fatalf("%s does not end", what)
	}
}

// Two stateful triggers write into each other's patterns from two goroutines:
// whoever would wait for ever is refused, and everything goes on.
func TestTriggerStatefulCrossing(t *testing.T) {
	ctx := context.Background()
	for _, through := range []string{"firing", "context"} {
		var refused sync.Map
		var db *DB
		inside := make(map[string]int) // guarded by the triggers' being serialised
		var mu sync.Mutex
		cross := func(to string) func(context.Context, *Firing) error {
			return func(ctx context.Context, f *Firing) error {
				mu.Lock()
				if inside[f.Trigger]++; inside[f.Trigger] > 1 {
					t.Errorf("%s overlaps itself", f.Trigger)
				}
				mu.Unlock()
				defer func() { mu.Lock(); inside[f.Trigger]--; mu.Unlock() }()
				if f.Times[0] < 0 {
					return nil // written by the other
				}
				out := tab(to, -f.Times[0], "s", Int64s{1})
				if through == "firing" {
					return f.Write(out)
				}
				return db.InsertTablet(ctx, out)
			}
		}
		a, b := spec("a", "root.a.*", AfterInsert, cross("root.b")), spec("b", "root.b.*", AfterInsert, cross("root.a"))
		a.Stateful, b.Stateful = true, true
		db = openMem(t, &Options{Triggers: []TriggerSpec{a, b}, OnTriggerError: func(e *TriggerError) {
			if !errors.Is(e, ErrReentrant) {
				t.Errorf("got failure %v, want ErrReentrant", e)
			}
			refused.Store(e.Name, true)
		}})
		within(t, "crossing by "+through, func() {
			var wg sync.WaitGroup
			for g, device := range []string{"root.a", "root.b", "root.a", "root.b"} {
				wg.Go(func() {
					for i := range int64(300) {
						must(t, db.InsertTablet(ctx, tab(device, i*10+int64(g)+1, "s", Int64s{1})))
					}
				})
			}
			wg.Wait()
		})
		for info := range db.Triggers() {
			if info.Fired < 600 {
				t.Errorf("%s fired %d times, want at least the 600 inserts", info.Spec.Name, info.Fired)
			}
		}
	}
}

// With a barrier that makes both hold their ticket first, exactly the later one
// is refused.
func TestTriggerStatefulCrossingLaterOneFails(t *testing.T) {
	ctx := context.Background()
	var db *DB
	var failures []*TriggerError
	held := map[string]chan struct{}{"a": make(chan struct{}), "b": make(chan struct{})}
	cross := func(other, to string) func(context.Context, *Firing) error {
		return func(ctx context.Context, f *Firing) error {
			if f.Times[0] < 0 {
				return nil
			}
			close(held[f.Trigger])
			<-held[other]
			return db.InsertTablet(ctx, tab(to, -1, "s", Int64s{1}))
		}
	}
	a, b := spec("a", "root.a.*", AfterInsert, cross("b", "root.b")), spec("b", "root.b.*", AfterInsert, cross("a", "root.a"))
	a.Stateful, b.Stateful = true, true
	db = openMem(t, &Options{Triggers: []TriggerSpec{a, b}, OnTriggerError: func(e *TriggerError) { failures = append(failures, e) }})
	within(t, "crossing", func() {
		var wg sync.WaitGroup
		wg.Go(func() { must(t, db.InsertTablet(ctx, tab("root.a", 1, "s", Int64s{1}))) })
		wg.Go(func() { must(t, db.InsertTablet(ctx, tab("root.b", 1, "s", Int64s{1}))) })
		wg.Wait()
	})
	if len(failures) != 1 || !errors.Is(failures[0], ErrReentrant) || failures[0].Phase != "fire" || !failures[0].Stored {
		t.Fatalf("got failures %v, want one stored TriggerError of ErrReentrant", failures)
	}
	loser, winner := "root.b.s@-1=1", "root.a.s@-1=1"
	if failures[0].Name == "b" {
		loser, winner = winner, loser
	}
	got := dump(t, db, "root.**")
	if slices.Contains(got, loser) || !slices.Contains(got, winner) {
		t.Errorf("stored %v, want %s and not %s", got, winner, loser)
	}
}

// An insert that has taken a ticket, but fired nothing, makes way for a firing
// that needs it, in place of letting that fail.
func TestTriggerStatefulInsertMakesWay(t *testing.T) {
	ctx := context.Background()
	var db *DB
	inB, go1 := make(chan struct{}), make(chan struct{})
	a := spec("a", "root.*.x", AfterInsert, func(context.Context, *Firing) error { return nil })
	b := spec("b", "root.b.*", AfterInsert, func(ctx context.Context, f *Firing) error {
		if f.Times[0] != 1 {
			return nil
		}
		close(inB)
		<-go1
		return db.InsertTablet(ctx, tab("root.c", 1, "x", Int64s{1})) // needs a's ticket
	})
	a.Stateful, b.Stateful = true, true
	db = openMem(t, &Options{Triggers: []TriggerSpec{a, b}, OnTriggerError: func(e *TriggerError) { t.Errorf("failed: %v", e) }})
	within(t, "making way", func() {
		var wg sync.WaitGroup
		wg.Go(func() { must(t, db.InsertTablet(ctx, tab("root.b", 1, "s", Int64s{1}))) }) // holds b
		<-inB
		wg.Go(func() { must(t, db.InsertTablet(ctx, tab("root.b", 2, "x", Int64s{1}))) }) // takes a, waits for b
		for {
			db.locks.mu.Lock()
			n := len(db.triggers.Load().find("b").ticket.queue)
			db.locks.mu.Unlock()
			if n == 1 {
				break
			}
			runtime.Gosched()
		}
		close(go1)
		wg.Wait()
	})
	wantDump(t, db, "root.**", "root.b.s@1=1", "root.b.x@2=1", "root.c.x@1=1")
}

// A firing may write twice into the pattern of another stateful trigger, and
// into one that its own insert has still to fire: in log order.
func TestTriggerStatefulOrderOfOneActivity(t *testing.T) {
	var j journal
	var db *DB
	write := func(ctx context.Context, f *Firing) error {
		for i := range int64(2) {
			if err := db.InsertTablet(ctx, tab("root.b", 10+i, "s", Int64s{1})); err != nil {
				return err
			}
		}
		return nil
	}
	first := spec("first", "root.a.*", AfterInsert, write)
	all := spec("all", "root.**", AfterInsert, func(_ context.Context, f *Firing) error { j.add("%s %d", f.Device, f.Times[0]); return nil })
	first.Stateful, all.Stateful = true, true
	db = openMem(t, &Options{Triggers: []TriggerSpec{first, all}})
	within(t, "insert", func() { must(t, db.InsertTablet(context.Background(), tab("root.a", 1, "s", Int64s{1}))) })
	j.want(t, "root.a 1", "root.b 10", "root.b 11")
}

// A context kept beyond its firing belongs to nothing: inserts under it are
// inserts of their own, and no ticket stays taken.
func TestTriggerKeptContext(t *testing.T) {
	ctx := context.Background()
	var db *DB
	var kept []context.Context
	a := spec("a", "root.a.*", AfterInsert, func(ctx context.Context, _ *Firing) error { kept = append(kept, ctx); return nil })
	var j journal
	b := spec("b", "root.b.*", AfterInsert, func(_ context.Context, f *Firing) error { j.add("b %d", f.Times[0]); return nil })
	b.Stateful = true
	db = openMem(t, &Options{Triggers: []TriggerSpec{a, b}})
	for i := range int64(3) {
		must(t, db.InsertTablet(ctx, tab("root.a", i, "s", Int64s{1})))
	}
	within(t, "late inserts", func() {
		var wg sync.WaitGroup
		for i, c := range kept {
			wg.Go(func() { must(t, db.InsertTablet(c, tab("root.b", int64(i), "s", Int64s{1}))) })
		}
		wg.Wait()
		must(t, db.InsertTablet(ctx, tab("root.b", 9, "s", Int64s{1})))
	})
	got := j.take()
	slices.Sort(got)
	if want := []string{"b 0", "b 1", "b 2", "b 9"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Goroutines of one firing write at once; their rows fire in log order, each
// once.
func TestTriggerNestedGoroutines(t *testing.T) {
	ctx := context.Background()
	var db *DB
	a := spec("a", "root.a.*", AfterInsert, func(ctx context.Context, _ *Firing) error {
		var wg sync.WaitGroup
		for g := range int64(8) {
			wg.Go(func() { must(t, db.InsertTablet(ctx, tab(fmt.Sprintf("root.b%d", g), g, "s", Int64s{1}))) })
		}
		wg.Wait()
		return nil
	})
	fired := 0
	b := spec("b", "root.*.s", AfterInsert, func(_ context.Context, f *Firing) error { fired++; return nil })
	b.Stateful, b.Pattern = true, "root.b*.s"
	db = openMem(t, &Options{Triggers: []TriggerSpec{a, b}})
	within(t, "nested goroutines", func() { must(t, db.InsertTablet(ctx, tab("root.a", 1, "s", Int64s{1}))) })
	if fired != 8 {
		t.Errorf("b fired %d times, want 8", fired)
	}
}
