// Package schedule decides when something is due.
//
// A [Plan] is the arithmetic of a continuous query: a grid of execution
// instants (a fixed interval from a boundary, or a cron expression) and the
// range of data each execution covers. A [Scheduler] runs tasks by their plans
// and keeps going through steps of the wall clock.
//
// Instants are Unix nanoseconds in int64, durations time.Duration; arithmetic
// that would leave int64 ends the schedule or saturates, it never wraps.
package schedule
