// Command testall runs every check of the repository, one part after the other,
// and ends with a table of what ran, what was skipped and why, and how long each
// part took. `make test` and the CI script run it; `make nightly` runs it with
// -tier nightly, which adds the long parts and records how each ended in
// docs/nightly.md.
//
//	go run ./tools/testall                 everything that CI runs
//	go run ./tools/testall -list           the names of the parts
//	go run ./tools/testall -run 'vet|unit' some of them
//
// It needs the go command and nothing else. A part whose tool is not installed
// is skipped with that reason. The exit status is 1 if a part failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := testall(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

func testall(ctx context.Context, args []string, out io.Writer) int {
	flags := flag.NewFlagSet("testall", flag.ContinueOnError)
	flags.SetOutput(out)
	tier := flags.String("tier", "test", "test, or nightly for the long parts as well")
	only := flags.String("run", "", "run only the parts whose name matches this expression")
	list := flags.Bool("list", false, "print the names of the parts and exit")
	again := flags.Bool("again", os.Getenv("CI") != "", "run up to three packages whose tests failed once more, and say so in the table")
	fuzz := flags.Duration("fuzztime", 2*time.Minute, "how long each fuzz target runs (nightly)")
	file := flags.String("record", "", "write how each part ended to this page (Markdown), beside what it says of others")
	if flags.Parse(args) != nil {
		return 2
	}
	want, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(out, "testall: -run:", err)
		return 2
	}
	r, err := newRepo(out)
	if err != nil {
		fmt.Fprintln(out, "testall:", err)
		return 2
	}
	defer r.closing()
	r.again = *again

	var parts []part
	switch *tier {
	case "test":
		parts = testParts(r)
	case "nightly":
		parts = append(testParts(r), nightlyParts(r, *fuzz)...)
	default:
		fmt.Fprintf(out, "testall: no tier %q\n", *tier)
		return 2
	}

	var rec *record
	if *file != "" && !*list {
		if rec, err = openRecord(filepath.Join(r.root, *file), commitOf(ctx, r.root), parts); err != nil {
			fmt.Fprintln(out, "testall: -record:", err)
			return 2
		}
	}
	var rows []row
	started := time.Now()
	for _, p := range parts {
		if !want.MatchString(p.name) {
			continue
		}
		if *list {
			fmt.Fprintln(out, p.name)
			continue
		}
		ended := r.do(ctx, p)
		rows = append(rows, ended)
		if rec != nil && ctx.Err() == nil {
			if err := rec.add(ended); err != nil {
				fmt.Fprintln(out, "testall: -record:", err)
				return 1
			}
		}
	}
	if *list {
		return 0
	}
	took := time.Since(started)
	printSkippedTests(out, r.skipped)
	printTable(out, rows, took)
	if printTotals(out, rows) > 0 {
		return 1
	}
	return 0
}
