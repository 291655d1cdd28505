// Command alerting watches a machine's temperature: it tells when the value has
// left its range for half an hour (with hysteresis, so that it does not flap),
// and when nothing has come for an hour (a deadman's switch). Then it asks of the
// stored history what other limits would have told: a backtest.
//
//	go run ./examples/alerting [-data DIR] [-svg FILE]
//
// With -svg it also draws what it has seen into a file: docs/alerting.svg is
// made by this.
//
// With -data it reads DIR/machine_temperature_system_failure.csv of the Numenta
// Anomaly Benchmark (timestamp,value), otherwise it makes up two weeks.
package main

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
)

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "folder with machine_temperature_system_failure.csv")
	svg := flag.String("svg", "", "file to draw into")
	flag.Parse()
	rows := madeUp()
	if *data != "" {
		var err error
		if rows, err = read(filepath.Join(*data, "machine_temperature_system_failure.csv")); err != nil {
			log.Fatal("alerting: ", err)
		}
	}
	var drawing io.Writer
	if *svg != "" {
		f, err := os.Create(*svg)
		if err != nil {
			log.Fatal("alerting: ", err)
		}
		drawing = f
	}
	err := run(context.Background(), os.Stdout, drawing, rows)
	if f, ok := drawing.(io.Closer); ok {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		log.Fatal("alerting: ", err)
	}
}

const (
	device = "root.plant.machine1"
	series = device + ".temperature"
)

func outside(low, high float64) alert.Rule {
	return alert.Rule{
		Name: "temperature", Condition: alert.Outside(low, high, 5), For: 30 * time.Minute, KeepFiring: time.Hour,
		Labels: map[string]string{"severity": "warning"}, Notes: map[string]string{"summary": "{{.series}} is out of range"},
	}
}

func run(ctx context.Context, out, drawing io.Writer, rows []row) error {
	clock := tickwelltest.NewClock(rows[0].at)
	var events []tickwell.Event
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Clock: clock,
		Sinks: []tickwell.SinkSpec{{Name: "list", Sink: tickwell.SinkFunc(func(_ context.Context, es []tickwell.Event) error {
			events = append(events, es...)
			return nil
		})}},
		Triggers: []tickwell.TriggerSpec{
			outside(60, 105).Spec(series),
			alert.Rule{Name: "silent", Absent: time.Hour}.Spec(series),
		},
	})
	if err != nil {
		return err
	}
	defer db.Close()
	// As if it were measured now: the clock follows the data, and stands at each
	// deadline on the way.
	for _, r := range rows {
		for clock.Now().Before(r.at) {
			clock.Advance(min(5*time.Minute, r.at.Sub(clock.Now())))
			if err := db.Quiesce(ctx); err != nil {
				return err
			}
		}
		if err := db.Insert(ctx, device, r.at, tickwell.Float64("temperature", r.value)); err != nil {
			return err
		}
	}
	if err := db.Quiesce(ctx); err != nil {
		return err
	}
	last := rows[len(rows)-1].at
	if err := draw(out, picture(rows, events, 100)); err != nil {
		return err
	}
	if drawing != nil {
		if err := picture(rows, events, 350).SVG(drawing); err != nil {
			return err
		}
	}
	table(out, "Alerts of the live run", events, last)
	return backtests(ctx, out, db, events)
}

// backtests asks what other limits would have told of the stored history, and
// that the limits of the live run tell the same again.
func backtests(ctx context.Context, out io.Writer, db *tickwell.DB, live []tickwell.Event) error {
	fmt.Fprintf(out, "\nBacktests: temperature outside [low, high] for 30 minutes\n  %6s %6s %8s\n", "low", "high", "alerts")
	for _, limits := range [][2]float64{{60, 105}, {50, 105}, {70, 105}, {60, 100}, {60, 95}} {
		events, err := db.Backtest(ctx, outside(limits[0], limits[1]).Spec(series), time.Time{}, time.Time{})
		if err != nil {
			return err
		}
		note := ""
		if limits == [2]float64{60, 105} {
			note = "  as live: " + yesNo(same(events, live))
		}
		n := 0
		for i := range events {
			if events[i].Status == tickwell.StatusFiring {
				n++
			}
		}
		fmt.Fprintf(out, "  %6g %6g %8d%s\n", limits[0], limits[1], n, note)
	}
	return nil
}

// same reports whether a backtest gave the temperature events of the live run.
func same(events, live []tickwell.Event) bool {
	i := 0
	for _, e := range live {
		if e.Source != "temperature" {
			continue
		}
		if i == len(events) || events[i].ID != e.ID || events[i].Status != e.Status {
			return false
		}
		i++
	}
	return i == len(events)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func table(out io.Writer, title string, events []tickwell.Event, last time.Time) {
	fmt.Fprintf(out, "\n%s\n  %-12s %-17s %-17s %s\n", title, "alert", "firing", "resolved", "lasted")
	for i, e := range events {
		if e.Status != tickwell.StatusFiring {
			continue
		}
		end, text := last, "still firing"
		for _, o := range events[i+1:] {
			if o.Source == e.Source {
				end, text = o.Time, o.Time.Format("2006-01-02 15:04")
				break
			}
		}
		fmt.Fprintf(out, "  %-12s %-17s %-17s %v\n", e.Labels["alertname"], e.Time.Format("2006-01-02 15:04"), text, end.Sub(e.Time).Round(time.Minute))
	}
}

type row struct {
	at    time.Time
	value float64
}

func read(name string) ([]row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(records) < 2 {
		return nil, fmt.Errorf("%s has no rows", name)
	}
	var rows []row
	for _, rec := range records[1:] {
		at, err := time.Parse(time.DateTime, rec[0])
		if err != nil {
			return nil, err
		}
		v, err := strconv.ParseFloat(rec[1], 64)
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{at, v})
	}
	return rows, nil
}

// madeUp is two weeks of a machine that overheats once, cools down once, and is
// silent for half a day.
func madeUp() (rows []row) {
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 14 * 24 * 12 {
		at := start.Add(time.Duration(i) * 5 * time.Minute)
		h := at.Sub(start).Hours()
		v := 85 + 8*math.Sin(h/24*2*math.Pi) + 2*math.Sin(h*7)
		switch {
		case h > 100 && h < 106:
			v += 25
		case h > 220 && h < 240:
			v -= 50
		case h > 280 && h < 292:
			continue
		}
		rows = append(rows, row{at, v})
	}
	return rows
}
