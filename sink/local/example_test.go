package local_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/local"
)

// The example of the 0.13 page: what a trigger finds is kept as a series of the
// same store, where it can be queried like any other.
func ExampleSink() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "local", Sink: &local.Sink{
			Device: "root.alerting", Columns: []tickwell.ColumnInfo{{Name: "local", Kind: tickwell.KindFloat64}},
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "hot", Pattern: "root.plant.*.temperature", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("temperature") {
				if v > 90 {
					f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("local", v)}})
				}
			}
			return nil
		})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i, v := range []float64{71.5, 96.25, 80, 91} {
		if err := db.Insert(ctx, "root.plant.press1", time.Unix(int64(i), 0), tickwell.Float64("temperature", v)); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Quiesce(ctx); err != nil { // until what is on its way has arrived
		fmt.Println(err)
	}
	res, err := db.Query(ctx, tickwell.Query{From: []string{"root.alerting"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range res.Rows() {
		if err != nil {
			fmt.Println(err)
		}
		fmt.Println(row.Time().Unix(), row.Value(0))
	}
	// Output:
	// 1 96.25
	// 3 91
}
