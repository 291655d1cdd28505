package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/internal/pattern"
)

func backtestCommand() *command {
	f := newFlags()
	var b backtest
	f.StringVar(&b.above, "above", "", "fire at values above `LIMIT`")
	f.StringVar(&b.below, "below", "", "fire at values below `LIMIT`")
	f.StringVar(&b.clear, "clear", "", "with -above or -below: clear at this `VALUE` (the limit)")
	f.DurationVar(&b.absent, "absent", 0, "fire when nothing has come for so long")
	f.DurationVar(&b.rule.For, "for", 0, "how long the condition must have held")
	f.DurationVar(&b.rule.KeepFiring, "keep-firing", 0, "how long it goes on firing after it was cleared")
	f.StringVar(&b.labels, "labels", "", "compare with the labelled windows of this `FILE`")
	f.StringVar(&b.prefix, "prefix", "root.nab", "the `PATH` below which the files named by the labels were imported")
	f.DurationVar(&b.slack, "slack", 0, "count alarms so long before and after a window as in it")
	f.StringVar(&b.start, "start", "", "begin at this `TIME`")
	f.StringVar(&b.end, "end", "", "end at this `TIME`")
	f.StringVar(&b.zone, "zone", "UTC", "the time `ZONE` of -start, -end and the labels")
	f.IntVar(&b.most, "n", 20, "list at most `N` alarms of a series; 0: all")
	return &command{
		name: "backtest", args: "DIR PATTERN", short: "Tries a threshold rule on history.", lo: 2, hi: 2, flags: f,
		long: `
Runs an alert over the stored rows of the series that match, with the code that
runs live, and tells when it would have fired. Nothing is written.

With -labels it says which of the labelled windows it would have hit, and how many
alarms were outside of all. The file is JSON: {"series":[["from","to"],…],…},
where a series is a path of the store, or a file name of the Numenta Anomaly
Benchmark below -prefix.

    tickwell backtest -above 90 -clear 85 -for 30m data root.plant.press1.temperature
    tickwell backtest -below 55 -labels NAB/labels/combined_windows.json data '**.machine_temperature_system_failure.value'

` + timeHelp,
		run: func(c *call, args []string) error { return b.run(c, args[0], args[1]) },
	}
}

type backtest struct {
	span
	above, below, clear, labels, prefix string
	absent, slack                       time.Duration
	rule                                alert.Rule
	most                                int
}

// interval is a time in which an alarm was on, or a labelled one.
type interval struct{ from, to time.Time }

func (i interval) String() string { return stamp(i.from) + " – " + stamp(i.to) }

func (b *backtest) run(c *call, dir, pat string) (err error) {
	rule, err := b.build()
	if err != nil {
		return err
	}
	start, end, err := b.span.times()
	if err != nil {
		return err
	}
	labels, err := b.readLabels()
	if err != nil {
		return err
	}
	db, err := openForReading(c, dir)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	series, err := listSeries(c, db, pat)
	if err != nil {
		return err
	}
	if len(series) == 0 {
		return fmt.Errorf("no series matches %s: %w", pat, tickwell.ErrNotFound)
	}
	var all score
	for _, s := range series {
		if s.Kind < tickwell.KindInt32 || s.Kind > tickwell.KindFloat64 {
			if b.absent == 0 {
				continue
			}
		}
		spec := rule.Spec(s.Path())
		events, err := db.Backtest(c, spec, start, end)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Path(), bare(err))
		}
		alarms, err := b.alarms(c, db, s, events)
		if err != nil {
			return err
		}
		all.add(b.print(c, s.Path(), alarms, labels[s.Path()], labels != nil))
	}
	if labels != nil {
		c.printf("\n%s\n", all)
	}
	return nil
}

// build makes the rule of the flags.
func (b *backtest) build() (alert.Rule, error) {
	rule := b.rule
	rule.Name, rule.Absent = "backtest", b.absent
	given := 0
	limit := func(text string, make func(limit, clear float64) alert.Condition) error {
		given++
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return wrongf("%q is no number", text)
		}
		back := v
		if b.clear != "" {
			if back, err = strconv.ParseFloat(b.clear, 64); err != nil {
				return wrongf("%q is no number", b.clear)
			}
		}
		rule.Condition = make(v, back)
		return nil
	}
	if b.above != "" {
		if err := limit(b.above, alert.Above); err != nil {
			return rule, err
		}
	}
	if b.below != "" {
		if err := limit(b.below, alert.Below); err != nil {
			return rule, err
		}
	}
	if b.absent > 0 {
		given++
	}
	if given != 1 {
		return rule, wrongf("give one of -above, -below and -absent")
	}
	return rule, nil
}

// alarms pairs the events; one that was still on ends with the data.
func (b *backtest) alarms(c *call, db *tickwell.DB, s tickwell.SeriesInfo, events []tickwell.Event) ([]interval, error) {
	var out []interval
	on := false
	for _, e := range events {
		switch {
		case e.Status == tickwell.StatusFiring:
			out, on = append(out, interval{e.Time, e.Time}), true
		case on:
			out[len(out)-1].to, on = e.Time, false
		}
	}
	if on {
		last, err := db.Last(c, s.Path())
		if err != nil {
			return nil, err
		}
		if len(last) > 0 && last[0].Time.After(out[len(out)-1].to) {
			out[len(out)-1].to = last[0].Time
		}
	}
	return out, nil
}

// score counts.
type score struct{ windows, hit, alarms, outside int }

func (s *score) add(o score) {
	s.windows += o.windows
	s.hit += o.hit
	s.alarms += o.alarms
	s.outside += o.outside
}

// String tells how good that is: recall is the part of the windows that were
// hit, precision the part of the alarms that were in one.
func (s score) String() string {
	percent := func(n, of int) string {
		if of == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(of))
	}
	return fmt.Sprintf("%d of %d labelled windows hit (recall %s), %d of %d alarms outside of all (precision %s)",
		s.hit, s.windows, percent(s.hit, s.windows), s.outside, s.alarms, percent(s.alarms-s.outside, s.alarms))
}

func (b *backtest) print(c *call, path string, alarms, windows []interval, labelled bool) score {
	sc := score{windows: len(windows), alarms: len(alarms)}
	hit := make([]bool, len(windows))
	c.printf("%s: %s\n", path, plural(len(alarms), "alarm", "alarms"))
	for i, a := range alarms {
		note := ""
		if labelled {
			note = "outside"
			for w, l := range windows {
				if !a.from.After(l.to.Add(b.slack)) && !a.to.Before(l.from.Add(-b.slack)) {
					note, hit[w] = fmt.Sprintf("in window %d", w+1), true
				}
			}
			if note == "outside" {
				sc.outside++
			}
		}
		if b.most == 0 || i < b.most {
			c.printf("  %s  %s  %s\n", a, a.to.Sub(a.from).Round(time.Second), note)
		} else if i == b.most {
			c.printf("  … and %d more (-n 0 lists all)\n", len(alarms)-i)
		}
	}
	for w, l := range windows {
		mark := "missed"
		if hit[w] {
			mark = "hit"
			sc.hit++
		}
		c.printf("  window %d  %s  %s\n", w+1, l, mark)
	}
	return sc
}

// readLabels reads windows by path of series.
func (b *backtest) readLabels() (map[string][]interval, error) {
	if b.labels == "" {
		return nil, nil
	}
	text, err := os.ReadFile(b.labels)
	if err != nil {
		return nil, err
	}
	var raw map[string][][2]string
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", b.labels, err, tickwell.ErrBadInput)
	}
	zone, err := time.LoadLocation(b.zone)
	if err != nil {
		return nil, wrongf("there is no time zone %q here", b.zone)
	}
	out := map[string][]interval{}
	for name, windows := range raw {
		path := labelPath(b.prefix, name)
		for _, w := range windows {
			from, err1 := parseTime(w[0], zone, time.Now)
			to, err2 := parseTime(w[1], zone, time.Now)
			if err := errors.Join(err1, err2); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", b.labels, name, err)
			}
			out[path] = append(out[path], interval{from, to})
		}
		slices.SortFunc(out[path], func(x, y interval) int { return x.from.Compare(y.from) })
	}
	return out, nil
}

// labelPath is the series that a name in the labels means.
func labelPath(prefix, name string) string {
	file, ok := strings.CutSuffix(name, ".csv")
	if !ok {
		if path, err := pattern.Canonical(name); err == nil {
			return path
		}
	}
	path := prefix
	for n := range strings.SplitSeq(file, "/") {
		path += "." + node(n)
	}
	return path + ".value"
}
