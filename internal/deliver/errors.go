package deliver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// Class is what a handler's error means for the events it was given.
type Class uint8

// The classes, as [Classify] tells them apart.
const (
	Delivered      Class = iota // no error: the target has acknowledged all
	ClassRetry                  // transient, or not classified: the same events again later
	ClassReconnect              // the session is gone: open, then the same events again
	ClassPermanent              // will never succeed
	ClassTooLarge               // will not succeed at this size
	ClassPartial                // some are done, some rejected, the rest is to be retried
	ClassDisabled               // the target does not want any more: stop and keep the queue
	ClassExpired                // given up after too long; only in dead letters
	ClassPoison                 // given up because it fails alone while others are accepted; only in dead letters
)

var classNames = [...]string{"delivered", "retry", "not connected", "permanent", "too large", "partial", "disabled", "expired", "poison"}

// String returns the class in words.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class %d", c)
}

// classified is an error with its class.
type classified struct {
	class Class
	after time.Duration
	err   error
}

func (e *classified) Error() string {
	if e.class == ClassRetry && e.after > 0 {
		return fmt.Sprintf("retry after %v: %v", e.after, e.err)
	}
	return fmt.Sprintf("%v: %v", e.class, e.err)
}

func (e *classified) Unwrap() error { return e.err }

// Retry marks err as transient. With after > 0 the whole sink is left in peace
// for that long, as a Retry-After header asks.
func Retry(err error, after time.Duration) error {
	return mark(&classified{ClassRetry, after, err})
}

// NotConnected marks err as the loss of the session: the handler is opened
// again before the next attempt.
func NotConnected(err error) error { return mark(&classified{ClassReconnect, 0, err}) }

// Permanent marks err as one that no repetition cures. A batch is then split
// to find the events it is about; those go to the dead letters.
func Permanent(err error) error { return mark(&classified{ClassPermanent, 0, err}) }

// TooLarge marks err as caused by the size of the batch, which is split; a
// single event goes to the dead letters.
func TooLarge(err error) error { return mark(&classified{ClassTooLarge, 0, err}) }

// Disabled marks err as the target's wish to get nothing more (410 Gone, a
// revoked webhook): the sink stops and keeps its queue until it is enabled.
func Disabled(err error) error { return mark(&classified{ClassDisabled, 0, err}) }

func mark(c *classified) error {
	if c.err == nil {
		return nil
	}
	return c
}

// Partial is the result of a batch of which only some events were accepted.
// Indices refer to the events the handler was given; those in neither list are
// retried, those in both and those out of range count as rejected and not at
// all.
type Partial struct {
	Done     []int
	Rejected []int
	Causes   map[int]error // why, for rejected ones and those to be retried
	Rest     error         // classified, why the rest is to be retried and when; may be nil
}

// Error counts the parts.
func (p *Partial) Error() string {
	text := fmt.Sprintf("partial: %d done, %d rejected", len(p.Done), len(p.Rejected))
	if p.Rest != nil {
		text += ": " + p.Rest.Error()
	}
	return text
}

// Classify returns the class of a handler's error and the wait it asks for.
// What is not classified is retryable; a panic asks for a new session as well.
func Classify(err error) (Class, time.Duration) {
	if err == nil {
		return Delivered, 0
	}
	if crashed(err) {
		return ClassReconnect, 0
	}
	var p *Partial
	if errors.As(err, &p) {
		return ClassPartial, 0
	}
	var c *classified
	if errors.As(err, &c) {
		return c.class, max(c.after, 0)
	}
	return ClassRetry, 0
}

// crashed reports whether user code panicked or left its goroutine.
func crashed(err error) bool {
	var panicked *dispatch.PanicError
	var left *dispatch.GoexitError
	return errors.As(err, &panicked) || errors.As(err, &left)
}

// errTimeout is the cause of an attempt's context at its deadline.
var errTimeout = fmt.Errorf("attempt timed out: %w", context.DeadlineExceeded)
