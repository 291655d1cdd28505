// Command nab imports real sensor series with labelled failures (the Numenta
// Anomaly Benchmark's CSV form: timestamp,value) as if they were measured live:
// a clock follows the data, a trigger watches every series for unusual values
// with hysteresis, and a continuous query keeps statistics of each hour. Then it
// prints the intervals in which the alert fired beside the labelled ones.
//
//	go run ./examples/nab -data DIR
package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/tickwelltest"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "folder with *.csv and, for comparison, labelled_windows.json")
	flag.Parse()
	if *data == "" {
		log.Fatal("nab: -data DIR is needed: a folder of CSV files with the columns timestamp,value")
	}
	dir, err := os.MkdirTemp("", "tickwell-nab-")
	if err != nil {
		log.Fatal(err)
	}
	err = run(context.Background(), *data, dir)
	os.RemoveAll(dir)
	if err != nil {
		log.Fatal("nab: ", err)
	}
}

func run(ctx context.Context, data, dir string) error {
	files, err := filepath.Glob(filepath.Join(data, "*.csv"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("no *.csv files in %s", data)
	}
	labels, err := readLabels(filepath.Join(data, "labelled_windows.json"))
	if err != nil {
		return err
	}
	fmt.Printf("%-42s %7s %6s %6s %6s %7s\n", "series", "rows", "late", "over-", "hours", "bytes/")
	fmt.Printf("%-42s %7s %6s %6s %6s %7s\n", "", "read", "", "written", "", "point")
	var all []outcome
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".csv")
		rows, err := readRows(f)
		if err != nil {
			return err
		}
		o, err := replay(ctx, filepath.Join(dir, name), name, rows)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%-42s %7d %6d %6d %6d %7.2f\n", name, len(rows), o.late, o.overwritten, o.hours, o.bytesPerPoint)
		o.labels = labels[filepath.Base(f)]
		all = append(all, o)
	}
	hits, labelled, alarms := 0, 0, 0
	for _, o := range all {
		h, a := o.print()
		hits, labelled, alarms = hits+h, labelled+len(o.labels), alarms+a
	}
	fmt.Printf("\n%d of %d labelled intervals hit, %d false alarms\n", hits, labelled, alarms)
	return nil
}

// outcome is what one series gave.
type outcome struct {
	name              string
	late, overwritten int
	hours             int64
	bytesPerPoint     float64
	fired, labels     []interval
}

type interval struct{ from, to time.Time }

func (i interval) String() string {
	return i.from.Format("2006-01-02 15:04") + " – " + i.to.Format("2006-01-02 15:04")
}

func (i interval) overlaps(j interval) bool { return !i.from.After(j.to) && !j.from.After(i.to) }

type row struct {
	at    time.Time
	value float64
}

// replay stores the rows of one series in the order of the file, moving the
// clock along with the newest, and returns what triggers and queries made of it.
func replay(ctx context.Context, dir, name string, rows []row) (outcome, error) {
	o := outcome{name: name}
	device := "root.nab." + name
	clock := tickwelltest.NewClock(rows[0].at)
	events := tickwell.SinkFunc(func(_ context.Context, es []tickwell.Event) error {
		for i := range es {
			switch e := &es[i]; e.Status {
			case tickwell.StatusFiring:
				o.fired = append(o.fired, interval{e.Time, rows[len(rows)-1].at})
			case tickwell.StatusResolved:
				o.fired[len(o.fired)-1].to = e.Time
			}
		}
		return nil
	})
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{
		Clock:    clock,
		Sync:     tickwell.SyncInterval(24 * time.Hour), // of the data's time: one flush at the end is enough here
		Sinks:    []tickwell.SinkSpec{{Name: "intervals", Sink: events}},
		Triggers: []tickwell.TriggerSpec{{Name: "unusual", Pattern: device + ".value", Stateful: true, Trigger: newUnusual()}},
		ContinuousQueries: []tickwell.CQSpec{{
			Name: "hourly",
			Query: tickwell.Query{
				Select:  []expr.Expr{expr.Avg(expr.Col("value")), expr.Min(expr.Col("value")), expr.Max(expr.Col("value")), expr.Count(expr.Col("value"))},
				From:    []string{device},
				GroupBy: tickwell.GroupByTime{Interval: time.Hour},
				Into:    []tickwell.Target{{Device: device + ".hourly", Columns: []string{"avg", "min", "max", "count"}}},
			},
			StartOffset: 2 * time.Hour, // the hour before once more, for rows that come late
			Every:       time.Hour,
		}},
	})
	if err != nil {
		return o, err
	}
	defer db.Close()
	for _, r := range rows {
		if d := r.at.Sub(clock.Now()); d > 0 {
			if err := advance(ctx, db, clock, d); err != nil {
				return o, err
			}
		}
		var t tickwell.Tablet
		t.Device = device
		if err := t.Append(r.at, tickwell.Float64("value", r.value)); err != nil {
			return o, err
		}
		res, err := db.Write(ctx, tickwell.WriteOptions{}, &t)
		if err != nil {
			return o, err
		}
		o.late += res.LateRows
	}
	if err := advance(ctx, db, clock, time.Hour); err != nil {
		return o, err
	}
	stored, err := count(ctx, db, device, "value")
	if err != nil {
		return o, err
	}
	o.overwritten = len(rows) - int(stored)
	if o.hours, err = count(ctx, db, device+".hourly", "avg"); err != nil {
		return o, err
	}
	if err := db.Flush(ctx); err != nil {
		return o, err
	}
	s := db.Stats()
	o.bytesPerPoint = float64(s.DiskBytes) / float64(stored+4*o.hours)
	return o, nil
}

// advance moves the clock and waits for what falls due, an hour at a time, so
// that each run of the query sees what was stored then.
func advance(ctx context.Context, db *tickwell.DB, clock *tickwelltest.Clock, d time.Duration) error {
	before := clock.Now()
	clock.Advance(d)
	if before.Truncate(time.Hour).Equal(clock.Now().Truncate(time.Hour)) {
		return nil // nothing is due within an hour
	}
	return db.Quiesce(ctx)
}

func count(ctx context.Context, db *tickwell.DB, device, column string) (int64, error) {
	res, err := db.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Count(expr.Col(column))}, From: []string{device}})
	if err != nil {
		return 0, err
	}
	for r, err := range res.Rows() {
		return r.Value(0).Int64(), err
	}
	return 0, nil
}

func (o outcome) print() (hits, alarms int) {
	fmt.Printf("\n%s\n", o.name)
	hit := make([]bool, len(o.labels))
	for _, f := range o.fired {
		mark := "false alarm"
		if len(o.labels) == 0 {
			mark = ""
		}
		for i, l := range o.labels {
			if f.overlaps(l) {
				mark, hit[i] = "in label "+strconv.Itoa(i+1), true
			}
		}
		if mark == "false alarm" {
			alarms++
		}
		fmt.Printf("  fired    %s  %s\n", f, mark)
	}
	for i, l := range o.labels {
		mark := "missed"
		if hit[i] {
			mark = "hit"
			hits++
		}
		fmt.Printf("  label %d  %s  %s\n", i+1, l, mark)
	}
	return hits, alarms
}

func readRows(name string) ([]row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	var rows []row
	for line := 1; ; line++ {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if line == 1 && rec[0] == "timestamp" {
			continue
		}
		if len(rec) != 2 {
			return nil, fmt.Errorf("%s:%d: %d columns, want timestamp,value", name, line, len(rec))
		}
		at, err := time.Parse("2006-01-02 15:04:05", rec[0])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		v, err := strconv.ParseFloat(rec[1], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		rows = append(rows, row{at, v})
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: no rows", name)
	}
	return rows, nil
}

// readLabels returns the labelled intervals by file name; no file, no labels.
func readLabels(name string) (map[string][]interval, error) {
	text, err := os.ReadFile(name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var raw map[string][][2]string
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	out := make(map[string][]interval)
	for file, list := range raw {
		for _, p := range list {
			var i interval
			if i.from, err = time.Parse("2006-01-02 15:04:05.999999", p[0]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if i.to, err = time.Parse("2006-01-02 15:04:05.999999", p[1]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[file] = append(out[file], i)
		}
		slices.SortFunc(out[file], func(a, b interval) int { return cmp.Compare(a.from.Unix(), b.from.Unix()) })
	}
	return out, nil
}
