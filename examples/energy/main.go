// Command energy turns the readings of electricity meters into consumption by
// calendar month: counters that begin again at zero when a meter is replaced,
// months as they are in Berlin, with the hour that is missing in March.
//
//	go run ./examples/energy
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal("energy: ", err)
	}
}

const zone = "Europe/Berlin"

// consumption stores what each reading adds to the one before. A counter that
// goes down has begun again at zero.
type consumption struct{ last map[string]float64 }

func (c *consumption) Fire(_ context.Context, f *tickwell.Firing) error {
	used := &tickwell.Tablet{Device: f.Device}
	for row := range f.Rows() {
		count := row.Get("kwh").Float64()
		last, known := c.last[f.Device]
		c.last[f.Device] = count
		switch {
		case !known:
			continue
		case count < last:
			last = 0
		}
		if err := used.Append(row.Time(), tickwell.Float64("used", count-last)); err != nil {
			return err
		}
	}
	if used.Len() == 0 {
		return nil
	}
	return f.Write(used)
}

// meter is one counter of kilowatt hours, read every quarter of an hour.
type meter struct {
	device   string
	load     float64 // kW
	count    float64 // what it shows when the year begins
	replaced time.Time
}

func run(ctx context.Context, out io.Writer) error {
	berlin, err := time.LoadLocation(zone)
	if err != nil {
		return fmt.Errorf("the zone is not installed: %w", err)
	}
	db, err := tickwell.Open(ctx, "", &tickwell.Options{Triggers: []tickwell.TriggerSpec{{
		Name: "consumption", Pattern: "root.hall.*.kwh", Stateful: true, Trigger: &consumption{last: map[string]float64{}},
	}}})
	if err != nil {
		return err
	}
	defer db.Close()
	begin, end := time.Date(2026, 1, 1, 0, 0, 0, 0, berlin), time.Date(2026, 5, 1, 0, 0, 0, 0, berlin)
	meters := []meter{
		{"root.hall.press", 12, 48_200, time.Time{}},
		{"root.hall.light", 2, 9_990, time.Date(2026, 2, 10, 9, 0, 0, 0, berlin)},
	}
	for _, m := range meters {
		if err := read(ctx, db, m, begin, end); err != nil {
			return err
		}
	}
	result, err := db.Query(ctx, tickwell.Query{
		Select: []expr.Expr{expr.Sum(expr.Col("used"))}, From: []string{"root.hall.*"}, AlignByDevice: true, Zone: zone,
		// What a reading adds was used before it, so months are open on the left.
		GroupBy: tickwell.GroupByTime{IntervalMonths: 1, LeftOpen: true}, Start: begin, End: end,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-16s %-8s %8s\n", "meter", "month", "kWh")
	total := map[string]float64{}
	for row, err := range result.Rows() {
		if err != nil {
			return err
		}
		month := row.Time().In(berlin).AddDate(0, 0, -1) // rows carry the end of their month
		fmt.Fprintf(out, "%-16s %-8s %8.0f %s\n", row.Device(), month.Format("2006-01"), row.Float64(0), bar(row.Float64(0)))
		total[row.Device()] += row.Float64(0)
	}
	for _, m := range meters {
		fmt.Fprintf(out, "%-16s %-8s %8.0f\n", m.device, "total", total[m.device])
	}
	return nil
}

// read stores what m shows from begin to end. A replaced meter shows 0.
func read(ctx context.Context, db *tickwell.DB, m meter, begin, end time.Time) error {
	w, err := db.Writer(m.device, tickwell.ColumnInfo{Name: "kwh", Kind: tickwell.KindFloat64})
	if err != nil {
		return err
	}
	const quarter = 15 * time.Minute
	count := m.count
	for at := begin; !at.After(end); at = at.Add(quarter) {
		if !m.replaced.IsZero() && at.Equal(m.replaced) {
			count = 0
		}
		if err := w.Insert(ctx, at, tickwell.Float64Value(count)); err != nil {
			return err
		}
		count += m.load * quarter.Hours()
	}
	return nil
}

func bar(kwh float64) string { return strings.Repeat("█", int(kwh/400)) }
