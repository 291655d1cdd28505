package tickwell

import "sync/atomic"

// lateness settles who comes first: a call that returns or its budget's end.
type lateness struct{ state atomic.Int32 }

// end is told that the call has returned, and reports whether it was late.
func (l *lateness) end() (late bool) { return !l.state.CompareAndSwap(0, 1) }

// expire is told that the time is over, and reports whether the call was still
// running.
func (l *lateness) expire() (running bool) { return l.state.CompareAndSwap(0, 2) }
