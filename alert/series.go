package alert

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
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
	shown float64 // the value that is stored with it
	stale bool    // value is not that of the newest stored point
	top   int64   // the newest point of all, also one of a clock that was wrong
	known bool    // the store tells what it is
}

// decided is what a state has that the stored points do not tell.
type decided struct {
	holds, firing, sent    bool
	since, cleared, sentAt int64
	changes                int
	changed                int64 // the sum of them
}

func (s *series) decided() decided {
	d := decided{s.holds, s.firing, s.sent, s.since, s.cleared, s.sentAt, len(s.changes), 0}
	for _, at := range s.changes {
		d.changed += at
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
		due = min(due, s.tells(r))
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

// tells returns when an event that was held back is sent.
func (s *series) tells(r *Rule) int64 {
	if at := s.mayTell(r); at > math.MinInt64 {
		return at
	}
	return s.last // the rule was altered: nothing holds it back any more
}

// advance meets the deadlines up to now, each at its time.
func (s *series) advance(r *Rule, now int64, tell func(*series, int64)) {
	for {
		due := s.next(r)
		if due > now || due == never {
			return
		}
		switch {
		case s.sent != s.firing && s.tells(r) <= due:
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
		i, _ := slices.BinarySearch(s.changes, at) // late points make it go back
		s.changes = slices.Insert(s.changes, i, at)
		if n := len(s.changes); n > r.FlapChanges+1 { // more are not needed to know when it is calm
			s.changes = slices.Delete(s.changes, 0, n-r.FlapChanges-1)
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

// asleep is how far the clock may leap because the machine slept: then that time has
// passed. A clock that leaps further was set right.
const asleep = int64(30 * 24 * time.Hour)

// rewind takes the series back to a point that is not newer than its newest, if that
// is of a time to come and the point is of now: the clock that stamped the newest
// was wrong, or the store's is, as after a boot in 1970. Without it one such point
// would silence the alert until that time. What is to last does so from the point on;
// changes stay as far from each other as they were.
func (s *series) rewind(at, now int64) bool {
	if s.last-ahead <= now || at-ahead > now || at+behind < now {
		return false
	}
	for i, c := range s.changes {
		if c-ahead > now {
			s.changes[i] = min(at-(s.last-c), at)
		}
	}
	slices.Sort(s.changes)
	s.last, s.since = at-1, min(s.since, at)
	if s.cleared != never {
		s.cleared = min(s.cleared, at)
	}
	if s.sentAt != never {
		s.sentAt = min(s.sentAt, at)
	}
	return true
}

// rewound reports whether the newest point was of a clock that was wrong.
func (s *series) rewound() bool { return s.last < s.top }

// inStep reports whether the newest point is not far ahead of the clock.
func (s *series) inStep(now int64) bool { return s.last <= now+ahead }

// follow moves the times that the clock showed before it was set forward by d: what
// is to last has lasted no longer by that. It reports whether there are any.
func (s *series) follow(d, now int64) (moved bool) {
	move := func(t *int64) {
		if *t <= now-d+ahead && *t != math.MinInt64 {
			*t, moved = min(*t+d, now), true
		}
	}
	for i := range s.changes {
		move(&s.changes[i])
	}
	slices.Sort(s.changes)
	move(&s.last)
	if s.holds {
		move(&s.since)
	}
	move(&s.cleared)
	move(&s.sentAt)
	if moved {
		s.known = false // the store tells of earlier times
		s.top = max(s.top, s.last)
	}
	return moved
}

// pass takes a NaN, which is nothing but the newest point, or of a time to come not
// even that.
func (s *series) pass(at, now int64) {
	if s.top = max(s.top, at); at-ahead <= now || !s.inStep(now) || s.last == math.MinInt64 {
		s.last, s.stale = at, true
	}
}

// fit makes a series that is stored one of r, which may have been another rule then.
func (s *series) fit(r *Rule) {
	if r.Absent > 0 {
		s.holds, s.cleared = false, never
	} else if s.firing {
		s.holds = true
	}
}

// point takes a point newer than all before.
func (s *series) point(r *Rule, t int64, v float64, now int64, tell func(*series, int64)) {
	s.advance(r, t, tell)
	s.last, s.top, s.stale = t, max(s.top, t), false
	if !math.IsNaN(v) {
		s.value = v
	}
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

// rewoundFlag says that the time of the newest point comes before the changes.
const rewoundFlag = 1 << 3

func (s *series) append(b []byte) []byte {
	var flags byte
	for i, on := range []bool{s.holds, s.firing, s.sent, s.rewound()} {
		if on {
			flags |= 1 << i
		}
	}
	b = append(b, stateVersion, flags)
	n := []int64{s.last, int64(math.Float64bits(s.value)), s.since, s.cleared, s.sentAt}
	if s.rewound() {
		n = append(n, s.top)
	}
	for _, n := range append(n, s.changes...) {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func loadSeries(path string, b []byte) (*series, error) {
	if len(b) < 2+5*8 || (len(b)-2)%8 != 0 || b[0] != stateVersion || b[1]&rewoundFlag != 0 && len(b) < 2+6*8 {
		return nil, fmt.Errorf("alert: state of %s makes no sense: %w", path, tickwell.ErrCorrupt)
	}
	s, flags := newSeries(path), b[1]
	s.holds, s.firing, s.sent = flags&1 != 0, flags&2 != 0, flags&4 != 0
	var n []int64
	for b = b[2:]; len(b) > 0; b = b[8:] {
		n = append(n, int64(binary.LittleEndian.Uint64(b)))
	}
	s.last, s.value, s.since, s.cleared, s.sentAt, s.changes = n[0], math.Float64frombits(uint64(n[1])), n[2], n[3], n[4], n[5:]
	s.top = s.last
	if flags&rewoundFlag != 0 {
		s.top, s.changes = s.changes[0], s.changes[1:]
	}
	slices.Sort(s.changes)
	s.saved, s.shown = s.decided(), s.value
	return s, nil
}
