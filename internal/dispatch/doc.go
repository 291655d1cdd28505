// Package dispatch runs code that the store did not write: triggers, user
// functions, sink handlers. It bounds how much of it waits ([Queue]), how long
// it may take ([Budgeted]), in which order it runs ([Ticket], [Queue] by key)
// and turns its panics into errors ([Call]).
//
// Every goroutine started here belongs to a value with a Close that is bounded
// in time and names whatever did not end. All waits are channel waits, so that
// testing/synctest sees them as durable.
package dispatch
