package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Errors to test for with [errors.Is]. Of these only ErrOverloaded and
// ErrNoSpace are worth retrying unchanged.
var (
	ErrClosed        = errs.Closed        // the DB, or what the call named, is closed
	ErrLocked        = errs.Locked        // another process or DB has the folder open
	ErrReadOnly      = errs.ReadOnly      // a write to a store opened read-only, or to a column that a continuous query owns
	ErrNotFound      = errs.NotFound      // no series, trigger, query, function or sink of that name
	ErrExists        = errs.Exists        // the name is taken by a different definition
	ErrKindMismatch  = errs.KindMismatch  // a value's kind differs from its series'
	ErrTooLate       = errs.TooLate       // a point older than what is kept
	ErrNoSpace       = errs.NoSpace       // the disk is full; reads go on
	ErrStorageFailed = errs.StorageFailed // the disk failed; reads go on, writes need a reopen
	ErrOverloaded    = errs.Overloaded    // memory or a queue is full
	ErrDamaged       = errs.Damaged       // a query met a damaged range
	ErrCorrupt       = errs.Corrupt       // bytes that fail their checksum or make no sense
	ErrReentrant     = errs.Reentrant     // a callback called what it may not
	ErrLimit         = errs.Limit         // a configured or built-in limit
	ErrRejected      = errs.Rejected      // a BEFORE trigger refused the insert
	ErrBadInput      = errs.BadInput      // an argument that can never be accepted
)

// Error says which operation failed on what, as [io/fs.PathError] does. Its
// text is "tickwell: op subject: cause".
type Error struct {
	Op      string // such as "insert", "open", "create trigger"
	Subject string // device, series, folder or name
	Stored  bool   // the rows are stored although the call failed
	Durable bool   // and are known to survive power loss
	Err     error  // the cause
}

// Error returns the text.
func (e *Error) Error() string {
	if e.Subject == "" {
		return "tickwell: " + e.Op + ": " + e.Err.Error()
	}
	return "tickwell: " + e.Op + " " + pattern.Shorten(e.Subject, 512) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// TriggerError is the failure of a trigger. It goes to Options.OnTriggerError;
// with the pessimistic strategy it is also what the insert returns.
type TriggerError struct {
	Name    string // the trigger
	Phase   string // "validate", "create", "restore", "fire", "drop" …
	Event   When   // BeforeInsert or AfterInsert
	Stored  bool   // whether the rows of the insert are stored
	Durable bool   // and whether they are known to survive power loss
	Err     error  // the cause: what the hook returned, or its panic
}

// Error returns the text.
func (e *TriggerError) Error() string {
	s := "tickwell: " + e.Phase + " trigger " + e.Name + ": " + e.Err.Error()
	if e.Stored {
		s += " (the rows are stored)"
	}
	return s
}

// Unwrap returns the cause.
func (e *TriggerError) Unwrap() error { return e.Err }

// InsertError lists the rows that a partial insert did not store; the others
// are stored. See [WriteOptions].
type InsertError struct {
	Rows []RowError // at least one, in the order of the tablet
}

// RowError is one row's failure.
type RowError struct {
	Device string // the device of the tablet
	Row    int    // index into the tablet
	Column string // measurement, "" if the whole row is at fault
	Err    error  // the cause
}

// Error names the first row and how many more there are.
func (e *InsertError) Error() string {
	r := e.Rows[0]
	s := fmt.Sprintf("tickwell: insert %s: row %d", r.Device, r.Row)
	if r.Column != "" {
		s += " column " + r.Column
	}
	s += ": " + r.Err.Error()
	if n := len(e.Rows) - 1; n > 0 {
		s += fmt.Sprintf(" (and %d more)", n)
	}
	return s
}

// Unwrap returns the causes.
func (e *InsertError) Unwrap() []error {
	all := make([]error, len(e.Rows))
	for i := range e.Rows {
		all[i] = e.Rows[i].Err
	}
	return all
}

// PanicError is a panic in user code made an error. The panic does not reach
// the host program.
type PanicError struct {
	Name  string // of the trigger, function, query or sink
	Value any    // what was thrown
	Stack []byte // where
}

// Error names whose code panicked and with what, without the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("%s panicked: %v", e.Name, e.Value) }

// call runs user code under a name and turns a panic into a [PanicError].
func call(name string, f func() error) error {
	return asPanic(dispatch.Call(name, f))
}

func asPanic(err error) error {
	if p, ok := err.(*dispatch.PanicError); ok {
		return &PanicError{Name: p.Name, Value: p.Value, Stack: p.Stack}
	}
	return err
}

func kindMismatch(name string, have, got Kind) error {
	return fmt.Errorf("column %q is %s, got %s: %w", name, have, got, errs.KindMismatch)
}
