//go:build !tickwell_small

package schedule

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/require"
)

// cronModel is an expression as what the five fields list, read apart from the
// parser that ParseCron takes.
type cronModel struct {
	minute, hour, dom, month, dow map[int]bool
	anyHour, anyDom, anyDow       bool
}

var (
	cronMonths = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	cronDays   = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

func modelOf(expr string) *cronModel {
	switch expr {
	case "@hourly":
		expr = "0 * * * *"
	case "@daily", "@midnight":
		expr = "0 0 * * *"
	case "@weekly":
		expr = "0 0 * * 0"
	case "@monthly":
		expr = "0 0 1 * *"
	}
	f := strings.Fields(expr)
	return &cronModel{
		minute: listed(f[0], 0, 59, nil), hour: listed(f[1], 0, 23, nil), dom: listed(f[2], 1, 31, nil),
		month: listed(f[3], 1, 12, cronMonths), dow: listed(f[4], 0, 6, cronDays),
		anyHour: anyOf(f[1]), anyDom: anyOf(f[2]), anyDow: anyOf(f[4]),
	}
}

// anyOf tells what counts as a star: a list or a range of all there is does not.
func anyOf(field string) bool { return field == "*" || field == "*/1" }

func listed(field string, lo, hi int, names []string) map[int]bool {
	number := func(s string) int {
		if i := slices.Index(names, strings.ToLower(s)); i >= 0 {
			return i
		}
		n, err := strconv.Atoi(s)
		if err != nil {
			panic(err)
		}
		return n
	}
	all := make(map[int]bool)
	for part := range strings.SplitSeq(field, ",") {
		span, step, stepped := strings.Cut(part, "/")
		every := 1
		if stepped {
			every = number(step)
		}
		from, to := lo, hi
		if span != "*" {
			a, b, ranged := strings.Cut(span, "-")
			from = number(a)
			switch {
			case ranged:
				to = number(b)
			case !stepped:
				to = from
			}
		}
		for n := from; n <= to; n += every {
			all[n] = true
		}
	}
	return all
}

// at reports whether a minute of the local calendar is one of the expression's.
func (m *cronModel) at(local time.Time) bool {
	if !m.minute[local.Minute()] || !m.hour[local.Hour()] || !m.month[int(local.Month())] {
		return false
	}
	dom, dow := m.dom[local.Day()], m.dow[int(local.Weekday())]
	if m.anyDom || m.anyDow {
		return dom && dow
	}
	return dom || dow
}

// walk goes through a zone's time step by step and returns when each expression is
// due by the rules that Cron's comment states.
func walk(zone *time.Location, from, to time.Time, step time.Duration, models []*cronModel) [][]int64 {
	due := make([][]int64, len(models))
	// calendar is what a clock on the wall shows, as if it were UTC.
	calendar := func(t time.Time) time.Time {
		_, offset := t.In(zone).Zone()
		return t.UTC().Add(time.Duration(offset) * time.Second)
	}
	shown := make(map[int64]bool) // minutes that the clock showed, of the last days
	for at := from.Add(-48 * time.Hour); at.Before(from); at = at.Add(step) {
		shown[calendar(at).Truncate(time.Minute).Unix()] = true
	}
	before := calendar(from.Add(-step))
	for at := from; at.Before(to); at = at.Add(step) {
		now := calendar(at)
		whole := now.Truncate(time.Minute).Equal(now)
		var skipped []time.Time
		for m := before.Truncate(time.Minute).Add(time.Minute); m.Before(now); m = m.Add(time.Minute) {
			if !shown[m.Unix()] {
				skipped = append(skipped, m)
			}
		}
		first := whole && !shown[now.Unix()]
		for i, m := range models {
			hit := whole && m.at(now) && (m.anyHour || first)
			if !hit && !m.anyHour {
				hit = slices.ContainsFunc(skipped, m.at)
			}
			if hit {
				due[i] = append(due[i], at.UnixNano())
			}
		}
		shown[now.Truncate(time.Minute).Unix()] = true
		before = now
	}
	return due
}

var cronZones = []struct {
	name     string
	from, to string // months
	step     time.Duration
}{
	{"Europe/Berlin", "2024-02", "2026-04", time.Minute},
	{"America/New_York", "2025-01", "2026-01", time.Minute},
	{"Australia/Lord_Howe", "2025-01", "2026-01", time.Minute},  // by half an hour
	{"Pacific/Apia", "2011-01", "2012-05", time.Minute},         // 30 December was skipped
	{"Africa/Casablanca", "2025-02", "2026-04", time.Minute},    // back for Ramadan
	{"America/Asuncion", "2023-09", "2024-12", time.Minute},     // at midnight; for good in 2024
	{"Antarctica/Troll", "2025-02", "2025-12", time.Minute},     // by two hours
	{"Pacific/Kwajalein", "1993-07", "1993-10", time.Minute},    // another day skipped
	{"Africa/Monrovia", "1971-12", "1972-02", 10 * time.Second}, // from -0:44:30 to 0
}

var cronExpressions = []string{
	"* * * * *", "*/7 * * * *", "30 * * * *", "0 0 * * *", "30 0 * * *", "0 1 * * *", "30 1 * * *", "0 2 * * *", "15 2 * * *", "30 2 * * *",
	"59 2 * * *", "0 3 * * *", "30 3 * * *", "*/20 2 * * *", "*/15 0-3 * * *", "0 */2 * * *", "45 1-23/2 * * *", "0 0-23 * * *", "0,15,30,45 1,2 * * *",
	"0 2 * * SUN", "0 0 30 * *", "0 12 30 12 *", "30 2 * 3 *", "30 1 * 10,11 0", "0 0 1 * *", "0 0 13 * FRI", "0 0 1-7 * MON", "*/10 23 * * *",
	"59 23 31 * *", "0 0 29 2 *", "5 4 * * 1-5", "@hourly", "@daily", "@weekly", "@monthly", "0 0 */2 * MON", "10/20 5 * jan-mar mon,wed", "17 9-17/4 2-30/7 * *",
}

// Cron says of every minute of months or years what walking through them says, in
// zones that change their clocks in odd ways.
func TestCronAgainstTheClockOnTheWall(t *testing.T) {
	for _, z := range cronZones {
		t.Run(strings.ReplaceAll(z.name, "/", "_"), func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(z.name)
			require.NoError(t, err)
			rng := rand.New(rand.NewPCG(1, 2))
			exprs := slices.Clone(cronExpressions)
			for range 10 {
				exprs = append(exprs, randomCron(rng))
			}
			from, err := time.Parse("2006-01", z.from)
			require.NoError(t, err)
			to, err := time.Parse("2006-01", z.to)
			require.NoError(t, err)
			checkCron(t, zone, from, to, z.step, exprs)
		})
	}
}

func checkCron(t *testing.T, zone *time.Location, from, to time.Time, step time.Duration, exprs []string) {
	t.Helper()
	var models []*cronModel
	for _, e := range exprs {
		models = append(models, modelOf(e))
	}
	due := walk(zone, from, to, step, models)
	for i, e := range exprs {
		c, err := ParseCron(e, zone.String())
		if err != nil {
			if len(due[i]) != 0 {
				t.Errorf("%q: %v", e, err)
			}
			continue
		}
		show := func(ns int64) string { return time.Unix(0, ns).In(zone).Format("2006-01-02 15:04:05 -0700 Mon") }
		at := from.UnixNano() - 1
		last := int64(0)
		for n, want := range due[i] {
			got, ok := c.Next(at)
			if !ok || got != want {
				t.Errorf("%s %q: run %d after %s is at %s, want %s", zone, e, n, show(at), show(got), show(want))
				break
			}
			if mid := at + (want-at)/2; mid > at {
				if got, ok := c.Next(mid); !ok || got != want {
					t.Errorf("%s %q: the run after %s is at %s, want %s", zone, e, show(mid), show(got), show(want))
					break
				}
			}
			if n > 0 && (n < 100 || n%97 == 0) {
				if got, ok := c.Prev(want); !ok || got != last {
					t.Errorf("%s %q: the run before %s is at %s, want %s", zone, e, show(want), show(got), show(last))
					break
				}
			}
			at, last = want, want
		}
		if got, ok := c.Next(at); ok && got < to.UnixNano() {
			t.Errorf("%s %q: a run too many at %s", zone, e, show(got))
		}
	}
}

func randomCron(r *rand.Rand) string {
	field := func(lo, hi int) string {
		one := func() int { return lo + r.IntN(hi-lo+1) }
		switch r.IntN(6) {
		case 0:
			return "*"
		case 1:
			return fmt.Sprintf("*/%d", 1+r.IntN(hi/2))
		case 2:
			a, b := one(), one()
			return fmt.Sprintf("%d-%d", min(a, b), max(a, b))
		case 3:
			a, b := one(), one()
			return fmt.Sprintf("%d-%d/%d", min(a, b), max(a, b), 1+r.IntN(5))
		case 4:
			return fmt.Sprintf("%d,%d,%d", one(), one(), one())
		}
		return strconv.Itoa(one())
	}
	e := []string{field(0, 59), field(0, 23), "*", "*", "*"}
	if r.IntN(2) == 0 {
		e[2] = field(1, 31)
	}
	if r.IntN(2) == 0 {
		e[3] = field(1, 12)
	}
	if r.IntN(2) == 0 {
		e[4] = field(0, 6)
	}
	return strings.Join(e, " ")
}
