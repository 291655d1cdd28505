package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

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
