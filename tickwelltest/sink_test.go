package tickwelltest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

func ids(events []tickwell.Event) (list []string) {
	for _, e := range events {
		list = append(list, e.ID)
	}
	return list
}

// TestRecorder plays each outcome against a store under a clock that is moved.
func TestRecorder(t *testing.T) {
	r := new(tickwelltest.Recorder)
	boom := errors.New("boom")
	r.Script(tickwelltest.Fail(sink.Permanent(boom)), tickwelltest.Fail(boom), tickwelltest.Panic("p"), tickwelltest.Hang(), tickwelltest.Reject(0))
	var dead []string
	clock := tickwelltest.NewClock(time.Unix(0, 0))
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Clock: clock, Logger: slog.New(slog.DiscardHandler), Seed: 1,
		Sinks: []tickwell.SinkSpec{{Name: "s", Sink: r, Batch: 1, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			dead = append(dead, d.Event.ID)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for _, at := range f.Times {
				f.Emit(tickwell.Event{ID: fmt.Sprint(at), Time: time.Unix(0, at)})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := &tickwell.Tablet{Device: "root.d", Times: []int64{1, 2, 3, 4}, Columns: []tickwell.Column{{Name: "v", Data: make(tickwell.Bools, 4)}}}
	if err := db.InsertTablet(t.Context(), tab); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []tickwell.Event
	for ended := make(chan struct{}); got == nil; {
		go func() {
			defer close(ended)
			short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
			defer cancel()
			if events, err := r.WaitFor(short, 2); err == nil {
				got = events
			}
		}()
		<-ended
		ended = make(chan struct{})
		clock.Advance(time.Minute) // through attempts that hang and waits between them
		if ctx.Err() != nil {
			t.Fatalf("%v; %+v", ctx.Err(), db.Stats().Sinks)
		}
	}
	if err := db.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(got), []string{"3", "4"}) || !slices.Equal(ids(r.Events()), []string{"3", "4"}) {
		t.Errorf("accepted %v, then %v, want 3 and 4", ids(got), ids(r.Events()))
	}
	if !slices.Equal(dead, []string{"1", "2"}) {
		t.Errorf("given up %v, want 1 and 2", dead)
	}
	var attempts []string
	for _, a := range r.Attempts() {
		attempts = append(attempts, ids(a)...)
	}
	if want := []string{"1", "2", "2", "2", "2", "3", "4"}; !slices.Equal(attempts, want) {
		t.Errorf("attempts %v, want %v", attempts, want)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.WaitFor(ended, 3); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "waiting for 3 events, 2 are there") {
		t.Errorf("WaitFor: %v", err)
	}
}

// target is a sink's target with a switch, and a way to be bad at it.
type target struct {
	tickwelltest.Recorder
	fault string
	n     int // calls
	down  atomic.Bool
}

func (*target) Open(context.Context) error  { return nil }
func (*target) Close(context.Context) error { return nil }

func (g *target) Handle(ctx context.Context, events []tickwell.Event) error {
	g.n++
	switch {
	case g.down.Load():
		if g.fault == "forgets" {
			return nil
		}
		return errors.New("unreachable")
	case g.fault == "loses" && g.n == 1:
		return nil
	case g.fault == "repeats" && g.n == 1:
		_ = g.Recorder.Handle(ctx, events)
	case g.fault == "reorders":
		slices.Reverse(events)
	case g.fault == "leaks":
		go func() { select {} }()
	case g.fault == "gives up":
		return sink.Permanent(errors.New("no"))
	case g.fault == "renames":
		for i := range events {
			events[i].ID = "x"
		}
	}
	return g.Recorder.Handle(ctx, events)
}

// String is where a bad sink gives its secret away.
func (g *target) String() string {
	if g.fault == "tells" {
		return "c4nAry"
	}
	return "target"
}

func kit(fault string) func(t *testing.T) tickwelltest.SinkTarget {
	return func(*testing.T) tickwelltest.SinkTarget {
		g := &target{fault: fault}
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink { return g }, Secret: "c4nAry",
			Received: func(*testing.T) []string { return ids(g.Events()) },
			Down:     func(*testing.T) { g.down.Store(true) },
			Up:       func(*testing.T) { g.down.Store(false) },
		}
	}
}

// faultEnv tells the test binary to run the suite on a bad sink.
const faultEnv = "TICKWELL_TEST_BAD_SINK"

func TestSuite(t *testing.T) { tickwelltest.TestSink(t, kit(os.Getenv(faultEnv))) }

// TestSuiteBites runs the suite on bad sinks and wants it to fail.
func TestSuiteBites(t *testing.T) {
	for fault, want := range map[string]string{
		"loses": "did not arrive", "repeats": "came again", "reorders": "was due", "leaks": "goroutines", "gives up": "was given up",
		"forgets": "to a target that is down", "renames": "is none of ours", "tells": "the secret is in",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSuite$")
		cmd.Env = append(os.Environ(), faultEnv+"="+fault)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("a sink that %s: %v, want a failure with %q:\n%s", fault, err, want, out)
		}
	}
}
