package exec

import (
	"math"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// window is one group of GROUP BY time: rows with start <= time < end. label
// is the time of its row.
type window struct{ start, end, label int64 }

// grid is the windows of GROUP BY time, numbered from 0.
type grid struct {
	whole          bool     // one window without bounds
	list           []window // if not nil, these, in the order of their starts
	start, end     int64
	interval, step Span
	leftOpen       bool
	zone           *time.Location
}

// at returns window k, or false if it lies behind the end.
func (g *grid) at(k int64) (window, bool) {
	if g.list != nil {
		if k >= int64(len(g.list)) {
			return window{}, false
		}
		return g.list[k], true
	}
	if g.whole {
		return window{math.MinInt64, math.MaxInt64, 0}, k == 0
	}
	start := g.shift(g.start, g.step, k, Span{})
	if start >= g.end {
		return window{}, false
	}
	var end int64
	if g.step.Months != 0 && g.interval.Months != 0 {
		// Counted from the first window: January 31 plus two months is
		// March 31, not February's last day plus one.
		end = g.shift(g.start, g.step, k, g.interval)
	} else {
		end = g.shift(start, g.interval, 1, Span{})
	}
	end = min(end, g.end)
	if g.leftOpen {
		return window{addTime(start, 1), addTime(end, 1), end}, true
	}
	return window{start, end, start}, true
}

// batch appends as many windows from window k on as a batch holds, or fewer at
// the end, to dst, which is empty.
func (g *grid) batch(dst []window, k int64) []window {
	for len(dst) < groupsPerBatch {
		w, ok := g.at(k + int64(len(dst)))
		if !ok {
			break
		}
		dst = append(dst, w)
	}
	return dst
}

// shift returns t + k times by + more.
func (g *grid) shift(t int64, by Span, k int64, more Span) int64 {
	if by.Months != 0 || more.Months != 0 {
		months := int64(by.Months)*k + int64(more.Months)
		if months > 12*600 { // beyond every time that can be stored
			return math.MaxInt64
		}
		t = addMonths(t, int(months), g.zone)
	}
	if by.NS != 0 {
		// How far t is from the end of time is more than int64 holds before 1970.
		if uint64(k) > (math.MaxInt64-uint64(t))/uint64(by.NS) {
			return math.MaxInt64
		}
		t = int64(uint64(t) + uint64(by.NS)*uint64(k))
	}
	return addTime(t, more.NS)
}

// addMonths keeps the day of the month, or takes the last day of a month that
// is shorter, and the clock time in the zone.
func addMonths(t int64, n int, zone *time.Location) int64 {
	if n == 0 {
		return t
	}
	at := time.Unix(0, t).In(zone)
	// The instant to which clocks are put forward stands for the time they skip:
	// a month that begins without a midnight is followed by one that has it.
	if from, _ := at.ZoneBounds(); from.Equal(at) {
		_, now := at.Zone()
		if _, before := at.Add(-1).Zone(); before < now {
			at = at.In(time.FixedZone("", before))
		}
	}
	y, m, d := at.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	at = clock.Date(y, m+time.Month(n), min(d, last), at, zone)
	if y := at.UTC().Year(); y > 2261 {
		return math.MaxInt64
	}
	return at.UnixNano()
}
