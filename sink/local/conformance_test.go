package local

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/tickwelltest"
)

// The target is another store, which refuses every write while it is "down".
func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		var down atomic.Bool
		target := openDB(t, "", tickwell.Options{Authorize: func(_ context.Context, a tickwell.Action, _ string) error {
			if down.Load() && a == tickwell.ActionWrite {
				return errors.New("no writes now")
			}
			return nil
		}})
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &Sink{DB: target, Device: "root.out", Columns: columns("v", tickwell.KindFloat64)}
			},
			Received: func(t *testing.T) (ids []string) {
				for _, row := range rows(t, target, "root.out") {
					var at, v int
					if _, err := fmt.Sscan(row, &at, &v); err != nil {
						continue // NaN, of one of the strange events
					}
					ids = append(ids, fmt.Sprintf("t|root.d%d|%d|0|0", at%3, at))
				}
				return ids
			},
			Down: func(*testing.T) { down.Store(true) },
			Up:   func(*testing.T) { down.Store(false) },
		}
	})
}

// A trigger that feeds itself through the sink ends with an error that says so,
// and the rest flows on; so does one whose loop leads through a queue, another
// trigger and another store.
func TestLoop(t *testing.T) {
	echo := func() tickwell.Trigger {
		return tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, at := range f.Times {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at+1), Fields: []tickwell.Field{{Name: "v", Value: f.Columns[0].Data.Value(i)}}})
			}
			return nil
		})
	}
	for _, c := range []struct {
		name  string
		queue int
		hops  int
		other bool
		want  int // rows of root.a, the inserted one included
	}{
		{"", 0, 0, false, 9},
		{"limit", 0, 3, false, 4},
		{"queued", 4, 0, false, 9},
		{"two stores", 0, 0, true, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			var dead []string
			letter := func(_ context.Context, d tickwell.DeadLetter) error {
				dead = append(dead, d.Cause)
				return nil
			}
			sink := &Sink{Device: "root.a", Columns: columns("v", tickwell.KindInt64), MaxHops: c.hops}
			trigger := tickwell.TriggerSpec{Name: "t", Pattern: "root.a.v", Queue: c.queue, Trigger: echo()}
			db := openDB(t, "", tickwell.Options{
				Sinks: []tickwell.SinkSpec{{Name: "loop", Sink: sink, DeadLetter: letter}}, Triggers: []tickwell.TriggerSpec{trigger},
			})
			stores := []*tickwell.DB{db}
			if c.other {
				back := &Sink{DB: db, Device: "root.a", Columns: columns("v", tickwell.KindInt64)}
				far := openDB(t, "", tickwell.Options{
					Sinks:    []tickwell.SinkSpec{{Name: "back", Sink: back, DeadLetter: letter}},
					Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.b.v", Trigger: echo()}},
				})
				if err := db.DropSink(t.Context(), "loop"); err != nil {
					t.Fatal(err)
				}
				there := &Sink{DB: far, Device: "root.b", Columns: columns("v", tickwell.KindInt64)}
				if err := db.AddSink(t.Context(), tickwell.SinkSpec{Name: "there", Sink: there, DeadLetter: letter}); err != nil {
					t.Fatal(err)
				}
				stores = append(stores, far)
			}
			if err := db.Insert(t.Context(), "root.a", time.Unix(0, 0), tickwell.Int64("v", 7)); err != nil {
				t.Fatal(err)
			}
			for range 20 { // one store's rest is the other's work
				for _, db := range stores {
					quiesce(t, db)
				}
			}
			got := rows(t, db, "root.a")
			if len(got) != c.want {
				t.Errorf("rows %q, want %d", got, c.want)
			}
			if len(dead) != 1 || !strings.Contains(dead[0], "local sinks: a loop") {
				t.Errorf("given up: %q, want one that says so", dead)
			}
		})
	}
}
