package main

import (
	"strings"

	"github.com/tickwell/tickwell/bench/harness"
)

// figure is the median of one metric of one store in one case. Less is better
// in every metric.
type figure struct {
	Case   string  `json:"case"`
	Store  string  `json:"store"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Class  string  `json:"class"`
	// ToFloor is the value divided by the floor of the case: 1 is the least
	// that is possible. 0: the case has no floor.
	ToFloor float64 `json:"to_floor"`
	// ToBestPeer is the value of the best other store of the same durability
	// class divided by this one: above 1 means better than it. 0: there is none.
	ToBestPeer float64 `json:"to_best_peer"`
	// Check is "ok", or what was wrong with the answers; wrong ones are no peers.
	Check string `json:"check"`
	Runs  int    `json:"runs"`
}

// Names of cases and metrics that the goals speak of too.
const (
	batches  = "ingest batches"
	late     = "ingest 5 % late"
	points   = "ingest points"
	two      = "ingest 2 goroutines"
	killed   = "reopen killed"
	reopened = "reopen clean"
	recorded = "NAB series"
	hidden   = "acknowledged and not seen"
	packages = "packages outside the standard library"
	modules  = "modules"
)

// metric says how a figure is taken from a run.
type metric struct {
	run, cas, name, unit string
	value                func(*result) float64
	floor                floorOf
}

// floorOf names the floor of a case by class.
type floorOf map[harness.Class]string

func oneFloor(name string) floorOf {
	return floorOf{harness.Memory: name, harness.Buffered: name, harness.Process: name, harness.Synced: name}
}

// writeFloor are the floors of a way of writing.
func writeFloor(memory, buffered, process, synced string) floorOf {
	return floorOf{harness.Memory: memory, harness.Buffered: buffered, harness.Process: process, harness.Synced: synced}
}

func perPoint(v func(*result) int64) func(*result) float64 {
	return func(r *result) float64 { return float64(v(r)) / float64(max(1, r.Points)) }
}

func query(name string, unit float64) func(*result) float64 {
	return func(r *result) float64 { return r.Q[name] / unit }
}

// held is the points of one series that a query reads.
func held(r *result) float64 {
	n := r.Points
	if r.run == "reopen" {
		n = r.Recovered
	}
	return float64(n) / (harness.Devices * harness.Measurements)
}

func perHeld(name string, series float64) func(*result) float64 {
	return func(r *result) float64 { return r.Q[name] / max(1, held(r)*series) }
}

var metrics = func() []metric {
	cpu := perPoint(func(r *result) int64 { return r.CPUNS })
	wall := perPoint(func(r *result) int64 { return r.WriteNS })
	ms := []metric{}
	batch := writeFloor("hot", "logged", "logged", "sync")
	for _, w := range []struct {
		run, cas string
		floor    floorOf
	}{
		{"inorder", batches, batch}, {"ooo", late, batch}, {"row", "ingest rows", writeFloor("hot", "logged", "row", "syncrow")},
		{"single", points, writeFloor("hot1", "logged1", "write1", "sync1")}, {"two", two, batch},
	} {
		ms = append(ms, metric{run: w.run, cas: w.cas, name: "cpu", unit: "ns/point", value: cpu, floor: w.floor},
			metric{run: w.run, cas: w.cas, name: "wall", unit: "ns/point", value: wall, floor: w.floor},
			metric{run: w.run, cas: w.cas, name: "allocations", unit: "/point", value: func(r *result) float64 { return r.Allocs }},
			metric{run: w.run, cas: w.cas, name: "heap", unit: "B/point", value: func(r *result) float64 { return r.AllocBytes }})
	}
	ms = append(ms,
		metric{run: "ooo", cas: late, name: hidden, unit: "% of points", value: func(r *result) float64 {
			return 100 * float64(r.Missing) / float64(max(1, r.Expected))
		}},
		metric{run: "inorder", cas: batches, name: "latency p99", unit: "ms", value: func(r *result) float64 { return float64(r.BatchP99NS) / 1e6 }},
		metric{run: "inorder", cas: batches, name: "latency max", unit: "ms", value: func(r *result) float64 { return float64(r.BatchMaxNS) / 1e6 }},
		metric{run: "inorder", cas: "memory", name: "peak RSS", unit: "MB", value: func(r *result) float64 { return float64(r.PeakKB) / 1024 }},
		metric{run: "inorder", cas: "disk", name: "kept", unit: "B/point", value: onDisk(func(r *result) int64 { return r.DiskAlloc }), floor: oneFloor("entropy")},
		metric{run: "inorder", cas: "disk", name: "sealed", unit: "B/point", value: onDisk(func(r *result) int64 { return r.Sealed }), floor: oneFloor("entropy")},
		metric{run: "inorder", cas: "disk", name: "written", unit: "B/point", value: onDisk(func(r *result) int64 { return r.Written }), floor: oneFloor("entropy2")},
	)
	ms = append(ms,
		metric{run: "recorded", cas: recorded, name: "cpu", unit: "ns/point", value: cpu, floor: batch},
		metric{run: "recorded", cas: recorded, name: "kept", unit: "B/point", value: onDisk(func(r *result) int64 { return r.DiskAlloc })},
		metric{run: "recorded", cas: recorded, name: "sealed", unit: "B/point", value: onDisk(func(r *result) int64 { return r.Sealed })},
		metric{run: "recorded", cas: recorded, name: "scan", unit: "ns/point", value: query("scan", 1), floor: oneFloor("decode")},
	)
	for _, run := range []string{"inorder", "reopen"} {
		after := ""
		if run == "reopen" {
			after = " reopened"
		}
		ms = append(ms,
			metric{run: run, cas: "scan" + after, name: "wall", unit: "ns/point", value: perHeld("scan", 1), floor: oneFloor("decode")},
			metric{run: run, cas: "aggregate" + after, name: "wall", unit: "ns/point", value: perHeld("q1", 1), floor: oneFloor("sum")},
			metric{run: run, cas: "1-minute averages" + after, name: "wall", unit: "ns/point", value: perHeld("q2", harness.Devices), floor: oneFloor("fold")},
			metric{run: run, cas: "last 5 minutes" + after, name: "wall", unit: "us", value: query("q3", 1e3), floor: oneFloor("tail")},
			metric{run: run, cas: "last values" + after, name: "wall", unit: "us", value: query("q4", 1e3), floor: oneFloor("slots")},
		)
	}
	return append(ms,
		metric{run: "reopen", cas: reopened, name: "wall", unit: "ms", value: func(r *result) float64 { return float64(r.OpenNS) / 1e6 }},
		metric{run: "reopen", cas: reopened, name: "RSS after a scan", unit: "MB", value: func(r *result) float64 { return float64(r.PeakEndKB) / 1024 }},
		metric{run: "recover", cas: killed, name: "wall", unit: "ns/point", value: func(r *result) float64 { return float64(r.OpenNS) / float64(max(1, r.Recovered)) }, floor: oneFloor("replay")},
		metric{run: "recover", cas: killed, name: "all of it", unit: "ms", value: func(r *result) float64 { return float64(r.OpenNS) / 1e6 }},
		metric{run: "recover", cas: killed, name: "peak RSS", unit: "MB", value: func(r *result) float64 { return float64(r.OpenKB) / 1024 }},
		metric{run: "recover", cas: killed, name: "lost", unit: "points", value: func(r *result) float64 { return float64(r.acked - min(r.acked, r.Recovered)) }},
		metric{run: "size", cas: "binary", name: "added", unit: "MB", value: func(r *result) float64 { return float64(r.DiskLen) / 1e6 }},
		metric{run: "size", cas: "binary", name: packages, unit: "count", value: func(r *result) float64 { return r.Q[packages] }},
		metric{run: "size", cas: "binary", name: modules, unit: "count", value: func(r *result) float64 { return r.Q[modules] }},
	)
}()

func onDisk(v func(*result) int64) func(*result) float64 {
	return func(r *result) float64 {
		if r.InMemory {
			return 0
		}
		return perPoint(v)(r)
	}
}

// figuresOf takes the medians of all runs and relates them.
func figuresOf(results []result) []figure {
	floors := floorsOf(results)
	type key struct{ cas, store, metric string }
	groups := map[key][]*result{}
	var order []key
	value := map[key]metric{}
	note := func(k key, m metric, r *result) {
		if _, ok := value[k]; !ok {
			order = append(order, k)
			value[k] = m
		}
		groups[k] = append(groups[k], r)
	}
	empty := 0.0 // the size of the program that holds nothing but the harness
	for i := range results {
		if r := &results[i]; r.run == "size" && r.Peer == "naive" {
			empty = float64(r.DiskLen) / 1e6
		}
	}
	for i := range results {
		r := &results[i]
		known := r.run == "floor"
		for _, m := range metrics {
			if m.run != r.run {
				continue
			}
			known = true
			if (m.cas == "disk" || m.cas == recorded && m.unit == "B/point") && r.InMemory || r.run == "size" && (empty == 0 || r.Peer == "naive") {
				continue
			}
			note(key{m.cas, r.store(), m.name}, m, r)
		}
		if !known { // a case of its own, with its metrics in Q
			for name := range r.Q {
				note(key{r.run, r.store(), name}, metric{cas: r.run, name: name, unit: unitOf(name), value: query(name, 1), floor: floorOfCase(r.run)}, r)
			}
		}
	}
	var figures []figure
	for _, k := range order {
		m, runs := value[k], groups[k]
		f := figure{Case: k.cas, Store: k.store, Metric: k.metric, Unit: m.unit, Check: "ok"}
		var xs []float64
		for _, r := range runs {
			f.Class = string(r.Class)
			switch {
			case r.Err != "":
				f.Check = "fails: " + r.Err
			case r.Check != "ok":
				f.Check = "wrong: " + r.Check
				xs = append(xs, m.value(r))
			default:
				xs = append(xs, m.value(r))
			}
		}
		f.Runs, f.Value = len(xs), harness.Median(xs)
		if k.cas == "binary" && k.metric == "added" {
			f.Value -= empty
		}
		if v := floors[m.floor[harness.Class(f.Class)]]; v > 0 {
			// The floors of what is given in microseconds are of the whole query.
			f.ToFloor = f.Value / v
			if m.unit == "us" {
				f.ToFloor *= 1e3
			}
		}
		figures = append(figures, f)
	}
	figures = append(figures, against(figures)...)
	relate(figures)
	return figures
}

// unitOf is the unit of a metric of a case of its own.
func unitOf(name string) string {
	if strings.HasPrefix(name, "calls") {
		return "count"
	}
	return "ns"
}

// floorOfCase is what a case of its own is compared with: a window at least adds
// its values up.
func floorOfCase(run string) floorOf {
	if strings.HasPrefix(run, "window") {
		return oneFloor("sum")
	}
	return nil
}

// against compares ways of one store with each other, where it is the ratio
// that counts.
func against(figures []figure) (more []figure) {
	at := map[[3]string]figure{}
	for _, f := range figures {
		if f.Runs > 0 {
			at[[3]string{f.Case, f.Store, f.Metric}] = f
		}
	}
	for _, c := range []struct{ cas, metric, baseCase, baseMetric, name string }{
		{late, "cpu", batches, "cpu", ownCPU},
		{two, "wall", batches, "wall", ownWall},
		{killed, "peak RSS", "memory", "peak RSS", ownRSS},
	} {
		for _, f := range figures {
			base := at[[3]string{c.baseCase, f.Store, c.baseMetric}]
			if f.Case != c.cas || f.Metric != c.metric || f.Runs == 0 || base.Value <= 0 {
				continue
			}
			more = append(more, figure{Case: c.cas, Store: f.Store, Metric: c.name, Value: f.Value / base.Value, Unit: "×", Class: f.Class, Check: f.Check, Runs: f.Runs})
		}
	}
	return more
}

// The comparisons of against.
const (
	ownCPU  = "cpu against in order"
	ownWall = "wall against one goroutine"
	ownRSS  = "peak RSS against writing"
)

func floorsOf(results []result) map[string]float64 {
	all := map[string][]float64{}
	for i := range results {
		if r := &results[i]; r.run == "floor" && r.Err == "" {
			for name, v := range r.Q {
				all[name] = append(all[name], v)
			}
		}
	}
	floors := map[string]float64{}
	for name, xs := range all {
		floors[name] = harness.Median(xs)
	}
	// The values of the workload have 0.8 x 8 + 0.2 x 7 bits of entropy; a log
	// and a sealed block write each at least once.
	const entropy = (0.8*8 + 0.2*7) / 8
	floors["entropy"], floors["entropy2"] = entropy, 2*entropy
	return floors
}

// relate sets ToBestPeer: variants of one peer are not each other's peers.
func relate(figures []figure) {
	for i := range figures {
		f := &figures[i]
		name, _, _ := strings.Cut(f.Store, "/")
		best := 0.0
		for j := range figures {
			g := &figures[j]
			other, _, _ := strings.Cut(g.Store, "/")
			if g.Case == f.Case && g.Metric == f.Metric && g.Class == f.Class && other != name && g.Check == "ok" && g.Runs > 0 &&
				(best == 0 || g.Value < best) {
				best = g.Value
			}
		}
		if f.Value > 0 && best > 0 {
			f.ToBestPeer = best / f.Value
		}
	}
}

// byCase groups figures by case and metric, in the order of first appearance.
func byCase(figures []figure) (keys [][2]string, groups map[[2]string][]figure) {
	groups = map[[2]string][]figure{}
	for _, f := range figures {
		k := [2]string{f.Case, f.Metric}
		if groups[k] == nil {
			keys = append(keys, k)
		}
		groups[k] = append(groups[k], f)
	}
	return keys, groups
}
