// Command bench runs tickwell, the stores that a Go user would pick instead and
// the physical floor on the same work, each in a process of its own, and prints
// what came out as ratios.
//
//	go run . [-quick] [-only NAME,...] [-json FILE] [-md FILE] [-check FILE]
//
// Wall times of a busy machine mean little; the ratios are formed within one
// run. See README.md for what each case does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// plan is how much work a run does.
type plan struct {
	reps                 int
	points, one, killed  int64         // of the runs in batches, of those row by row and point by point, and until the kill
	long, short, timeout time.Duration // limits of writing, and of a whole process
	events               int64         // of window and trigger cases
	asking               time.Duration // how long a query is repeated
	gateways             int           // that record each of the NAB series
}

var (
	full  = plan{3, 10_000_000, 3_000_000, 3_000_000, 15 * time.Second, 6 * time.Second, 2 * time.Minute, 20_000_000, 5 * time.Second, 8}
	quick = plan{3, 300_000, 30_000, 100_000, 2 * time.Second, time.Second, 20 * time.Second, 2_000_000, 300 * time.Millisecond, 2}
)

type settings struct {
	plan
	quick   bool
	command string // that makes the same run again
	// askAlways has the queries answered after each way of writing, where they
	// are otherwise timed after one only.
	askAlways bool
	only      []string
	dir       string
	data      string // folder of recordings, if there is one
	cpu, mem  string
	verbose   io.Writer
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "floors" {
		printFloors(os.Args[2:])
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(log)
	var (
		isQuick  = fs.Bool("quick", false, "little work: a few minutes for everything")
		only     = fs.String("only", "", "peers to run, by folder name, with :variant for one variant: tickwell,promtsdb,sqlitemodernc:full")
		jsonFile = fs.String("json", "", "write one JSON line per figure to this file (- is standard output)")
		mdFile   = fs.String("md", "", "write the tables to this file as well")
		check    = fs.String("check", "", "compare with the limits in this file; exit 1 where one is exceeded")
		limits   = fs.String("limits", "", "write limits of 1.5 times this run's ratios to this file")
		reps     = fs.Int("reps", 0, "repetitions, at least 3 for a median (default 3)")
		dir      = fs.String("dir", "", "folder on the disk to measure (default: a temporary one)")
		data     = fs.String("nab", filepath.Join("..", "..", "shared", "data", "nab"), "folder of the NAB series (CSV); left out where there is none")
		cpu      = fs.String("cpuprofile", "", "folder for a CPU profile of each process")
		again    = fs.String("from", "", "run nothing, but tell again what a file of -json says")
		mem      = fs.String("memprofile", "", "folder for a heap profile of each process")
	)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if *reps < 0 || *reps == 1 || *reps == 2 {
		return fmt.Errorf("%d repetitions; a median takes at least 3", *reps)
	}
	var within []limit
	if *check != "" { // what is wrong with a file is said before an hour has passed
		var err error
		if within, err = readLimits(*check); err != nil {
			return err
		}
	}
	for _, file := range []string{*mdFile, *jsonFile, *limits} {
		if err := canWrite(file); err != nil {
			return err
		}
	}
	s := settings{plan: full, dir: *dir, verbose: log, command: "go run ."}
	if files, _ := filepath.Glob(filepath.Join(*data, "*.csv")); len(files) > 0 {
		var err error
		if s.data, err = filepath.Abs(*data); err != nil {
			return err
		}
	}
	if *isQuick {
		s.plan, s.quick, s.command = quick, true, s.command+" -quick"
	}
	if *reps > 0 {
		s.reps = *reps
	}
	if *only != "" {
		s.only, s.command = strings.Split(*only, ","), s.command+" -only "+*only
	}
	for _, p := range []struct{ from, to *string }{{cpu, &s.cpu}, {mem, &s.mem}} {
		if *p.from == "" {
			continue
		}
		abs, err := filepath.Abs(*p.from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(abs, 0o755); err != nil {
			return err
		}
		*p.to = abs
	}
	var r *report
	if *again != "" {
		var err error
		if r, err = readReport(*again); err != nil {
			return err
		}
	} else {
		results, skipped, err := measure(ctx, s)
		if err != nil {
			return err
		}
		if s.data == "" {
			skipped = append(skipped, "the NAB series: none in "+*data)
		}
		r = newReport(s, results, skipped)
	}
	page := r.page()
	fmt.Fprint(out, page)
	if *mdFile != "" {
		if err := os.WriteFile(*mdFile, []byte(page), 0o644); err != nil {
			return err
		}
	}
	if *jsonFile != "" {
		if err := r.write(*jsonFile, out); err != nil {
			return err
		}
	}
	if *limits != "" {
		if err := writeLimits(*limits, r.figures); err != nil {
			return err
		}
	}
	if *check != "" {
		return checkLimits(within, r.figures, out)
	}
	return nil
}

// canWrite says why a file cannot be written that the flags name. One that was not
// there is empty then.
func canWrite(file string) error {
	if file == "" || file == "-" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}
