package window

import (
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"slices"
)

// Window is what an evaluator sees: rows in order of time and the stretch they
// stand for. It is a view that is valid during the call; Clone keeps it.
type Window[T any] struct{ v *view[T] }

// Start is the window's first instant for time and calendar windows, and the
// time of the first row for all others.
func (w Window[T]) Start() int64 { return w.v.start }

// End is the first instant after a time or calendar window, and the time of the
// last row for all others.
func (w Window[T]) End() int64 { return w.v.end }

// Len is the number of rows.
func (w Window[T]) Len() int { return len(w.v.times) }

// Time returns the time of row i.
func (w Window[T]) Time(i int) int64 { return w.v.times[i] }

// Value returns the value of row i.
func (w Window[T]) Value(i int) T { return w.v.vals[i] }

// Times returns the times of all rows. It must not be changed.
func (w Window[T]) Times() []int64 { return slices.Clip(w.v.times) }

// Values returns the values of all rows. It must not be changed.
func (w Window[T]) Values() []T { return slices.Clip(w.v.vals) }

// All yields time and value of each row.
func (w Window[T]) All() iter.Seq2[int64, T] {
	return func(yield func(int64, T) bool) {
		for i, t := range w.v.times {
			if !yield(t, w.v.vals[i]) {
				return
			}
		}
	}
}

// FirstRow is the number of the window's first row, counting all accepted rows
// from 0; it finds the other columns of the row. It means nothing where a
// lateness lets rows change their order.
func (w Window[T]) FirstRow() int64 { return w.v.row }

// Reason tells why the window is given now.
func (w Window[T]) Reason() Reason { return w.v.reason }

// Revision counts the times this window was given before.
func (w Window[T]) Revision() int { return int(w.v.rev) }

// Final reports whether the window is complete: it is not given again.
func (w Window[T]) Final() bool { return !w.v.early }

// Skipped is 0 except in a gap record (Reason [Gapped]), which stands for that
// many empty windows between Start and End.
func (w Window[T]) Skipped() int64 { return w.v.skipped }

// Clone returns a copy that may be kept.
func (w Window[T]) Clone() Window[T] {
	v := *w.v
	v.times, v.vals = slices.Clone(v.times), slices.Clone(v.vals)
	return Window[T]{&v}
}

// view is what a Window shows. The fields have a type of their own because names
// of functions that are made for a type spell its fields, in every program.
type view[T any] struct{ shown[T] }

type shown[T any] struct {
	start, end int64
	row        int64
	skipped    int64
	times      []int64
	vals       []T
	rev        uint32
	reason     Reason
	early      bool
}

// copyTo copies v into the memory of dst.
func (v *view[T]) copyTo(dst *view[T]) {
	times, vals := append(dst.times[:0], v.times...), append(dst.vals[:0], v.vals...)
	*dst = *v
	dst.times, dst.vals = times, vals
}

// Reason says what made a window be given.
type Reason uint8

// The reasons.
const (
	Closed  Reason = iota // a row or Advance went past its end
	Idle                  // the source was silent: the clock went past its end
	Flushed               // Flush, or the end of a pulled sequence
	Updated               // not final: emission on update, early or periodic
	Gapped                // a gap record: empty windows over the cap
	Evicted               // the key had to go
)

// String returns it in words.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

var reasonNames = [...]string{"closed", "idle", "flushed", "updated", "gapped", "evicted"}

// Outcome says what became of a row. None of them is an error.
type Outcome uint8

// The outcomes.
const (
	Accepted Outcome = iota
	Late             // every window of the row has been given; see Options.Lateness
	NotNewer         // Options.Strict, and the time is not after the newest
	Future           // further ahead of the clock than Options.MaxFuture
	Refused          // outside Begin and End, or a cap is reached, or an error tells why
)

// String returns it in words.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome %d", uint8(o))
}

var outcomeNames = [...]string{"accepted", "late", "not newer", "future", "refused"}

// Errors that Collect and its like wrap.
var (
	ErrRejected  = errors.New("too many windows are waiting for evaluation")
	ErrReentrant = errors.New("called from its own evaluator")
	ErrClosed    = errors.New("closed")
	ErrState     = errors.New("saved state does not fit")
)

// PanicError is a panic of user code, caught.
type PanicError struct {
	Value any    // what was panicked with
	Stack []byte // where, as debug.Stack gives it
}

// Error returns the text.
func (e *PanicError) Error() string { return fmt.Sprintf("window: panic in user code: %v", e.Value) }

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

//go:noinline
func caught(v any) error { return &PanicError{Value: v, Stack: debug.Stack()} }

// Stats counts what happened since a handler was made, or restored.
type Stats struct {
	Accepted, Late, NotNewer, Future, Refused uint64 // rows by outcome

	Windows uint64 // given to the evaluator or queued, final or not
	Empty   uint64 // of these, windows without rows
	Skipped uint64 // empty windows told of in gap records
	Dropped uint64 // windows that the rejection policy dropped or refused
	Failed  uint64 // evaluations that returned an error or panicked
	Bytes   int    // memory held for rows
}
