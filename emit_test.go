package tickwell

import (
	"context"
	"fmt"
	"testing"
)

// TestEmitTakesEventsAsTheyAre holds that what an event points to may be used for
// the next one.
func TestEmitTakesEventsAsTheyAre(t *testing.T) {
	reuse := TriggerFunc(func(_ context.Context, f *Firing) error {
		fields, labels, notes := make([]Field, 1), make(map[string]string), make(map[string]string)
		for i, at := range f.Times {
			fields[0], labels["l"], notes["n"] = Int64("v", int64(i)), fmt.Sprint(i), fmt.Sprint(i)
			f.Emit(Event{Time: ns(at), Fields: fields, Labels: labels, Notes: notes})
		}
		clear(fields)
		clear(labels)
		clear(notes)
		return nil
	})

	for _, when := range []When{BeforeInsert, AfterInsert} {
		var got []string
		db := openMem(t, &Options{
			Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, events []Event) error {
				for i := range events {
					got = append(got, fmt.Sprint(events[i].Get("v"), " ", events[i].Labels["l"], " ", events[i].Notes["n"]))
				}
				return nil
			})}},
			Triggers: []TriggerSpec{{Name: "t", When: when, Pattern: "root.**", Trigger: reuse}},
		})
		must(t, db.InsertTablet(t.Context(), boolRows(3)))
		must(t, db.Quiesce(t.Context()))
		if fmt.Sprint(got) != "[0 0 0 1 1 1 2 2 2]" {
			t.Errorf("%v: %v", when, got)
		}
	}
}
