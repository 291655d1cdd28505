// Package lostletters is a test tool: a store whose outbox had no room for all dead
// letters, for those who tell of it.
package lostletters

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

// Store returns the store and what its only sink, "out", counts: dead letters are
// kept, and others were lost.
func Store(t *testing.T) (*tickwelltest.Store, *tickwell.SinkStats) {
	t.Helper()
	p := tickwell.Edge()
	p.OutboxBytes = 20 << 10
	s := tickwelltest.New(t, &tickwell.Options{
		Profile: p,
		Sinks: []tickwell.SinkSpec{{Name: "out", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error {
			return sink.Permanent(errors.New("400"))
		})}},
		Triggers: []tickwell.TriggerSpec{{Name: "tell", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			f.Emit(tickwell.Event{Series: "root.d.v", Time: f.Row(0).Time(), Fields: []tickwell.Field{tickwell.Text("note", strings.Repeat("x", 200))}})
			return nil
		})}},
	})
	for range 300 {
		s.Put("root.d", tickwell.Float64("v", 1))
		s.Advance(time.Second)
	}
	st := &s.Stats().Sinks[0]
	if st.DeadDropped == 0 || st.DeadLetters == 0 {
		t.Fatalf("not as meant: %+v", st)
	}
	return s, st
}
