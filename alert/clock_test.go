package alert_test

import (
	"testing"
	"time"

	"github.com/tickwell/tickwell/alert"
)

// A point of a time to come, or a clock that begins in 1970, silences no alert: the
// next point of now counts, and what is to last does so from there on.
func TestClockWasWrong(t *testing.T) {
	type points [][2]float64 // second, value
	for _, c := range []struct {
		name string
		rule alert.Rule
		in   points
		want string
	}{
		{"above", alert.Rule{Condition: alert.Above(80, 80)}, points{{20, 10}, {19, 90}, {21, 90}}, "resolved@20 firing@21"},
		{"for", alert.Rule{Condition: alert.Above(80, 80), For: 5 * time.Second}, points{{20, 10}, {22, 90}}, "resolved@20 firing@27"},
		{"keep", alert.Rule{Condition: alert.Above(80, 80), KeepFiring: 5 * time.Second}, points{{20, 10}, {21, 90}, {22, 10}}, "resolved@27"},
		{"interval", alert.Rule{Condition: alert.Above(80, 80), MinInterval: 6 * time.Second}, points{{20, 10}}, "resolved@26"},
		{"absent", alert.Rule{Absent: 5 * time.Second}, points{{20, 10}, {21, 10}}, "firing@26"},
	} {
		for what, wrong := range map[string]func(b *bench){
			"a point was": func(b *bench) {
				b.put(0, 90)
				b.put(1e6, 90)
			},
			"the clock was ahead": func(b *bench) {
				b.clk.Set(begin.Add(1e6 * time.Second))
				b.put(1e6-1000, 90)
				b.put(1e6, 90)
				b.clk.Set(begin)
			},
			"it begins in 1970": func(b *bench) {
				b.clk.Set(begin.Add(1000 * time.Second))
				b.put(0, 90)
				b.put(1000, 90)
				begin = time.Unix(0, 0).UTC()
				b.clk.Set(begin)
			},
		} {
			t.Run(c.name+", "+what, func(t *testing.T) {
				defer func(at time.Time) { begin = at }(begin)
				c.rule.Name = "rule"
				b := newBench(t, c.rule)
				wrong(b)
				b.reopen()
				b.lines = nil
				b.to(20)
				for _, p := range c.in {
					b.to(p[0])
					b.put(p[0], p[1])
				}
				b.to(40)
				if want := c.want; c.name == "interval" && what == "a point was" {
					b.want("resolved@20") // the last event was of a time that is over
				} else {
					b.want(want)
				}
			})
		}
	}
}
