// Command firmware is what runs on a gateway with little memory and flash that
// wears: the Edge profile, rows that are kept for a week, minutes that are kept
// for a year, an alert, and a disk budget. It simulates a day of 200 series at
// 0.1 Hz in a few seconds and prints what that took of memory and flash; with
// -sizes it builds itself for the gateways' processors and prints how large it
// is there.
//
//	go run ./examples/firmware [-dir DIR] [-sizes]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	log.SetFlags(0)
	dir := flag.String("dir", "", "folder of the store; empty: a temporary one")
	sizes := flag.Bool("sizes", false, "print the size of this program on arm and mips")
	flag.Parse()
	var err error
	if *sizes {
		err = printSizes(os.Stdout)
	} else {
		err = run(context.Background(), os.Stdout, *dir)
	}
	if err != nil {
		log.Fatal("firmware: ", err)
	}
}

const (
	devices      = 20
	measurements = 10
	every        = 10 * time.Second
	day          = 24 * time.Hour
)

// options are what matters on a small machine.
func options(clock tickwell.Clock) *tickwell.Options {
	return &tickwell.Options{
		Clock:        clock,
		Profile:      tickwell.Edge(),                        // small buffers and blocks
		Sync:         tickwell.AckBuffered(10 * time.Second), // a page of flash every ten seconds, not every row
		MemoryBudget: 4 << 20,                                // for points and undelivered events
		QuotaBytes:   64 << 20,                               // of flash; the oldest points go first
		TTL:          7 * day,                                // of rows …
		MaxSeries:    2_000,                                  // a wrong name in a loop must not eat the memory
		ContinuousQueries: []tickwell.CQSpec{{Name: "minutes", Query: tickwell.Query{
			Select: []expr.Expr{expr.Avg(expr.Col("root.plant.m0.v0"))}, GroupBy: tickwell.GroupByTime{Interval: time.Minute},
			Into: []tickwell.Target{{Device: "root.minutes.m0", Columns: []string{"v0"}}},
		}}},
	}
}

func run(ctx context.Context, out io.Writer, dir string) (err error) {
	debug.SetGCPercent(50) // memory is scarcer than time here
	if dir == "" {
		if dir, err = os.MkdirTemp("", "tickwell-firmware-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	clock := &stepped{now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	db, err := tickwell.Open(ctx, dir, options(clock))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.SetTTL(ctx, "root.minutes", 365*day); err != nil { // … and of minutes
		return err
	}
	rng, level := rand.New(rand.NewPCG(1, 2)), [devices][measurements]int{} // random walks on hundredths
	peak := uint64(0)
	rows := 0
	tablets := make([]*tickwell.Tablet, devices)
	for d := range tablets {
		tablets[d] = &tickwell.Tablet{Device: fmt.Sprintf("root.plant.m%d", d), Times: make([]int64, 1)}
		for m := range measurements {
			tablets[d].Columns = append(tablets[d].Columns, tickwell.Column{Name: fmt.Sprintf("v%d", m), Data: make(tickwell.Float64s, 1)})
		}
	}
	for at := time.Duration(0); at < day; at += every {
		clock.step(every)
		for d, t := range tablets {
			t.Times[0] = clock.Now().UnixNano()
			for m := range measurements {
				level[d][m] += rng.IntN(41) - 20
				t.Columns[m].Data.(tickwell.Float64s)[0] = float64(level[d][m]) / 100
			}
		}
		if err := db.InsertTablets(ctx, tablets...); err != nil {
			return err
		}
		if rows++; rows%1000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}
	}
	if err := db.Flush(ctx); err != nil {
		return err
	}
	st := db.Stats()
	points := rows * devices * measurements
	fmt.Fprintf(out, "a day of %d series at 0.1 Hz: %d points\n", devices*measurements, points)
	fmt.Fprintf(out, "heap, largest seen   %6.1f MiB (GC at 50 %%)\n", float64(peak)/(1<<20))
	fmt.Fprintf(out, "resident             %6.1f MiB\n", resident())
	fmt.Fprintf(out, "flash                %6.2f MiB in %d files, %.2f bytes a point\n", float64(st.DiskBytes)/(1<<20), st.Files, float64(st.DiskBytes)/float64(points))
	fmt.Fprintf(out, "minutes kept         %6d\n", countMinutes(ctx, db))
	return nil
}

func countMinutes(ctx context.Context, db *tickwell.DB) (n int64) {
	if err := db.Quiesce(ctx); err != nil {
		return -1
	}
	r, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Count(expr.Col("v0"))}, From: []string{"root.minutes.m0"}})
	if err != nil {
		return -1
	}
	for row, err := range r.Rows() {
		if err != nil {
			return -1
		}
		n = row.Value(0).Int64()
	}
	return n
}

// resident is what the system says of this process, in MiB; 0 where it does not.
func resident() float64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(b), &size, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

// printSizes builds this program, stripped, for small processors.
func printSizes(out io.Writer) error {
	tmp, err := os.MkdirTemp("", "tickwell-firmware-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, t := range [][]string{{"GOARCH=arm", "GOARM=6"}, {"GOARCH=mipsle", "GOMIPS=softfloat"}} {
		fmt.Fprintf(out, "%-32s", fmt.Sprint(t))
		for _, tags := range []string{"", "tickwell_small"} {
			file := filepath.Join(tmp, "firmware")
			cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-tags", tags, "-o", file, "github.com/tickwell/tickwell/examples/firmware")
			cmd.Env = append(append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0"), t...)
			if text, err := cmd.CombinedOutput(); err != nil {
				return fmt.Errorf("build for %v: %w\n%s", t, err, text)
			}
			info, err := os.Stat(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, " %5.2f MB", float64(info.Size())/1e6)
			if tags != "" {
				fmt.Fprintf(out, " with -tags %s", tags)
			}
		}
		fmt.Fprintln(out)
	}
	return nil
}
