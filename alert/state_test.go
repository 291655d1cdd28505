package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/tickwelltest"
	"github.com/tickwell/tickwell/vfs"
)

// Whatever comes, in whatever order, and whenever the store is closed and opened
// again: the events are those of a store that stays open.
func TestRestartsChangeNothing(t *testing.T) {
	s := time.Second
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 5))
		rule := []alert.Rule{
			{Condition: alert.Above(80, 70)}, {Condition: alert.Above(80, 80), For: 5 * s}, {Condition: alert.Below(30, 40), KeepFiring: 5 * s},
			{Condition: alert.Above(60, 40), For: 3 * s, KeepFiring: 4 * s, MinInterval: 10 * s},
			{Absent: 5 * s}, {Absent: 4 * s, MinInterval: 9 * s}, {Condition: alert.Above(50, 50), FlapChanges: 2, FlapWithin: 9 * s},
		}[seed%7]
		rule.Name = "rule"
		open, closed := newBench(t, rule), newBench(t, rule)
		at, future := 0.0, false
		for range 60 {
			at += []float64{0.5, 1, 1, 2, 7}[rng.IntN(5)]
			put, v := at, float64(rng.IntN(100))
			switch rng.IntN(20) {
			case 0, 1:
				put -= float64(rng.IntN(20)) / 2 // late
			case 2:
				v = math.NaN()
			case 3:
				if !future && rule.Absent == 0 {
					put, future = at+1e6, true
				}
			}
			for _, b := range []*bench{open, closed} {
				b.to(at)
				b.put(put, v)
			}
			if rng.IntN(3) == 0 {
				closed.reopen()
			}
		}
		open.to(at + 30)
		closed.to(at + 30)
		if got, want := strings.Join(closed.lines, " "), strings.Join(open.lines, " "); got != want {
			t.Errorf("seed %d, %+v:\n got %s\nwant %s", seed, rule, got, want)
		}
	}
}

// A point that changes nothing costs the log nothing but itself.
func TestRulesSpareTheLog(t *testing.T) {
	ctx := context.Background()
	logged := func(rules ...alert.Rule) (n int64) {
		mem, clk := vfs.NewMem(), tickwelltest.NewClock(begin)
		opts := &tickwell.Options{FS: mem, Clock: clk, Seed: 1, Logger: slog.New(slog.DiscardHandler)}
		for _, r := range rules {
			opts.Triggers = append(opts.Triggers, r.Spec("root.**"))
		}
		db, err := tickwell.Open(ctx, "data", opts)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for i := range 500 {
			clk.Advance(time.Second)
			for d := range 4 {
				if err := db.Insert(ctx, fmt.Sprint("root.d", d), clk.Now(), tickwell.Float64("a", float64(i%50)), tickwell.Float64("b", 1)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := db.Sync(ctx); err != nil {
			t.Fatal(err)
		}
		return db.Stats().WrittenBytes
	}
	without := logged()
	with := logged(alert.Rule{Name: "silent", Absent: time.Minute}, alert.Rule{Name: "hot", Condition: alert.Above(80, 70), For: time.Minute})
	if with > without*5/4 {
		t.Errorf("%d bytes are written, without rules %d", with, without)
	}
}

// What a deadline is to tell, and which points are too late, does not depend on what
// the store tells of the newest point after a restart: it may be NaN, or another value
// of the same time.
func TestRestartAfterNaNAndRepeats(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name string
		rule alert.Rule
		in   [][2]float64
		want string
	}{
		{"late point before NaN", alert.Rule{Condition: alert.Above(80, 80)}, [][2]float64{{1, 10}, {5, nan}, {3, 90}, {6, 10}}, ""},
		{"NaN before a deadline", alert.Rule{Condition: alert.Above(80, 80), For: 9 * time.Second}, [][2]float64{{1, 90}, {2, 91}, {3, nan}}, "firing@10 91"},
		{"another value before a deadline", alert.Rule{Condition: alert.Above(80, 80), For: 9 * time.Second}, [][2]float64{{1, 90}, {2, 91}, {2, 10}}, "firing@10 91"},
		{"NaN for a value", alert.Rule{Condition: alert.Above(80, 80), For: 9 * time.Second}, [][2]float64{{1, 90}, {2, 91}, {2, nan}}, "firing@10 91"},
	} {
		for _, restart := range []bool{false, true} {
			c.rule.Name = "rule"
			b := newBench(t, c.rule)
			b.values = true
			for _, p := range c.in {
				b.to(max(p[0], b.clk.Now().Sub(begin).Seconds()))
				b.put(p[0], p[1])
				if restart {
					b.reopen()
				}
			}
			b.to(30)
			if got := strings.Join(b.lines, " "); got != c.want {
				t.Errorf("%s, restart %v: events %s, want %s", c.name, restart, got, c.want)
			}
		}
	}
}

// A rule that becomes one of the other kind does not go on with what only the old one
// could decide.
func TestRuleBecomesAnother(t *testing.T) {
	above := alert.Rule{Name: "rule", Condition: alert.Above(80, 80), For: time.Minute}
	absent := alert.Rule{Name: "rule", Absent: 30 * time.Second}
	b := newBench(t, above)
	b.put(1, 90)
	b.rule = absent
	b.reopen()
	b.to(2)
	b.put(2, 90)
	b.to(40)
	b.want("firing@32")
	b.rule = above
	b.reopen()
	b.put(40, 10)
	b.want("firing@32 resolved@40")
}

// Two events of one moment are told apart by their IDs: a receiver that drops repeats
// would miss the end of an alert.
func TestIDsOfOneMoment(t *testing.T) {
	b := newBench(t, alert.Rule{Name: "rule", Condition: alert.Above(80, 80), For: 3 * time.Second})
	b.put(0, 90)
	b.to(3) // the clock meets the deadline
	b.put(3, 10)
	b.want("firing@3 resolved@3")
	if len(b.ids) != 2 || b.ids[0] == b.ids[1] {
		t.Errorf("IDs %q", b.ids)
	}
}

// A rule for numbers over a series of texts is most likely a mistake, and told once.
func TestTextsAreTold(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		first tickwell.Field
		want  int
	}{{tickwell.Text("s", "90"), 1}, {tickwell.Float64("n", 90), 0}} {
		var log strings.Builder
		db, err := tickwell.Open(ctx, "", &tickwell.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Triggers: []tickwell.TriggerSpec{alert.Rule{Name: "hot", Condition: alert.Above(80, 80)}.Spec("root.**")}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			f := c.first
			if i > 0 {
				f = tickwell.Text("s", "90")
			}
			if err := db.Insert(ctx, "root.d", begin.Add(time.Duration(i)), f); err != nil {
				t.Fatal(err)
			}
		}
		db.Close()
		if got := strings.Count(log.String(), "root.d.s"); got != c.want {
			t.Errorf("told %d times, want %d:\n%s", got, c.want, log.String())
		}
	}
}
