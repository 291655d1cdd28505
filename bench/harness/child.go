package harness

import (
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Result is what one child process reports.
type Result struct {
	Peer, Variant, Version, Durability string
	Class                              Class
	Phase, Mode                        string
	InMemory                           bool
	Points                             int64
	WriteNS, FlushNS, CloseNS          int64
	CPUNS                              int64 // user+system of write and flush, all threads, without what made the points
	BatchP50NS, BatchP99NS, BatchMaxNS int64
	Allocs, AllocBytes                 float64 // per point, Go heap only
	PeakKB, PeakEndKB                  int64   // VmHWM after flush, and at the end
	DiskLen, DiskAlloc                 int64
	Written                            int64 // bytes sent to storage until close, from /proc/self/io
	Sealed                             int64 // of DiskLen: what holds the points once they are not in a log
	Expected, Missing                  int64 // points that were looked for before the flush, and that were not there
	OpenNS                             int64
	OpenKB                             int64 // VmHWM when the first query after a reopening has been answered
	Recovered                          int64
	Q                                  map[string]float64 // median ns
	Check                              string             // "ok", or what was wrong
	Err                                string

	asking time.Duration // how long each query is repeated
}

// ack is a counter in a mapped file: it survives a SIGKILL of the process.
type ack struct{ b []byte }

func openAck(path string) *ack {
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		panic(err)
	}
	if err := f.Truncate(8); err != nil {
		panic(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 8, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return &ack{b}
}

func (a *ack) set(n int64) {
	if a != nil {
		binary.LittleEndian.PutUint64(a.b, uint64(n))
	}
}

// Main runs one phase and prints a Result as JSON on the last line of stdout.
func Main(p Peer) {
	var (
		phase    = flag.String("phase", "ingest", "ingest or reopen")
		mode     = flag.String("mode", "inorder", "inorder, ooo, row, single, two or recorded")
		dir      = flag.String("dir", "", "data directory")
		variant  = flag.String("variant", "", "peer-specific variant")
		from     = flag.Int64("from", 0, "first timestamp, ms")
		points   = flag.Int64("points", 1_000_000, "points to write, or points written")
		maxTime  = flag.Duration("maxtime", time.Minute, "stop writing after this time")
		queries  = flag.Bool("queries", true, "run the queries")
		asking   = flag.Duration("asktime", 3*time.Second, "repeat each query for at most this time")
		data     = flag.String("data", "", "folder of recordings, for the mode recorded")
		gateways = flag.Int("gateways", 8, "how many record each of them")
		ackFile  = flag.String("ack", "", "file that gets the acknowledged count")
		cpu      = flag.String("cpuprofile", "", "write a CPU profile to this file")
		mem      = flag.String("memprofile", "", "write a heap profile to this file")
	)
	flag.Parse()
	stop, err := profile(*cpu)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if *from == 0 {
		*from = time.Now().Add(-30 * time.Hour).Truncate(2 * time.Hour).UnixMilli()
	}
	series := MakeSeries()
	r := Result{Peer: p.Name, Variant: *variant, Version: Version(p.Module), Durability: p.Durability[*variant], Class: p.Class[*variant],
		Phase: *phase, Mode: *mode, Q: map[string]float64{}, Check: "ok"}
	if p.InMemory != nil {
		r.InMemory = p.InMemory(*variant)
	}
	r.asking = *asking
	cfg := Config{Dir: *dir, Variant: *variant, Series: series, From: *from,
		To: *from + (*points/int64(len(series))+MaxDelay+2)*StepMS}
	if *mode == "recorded" {
		var rec *recording
		if rec, err = loadRecording(*data, *gateways, *from); err == nil {
			err = runRecording(p, cfg, &r, rec, *maxTime)
		}
	} else {
		err = run(p, cfg, &r, *maxTime, *queries, openAck(*ackFile), *points)
	}
	stop()
	if err == nil {
		err = heapProfile(*mem)
	}
	if err != nil {
		r.Err = err.Error()
	}
	r.PeakEndKB = procKB("VmHWM")
	out, _ := json.Marshal(r)
	fmt.Printf("\n%s\n", out)
}

// profile writes a CPU profile to file until stop is called.
func profile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() { pprof.StopCPUProfile(); _ = f.Close() }, nil
}

func heapProfile(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

func run(p Peer, cfg Config, r *Result, maxTime time.Duration, queries bool, a *ack, points int64) error {
	t0 := time.Now()
	st, err := p.Open(cfg)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	var g *Gen
	if r.Phase == "reopen" {
		// Open is over when a query has been answered.
		if _, err := scanAgg(st, 0, cfg.From, cfg.From+5*60*1000); err != nil {
			return fmt.Errorf("first query: %w", err)
		}
		r.OpenNS, r.OpenKB = int64(time.Since(t0)), procKB("VmHWM")
		g = NewGen(cfg.Series, ids(cfg.Series), cfg.From, r.Mode == "ooo")
		if r.Mode != "two" { // replay the generator for the expected answers
			var buf []Point
			for g.Emitted < points {
				buf = g.Tick(buf[:0])
			}
		}
		for i := range cfg.Series {
			ag, err := scanAgg(st, uint32(i), cfg.From, cfg.To)
			if err != nil {
				return fmt.Errorf("count: %w", err)
			}
			r.Recovered += ag.N
		}
	} else {
		making := makingNS(cfg, r.Mode)
		c0 := cpuNS()
		gens, err := ingest(st, cfg, r, maxTime, a, points)
		if err != nil {
			return fmt.Errorf("ingest: %w", err)
		}
		g = gens[0]
		for _, o := range gens[1:] {
			g.Emitted += o.Emitted
			for i := range g.N {
				if o.N[i] > 0 {
					g.N[i], g.Sum[i], g.Max[i], g.LastTS[i], g.LastV[i] = o.N[i], o.Sum[i], o.Max[i], o.LastTS[i], o.LastV[i]
				}
			}
		}
		r.CPUNS = cpuNS() - c0 - int64(making*float64(r.Points))
		if r.Mode == "ooo" {
			if err := lookForLate(st, cfg, r, g); err != nil {
				return fmt.Errorf("late points: %w", err)
			}
		}
		t, c0 := time.Now(), cpuNS()
		if err := st.Flush(); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
		r.FlushNS = int64(time.Since(t))
		r.CPUNS += cpuNS() - c0
		r.PeakKB = procKB("VmHWM")
		if x, ok := st.(Sealer); ok {
			r.Sealed = x.SealedBytes()
		}
	}
	if queries {
		if err := runQueries(st, cfg, r, g); err != nil {
			return fmt.Errorf("query: %w", err)
		}
	}
	t := time.Now()
	if err := st.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	r.CloseNS = int64(time.Since(t))
	r.measureFolder(cfg.Dir)
	return nil
}

// measureFolder takes what a closed store has left, and what it has written.
func (r *Result) measureFolder(dir string) {
	r.DiskLen, r.DiskAlloc = DirBytes(dir)
	if r.Sealed == 0 {
		r.Sealed = r.DiskLen
	}
	r.Written = ioBytes()
}

// lookForLate counts the points of every twentieth series that a query does not
// see although their writes have returned, for as long as that takes little time.
func lookForLate(st Store, cfg Config, r *Result, g *Gen) error {
	start := time.Now()
	for i := 0; i < len(cfg.Series) && time.Since(start) < 2*time.Second; i += 20 {
		a, err := scanAgg(st, uint32(i), cfg.From, cfg.To)
		if err != nil {
			return err
		}
		r.Expected += g.N[i]
		r.Missing += g.N[i] - min(g.N[i], a.N)
	}
	return nil
}

func ids(ms []Meta) []uint32 {
	s := make([]uint32, len(ms))
	for i := range s {
		s[i] = uint32(i)
	}
	return s
}

// makingNS is what it takes to make a point, in processor time: the least of a few
// runs, since the store waits for the first.
func makingNS(cfg Config, mode string) float64 {
	const n = 100 * BatchPoints
	least := math.Inf(1)
	buf := make([]Point, 0, 2*BatchPoints)
	for range 5 {
		g := NewGen(cfg.Series, ids(cfg.Series), cfg.From, mode == "ooo")
		t := time.Now()
		for g.Emitted < n {
			buf = g.Tick(buf[:0])
		}
		least = min(least, float64(time.Since(t))/float64(g.Emitted))
	}
	return least
}

func ingest(st Store, cfg Config, r *Result, maxTime time.Duration, a *ack, points int64) ([]*Gen, error) {
	all := ids(cfg.Series)
	runtime.GC()
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	var gens []*Gen
	var err error
	switch r.Mode {
	case "inorder", "ooo":
		g := NewGen(cfg.Series, all, cfg.From, r.Mode == "ooo")
		gens = append(gens, g)
		buf := make([]Point, 0, 2*BatchPoints)
		lat := make([]float64, 0, points/BatchPoints+2)
		for g.Emitted < points && r.WriteNS < int64(maxTime) {
			buf = g.Tick(buf[:0])
			t := time.Now()
			if err = st.WriteBatch(buf); err != nil {
				return nil, err
			}
			d := int64(time.Since(t))
			r.WriteNS += d
			lat = append(lat, float64(d))
			a.set(g.Emitted)
		}
		r.BatchP50NS, r.BatchP99NS, r.BatchMaxNS = quantiles(lat)
	case "single":
		g := NewGen(cfg.Series, all, cfg.From, false)
		gens = append(gens, g)
		one, ok := st.(OneWriter)
		buf := make([]Point, 0, 2*BatchPoints)
		for g.Emitted < points && r.WriteNS < int64(maxTime) {
			buf = g.Tick(buf[:0])
			t := time.Now()
			for i := range buf {
				if ok {
					err = one.WriteOne(buf[i])
				} else {
					err = st.WriteBatch(buf[i : i+1])
				}
				if err != nil {
					return nil, err
				}
			}
			r.WriteNS += int64(time.Since(t))
		}
	case "row":
		g := NewGen(cfg.Series, all, cfg.From, false)
		gens = append(gens, g)
		rows, ok := st.(RowWriter)
		buf := make([]Point, 0, 2*BatchPoints)
		values := make([]float64, BatchPoints)
		for g.Emitted < points && r.WriteNS < int64(maxTime) {
			buf = g.Tick(buf[:0])
			for i := range buf {
				values[i] = buf[i].V
			}
			t := time.Now()
			for i := 0; i < len(buf); i += Measurements {
				if ok {
					err = rows.WriteRow(i/Measurements, buf[i].TS, values[i:i+Measurements])
				} else {
					err = st.WriteBatch(buf[i : i+Measurements])
				}
				if err != nil {
					return nil, err
				}
			}
			r.WriteNS += int64(time.Since(t))
		}
	case "two":
		// Each goroutine owns every other device and writes batches of two
		// ticks; they meet every 20 ticks, as gateways share a clock.
		var half [2][]uint32
		for _, s := range all {
			h := cfg.Series[s].DeviceNo & 1
			half[h] = append(half[h], s)
		}
		var wg sync.WaitGroup
		var ns [2]int64
		var errs [2]error
		var at [2]atomic.Int64
		var stop atomic.Bool
		for i := range half {
			g := NewGen(cfg.Series, half[i], cfg.From, false)
			gens = append(gens, g)
			wg.Go(func() {
				defer at[i].Store(math.MaxInt64 / 2)
				buf := make([]Point, 0, 2*BatchPoints)
				for g.Emitted < points/2 && !stop.Load() {
					for at[i].Load() > at[1-i].Load()+20 && !stop.Load() {
						time.Sleep(20 * time.Microsecond)
					}
					buf = g.Tick(g.Tick(buf[:0]))
					t := time.Now()
					if errs[i] = st.WriteBatch(buf); errs[i] != nil {
						stop.Store(true)
						return
					}
					ns[i] += int64(time.Since(t))
					at[i].Add(2)
					if ns[i] > int64(maxTime) {
						stop.Store(true)
					}
				}
			})
		}
		wg.Wait()
		r.WriteNS = max(ns[0], ns[1]) // as of one goroutine, without making the points
		for _, e := range errs {
			if e != nil {
				return nil, e
			}
		}
	default:
		return nil, fmt.Errorf("unknown mode %q", r.Mode)
	}
	runtime.ReadMemStats(&m1)
	for _, g := range gens {
		r.Points += g.Emitted
	}
	r.Allocs = float64(m1.Mallocs-m0.Mallocs) / float64(r.Points)
	r.AllocBytes = float64(m1.TotalAlloc-m0.TotalAlloc) / float64(r.Points)
	return gens, nil
}

func quantiles(xs []float64) (p50, p99, max int64) {
	if len(xs) == 0 {
		return
	}
	p50 = int64(Median(xs))
	s := sorted(xs)
	return p50, int64(s[len(s)*99/100]), int64(s[len(s)-1])
}

func scanAgg(st Store, series uint32, from, to int64) (Agg, error) {
	ag := Agg{Max: math.Inf(-1)}
	err := st.Scan(series, from, to, func(_ int64, v float64) {
		ag.N++
		ag.Sum += v
		if v > ag.Max {
			ag.Max = v
		}
	})
	return ag, err
}

// downsample averages one series after the other from Scan.
func downsample(st Store, series []uint32, from, to, step int64, emit func(uint32, int64, float64)) error {
	for _, s := range series {
		cur, sum, n := int64(math.MinInt64), 0.0, 0
		err := st.Scan(s, from, to, func(ts int64, v float64) {
			if b := ts - ts%step; b != cur {
				if n > 0 {
					emit(s, cur, sum/float64(n))
				}
				cur, sum, n = b, 0, 0
			}
			sum += v
			n++
		})
		if err != nil {
			return err
		}
		if n > 0 {
			emit(s, cur, sum/float64(n))
		}
	}
	return nil
}

// timed returns the median of at most reps calls of f, in nanoseconds. It begins
// no other once they have taken so long.
func timed(reps int, limit time.Duration, f func(i int) error) (float64, error) {
	var ts []float64
	start := time.Now()
	for i := 0; i < reps && (i == 0 || time.Since(start) < limit); i++ {
		t := time.Now()
		if err := f(i); err != nil {
			return 0, err
		}
		ts = append(ts, float64(time.Since(t)))
	}
	return Median(ts), nil
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*(1+math.Abs(a)+math.Abs(b)) }

func runQueries(st Store, cfg Config, r *Result, g *Gen) error {
	to := cfg.From
	for _, t := range g.LastTS {
		to = max(to, t)
	}
	m0 := make([]uint32, 0, Devices)
	for i, m := range cfg.Series {
		if m.MeasureNo == 0 {
			m0 = append(m0, uint32(i))
		}
	}
	bad := func(f string, a ...any) {
		if r.Check == "ok" {
			r.Check = fmt.Sprintf(f, a...)
		}
	}
	agg := func(s uint32) (Agg, error) {
		if x, ok := st.(Aggregator); ok {
			return x.Aggregate(s, cfg.From, to)
		}
		return scanAgg(st, s, cfg.From, to)
	}
	var err error
	r.Q["scan"], err = timed(30, r.asking, func(i int) error {
		s := m0[i%len(m0)]
		a, err := scanAgg(st, s, cfg.From, cfg.To)
		if a.N != g.N[s] || !near(a.Sum, g.Sum[s]) || a.Max != g.Max[s] {
			bad("scan series %d: %+v, want n=%d sum=%g max=%g", s, a, g.N[s], g.Sum[s], g.Max[s])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	r.Q["q1"], err = timed(100, r.asking, func(i int) error {
		s := m0[i%len(m0)]
		a, err := agg(s)
		if a.N != g.N[s] || !near(a.Sum, g.Sum[s]) || a.Max != g.Max[s] {
			bad("q1 series %d: %+v, want n=%d sum=%g max=%g", s, a, g.N[s], g.Sum[s], g.Max[s])
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("q1: %w", err)
	}
	r.Q["q2"], err = timed(10, r.asking, func(int) error {
		n, sum := 0, 0.0
		emit := func(_ uint32, _ int64, avg float64) { n++; sum += avg }
		var err error
		if x, ok := st.(Downsampler); ok {
			err = x.Downsample(m0, cfg.From, to, 60000, emit)
		} else {
			err = downsample(st, m0, cfg.From, to, 60000, emit)
		}
		want := ((to-cfg.From)/60000 + 1) * int64(len(m0))
		if int64(n) < want-200 || int64(n) > want {
			bad("q2: %d buckets, want %d", n, want)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("q2: %w", err)
	}
	r.Q["q3"], err = timed(1000, r.asking, func(i int) error {
		s := uint32(i*7) % uint32(len(cfg.Series))
		a, err := scanAgg(st, s, to-5*60*1000+1, to)
		if most := min(30, g.N[s]); a.N < most-10 || a.N > most { // late ones may be on their way
			bad("q3 series %d: %d points, want %d", s, a.N, most)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("q3: %w", err)
	}
	r.Q["q4"], err = timed(50, r.asking, func(int) error {
		n := 0
		emit := func(s uint32, ts int64, v float64) {
			n++
			if ts != g.LastTS[s] || v != g.LastV[s] {
				bad("q4 series %d: %d %g, want %d %g", s, ts, v, g.LastTS[s], g.LastV[s])
			}
		}
		var err error
		if x, ok := st.(Laster); ok {
			err = x.Last(emit)
		} else {
			for i := range cfg.Series {
				var lt int64
				var lv float64
				seen := false
				if err = st.Scan(uint32(i), to-10*60*1000, to, func(ts int64, v float64) { lt, lv, seen = ts, v, true }); err != nil {
					break
				}
				if seen {
					emit(uint32(i), lt, lv)
				}
			}
		}
		if n != len(cfg.Series) {
			bad("q4: %d series", n)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("q4: %w", err)
	}
	return nil
}
