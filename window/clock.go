package window

import "time"

// Clock is where idle timeouts, early and periodic emission and the far-future
// guard take the time from. AfterFunc calls f in its own goroutine and returns a
// function that reports whether it prevented the call.
type Clock interface {
	// Now returns the wall time, which may jump.
	Now() time.Time
	// Mono returns time that only grows.
	Mono() time.Duration
	// AfterFunc calls f after d.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// realTime is the time package; in a testing/synctest bubble its time is the
// bubble's.
type realTime struct{ start time.Time }

func (c realTime) Now() time.Time      { return time.Now() }
func (c realTime) Mono() time.Duration { return time.Since(c.start) }
func (c realTime) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

func clockOr(c Clock) Clock {
	if c == nil {
		return realTime{time.Now()}
	}
	return c
}
