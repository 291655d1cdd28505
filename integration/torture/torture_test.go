package torture

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

func TestMain(m *testing.M) {
	if Child(os.Args) { // mode kill starts this program again
		return
	}
	os.Exit(m.Run())
}

// sound fails the test with the report if something went wrong.
func sound(t *testing.T, r *Report) {
	t.Helper()
	var b strings.Builder
	r.Print(&b, false)
	if !r.OK() {
		t.Fatal(b.String())
	}
	t.Log(strings.TrimSpace(b.String()))
}

// did checks that a mode did something.
func did(t *testing.T, r *Report, atLeast int64) {
	t.Helper()
	sound(t, r)
	if r.States < atLeast {
		t.Errorf("%s compared %d states, want at least %d", r.Mode, r.States, atLeast)
	}
}

func size(t *testing.T, full, short int64) int64 {
	if testing.Short() {
		return short
	}
	return full
}

func TestMem(t *testing.T) { did(t, Mem(Options{Seed: 1, States: size(t, 6000, 800)}), 700) }

func TestExhaust(t *testing.T) {
	for seed := range uint64(2) { // with and without recycling
		did(t, Exhaust(Options{Seed: seed, Length: int(size(t, 3, 2))}), 1000)
	}
}

func TestExhaustInterval(t *testing.T) {
	did(t, Exhaust(Options{Seed: 1, Length: 2, Policy: "interval"}), 1000)
}

func TestFlip(t *testing.T) {
	r := Flip(Options{Seed: 3, Bits: 1, States: size(t, 0, 1500)})
	did(t, r, 1500)
	if !testing.Short() && r.Counts["files"] < 8 {
		t.Errorf("the store has %d files, want every kind", r.Counts["files"])
	}
}

func TestTrunc(t *testing.T) { did(t, Trunc(Options{Seed: 3, States: size(t, 0, 1500)}), 1500) }

func TestErrno(t *testing.T) {
	did(t, Errno(Options{Seed: 2, Runs: 1, Length: int(size(t, 6, 29))}), 100)
}

func TestKill(t *testing.T) { did(t, Kill(Options{Seed: 1, States: size(t, 48, 12)}), 12) }

func TestWriters(t *testing.T) { did(t, Writers(Options{Seed: 1, States: size(t, 2500, 500)}), 500) }

// TestWritersNotice: an acknowledgement before the sync is found there too.
func TestWritersNotice(t *testing.T) {
	if r := Writers(Options{Seed: 1, States: 3000, quick: true, wrap: planted[0].wrap}); r.OK() {
		t.Errorf("nothing wrong in %d states without syncs of the log", r.States)
	}
}

func TestClock(t *testing.T) { did(t, Clock(Options{Seed: 1, States: size(t, 30, 6)}), 6) }

func TestSoak(t *testing.T) {
	r := Soak(Options{Seed: 1, Limit: time.Duration(size(t, 8, 2)) * time.Second})
	sound(t, r)
	if r.Acked < 100 {
		t.Errorf("%d calls, want more", r.Acked)
	}
}

// TestEverySyncIsNeeded: without the syncs of any one place, the torture fails.
func TestEverySyncIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	r := Elide(Options{Seed: 1, States: 6000})
	sound(t, r)
	if r.Counts["sites"] < 10 || r.Counts["killed"] != r.Counts["sites"] {
		t.Errorf("%d of %d sites killed, want all of at least 10", r.Counts["killed"], r.Counts["sites"])
	}
}

// TestPlantedFaults: the torture finds faults that stores have had.
func TestPlantedFaults(t *testing.T) {
	r := Plant(Options{Seed: 1, States: 6000, Bits: 1})
	sound(t, r)
	if r.Counts["killed"] < 5 {
		t.Errorf("%d planted faults found, want at least 5", r.Counts["killed"])
	}
}

// TestRepeats: the same seed gives the same run, so that a failure can be seen
// again.
func TestRepeats(t *testing.T) {
	run := func() (string, string) {
		o := Options{Seed: 1, States: 4000, quick: true, wrap: planted[0].wrap, Policy: "always"}
		r := Mem(o)
		if len(r.Failures) == 0 {
			t.Fatal("the planted fault was not found")
		}
		return r.Failures[0].Where, r.Failures[0].Verdict.Text
	}
	where, text := run()
	if again, why := run(); again != where || why != text {
		t.Errorf("first %s: %s\nthen %s: %s", where, text, again, why)
	}
}

// TestFailureIsShrunk: a failure comes with few calls and with the seed.
func TestFailureIsShrunk(t *testing.T) {
	r := Mem(Options{Seed: 1, Runs: 1, States: 4000, wrap: planted[3].wrap, Policy: "always"})
	if len(r.Failures) == 0 {
		t.Fatal("the planted fault was not found")
	}
	f := r.Failures[0]
	if n := len(f.Calls); n < 2 || n > 4 { // it takes an insert and a flush
		t.Errorf("%s with %d calls, want 2 to 4: %v", f.Verdict.Class, len(f.Calls), f.Calls)
	}
	var b strings.Builder
	r.Print(&b, true)
	line, rest, _ := strings.Cut(b.String(), "\n")
	var fields map[string]any
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		t.Fatalf("%v in %s", err, line)
	}
	for _, key := range []string{"mode", "seed", "states", "acked", "lost", "wrong", "refused", "panics"} {
		if _, ok := fields[key]; !ok {
			t.Errorf("no %q in %s", key, line)
		}
	}
	for _, want := range []string{"mem FAILED: seed 1", "flush", "-seed 1 -runs 1"} {
		if !strings.Contains(rest, want) {
			t.Errorf("no %q in\n%s", want, rest)
		}
	}
}

func TestShrink(t *testing.T) {
	calls := newGenerator(5).calls(60)
	calls[17] = oracle.Call{Verb: oracle.Drop, Pattern: "x"}
	calls[41] = oracle.Call{Verb: oracle.Tick}
	got := shrink(calls, time.Minute, func(part []oracle.Call) bool {
		dropped := false
		for _, c := range part {
			dropped = dropped || c.Verb == oracle.Drop && c.Pattern == "x"
			if dropped && c.Verb == oracle.Tick {
				return true
			}
		}
		return false
	})
	if len(got) != 2 || got[0].Verb != oracle.Drop || got[1].Verb != oracle.Tick {
		t.Errorf("%v, want the drop and a tick", got)
	}
}

// TestGeneratorReachesEverything: every verb, way, kind and device is drawn.
func TestGeneratorReachesEverything(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(20) {
		for _, c := range newGenerator(seed).calls(60) {
			seen[c.Verb.String()] = true
			for _, tb := range c.Tablets {
				seen[tb.Device] = true
				for _, col := range tb.Columns {
					for _, cell := range col.Cells {
						seen[cell.Kind.String()] = true
						seen["refused"] = seen["refused"] || tb.Device == oracle.Guarded && col.Name == "i" && cell == oracle.IntCell(oracle.Refused)
					}
				}
			}
			if c.Verb == oracle.Insert {
				seen["many devices"] = seen["many devices"] || len(c.Tablets) >= 8
				seen[[]string{"tablets", "tablet", "row", "writer", "writer tablet", "series"}[c.Via]] = true
				seen["durable"] = seen["durable"] || c.Durable
			}
		}
	}
	for _, want := range []string{"insert", "delete", "drop", "flush", "sync", "reopen", "tick", "null", "bool", "int32", "int64", "float32", "float64", "text",
		"tablets", "tablet", "row", "writer", "writer tablet", "series", "durable", "refused", "root.a", "root.b", "root.c", "root.c.`od.d`",
		"root.g.m0", "root.g.m9", "many devices"} {
		if !seen[want] {
			t.Errorf("%s is never drawn", want)
		}
	}
}

// TestVerifyNotices: each kind of wrong content gets its verdict.
func TestVerifyNotices(t *testing.T) {
	base := calls("group", "tick", "row")
	run, v := replay(list(base), Setup{}, nil, nil)
	if v.Class != Fine {
		t.Fatal(v)
	}
	at := run.hist.Len() - 1
	img := func() vfs.FS { return run.fs.Image(run.fs.Ops(), crashfs.All, 0) }
	other := func(names ...string) *oracle.History {
		o, v := replay(list(calls(names...)), Setup{}, nil, nil)
		if v.Class != Fine {
			t.Fatal(v)
		}
		return o.hist
	}
	for _, c := range []struct {
		name   string
		hist   *oracle.History
		lo, hi int
		handed map[string][2]ids
		want   Class
	}{
		{"right", run.hist, at, at, nil, Fine},
		{"too old", other("group", "tick", "row", "old"), at + 1, at + 1, nil, Lost},
		{"of the future", run.hist, 0, at - 1, nil, Wrong},
		{"another history", other("old", "delete"), 0, 1, nil, Wrong},
		{"an event without its point", run.hist, at, at, map[string][2]ids{"never": {{"guard|99"}, nil}}, Wrong},
	} {
		k := &check{hist: c.hist, lo: c.lo, hi: c.hi, deep: true, handed: c.handed}
		if v := k.verify(img(), storeDir); v.Class != c.want {
			t.Errorf("%s: %q (%s), want %q", c.name, v.Class, v.Text, c.want)
		}
	}
}

func TestSetupsAreAllDrawn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	seen := map[string]bool{}
	for range 200 {
		s := randomSetup(rng)
		seen[s.Policy.String()] = true
		seen["recycle"] = seen["recycle"] || s.Recycle
		seen["small"] = seen["small"] || s.Small
		seen["sinks"] = seen["sinks"] || s.Sinks
		seen["many"] = seen["many"] || s.Many
	}
	for _, want := range []string{"always", "interval", "buffered", "never", "recycle", "small", "sinks", "many"} {
		if !seen[want] {
			t.Errorf("%s is never drawn", want)
		}
	}
}
