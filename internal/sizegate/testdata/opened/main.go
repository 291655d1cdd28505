// Command opened opens an empty store, in memory or in a folder, and prints what
// the system says of its memory.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tickwell/tickwell"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	dir := ""
	switch args[0] {
	case "none":
		return status()
	case "disk":
		dir = args[1]
	}
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{Profile: tickwell.Edge()})
	if err != nil {
		return err
	}
	defer db.Close()
	return status()
}

func status() error {
	text, err := os.ReadFile("/proc/self/status")
	os.Stdout.Write(text)
	return err
}
