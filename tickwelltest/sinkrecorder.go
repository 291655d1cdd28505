package tickwelltest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// Recorder is a [tickwell.Sink] that keeps what it is handed and answers by a
// script. The zero Recorder accepts everything. It is safe for concurrent use.
type Recorder struct {
	mu       sync.Mutex
	script   []Outcome
	accepted []tickwell.Event
	attempts [][]tickwell.Event
	changed  chan struct{} // closed at the next change
	since    time.Time     // what Require counts times from
	settle   func()        // waits until the store has handed out what it has; nil: no store
}

// Outcome is the answer to one attempt.
type Outcome func(ctx context.Context, events []tickwell.Event) error

// Accept takes all events.
func Accept() Outcome { return Fail(nil) }

// Fail answers err; errors of package sink say what it means. Nil accepts.
func Fail(err error) Outcome {
	return func(context.Context, []tickwell.Event) error { return err }
}

// Reject gives up the events with the given indices and accepts the others.
func Reject(indices ...int) Outcome {
	return func(_ context.Context, events []tickwell.Event) error {
		verdicts := make([]error, len(events))
		for _, i := range indices {
			if i < len(events) {
				verdicts[i] = sink.Permanent(fmt.Errorf("event %s is rejected", events[i].ID))
			}
		}
		return sink.Verdicts(verdicts)
	}
}

// Hang answers nothing until the attempt's deadline.
func Hang() Outcome {
	return func(ctx context.Context, _ []tickwell.Event) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
}

// Panic panics with v.
func Panic(v any) Outcome {
	return func(context.Context, []tickwell.Event) error { panic(v) }
}

// Script adds outcomes, each for one attempt. Afterwards everything is accepted.
func (r *Recorder) Script(outcomes ...Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = append(r.script, outcomes...)
}

// Handle records the events and plays the next outcome.
func (r *Recorder) Handle(ctx context.Context, events []tickwell.Event) error {
	kept := make([]tickwell.Event, len(events))
	for i := range events {
		kept[i] = events[i]
		kept[i].Fields = slices.Clone(events[i].Fields)
		kept[i].Labels, kept[i].Notes = maps.Clone(events[i].Labels), maps.Clone(events[i].Notes)
	}
	outcome := Accept()
	r.mu.Lock()
	if len(r.script) > 0 {
		outcome, r.script = r.script[0], r.script[1:]
	}
	r.attempts = append(r.attempts, kept)
	r.mu.Unlock()
	err := outcome(ctx, kept)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.accepted = append(r.accepted, kept...)
		if r.changed != nil {
			close(r.changed)
			r.changed = nil
		}
	}
	return err
}

// Events returns the events of accepted attempts, in order. Those that [Reject]
// has let through are only in [Recorder.Attempts].
func (r *Recorder) Events() []tickwell.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted)
}

// Require fails the test unless exactly these events were accepted so far, in
// this order. An event is written as its time, series, status and fields, such
// as "+1m30s root.plant.press1.temp firing value=95"; the time is counted from
// the start of a [Store], or is the whole time for other recorders. Without a
// series it is the source. The recorder of a Store waits first until nothing is
// under way any more, as [Store.Wait] does.
func (r *Recorder) Require(t testing.TB, want ...string) {
	t.Helper()
	if r.settle != nil {
		r.settle()
	}
	var got []string
	for _, e := range r.Events() {
		got = append(got, r.text(&e))
	}
	requireLines(t, "events", got, want)
}

func (r *Recorder) text(e *tickwell.Event) string {
	var b strings.Builder
	b.WriteString(distance(r.since, e.Time))
	if e.Series != "" {
		b.WriteString(" " + e.Series)
	} else {
		b.WriteString(" " + e.Source)
	}
	if e.Status != tickwell.StatusNone {
		b.WriteString(" " + e.Status.String())
	}
	for _, f := range e.Fields {
		b.WriteString(" " + f.Name + "=" + f.Value.String())
	}
	return b.String()
}

// Attempts returns what each call of Handle was given.
func (r *Recorder) Attempts() [][]tickwell.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.attempts)
}

// WaitFor returns as soon as n events were accepted, or with an error when ctx
// ends. Where nothing else is under way [tickwell.DB.Quiesce] does as well.
func (r *Recorder) WaitFor(ctx context.Context, n int) ([]tickwell.Event, error) {
	for {
		r.mu.Lock()
		got := slices.Clone(r.accepted)
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return got, fmt.Errorf("waiting for %d events, %d are there: %w", n, len(got), context.Cause(ctx))
		}
	}
}
