package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/window"
)

func TestTriggerRetries(t *testing.T) {
	ctx := context.Background()
	calls, failures := 0, 0
	sp := TriggerSpec{Name: "n", Pattern: "root.**", When: BeforeInsert, Retries: 2, Trigger: &strategist{Pessimistic, func() error {
		if calls++; calls%3 != 0 {
			return errBoom
		}
		return nil
	}}}
	db := openMem(t, &Options{OnTriggerError: func(*TriggerError) { failures++ }, Triggers: []TriggerSpec{sp}})
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	if calls != 3 || failures != 0 {
		t.Errorf("%d calls, %d failures; want 3 and 0", calls, failures)
	}
	calls = -100 // fails for good
	if err := db.Insert(ctx, "root.d", ns(2), Int64("s", 1)); err != nil && !errors.Is(err, errBoom) {
		t.Errorf("got %v", err)
	}
	if calls > -97 {
		t.Errorf("called %d times, want at most 3", calls+100)
	}
}

// A retried firing emits once, and its state is that of the attempt that held.
func TestTriggerRetryEffects(t *testing.T) {
	ctx := context.Background()
	var j journal
	try := 0
	db := openMem(t, &Options{Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}, Triggers: []TriggerSpec{{Name: "n", Pattern: "root.**", Retries: 1, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
		try++
		f.Emit(Event{Series: "root.d.s", Time: f.Row(0).Time()})
		f.Put("try", fmt.Append(nil, try))
		if try == 1 {
			return errBoom
		}
		return nil
	})}}})
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	must(t, db.Quiesce(ctx))
	j.want(t, "n|root.d.s|1|0|0 root.d.s@1")
	if v, _ := db.eng.Get("trigger/n/try"); string(v) != "2" {
		t.Errorf("state is %q, want 2", v)
	}
}

func TestTriggerDisableAfter(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	bad := true
	class := map[string]func() Trigger{"C": func() Trigger {
		return TriggerFunc(func(context.Context, *Firing) error {
			j.add("fire")
			if bad {
				return errBoom
			}
			return nil
		})
	}}
	db := openDir(t, "data", &Options{FS: fs, Classes: class})
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Class: "C", DisableAfter: 3}))
	put := func() { must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1))) }
	put()
	put()
	bad = false
	put() // a success in between
	bad = true
	put()
	put()
	wantListing(t, db, "n,AFTER_INSERT,STATELESS,ACTIVE,root.**,C,ALL")
	put()
	put()
	must(t, db.Quiesce(ctx))
	j.want(t, "fire", "fire", "fire", "fire", "fire", "fire")
	wantListing(t, db, "n,AFTER_INSERT,STATELESS,STOPPED,root.**,C,ALL")
	must(t, db.Close())
	db = openDir(t, "data", &Options{FS: fs, Classes: class}) // remembered
	wantListing(t, db, "n,AFTER_INSERT,STATELESS,STOPPED,root.**,C,ALL")
	must(t, db.StartTrigger(ctx, "n"))
	put()
	j.want(t, "fire")
}

func TestTriggerDeadLetter(t *testing.T) {
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		var got []string
		sink := SinkFunc(func(_ context.Context, es []Event) error {
			for _, e := range es {
				got = append(got, fmt.Sprintf("%s %s@%d %v %s", e.Source, e.Series, e.Time.UnixNano(), fieldsOf(e), e.Notes["event"]))
				if !strings.Contains(e.Notes["error"], "boom") {
					t.Errorf("dead letter without its error: %v", e.Notes)
				}
			}
			return nil
		})
		db := openMem(t, &Options{Sinks: []SinkSpec{{Name: "dead", Sink: sink}, {Name: "other", Sink: SinkFunc(func(_ context.Context, es []Event) error {
			t.Errorf("another sink got %v", es)
			return nil
		})}}, Triggers: []TriggerSpec{{Name: "n", Pattern: "root.d.*", When: when, DeadLetter: "dead", Trigger: &strategist{Pessimistic, func() error { return errBoom }}}}})
		a := Column{Name: "a", Data: Int64s{1, 2}}
		a.Nulls.Set(1)
		if err := db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{5, 6}, Columns: []Column{a, {Name: "b", Data: Texts{"x", "y"}}}}); !errors.Is(err, errBoom) {
			t.Errorf("got %v, want the trigger's error", err)
		}
		must(t, db.Quiesce(ctx))
		want := []string{"n/dead root.d@5 a=1 b=x " + when.String(), "n/dead root.d@6 b=y " + when.String()}
		if !slices.Equal(got, want) {
			t.Errorf("dead letters %q, want %q", got, want)
		}
	}
	err := openMem(t, nil).CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", DeadLetter: "none", Trigger: PointFuncs{}})
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown dead letter sink: got %v, want ErrNotFound", err)
	}
}

func fieldsOf(e Event) string {
	var s []string
	for _, f := range e.Fields {
		s = append(s, f.Name+"="+f.Value.String())
	}
	return strings.Join(s, " ")
}

// A trigger over its budget is STUCK and named; what it does later is ignored;
// when it has returned it fires again.
func TestTriggerBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		release := make(chan struct{})
		var reported []*TriggerError
		var j journal
		var hang atomic.Bool
		hang.Store(true)
		db := openMem(t, &Options{OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }, Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}},
			Triggers: []TriggerSpec{{Name: "slow", Pattern: "root.**", Stateful: true, Budget: time.Second, Trigger: TriggerFunc(func(ctx context.Context, f *Firing) error {
				if !hang.Load() {
					f.Emit(Event{Series: "ok", Time: f.Row(0).Time()})
					return nil
				}
				f.Emit(Event{Series: "early", Time: f.Row(0).Time()})
				<-release
				if ctx.Err() == nil {
					t.Error("the context of a stuck call has not ended")
				}
				f.Emit(Event{Series: "late", Time: f.Row(0).Time()})
				f.Put("k", []byte("late"))
				if err := f.Write(tab("root.late", 1, "s", Int64s{1})); !errors.Is(err, ErrClosed) {
					t.Errorf("late Write: got %v, want ErrClosed", err)
				}
				f.Times[0] = 99
				return nil
			})}}})
		start := time.Now()
		must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
		if took := time.Since(start); took != time.Second {
			t.Errorf("the insert took %v, want the budget of 1s", took)
		}
		wantListing(t, db, "slow,AFTER_INSERT,STATEFUL,STUCK,root.**,tickwell.TriggerFunc,0")
		must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 2))) // does not call it, nor wait
		if time.Since(start) != time.Second {
			t.Error("an insert waited for a stuck trigger")
		}
		var stuck *dispatch.StuckError
		if len(reported) != 2 || !errors.As(reported[0], &stuck) || stuck.Name != "slow" || !errors.Is(reported[1], ErrOverloaded) {
			t.Errorf("reported %v", reported)
		}
		hang.Store(false)
		close(release)
		synctest.Wait()
		wantListing(t, db, "slow,AFTER_INSERT,STATEFUL,ACTIVE,root.**,tickwell.TriggerFunc,0")
		must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 3)))
		must(t, db.Quiesce(ctx))
		j.want(t, "slow|ok|3|0|0 ok@3")
		wantDump(t, db, "root.**", "root.d.s@1=1", "root.d.s@2=2", "root.d.s@3=3")
	})
}

// Close names the trigger that is stuck, after a bounded time.
func TestTriggerStuckAtClose(t *testing.T) {
	for _, budget := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			release := make(chan struct{})
			db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "hangs", Pattern: "root.**", Budget: budget, Trigger: TriggerFunc(func(context.Context, *Firing) error {
				<-release
				return nil
			})}}})
			done := make(chan error, 1)
			go func() { done <- db.Insert(ctx, "root.d", ns(1), Int64("s", 1)) }()
			synctest.Wait()
			time.Sleep(2 * time.Second)
			start := time.Now()
			err := db.Close()
			if err == nil || !strings.Contains(err.Error(), "hangs") || time.Since(start) > 20*time.Second {
				t.Errorf("budget %v: Close returned %v after %v, want an error that names the trigger", budget, err, time.Since(start))
			}
			close(release)
			<-done
			synctest.Wait()
		})
	}
}

// Firings of a queue come in log order, in the background; when it is full each
// policy does what it says.
func TestTriggerQueue(t *testing.T) {
	for _, c := range []struct {
		policy window.Rejection
		want   []string
		fails  int
		drops  int64
	}{
		{window.RejectError, []string{"1", "2", "3"}, 2, 0},
		{window.DropNewest, []string{"1", "2", "3"}, 0, 2},
		{window.DropOldest, []string{"1", "4", "5"}, 0, 2},
		{window.RejectWait, []string{"1", "2", "3", "4", "5"}, 0, 0},
	} {
		for _, durable := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				ctx := context.Background()
				var j journal
				var fails int
				gate := make(chan struct{})
				db := openMem(t, &Options{OnTriggerError: func(e *TriggerError) {
					fails++
					if !errors.Is(e, ErrOverloaded) {
						t.Errorf("failed with %v, want ErrOverloaded", e)
					}
				}, Triggers: []TriggerSpec{{Name: "q", Pattern: "root.**", Stateful: true, Queue: 2, WhenFull: c.policy, Durable: durable,
					Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
						<-gate
						j.add("%d", f.Times[0])
						return nil
					})}}})
				inserted := make(chan struct{})
				go func() {
					defer close(inserted)
					for i := int64(1); i <= 5; i++ {
						must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", i)))
						if i == 1 {
							runtime.Gosched()
							for db.triggers.Load().all[0].queue.Stats().Running == 0 {
								runtime.Gosched()
							}
							for db.triggers.Load().all[0].queue.Stats().Waiting > 0 {
								runtime.Gosched()
							}
						}
					}
				}()
				synctest.Wait()
				select {
				case <-inserted:
					if c.policy == window.RejectWait {
						t.Error("nobody waited for room")
					}
				default:
					if c.policy != window.RejectWait {
						t.Error("an insert waits")
					}
				}
				close(gate)
				<-inserted
				must(t, db.Quiesce(ctx))
				j.want(t, c.want...)
				for i := range db.Triggers() {
					if i.Dropped != c.drops || fails != c.fails {
						t.Errorf("policy %d: %d dropped, %d failed; want %d, %d", c.policy, i.Dropped, fails, c.drops, c.fails)
					}
				}
				for key := range db.eng.Scan("todo/") {
					t.Errorf("policy %d: promise %s is left", c.policy, key)
				}
			})
		}
	}
}

// Shutdown lets queued firings finish, Close does not.
func TestTriggerQueueShutdown(t *testing.T) {
	ctx := context.Background()
	var fired atomic.Int64
	db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "q", Pattern: "root.**", Stateful: true, Queue: 1000, Trigger: TriggerFunc(func(context.Context, *Firing) error {
		fired.Add(1)
		return nil
	})}}})
	for i := range int64(500) {
		must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", i)))
	}
	must(t, db.Shutdown(ctx))
	if fired.Load() != 500 {
		t.Errorf("%d firings, want 500", fired.Load())
	}
}

// Two queued triggers that write into each other's patterns with full queues
// fail; they do not wait for each other.
func TestTriggerQueueCrossing(t *testing.T) {
	ctx := context.Background()
	write := func(to string) func(context.Context, *Firing) error {
		return func(_ context.Context, f *Firing) error {
			for i := range int64(4) {
				if err := f.Write(tab(to, f.Times[0]*10+i, "s", Int64s{1})); err != nil {
					return err
				}
			}
			return nil
		}
	}
	a, b := spec("a", "root.a.*", AfterInsert, write("root.b")), spec("b", "root.b.*", AfterInsert, write("root.a"))
	a.Queue, b.Queue, a.WhenFull, b.WhenFull = 1, 1, window.RejectWait, window.RejectWait
	db := openMem(t, &Options{Triggers: []TriggerSpec{a, b}})
	within(t, "crossing queues", func() {
		for i := range int64(20) {
			must(t, db.InsertTablet(ctx, tab("root.a", i+1, "s", Int64s{1})))
			must(t, db.InsertTablet(ctx, tab("root.b", i+1, "s", Int64s{1})))
		}
		must(t, db.Quiesce(ctx))
	})
}

func TestTriggerSpecWrong(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	ok := TriggerSpec{Name: "n", Pattern: "root.**", Trigger: PointFuncs{}}
	for name, change := range map[string]func(*TriggerSpec){
		"no name": func(s *TriggerSpec) { s.Name = "" }, "no code": func(s *TriggerSpec) { s.Trigger = nil }, "two codes": func(s *TriggerSpec) { s.Class = "C" },
		"pattern": func(s *TriggerSpec) { s.Pattern = "root..a" }, "queue before": func(s *TriggerSpec) { s.When, s.Queue = BeforeInsert, 1 },
		"durable before": func(s *TriggerSpec) { s.When, s.Durable = BeforeInsert, true }, "negative queue": func(s *TriggerSpec) { s.Queue = -1 },
		"negative budget": func(s *TriggerSpec) { s.Budget = -1 }, "policy": func(s *TriggerSpec) { s.WhenFull = window.RunInline }, "event": func(s *TriggerSpec) { s.When = 9 },
	} {
		s := ok
		change(&s)
		if err := db.CreateTrigger(ctx, s); !errors.Is(err, ErrBadInput) {
			t.Errorf("%s: got %v, want ErrBadInput", name, err)
		}
	}
	if got := listing(db); got != nil {
		t.Errorf("listed %v, want none", got)
	}
}
