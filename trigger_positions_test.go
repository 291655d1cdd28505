package tickwell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// sightings counts which parts of which inserts a trigger was called for, by the
// time of their rows.
type sightings struct {
	mu sync.Mutex
	of map[int64][]string
}

func (s *sightings) Fire(_ context.Context, f *Firing) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range f.Times {
		s.of[at] = append(s.of[at], f.Device)
	}
	return nil
}

// Triggers of all sorts come, stop, start and go while several goroutines insert.
// Each sees an insert wholly or not at all, and which ones is what the positions
// say that the listing shows.
func TestTriggerPositionsUnderLoad(t *testing.T) {
	ctx := context.Background()
	for _, dir := range []string{"", "data"} {
		db := openDir(t, dir, &Options{FS: memFS(), Sync: SyncNever(), OnTriggerError: func(e *TriggerError) { t.Errorf("failed: %v", e) }})
		load := startLoad(t, db, 4)
		rounds := 4
		if testing.Short() {
			rounds = 1
		}
		for round := range rounds {
			load.round(t, db, round)
		}
		load.end()
		must(t, db.drainTriggers(ctx))
		t.Logf("dir %q: %d inserts, %d triggers", dir, len(load.positions), len(load.watched))
		for _, w := range load.watched {
			w.check(t, load.positions)
		}
	}
}

// load is goroutines that insert, each time two tablets as one group.
type load struct {
	mu        sync.Mutex
	positions map[int64]uint64 // in the log, of inserts by the time of their rows
	done      atomic.Int64
	stop      atomic.Bool
	wg        sync.WaitGroup
	watched   []watched
}

// watched is one trigger between its start and its end.
type watched struct {
	name         string
	when         When
	since, until uint64
	seen         map[int64][]string
}

func startLoad(t *testing.T, db *DB, writers int) *load {
	l := &load{positions: make(map[int64]uint64)}
	for g := range writers {
		l.wg.Go(func() {
			for i := 0; !l.stop.Load(); i++ {
				at := int64(i*writers + g)
				res, err := db.Write(context.Background(), WriteOptions{},
					tab(fmt.Sprintf("root.d%d", g), at, "a", Int64s{1}), tab(fmt.Sprintf("root.e%d", g), at, "b", Int64s{2}))
				if err != nil {
					t.Error(err)
					return
				}
				l.mu.Lock()
				l.positions[at] = res.Position
				l.mu.Unlock()
				l.done.Add(1)
			}
		})
	}
	return l
}

// more returns when n inserts that began after the call have returned, or so.
func (l *load) more(t *testing.T, n int64) {
	within(t, "inserting", func() {
		for upTo := l.done.Load() + n; l.done.Load() < upTo && !t.Failed(); {
			runtime.Gosched()
		}
	})
}

func (l *load) end() {
	l.stop.Store(true)
	l.wg.Wait()
}

// round creates a handful of triggers, lets them see something, stops and starts
// one, and drops them all.
func (l *load) round(t *testing.T, db *DB, round int) {
	ctx := context.Background()
	type one struct {
		tr  *trigger
		see *sightings
	}
	var all []one
	for i, sp := range []TriggerSpec{
		{When: AfterInsert}, {When: AfterInsert, Stateful: true}, {When: BeforeInsert}, {When: BeforeInsert, Stateful: true},
		{When: AfterInsert, Stateful: true, Priority: -1}, {When: BeforeInsert, Stateful: true, Priority: -1},
		{When: AfterInsert, Stateful: true, Queue: 8, WhenFull: 1}, {When: AfterInsert, Durable: true},
	} {
		see := &sightings{of: make(map[int64][]string)}
		sp.Name, sp.Pattern, sp.Trigger = fmt.Sprintf("t%d.%d", round, i), "root.**", see
		must(t, db.CreateTrigger(ctx, sp))
		all = append(all, one{db.triggers.Load().find(sp.Name), see})
		l.more(t, 3)
	}
	watch := func(o one) { // whose firings have ended: the queues of others may never be empty
		o.see.mu.Lock()
		defer o.see.mu.Unlock()
		info := o.tr.info()
		if info.Until == 0 || info.Since > info.Until {
			t.Errorf("%s fires since %d until %d", info.Spec.Name, info.Since, info.Until)
		}
		l.watched = append(l.watched, watched{info.Spec.Name, info.Spec.When, info.Since, info.Until, maps.Clone(o.see.of)})
		clear(o.see.of)
	}
	again := all[round%len(all)]
	must(t, db.StopTrigger(ctx, again.tr.spec.Name))
	watch(again)
	l.more(t, 3)
	must(t, db.StartTrigger(ctx, again.tr.spec.Name))
	if info := again.tr.info(); info.Until != 0 {
		t.Errorf("%s has been started and fires until %d", info.Spec.Name, info.Until)
	}
	l.more(t, 3)
	for _, i := range []int{3, 0, 7, 5, 1, 6, 2, 4} {
		must(t, db.DropTrigger(ctx, all[i].tr.spec.Name))
		watch(all[i])
		l.more(t, 2)
	}
}

// check compares what the trigger has seen with the positions.
func (w *watched) check(t *testing.T, positions map[int64]uint64) {
	t.Helper()
	n := 0
	for at, lsn := range positions {
		devices := slices.Sorted(slices.Values(w.seen[at]))
		if len(devices) != 0 && (len(devices) != 2 || devices[0][:6] != "root.d" || devices[1][:6] != "root.e") {
			t.Errorf("%s was called for %v of the insert at %d, want once for each of its two devices", w.name, devices, lsn)
			continue
		}
		seen, want := len(devices) > 0, w.since < lsn && lsn <= w.until
		if seen {
			n++
		}
		if seen == want || seen && w.when == BeforeInsert && lsn > w.until {
			continue
		}
		t.Errorf("%s (%v) fires after %d and up to %d: called for the insert at %d is %v", w.name, w.when, w.since, w.until, lsn, seen)
	}
	if n == 0 {
		t.Errorf("%s has seen nothing between %d and %d", w.name, w.since, w.until)
	}
	if len(w.seen) != n {
		t.Errorf("%s was called for %d inserts, of which %d are stored", w.name, len(w.seen), n)
	}
}

// A BEFORE trigger that comes while an insert is held up by another is passed by
// that insert too, and an AFTER one that goes is not fired by it.
func TestTriggerComesDuringInsert(t *testing.T) {
	ctx := context.Background()
	var j journal
	entered, leave := make(chan struct{}), make(chan struct{})
	note := func(_ context.Context, f *Firing) error { j.add("%s", f.Trigger); return nil }
	slow := spec("slow", "root.d.*", BeforeInsert, func(ctx context.Context, f *Firing) error {
		if f.Times[0] == 1 {
			close(entered)
			<-leave
		}
		return note(ctx, f)
	})
	slow.Stateful = true
	db := openMem(t, &Options{Triggers: []TriggerSpec{slow, spec("gone", "root.d.*", AfterInsert, note), spec("stays", "root.d.*", AfterInsert, note)}})
	done := make(chan error)
	go func() { done <- db.InsertTablet(ctx, tab("root.d", 1, "s", Int64s{1})) }()
	<-entered
	for i, when := range []When{BeforeInsert, AfterInsert} {
		sp := spec(fmt.Sprint("come", i), "root.d.*", when, note)
		sp.Stateful, sp.Priority = true, -1
		must(t, db.CreateTrigger(ctx, sp))
	}
	double := &rewriter{f: func(f *Firing) (*Tablet, error) {
		j.add("%s %s", f.Trigger, render(f.Tablet))
		out := f.Clone()
		out.Columns[0].Data.(Int64s)[0] *= 2
		return out, nil
	}}
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "double", Pattern: "root.d.*", When: BeforeInsert, Trigger: double}))
	stopped := make(chan error)
	go func() { stopped <- db.StopTrigger(ctx, "gone") }() // waits for the insert
	for slices.Contains(db.triggers.Load().live, db.triggers.Load().find("gone")) {
		runtime.Gosched()
	}
	close(leave)
	must(t, <-done)
	must(t, <-stopped)
	j.want(t, "slow", "come0", "double root.d [1] s:1", "come1", "stays")
	wantDump(t, db, "root.**", "root.d.s@1=2")
	must(t, db.InsertTablet(ctx, tab("root.d", 2, "s", Int64s{1})))
	j.want(t, "come0", "slow", "double root.d [2] s:1", "come1", "stays")
}

// An insert that meets new triggers when its BEFORE triggers have fired cannot give
// back the tickets of those. Where it waits for an insert that waits for one of
// them, it is that one that begins again; else the first would give back what it
// has of the others, take it again and find the other one where it was, for ever.
func TestTicketOfPassedTrigger(t *testing.T) {
	var l locks
	var before, after, come trigger
	lock := func(in *insertion, tr *trigger) error {
		err := l.lock(t.Context(), t.Context(), &tr.ticket, in.act, in, func() func() bool { return func() bool { return true } })
		if err == nil {
			in.held = append(in.held, tr)
		}
		return err
	}
	first, other := &insertion{act: new(activity)}, &insertion{act: new(activity)}
	must(t, lock(first, &before))
	first.passed = append(first.passed, &before)
	must(t, lock(first, &come))
	must(t, lock(other, &after))
	done := make(chan error, 1)
	go func() { done <- lock(other, &before) }()
	for waits := 0; waits == 0; runtime.Gosched() {
		l.mu.Lock()
		waits = len(before.ticket.queue)
		l.mu.Unlock()
	}
	got := make(chan error, 1)
	go func() { got <- lock(first, &after) }()
	select {
	case err := <-done:
		if !errors.Is(err, errRestart) {
			t.Fatalf("the one that can give back what is waited for: %v", err)
		}
	case err := <-got:
		t.Fatalf("the one that cannot: %v", err)
	}
	l.unlock(&after.ticket)
	must(t, <-got)
}
