package deliver

import (
	"context"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
)

// Options are the numbers of a pipeline. [Data] and [Notify] are the two
// profiles to start from; New replaces what is zero by Data's value, except
// where zero is said to mean something.
type Options struct {
	BatchEvents int           // most events in one attempt
	BatchBytes  int           // most bytes in one attempt, by Config.Size; a larger single event goes alone
	Linger      time.Duration // how long a batch that is not full waits for more; 0 = not at all

	AttemptTimeout time.Duration // deadline of one call of Handle, Open or Close
	BackoffMin     time.Duration // upper bound of the first wait; waits are uniform in [0, bound] (full jitter)
	BackoffMax     time.Duration // the bound doubles up to this
	MaxElapsed     time.Duration // give an event up this long after its first attempt; 0 = never
	MaxAge         time.Duration // give an event up at this age, once it has been tried in vain; 0 = never

	// PoisonAttempts gives an event up that has failed so often on its own for
	// reasons nobody classified, each time with others delivered in between, if
	// that cannot be chance: see suspicion. 0 = never. A sink with one order for
	// all never does.
	PoisonAttempts int

	InFlight     int // attempts at a time; never two with the same key
	Window       int // events held in memory, delivered ones behind an undelivered one included
	WindowBytes  int // that they take, about; no more are read above it
	BreakerAfter int // consecutive failures that open the breaker
}

// Data is the profile of sinks that carry data: batches, patience.
func Data() Options {
	return Options{
		BatchEvents: 500, BatchBytes: 1 << 20, Linger: 200 * time.Millisecond,
		AttemptTimeout: 10 * time.Second, BackoffMin: 250 * time.Millisecond, BackoffMax: 30 * time.Second,
		MaxAge: 72 * time.Hour, PoisonAttempts: 10, InFlight: 4, Window: 4096, WindowBytes: 4 << 20, BreakerAfter: 5,
	}
}

// Notify is the profile of sinks that tell people: one by one, slower retries,
// and nobody wants to be woken by last week's alarm.
func Notify() Options {
	return Options{
		BatchEvents: 1, BatchBytes: 1 << 20,
		AttemptTimeout: 10 * time.Second, BackoffMin: time.Second, BackoffMax: 5 * time.Minute,
		MaxElapsed: 24 * time.Hour, MaxAge: 72 * time.Hour, PoisonAttempts: 10, InFlight: 1, Window: 256, WindowBytes: 1 << 20, BreakerAfter: 5,
	}
}

func (o *Options) fill() {
	d := Data()
	o.BatchEvents = positive(o.BatchEvents, d.BatchEvents)
	o.BatchBytes = positive(o.BatchBytes, d.BatchBytes)
	o.AttemptTimeout = positive(o.AttemptTimeout, d.AttemptTimeout)
	o.BackoffMin = positive(o.BackoffMin, d.BackoffMin)
	o.BackoffMax = max(positive(o.BackoffMax, d.BackoffMax), o.BackoffMin)
	o.InFlight = positive(o.InFlight, d.InFlight)
	o.Window = max(positive(o.Window, d.Window), o.BatchEvents)
	o.WindowBytes = positive(o.WindowBytes, d.WindowBytes)
	o.BreakerAfter = positive(o.BreakerAfter, d.BreakerAfter)
}

func positive[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Config describes a pipeline. Handle is required, functions may be nil.
//
// Handle, Open and Close are never called at the same time as Open or Close;
// Handle is called at most Options.InFlight times at once. The slice Handle
// gets is the callee's; the events are handed out again after a failure.
type Config[E any] struct {
	Name   string
	Clock  clock.Clock
	Seed   uint64 // of the jitter
	Source Source[E]
	From   Pos // what the source has acknowledged

	Open   func(ctx context.Context) error
	Handle func(ctx context.Context, events []E) error
	Close  func(ctx context.Context) error

	// Key returns the ordering key of an event: events of one key are
	// delivered in order, "" has no order. Nil = one order for all.
	Key func(E) string
	// Again marks an event that is handed out once more.
	Again func(*E)
	// Size returns the bytes of an event for Options.BatchBytes. Nil = Item.Size.
	Size func(E) int

	// DeadLetter keeps an event that is given up. Its error keeps the event in
	// the queue and is retried. Nil = the event is dropped and counted.
	DeadLetter func(ctx context.Context, d Dead[E]) error
	// Scrub renders errors for Stats, dead letters and OnHealth without
	// secrets. Nil = Error().
	Scrub func(error) string
	// OnHealth is told of changes, on the pipeline's own goroutine.
	OnHealth func(h Health, cause string)
	// OnFull is told how many events the full source has dropped so far, when it
	// drops, likewise.
	OnFull func(dropped int64)

	Options Options
}

// Dead is the record of an event that was given up.
type Dead[E any] struct {
	Sink         string
	Event        E
	Pos          Pos
	Class        Class  // ClassPermanent, ClassTooLarge, ClassPartial (rejected), ClassExpired or ClassPoison
	Cause        string // scrubbed
	Attempts     int
	FirstAttempt time.Time
	LastAttempt  time.Time
}
