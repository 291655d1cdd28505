package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/bench/harness"
)

// ingest is a run of batches: 100 points at so many nanoseconds of CPU.
func ingest(peer, variant string, class harness.Class, cpu int64) result {
	return result{run: "inorder", Result: harness.Result{Peer: peer, Variant: variant, Class: class, Points: 100, CPUNS: 100 * cpu,
		Q: map[string]float64{}, Check: "ok"}}
}

func find(t *testing.T, figures []figure, cas, store, metric string) figure {
	t.Helper()
	for _, f := range figures {
		if f.Case == cas && f.Store == store && f.Metric == metric {
			return f
		}
	}
	t.Fatalf("no figure %s, %s, %s in %d figures", cas, store, metric, len(figures))
	return figure{}
}

func TestFigures(t *testing.T) {
	wrong := ingest("liar", "", harness.Process, 1)
	wrong.Check = "q1 is wrong"
	failed := ingest("broken", "", harness.Process, 2)
	failed.Err = "no end within 1s"
	figures := figuresOf([]result{
		{run: "floor", Result: harness.Result{Peer: "floor", Check: "ok", Q: map[string]float64{"logged": 10, "sync": 200, "hot": 2}}},
		ingest("tickwell", "", harness.Process, 30), ingest("tickwell", "", harness.Process, 50), ingest("tickwell", "", harness.Process, 1000),
		ingest("tickwell", "sync", harness.Synced, 400), ingest("tickwell", "mem", harness.Memory, 20),
		ingest("prom", "", harness.Process, 100), ingest("slow", "", harness.Process, 300), ingest("duck", "", harness.Synced, 800), wrong, failed,
	})
	for _, c := range []struct {
		store                      string
		value, toFloor, toBestPeer float64
		runs                       int
	}{
		{"tickwell", 50, 5, 2, 3},       // the median, against prom
		{"prom", 100, 10, 0.5, 1},       // against tickwell
		{"slow", 300, 30, 1. / 6, 1},    // the liar and the broken one are nobody's peers
		{"tickwell/sync", 400, 2, 2, 1}, // its own class, the floor of a synced store
		{"tickwell/mem", 20, 10, 0, 1},  // alone, the floor of a store in memory
		{"broken", 0, 0, 0, 0},
	} {
		f := find(t, figures, "ingest batches", c.store, "cpu")
		if f.Value != c.value || f.ToFloor != c.toFloor || f.ToBestPeer != c.toBestPeer || f.Runs != c.runs {
			t.Errorf("%s: value %g, × floor %g, best peer ÷ it %g, %d runs; want %g, %g, %g, %d",
				c.store, f.Value, f.ToFloor, f.ToBestPeer, f.Runs, c.value, c.toFloor, c.toBestPeer, c.runs)
		}
	}
	if f := find(t, figures, "ingest batches", "liar", "cpu"); f.Check != "wrong: q1 is wrong" {
		t.Errorf("check of a wrong answer: %q", f.Check)
	}
}

func TestLimits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "limits.json")
	measured := []figure{
		{Case: "ingest", Store: "tickwell", Metric: "cpu", ToBestPeer: 3, ToFloor: 4, Check: "ok", Runs: 3},
		{Case: "scan", Store: "tickwell", Metric: "allocations", Value: 2, Check: "ok", Runs: 3},
		{Case: "scan", Store: "tickwell", Metric: "wall", ToFloor: 2, Check: "ok", Runs: 3},
		{Case: "ingest", Store: "tickwell/sync", Metric: "allocations", Value: 2, Class: string(harness.Synced), Check: "ok", Runs: 3},
		{Case: "killed", Store: "tickwell", Metric: "lost", Check: "ok", Runs: 3},
		{Case: "ingest", Store: "prom", Metric: "cpu", ToBestPeer: 1, Check: "ok", Runs: 3},
	}
	if err := writeLimits(file, measured); err != nil {
		t.Fatal(err)
	}
	change := func(i int, f func(*figure)) []figure {
		out := append([]figure(nil), measured...)
		f(&out[i])
		return out
	}
	limits, err := readLimits(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, want string
		figures    []figure
	}{
		{"the same", "", measured},
		{"a little worse", "", change(0, func(f *figure) { f.ToBestPeer = 2.1 })},
		{"half as good", "1 of 3 limits exceeded", change(0, func(f *figure) { f.ToBestPeer = 1.5 })},
		{"no peer in the run", "", change(0, func(f *figure) { f.ToBestPeer = 0 })},
		{"more allocations", "1 of 3 limits exceeded", change(1, func(f *figure) { f.Value = 3.1 })},
		{"a slow wall", "", change(2, func(f *figure) { f.ToFloor = 100 })},
		{"a point lost", "1 of 3 limits exceeded", change(4, func(f *figure) { f.Value = 1 })},
		{"few points, of which each was synced", "", change(3, func(f *figure) { f.Value = 9 })},
		{"a wrong answer", "1 of 3 limits exceeded", change(1, func(f *figure) { f.Check = "wrong" })},
		{"a case gone", "1 of 3 limits exceeded", measured[1:]},
		{"a peer is worse", "", change(5, func(f *figure) { f.ToBestPeer = 0.1 })},
	} {
		err := checkLimits(limits, c.figures, io.Discard)
		if got := text(err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestFlagsFirst expects what is wrong with the flags to be said before anything
// is measured: a run may take an hour.
func TestFlagsFirst(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct{ flags, want string }{
		{"-check " + filepath.Join(dir, "none.json"), "none.json: no such file"},
		{"-check " + broken, "broken.json: unexpected end"},
		{"-md " + filepath.Join(dir, "none", "a.md"), "a.md: no such file"},
		{"-json " + filepath.Join(dir, "none", "a.json"), "a.json: no such file"},
		{"-limits " + dir, "is a directory"},
		{"-reps 1", "1 repetitions; a median takes at least 3"},
		{"-reps 2", "2 repetitions; a median takes at least 3"},
		{"-reps -3", "-3 repetitions; a median takes at least 3"},
		{"-help", ""},
		{"-quick full", `unexpected argument "full"`},
	} {
		err := run(ctx, strings.Fields(c.flags), io.Discard, io.Discard)
		if got := text(err); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q, want %q in it", c.flags, got, c.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTables(t *testing.T) {
	rs := []result{ingest("tickwell", "", harness.Process, 50), ingest("prom", "", harness.Process, 100)}
	rs[0].Durability = "log | written"
	out := newReport(settings{plan: quick}, rs, []string{"duckdb: cannot be built"}).page()
	for _, want := range []string{"### ingest batches", "| tickwell | process | 50 | – | 2.00 | ok |", "| prom | process | 100 | – | 0.50 | ok |",
		"log / written", "skipped: duckdb: cannot be built"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestFindPrograms(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"peers/tickwell", "peers/naive", "cases/windows"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		only []string
		want string
	}{
		{nil, "naive[] tickwell[ buffered sync mem] windows[tickwell deque ro gozero loop]"},
		{[]string{"tickwell:mem", "naive"}, "tickwell[mem] naive[]"},
		{[]string{"oracle"}, `error no program "oracle"; there are naive, tickwell, windows`},
	} {
		programs, err := findPrograms(root, c.only)
		var got []string
		for _, p := range programs {
			got = append(got, p.name+"["+strings.Join(p.variants, " ")+"]")
		}
		line := strings.Join(got, " ")
		if err != nil {
			line = "error " + err.Error()
		}
		if line != c.want {
			t.Errorf("%v: %s, want %s", c.only, line, c.want)
		}
	}
}

func TestFloors(t *testing.T) {
	q, err := floors(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range metrics {
		for _, name := range m.floor {
			if name != "" && !strings.HasPrefix(name, "entropy") && !(q[name] > 0) {
				t.Errorf("floor %q of %s is %g", name, m.cas, q[name])
			}
		}
	}
}

// What a file of JSON lines says is what the run said.
func TestLines(t *testing.T) {
	rs := []result{ingest("tickwell", "", harness.Process, 50), ingest("prom-tsdb", "", harness.Process, 100)}
	want := newReport(settings{plan: quick, quick: true, command: "go run . -quick"}, rs, []string{"duckdb: cannot be built"})
	file := filepath.Join(t.TempDir(), "run.json")
	if err := want.write(file, nil); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := want.write("-", &b); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != b.String() {
		t.Errorf("on standard output %q, in a file %q, %v", b.String(), text, err)
	}
	line := `"case":"ingest batches","store":"tickwell","metric":"cpu","value":50,"unit":"ns/point","class":"process","to_floor":0,"to_best_peer":2`
	if !strings.Contains(b.String(), line) {
		t.Errorf("no %s in\n%s", line, b.String())
	}
	got, err := readReport(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.page() != want.page() {
		t.Errorf("read again:\n%s\nwant\n%s", got.page(), want.page())
	}
	for _, bad := range []string{"{", "{}", `{"case":3}`} {
		if err := os.WriteFile(file, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := readReport(file); err == nil {
			t.Errorf("%q is read without an error", bad)
		}
	}
}
