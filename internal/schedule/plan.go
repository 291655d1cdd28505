package schedule

import (
	"math"
	"sync"
	"time"
)

// Plan is a checked [Spec]. It is immutable and safe for concurrent use.
type Plan struct {
	spec       Spec
	cron       *Cron // nil: every Spec.Every from Spec.Boundary
	due        *due  // of a cron expression
	start, end time.Duration
	fixed      bool // start and end hold; otherwise a run covers the time since the instant before
}

// Spec returns the spec with the defaults filled in.
func (p *Plan) Spec() Spec { return p.spec }

// First returns the first execution of a query made at now: the first instant
// of the grid at or after now, never one before the boundary. False means
// there is none before the end of time (year 2262).
func (p *Plan) First(now int64) (int64, bool) {
	if p.cron != nil {
		if now == math.MinInt64 {
			return p.cron.Next(now)
		}
		return p.cron.Next(now - 1)
	}
	if now <= p.spec.Boundary {
		return p.spec.Boundary, true
	}
	every := uint64(p.spec.Every)
	gone := uint64(now) - uint64(p.spec.Boundary) // exact: now > boundary
	if rest := gone % every; rest != 0 {
		return addTime(now, every-rest)
	}
	return now, true
}

// Next returns the instant of the grid after e.
func (p *Plan) Next(e int64) (int64, bool) {
	if p.cron != nil {
		return p.cron.Next(e)
	}
	return addTime(e, uint64(p.spec.Every))
}

// Window returns the range [from, to) that the run at e covers. It depends on
// e alone, not on when the run really happens.
func (p *Plan) Window(e int64) (from, to int64) {
	if p.fixed {
		return subTime(e, p.start), subTime(e, p.end)
	}
	prev, ok := p.cron.Prev(e)
	if !ok {
		prev = math.MinInt64
	}
	return prev, e
}

// RetryDelay returns how long to wait before a failed run is tried again with
// the same instant: the every interval, at most [MaxRetryDelay].
func (p *Plan) RetryDelay() time.Duration {
	if p.cron != nil {
		return MaxRetryDelay
	}
	return min(p.spec.Every, MaxRetryDelay)
}

// Step is what follows a finished run.
type Step struct {
	At int64 // the next execution

	// Skipped executions [SkipFrom, SkipTo], both on the grid, will never
	// run: dropped by Discard or beyond the catch-up limit of Blocked. Of a
	// cron expression at most 100,000 are counted.
	Skipped          int64
	SkipFrom, SkipTo int64

	// Rewound says that the wall clock was set back by two intervals or
	// more, so that At is the grid's first instant from now, which has run before.
	Rewound bool
}

// ClockSet is before any instant that a clock which was set can have told:
// 2000-01-01.
const ClockSet int64 = 946_684_800_000_000_000

// After returns the execution that follows a successful run at last, seen at
// now. False means there is none before the end of time.
//
// Blocked: the instant after last, so that every missed one is run; when more
// than the catch-up limit are due, the oldest of them are skipped, and all but
// the newest where the clock was set only since last. Discard: the first instant
// after last that is at or after now. A wall clock that was set back would leave
// the next instant far in the future: then the schedule is taken up again from
// now, and the ranges are evaluated once more.
func (p *Plan) After(last, now int64) (Step, bool) {
	next, ok := p.Next(last)
	if !ok {
		return Step{}, false
	}
	if next > now {
		return p.Wait(next, now), true
	}
	var to int64
	switch {
	case p.spec.Policy == Discard:
		to, ok = p.First(now)
	case last < ClockSet && now >= ClockSet:
		to, ok = p.newestDue(next, now)
	default:
		to, ok = p.catchUp(next, now)
	}
	return p.jump(next, to), ok
}

// Resume returns the execution to begin with after a restart, when last was
// the last successful one: like [Plan.After], but Discard begins with the
// newest instant that is due, so that a restart does not lose the range that
// has just ended.
func (p *Plan) Resume(last, now int64) (Step, bool) {
	if p.spec.Policy == Discard {
		if next, ok := p.Next(last); ok && next <= now {
			to, ok := p.newestDue(next, now)
			return p.jump(next, to), ok
		}
	}
	return p.After(last, now)
}

// newestDue returns the newest instant that is due at now, when next is.
func (p *Plan) newestDue(next, now int64) (int64, bool) {
	one := *p
	one.spec.CatchUp, one.due = 1, new(due)
	return one.catchUp(next, now)
}

func (p *Plan) jump(next, to int64) Step {
	s := Step{At: to}
	if to > next {
		s.SkipFrom = next
		s.Skipped, s.SkipTo = p.between(next, to)
	}
	return s
}

// Wait looks at an execution that is not due yet. It returns the same one,
// unless the wall clock was set back so that it lies two intervals or more
// ahead.
func (p *Plan) Wait(next, now int64) Step {
	one, ok := p.First(now)
	if !ok || one >= next {
		return Step{At: next}
	}
	two, ok := p.Next(one)
	if !ok || two >= next {
		return Step{At: next}
	}
	return Step{At: one, Rewound: true}
}

// catchUp returns where Blocked goes on when next is due at now.
func (p *Plan) catchUp(next, now int64) (int64, bool) {
	if p.cron == nil {
		every, limit := uint64(p.spec.Every), uint64(p.spec.CatchUp)
		due := (uint64(now)-uint64(next))/every + 1
		if due <= limit {
			return next, true
		}
		return addTime(next, (due-limit)*every)
	}
	if !p.fits(next, now) {
		return p.newest(now, p.spec.CatchUp)
	}
	return next, true
}

// due is the last stretch that was found to hold no more instants than may be
// caught up with. Without it each of many missed runs would count all that are
// left, while no other query can be scheduled.
type due struct {
	mu       sync.Mutex
	from, to int64 // the last included
}

// fits reports whether at most the catch-up limit of instants of the cron
// expression are in [next, now].
func (p *Plan) fits(next, now int64) bool {
	d := p.due
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.from <= next {
		if at, ok := p.cron.Next(d.to); now <= d.to || !ok || at > now {
			return true
		}
	}
	n := 0
	for at, ok := next, true; ok && at <= now; at, ok = p.cron.Next(at) {
		if n++; n > p.spec.CatchUp {
			return false
		}
	}
	d.from, d.to = next, now
	return true
}

// newest returns the nth newest instant of the cron expression at or before now.
func (p *Plan) newest(now int64, n int) (int64, bool) {
	at, ok := now, true
	if now < math.MaxInt64 {
		at++
	}
	for ; ok && n > 0; n-- {
		at, ok = p.cron.Prev(at)
	}
	return at, ok
}

// countLimit bounds how many skipped instants of a cron expression are counted
// one by one.
const countLimit = 100_000

// between counts the instants from a (on the grid) up to but not including b
// (on the grid, after a), and returns the last of them.
func (p *Plan) between(a, b int64) (n, last int64) {
	if p.cron == nil {
		every := uint64(p.spec.Every)
		return int64((uint64(b) - uint64(a)) / every), b - int64(every)
	}
	last, _ = p.cron.Prev(b)
	for ok := true; ok && a < b && n < countLimit; a, ok = p.cron.Next(a) {
		n++
	}
	return n, last
}

// addTime returns t + d, or false when that is beyond int64.
func addTime(t int64, d uint64) (int64, bool) {
	if d > uint64(math.MaxInt64)-uint64(t) { // exact for negative t too
		return 0, false
	}
	return int64(uint64(t) + d), true
}

// subTime returns t - d for d >= 0, at least the smallest instant.
func subTime(t int64, d time.Duration) int64 {
	if t < math.MinInt64+int64(d) {
		return math.MinInt64
	}
	return t - int64(d)
}
