package main

import (
	"strings"
	"testing"
)

// some figures of a run, with those of peers that goals name.
var someFigures = []figure{
	{Case: batches, Store: "tickwell", Metric: "cpu", Value: 50, Unit: "ns/point", Class: "process", ToFloor: 2, ToBestPeer: 3, Check: "ok", Runs: 3},
	{Case: batches, Store: "naive", Metric: "cpu", Value: 80, Class: "memory", Check: "ok", Runs: 3},
	{Case: "scan", Store: "tickwell", Metric: "wall", Value: 10, Class: "process", Check: "ok", Runs: 3},
	{Case: "scan", Store: "influx1-tsm", Metric: "wall", Value: 30, Class: "synced", Check: "ok", Runs: 3},
	{Case: "scan", Store: "influx1-tsm/delay", Metric: "wall", Value: 20, Class: "process", Check: "ok", Runs: 3},
	{Case: "scan", Store: "influx1-tsm/quick", Metric: "wall", Value: 15, Class: "process", Check: "ok", Runs: 3},
	{Case: "scan", Store: "prom-tsdb", Metric: "wall", Value: 1, Class: "process", Check: "wrong: all", Runs: 3},
	{Case: killed, Store: "tickwell", Metric: "lost", Value: 0, Unit: "points", Check: "ok", Runs: 3},
	{Case: late, Store: "tickwell", Metric: hidden, Value: 0, Unit: "% of points", Check: "wrong: scan", Runs: 3},
	{Case: "aggregate", Store: "tickwell", Metric: "wall", Value: 0.4, Unit: "ns/point", Check: "ok", Runs: 3},
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		name string
		want want
		full bool
		said string // asked; shown; met
	}{
		{"better than its class", want{store: "tickwell", cas: batches, name: "cpu", ask: best(4)}, true, "4 × better than the best of its class; 3.00 ×; no"},
		{"just as good", want{store: "tickwell", cas: batches, name: "cpu", ask: best(3)}, true, "3 × better than the best of its class; 3.00 ×; yes"},
		{"a peer of another class", want{store: "tickwell", cas: batches, name: "cpu", ask: than("naive", 1.4)}, true, "1.4 × better than naive; 1.60 ×; yes"},
		{"the best variant of the class", want{store: "tickwell", cas: "scan", name: "wall", ask: than("influx1-tsm", 2)}, true, "2 × better than influx1-tsm; 1.50 ×; no"},
		{"a peer with wrong answers", want{store: "tickwell", cas: "scan", name: "wall", ask: than("prom-tsdb", 2)}, true, "2 × better than prom-tsdb; –; not in this run"},
		{"a peer that was not run", want{store: "tickwell", cas: "scan", name: "wall", ask: than("pebble", 2)}, true, "2 × better than pebble; –; not in this run"},
		{"alone in its class", want{store: "tickwell", cas: "scan", name: "wall", ask: best(2)}, true, "2 × better than the best of its class; –; not in this run"},
		{"the floor", want{store: "tickwell", cas: batches, name: "cpu", ask: floor(2.5)}, true, "at most 2.5 × the floor; 2.00 ×; yes"},
		{"no floor", want{store: "tickwell", cas: "scan", name: "wall", ask: floor(2.5)}, true, "at most 2.5 × the floor; –; not in this run"},
		{"a value", want{store: "tickwell", cas: killed, name: "lost", ask: most(0)}, true, "at most 0 points; 0 points; yes"},
		{"wrong answers", want{store: "tickwell", cas: late, name: hidden, ask: most(0)}, true, "at most 0 % of points; 0 % of points; no: wrong: scan"},
		{"another unit", want{store: "tickwell", cas: "aggregate", name: "wall", ask: most(5), scale: 10, unit: "µs"}, true, "at most 5 µs; 4 µs; yes"},
		{"few points", want{store: "tickwell", cas: killed, name: "lost", ask: most(0), full: true}, false, "at most 0 points; 0 points; needs a full run"},
		{"no such figure", want{store: "tickwell", cas: killed, name: "wall", ask: most(3)}, true, "at most 3; –; not in this run"},
	} {
		r := c.want.in(someFigures, c.full)
		if said := r.Asked + "; " + r.Shown + "; " + r.Met; said != c.said {
			t.Errorf("%s: %s, want %s", c.name, said, c.said)
		}
	}
}

// Each goal asks for a figure that a run has, and all are there but 24.
func TestGoalsAreMeasured(t *testing.T) {
	measured := map[[2]string]bool{{late, ownCPU}: true, {two, ownWall}: true, {killed, ownRSS}: true,
		{"trigger on every row", "cpu added per row"}: true, {"trigger on another series", "cpu added per row"}: true, {"trigger on every row", "calls a batch"}: true,
		{"averages kept of other series", "cpu added per row"}: true, {"1-minute averages kept", "cpu added per row"}: true}
	for _, m := range metrics {
		measured[[2]string{m.cas, m.name}] = true
	}
	asked := map[int]bool{}
	for _, w := range goals {
		asked[w.goal] = true
		if !measured[[2]string{w.cas, w.name}] {
			t.Errorf("goal %d: nobody measures %q of %q", w.goal, w.name, w.cas)
		}
	}
	for n := 1; n <= 25; n++ {
		if asked[n] != (n != 24) {
			t.Errorf("goal %d is asked for: %t", n, asked[n])
		}
	}
}

func TestGoalTable(t *testing.T) {
	out := goalTable([]reached{
		{Goal: 1, What: "batches", Store: "tickwell", Asked: "a", Shown: "3.00 ×", Met: "yes"},
		{Goal: 1, What: "batches", Store: "tickwell", Asked: "b", Shown: "1.00 ×", Met: "no"},
		{Goal: 2, What: "points", Store: "tickwell/mem", Asked: "c", Shown: "–", Met: "not in this run"},
	})
	for _, want := range []string{"Met: 1 of the 2 ", "| 1 | batches | a | 3.00 × | yes |\n|  | batches | b | 1.00 × | no |\n| 2 | points | c | – | not in this run |\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
