package deliver

import "time"

// Health is a sink's state in one word.
type Health uint8

// The states of a sink.
const (
	Starting  Health = iota // not opened yet
	OK                      // the last attempt was answered
	Degraded                // retrying
	Failing                 // breaker open, disabled, or dead letters cannot be written
	Suspended               // disabled by the target, see Pipeline.Enable
	Stopped
)

// String returns the health in words.
func (h Health) String() string {
	return [...]string{"starting", "ok", "degraded", "failing", "disabled", "stopped"}[min(h, Stopped)]
}

// Breaker is the state of a sink's circuit breaker.
type Breaker uint8

// The states of a breaker.
const (
	BreakerClosed Breaker = iota // attempts as usual
	BreakerOpen                  // none until the back-off has passed
	BreakerProbe                 // one attempt is out to see whether it works again
)

// String returns the state in words.
func (b Breaker) String() string {
	return [...]string{"closed", "open", "half-open"}[min(b, BreakerProbe)]
}

// Stats tells what a pipeline has done since it was started.
type Stats struct {
	Received  int64 // events read from the queue
	Delivered int64 // acknowledged by the target
	Attempts  int64 // calls of Handle
	Retries   int64 // attempts that ended with something to be retried
	Opens     int64 // calls of Open
	Panics    int64
	Dead      int64            // events given to DeadLetter
	Dropped   map[string]int64 // events given up without one, by class; and what the source dropped, by its reasons

	Backlog  int64 // in the source, and not settled
	Behind   int64 // in the source, and settled, for one before them is not; less those that it has dropped and that are not
	Held     int   // in memory
	InFlight int   // attempts under way
	Acked    Pos
	Oldest   int64         // Item.Time of the oldest in memory that is not acknowledged; 0: none
	Drain    time.Duration // about how long the backlog takes at the present pace; -1: nothing comes through

	LastError   string // scrubbed; "" after a success
	LastErrorAt time.Time
	LastSuccess time.Time
	Breaker     Breaker
	Health      Health
	Since       time.Time // of Health
}
