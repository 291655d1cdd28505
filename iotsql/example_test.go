package iotsql_test

import (
	"context"
	"fmt"
	"os"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

func Example() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		panic(err)
	}
	for piece := range iotsql.Split(`
		CREATE TIMESERIES root.ln.wf01.wt01.status WITH DATATYPE=BOOLEAN, ENCODING=PLAIN;
		INSERT INTO root.ln.wf01.wt01(timestamp, status, temperature) VALUES (1, true, 25.5), (2, false, 26);
		SELECT status, temperature FROM root.ln.wf01.wt01 WHERE temperature > 20;
	`) {
		res, err := conn.Exec(ctx, piece.Text)
		if err != nil {
			fmt.Println(piece.Line, err)
			return
		}
		if err := res.WriteCSV(os.Stdout); err != nil {
			panic(err)
		}
	}
	// Output:
	// Time,root.ln.wf01.wt01.status,root.ln.wf01.wt01.temperature
	// 1,true,25.5
	// 2,false,26.0
}

func ExampleConn_Exec_parameters() {
	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		panic(err)
	}
	defer db.Close()
	conn, err := iotsql.New(db, nil)
	if err != nil {
		panic(err)
	}
	insert, err := conn.Prepare("INSERT INTO root.sg.d(time, s1, s2) VALUES (?, ?, :note)")
	if err != nil {
		panic(err)
	}
	for i := range 3 {
		if _, err := insert.Exec(ctx, i, float64(i)/2, iotsql.Named("note", "it's fine; DROP")); err != nil {
			panic(err)
		}
	}
	res, err := conn.Exec(ctx, "SELECT s1, s2 FROM root.sg.d WHERE s1 >= ?", 0.5)
	if err != nil {
		panic(err)
	}
	for row, err := range res.Rows() {
		fmt.Println(row, err)
	}
	// Output:
	// [1 0.5 it's fine; DROP] <nil>
	// [2 1 it's fine; DROP] <nil>
}
