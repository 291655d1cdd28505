package main

import (
	"sync"
	"time"
)

// stepped is a clock that moves only when it is told to, so that a day passes
// in seconds. A gateway leaves Options.Clock alone.
type stepped struct {
	mu     sync.Mutex
	now    time.Time
	mono   time.Duration
	timers []*timer
}

type timer struct {
	at   time.Duration
	call func()
}

func (c *stepped) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *stepped) Mono() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mono
}

func (c *stepped) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &timer{c.mono + d, f}
	c.timers = append(c.timers, t)
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.take(t)
	}
}

// take removes t, if it is there.
func (c *stepped) take(t *timer) bool {
	for i, o := range c.timers {
		if o == t {
			c.timers = append(c.timers[:i], c.timers[i+1:]...)
			return true
		}
	}
	return false
}

// step moves the clock and calls what has fallen due.
func (c *stepped) step(d time.Duration) {
	c.mu.Lock()
	c.now, c.mono = c.now.Add(d), c.mono+d
	var due []func()
	for i := 0; i < len(c.timers); i++ {
		if t := c.timers[i]; t.at <= c.mono {
			due = append(due, t.call)
			c.take(t)
			i--
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}
