package clock

import (
	"sync"
	"time"
)

// Fake is a [Clock] that stands still until a test moves it. It is safe for
// concurrent use.
type Fake struct {
	mu     sync.Mutex
	wall   time.Time
	mono   time.Duration
	timers []*fakeTimer // in the order of creation
	still  bool         // the wall clock stands
}

type fakeTimer struct {
	due  time.Duration // on Mono
	f    func()
	done bool // called or stopped
}

// NewFake returns a clock whose wall time is start and whose Mono is zero.
func NewFake(start time.Time) *Fake { return &Fake{wall: start} }

// Now returns the fake wall time.
func (c *Fake) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wall
}

// Mono returns how far the clock was advanced.
func (c *Fake) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono
}

// AfterFunc has f called by the Advance that takes Mono d further. If d is not
// positive that is the next Advance, even Advance(0).
func (c *Fake) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &fakeTimer{due: c.mono + max(d, 0), f: f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		prevented := !t.done
		t.done = true
		return prevented
	}
}

// Advance moves wall time and Mono forward by d and calls what falls due, in
// order of due time and, at one time, of creation: each with the clocks at its
// due time, one after the other, in the caller's goroutine. Timers that the
// calls create are called as well when they fall due within d. It returns when
// all calls have returned, so the caller must not hold a lock they need.
func (c *Fake) Advance(d time.Duration) { c.advance(d, false) }

// AdvanceMono is [Fake.Advance] while the wall clock stands still, as one that is
// read again only after a sleep. Nothing else may move the clock meanwhile.
func (c *Fake) AdvanceMono(d time.Duration) { c.advance(d, true) }

func (c *Fake) advance(d time.Duration, still bool) {
	c.mu.Lock()
	c.still = still
	end := c.mono + max(d, 0)
	for {
		t := c.popDue(end)
		if t == nil {
			break
		}
		c.moveTo(t.due)
		c.mu.Unlock()
		t.f()
		c.mu.Lock()
	}
	c.moveTo(end)
	c.still = false
	c.mu.Unlock()
}

// Set makes wall time jump, as a clock correction does. Mono and the timers,
// which follow it, are left alone.
func (c *Fake) Set(wall time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall = wall
}

// Timers returns how many calls are waiting.
func (c *Fake) Timers() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, t := range c.timers {
		if !t.done {
			n++
		}
	}
	return n
}

// moveTo never goes back: an Advance in another goroutine may have been faster.
func (c *Fake) moveTo(mono time.Duration) {
	if d := mono - c.mono; d > 0 {
		c.mono += d
		if !c.still {
			c.wall = c.wall.Add(d)
		}
	}
}

// popDue takes out the earliest timer due at end or before, and forgets the
// stopped ones.
func (c *Fake) popDue(end time.Duration) *fakeTimer {
	var first *fakeTimer
	kept := c.timers[:0]
	for _, t := range c.timers {
		if t.done {
			continue
		}
		kept = append(kept, t)
		if t.due <= end && (first == nil || t.due < first.due) {
			first = t
		}
	}
	clear(c.timers[len(kept):])
	c.timers = kept
	if first != nil {
		first.done = true // taken out by the next pass
	}
	return first
}
