package tickwell_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

// plant opens a store with a temperature and a status of two machines.
func plant(ctx context.Context) *tickwell.DB {
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		panic(err)
	}
	for i := range 6 {
		at := time.Unix(int64(i), 0)
		db.Insert(ctx, "root.ln.wf01.wt01", at, tickwell.Float64("temperature", 20+float64(i)), tickwell.Bool("status", i%2 == 0))
		db.Insert(ctx, "root.ln.wf01.wt02", at, tickwell.Float64("temperature", 30-float64(i)))
	}
	return db
}

func show(res *tickwell.Result, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, c := range res.Columns() {
		if i > 0 {
			fmt.Print("  ")
		}
		fmt.Print(c.Name)
	}
	fmt.Println()
	for row, err := range res.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		if row.Device() != "" {
			fmt.Print(row.Device(), " ")
		}
		fmt.Print(row.Time().Unix())
		for i := range row.Len() {
			fmt.Print(" ", row.Value(i))
		}
		fmt.Println()
	}
}

func ExampleDB_Query() {
	ctx := context.Background()
	db := plant(ctx)
	defer db.Close()
	show(db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Col("temperature"), expr.Col("temperature").Mul(1.8).Add(32).As("fahrenheit")},
		From:   []string{"root.ln.wf01.wt01"},
		Where:  expr.Col("status").And(expr.Col("temperature").Gt(20)),
	}))
	// Output:
	// root.ln.wf01.wt01.temperature  fahrenheit
	// 2 22 71.6
	// 4 24 75.2
}

func ExampleQuery_groupByTime() {
	ctx := context.Background()
	db := plant(ctx)
	defer db.Close()
	show(db.Query(ctx, tickwell.Query{
		Select:  []expr.Expr{expr.Avg(expr.Col("temperature")), expr.Count(expr.Col("temperature"))},
		From:    []string{"root.ln.wf01.*"},
		Start:   time.Unix(0, 0),
		End:     time.Unix(8, 0),
		GroupBy: tickwell.GroupByTime{Interval: 4 * time.Second},
	}))
	// Output:
	// avg(root.ln.wf01.wt01.temperature)  avg(root.ln.wf01.wt02.temperature)  count(root.ln.wf01.wt01.temperature)  count(root.ln.wf01.wt02.temperature)
	// 0 21.5 28.5 4 4
	// 4 24.5 25.5 2 2
}

func ExampleQuery_alignByDevice() {
	ctx := context.Background()
	db := plant(ctx)
	defer db.Close()
	show(db.Query(ctx, tickwell.Query{
		Select:        []expr.Expr{expr.Max(expr.Col("temperature")).As("max"), expr.Call("count", expr.Col("status"))},
		From:          []string{"root.ln.**"},
		AlignByDevice: true,
	}))
	// Output:
	// max  count(status)
	// root.ln.wf01.wt01 0 25 6
	// root.ln.wf01.wt02 0 30 0
}

func ExampleQuery_into() {
	ctx := context.Background()
	db := plant(ctx)
	defer db.Close()
	show(db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Col("temperature")},
		From:   []string{"root.ln.wf01.*"},
		Into:   []tickwell.Target{{Device: "root.backup.::", Columns: []string{"::"}}},
	}))
	// Output:
	// SourceColumn  TargetTimeseries  Written
	// 0 root.ln.wf01.wt01.temperature root.backup.wf01.wt01.temperature 6
	// 0 root.ln.wf01.wt02.temperature root.backup.wf01.wt02.temperature 6
}
