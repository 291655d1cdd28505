// Package deliver carries events from a durable queue to a handler: it
// batches, bounds attempts, retries with back-off, breaks the circuit, keeps
// the order of keys, sets aside what can never be delivered and moves the
// queue's position only past events that are settled.
//
// The promise is at least once: an event handed out again after a failure or a
// restart is the same event with the same id.
package deliver
