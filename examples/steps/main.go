// Command steps is the steps of the README as a program to copy from: with the
// imports, and with must and show, which the pages use without showing them. Each
// step has a store of its own in memory, which holds four rows.
//
//	go run ./examples/steps
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/tickwell/tickwell"
)

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "steps")
	must(err)
	defer os.RemoveAll(dir)
	ctx := context.Background()
	for i, s := range steps {
		if i > 0 {
			fmt.Println()
		}
		fmt.Println("#", s.title)
		db := fourRows(ctx)
		s.take(ctx, db, dir)
		must(db.Close())
	}
}

// fourRows is the store of the README's first program, without its trigger.
func fourRows(ctx context.Context) *tickwell.DB {
	db, err := tickwell.Open(ctx, "", nil)
	must(err)
	for i, temp := range []float64{71, 84, 93, 78} {
		must(db.Insert(ctx, "root.plant.press1", time.Unix(int64(i), 0), tickwell.Float64("temp", temp)))
	}
	return db
}

// must ends the program if there is an error.
func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// show prints the rows of a result: show(db.Query(ctx, …)).
func show(res *tickwell.Result, err error) {
	must(err)
	for row, err := range res.Rows() {
		must(err)
		fmt.Print(row.Time().UTC().Format(time.DateTime))
		for i := range row.Len() {
			fmt.Print(" ", row.Value(i))
		}
		fmt.Println()
	}
}
