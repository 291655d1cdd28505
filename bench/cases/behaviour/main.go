// Case behaviour: what a trigger and a continuous query cost on top of the
// rows that they see, in tickwell and in SQLite with a Go function; both in
// memory. The SQLite way to keep averages is to ask again for each minute that
// has passed, and tickwell is asked to do the same for comparison.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/tickwell/tickwell/bench/harness"
)

const (
	rowsPerBatch = 100
	limit        = 195 // values above it are told; about one in forty is
	series       = 100 // of the averages, one row a second each
)

// value is row i of series s, between 0 and 200.
func value(s, i int64) float64 {
	x := uint64(i*1_000_003+s*7919+1) * 0x9E3779B97F4A7C15
	return float64(x>>40%20011) / 100
}

// wanted is how many of n rows lie above the limit.
func wanted(n int64) (count int64) {
	for i := range n {
		if value(0, i) > limit {
			count++
		}
	}
	return count
}

// averages is the sum of the averages of all complete minutes.
func averages(seconds int64) (sum float64) {
	for s := range int64(series) {
		for lo := int64(0); lo+60 <= seconds; lo += 60 {
			m := 0.0
			for i := lo; i < lo+60; i++ {
				m += value(s, i)
			}
			sum += m / 60
		}
	}
	return sum
}

// store is a system under measurement.
type store interface {
	// trigger inserts n rows of series v in batches, with or without a trigger on
	// series on, and returns how many high values it was told of and how often it
	// was called.
	trigger(n int64, on string) (told, calls int64, err error)
	// minutes inserts some seconds of all series, with or without keeping
	// averages of each minute, and returns the sum of those kept.
	minutes(seconds int64, with bool) (sum float64, err error)
}

// bystander is a store that can keep averages of series that are not written.
type bystander interface {
	elsewhere(seconds int64, with bool) (sum float64, err error)
}

func main() {
	variant := flag.String("variant", "tickwell", "tickwell, rescan or sqlite")
	events := flag.Int64("events", 2_000_000, "size of the work")
	flag.Parse()
	st, ok := map[string]store{"tickwell": tickwellStore{}, "rescan": tickwellStore{rescan: true}, "sqlite": sqliteStore{}}[*variant]
	if !ok {
		fmt.Fprintf(os.Stderr, "behaviour: no variant %q\n", *variant)
		os.Exit(2)
	}
	module := map[string]string{"sqlite": "modernc.org/sqlite"}[*variant]
	if module == "" {
		module = "github.com/tickwell/tickwell"
	}
	n := *events / 10
	if *variant != "rescan" {
		var calls int64
		report("trigger on every row", *variant, module, n, func(with bool) (string, error) {
			on, want := "", int64(0)
			if with {
				on, want = "v", wanted(n)
			}
			told, called, err := st.trigger(n, on)
			calls = called
			return compare(float64(told), float64(want)), err
		})
		harness.Report(harness.CaseResult{Case: "trigger on every row", Store: *variant, Version: harness.Version(module),
			Metric: "calls a batch", Value: float64(calls) / float64(n/rowsPerBatch)})
		report("trigger on another series", *variant, module, n, func(with bool) (string, error) {
			on := ""
			if with {
				on = "w"
			}
			told, _, err := st.trigger(n, on)
			return compare(float64(told), 0), err
		})
	}
	seconds := max(120, n/series-n/series%60) + 1
	if x, ok := st.(bystander); ok && *variant != "rescan" {
		report("averages kept of other series", *variant, module, seconds*series, func(with bool) (string, error) {
			sum, err := x.elsewhere(seconds, with)
			return compare(sum, 0), err
		})
	}
	report("1-minute averages kept", *variant, module, seconds*series, func(with bool) (string, error) {
		sum, err := st.minutes(seconds, with)
		want := 0.0
		if with {
			want = averages(seconds)
		}
		return compare(sum, want), err
	})
}

func compare(got, want float64) string {
	if d := got - want; d > 1e-6*want || -d > 1e-6*want {
		return fmt.Sprintf("%g, want %g", got, want)
	}
	return "ok"
}

// report prints what the behaviour adds to a row, and what a row costs with it.
// Each is the best of three, since one is taken from the other.
func report(cas, variant, module string, rows int64, run func(with bool) (string, error)) {
	c := harness.CaseResult{Case: cas, Store: variant, Version: harness.Version(module), Check: "ok"}
	var best [2]float64
	for range 3 {
		for i, with := range []bool{false, true} {
			cpu := harness.CPU()
			check, err := run(with)
			used := float64(harness.CPU()-cpu) / float64(rows)
			if best[i] == 0 || used < best[i] {
				best[i] = used
			}
			if err != nil {
				c.Err = err.Error()
			} else if check != "ok" {
				c.Check = check
			}
		}
	}
	c.Metric, c.Value = "cpu added per row", max(0, best[1]-best[0])
	harness.Report(c)
	c.Metric, c.Value = "cpu per row with it", best[1]
	harness.Report(c)
}

var start = time.Unix(1_700_000_040, 0) // a full minute
