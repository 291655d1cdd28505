package iotsql_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// calendar is a GROUP BY time with natural months in it.
type calendar struct {
	groups tickwell.GroupByTime
	zone   string
	text   string // interval and step
	loc    *time.Location
	twice  bool // a bound is at a clock that comes twice: east of Greenwich the second is taken, west of it the first
}

func (c *calendar) sql(q *question) string {
	a, b := "[", ")"
	if c.groups.LeftOpen {
		a, b = "(", "]"
	}
	return fmt.Sprintf(" group by (%s%d, %d%s, %s)", a, q.start, q.end, b, c.text)
}

// months is a time some months later by the clock of the zone: on the same day,
// or the last one of the month.
func (c *calendar) months(t int64, n int, unit int64) int64 {
	if n == 0 {
		return t
	}
	at := time.Unix(0, t*unit).In(c.loc)
	y, m, d := at.Date()
	first := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	d = min(d, first.AddDate(0, 1, -1).Day())
	h, min, sec := at.Clock()
	return c.instant(time.Date(first.Year(), first.Month(), d, h, min, sec, at.Nanosecond(), time.UTC)).UnixMilli() * (1000_000 / unit)
}

// instant is when clocks of the zone show what wall shows: the first time, if
// they are set back; as much later as they are set forward, if they never do.
func (c *calendar) instant(wall time.Time) time.Time {
	offset := func(at time.Time) time.Duration {
		_, seconds := at.In(c.loc).Zone()
		return time.Duration(seconds) * time.Second
	}
	before, after := offset(wall.Add(-36*time.Hour)), offset(wall.Add(36*time.Hour))
	first, second := wall.Add(-max(before, after)), wall.Add(-min(before, after))
	one, other := offset(first) == max(before, after), offset(second) == min(before, after)
	c.twice = c.twice || one && other && before != after
	switch {
	case one:
		return first
	case other:
		return second
	}
	return wall.Add(-before)
}

// windows are begin and end of all windows.
func (c *calendar) windows(q *question) (all [][2]int64) {
	g := c.groups
	for k := 0; ; k++ {
		a := q.start + int64(k)*int64(g.Step)/q.unit
		if g.StepMonths > 0 {
			a = c.months(q.start, k*g.StepMonths, q.unit)
		}
		if a >= q.end {
			return all
		}
		b := a + int64(g.Interval)/q.unit
		switch {
		case g.IntervalMonths > 0 && g.StepMonths > 0:
			b = c.months(q.start, k*g.StepMonths+g.IntervalMonths, q.unit)
		case g.IntervalMonths > 0:
			b = c.months(a, g.IntervalMonths, q.unit)
		}
		all = append(all, [2]int64{a, min(b, q.end)})
	}
}

func (c *calendar) cut(q *question, rows []row) (out []row) {
	for _, w := range c.windows(q) {
		g := row{t: w[0], end: w[1] - 1}
		if c.groups.LeftOpen {
			g.t, g.end = w[1], w[1]
		}
		for _, r := range rows {
			if !c.groups.LeftOpen && r.t >= w[0] && r.t < w[1] || c.groups.LeftOpen && r.t > w[0] && r.t <= w[1] {
				g.group = append(g.group, r)
			}
		}
		out = append(out, g)
	}
	return out
}

var zones = []string{"UTC", "", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "America/Havana"}

// months makes the groups of a question months, and writes rows at their bounds.
func (s *store) months(q *question, zone string) {
	r := s.rng
	loc, err := time.LoadLocation(zone)
	s.check(err)
	c := &calendar{zone: zone, loc: loc}
	day := int64(24*time.Hour) / s.unit
	q.group, q.calendar, q.bounded, q.leftOpen, q.by = "calendar", c, true, false, nil
	least, most := yearsOf(s.unit)
	q.start = max(s.base+r.Int64N(s.span)-s.span/10, least)
	if r.IntN(2) == 0 { // a day or clock that not all months have
		at := time.Unix(0, q.start*s.unit).In(loc)
		q.start = time.Date(at.Year(), pickOf(r, time.January, time.March, time.October, time.December), pickOf(r, 1, 29, 30, 31, 27), r.IntN(4), pickOf(r, 0, 30, 59), 0, 0, loc).UnixMilli() * (1000_000 / s.unit)
	}
	q.start = min(max(q.start, least), most-1)
	q.end = q.start + 1 + r.Int64N(s.span)
	if r.IntN(3) == 0 {
		at := time.Unix(0, q.start*s.unit).In(loc)
		q.end = at.AddDate(0, 1+r.IntN(20), 0).UnixMilli() * (1000_000 / s.unit)
	}
	q.end = min(q.end, most)
	n := pickOf(r, 1, 1, 2, 3, 12, 14)
	g := &c.groups
	c.text = fmt.Sprint(n, "mo")
	if n == 12 {
		c.text = "1y"
	}
	g.IntervalMonths = n
	switch r.IntN(5) {
	case 0:
		days := 1 + r.Int64N(70)
		days = max(days, (q.end-q.start)/day/200)
		g.Step = time.Duration(days) * 24 * time.Hour
		c.text += fmt.Sprint(", ", days, "d")
	case 1:
		days := 1 + r.Int64N(70)
		g.IntervalMonths, g.Interval, g.StepMonths = 0, time.Duration(days)*24*time.Hour, n
		c.text = fmt.Sprint(days, "d, ", n, "mo")
	case 2, 3:
		g.StepMonths = pickOf(r, 1, 2, 3, 5, 12)
		c.text += fmt.Sprint(", ", g.StepMonths, "mo")
	default:
		g.StepMonths = n
	}
	over := false
	all := c.windows(q)
	for i := range all {
		over = over || i > 0 && all[i][0] < all[i-1][1]
	}
	g.LeftOpen = r.IntN(3) == 0 && (!over || !s.tables)
	q.leftOpen = g.LeftOpen
	if r.IntN(2) == 0 {
		tab := &tickwell.Tablet{Device: pickOf(r, devices...)}
		for range 6 {
			at := pickOf(r, all...)[r.IntN(2)] + int64(r.IntN(3)-1)
			if at < least || at > most {
				continue
			}
			var fields []tickwell.Field
			for _, n := range []string{"i", "d", "t", "b"} {
				f := tickwell.Field{Name: n, Value: s.value(kindsOf[n])}
				fields = append(fields, f)
				p := tab.Device + "." + n
				if s.points[p] == nil {
					s.points[p] = cells{}
				}
				s.points[p][at] = f.Value
			}
			s.check(tab.Append(s.at(at), fields...))
		}
		if tab.Len() > 0 {
			s.check(s.db.InsertTablet(context.Background(), tab))
		}
		s.list()
	}
}

// yearsOf are the first and the last time that a store takes.
func yearsOf(unit int64) (least, most int64) {
	first, last := time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2261, 12, 31, 23, 59, 59, 999000000, time.UTC)
	return first.UnixMilli() * (1000_000 / unit), last.UnixMilli() * (1000_000 / unit)
}

// Groups of months are those of the calendar, also where clocks change.
func TestMonthsAgainstReference(t *testing.T) {
	tryMonths(t, func(r *rand.Rand, span int64) int64 {
		return time.Date(pickOf(r, 2011, 2018, 1968, 2023), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	})
}

// So they are in the first and in the last years that there are.
func TestMonthsAtTheEndsOfTime(t *testing.T) {
	least, most := yearsOf(int64(time.Millisecond))
	tryMonths(t, func(r *rand.Rand, span int64) int64 { return pickOf(r, least, most-span+1, most-span+1) })
}

// tryMonths asks questions of many stores, with rows from a time on that begin gives.
func tryMonths(t *testing.T, begin func(r *rand.Rand, span int64) int64) {
	seeds, first := uint64(*modelSeeds), uint64(*modelFirst)
	if testing.Short() {
		seeds = min(seeds, 2)
	}
	refused := map[string]int{}
	for seed := first; seed < first+seeds; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			span := int64(pickOf(r, 100, 400, 1500)) * 24 * 3600_000
			s := newStoreOver(t, seed, time.Millisecond, begin(r, span), span)
			s.tables = r.IntN(3) == 0
			zone := pickOf(r, zones...)
			conn, err := iotsql.New(s.db, &iotsql.Options{Precision: time.Millisecond, Zone: zone})
			s.check(err)
			s.conn = conn
			for range 20 {
				q := s.question()
				for q.group != "time" || s.conditions(q) > 100 {
					q = s.question()
				}
				s.months(q, zone)
				if q.calendar.windows(q); !q.calendar.twice {
					s.try(q, refused)
				}
			}
		})
	}
	if testing.Verbose() {
		for _, e := range slices.Sorted(maps.Keys(refused)) {
			t.Log(refused[e], e)
		}
	}
}

// conditions is how many conditions wildcards make of one.
func (s *store) conditions(q *question) (most int) {
	for _, e := range []*tree{q.where, q.having} {
		n := 1
		if e != nil {
			e.walk(func(x *tree) {
				if x.op == "col" {
					n = min(n*max(1, len(s.find(q, x.name))), 1000_000)
				}
			})
		}
		most = max(most, n)
	}
	return most
}
