// Code generated from README.md by go test ./internal/readme -run TestSteps -update. DO NOT EDIT.

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/iotsql"
)

var steps = []struct {
	title string
	take  func(ctx context.Context, db *tickwell.DB, dir string)
}{
	{"Keep it on disk", step1},
	{"A continuous query, and late data", step2},
	{"A function of your own", step3},
	{"An aggregate of your own", step4},
	{"Events out of the program", step5},
	{"Try a rule on history", step7},
	{"SQL", step8},
}

// Keep it on disk.
func step1(ctx context.Context, db *tickwell.DB, dir string) {
	disk, err := tickwell.Open(ctx, dir, nil)
	must(err)
	must(disk.Insert(ctx, "root.plant.press1", time.Unix(0, 0), tickwell.Float64("temp", 71)))
	must(disk.Close())
	disk, err = tickwell.Open(ctx, dir, nil)
	must(err)
	defer disk.Close()
	show(disk.Query(ctx, tickwell.Query{From: []string{"root.plant.*"}}))
}

// A continuous query, and late data.
func step2(ctx context.Context, db *tickwell.DB, dir string) {
	must(db.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "pairs", Query: tickwell.Query{
		Select: []expr.Expr{expr.Avg(expr.Col("temp")), expr.Count(expr.Col("temp"))}, From: []string{"root.plant.press1"},
		GroupBy: tickwell.GroupByTime{Interval: 2 * time.Second},
		Into:    []tickwell.Target{{Device: "root.pairs.press1", Columns: []string{"mean", "rows"}}},
	}}))
	must(db.Insert(ctx, "root.plant.press1", time.Unix(4, 0), tickwell.Float64("temp", 70)))
	must(db.Insert(ctx, "root.plant.press1", time.UnixMilli(500), tickwell.Float64("temp", 100))) // late
	must(db.Quiesce(ctx))                                                                         // until it has been computed
	show(db.Query(ctx, tickwell.Query{From: []string{"root.pairs.press1"}}))
}

// A function of your own.
func step3(ctx context.Context, db *tickwell.DB, dir string) {
	must(db.RegisterFunction(ctx, tickwell.RowFunc1("fahrenheit", func(c float64) float64 { return c*9/5 + 32 })))
	show(db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("fahrenheit", expr.Col("temp"))}, From: []string{"root.plant.press1"},
		Where: expr.Col("temp").Gt(80),
	}))
}

// An aggregate of your own.
func step4(ctx context.Context, db *tickwell.DB, dir string) {
	must(db.RegisterFunction(ctx, tickwell.AggregateFunc("squares",
		func(s *float64, v float64) { *s += v * v },
		func(s, other *float64) { *s += *other },
		func(s *float64) float64 { return *s })))
	show(db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("squares", expr.Col("temp"))}, From: []string{"root.plant.press1"},
		Start: time.Unix(0, 0), End: time.Unix(4, 0), GroupBy: tickwell.GroupByTime{Interval: 2 * time.Second},
	}))
}

// Events out of the program.
func step5(ctx context.Context, db *tickwell.DB, dir string) {
	must(db.AddSink(ctx, tickwell.SinkSpec{Name: "console", Sink: tickwell.SinkFunc(
		func(_ context.Context, events []tickwell.Event) error {
			for _, e := range events {
				fmt.Println(e.Labels["alertname"], e.Status, e.Series, e.Get("value"))
			}
			return nil // an error: they come again
		})}))
	must(db.CreateTrigger(ctx, alert.Rule{Name: "hot", Condition: alert.Above(90, 80)}.Spec("root.plant.*.temp")))
	must(db.Insert(ctx, "root.plant.press1", time.Unix(9, 0), tickwell.Float64("temp", 95)))
	must(db.Quiesce(ctx)) // events leave in the background
}

// Try a rule on history.
func step7(ctx context.Context, db *tickwell.DB, dir string) {
	rule := alert.Rule{Name: "hot", Condition: alert.Above(90, 80)}
	events, err := db.Backtest(ctx, rule.Spec("root.plant.*.temp"), time.Time{}, time.Time{})
	must(err)
	for _, e := range events {
		fmt.Println(e.Time.Unix(), e.Status, e.Get("value"))
	}
}

// SQL.
func step8(ctx context.Context, db *tickwell.DB, dir string) {
	conn, err := iotsql.New(db, nil)
	must(err)
	res, err := conn.Exec(ctx, "SELECT max_value(temp) FROM root.plant.* GROUP BY ([0, 4000), 2s)")
	must(err)
	must(res.WriteCSV(os.Stdout))
}
