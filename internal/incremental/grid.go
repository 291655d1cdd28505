package incremental

import (
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/errs"
)

// Grid is windows of a fixed length of time or of natural months: window k
// begins k steps after the origin. Windows may overlap (Interval > Step) or
// leave gaps (Step > Interval).
type Grid struct {
	Interval, Step int64 // nanoseconds; or, with Months, months
	Months         bool
	Origin         int64
	Zone           *time.Location // of months; nil: UTC

	month int // of the origin, counted from January of year 0
}

// New checks g.
func (g Grid) New() (*Grid, error) {
	if g.Interval <= 0 || g.Step <= 0 {
		return nil, fmt.Errorf("windows of %d every %d: both must be positive: %w", g.Interval, g.Step, errs.BadInput)
	}
	if g.Zone == nil {
		g.Zone = time.UTC
	}
	if g.Months {
		at := time.Unix(0, g.Origin).In(g.Zone)
		if at.Day() > 28 {
			return nil, fmt.Errorf("windows of months cannot begin on day %d, which not every month has: %w", at.Day(), errs.BadInput)
		}
		if g.Interval > 12*200 || g.Step > 12*200 {
			return nil, fmt.Errorf("windows of %d months every %d: %w", g.Interval, g.Step, errs.BadInput)
		}
		g.month = at.Year()*12 + int(at.Month()) - 1
	}
	return &g, nil
}

// Limits of the instants a grid works with: the years 1700 to 2250, so that no
// sum leaves int64.
const (
	Earliest = -8_520_336_000_000_000_000 // 1700-01-01
	Latest   = 8_836_300_800_000_000_000  // 2250-01-05
)

func clamp(t int64) int64 { return min(max(t, Earliest), Latest) }

// Start returns where window k begins.
func (g *Grid) Start(k int64) int64 {
	if g.Months {
		return g.monthsAfter(k * g.Step)
	}
	return addSat(g.Origin, k, g.Step)
}

// End returns where window k ends.
func (g *Grid) End(k int64) int64 {
	if g.Months {
		return g.monthsAfter(k*g.Step + g.Interval)
	}
	return addSat(g.Start(k), 1, g.Interval)
}

// addSat is a + k*b for b > 0, or the nearest int64. The product alone may be
// more than int64 holds: an origin of today is 320 years after 1700.
func addSat(a, k, b int64) int64 {
	if k < 0 {
		n := -uint64(k)
		if n > (uint64(a)-1<<63)/uint64(b) {
			return math.MinInt64
		}
		return int64(uint64(a) - n*uint64(b))
	}
	if uint64(k) > (math.MaxInt64-uint64(a))/uint64(b) {
		return math.MaxInt64
	}
	return int64(uint64(a) + uint64(k)*uint64(b))
}

// steps is how many steps lie between from and to, rounded down.
func steps(from, to, step int64) int64 {
	if to >= from {
		return int64(min((uint64(to)-uint64(from))/uint64(step), math.MaxInt64))
	}
	n := (uint64(from) - uint64(to) - 1) / uint64(step)
	return -1 - int64(min(n, math.MaxInt64))
}

func (g *Grid) monthsAfter(n int64) int64 {
	at := time.Unix(0, g.Origin).In(g.Zone)
	m := int64(g.month) + n
	year := floorDiv(m, 12)
	if year < 1690 {
		return math.MinInt64
	}
	if year > 2260 {
		return math.MaxInt64
	}
	return clock.Date(int(year), time.Month(m-year*12)+1, at.Day(), at, g.Zone).UnixNano()
}

// Last returns the last window that begins at or before t.
func (g *Grid) Last(t int64) int64 {
	t = clamp(t)
	if !g.Months {
		return steps(g.Origin, t, g.Step)
	}
	at := time.Unix(0, t).In(g.Zone)
	k := floorDiv(int64(at.Year()*12+int(at.Month())-1-g.month), g.Step)
	for g.Start(k+1) <= t {
		k++
	}
	for g.Start(k) > t {
		k--
	}
	return k
}

// First returns the first window that ends after t.
func (g *Grid) First(t int64) int64 {
	t = clamp(t)
	k := g.Last(t) - floorDiv(g.Interval, g.Step) - 1
	for g.End(k) <= t {
		k++
	}
	return k
}

// Touched returns the windows that hold instants of r, as the range of their
// starts: from the start of the first to that of the one after the last. It is
// empty if r lies in a gap.
func (g *Grid) Touched(r Range) Range {
	if r.Empty() {
		return Range{}
	}
	first, last := g.First(r.From), g.Last(r.To-1)
	if last < first {
		return Range{}
	}
	return Range{g.Start(first), g.Start(last + 1)}
}

// Apart reports whether no instant lies in two windows.
func (g *Grid) Apart() bool { return g.Interval <= g.Step }

// Cell returns a range of instants that are all in the windows that begin in
// touched, which is what Touched returned for one of them. It may be empty.
func (g *Grid) Cell(touched Range) Range {
	if g.Interval != g.Step || touched.Empty() || g.Last(touched.From)+1 != g.Last(touched.To) {
		return Range{}
	}
	return touched
}

// Count returns how many windows begin in r.
func (g *Grid) Count(r Range) int64 {
	if r.Empty() {
		return 0
	}
	return g.Last(r.To-1) - g.Last(r.From-1)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
