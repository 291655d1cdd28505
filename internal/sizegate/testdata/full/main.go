// Command full uses one of everything that tickwell offers, to see what that
// weighs.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/window"
)

// addOne is the UDTF x + 1.
type addOne struct{}

func (addOne) BeforeStart(_ *tickwell.UDFInput, cfg *tickwell.UDTFConfig) error {
	cfg.Output(tickwell.KindFloat64).RowByRow()
	return nil
}

func (addOne) TransformRow(row tickwell.Row, out *tickwell.Collector) error {
	return out.PutFloat64(row.UnixNano(), row.Float64(0)+1)
}

func main() {
	if err := run(context.Background(), os.Args[1]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	means, err := window.New(window.Count(5), func(w window.Window[float64]) error {
		sum := 0.0
		for _, v := range w.Values() {
			sum += v
		}
		fmt.Println("mean", sum/float64(w.Len()))
		return nil
	}, nil)
	if err != nil {
		return err
	}
	defer means.Close()
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{
		Profile:   tickwell.Edge(),
		Functions: []tickwell.FunctionSpec{{Name: "add_one", UDTF: func() tickwell.UDTF { return addOne{} }}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "means", Pattern: "root.plant.*.temp", Stateful: true,
			Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				for i, v := range f.Float64s("temp") {
					if _, err := means.Collect(f.Times[i], v); err != nil {
						return err
					}
				}
				return nil
			}),
		}},
		ContinuousQueries: []tickwell.CQSpec{{
			Name: "per_minute",
			Query: tickwell.Query{
				Select:  []expr.Expr{expr.Avg(expr.Col("temp"))},
				From:    []string{"root.plant.press1"},
				GroupBy: tickwell.GroupByTime{Interval: time.Minute},
				Into:    []tickwell.Target{{Device: "root.minute.press1", Columns: []string{"temp"}}},
			},
		}},
	})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Insert(ctx, "root.plant.press1", time.Now(), tickwell.Float64("temp", 21.5)); err != nil {
		return err
	}
	res, err := db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("add_one", expr.Col("temp"))},
		From:   []string{"root.plant.*"},
	})
	if err != nil {
		return err
	}
	for row, err := range res.Rows() {
		if err != nil {
			return err
		}
		fmt.Println(row.Time(), row.Float64(0))
	}
	return nil
}
