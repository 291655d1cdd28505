package udflib

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// nab is where the series of the Numenta Anomaly Benchmark are, beside the
// module, if they are there.
const nab = "../../shared/data/nab"

type span struct{ from, to int64 }

// loadLabels reads the labelled windows of each file.
func loadLabels(t *testing.T) map[string][]span {
	text, err := os.ReadFile(filepath.Join(nab, "labelled_windows.json"))
	if err != nil {
		t.Skipf("no benchmark data: %v", err)
	}
	var raw map[string][][2]string
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	labels := map[string][]span{}
	for file, windows := range raw {
		for _, w := range windows {
			var s [2]int64
			for i, text := range w {
				at, err := time.Parse("2006-01-02 15:04:05.000000", text)
				if err != nil {
					t.Fatal(err)
				}
				s[i] = at.UnixNano()
			}
			labels[file] = append(labels[file], span{s[0], s[1]})
		}
	}
	return labels
}

// loadSeries puts a file into a store as root.d.s1.
func loadSeries(t *testing.T, file string) (*tickwell.DB, int) {
	f, err := os.Open(filepath.Join(nab, file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var times []int64
	var values tickwell.Float64s
	for _, l := range lines[1:] {
		at, err1 := time.Parse(time.DateTime, l[0])
		v, err2 := strconv.ParseFloat(l[1], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v: %v, %v", file, l, err1, err2)
		}
		times, values = append(times, at.UnixNano()), append(values, v)
	}
	db := open(t)
	tab := &tickwell.Tablet{Device: "root.d", Times: times, Columns: []tickwell.Column{{Name: "s1", Data: values}}}
	if err := db.InsertTablet(context.Background(), tab); err != nil {
		t.Fatal(err)
	}
	return db, len(times)
}

// A detector is a call with what of its output means that a point is strange.
type detector struct {
	call    string
	slow    bool // not with -short
	strange func(in, out []result) []int64
}

func given(_, out []result) (at []int64) {
	for _, p := range out {
		at = append(at, p.at)
	}
	return at
}

func leftOutOf(in, out []result) (at []int64) {
	for _, p := range in {
		if len(out) > 0 && out[0].at == p.at {
			out = out[1:]
		} else {
			at = append(at, p.at)
		}
	}
	return at
}

func above(most float64) func(in, out []result) []int64 {
	return func(_, out []result) (at []int64) {
		for _, p := range out {
			if p.value.Float64() > most {
				at = append(at, p.at)
			}
		}
		return at
	}
}

func marked(_, out []result) (at []int64) {
	for _, p := range out {
		if p.value.Bool() {
			at = append(at, p.at)
		}
	}
	return at
}

// detectors are called the same for every file: with the defaults of the
// documents, but for ksigma once more with a short window and a large factor.
var detectors = []detector{
	{"ksigma", false, given},
	{"ksigma k=6 window=200", false, given},
	{"iqr", false, given},
	{"outlier", false, given},
	{"twosidedfilter", false, leftOutOf},
	{"missdetect", false, marked},
	{"lof method=series score=breunig window=2000", true, above(2)},
}

// quiet is how long after a detection another one is still the same alarm.
const quiet = int64(24 * time.Hour)

// judge counts the windows in which something was detected, and the alarms that
// begin outside all of them.
func judge(windows []span, at []int64) (hit, falseAlarms int) {
	seen := make([]bool, len(windows))
	last := int64(-1 << 62)
	for _, t := range at {
		inside := false
		for i, w := range windows {
			if t >= w.from && t <= w.to {
				inside, seen[i] = true, true
			}
		}
		if inside {
			continue
		}
		if t-last > quiet {
			falseAlarms++
		}
		last = t
	}
	for _, s := range seen {
		if s {
			hit++
		}
	}
	return hit, falseAlarms
}

// The detectors over the series of the benchmark: which labelled windows they
// hit, and how often they cry wolf.
func TestDetectorsOnBenchmark(t *testing.T) {
	labels := loadLabels(t)
	const machine = "machine_temperature_system_failure.csv"
	bestHit, bestAlarms := -1, 0
	for _, file := range slices.Sorted(maps.Keys(labels)) {
		if testing.Short() && file != machine {
			continue
		}
		db, n := loadSeries(t, file)
		in, err := invoke(t, db, 1, "e") // a value for each point
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range detectors {
			if d.slow && testing.Short() {
				continue
			}
			out, err := invoke(t, db, 1, d.call)
			if err != nil {
				t.Fatal(err)
			}
			hit, alarms := judge(labels[file], d.strange(in, out))
			t.Logf("%-45s %5d points  %-45s %d of %d windows hit, %d false alarms", file, n, d.call, hit, len(labels[file]), alarms)
			if file == machine && alarms <= 10 && (hit > bestHit || hit == bestHit && alarms < bestAlarms) {
				bestHit, bestAlarms = hit, alarms
			}
		}
	}
	if bestHit < 3 {
		t.Errorf("%s: the best detector with at most 10 false alarms hits %d of 4 windows, want at least 3", machine, bestHit)
	}
	t.Logf("best on %s: %d of 4 windows with %d false alarms", machine, bestHit, bestAlarms)
}
