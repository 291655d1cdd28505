package tickwelltest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

// TestSinkThatTriesAgain holds that a store whose clock stands can be used with
// sinks that fail: nothing waits for a retry that only the test's clock can bring.
func TestSinkThatTriesAgain(t *testing.T) {
	down := errors.New("down")
	for _, c := range []struct {
		name   string
		script []tickwelltest.Outcome
	}{
		{"error", []tickwelltest.Outcome{tickwelltest.Fail(down), tickwelltest.Fail(down), tickwelltest.Fail(down)}},
		{"retry later", []tickwelltest.Outcome{tickwelltest.Fail(sink.Retry(down, 20*time.Second))}},
		{"not connected", []tickwelltest.Outcome{tickwelltest.Fail(sink.NotConnected(down)), tickwelltest.Panic("p")}},
		{"breaker", slices.Repeat([]tickwelltest.Outcome{tickwelltest.Fail(down)}, 7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := tickwelltest.New(t, nil)
			out := s.Sink("out")
			out.Script(c.script...)
			emit(s)
			s.Put("root.a", tickwell.Float64("v", 1))
			// How many attempts one step of the clock brings is not said: a retry may
			// fail while the clock still moves, and the next fall due on its way.
			for range 20 * len(c.script) {
				s.Wait()
				if len(out.Attempts()) > len(c.script) {
					break
				}
				out.Require(t) // nothing yet
				s.Advance(30 * time.Second)
			}
			out.Require(t, "+0s root.a.v value=1")
			if n := len(out.Attempts()); n != len(c.script)+1 {
				t.Fatalf("%d attempts", n)
			}
		})
	}
	t.Run("disabled", func(t *testing.T) {
		s := tickwelltest.New(t, nil)
		out := s.Sink("out")
		out.Script(tickwelltest.Fail(sink.Disabled(down)))
		emit(s)
		s.Put("root.a", tickwell.Float64("v", 1))
		s.Advance(time.Hour)
		out.Require(t)
		if err := s.EnableSink("out"); err != nil {
			t.Fatal(err)
		}
		out.Require(t, "+0s root.a.v value=1")
	})
}

// emit makes every point an event.
func emit(s *tickwelltest.Store) {
	s.Trigger(tickwell.TriggerSpec{Name: "each", Pattern: "root.**", Trigger: tickwell.OnPoint(
		func(_ context.Context, f *tickwell.Firing, name string, p tickwell.Point[float64]) error {
			f.Emit(tickwell.Event{Series: fmt.Sprint(f.Device, ".", name), Time: p.Time, Fields: []tickwell.Field{tickwell.Float64("value", p.Value)}})
			return nil
		})})
}
