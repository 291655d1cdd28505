// Command quickstart shows what tickwell does in one run of about ten seconds,
// without files or network of yours: it samples this computer 100 times a second
// into a store in a temporary folder, alerts when the heap of this program is
// high, keeps averages and maxima of each second with a continuous query, asks
// a function of its own how fast the heap grew, sends events out, and reads
// everything back after closing and opening the store again.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/examples/chart"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/sink/jsonl"
)

const heap = "root.quickstart.go"

func main() {
	log.SetFlags(0)
	seconds := flag.Int("seconds", 10, "how long to sample")
	flag.Parse()
	if *seconds < 4 || *seconds > 600 {
		log.Fatal("quickstart: -seconds must be between 4 and 600")
	}
	dir, err := os.MkdirTemp("", "tickwell-quickstart-")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), dir, *seconds)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, dir string, seconds int) error {
	events := &inbox{}
	var lines bytes.Buffer // where the JSON lines go; a program would use a file
	opts := &tickwell.Options{
		Functions: []tickwell.FunctionSpec{{Name: "growth", UDTF: func() tickwell.UDTF { return new(growth) }}},
		Sinks: []tickwell.SinkSpec{
			{Name: "inbox", Sink: events},
			{Name: "lines", Sink: &jsonl.Sink{W: &lines}},
		},
		Triggers: []tickwell.TriggerSpec{{
			Name: "heap-high", Pattern: heap + ".heap_mib", Stateful: true,
			Trigger: &heapAlert{high: 48, low: 32},
		}},
		ContinuousQueries: []tickwell.CQSpec{{
			Name: "per-second",
			Query: tickwell.Query{
				Select: []expr.Expr{
					expr.Avg(expr.Col("heap_mib")), expr.Max(expr.Col("heap_mib")), expr.Max(expr.Col("goroutines")),
				},
				From:    []string{heap},
				GroupBy: tickwell.GroupByTime{Interval: time.Second},
				Into:    []tickwell.Target{{Device: "root.quickstart.second", Columns: []string{"heap_avg", "heap_max", "goroutines_max"}}},
			},
			Every: time.Second,
		}},
	}
	db, err := tickwell.Open(ctx, dir, opts)
	if err != nil {
		return err
	}
	defer db.Close()

	fmt.Printf("tickwell quickstart · %s/%s, %d processors, %s\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Printf("sampling this computer at 100 Hz for %d s …\n", seconds)
	rows, err := sample(ctx, db, seconds)
	if err != nil {
		return err
	}
	if err := settle(ctx, db); err != nil {
		return err
	}
	fmt.Printf("\nstored     %d rows\n", rows)
	if err := report(ctx, db); err != nil {
		return err
	}
	fmt.Printf("\nevents that left through the sinks (%d, and %d bytes of JSON lines):\n", len(events.all()), lines.Len())
	for _, e := range events.all() {
		fmt.Printf("  %s  %-8s  %s\n", e.at.Local().Format("15:04:05.000"), e.status, e.text)
	}
	return reopen(ctx, db, dir, opts)
}

// sample writes a row of each device every 10 ms, and holds memory in the
// second third so that there is something to see.
func sample(ctx context.Context, db *tickwell.DB, seconds int) (rows int, err error) {
	goRows, err := db.Writer(heap, tickwell.ColumnInfo{Name: "heap_mib", Kind: tickwell.KindFloat64},
		tickwell.ColumnInfo{Name: "goroutines", Kind: tickwell.KindInt64}, tickwell.ColumnInfo{Name: "gc", Kind: tickwell.KindInt64})
	if err != nil {
		return 0, err
	}
	m := newMachine()
	var ballast [][]byte
	start, end := "", "\n"
	if info, err := os.Stdout.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		start, end = "\r", "" // on a terminal each line takes the place of the one before
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	total := seconds * 100
	for i := range total {
		at := <-tick.C
		switch {
		case i > total/3 && i < total*2/3 && len(ballast) < 64:
			ballast = append(ballast, make([]byte, 1<<20))
		case i == total*2/3:
			ballast = nil
			runtime.GC()
		}
		h, g, gc := m.runtime()
		if err := goRows.Insert(ctx, at, tickwell.Float64Value(h), tickwell.Int64Value(g), tickwell.Int64Value(gc)); err != nil {
			return rows, err
		}
		rows++
		fields := make([]tickwell.Field, 0, 2)
		if p, ok := m.cpu(); ok {
			fields = append(fields, tickwell.Float64("cpu_percent", p))
		}
		if p, ok := m.memory(); ok && i%100 == 0 {
			fields = append(fields, tickwell.Float64("memory_percent", p))
		}
		if len(fields) > 0 {
			if err := db.Insert(ctx, "root.quickstart.host", at, fields...); err != nil {
				return rows, err
			}
			rows++
		}
		if i%100 == 99 {
			fmt.Printf("%s  %2d s  %5d rows  heap %5.1f MiB  %d events%s", start, i/100+1, rows, h, db.Stats().Sinks[0].Delivered, end)
		}
	}
	runtime.KeepAlive(ballast)
	if end == "" {
		fmt.Println()
	}
	return rows, nil
}

// settle waits until the continuous query has seen the last full second and the
// sinks have everything.
func settle(ctx context.Context, db *tickwell.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	last := time.Now().Truncate(time.Second)
	for {
		all, err := db.ContinuousQueries(ctx)
		if err != nil {
			return err
		}
		done := true
		for q := range all {
			done = done && !q.LastRun.Before(last)
		}
		for _, s := range db.Stats().Sinks {
			done = done && s.Backlog == 0
		}
		if done {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("quickstart: results did not arrive: %w", ctx.Err())
		}
	}
}

func report(ctx context.Context, db *tickwell.DB) error {
	if err := db.Flush(ctx); err != nil {
		return err
	}
	s := db.Stats()
	fmt.Printf("           %d points in %d series, %.2f bytes a point on disk (index, times and checksums included)\n",
		s.Points, s.Series, float64(s.DiskBytes)/float64(s.Points))

	fmt.Println("\nwhat the continuous query stored, a row a second:")
	fmt.Printf("  %-10s %10s %10s %15s\n", "time", "heap_avg", "heap_max", "goroutines_max")
	res, err := db.Query(ctx, tickwell.Query{From: []string{"root.quickstart.second"}})
	if err != nil {
		return err
	}
	for row, err := range res.Rows() {
		if err != nil {
			return err
		}
		fmt.Printf("  %-10s %10.2f %10.2f %15d\n", row.Time().Local().Format("15:04:05"), row.Float64(0), row.Float64(1), row.Value(2).Int64())
	}

	var heaps []float64
	series, err := tickwell.SeriesOf[float64](db, heap+".heap_mib")
	if err != nil {
		return err
	}
	for p, err := range series.Range(ctx, time.Time{}, time.Time{}) {
		if err != nil {
			return err
		}
		heaps = append(heaps, p.Value)
	}
	fmt.Println()
	fmt.Println("  heap of this program, MiB")
	if err := chart.Blocks(os.Stdout, chart.Means(heaps, 72), 8, 10, "%.1f"); err != nil {
		return err
	}

	res, err = db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Call("growth", expr.Col("heap_mib")).With("window", "500ms")},
		From:   []string{heap},
	})
	if err != nil {
		return err
	}
	most, when := 0.0, time.Time{}
	for row, err := range res.Rows() {
		if err != nil {
			return err
		}
		if row.Float64(0) > most {
			most, when = row.Float64(0), row.Time()
		}
	}
	fmt.Printf("\nthe function growth (a UDTF over windows of 500 ms) says: the heap grew fastest at %s, by %.0f MiB/s\n",
		when.Local().Format("15:04:05.000"), most)
	return nil
}

// reopen closes the store, opens it again and compares what is there.
func reopen(ctx context.Context, db *tickwell.DB, dir string, opts *tickwell.Options) error {
	count := tickwell.Query{Select: []expr.Expr{expr.Count(expr.Col("heap_mib"))}, From: []string{heap}}
	before, err := number(ctx, db, count)
	if err != nil {
		return err
	}
	if err := db.Shutdown(ctx); err != nil {
		return err
	}
	start := time.Now()
	again, err := tickwell.Open(ctx, dir, &tickwell.Options{Functions: opts.Functions, ReadOnly: true})
	if err != nil {
		return err
	}
	defer again.Close()
	after, err := number(ctx, again, count)
	if err != nil {
		return err
	}
	if before != after {
		return fmt.Errorf("quickstart: %d points of heap_mib before closing, %d after opening again", before, after)
	}
	fmt.Printf("\nclosed, opened again in %s: all %d points of heap_mib are there.\n", time.Since(start).Round(10*time.Microsecond), after)
	return nil
}

func number(ctx context.Context, db *tickwell.DB, q tickwell.Query) (int64, error) {
	res, err := db.Query(ctx, q)
	if err != nil {
		return 0, err
	}
	for row, err := range res.Rows() {
		return row.Value(0).Int64(), err
	}
	return 0, nil
}

// inbox is a sink: it keeps what it is handed.
type inbox struct {
	mu   sync.Mutex
	list []notice
}

type notice struct {
	at           time.Time
	status, text string
}

// Handle takes events.
func (b *inbox) Handle(_ context.Context, events []tickwell.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range events {
		e := &events[i]
		b.list = append(b.list, notice{e.Time, e.Status.String(), e.Notes["summary"]})
	}
	return nil
}

func (b *inbox) all() []notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]notice(nil), b.list...)
}
