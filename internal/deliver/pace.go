package deliver

import (
	"math"
	"time"
)

// pace says how fast a queue empties: what was settled over the last half to
// whole minute in which anything was.
type pace struct {
	from, mid, last moment
	on              bool
}

// moment is how much was settled at a time of the monotonic clock.
type moment struct {
	at time.Duration
	n  int64
}

const paceSpan = 30 * time.Second

// note takes in how much is settled by now.
func (p *pace) note(now time.Duration, n int64) {
	if n == p.last.n {
		return
	}
	switch {
	case !p.on || now-p.last.at > 2*paceSpan: // after a pause, which says nothing
		p.from, p.on = moment{now, p.last.n}, true
		p.mid = p.from
	case now-p.mid.at > paceSpan:
		p.from, p.mid = p.mid, p.last
	}
	p.last = moment{now, n}
}

// drain estimates how long the backlog takes if nothing is added: 0 if there is
// none, -1 if nothing has been settled lately. What happened within one second
// counts as if it had taken that second.
func (p *pace) drain(now time.Duration, backlog int64) time.Duration {
	switch {
	case backlog <= 0:
		return 0
	case !p.on || now-p.last.at > 2*paceSpan:
		return -1
	}
	took := max(now-p.from.at, time.Second)
	est := float64(backlog) * float64(took) / float64(p.last.n-p.from.n)
	return time.Duration(min(est, float64(math.MaxInt64/2)))
}
