package tickwell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/local"
	"github.com/tickwell/tickwell/window"
)

// A trigger can be a function. This one refuses values that cannot be.
func ExampleTriggerFunc() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Triggers: []tickwell.TriggerSpec{{
			Name: "plausible", Pattern: "root.plant.*.temperature", When: tickwell.BeforeInsert,
			Trigger: plausible{-40, 125},
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for _, v := range []float64{21.5, 999} {
		err := db.Insert(ctx, "root.plant.press1", time.Unix(0, 0), tickwell.Float64("temperature", v))
		fmt.Println(v, err)
	}
	// Output:
	// 21.5 <nil>
	// 999 tickwell: fire trigger plausible: rejected by trigger: 999 is not between -40 and 125
}

type plausible struct{ low, high float64 }

func (plausible) FailureStrategy() tickwell.FailureStrategy { return tickwell.Pessimistic }

func (p plausible) Fire(_ context.Context, f *tickwell.Firing) error {
	for _, v := range f.Float64s("temperature") {
		if v < p.low || v > p.high {
			return fmt.Errorf("%v is not between %v and %v", v, p.low, p.high)
		}
	}
	return nil
}

// The window-avg-alerter of the IoTDB 0.13 trigger page: it averages each five
// points and sends those averages outside [lo, hi] to a local series.
func ExampleTrigger() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "local", Sink: &local.Sink{
			Device: "root.alerting", Columns: []tickwell.ColumnInfo{{Name: "local", Kind: tickwell.KindFloat64}},
		}}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "window-avg-alerter", Pattern: "root.sg1.d1.s1", Stateful: true,
			Params:  tickwell.Params{"lo": "0", "hi": "10.0"},
			Trigger: new(averageAlerter),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i := range 10 {
		at := time.UnixMilli(int64(i + 1))
		if err := db.Insert(ctx, "root.sg1.d1", at, tickwell.Float64("s1", float64(2*i))); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Quiesce(ctx); err != nil { // events leave in the background
		fmt.Println(err)
	}
	res, err := db.Query(ctx, tickwell.Query{From: []string{"root.alerting"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range res.Rows() {
		fmt.Println(row.Time().UnixMilli(), row.Value(0), err)
	}
	// Output: 6 14 <nil>
}

type averageAlerter struct {
	lo, hi float64
	window *window.Handler[float64]
	firing *tickwell.Firing // the call in which windows close
}

// OnCreate reads the attributes and makes the window.
func (a *averageAlerter) OnCreate(_ context.Context, env tickwell.Env) (err error) {
	if a.lo, err = env.Params.Float64("lo"); err != nil {
		return err
	}
	if a.hi, err = env.Params.Float64("hi"); err != nil {
		return err
	}
	a.window, err = window.New(window.Count(5), a.evaluate, &window.Options[float64]{Strict: true})
	return err
}

// Fire collects the points.
func (a *averageAlerter) Fire(_ context.Context, f *tickwell.Firing) error {
	a.firing = f
	_, err := a.window.CollectBatch(f.Times, f.Float64s("s1"))
	return err
}

func (a *averageAlerter) evaluate(w window.Window[float64]) error {
	sum := 0.0
	for _, v := range w.All() {
		sum += v
	}
	avg := sum / float64(w.Len())
	if avg < a.lo || a.hi < avg {
		a.firing.Emit(tickwell.Event{
			Series: "root.sg1.d1.s1", Time: time.Unix(0, w.Start()),
			Fields: []tickwell.Field{tickwell.Float64("local", avg)},
		})
	}
	return nil
}
