package dispatch

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is a panic of user code, caught.
//
// It deliberately does not unwrap to Value: a panic that carries an error must
// not be taken for a decision of that error's kind.
type PanicError struct {
	Name  string // of the trigger, function or handler that panicked
	Value any    // what it panicked with
	Stack []byte // of the panicking goroutine
}

// Error names the code and what it panicked with; the stack is left to logs.
func (e *PanicError) Error() string { return fmt.Sprintf("%s: panic: %v", e.Name, printable(e.Value)) }

// printable renders a panic value without trusting its own String or Error
// method, which may panic as well.
func printable(v any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("value of type %T", v)
		}
	}()
	return fmt.Sprint(v)
}

// A GoexitError says that user code ended its goroutine with runtime.Goexit
// instead of returning, as t.FailNow does.
type GoexitError struct{ Name string }

// Error names the code that left.
func (e *GoexitError) Error() string { return e.Name + ": goroutine ended by runtime.Goexit" }

// Call runs f on the caller's goroutine and returns its error, or a
// [*PanicError] when it panicked. A runtime.Goexit inside f ends the caller's
// goroutine: deferred calls run, Call does not return.
func Call(name string, f func() error) (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			err = &PanicError{Name: name, Value: v, Stack: debug.Stack()}
		}
	}()
	err = f()
	returned = true
	return err
}

// guard runs f, which must be the last work of its goroutine, and hands its
// result to done exactly once: also after a panic ([*PanicError]) and after
// runtime.Goexit ([*GoexitError]).
func guard(name string, f func() error, done func(error)) {
	var err error
	returned := false
	defer func() {
		if !returned {
			err = &GoexitError{Name: name}
		}
		done(err)
	}()
	err = Call(name, f)
	returned = true
}
