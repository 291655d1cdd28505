package harness

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Real recordings beside the generated workload: each CSV file of a folder with
// the columns timestamp and value is a series, as in the Numenta Anomaly
// Benchmark. Their times are pushed together thirtyfold, so that five minutes
// become the ten seconds of the workload, and begin at the same instant; gaps
// and unevenness stay. Each is recorded by several gateways.
const squeeze = 30

// recording is what is written, in order of time, and what must be read.
type recording struct {
	series []Meta
	points []Point
	bySer  [][]Point
}

func loadRecording(dir string, gateways int, from int64) (*recording, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no CSV file in %s", dir)
	}
	slices.Sort(files)
	var rec recording
	for _, file := range files {
		one, err := loadSeries(file, from)
		if err != nil {
			return nil, err
		}
		for g := range gateways {
			n := len(rec.series)
			device := fmt.Sprintf("gw%d_%s", g, strings.TrimSuffix(filepath.Base(file), ".csv"))
			rec.series = append(rec.series, Meta{Name: device + ".value", Device: device, Measurement: "value", DeviceNo: n})
			pts := slices.Clone(one)
			for i := range pts {
				pts[i].Series = uint32(n)
			}
			rec.bySer = append(rec.bySer, pts)
			rec.points = append(rec.points, pts...)
		}
	}
	slices.SortStableFunc(rec.points, func(a, b Point) int { return int(a.TS - b.TS) })
	return &rec, nil
}

// loadSeries reads a file; of rows with one time, which a clock put back makes,
// the last is taken, as stores do, and rows that go back are left out.
func loadSeries(file string, from int64) ([]Point, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var pts []Point
	first := int64(0)
	for i, l := range lines {
		if i == 0 {
			continue // the names of the columns
		}
		at, err := time.Parse(time.DateTime, l[0])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		v, err := strconv.ParseFloat(l[1], 64)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		if len(pts) == 0 {
			first = at.UnixMilli()
		}
		p := Point{TS: from + (at.UnixMilli()-first)/squeeze, V: v}
		switch n := len(pts); {
		case n > 0 && p.TS == pts[n-1].TS:
			pts[n-1] = p
		case n == 0 || p.TS > pts[n-1].TS:
			pts = append(pts, p)
		}
	}
	return pts, nil
}

// runRecording writes a recording in batches, and reads each series back.
func runRecording(p Peer, cfg Config, r *Result, rec *recording, maxTime time.Duration) error {
	cfg.Series = rec.series
	cfg.To = rec.points[len(rec.points)-1].TS
	st, err := p.Open(cfg)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	c0 := cpuNS()
	n := 0
	for n < len(rec.points) && r.WriteNS < int64(maxTime) {
		end := min(n+BatchPoints, len(rec.points))
		t := time.Now()
		if err := st.WriteBatch(rec.points[n:end]); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		r.WriteNS += int64(time.Since(t))
		n = end
	}
	r.Points = int64(n)
	t := time.Now()
	if err := st.Flush(); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	r.FlushNS, r.CPUNS = int64(time.Since(t)), cpuNS()-c0
	if x, ok := st.(Sealer); ok {
		r.Sealed = x.SealedBytes()
	}
	if err := readRecording(st, cfg, r, rec, n); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	if err := st.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	r.measureFolder(cfg.Dir)
	return nil
}

// readRecording compares every point of every series with what was written.
func readRecording(st Store, cfg Config, r *Result, rec *recording, written int) error {
	newest := rec.points[written-1]
	var ns []float64
	for s, want := range rec.bySer {
		if written < len(rec.points) { // the writer was stopped: some of the last time may be missing
			want = want[:upTo(want, newest.TS-1)]
		}
		if len(want) == 0 {
			continue
		}
		i, bad := 0, ""
		t := time.Now()
		err := st.Scan(uint32(s), cfg.From, want[len(want)-1].TS, func(ts int64, v float64) {
			if i < len(want) && (want[i].TS != ts || math.Float64bits(want[i].V) != math.Float64bits(v)) && bad == "" {
				bad = fmt.Sprintf("series %d, point %d: %d %v, want %d %v", s, i, ts, v, want[i].TS, want[i].V)
			}
			i++
		})
		if err != nil {
			return err
		}
		ns = append(ns, float64(time.Since(t))/float64(len(want)))
		if bad == "" && i != len(want) {
			bad = fmt.Sprintf("series %d: %d points, want %d", s, i, len(want))
		}
		if bad != "" && r.Check == "ok" {
			r.Check = bad
		}
	}
	r.Q["scan"] = Median(ns)
	return nil
}

func upTo(pts []Point, ts int64) int {
	i, _ := slices.BinarySearchFunc(pts, ts+1, func(p Point, ts int64) int { return int(p.TS - ts) })
	return i
}
