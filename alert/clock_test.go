package alert_test

import (
	"strings"
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

// The decades between the clock of a boot in 1970 and the right one are no time that
// has passed: no series was silent for so long, and no condition has lasted.
func TestClockIsSetRight(t *testing.T) {
	for _, c := range []struct {
		name  string
		rule  alert.Rule
		value float64 // since the boot
		at    float64 // of the next one; 0: none
		want  string
	}{
		{"absent", alert.Rule{Absent: 5 * time.Minute}, 10, 30, "firing@330"},
		{"absent, later", alert.Rule{Absent: 5 * time.Minute}, 10, 95, "firing@395"},
		{"absent at once", alert.Rule{Absent: 5 * time.Minute}, 10, 0, "firing@330"},
		{"for", alert.Rule{Condition: alert.Above(80, 80), For: 5 * time.Minute}, 90, 30, "firing@326"},
		{"for, later", alert.Rule{Condition: alert.Above(80, 80), For: 5 * time.Minute}, 90, 95, "firing@326"},
		{"for, not so long", alert.Rule{Condition: alert.Above(80, 80), For: 5 * time.Minute}, 90, -95, ""},
		{"interval", alert.Rule{Condition: alert.Above(80, 80), MinInterval: 5 * time.Minute}, 90, -95, "resolved@326"},
		{"keep", alert.Rule{Condition: alert.Above(80, 5), KeepFiring: 5 * time.Minute}, 1, -95, "resolved@326"},
	} {
		run := func(t *testing.T, again bool) {
			defer func(at time.Time) { begin = at }(begin)
			c.rule.Name = "rule"
			b := newBench(t, c.rule)
			right := begin
			b.put(1, 10)
			if c.name == "keep" {
				b.put(2, 90)
			}
			begin = time.Unix(0, 0).UTC() // a boot without a clock
			b.clk.Set(begin)
			b.reopen()
			for i := range 5 {
				b.to(10 + float64(i))
				b.put(10+float64(i), c.value)
			}
			if again {
				b.reopen()
			}
			b.lines, begin = nil, right
			b.clk.Set(begin.Add(30 * time.Second))
			if c.at != 0 {
				at, value := max(c.at, -c.at), c.value
				if c.at < 0 && c.name != "keep" {
					value = 10
				}
				b.to(at)
				b.put(at, value)
			}
			b.to(500)
			b.want(c.want)
		}
		t.Run(c.name, func(t *testing.T) { run(t, false) })
		t.Run(c.name+", opened again", func(t *testing.T) { run(t, true) })
	}
}

// When the clock is right again, time that passes while the machine sleeps has passed.
func TestSleepAfterClockIsSetRight(t *testing.T) {
	defer func(at time.Time) { begin = at }(begin)
	b, right := newBench(t, alert.Rule{Name: "rule", Absent: 5 * time.Minute}), begin
	b.put(1, 10)
	begin = time.Unix(0, 0).UTC()
	b.clk.Set(begin)
	b.put(1, 10)
	begin = right
	b.clk.Set(begin.Add(10 * time.Second))
	b.put(10, 10)
	b.clk.Set(begin.Add(10 * time.Hour))
	b.to(36000 + 120)
	b.want("firing@310")
}

// The first boot of all in 1970: when the clock is set, nothing has been silent, and no
// condition has lasted, since then.
func TestFirstBootWithoutClock(t *testing.T) {
	for _, again := range []bool{false, true} {
		for _, c := range []struct {
			rule  alert.Rule
			first float64
			want  string
		}{
			{alert.Rule{Absent: 5 * time.Minute}, 10, "firing@430"},
			{alert.Rule{Condition: alert.Above(80, 80), For: 5 * time.Minute}, 90, "firing@326"},
			{alert.Rule{Condition: alert.Above(80, 80), MinInterval: 5 * time.Minute}, 10, ""},
		} {
			func() {
				defer func(at time.Time) { begin = at }(begin)
				right := begin
				begin = time.Unix(0, 0).UTC()
				c.rule.Name = "rule"
				b := newBench(t, c.rule)
				for i := range 5 {
					b.to(10 + float64(i))
					b.put(10+float64(i), c.first)
				}
				begin = right
				b.clk.Set(begin.Add(30 * time.Second))
				b.to(100) // longer than the store takes to see it
				if again {
					b.reopen()
				}
				if c.rule.Absent > 0 {
					b.want("")
				}
				b.put(100, c.first)
				b.to(130)
				if c.rule.Absent > 0 {
					b.put(130, c.first)
				}
				b.to(500)
				b.want(c.want)
			}()
		}
	}
}

// A device that stamps every other point hours ahead is damped like any other.
func TestFlappingClock(t *testing.T) {
	b := newBench(t, alert.Rule{Name: "rule", Condition: alert.Above(80, 80), FlapChanges: 3, FlapWithin: 10 * time.Minute})
	for i := range 60 {
		at, v := float64(i), 10.0
		b.to(at)
		if i%2 == 1 {
			at, v = at+5*3600, 90
		}
		b.put(at, v)
	}
	if len(b.lines) > 4 {
		t.Errorf("%d events in a minute: %s", len(b.lines), strings.Join(b.lines, " "))
	}
}
