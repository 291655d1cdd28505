package main

import (
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// simClock is the clock of a session: the computer's, until it is set.
type simClock struct {
	mu    sync.Mutex
	real  clock.Clock
	fake  *clock.Fake // once it was set
	base  time.Duration
	next  int
	armed map[int]*simTimer
}

// simTimer is a call that waits for the real clock.
type simTimer struct {
	due  time.Duration
	f    func()
	stop func() bool // of the timer it is on
}

func newSimClock() *simClock {
	return &simClock{real: clock.System(), armed: map[int]*simTimer{}}
}

func (c *simClock) simulated() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fake != nil
}

// Now returns the time shown.
func (c *simClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fake != nil {
		return c.fake.Now()
	}
	return c.real.Now()
}

// Mono never goes back, also when the clock becomes a simulated one.
func (c *simClock) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono()
}

func (c *simClock) mono() time.Duration {
	if c.fake != nil {
		return c.base + c.fake.Mono()
	}
	return c.real.Mono()
}

// AfterFunc calls f when d has passed on the clock.
func (c *simClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fake != nil {
		return c.fake.AfterFunc(d, f)
	}
	t := &simTimer{due: c.mono() + d, f: f}
	id := c.next
	c.next++
	c.armed[id] = t
	t.stop = c.real.AfterFunc(d, func() {
		c.mu.Lock()
		_, mine := c.armed[id]
		delete(c.armed, id)
		c.mu.Unlock()
		if mine {
			f()
		}
	})
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.armed, id)
		return t.stop()
	}
}

// set shows another time; from the first time on the clock stands still.
func (c *simClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fake != nil {
		c.fake.Set(at)
		return
	}
	c.base = c.mono()
	c.fake = clock.NewFake(at)
	for id, t := range c.armed {
		if t.stop() { // else it is being called
			t.stop = c.fake.AfterFunc(max(0, t.due-c.base), t.f)
			delete(c.armed, id)
		}
	}
}

func (c *simClock) advance(d time.Duration) {
	c.mu.Lock()
	fake := c.fake
	c.mu.Unlock()
	fake.Advance(d)
}
