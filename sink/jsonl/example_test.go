package jsonl_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/jsonl"
)

// Each event is a line of JSON: here its row only, on the standard output.
func ExampleSink() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "lines", Sink: &jsonl.Sink{W: os.Stdout, Rows: true}}},
		Triggers: []tickwell.TriggerSpec{{Name: "copy", Pattern: "root.car.*.speed", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("speed") {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Text("car", f.Device), tickwell.Float64("speed", v)}})
			}
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i, v := range []float64{50, 52.5} {
		if err := db.Insert(ctx, "root.car.c1", time.Date(2026, 3, 1, 12, 0, i, 0, time.UTC), tickwell.Float64("speed", v)); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Quiesce(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// {"time":"2026-03-01T12:00:00Z","car":"root.car.c1","speed":50}
	// {"time":"2026-03-01T12:00:01Z","car":"root.car.c1","speed":52.5}
}
