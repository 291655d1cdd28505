package tickwelltest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/tickwelltest"
)

// outputTB is a test whose output can be read.
type outputTB struct {
	*recordingTB
	out bytes.Buffer
}

func (o *outputTB) Output() io.Writer { return &o.out }

// A test that waits for events that never come shows why in its log: the trigger
// failed, the sink did.
func TestStoreLogs(t *testing.T) {
	tb := &outputTB{recordingTB: &recordingTB{TB: t}}
	s := tickwelltest.New(tb, nil)
	s.Sink("out").Script(tickwelltest.Panic("no more"))
	bad := true
	s.Trigger(tickwell.TriggerSpec{Name: "tell", Pattern: "root.d.n", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		if bad {
			return errors.New("not today")
		}
		f.Emit(tickwell.Event{Time: f.Row(0).Time()})
		return nil
	})})
	s.Put("root.d", tickwell.Int64("n", 1))
	bad = false
	s.Put("root.d", tickwell.Int64("n", 2))
	s.Wait()
	for i := len(tb.cleanups) - 1; i >= 0; i-- {
		tb.cleanups[i]()
	}
	want := `level=WARN msg="trigger failed" trigger=tell phase=fire event=AFTER_INSERT stored=true err="not today"
level=INFO msg="sink is degraded" sink=out cause="out: panic: no more"
`
	if got := tb.out.String(); got != want {
		t.Errorf("log:\n%swant:\n%s", got, want)
	}
	if len(tb.lines) > 0 {
		t.Error(tb.lines)
	}
}

// A logger of the test's own is left alone.
func TestStoreOwnLogger(t *testing.T) {
	tb := &outputTB{recordingTB: &recordingTB{TB: t}}
	var own bytes.Buffer
	s := tickwelltest.New(tb, &tickwell.Options{Logger: slog.New(slog.NewTextHandler(&own, nil))})
	s.Trigger(tickwell.TriggerSpec{Name: "bad", Pattern: "root.**", Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return errors.New("no") })})
	s.Put("root.d", tickwell.Int64("n", 1))
	for i := len(tb.cleanups) - 1; i >= 0; i-- {
		tb.cleanups[i]()
	}
	if tb.out.Len() > 0 || !strings.Contains(own.String(), "trigger failed") {
		t.Errorf("%q, %q", tb.out.String(), own.String())
	}
}

// A stand-in for a test may have no output.
func TestStoreWithoutOutput(t *testing.T) {
	tb := &recordingTB{}
	s := tickwelltest.New(tb, nil)
	s.Trigger(tickwell.TriggerSpec{Name: "bad", Pattern: "root.**", Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error { return errors.New("no") })})
	s.Put("root.d", tickwell.Int64("n", 1))
	for i := len(tb.cleanups) - 1; i >= 0; i-- {
		tb.cleanups[i]()
	}
	if len(tb.lines) > 0 {
		t.Error(tb.lines)
	}
}

// RequireFired waits for firings in the background.
func TestRequireFiredWaits(t *testing.T) {
	s := tickwelltest.New(t, nil)
	release := make(chan struct{})
	s.Trigger(tickwell.TriggerSpec{Name: "slow", Pattern: "root.**", Queue: 1, Trigger: tickwell.TriggerFunc(func(context.Context, *tickwell.Firing) error {
		<-release
		return nil
	})})
	s.Put("root.d", tickwell.Int64("n", 1))
	go func() {
		for range 10_000 {
			runtime.Gosched()
		}
		close(release)
	}()
	s.RequireFired("slow", 1)
}
