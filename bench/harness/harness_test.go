package harness

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// slices of points in memory, with faults to be found.
type faulty struct {
	fault  string
	points [][]Point // by series
	n      int
}

func (f *faulty) add(p Point) {
	f.n++
	if f.n == 1 { // of series 0, which every query reads
		switch f.fault {
		case "loses one":
			return
		case "changes one":
			p.V += 1000
		}
	}
	s := f.points[p.Series]
	i, _ := slices.BinarySearchFunc(s, p.TS, func(q Point, ts int64) int { return int(q.TS - ts) })
	f.points[p.Series] = slices.Insert(s, i, p)
}

func (f *faulty) WriteBatch(pts []Point) error {
	for _, p := range pts {
		f.add(p)
	}
	return nil
}
func (f *faulty) Flush() error { return nil }
func (f *faulty) Close() error { return nil }

func (f *faulty) Scan(n uint32, from, to int64, fn func(int64, float64)) error {
	for _, p := range f.points[n] {
		if p.TS >= from && p.TS <= to {
			fn(p.TS, p.V)
		}
	}
	return nil
}

// stale gives the last but one point of a series as its newest.
type stale struct{ *faulty }

func (s stale) Last(emit func(uint32, int64, float64)) error {
	for i, pts := range s.points {
		p := pts[len(pts)-1]
		if i == 5 {
			p = pts[len(pts)-2]
		}
		emit(uint32(i), p.TS, p.V)
	}
	return nil
}

// runOn runs the phase ingest of a store for five minutes of data.
func runOn(t *testing.T, mode string, open func() Store) Result {
	t.Helper()
	series := MakeSeries()
	const points = 30_000
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	r := Result{Phase: "ingest", Mode: mode, Q: map[string]float64{}, Check: "ok", asking: time.Second}
	cfg := Config{Dir: t.TempDir(), Series: series, From: from, To: from + (points/int64(len(series))+MaxDelay+2)*StepMS}
	if err := run(Peer{Open: func(Config) (Store, error) { return open(), nil }}, cfg, &r, time.Minute, mode == "inorder", nil, points); err != nil {
		t.Fatal(err)
	}
	return r
}

// Right answers pass, wrong ones are told.
func TestChecks(t *testing.T) {
	for fault, want := range map[string]string{"": "ok", "loses one": "scan series 0", "changes one": "scan series 0", "stale": "q4 series 5"} {
		got := runOn(t, "inorder", func() Store {
			s := &faulty{fault: fault, points: make([][]Point, Devices*Measurements)}
			if fault == "stale" {
				return stale{s}
			}
			return s
		}).Check
		if !strings.HasPrefix(got, want) {
			t.Errorf("fault %q: check is %q, want it to begin with %q", fault, got, want)
		}
	}
}

// Each way of writing hands over every point once.
func TestModes(t *testing.T) {
	for _, mode := range []string{"inorder", "ooo", "row", "single"} { // "two" needs a store with a lock
		s := &faulty{points: make([][]Point, Devices*Measurements)}
		r := runOn(t, mode, func() Store { return s })
		if int64(s.n) != r.Points || s.n < 30_000 {
			t.Errorf("%s: the store got %d points, %d are reported", mode, s.n, r.Points)
		}
		for i, pts := range s.points {
			for j := 1; j < len(pts); j++ {
				if pts[j].TS == pts[j-1].TS {
					t.Fatalf("%s: series %d has two points at %d", mode, i, pts[j].TS)
				}
			}
		}
	}
}

// The generator's own account is that of the points that it gave out, and the
// same each time.
func TestGen(t *testing.T) {
	series := MakeSeries()
	account := func(ooo bool) string {
		g := NewGen(series, ids(series), 0, ooo)
		n, sum := make([]int64, len(series)), make([]float64, len(series))
		var buf []Point
		late, newest := 0, make([]int64, len(series))
		for range 100 {
			buf = g.Tick(buf[:0])
			for _, p := range buf {
				n[p.Series]++
				sum[p.Series] += p.V
				if p.TS < newest[p.Series] {
					late++
				}
				newest[p.Series] = max(newest[p.Series], p.TS)
			}
		}
		if !slices.Equal(n, g.N) || !slices.Equal(sum, g.Sum) || !slices.Equal(newest, g.LastTS) {
			t.Errorf("late points %v: the generator's account is not that of its points", ooo)
		}
		return fmt.Sprint(sum, late > 0)
	}
	if a, b := account(false), account(false); a != b || strings.HasSuffix(a, "true") {
		t.Error("in order: two runs differ, or points are late")
	}
	if a := account(true); !strings.HasSuffix(a, "true") {
		t.Error("no point is late")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		xs   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := Median(c.xs); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.xs, got, c.want)
		}
	}
}
