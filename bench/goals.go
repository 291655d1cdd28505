package main

import (
	"fmt"
	"math"
	"strings"
)

// want is one thing that a goal asks for, of one figure. The goals are those of
// the project's study of its peers, as ratios within one run: against the best
// other store of the same durability class, against a store that is named, and
// against the floor. Counts and bytes are asked for as they are.
type want struct {
	goal  int
	what  string // in words
	store string
	cas   string
	name  string // of the metric
	ask   ask
	scale float64 // what the figure is multiplied with; 0 is 1
	unit  string  // of a scaled figure
	full  bool    // means something only with the points of a full run
}

// ask is a bound: at most so many times the floor, at least so many times better
// than a peer, or at most a value.
type ask struct {
	kind  askKind
	peer  string // of overPeer
	bound float64
}

type askKind int

const (
	overBest askKind = iota // the best peer of the class ÷ it
	overPeer                // a named peer ÷ it
	toFloor                 // it ÷ the floor
	atMost                  // it
)

func best(x float64) ask              { return ask{overBest, "", x} }
func than(peer string, x float64) ask { return ask{overPeer, peer, x} }
func floor(x float64) ask             { return ask{toFloor, "", x} }
func most(x float64) ask              { return ask{atMost, "", x} }

// reached is a want with what a run gave.
type reached struct {
	Goal     int     `json:"goal"`
	What     string  `json:"what"`
	Store    string  `json:"store"`
	Asked    string  `json:"asked"`
	Bound    float64 `json:"bound"`
	Measured float64 `json:"measured"` // -1: not in this run
	Shown    string  `json:"shown"`    // the same, in words
	Met      string  `json:"met"`      // yes, no, or why that cannot be said
}

// goals lists goals 1 to 25. 24, other processors and no mapped memory, is what
// CI shows.
var goals = func() (all []want) {
	add := func(goal int, what, store, cas, name string, asks ...ask) {
		for _, a := range asks {
			all = append(all, want{goal: goal, what: what, store: store, cas: cas, name: name, ask: a})
		}
	}
	whole := func(from int) { // the wants since from mean something in a full run only
		for i := range all[from:] {
			all[from+i].full = true
		}
	}
	add(1, "batches, killed processes lose nothing: CPU", "tickwell", batches, "cpu", best(4), than("naive", 1.4), floor(2.5))
	add(2, "batches in memory: CPU", "tickwell/mem", batches, "cpu", than("naive", 2), floor(5))
	add(3, "batches, each synced: wall", "tickwell/sync", batches, "wall", than("duckdb", 2.1), than("pebble", 4), floor(1.3))
	add(4, "points, AckBuffered: CPU", "tickwell/buffered", points, "cpu", best(7), floor(3.5))
	add(5, "points, SyncInterval: CPU", "tickwell", points, "cpu", best(2), floor(1.3))
	add(6, "points in memory: CPU", "tickwell/mem", points, "cpu", than("naive", 1.4), floor(2.2))
	add(7, "two goroutines: wall", "tickwell", two, ownWall, most(1/1.7))
	add(7, "two goroutines: wall", "tickwell", two, "wall", than("prom-tsdb", 4))
	add(8, "5 % late: CPU against own in order", "tickwell", late, ownCPU, most(1.25))
	add(8, "5 % late: CPU", "tickwell", late, "cpu", than("prom-tsdb", 5))
	add(8, "5 % late: visible at once", "tickwell", late, hidden, most(0))
	add(9, "99 % of batches are acknowledged within", "tickwell", batches, "latency p99", than("prom-tsdb", 10))
	add(9, "the slowest batch", "tickwell", batches, "latency max", than("prom-tsdb", 4))
	add(10, "sealed on disk", "tickwell", "disk", "sealed", than("prom-tsdb", 6.7), floor(1.28), most(1.25))
	n := len(all)
	add(11, "allocations, batches", "tickwell", batches, "allocations", most(0.001), than("prom-tsdb", 100))
	add(11, "allocations, points", "tickwell", points, "allocations", most(0.001))
	add(11, "garbage, batches", "tickwell", batches, "heap", most(4))
	add(12, "peak RSS while writing", "tickwell", "memory", "peak RSS", than("prom-tsdb", 3), most(40))
	add(13, "peak RSS, all in memory", "tickwell/mem", "memory", "peak RSS", than("naive", 5.6), most(50))
	whole(n)
	add(14, "scan", "tickwell", "scan", "wall", than("influx1-tsm", 2.5), than("prom-tsdb", 9), floor(1.75))
	n = len(all)
	add(15, "count, sum and maximum of a series", "tickwell", "aggregate", "wall", than("naive", 8), than("influx1-tsm", 18), than("prom-tsdb", 65))
	all = append(all, want{goal: 15, what: "the same over 10,000 points", store: "tickwell", cas: "aggregate", name: "wall", ask: most(5), scale: 10, unit: "µs"})
	whole(n)
	add(16, "1-minute averages", "tickwell", "1-minute averages", "wall", than("influx1-tsm", 2.5), than("prom-tsdb", 10), floor(1.6))
	add(17, "last 5 minutes", "tickwell", "last 5 minutes", "wall", than("bbolt", 1.5), than("prom-tsdb", 4))
	add(18, "last values", "tickwell", "last values", "wall", than("naive", 11), than("prom-tsdb", 45), floor(5))
	add(19, "reopened after a clean close", "tickwell", reopened, "wall", than("prom-tsdb", 17))
	n = len(all)
	add(19, "reopened after a clean close", "tickwell", reopened, "wall", most(5))
	whole(n)
	add(20, "reopened after a kill, per acknowledged point", "tickwell", killed, "wall", than("duckdb", 2), than("prom-tsdb", 3), floor(2))
	add(20, "acknowledged points lost", "tickwell", killed, "lost", most(0))
	add(20, "reopened after a kill, in all", "tickwell", killed, "all of it", most(100))
	n = len(all)
	add(20, "peak RSS of that, against writing", "tickwell", killed, ownRSS, most(1))
	whole(n)
	add(21, "written until close", "tickwell", "disk", "written", most(8), than("prom-tsdb", 2))
	add(22, "added to a stripped program", "tickwell", "binary", "added", most(1.6), than("promtsdb", 17))
	add(23, "packages linked that are not of the standard library", "tickwell", "binary", packages, most(15), than("promtsdb", 30))
	add(25, "trigger that does not match: CPU", "tickwell", "trigger on another series", "cpu added per row", most(5))
	add(25, "trigger that matches: CPU", "tickwell", "trigger on every row", "cpu added per row", most(50), than("sqlite", 10))
	add(25, "continuous query of other series: CPU", "tickwell", "averages kept of other series", "cpu added per row", most(5))
	add(25, "continuous query that matches: CPU", "tickwell", "1-minute averages kept", "cpu added per row", most(50), than("rescan", 1))
	add(25, "calls of a trigger for a batch", "tickwell", "trigger on every row", "calls a batch", most(1))
	return all
}()

// reach compares the goals with the figures of a run.
func reach(figures []figure, full bool) []reached {
	var out []reached
	for _, w := range goals {
		out = append(out, w.in(figures, full))
	}
	return out
}

func (w want) in(figures []figure, full bool) reached {
	r := reached{Goal: w.goal, What: w.what, Store: w.store, Bound: w.ask.bound, Asked: w.asked(figures), Measured: -1, Shown: "–", Met: "not in this run"}
	own, ok := pick(figures, w.cas, w.store, w.name)
	if !ok {
		return r
	}
	atLeast := false
	switch w.ask.kind {
	case overBest:
		if own.ToBestPeer == 0 {
			return r
		}
		r.Measured, atLeast = own.ToBestPeer, true
	case overPeer:
		peer, ok := peerOf(figures, own, w.ask.peer)
		if !ok {
			return r
		}
		r.Measured, atLeast = over(peer.Value, own.Value), true
	case toFloor:
		if own.ToFloor == 0 {
			return r
		}
		r.Measured = own.ToFloor
	case atMost:
		r.Measured = own.Value
		if w.scale != 0 {
			r.Measured *= w.scale
		}
	}
	if atLeast || w.ask.kind == toFloor {
		r.Shown = fmt.Sprintf("%.2f ×", r.Measured)
	} else {
		r.Shown = strings.TrimSpace(number(r.Measured) + " " + w.unitOr(own.Unit))
	}
	met := r.Measured <= w.ask.bound
	if atLeast {
		met = r.Measured >= w.ask.bound
	}
	switch {
	case w.full && !full:
		r.Met = "needs a full run"
	case own.Check != "ok":
		r.Met = "no: " + cell(own.Check)
	case met:
		r.Met = "yes"
	default:
		r.Met = "no"
	}
	return r
}

func over(peer, own float64) float64 {
	if own <= 0 {
		return math.MaxFloat32
	}
	return peer / own
}

func (w want) unitOr(unit string) string {
	if w.unit != "" {
		return w.unit
	}
	return unit
}

func (w want) asked(figures []figure) string {
	switch w.ask.kind {
	case overBest:
		return fmt.Sprintf("%s × better than the best of its class", number(w.ask.bound))
	case overPeer:
		return fmt.Sprintf("%s × better than %s", number(w.ask.bound), w.ask.peer)
	case toFloor:
		return fmt.Sprintf("at most %s × the floor", number(w.ask.bound))
	}
	own, _ := pick(figures, w.cas, w.store, w.name)
	return strings.TrimSpace("at most " + number(w.ask.bound) + " " + w.unitOr(own.Unit))
}

// pick finds a figure that was measured.
func pick(figures []figure, cas, store, name string) (figure, bool) {
	for _, f := range figures {
		if f.Case == cas && f.Store == store && f.Metric == name && f.Runs > 0 {
			return f, true
		}
	}
	return figure{}, false
}

// peerOf finds the figure of a named store that own is compared with: of its
// variants the one of own's class, or else the best.
func peerOf(figures []figure, own figure, peer string) (best figure, ok bool) {
	for _, f := range figures {
		if name, _, _ := strings.Cut(f.Store, "/"); name != peer || f.Case != own.Case || f.Metric != own.Metric || f.Runs == 0 || f.Check != "ok" {
			continue
		}
		switch same := f.Class == own.Class; {
		case !ok, same && best.Class != own.Class, same == (best.Class == own.Class) && f.Value < best.Value:
			best, ok = f, true
		}
	}
	return best, ok
}

// goalTable renders what was reached.
func goalTable(rs []reached) string {
	var b strings.Builder
	yes, said := 0, 0
	for _, r := range rs {
		if r.Met == "yes" {
			yes++
		}
		if r.Met == "yes" || strings.HasPrefix(r.Met, "no") && r.Met != "not in this run" {
			said++
		}
	}
	fmt.Fprintf(&b, "Met: %d of the %d that this run can answer. Goal 24, other processors and no mapped memory, is shown by CI.\n\n", yes, said)
	b.WriteString("| goal | of | asked | measured | met |\n|---:|---|---|---:|---|\n")
	last := 0
	for _, r := range rs {
		no := ""
		if r.Goal != last {
			no, last = fmt.Sprint(r.Goal), r.Goal
		}
		what := r.What
		if _, variant, ok := strings.Cut(r.Store, "/"); ok && variant == "sync" && !strings.Contains(what, "sync") {
			what += " (" + variant + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", no, what, r.Asked, r.Shown, r.Met)
	}
	return b.String()
}
