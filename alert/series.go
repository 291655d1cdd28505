package alert

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/tickwell/tickwell"
)

const never = math.MaxInt64

// series is the state of the alert of one series. Times are Unix nanoseconds.
type series struct {
	path    string
	last    int64 // newest point
	value   float64
	holds   bool  // condition: the alert is on its way to firing, or there
	since   int64 // when that began
	cleared int64 // when it was cleared, while KeepFiring goes on; never: not
	firing  bool
	changes []int64 // when firing changed, of late
	sent    bool    // what the last event said
	sentAt  int64   // and when; never: none yet

	due   int64 // the next deadline, as in the queue of the trigger
	index int   // there; -1: not in it

	saved decided // as it is stored
	top   int64   // the newest point of all, also one that was wrong
	off   int64   // if it was: the clock over monotonic time when that was found
	known bool    // the store tells what it is
}

// decided is what a state has that the stored points do not tell.
type decided struct {
	holds, firing, sent    bool
	since, cleared, sentAt int64
	changes                int
	changed                int64
}

func (s *series) decided() decided {
	d := decided{s.holds, s.firing, s.sent, s.since, s.cleared, s.sentAt, len(s.changes), 0}
	if d.changes > 0 {
		d.changed = s.changes[d.changes-1]
	}
	return d
}

func newSeries(path string) *series {
	return &series{path: path, last: math.MinInt64, top: math.MinInt64, cleared: never, sentAt: never, due: never, index: -1}
}

func after(t int64, d time.Duration) int64 {
	if t > never-int64(d) {
		return never
	}
	return t + int64(d)
}

// next returns the earliest deadline, never if there is none.
func (s *series) next(r *Rule) int64 {
	due := int64(never)
	if r.Absent > 0 && !s.firing && s.last != math.MinInt64 {
		due = min(due, after(s.last, r.Absent))
	}
	if s.holds && !s.firing {
		due = min(due, after(s.since, r.For))
	}
	if s.cleared != never {
		due = min(due, after(s.cleared, r.KeepFiring))
	}
	if s.sent != s.firing {
		due = min(due, s.mayTell(r))
	}
	return due
}

// mayTell returns when an event may be sent at the earliest.
func (s *series) mayTell(r *Rule) int64 {
	at := int64(math.MinInt64)
	if r.MinInterval > 0 && s.sentAt != never {
		at = after(s.sentAt, r.MinInterval)
	}
	if n := len(s.changes); r.FlapChanges > 0 && n > r.FlapChanges {
		at = max(at, after(s.changes[n-1-r.FlapChanges], r.FlapWithin))
	}
	return at
}

// advance meets the deadlines up to now, each at its time.
func (s *series) advance(r *Rule, now int64, tell func(*series, int64)) {
	for {
		due := s.next(r)
		if due > now || due == never {
			return
		}
		switch {
		case s.sent != s.firing && s.mayTell(r) <= due:
			s.tell(due, tell)
		case s.cleared != never && after(s.cleared, r.KeepFiring) <= due:
			s.cleared, s.holds = never, false
			s.change(r, false, due, tell)
		default:
			s.change(r, true, due, tell)
		}
	}
}

// change makes the alert fire or not, and tells of it if it may.
func (s *series) change(r *Rule, firing bool, at int64, tell func(*series, int64)) {
	s.firing = firing
	if r.FlapChanges > 0 {
		for len(s.changes) > 0 && after(s.changes[0], r.FlapWithin) <= at {
			s.changes = s.changes[1:]
		}
		s.changes = append(s.changes, at)
		if n := len(s.changes); n > r.FlapChanges+1 { // more are not needed to know when it is calm
			s.changes = append(s.changes[:0], s.changes[n-r.FlapChanges-1:]...)
		}
	}
	if s.sent != s.firing && s.mayTell(r) <= at {
		s.tell(at, tell)
	}
}

func (s *series) tell(at int64, tell func(*series, int64)) {
	s.sent, s.sentAt = s.firing, at
	tell(s, at)
}

// ahead is how far the newest point of a series may be ahead of the clock before it
// is no measure of what is old, and behind how old a point may be that shows it.
const (
	ahead  = int64(10 * time.Minute)
	behind = int64(time.Hour)
)

// rewind takes the series back to a point that is not newer than its newest, if that
// is of a time to come and the point is of now: the clock that stamped the newest
// was wrong, or the store's is, as after a boot in 1970. Without it one such point
// would silence the alert until that time. What is to last does so from the point on.
func (s *series) rewind(at, now int64) bool {
	if s.last-ahead <= now || at-ahead > now || at+behind < now {
		return false
	}
	s.last, s.since, s.changes = at-1, min(s.since, at), s.changes[:0]
	if s.cleared != never {
		s.cleared = min(s.cleared, at)
	}
	if s.sentAt != never {
		s.sentAt = min(s.sentAt, at)
	}
	return true
}

// follow reports whether the clock was set forward since the series was taken back,
// and moves its times if so: what is to last has lasted no longer by that. off is
// what the clock is over monotonic time.
func (s *series) follow(off, now int64) bool {
	d := off - s.off
	if s.last >= s.top || d <= ahead {
		return false
	}
	move := func(t *int64) {
		if *t < now {
			*t = min(*t+d, now)
		}
	}
	for i := range s.changes {
		move(&s.changes[i])
	}
	move(&s.last)
	move(&s.since)
	move(&s.cleared)
	move(&s.sentAt)
	s.off = off
	return true
}

// point takes a point newer than all before.
func (s *series) point(r *Rule, t int64, v float64, now int64, tell func(*series, int64)) {
	s.advance(r, t, tell)
	s.last, s.value, s.top = t, v, max(s.top, t)
	if r.Absent > 0 {
		if s.firing && after(t, r.Absent) > now {
			s.change(r, false, t, tell)
		}
		return
	}
	switch {
	case r.Condition.fire(v):
		s.cleared = never
		if !s.holds {
			s.holds, s.since = true, t
		}
	case s.holds && r.Condition.clear(v):
		if !s.firing {
			s.holds = false
		} else if s.cleared == never {
			s.cleared = t
		}
	}
	s.advance(r, t, tell) // without For or KeepFiring the deadline is now
}

const stateVersion = 1

func (s *series) append(b []byte) []byte {
	var flags byte
	for i, on := range []bool{s.holds, s.firing, s.sent} {
		if on {
			flags |= 1 << i
		}
	}
	b = append(b, stateVersion, flags)
	for _, n := range append([]int64{s.last, int64(math.Float64bits(s.value)), s.since, s.cleared, s.sentAt}, s.changes...) {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func loadSeries(path string, b []byte) (*series, error) {
	if len(b) < 2+5*8 || (len(b)-2)%8 != 0 || b[0] != stateVersion {
		return nil, fmt.Errorf("alert: state of %s makes no sense: %w", path, tickwell.ErrCorrupt)
	}
	s := newSeries(path)
	s.holds, s.firing, s.sent = b[1]&1 != 0, b[1]&2 != 0, b[1]&4 != 0
	var n []int64
	for b = b[2:]; len(b) > 0; b = b[8:] {
		n = append(n, int64(binary.LittleEndian.Uint64(b)))
	}
	s.last, s.value, s.since, s.cleared, s.sentAt, s.changes = n[0], math.Float64frombits(uint64(n[1])), n[2], n[3], n[4], n[5:]
	s.saved, s.top = s.decided(), s.last
	return s, nil
}
