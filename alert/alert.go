// Package alert has the triggers that everyone writes by hand: a value beyond a
// limit with hysteresis, for some time, kept up for some time; a series from
// which nothing comes any more; and what keeps people from being told too often.
//
// A [Rule] becomes a trigger by [Rule.Spec]. It judges each series by itself and
// sends events of status firing and resolved, in turn, to the trigger's sinks.
// All its state is in the store: a restart neither repeats nor forgets an alert. A
// point that decides nothing adds nothing to the log but itself, unless the trigger
// has a Queue or is Durable.
// An event has the labels alertname and series, and one field: value, the point
// that decided, or with Absent last, the time of the newest point in Unix
// nanoseconds. A template for both is
//
//	{{.alertname}} {{.status}}: {{.series}} {{.value | default "silent"}}
//
// Rules go by the time of the points. A deadline, such as the end of For, is met
// by a later point or by the store's clock, whichever comes first, and the event
// carries the time of the deadline either way: so a backtest
// ([tickwell.DB.Backtest]) gives the events of the live run. Points not newer
// than the newest of their series change nothing, and one that is NaN is nothing but
// the newest, and a sign of life for Absent.
//
// A newest point more than ten minutes ahead of the store's clock does not count when
// one of the last hour comes: the clock of the device, or of the store, was wrong. From
// then on points so far ahead are taken to be of now, and when the store's clock is set
// forward, the time that it skips has not passed for the rule. Of other series it has,
// for the machine may have slept, unless it is more than thirty days.
package alert

import (
	"fmt"
	"maps"
	"time"

	"github.com/tickwell/tickwell"
)

// A Condition says which values fire an alert and which clear one that fires.
// Values that do neither leave it as it is: that is hysteresis.
type Condition struct {
	fire, clear func(v float64) bool
	wrong       string // what is wrong with its numbers
}

// Above fires at values above limit and clears at values of clear or less, which
// must not be above limit. Equal numbers mean no hysteresis.
func Above(limit, clear float64) Condition {
	c := Condition{fire: func(v float64) bool { return v > limit }, clear: func(v float64) bool { return v <= clear }}
	if !(clear <= limit) {
		c.wrong = fmt.Sprintf("Above(%v, %v): clear must not be above limit", limit, clear)
	}
	return c
}

// Below fires at values below limit and clears at values of clear or more, which
// must not be below limit.
func Below(limit, clear float64) Condition {
	c := Condition{fire: func(v float64) bool { return v < limit }, clear: func(v float64) bool { return v >= clear }}
	if !(clear >= limit) {
		c.wrong = fmt.Sprintf("Below(%v, %v): clear must not be below limit", limit, clear)
	}
	return c
}

// Outside fires outside [low, high] and clears inside [low+margin, high-margin].
func Outside(low, high, margin float64) Condition {
	c := Condition{
		fire:  func(v float64) bool { return v < low || v > high },
		clear: func(v float64) bool { return v >= low+margin && v <= high-margin },
	}
	if !(margin >= 0 && low+margin <= high-margin) {
		c.wrong = fmt.Sprintf("Outside(%v, %v, %v): nothing would clear, or a value outside", low, high, margin)
	}
	return c
}

// If fires and clears by functions of the value. They are called with one point
// after the other, never at the same time for one trigger, and see no NaN.
func If(fire, clear func(v float64) bool) Condition { return Condition{fire: fire, clear: clear} }

// Rule describes an alert. Name and exactly one of Condition and Absent must be
// given; all else is off where it is zero. Creating the trigger of a rule that
// makes no sense fails with [tickwell.ErrBadInput].
type Rule struct {
	// Name is the name of the trigger and the label alertname of the events.
	Name string
	// Condition judges the points of numeric series.
	Condition Condition
	// For is how long the condition must have held before the alert fires. A
	// value that clears ends it; silence does not.
	For time.Duration
	// KeepFiring is how long an alert goes on firing after it was cleared,
	// unless the condition comes back.
	KeepFiring time.Duration

	// Absent, in place of Condition, fires when the newest point of a series,
	// of any kind, is so old: also when all data stops, and when that happened
	// while the store was closed. A newer point clears, but not one that is as
	// old itself. A series is watched from the first point the trigger sees.
	Absent time.Duration

	// FlapChanges and FlapWithin damp flapping: an alert that changed more than
	// FlapChanges times within FlapWithin sends nothing, until it is calmer;
	// then it sends what it has become, if that is news. Both are given or none.
	FlapChanges int
	FlapWithin  time.Duration
	// MinInterval is the least time between two events of one series. What
	// comes sooner is sent when it is over, if it is news then.
	MinInterval time.Duration

	// Labels are added to alertname and series, which make the identity of the
	// alert, and Notes are the events' notes. Texts may hold {{.label}}.
	Labels map[string]string
	Notes  map[string]string
	// Urgent makes the log sync at once for each event.
	Urgent bool
}

// Spec returns the trigger of the rule for the series that match pattern: named
// like the rule, stateful, AFTER the insert. The caller may change the rest.
func (r Rule) Spec(pattern string) tickwell.TriggerSpec {
	return tickwell.TriggerSpec{Name: r.Name, Pattern: pattern, Stateful: true, Trigger: r.Trigger()}
}

// Trigger returns a new trigger of the rule, for a class, say. Its spec must be
// Stateful.
func (r Rule) Trigger() tickwell.Trigger {
	r.Labels, r.Notes = maps.Clone(r.Labels), maps.Clone(r.Notes)
	return &trigger{rule: r, series: make(map[string]*series)}
}

func (r *Rule) validate() error {
	bad := func(what string) error { return fmt.Errorf("alert %q: %s: %w", r.Name, what, tickwell.ErrBadInput) }
	has := r.Condition.fire != nil && r.Condition.clear != nil
	switch {
	case r.Name == "":
		return bad("no name")
	case r.For < 0 || r.KeepFiring < 0 || r.Absent < 0 || r.FlapWithin < 0 || r.MinInterval < 0 || r.FlapChanges < 0:
		return bad("a negative duration or number")
	case has == (r.Absent > 0):
		return bad("exactly one of Condition and Absent must be given")
	case r.Condition.wrong != "":
		return bad(r.Condition.wrong)
	case r.Absent > 0 && (r.For > 0 || r.KeepFiring > 0):
		return bad("For and KeepFiring need a Condition")
	case (r.FlapChanges > 0) != (r.FlapWithin > 0):
		return bad("FlapChanges and FlapWithin go together")
	}
	return nil
}
