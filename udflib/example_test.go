package udflib_test

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/udflib"
)

// One call makes the functions known; queries call them by name.
func ExampleRegister() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	if err := udflib.Register(ctx, db, udflib.AnomalyDetection, udflib.DataProfiling); err != nil {
		fmt.Println(err)
		return
	}
	for i, v := range []float64{20.1, 20.3, 19.9, 20.0, 35.5, 20.2, 19.8, 20.1} {
		db.Insert(ctx, "root.hall.sensor", time.Unix(int64(i), 0), tickwell.Float64("temperature", v))
	}
	temperature := expr.Col("temperature")
	for _, call := range []expr.Expr{
		expr.Call("iqr", temperature),
		expr.Call("percentile", temperature).With("rank", "0.9"),
	} {
		res, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{call}, From: []string{"root.hall.sensor"}})
		if err != nil {
			fmt.Println(err)
			return
		}
		for row, err := range res.Rows() {
			fmt.Println(res.Columns()[0].Name, row.Time().Unix(), row.Value(0), err)
		}
	}
	// Output:
	// iqr(root.hall.sensor.temperature) 4 35.5 <nil>
	// percentile(root.hall.sensor.temperature, "rank"="0.9") 0 35.5 <nil>
}

// Functions named in Options are known before anything else in the store runs.
func ExampleSpecs() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Functions: udflib.Specs(udflib.SeriesDiscovery)})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for f := range db.Functions() {
		if f.Type == "external UDTF" {
			fmt.Println(f.Name)
		}
	}
	// Output:
	// CONSECUTIVESEQUENCES
	// CONSECUTIVEWINDOWS
}
