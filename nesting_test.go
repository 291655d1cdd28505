package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// A trigger that fires itself by an insert with a context of its own is refused
// before its goroutine has no stack left, which would end the program.
func TestTriggerFiresItselfUnseen(t *testing.T) {
	ctx := context.Background()
	row := func(device string, at int64) *Tablet {
		return &Tablet{Device: device, Times: []int64{at + 1}, Columns: []Column{{Name: "s", Data: Float64s{1}}}}
	}
	var db *DB
	next := map[string]string{"root.a": "root.b", "root.b": "root.a", "root.self": "root.self"}
	for name, c := range map[string]struct {
		first string
		write func(f *Firing, to string) error
	}{
		"insert": {"root.self", func(f *Firing, to string) error { return db.Insert(ctx, to, ns(f.Times[0]+1), Float64("s", 1)) }},
		"tablet": {"root.self", func(f *Firing, to string) error { return db.InsertTablet(ctx, row(to, f.Times[0])) }},
		"group":  {"root.self", func(f *Firing, to string) error { return db.InsertTablets(ctx, row(to, f.Times[0]), row("root.x", 1)) }},
		"handle": {"root.self", func(f *Firing, to string) error {
			s, err := SeriesOf[float64](db, to+".s")
			if err != nil {
				return err
			}
			return s.Insert(ctx, ns(f.Times[0]+1), 1)
		}},
		"two": {"root.a", func(f *Firing, to string) error { return db.Insert(ctx, to, ns(f.Times[0]+1), Float64("s", 1)) }},
	} {
		for _, when := range []When{AfterInsert, BeforeInsert} {
			var failures []error
			fire := func(_ context.Context, f *Firing) error { return c.write(f, next[f.Device]) }
			db = openMem(t, &Options{
				OnTriggerError: func(e *TriggerError) { failures = append(failures, e) },
				Triggers:       []TriggerSpec{spec("one", "root.self.*", when, fire), spec("a", "root.a.*", when, fire), spec("b", "root.b.*", when, fire)},
			})
			must(t, db.Insert(ctx, c.first, ns(0), Float64("s", 1)))
			if len(failures) != 1 || !errors.Is(failures[0], ErrLimit) || !strings.Contains(failures[0].Error(), "the context that Fire got") {
				t.Errorf("%s %v: got failures %v, want one of ErrLimit", name, when, failures)
			}
			must(t, db.Close())
		}
	}
}

// However far the bound is, and however much of the program lies between two inserts,
// the one that is too deep is found.
func TestTriggerFiresItselfUnseenFarApart(t *testing.T) {
	for _, c := range []struct{ bound, between, most int }{{0, 200, leastUnseen}, {1500, 0, 1500}, {1 << 30, 0, mostUnseen}} {
		var db *DB
		var failures []error
		fired := 0
		fire := func(_ context.Context, f *Firing) error {
			if fired++; fired > 2*mostUnseen {
				return nil // it would end the program
			}
			return deep(c.between, func() error { return db.Insert(context.Background(), "root.self", ns(f.Times[0]+1), Float64("s", 1)) })
		}
		db = openMem(t, &Options{
			MaxTriggerDepth: c.bound,
			OnTriggerError:  func(e *TriggerError) { failures = append(failures, e) },
			Triggers:        []TriggerSpec{spec("self", "root.self.*", AfterInsert, fire)},
		})
		must(t, db.Insert(context.Background(), "root.self", ns(0), Float64("s", 1)))
		if fired != c.most || len(failures) != 1 || !errors.Is(failures[0], ErrLimit) || !strings.Contains(failures[0].Error(), fmt.Sprintf("more than %d inserts", c.most)) {
			t.Errorf("%v: fired %d times, failures %.300v", c, fired, failures)
		}
		must(t, db.Close())
	}
}

// Many goroutines in one trigger at once are not inserts inside of each other.
func TestTriggerManyAtOnce(t *testing.T) {
	const n = 3 * leastUnseen
	var inside, over sync.WaitGroup
	inside.Add(n)
	db := openMem(t, &Options{Triggers: []TriggerSpec{spec("slow", "root.d.*", BeforeInsert, func(context.Context, *Firing) error {
		inside.Done()
		inside.Wait() // until all are
		return nil
	})}})
	for i := range n {
		over.Go(func() {
			if err := deep(leastUnseen, func() error { return db.Insert(context.Background(), "root.d", ns(int64(i)), Float64("s", 1)) }); err != nil {
				t.Error(err)
				inside.Done()
			}
		})
	}
	over.Wait()
}

// deep calls f with n frames of the program around it.
func deep(n int, f func() error) error {
	if n == 0 {
		return f()
	}
	return deep(n-1, f)
}

// What no series can match is a mistake.
func TestTriggerPatternOfOneNode(t *testing.T) {
	db := openMem(t, nil)
	for pattern, good := range map[string]bool{"**": true, "root.**": true, "*.*": true, "`a.b`": false, "*": false, "root": false, "root/+/#": false, "temp*": false} {
		s := spec("t "+pattern, pattern, AfterInsert, func(context.Context, *Firing) error { return nil })
		if err := db.CreateTrigger(context.Background(), s); good != (err == nil) || !good && !errors.Is(err, ErrBadInput) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// What is too long to be read is not printed whole.
func TestErrorsAreShort(t *testing.T) {
	db := openMem(t, nil)
	err := db.Insert(context.Background(), strings.Repeat("x", 1<<20), time.Unix(0, 0), Float64("s", 1))
	if !errors.Is(err, ErrBadInput) || len(err.Error()) > 1000 {
		t.Errorf("%d bytes: %.100v", len(err.Error()), err)
	}
}

// A trigger that waits for goroutines of its own, each of which fires it again, is
// refused before memory ends.
func TestTriggerFiresItselfInGoroutines(t *testing.T) {
	if raceEnabled {
		t.Skip("more goroutines than the race detector takes")
	}
	var db *DB
	var failures []error
	db = openMem(t, &Options{
		OnTriggerError: func(e *TriggerError) { failures = append(failures, e) },
		Triggers: []TriggerSpec{spec("self", "root.self.*", BeforeInsert, func(_ context.Context, f *Firing) error {
			done := make(chan error)
			at := ns(f.Times[0] + 1)
			go func() { done <- db.Insert(context.Background(), "root.self", at, Float64("s", 1)) }()
			return <-done
		})},
	})
	must(t, db.Insert(t.Context(), "root.self", ns(0), Float64("s", 1)))
	if len(failures) != 1 || !errors.Is(failures[0], ErrLimit) || !strings.Contains(failures[0].Error(), "none returns") {
		t.Errorf("got failures %.300v, want one of ErrLimit", failures)
	}
	must(t, db.Close())
}
