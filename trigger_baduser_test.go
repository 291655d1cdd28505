package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// After whatever a trigger has done, the store is usable: no ticket is taken, no
// insert counted as under way, other triggers fire, and Close ends.
func checkUsable(t *testing.T, what string, db *DB) {
	t.Helper()
	ctx := context.Background()
	within(t, what+": use of the store", func() {
		for i := range int64(3) {
			if err := db.Insert(ctx, "root.other", ns(i+1), Int64("s", i)); err != nil {
				t.Errorf("%s: insert: %v", what, err)
			}
		}
		if _, err := db.Last(ctx, "root.**"); err != nil {
			t.Errorf("%s: read: %v", what, err)
		}
		for _, tr := range db.triggers.Load().all {
			db.locks.mu.Lock()
			if tr.ticket.n != 0 {
				t.Errorf("%s: the ticket of %s is still taken", what, tr.spec.Name)
			}
			db.locks.mu.Unlock()
			if err := tr.busy.idleWait(noWait); err != nil {
				t.Errorf("%s: %s counts as firing", what, tr.spec.Name)
			}
		}
		if err := db.Close(); err != nil {
			t.Errorf("%s: close: %v", what, err)
		}
	})
}

func TestTriggerBadCode(t *testing.T) {
	ctx := context.Background()
	var db *DB
	var kept *Tablet
	for _, c := range []struct {
		name    string
		fire    func(context.Context, *Firing) error
		is      func(error) bool // nil: no failure
		ends    bool             // the inserter's goroutine, unless budgeted
		changes bool             // the lent rows, which is a failure when checked
	}{
		{"panic", func(context.Context, *Firing) error { panic("boom") }, func(err error) bool { var p *PanicError; return errors.As(err, &p) && p.Value == "boom" }, false, false},
		{"nil map", func(context.Context, *Firing) error { var m map[int]int; m[1]++; return nil }, func(err error) bool { var p *PanicError; return errors.As(err, &p) }, false, false},
		{"goexit", func(context.Context, *Firing) error { runtime.Goexit(); return nil }, func(err error) bool { var g *dispatch.GoexitError; return errors.As(err, &g) }, true, false},
		{"insert", func(ctx context.Context, f *Firing) error { return db.Insert(ctx, "root.nested", ns(1), Int64("s", 1)) }, nil, false, false},
		{"insert, own context", func(_ context.Context, f *Firing) error {
			return db.Insert(context.Background(), "root.nested", ns(1), Int64("s", 1))
		}, nil, false, false},
		{"query", func(ctx context.Context, _ *Firing) error {
			return errOf(db.Query(ctx, Query{From: []string{"root.**"}}))
		}, nil, false, false},
		{"drop of itself", func(ctx context.Context, f *Firing) error { return db.DropTrigger(ctx, f.Trigger) }, nil, false, false},
		{"stop of itself", func(ctx context.Context, f *Firing) error { return db.StopTrigger(ctx, f.Trigger) }, nil, false, false},
		{"create", func(ctx context.Context, f *Firing) error {
			return db.CreateTrigger(ctx, spec("made"+f.Trigger+f.When.String(), "root.none.*", AfterInsert, func(context.Context, *Firing) error { return nil }))
		}, nil, false, false},
		{"keeps and changes rows", func(_ context.Context, f *Firing) error {
			kept = f.Tablet
			f.Columns[0].Data = Texts{"x"}
			f.Columns = f.Columns[:0]
			return nil
		}, nil, false, true},
		{"no tablet", func(_ context.Context, f *Firing) error { f.Tablet = nil; return errBoom }, func(err error) bool { return errors.Is(err, errBoom) }, false, false},
		{"no data", func(_ context.Context, f *Firing) error { f.Columns[0].Data = nil; f.Times = nil; return errBoom }, func(err error) bool { return errors.Is(err, errBoom) }, false, false},
		{"kept firing", func(_ context.Context, f *Firing) error { go func() { f.Emit(Event{Time: ns(1)}) }(); return nil }, nil, false, false},
		{"typed nil error", func(context.Context, *Firing) error { var e *TriggerError; return e }, func(err error) bool { return strings.Contains(err.Error(), "cannot be read") }, false, false},
	} {
		for _, when := range []When{BeforeInsert, AfterInsert} {
			for _, stateful := range []bool{false, true} {
				for _, mode := range []struct {
					budget time.Duration
					check  bool
				}{{0, false}, {time.Hour, false}, {0, true}, {time.Hour, true}} {
					budget, is := mode.budget, c.is
					if mode.check && c.changes {
						is = func(err error) bool { return strings.Contains(err.Error(), "changed the rows it was lent") }
					}
					what := fmt.Sprintf("%s, %s, stateful %v, budget %v, checked %v", c.name, when, stateful, budget, mode.check)
					var mu sync.Mutex
					var failures []error
					after := 0
					db = openMem(t, &Options{CheckTriggers: mode.check, OnTriggerError: func(e *TriggerError) { mu.Lock(); failures = append(failures, e); mu.Unlock() }, Triggers: []TriggerSpec{
						{Name: "bad", Pattern: "root.d.*", When: when, Stateful: stateful, Budget: budget, Trigger: TriggerFunc(c.fire)},
						spec("good", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error {
							if render(f.Tablet) != "root.d [1] s:1" {
								t.Errorf("%s: the next trigger gets %s", what, render(f.Tablet))
							}
							after++
							return nil
						}),
					}})
					within(t, what, func() {
						done := make(chan struct{})
						go func() {
							defer close(done)
							if err := db.Insert(ctx, "root.d", ns(1), Int64("s", 1)); err != nil {
								t.Errorf("%s: insert returned %v", what, err)
							}
						}()
						<-done
					})
					mu.Lock()
					if is == nil && len(failures) > 0 || is != nil && (len(failures) != 1 || !is(failures[0])) {
						t.Errorf("%s: failures %v", what, failures)
					}
					mu.Unlock()
					stored := strings.Contains(strings.Join(dump(t, db, "root.d.s"), " "), "root.d.s@1=1")
					if ended := c.ends && budget == 0; stored == (ended && when == BeforeInsert) || after == 0 != ended {
						t.Errorf("%s: stored %v, next trigger called %d times", what, stored, after)
					}
					must(t, db.drainTriggers(ctx))
					checkUsable(t, what, db)
				}
			}
		}
	}
	_ = kept
}

// A trigger that closes the store is waited for, for a bounded time, and named;
// budgeted or not.
func TestTriggerCloses(t *testing.T) {
	for _, when := range []When{BeforeInsert, AfterInsert} {
		for _, stateful := range []bool{false, true} {
			for _, budget := range []time.Duration{0, time.Second, time.Hour} {
				what := fmt.Sprintf("%s, stateful %v, budget %v", when, stateful, budget)
				synctest.Test(t, func(t *testing.T) {
					var db *DB
					closed := make(chan error, 1)
					sp := spec("closer", "root.**", when, func(context.Context, *Firing) error {
						closed <- db.Close()
						return nil
					})
					sp.Stateful, sp.Budget = stateful, budget
					db = openMem(t, &Options{Triggers: []TriggerSpec{sp}})
					start := time.Now()
					db.Insert(context.Background(), "root.d", ns(1), Int64("s", 1)) // stored or refused, but it returns
					err := <-closed
					if err == nil || !strings.Contains(err.Error(), "closer") {
						t.Errorf("%s: close returned %v, want an error that names the trigger", what, err)
					}
					if took := time.Since(start); took > time.Minute {
						t.Errorf("%s: close took %v of the clock", what, took)
					}
					if err := db.Insert(context.Background(), "root.d", ns(2), Int64("s", 1)); !errors.Is(err, ErrClosed) {
						t.Errorf("%s: an insert later: got %v, want ErrClosed", what, err)
					}
				})
			}
		}
	}
}

// A trigger that never returns holds its own insert, without a budget, or
// nobody, with one. All others go on: inserts that do not meet it, reads,
// registration, and inserts that would wait for it until their context ends.
// Close ends and names it; what it does later is ignored, and the store opens
// again with what was stored.
func TestTriggerNeverReturns(t *testing.T) {
	for _, when := range []When{BeforeInsert, AfterInsert} {
		for _, stateful := range []bool{false, true} {
			for _, budget := range []time.Duration{0, time.Second} {
				for _, check := range []bool{false, true} {
					what := fmt.Sprintf("%s, stateful %v, budget %v, checked %v", when, stateful, budget, check)
					synctest.Test(t, func(t *testing.T) { neverReturns(t, what, when, stateful, budget, check) })
				}
			}
		}
	}
}

func neverReturns(t *testing.T, what string, when When, stateful bool, budget time.Duration, check bool) {
	ctx := context.Background()
	release := make(chan struct{})
	fs := memFS()
	sp := spec("hangs", "root.d.*", when, func(_ context.Context, f *Firing) error {
		if f.Times[0] != 1 {
			return nil
		}
		<-release
		if f.Times[0] != 1 {
			t.Errorf("%s: the rows of the call that hangs have become %v", what, f.Times)
		}
		f.Put("late", []byte("x"))
		return nil
	})
	sp.Stateful, sp.Budget = stateful, budget
	db := openDir(t, "data", &Options{FS: fs, CheckTriggers: check, Triggers: []TriggerSpec{sp}})
	first := make(chan error, 1)
	go func() { first <- db.Insert(ctx, "root.d", ns(1), Int64("s", 1)) }()
	time.Sleep(2 * time.Second) // of the bubble: over any budget
	synctest.Wait()
	select {
	case err := <-first:
		if budget == 0 {
			t.Errorf("%s: the insert returned %v while its trigger runs", what, err)
		}
		first <- err
	default:
		if budget > 0 {
			t.Errorf("%s: the insert waits for a trigger that is over its budget", what)
		}
	}
	start := time.Now()
	must(t, db.Insert(ctx, "root.other", ns(1), Int64("s", 1)))
	must(t, errOf(db.Query(ctx, Query{From: []string{"root.**"}})))
	must(t, db.Flush(ctx))
	must(t, db.CreateTrigger(ctx, spec("more", "root.other.*", AfterInsert, func(context.Context, *Firing) error { return nil })))
	must(t, db.DropTrigger(ctx, "more"))
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := db.Insert(short, "root.d", ns(2), Int64("s", 2)) // fires, or waits for the ticket, or is told that it is stuck
	if waits := stateful && budget == 0; waits != errors.Is(err, context.DeadlineExceeded) || !waits && err != nil {
		t.Errorf("%s: a second insert returned %v", what, err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("%s: the others waited %v", what, took)
	}
	start = time.Now()
	if err := db.Close(); err == nil || !strings.Contains(err.Error(), "hangs") || time.Since(start) > time.Minute {
		t.Errorf("%s: close returned %v after %v, want an error that names the trigger", what, err, time.Since(start))
	}
	close(release)
	err = <-first
	synctest.Wait()
	db = openDir(t, "data", &Options{FS: fs})
	got := dump(t, db, "root.d.s")
	if acked := err == nil; acked && !slices.Contains(got, "root.d.s@1=1") || !slices.Equal(dump(t, db, "root.other.s"), []string{"root.other.s@1=1"}) {
		t.Errorf("%s: the insert returned %v; after opening again %q is there", what, err, got)
	}
	for key := range db.eng.Scan("") {
		if strings.Contains(key, "late") {
			t.Errorf("%s: %s was stored by the late call", what, key)
		}
	}
	must(t, db.Close())
}

// A trigger that drops itself has fired for the last time, and its OnDrop is
// called when it has returned.
func TestTriggerDropsItself(t *testing.T) {
	ctx := context.Background()
	var j journal
	d := &selfDropper{j: &j}
	d.db = openMem(t, &Options{Triggers: []TriggerSpec{{Name: "n", Pattern: "root.**", Stateful: true, Trigger: d}}})
	must(t, d.db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	must(t, d.db.Quiesce(ctx))
	j.want(t, "fire", "dropped", "fired", "OnDrop")
	must(t, d.db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t)
	if listing(d.db) != nil {
		t.Error("it is still listed")
	}
}

// A trigger that drops itself, or its series, under a context of its own waits
// for itself: until that context ends, and then it is dropped all the same, or
// until the store is closed. Nobody else waits.
func TestTriggerDropsItselfByOwnContext(t *testing.T) {
	for _, by := range []string{"name", "series"} {
		for _, limit := range []time.Duration{time.Second, 0} {
			for _, budget := range []time.Duration{0, time.Hour} {
				what := fmt.Sprintf("by %s, limit %v, budget %v", by, limit, budget)
				synctest.Test(t, func(t *testing.T) {
					ctx := context.Background()
					var db *DB
					var dropped error
					fire := func(_ context.Context, f *Firing) error {
						own, cancel := context.WithCancel(ctx)
						if limit > 0 {
							own, cancel = context.WithTimeout(ctx, limit)
						}
						defer cancel()
						if by == "name" {
							dropped = db.DropTrigger(own, f.Trigger)
						} else {
							dropped = db.DropSeries(own, "root.d.s")
						}
						return nil
					}
					db = openMem(t, nil)
					must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
					sp := TriggerSpec{Name: "n", Pattern: "root.d.s", Trigger: TriggerFunc(fire), Budget: budget}
					if by == "series" {
						sp.Pattern, sp.Series = "", "root.d.s"
					}
					must(t, db.CreateTrigger(ctx, sp))
					inserted := make(chan error, 1)
					go func() { inserted <- db.Insert(ctx, "root.d", ns(1), Int64("s", 1)) }()
					if limit == 0 {
						synctest.Wait()
						must(t, db.Insert(ctx, "root.other", ns(1), Int64("s", 1)))
						must(t, db.Close())
						<-inserted
						if !errors.Is(dropped, ErrClosed) {
							t.Errorf("%s: the drop returned %v, want ErrClosed", what, dropped)
						}
						return
					}
					<-inserted
					if !errors.Is(dropped, context.DeadlineExceeded) {
						t.Errorf("%s: the drop returned %v, want the error of its context", what, dropped)
					}
					synctest.Wait()
					if got := listing(db); got != nil {
						t.Errorf("%s: still listed: %q", what, got)
					}
					must(t, db.Close())
				})
			}
		}
	}
}

type selfDropper struct {
	db *DB
	j  *journal
}

func (d *selfDropper) Fire(ctx context.Context, f *Firing) error {
	d.j.add("fire")
	if err := d.db.DropTrigger(ctx, f.Trigger); err != nil {
		return err
	}
	d.j.add("dropped")
	defer d.j.add("fired")
	return nil
}
func (d *selfDropper) OnDrop(context.Context) error { d.j.add("OnDrop"); return nil }

// A hook cannot create or drop triggers: it is told so and does not hang.
func TestTriggerHookReentry(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	h := &reentrant{db: db}
	within(t, "create", func() { must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Trigger: h})) })
	if !errors.Is(h.err, ErrReentrant) {
		t.Errorf("got %v, want ErrReentrant", h.err)
	}
}

type reentrant struct {
	db  *DB
	err error
}

func (r *reentrant) OnCreate(ctx context.Context, _ Env) error {
	r.err = r.db.CreateTrigger(ctx, TriggerSpec{Name: "m", Pattern: "root.**", Trigger: PointFuncs{}})
	return nil
}
func (r *reentrant) Fire(context.Context, *Firing) error { return nil }

// OnDrop may store what the trigger has counted.
func TestTriggerOnDropPersists(t *testing.T) {
	ctx := context.Background()
	d := &totaller{}
	d.db = openMem(t, &Options{Triggers: []TriggerSpec{{Name: "n", Pattern: "root.d.*", Stateful: true, Trigger: d}}})
	var wg sync.WaitGroup
	for g := range int64(10) {
		wg.Go(func() {
			for i := range int64(100) {
				must(t, d.db.Insert(ctx, "root.d", ns(g*100+i), Int64("s", 1)))
			}
		})
	}
	wg.Wait()
	must(t, d.db.DropTrigger(ctx, "n"))
	wantDump(t, d.db, "root.total.*", "root.total.n@1=1000")
}

type totaller struct {
	db *DB
	n  int64
}

func (d *totaller) Fire(_ context.Context, f *Firing) error { d.n += int64(f.Len()); return nil }
func (d *totaller) OnDrop(ctx context.Context) error {
	return d.db.Insert(ctx, "root.total", ns(1), Int64("n", d.n))
}
