package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell"
)

// unusual is a trigger that learns what is usual for a series and tells when it
// is not: an average of the last hours is compared with the mean and the
// deviation of the last weeks. It fires above high deviations and resolves
// below low ones (hysteresis), so that a value on the edge does not flap. The
// same numbers serve every series; they were picked by trying some on the five
// series of the example.
type unusual struct {
	high, low    float64
	short, long  time.Duration // how fast the two averages forget
	warmUp       time.Duration
	begun, last  time.Time
	level        float64 // average of the last hours
	mean, spread float64 // of level over the last weeks; spread is a variance
	firing       bool
}

func newUnusual() *unusual {
	return &unusual{high: 3, low: 1.3, short: 6 * time.Hour, long: 20 * 24 * time.Hour, warmUp: 3 * 24 * time.Hour}
}

// Fire looks at each new row in turn. Rows that step back in time correct what
// is stored, but the trigger has seen their time before and passes over them.
func (u *unusual) Fire(_ context.Context, f *tickwell.Firing) error {
	for i, v := range f.Float64s("value") {
		at := time.Unix(0, f.Times[i]).UTC()
		if !at.After(u.last) && !u.last.IsZero() {
			continue
		}
		u.step(at, v)
		if e, ok := u.judge(f.Device+".value", at); ok {
			f.Emit(e)
		}
	}
	return nil
}

func (u *unusual) step(at time.Time, v float64) {
	if u.begun.IsZero() {
		u.begun, u.last, u.level, u.mean = at, at, v, v
		return
	}
	dt := at.Sub(u.last)
	u.last = at
	u.level += (v - u.level) * weight(dt, u.short)
	w := weight(dt, u.long)
	if u.firing {
		w /= 4 // what is unusual now should not soon be usual
	}
	if young := at.Sub(u.begun); young < u.long {
		w = math.Max(w, weight(dt, young+u.short)) // learn fast at first
	}
	d := u.level - u.mean
	u.mean += d * w
	u.spread += (d*d - u.spread) * w
}

// weight is how much of an average that forgets in tau is replaced after dt.
func weight(dt, tau time.Duration) float64 {
	return 1 - math.Exp(-dt.Seconds()/tau.Seconds())
}

func (u *unusual) judge(series string, at time.Time) (tickwell.Event, bool) {
	if at.Sub(u.begun) < u.warmUp || u.spread == 0 {
		return tickwell.Event{}, false
	}
	z := math.Abs(u.level-u.mean) / math.Sqrt(u.spread)
	e := tickwell.Event{
		Series: series, Time: at, Labels: map[string]string{"alertname": "unusual"},
		Fields: []tickwell.Field{tickwell.Float64("deviations", z), tickwell.Float64("level", u.level)},
		Notes:  map[string]string{"summary": fmt.Sprintf("%.1f is %.1f deviations from the usual %.1f", u.level, z, u.mean)},
	}
	switch {
	case !u.firing && z > u.high:
		u.firing, e.Status = true, tickwell.StatusFiring
		return e, true
	case u.firing && z < u.low:
		u.firing, e.Status = false, tickwell.StatusResolved
		return e, true
	}
	return e, false
}
