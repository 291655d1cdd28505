package tickwelltest

import (
	"context"
	"fmt"

	"github.com/tickwell/tickwell"
)

// watchedSink passes everything on.
type watchedSink struct {
	tickwell.Sink
	k *sinkKit
}

func (w *watchedSink) Handle(ctx context.Context, events []tickwell.Event) (err error) {
	defer w.k.tried(events, &err)
	defer w.k.panicked("Handle", &err)
	return w.Sink.Handle(ctx, events)
}

// Bind, Validate, Warnings and Defaults are those of the sink if it has them.
func (w *watchedSink) Bind(db *tickwell.DB) {
	if s, ok := w.Sink.(interface{ Bind(*tickwell.DB) }); ok {
		s.Bind(db)
	}
}

func (w *watchedSink) Validate() error {
	if s, ok := w.Sink.(interface{ Validate() error }); ok {
		return s.Validate()
	}
	return nil
}

func (w *watchedSink) Warnings() []string {
	if s, ok := w.Sink.(interface{ Warnings() []string }); ok {
		return s.Warnings()
	}
	return nil
}

func (w *watchedSink) Defaults(spec *tickwell.SinkSpec) {
	if s, ok := w.Sink.(interface{ Defaults(*tickwell.SinkSpec) }); ok {
		s.Defaults(spec)
	}
}

// watchedLife is one that has Open and Close as well.
type watchedLife struct {
	*watchedSink
	l life
}

func (w *watchedLife) Open(ctx context.Context) (err error) {
	defer w.k.panicked("Open", &err)
	return w.l.Open(ctx)
}

func (w *watchedLife) Close(ctx context.Context) (err error) {
	defer w.k.panicked("Close", &err)
	return w.l.Close(ctx)
}

// tried looks at what an attempt has come to.
func (k *sinkKit) tried(events []tickwell.Event, err *error) {
	if *err != nil {
		k.quiet(fmt.Sprintf("%v %+v", *err, *err))
	} else if len(events) > 0 && k.down.Load() {
		k.t.Errorf("%d events were delivered to a target that is down", len(events))
	}
	select {
	case k.attempted <- struct{}{}:
	default:
	}
}

// panicked is deferred around a method of the sink. It makes an error of a panic.
func (k *sinkKit) panicked(method string, err *error) {
	if p := recover(); p != nil {
		k.t.Errorf("%s panicked: %v", method, p)
		*err = fmt.Errorf("%s panicked: %v", method, p)
	}
}
