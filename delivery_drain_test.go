package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestShutdownFlushesEachSink holds that a sink which is down keeps no other from
// what Shutdown does: to deliver without lingering.
func TestShutdownFlushesEachSink(t *testing.T) {
	var mu sync.Mutex
	var got []string
	sinks := []SinkSpec{{Name: "down", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })}}
	for i := range 8 {
		name := fmt.Sprint("s", i)
		sinks = append(sinks, SinkSpec{Name: name, Linger: time.Hour, Sink: SinkFunc(func(context.Context, []Event) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, name)
			return nil
		})})
	}
	db := openMem(t, &Options{Logger: openMemLogger(), Sinks: sinks, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}}})
	must(t, db.InsertTablet(t.Context(), boolRows(1)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := db.Shutdown(ctx)
	if err == nil || strings.Count(err.Error(), "flush sink") != 1 || !strings.Contains(err.Error(), "flush sink down: 1 event left") {
		t.Errorf("%v", err)
	}
	slices.Sort(got)
	if want := "[s0 s1 s2 s3 s4 s5 s6 s7]"; fmt.Sprint(got) != want {
		t.Errorf("delivered to %v, want %v", got, want)
	}
}

// TestCloseOfHangingSinks holds that several sinks which hang are waited for no
// longer than one.
func TestCloseOfHangingSinks(t *testing.T) {
	clk := newFake()
	hang, release := make(chan struct{}, 3), make(chan struct{})
	s := SinkFunc(func(context.Context, []Event) error { hang <- struct{}{}; <-release; return nil })
	db := openMem(t, &Options{Clock: clk, Logger: openMemLogger(), Sinks: []SinkSpec{{Name: "a", Sink: s}, {Name: "b", Sink: s}, {Name: "c", Sink: s}},
		Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}}})
	must(t, db.InsertTablet(t.Context(), boolRows(1)))
	for range 3 {
		<-hang
	}
	closed := make(chan error, 1)
	go func() { closed <- db.Close() }()
	before := clk.Now()
	for {
		select {
		case err := <-closed:
			must(t, err)
			if took := clk.Now().Sub(before); took > 2*closeLimit {
				t.Errorf("it took %v", took)
			}
			close(release)
			return
		case <-time.After(5 * time.Millisecond):
			clk.Advance(time.Second / 4)
		}
	}
}

// writers are sinks and triggers in a row: each sink writes what it takes into
// the device that the next trigger listens to.
func writers(n int, db **DB) (sinks []SinkSpec, triggers []TriggerSpec) {
	for i := range n {
		name := fmt.Sprint("s", i)
		next := fmt.Sprint("root.d", i+1)
		sinks = append(sinks, SinkSpec{Name: name, Sink: SinkFunc(func(ctx context.Context, events []Event) error {
			for j := range events {
				if err := (*db).Insert(ctx, next, events[j].Time, Int64("v", 1)); err != nil {
					return err
				}
			}
			return nil
		})})
		triggers = append(triggers, TriggerSpec{Name: fmt.Sprint("t", i), Pattern: fmt.Sprint("root.d", i, ".v"), Sinks: []string{name}, Trigger: echo})
	}
	return sinks, triggers
}

// TestDrainOfWritingSinks holds that what sinks write into the store follows from
// what was done before: Quiesce waits for it, and Shutdown takes it.
func TestDrainOfWritingSinks(t *testing.T) {
	for _, how := range []string{"Quiesce", "Shutdown"} {
		fs := memFS()
		var db *DB
		sinks, triggers := writers(6, &db)
		db = openOnly(t, "/d", &Options{FS: fs, Sinks: sinks, Triggers: triggers})
		must(t, db.Insert(t.Context(), "root.d0", ns(1), Int64("v", 1)))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if how == "Quiesce" {
			must(t, db.Quiesce(ctx))
			must(t, db.Close())
		} else {
			must(t, db.Shutdown(ctx))
		}
		db = openOnly(t, "/d", &Options{FS: fs})
		for i := range 7 {
			last, err := db.Last(t.Context(), fmt.Sprintf("root.d%d.v", i))
			must(t, err)
			if len(last) != 1 {
				t.Errorf("%s: nothing came to root.d%d", how, i)
			}
		}
		must(t, db.Close())
	}
}
