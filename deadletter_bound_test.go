package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// A dead letter that the bound of the outbox drops is one event, counted once.
func TestDroppedDeadLetters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Edge()
		p.OutboxBytes = 20 << 10
		db := openMem(t, &Options{
			Profile: p,
			Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error {
				return deliver.Permanent(errors.New("400"))
			})}},
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", When: BeforeInsert, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
				f.Emit(Event{Series: "root.d.v", Time: ns(f.Times[0]), Fields: []Field{Text("note", strings.Repeat("x", 200))}})
				return nil
			})}},
		})
		const n = 300
		for i := range int64(n) {
			must(t, db.Insert(t.Context(), "root.d", ns(i), Bool("v", true)))
			must(t, db.Quiesce(t.Context()))
		}
		st := db.Stats().Sinks[0]
		if st.Dead != n || st.DeadLetters+st.DeadDropped != n || st.DeadLetters == 0 || st.DeadLetters == n {
			t.Fatalf("not as meant: %+v", st)
		}
		if got := st.Delivered + st.Backlog + st.Dropped + st.Dead; got != n {
			t.Errorf("%d events: %s", n, fmt.Sprintf("%d delivered, %d waiting, %d dropped, %d dead", st.Delivered, st.Backlog, st.Dropped, st.Dead))
		}
	})
}

// Dead letters that are redriven make room for themselves: neither are they counted as
// lost nor is anything older lost for them, though the outbox is nearly full.
func TestRedriveInFullOutbox(t *testing.T) {
	const n = 40
	for _, dir := range []string{"", "data"} {
		synctest.Test(t, func(t *testing.T) {
			var mended atomic.Bool
			var got []int64
			p := Edge()
			p.OutboxBytes = 16 << 10
			trigger := func(name, sink string) TriggerSpec {
				return TriggerSpec{Name: name, Pattern: "root." + name + ".v", Sinks: []string{sink}, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
					for _, at := range f.Times {
						f.Emit(Event{Series: "root." + name, Time: ns(at), Fields: []Field{Text("note", strings.Repeat("x", 200))}})
					}
					return nil
				})}
			}
			db := openDir(t, dir, &Options{
				FS: memFS(), Profile: p, Triggers: []TriggerSpec{trigger("a", "down"), trigger("d", "s")},
				Sinks: []SinkSpec{
					{Name: "down", Sink: SinkFunc(func(context.Context, []Event) error { return errors.New("down") })},
					{Name: "s", Batch: 1, Sink: SinkFunc(func(_ context.Context, events []Event) error {
						if !mended.Load() {
							return deliver.Permanent(errors.New("400"))
						}
						got = append(got, events[0].Time.UnixNano())
						return nil
					})},
				},
			})
			must(t, db.Insert(t.Context(), "root.a", ns(1), Bool("v", true)))
			for at := range int64(n) {
				must(t, db.Insert(t.Context(), "root.d", ns(at), Bool("v", true)))
				must(t, db.Sync(t.Context()))
				synctest.Wait()
			}
			mended.Store(true)
			moved, err := db.Redrive(t.Context(), "s", nil)
			must(t, err)
			must(t, db.Sync(t.Context()))
			<-time.After(time.Minute)
			if moved != n || !slices.Equal(got, numbers(0, n)) {
				t.Errorf("moved %d, delivered %v; want all %d", moved, got, n)
			}
			for _, s := range db.Stats().Sinks {
				if s.Dropped+s.DeadDropped != 0 || s.Name == "down" && s.Backlog != 1 {
					t.Errorf("%s: dropped %d, dead letters dropped %d, backlog %d; want nothing dropped", s.Name, s.Dropped, s.DeadDropped, s.Backlog)
				}
			}
			must(t, db.Close())
		})
	}
}
