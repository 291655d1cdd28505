package tickwell

import (
	"context"
	"strconv"
	"time"
)

// An Event is what a [Trigger] or a [ContinuousQuery] sends out to sinks. It is
// stored in the log together with what caused it, and handed to a [Sink] only
// once that is durable: no event without its point.
type Event struct {
	// ID is the same each time the same cause is handled again, so that a
	// receiver can drop repeats. Left empty it is made of source, series, event
	// time, ordinal and revision, and of the status of an alert.
	ID       string
	Source   string            // the trigger or continuous query; set by the store
	Series   string            // path the event is about; may be empty
	Time     time.Time         // must be set: when it happened, such as the time of its row
	Fields   []Field           // the row that templates and JSON show
	Labels   map[string]string // identity of an alert
	Notes    map[string]string // annotations of an alert; may hold {{.label}}
	Status   Status
	Revision int  // 0 at first, then 1, 2 … for corrected results
	Urgent   bool // makes the log sync at once instead of at the next interval
	// Hops is how many sinks of package sink/local have written what this event
	// is about, one after the other; set by the store. They refuse an event that
	// has come too far, so that a trigger that feeds itself ends.
	Hops int
	// Replayed is set by the store for an event that may have been handed out
	// before: an attempt has failed, or it waited already when its sink was added.
	Replayed bool
}

// Status tells alerts from other events.
type Status uint8

// The states of an alert; StatusNone is any other event.
const (
	StatusNone Status = iota
	StatusFiring
	StatusResolved
)

// String returns "none", "firing" or "resolved".
func (s Status) String() string {
	switch s {
	case StatusFiring:
		return "firing"
	case StatusResolved:
		return "resolved"
	}
	return "none"
}

// Get returns the named field of the event, null if it has none.
func (e *Event) Get(name string) Value {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return e.Fields[i].Value
		}
	}
	return Value{}
}

// key orders events: those of one key reach a sink in the order of the log.
func (e *Event) key() string {
	if e.Series != "" {
		return e.Series
	}
	return e.Source
}

// stableID is the ID of the n-th event of one cause.
func (e *Event) stableID(n int) string {
	var room [128]byte // mostly enough
	b := room[:0]
	b = append(append(b, e.Source...), '|')
	b = append(append(b, e.Series...), '|')
	b = strconv.AppendInt(b, e.Time.UnixNano(), 10)
	b = strconv.AppendInt(append(b, '|'), int64(n), 10)
	b = strconv.AppendInt(append(b, '|'), int64(e.Revision), 10)
	if e.Status != StatusNone { // an alert may be fired and resolved at one moment, by two causes
		b = append(append(b, '|'), e.Status.String()...)
	}
	return string(b)
}

// A Sink takes events out of the program. Handle returns nil when the target
// has acknowledged all of them; until then they are kept and handed out again,
// so a Sink sees each event at least once, in log order per series. After the
// program was killed fewer than two batches for each call in flight are handed
// out again, or, where a series had to wait while others went on, what was in
// memory: at most 4096 events, and that after a Close, too. After a power cut those join that were
// acknowledged since the log was last synced. The store
// calls Handle from one goroutine at a time, or from SinkSpec.InFlight, with the
// deadline of the attempt in ctx. The slice and what it points to must not be
// kept.
//
// Errors of package sink (Retry, Permanent, Partial …) say what is to happen
// next; any other error means to try again later.
//
// These optional methods are found when the sink is added:
//
//	Bind(*DB)                    called once, first; the DB may be used from Validate on
//	Validate() error             refuse bad settings: adding the sink fails
//	Warnings() []string          what is logged as a warning of its settings when it is added
//	Defaults(*SinkSpec)          set fields of the spec that were left zero
//	Open(context.Context) error  before the first Handle and again after sink.NotConnected
//	Close(context.Context) error once, at the end
type Sink interface {
	Handle(ctx context.Context, events []Event) error
}

// SinkFunc lets a function be a [Sink].
type SinkFunc func(ctx context.Context, events []Event) error

// Handle calls f.
func (f SinkFunc) Handle(ctx context.Context, events []Event) error { return f(ctx, events) }

// SinkSpec names a sink of a store. Undelivered events are kept under the name,
// so a sink that comes back under it after a restart gets them.
type SinkSpec struct {
	Name string // unique, of one line; triggers and continuous queries name their sinks by it
	Sink Sink   // must be set
	// Notify says that the sink tells people rather than carries data: events
	// go one by one, retries are slower (a second, then up to five minutes), and
	// an event is given up a day after its first attempt.
	Notify bool
	// Batch is the most events of one Handle call. Default 500, with Notify 1.
	Batch int
	// Linger is how long to wait for a batch to fill. Default 0.
	Linger time.Duration
	// Timeout ends one attempt. Default 10 s.
	Timeout time.Duration
	// InFlight is the most Handle calls at a time, up to 65536. Default 1. With more, events
	// of different series may overtake each other; those of one never do. Sinks
	// that have one file or connection set it to 1, which is logged as a warning
	// if it was more: jsonl, smtp, and snowflake when it streams.
	InFlight int
	// MaxAge gives an event up that has waited this long and could not be
	// delivered. Default 72 h. Age is measured on the wall clock until the sink
	// gets hold of the event, and then by the time that passes: only by that if the
	// clock said a year before 2000 when the event was sent. An event that was never
	// tried is not given up, whatever the clock says.
	MaxAge time.Duration
	// DeadLetter takes the events that are given up. Its error keeps the event
	// where it is, and it is called again later. Nil: the store keeps them, in
	// the outbox and within its bounds, for [DB.DeadLetters] and [DB.Redrive].
	DeadLetter func(ctx context.Context, d DeadLetter) error
}
