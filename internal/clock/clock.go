// Package clock is the only place where the store meets the time package.
package clock

import "time"

// Clock is a source of processing time. Now is wall time and may jump; Mono
// only grows. AfterFunc calls f in its own goroutine after d and returns a
// function that reports whether it prevented the call.
type Clock interface {
	Now() time.Time
	Mono() time.Duration
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// System returns the time package as a [Clock]. Inside a testing/synctest
// bubble that time is the bubble's.
func System() Clock { return system{start: time.Now()} }

type system struct{ start time.Time }

func (s system) Now() time.Time { return time.Now() }

func (s system) Mono() time.Duration { return time.Since(s.start) }

func (s system) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}
