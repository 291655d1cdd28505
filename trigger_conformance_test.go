package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// The cases of IoTDB's own integration tests, named after them.

// IoTDBTriggerExecutionIT testFireTimesOfStatelessTrigger and
// testFireTimesOfStatefulTrigger: one fire per insert and trigger, not per
// measurement.
func TestConformanceFireTimes(t *testing.T) {
	ctx := context.Background()
	for _, stateful := range []bool{false, true} {
		var specs []TriggerSpec
		fired := map[string]int{}
		var mu sync.Mutex
		for _, when := range []When{BeforeInsert, AfterInsert} {
			for _, pattern := range []string{"root.test.stateless.*", "root.test.stateless.a"} {
				s := spec(when.String()+" "+pattern, pattern, when, func(_ context.Context, f *Firing) error { mu.Lock(); fired[f.Trigger]++; mu.Unlock(); return nil })
				s.Stateful = stateful
				specs = append(specs, s)
			}
		}
		db := openMem(t, &Options{Triggers: specs})
		for i := range int64(10) {
			a, b, c := Int32("a", 1), Int32("b", 2), Int32("c", 3)
			for k, fields := range [][]Field{{a, b, c}, {a}, {b}, {c}} {
				must(t, db.Insert(ctx, "root.test.stateless", ns(i*4+int64(k)), fields...))
			}
		}
		for _, when := range []When{BeforeInsert, AfterInsert} {
			if n := fired[when.String()+" root.test.stateless.*"]; n != 40 {
				t.Errorf("stateful %v, %s: .* fired %d times, want 40", stateful, when, n)
			}
			if n := fired[when.String()+" root.test.stateless.a"]; n != 20 {
				t.Errorf("stateful %v, %s: .a fired %d times, want 20", stateful, when, n)
			}
		}
	}
}

// The example of the 1.2 page: three BEFORE triggers, insert (time 1, a 1, b 1).
func TestConformancePageRouting(t *testing.T) {
	var j journal
	note := func(_ context.Context, f *Firing) error {
		j.add("%s %s %s", f.Trigger, render(f.Tablet), f.Columns[0].Data.Kind())
		return nil
	}
	db := openMem(t, &Options{Triggers: []TriggerSpec{
		spec("Trigger1", "root.sg.*", BeforeInsert, note), spec("Trigger2", "root.sg.a", BeforeInsert, note), spec("Trigger3", "root.sg.b", BeforeInsert, note)}})
	must(t, db.Insert(context.Background(), "root.sg", ns(1), Float64("a", 1), Float64("b", 1)))
	j.want(t, "Trigger1 root.sg [1] a:1 b:1 float64", "Trigger2 root.sg [1] a:1 float64", "Trigger3 root.sg [1] b:1 float64")
}

// Patterns: one series; * is one node, ** one or more; a trigger fires once
// however many ways it matches; a series may come later.
func TestConformancePatterns(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		pattern string
		fires   string // devices, each with measurement a
	}{
		{"root.a", "root"}, {"root.**.a", "root.x root.x.y"}, {"root.*.a", "root.x"}, {"root.**", "root root.x root.x.y"}, {"root.**.**", "root.x root.x.y"}, {"root.*.**.a", "root.x.y"}, {"root.x*.a", "root.x"},
	} {
		var got []string
		db := openMem(t, &Options{Triggers: []TriggerSpec{spec("n", c.pattern, AfterInsert, func(_ context.Context, f *Firing) error { got = append(got, f.Device); return nil })}})
		for _, d := range []string{"root", "root.x", "root.x.y"} {
			must(t, db.Insert(ctx, d, ns(1), Int64("a", 1)))
			must(t, db.CreateSeries(ctx, d+".other", KindInt64))
		}
		if strings.Join(got, " ") != c.fires {
			t.Errorf("%s fires for %v, want %s", c.pattern, got, c.fires)
		}
	}
}

// IoTDBTriggerManagementIT: testTriggerNameCaseSensitivity,
// testCreateTriggerWithSameName, testCreateAndDropMultipleTimes,
// testDropBeforeCreation.
func TestConformanceManagement(t *testing.T) {
	ctx := context.Background()
	var j journal
	note := func(_ context.Context, f *Firing) error { j.add("%s", f.Trigger); return nil }
	db := openMem(t, nil)
	if err := db.DropTrigger(ctx, "test"); !errors.Is(err, ErrNotFound) {
		t.Errorf("drop before creation: got %v, want ErrNotFound", err)
	}
	for _, n := range []string{"test", "Test", "TEST"} {
		must(t, db.CreateTrigger(ctx, spec(n, "root.**", AfterInsert, note)))
	}
	if err := db.CreateTrigger(ctx, spec("test", "root.other.*", BeforeInsert, nil)); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "the same name trigger has been created") {
		t.Errorf("same name: got %v, want ErrExists", err)
	}
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	j.want(t, "test", "Test", "TEST") // the first one stays
	must(t, db.DropTrigger(ctx, "Test"))
	must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t, "test", "TEST")
	wantListing(t, db, "TEST,AFTER_INSERT,STATELESS,ACTIVE,root.**,tickwell.TriggerFunc,ALL", "test,AFTER_INSERT,STATELESS,ACTIVE,root.**,tickwell.TriggerFunc,ALL")
	for range 50 {
		must(t, db.CreateTrigger(ctx, spec("again", "root.**", AfterInsert, note)))
		must(t, db.DropTrigger(ctx, "again"))
	}
	wantListing(t, db, "TEST,AFTER_INSERT,STATELESS,ACTIVE,root.**,tickwell.TriggerFunc,ALL", "test,AFTER_INSERT,STATELESS,ACTIVE,root.**,tickwell.TriggerFunc,ALL")
	for key := range db.eng.Scan("") {
		if strings.Contains(key, "again") {
			t.Errorf("%s is left of a dropped trigger", key)
		}
	}
}

// Of two concurrent drops one succeeds, the other finds nothing; OnDrop once.
func TestConformanceConcurrentDrops(t *testing.T) {
	ctx := context.Background()
	var j journal
	for range 30 {
		db := openMem(t, nil)
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Trigger: &listener{j: &j}}))
		j.take()
		errs := make([]error, 4)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = db.DropTrigger(ctx, "n") })
		}
		wg.Wait()
		none := 0
		for _, err := range errs {
			if errors.Is(err, ErrNotFound) {
				none++
			} else {
				must(t, err)
			}
		}
		if none != 3 {
			t.Errorf("%d drops found nothing, want 3", none)
		}
		j.want(t, "onDrop")
	}
}

// Rows stored before CREATE never fire, the next insert does; deletes do not.
func TestConformanceEffectiveFromRegistration(t *testing.T) {
	ctx := context.Background()
	var j journal
	db := openMem(t, nil)
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	must(t, db.CreateTrigger(ctx, spec("n", "root.**", AfterInsert, func(_ context.Context, f *Firing) error { j.add("%v", f.Times); return nil })))
	j.want(t)
	must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t, "[2]")
	must(t, db.Delete(ctx, "root.d.s", ns(0), ns(9)))
	must(t, db.DropSeries(ctx, "root.d.s"))
	j.want(t)
}

// Synchronous by default, in the background with a queue.
func TestConformanceSynchronous(t *testing.T) {
	for _, queue := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			sp := spec("slow", "root.**", AfterInsert, func(context.Context, *Firing) error { time.Sleep(50 * time.Millisecond); return nil })
			sp.Queue = queue
			db := openMem(t, &Options{Triggers: []TriggerSpec{sp}})
			start := time.Now()
			must(t, db.Insert(context.Background(), "root.d", ns(1), Int64("s", 1)))
			if took := time.Since(start); (took >= 50*time.Millisecond) != (queue == 0) {
				t.Errorf("queue %d: the insert took %v", queue, took)
			}
			must(t, db.Close())
		})
	}
}

// Fire of a stateless trigger may run in several goroutines at once: here each
// waits for the other.
func TestConformanceStatelessOverlaps(t *testing.T) {
	ctx := context.Background()
	var both sync.WaitGroup
	both.Add(2)
	db := openMem(t, &Options{Triggers: []TriggerSpec{spec("n", "root.**", AfterInsert, func(context.Context, *Firing) error { both.Done(); both.Wait(); return nil })}})
	within(t, "overlap", func() {
		var wg sync.WaitGroup
		for i := range int64(2) {
			wg.Go(func() { must(t, db.Insert(ctx, fmt.Sprint("root.d", i), ns(1), Int64("s", 1))) })
		}
		wg.Wait()
	})
}

// The order is by priority, then by creation: the same in each of 100 runs.
func TestConformanceOrder(t *testing.T) {
	ctx := context.Background()
	var j journal
	var opts Options
	var want []string
	for i := range 20 {
		s := spec(fmt.Sprint((i*7)%20), "root.**", AfterInsert, func(_ context.Context, f *Firing) error { j.add("%s", f.Trigger); return nil })
		s.Priority = i % 3
		opts.Triggers = append(opts.Triggers, s)
	}
	for p := range 3 {
		for i, s := range opts.Triggers {
			if i%3 == p {
				want = append(want, s.Name)
			}
		}
	}
	db := openMem(t, &opts)
	for i := range int64(100) {
		must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", 1)))
		if got := j.take(); !slices.Equal(got, want) {
			t.Fatalf("run %d: order %v, want %v", i, got, want)
		}
	}
}

// Attributes: the same in Validate and OnCreate, exactly one call each.
func TestConformanceHooksOnce(t *testing.T) {
	ctx := context.Background()
	var j journal
	h := &hooked{j: &j}
	db := openMem(t, nil)
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Params: Params{"lo": "7"}, Trigger: h}))
	j.want(t, "Validate", "OnCreate 7")
	for i := range int64(1000) {
		must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", 1)))
	}
	for _, l := range j.take() {
		if !strings.HasPrefix(l, "Fire ") {
			t.Errorf("%s was called while inserting", l)
		}
	}
	must(t, db.DropTrigger(ctx, "n"))
	j.want(t, "OnDrop")
}
