package window

import (
	"fmt"
	"math"
	"time"
)

// calendarGrid counts days, weeks, months or years of a zone from a base.
type calendarGrid struct {
	loc    *time.Location
	unit   Unit
	units  int // length of a window
	step   int
	exact  bool      // base is an instant, not a wall clock time
	base   time.Time // the instant, when exact
	wall   time.Time // the base's wall clock, as if it were UTC
	months int       // months since year 0 of wall
}

func newCalendar(s Spec) (*calendarGrid, error) {
	loc := time.UTC
	switch s.Zone {
	case "", "UTC":
	case "Local":
		return nil, bad("zone", s.Zone, "should be named: the machine's own zone would give other windows elsewhere")
	default:
		l, err := time.LoadLocation(s.Zone)
		if err != nil {
			return nil, fmt.Errorf("window: zone %q: %w (no such zone, or no zone database here: import time/tzdata)", s.Zone, err)
		}
		loc = l
	}
	c := &calendarGrid{loc: loc, unit: s.Unit, units: s.Units, step: s.UnitStep}
	base := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	if s.Unit == Week {
		base = time.Date(1969, 12, 29, 0, 0, 0, 0, time.UTC) // a Monday
	}
	c.setWall(base)
	return c, nil
}

func (c *calendarGrid) setWall(w time.Time) {
	c.wall = w
	c.months = w.Year()*12 + int(w.Month()) - 1
}

// moveTo makes window 0 begin at origin.
func (c *calendarGrid) moveTo(origin int64) {
	c.exact = true
	c.base = time.Unix(0, origin).In(c.loc)
	c.setWall(wallClock(c.base))
}

// wallClock returns what a clock on the wall shows at t, as a time in UTC.
func wallClock(t time.Time) time.Time {
	_, off := t.Zone()
	return t.UTC().Add(time.Duration(off) * time.Second)
}

func (c *calendarGrid) start(k int64) time.Time { return c.edge(c.count(k)) }
func (c *calendarGrid) end(k int64) time.Time   { return c.edge(c.count(k) + int64(c.units)) }

// count returns how many units lie between the base and the start of window k.
func (c *calendarGrid) count(k int64) int64 {
	const far = 1 << 40 // units beyond any int64 time, far from overflow
	return min(max(k, -far), far) * int64(c.step)
}

// edge returns the instant n units after the base.
func (c *calendarGrid) edge(n int64) time.Time {
	if n == 0 && c.exact {
		return c.base
	}
	// Beyond the years of int64 nanoseconds one edge is as good as another, but
	// they must stay in order.
	const limit = 1 << 22
	if n > limit || n < -limit {
		return time.Unix(min(max(n, -1<<33), 1<<33)*86400*365, 0)
	}
	w := c.wall
	switch c.unit {
	case Day:
		w = w.AddDate(0, 0, int(n))
	case Week:
		w = w.AddDate(0, 0, int(n)*7)
	case Month:
		w = c.addMonths(n)
	case Year:
		w = c.addMonths(n * 12)
	}
	return firstAt(w, c.loc)
}

// addMonths counts from the base itself, so that 31 January plus one month is
// the last of February and plus two is 31 March.
func (c *calendarGrid) addMonths(n int64) time.Time {
	m := int64(c.months) + n
	y, mm := floorDiv(m, 12)
	days := time.Date(int(y), time.Month(mm)+2, 0, 0, 0, 0, 0, time.UTC).Day()
	w := c.wall
	return time.Date(int(y), time.Month(mm)+1, min(w.Day(), days), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), time.UTC)
}

// firstAt returns the first instant at which clocks in loc show w or more: where
// clocks are put forward over w, the moment they are; where they show w twice,
// the first time.
func firstAt(w time.Time, loc *time.Location) time.Time {
	t := w.Add(-26 * time.Hour).In(loc) // no zone is further from UTC
	for {
		from, to := t.ZoneBounds()
		_, off := t.Zone()
		at := w.Add(-time.Duration(off) * time.Second)
		if to.IsZero() || at.Before(to) {
			if !from.IsZero() && at.Before(from) {
				return from
			}
			return at
		}
		t = to
	}
}

// last returns the number of the last window that begins at or before t.
func (c *calendarGrid) last(t int64) int64 {
	at := time.Unix(0, t)
	k, _ := floorDiv(c.between(at), int64(c.step))
	for c.start(k).After(at) {
		k--
	}
	for !c.start(k + 1).After(at) {
		k++
	}
	return k
}

// first returns the number of the first window that ends after t.
func (c *calendarGrid) first(t int64) int64 {
	at := time.Unix(0, t)
	k, _ := floorDiv(c.between(at)-int64(c.units), int64(c.step))
	for c.end(k).After(at) {
		k--
	}
	for !c.end(k).After(at) {
		k++
	}
	return k
}

// between estimates how many units lie between the base and t; it is off by
// one at most.
func (c *calendarGrid) between(t time.Time) int64 {
	w := wallClock(t.In(c.loc))
	months := int64(w.Year()*12+int(w.Month())-1) - int64(c.months)
	switch c.unit {
	case Month:
		return months
	case Year:
		q, _ := floorDiv(months, 12)
		return q
	}
	days, _ := floorDiv(w.Unix()-c.wall.Unix(), 86400)
	if c.unit == Week {
		days, _ = floorDiv(days, 7)
	}
	return days
}

// saturate converts to Unix nanoseconds, held to int64's range.
func saturate(t time.Time) int64 {
	switch {
	case t.Before(firstInstant):
		return math.MinInt64
	case t.After(lastInstant):
		return math.MaxInt64
	}
	return t.UnixNano()
}
