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
