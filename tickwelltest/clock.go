// Package tickwelltest has what tests of programs that use tickwell need:
// a Store whose clock the test moves, a Recorder for its events, a Disk that
// fails when told to, a Workload of made-up rows, and checks of one's own
// triggers, functions and sinks (CheckTrigger, CheckUDTF, CheckUDAF, TestSink).
package tickwelltest

import (
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
)

// Clock is a [tickwell.Clock] that stands still until it is moved: for tests,
// and for running history through a store as if it were live. It is safe for
// concurrent use.
type Clock struct{ fake *clock.Fake }

var _ tickwell.Clock = (*Clock)(nil)

// NewClock returns a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{clock.NewFake(start)} }

// Now returns the time shown.
func (c *Clock) Now() time.Time { return c.fake.Now() }

// Mono returns how far the clock has been advanced.
func (c *Clock) Mono() time.Duration { return c.fake.Mono() }

// AfterFunc has f called by the [Clock.Advance] that takes the clock d further.
func (c *Clock) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	return c.fake.AfterFunc(d, f)
}

// Advance moves the clock by d and calls what falls due on the way, one after
// the other. Work that this starts in the store may still run when it returns:
// see [tickwell.DB.Quiesce].
func (c *Clock) Advance(d time.Duration) { c.fake.Advance(d) }

// Set makes the wall time jump, as a correction of the system's clock does.
func (c *Clock) Set(t time.Time) { c.fake.Set(t) }
