package tickwelltest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
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
	fault  string
	told   string       // a secret that it does not hide
	n      atomic.Int64 // calls
	open   bool
	down   atomic.Bool
	hangs  atomic.Bool
	calls  atomic.Int32 // under way
	buffer atomic.Pointer[[]tickwell.Event]
	held   []tickwell.Event   // not sent yet
	lent   [][]tickwell.Event // what it was handed, kept
}

func (g *target) Open(context.Context) error {
	if g.fault == "opens once" && g.open {
		return errors.New("already open")
	}
	g.open = true
	return nil
}

func (g *target) Close(ctx context.Context) error {
	if g.fault == "closes once" && !g.open {
		return errors.New("already closed")
	}
	g.open = false
	if len(g.held) > 0 {
		return g.Recorder.Handle(ctx, g.held)
	}
	return nil
}

func (g *target) Handle(ctx context.Context, events []tickwell.Event) error {
	n := g.n.Add(1)
	switch {
	case g.hangs.Load():
		if g.fault == "ignores its context" {
			select {}
		}
		<-ctx.Done()
		return ctx.Err()
	case g.down.Load():
		switch g.fault {
		case "forgets":
			return nil
		case "tells in errors":
			return errors.New("unreachable: c4nAry@host")
		case "tells in permanent errors":
			return sink.Permanent(errors.New("c4nAry is wrong"))
		}
		return errors.New("unreachable")
	case g.fault == "loses" && n == 1:
		return nil
	case g.fault == "repeats" && n == 1:
		_ = g.Recorder.Handle(ctx, events)
	case g.fault == "sends the last only":
		if len(events) > 0 {
			events = events[len(events)-1:]
		}
	case g.fault == "fails and sends":
		if n == 1 {
			_ = g.Recorder.Handle(ctx, events)
			return errors.New("failed, it says")
		}
	case g.fault == "reorders":
		slices.Reverse(events)
	case g.fault == "holds one back":
		events = append(g.held, events...)
		if n := len(events); n > 0 {
			g.held, events = slices.Clone(events[n-1:]), events[:n-1]
		}
	case g.fault == "shares a buffer":
		return g.shared(ctx, events)
	case g.fault == "refuses a second call":
		defer g.calls.Add(-1)
		if g.calls.Add(1) > 1 {
			return errors.New("busy")
		}
		dawdle()
	case g.fault == "leaks":
		go func() { select {} }()
	case g.fault == "gives up":
		return sink.Permanent(errors.New("no"))
	case g.fault == "renames":
		for i := range events {
			events[i].ID = "x"
		}
	case g.fault == "acknowledges early":
		g.held = append(g.held, events...)
		return nil
	case g.fault == "changes a value":
		err := g.Recorder.Handle(ctx, events)
		for i := range events {
			for j := range events[i].Fields {
				events[i].Fields[j].Value = tickwell.TextValue("***")
			}
		}
		return err
	case g.fault == "changes a label":
		err := g.Recorder.Handle(ctx, events)
		for i := range events {
			delete(events[i].Labels, "row")
		}
		return err
	case g.fault == "keeps what it is lent":
		g.lent = append(g.lent, events)
		return nil
	case g.fault == "panics":
		for i := range events {
			_ = events[i].Fields[0]
		}
	case g.fault == "panics on nothing":
		_ = events[0]
	case g.fault == "panics when closed" && !g.open:
		panic("closed")
	}
	return g.Recorder.Handle(ctx, events)
}

// shared sends what is in a buffer that all calls use.
func (g *target) shared(ctx context.Context, events []tickwell.Event) error {
	events = slices.Clone(events)
	g.buffer.Store(&events)
	dawdle()
	return g.Recorder.Handle(ctx, *g.buffer.Load())
}

// dawdle lets other calls come between.
func dawdle() {
	for range 1000 {
		runtime.Gosched()
	}
}

// received is what has arrived.
func (g *target) received() []string {
	list := ids(g.Events())
	for _, events := range g.lent {
		list = append(list, ids(events)...)
	}
	return list
}

// String is where a bad sink gives its secret away.
func (g *target) String() string {
	if g.fault == "tells" {
		return "c4nAry"
	}
	return "target"
}

// MarshalJSON is another place, and LogValue.
func (g *target) MarshalJSON() ([]byte, error) {
	if g.fault == "tells in JSON" {
		return []byte(`{"password":"c4nAry"}`), nil
	}
	return []byte(`"target"`), nil
}

func (g *target) LogValue() slog.Value {
	if g.fault == "tells in a log" {
		return slog.StringValue("c4nAry")
	}
	return slog.StringValue("target")
}

func kit(fault string) func(t *testing.T) tickwelltest.SinkTarget {
	return func(*testing.T) tickwelltest.SinkTarget {
		g := &target{fault: fault}
		if fault == "tells by value" {
			g.told = "c4nAry"
		}
		k := tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink { return g }, Secret: "c4nAry",
			Received: func(*testing.T) []string { return g.received() },
			Down:     func(*testing.T) { g.down.Store(true) },
			Up:       func(*testing.T) { g.down.Store(false) },
			Hang:     func(*testing.T) { g.hangs.Store(true) },
		}
		if fault == "ignores its context" {
			k.SetLimit(2 * time.Second) // it never ends: more would only take longer
		}
		return k
	}
}

// faultEnv tells the test binary to run the suite on a bad sink.
const faultEnv = "TICKWELL_TEST_BAD_SINK"

func TestSuite(t *testing.T) { tickwelltest.TestSink(t, kit(os.Getenv(faultEnv))) }

// TestSuiteBites runs parts of the suite on bad sinks and wants each to fail for
// what is bad about it.
func TestSuiteBites(t *testing.T) {
	bad := []struct{ fault, part, want string }{
		{"loses", "delivers once and in order", "did not arrive"},
		{"repeats", "delivers once and in order", "came again"},
		{"reorders", "delivers once and in order", "was due"},
		{"fails and sends", "delivers once and in order", "came again"},
		{"gives up", "delivers once and in order", "was given up"},
		{"renames", "delivers once and in order", "is none of ours"},
		{"acknowledges early", "delivers once and in order", "did not arrive"},
		{"holds one back", "delivers once and in order", "did not arrive"},
		{"forgets", "survives an outage", "to a target that is down"},
		{"sends the last only", "survives an outage", "did not arrive"},
		{"tells in errors", "survives an outage", "the secret is in"},
		{"tells in permanent errors", "survives an outage", "the secret is in"},
		{"shares a buffer", "bears calls at the same time", "did not arrive"},
		{"refuses a second call", "bears calls at the same time", "busy"},
		{"tells", "opens and closes", "the secret is in"},
		{"tells by value", "opens and closes", "the secret is in"},
		{"tells in JSON", "opens and closes", "the secret is in"},
		{"tells in a log", "opens and closes", "the secret is in"},
		{"opens once", "opens and closes", "already open"},
		{"closes once", "opens and closes", "already closed"},
		{"changes a value", "gives events back as they were", "has changed an event"},
		{"changes a label", "gives events back as they were", "has changed an event"},
		{"keeps what it is lent", "gives events back as they were", "is none of ours"},
		{"panics", "takes any event", "panicked"},
		{"panics on nothing", "takes any event", "panicked"},
		{"panics when closed", "takes any event", "panicked: closed"},
		{"ignores its context", "ends with its context", "and the target does not answer"},
		{"leaks", "leaves nothing running", "goroutines"},
	}
	for _, b := range bad {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSuite$/^"+strings.ReplaceAll(b.part, " ", "_")+"$")
		cmd.Env = append(os.Environ(), faultEnv+"="+b.fault)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), b.want) {
			t.Errorf("a sink that %s: %v, want a failure of %q with %q:\n%s", b.fault, err, b.part, b.want, out)
		}
	}
	t.Logf("%d bad sinks, each caught", len(bad))
}
