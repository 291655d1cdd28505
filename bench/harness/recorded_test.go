package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A recording with a gap, a time twice and one that goes back.
const someCSV = `timestamp,value
2014-04-01 00:00:00,1.5
2014-04-01 00:05:00,2.25
2014-04-01 00:05:00,3
2014-04-01 00:03:00,9
2014-04-01 01:00:00,-4
`

func TestRecording(t *testing.T) {
	const gateways = 4
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(someCSV), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	rec, err := loadRecording(dir, gateways, from)
	if err != nil {
		t.Fatal(err)
	}
	if len(rec.series) != 2*gateways || len(rec.points) != 3*2*gateways || rec.series[0].Device != "gw0_a" || rec.series[gateways].Device != "gw0_b" {
		t.Fatalf("%d series, %d points, %+v", len(rec.series), len(rec.points), rec.series)
	}
	want := []Point{{3, from, 1.5}, {3, from + 10_000, 3}, {3, from + 120_000, -4}}
	for i, p := range rec.bySer[3] {
		if p != want[i] {
			t.Errorf("point %d is %+v, want %+v", i, p, want[i])
		}
	}
	for fault, said := range map[string]string{"": "ok", "loses one": "series 0, point 0", "changes one": "series 0, point 0"} {
		r := Result{Check: "ok", Q: map[string]float64{}}
		open := func(Config) (Store, error) {
			return &faulty{fault: fault, points: make([][]Point, len(rec.series))}, nil
		}
		if err := runRecording(Peer{Open: open}, Config{Dir: t.TempDir(), From: from}, &r, rec, time.Minute); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(r.Check, said) || r.Points != int64(len(rec.points)) {
			t.Errorf("fault %q: check is %q of %d points, want it to begin with %q", fault, r.Check, r.Points, said)
		}
	}
}

func TestBadRecording(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no file":   {"", "no CSV file"},
		"no time":   {"timestamp,value\nyesterday,1\n", "a.csv:2: "},
		"no number": {"timestamp,value\n2014-04-01 00:00:00,much\n", "a.csv:2: "},
		"no table":  {"timestamp,value\n\"", "a.csv: "},
	} {
		dir := t.TempDir()
		if c.text != "" {
			if err := os.WriteFile(filepath.Join(dir, "a.csv"), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := loadRecording(dir, 1, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
