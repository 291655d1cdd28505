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
}
