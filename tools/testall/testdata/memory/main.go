// Command memory is what testall runs on WebAssembly: a store in memory with a
// trigger, a continuous query and a query, whose output is compared.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, runtime.GOOS+"/"+runtime.GOARCH)
}

func run(ctx context.Context) error {
	done := make(chan string, 16)
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Triggers: []tickwell.TriggerSpec{{Name: "hot", Pattern: "root.plant.*.temp", Trigger: tickwell.TriggerFunc(
			func(_ context.Context, f *tickwell.Firing) error {
				for i, v := range f.Float64s("temp") {
					if v > 98 {
						fmt.Println(f.Device, "is too hot:", v, "at", time.Unix(0, f.Times[i]).UTC().Format(time.TimeOnly))
					}
				}
				return nil
			})}},
		ContinuousQueries: []tickwell.CQSpec{{
			Name: "means",
			Query: tickwell.Query{
				Select:  []expr.Expr{expr.Avg(expr.Col("temp")), expr.Count(expr.Col("state"))},
				From:    []string{"root.plant.press1"},
				GroupBy: tickwell.GroupByTime{Interval: time.Minute},
				Into:    []tickwell.Target{{Device: "root.mean.press1", Columns: []string{"temp", "rows"}}},
			},
		}},
		Observer: &tickwell.Observer{Run: func(r tickwell.CQRunInfo) {
			for _, t := range r.Rows {
				for i := range t.Times {
					done <- fmt.Sprint("mean ", time.Unix(0, t.Times[i]).UTC().Format(time.TimeOnly), " ", t.Row(i).Value(0), " of ", t.Row(i).Value(1))
				}
			}
		}},
	})
	if err != nil {
		return err
	}
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 121 { // one row past two whole minutes
		err := db.Insert(ctx, "root.plant.press1", noon.Add(time.Duration(i)*time.Second),
			tickwell.Float64("temp", float64(60+i%40)), tickwell.Text("state", []string{"idle", "run"}[i/60%2]))
		if err != nil {
			return err
		}
	}
	for range 2 {
		fmt.Println(<-done)
	}
	res, err := db.Query(ctx, tickwell.Query{
		Select:  []expr.Expr{expr.Max(expr.Col("temp")), expr.Last(expr.Col("state"))},
		From:    []string{"root.plant.*"},
		Start:   noon,
		End:     noon.Add(2 * time.Minute),
		GroupBy: tickwell.GroupByTime{Interval: time.Minute},
	})
	if err != nil {
		return err
	}
	for row, err := range res.Rows() {
		if err != nil {
			return err
		}
		fmt.Println(row.Time().UTC().Format(time.TimeOnly), row.Value(0), row.Value(1))
	}
	return db.Close()
}
