// Command small asks for what the build tag tickwell_small leaves out, and for
// what it keeps, and prints the answers.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer db.Close()
	if err := db.Insert(ctx, "root.plant.press1", time.Unix(0, 0), tickwell.Text("state", "ready")); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	state := expr.Col("state")
	for _, e := range []expr.Expr{state.Like("re%"), state.Regexp("^re"), expr.Call("string_matches", state).With("regex", "re.*")} {
		res, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{e}, From: []string{"root.plant.*"}})
		if err != nil {
			fmt.Println(err)
			continue
		}
		for row, err := range res.Rows() {
			fmt.Println(row.Value(0), err)
		}
	}
	fmt.Println(db.CreateContinuousQuery(ctx, tickwell.CQSpec{
		Name: "hourly", Cron: "0 * * * *", Query: tickwell.Query{
			Select: []expr.Expr{expr.Count(state)}, From: []string{"root.plant.press1"}, Into: []tickwell.Target{{Device: "root.hourly", Columns: []string{"states"}}},
		},
	}))
	fmt.Println(db.CreateContinuousQuery(ctx, tickwell.CQSpec{
		Name: "visits", Query: tickwell.Query{
			Select: []expr.Expr{expr.Count(state)}, From: []string{"root.plant.press1"}, GroupBy: tickwell.GroupBySession{Gap: time.Minute},
			Into: []tickwell.Target{{Device: "root.visits", Columns: []string{"states"}}},
		},
	}))
	_, err = db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Count(state)}, From: []string{"root.plant.*"}, Rollups: true})
	fmt.Println(err)
	own := tickwell.SinkSpec{Name: "own", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error { return nil })}
	fmt.Println(db.AddSink(ctx, own))
	other, err := tickwell.Open(ctx, "", &tickwell.Options{Sinks: []tickwell.SinkSpec{own}})
	fmt.Println(err)
	if err == nil {
		fmt.Println(other.Close())
	}
}
