// Package window cuts rows that are ordered by time into windows. It stands
// alone: it needs nothing but the standard library.
//
// A [Spec] says where windows begin and end: every so many rows ([Count]), every
// so much time ([Tumbling], [Sliding]), by the calendar of a zone ([Days],
// [Months] …), while rows follow each other closely ([Gap]), while a value stays
// the same or near ([Same], [Within]), or while something holds ([While]).
//
// The same Spec serves four faces:
//
//   - [New] makes a [Handler] that takes rows as they come and gives each window
//     to a function, with all its rows;
//   - [Reduce] makes a [Reducing] that keeps no rows but one value for each
//     window, or piece of one, such as its average;
//   - [Keyed] and [ReduceKeyed] do the same for many keys at once;
//   - [Over], [Cut] and [Ranges] pull windows out of rows, columns or ranges of
//     time that are there already.
//
// Rows that cannot be taken are no errors: Collect tells their [Outcome]. Errors
// and panics of the evaluating function are returned by the call that caused
// them, after the state has moved on, so that the next call works.
//
// Windows are evaluated in the caller's goroutine, or by a [Pool]. No goroutine
// runs that does not belong to a Pool, and no timer unless an option needs the
// clock.
package window
