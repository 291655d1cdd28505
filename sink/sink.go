// Package sink has what those need who write a sink (see [tickwell.Sink]): the
// errors that say what is to happen to events that were not accepted, the JSON
// forms of an event, templates, secrets, and who may be connected to. Its
// sub-packages are sinks; docs/sinks.md has an example of each.
//
// A sink's Handle returns nil when the target has acknowledged every event.
// Any error that is not one of this package means: try the same events again
// later, with growing waits. Delivery is at least once: a target that must not
// act twice looks at the event's ID, which is the same each time.
package sink

import (
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// Retry says that err is transient. If after is positive, the sink is left in
// peace for that long, as a Retry-After header asks. A nil err gives nil, here
// and below.
func Retry(err error, after time.Duration) error { return deliver.Retry(err, after) }

// NotConnected says that the session is gone: the sink is opened again before
// the next attempt.
func NotConnected(err error) error { return deliver.NotConnected(err) }

// Permanent says that no repetition cures err. A batch is split to find the
// events it is about; those are given up (see tickwell.SinkSpec.DeadLetter).
func Permanent(err error) error { return deliver.Permanent(err) }

// TooLarge says that the batch is too large. It is split; a single event is
// given up.
func TooLarge(err error) error { return deliver.TooLarge(err) }

// Disabled says that the target wants nothing more, as 410 Gone does. The sink
// stops and its events are kept until tickwell.DB.EnableSink or the next Open.
func Disabled(err error) error { return deliver.Disabled(err) }
