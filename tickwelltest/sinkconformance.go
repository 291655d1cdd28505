package tickwelltest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// SinkTarget is a sink's target as [TestSink] sees it: a fake or a real server.
type SinkTarget struct {
	// New returns a new sink for the target.
	New func(t *testing.T) tickwell.Sink
	// Received returns the IDs of the events that have arrived so far, in order
	// of arrival, repetitions included.
	Received func(t *testing.T) []string
	// Down makes the target unreachable and Up reachable again. Both nil: not
	// tested.
	Down, Up func(t *testing.T)
	// Secret is a text that must appear nowhere, such as the password that New
	// uses. Empty: not tested.
	Secret string
}

// TestSink runs the suite that every sink has to pass: what is emitted arrives,
// in order for each series, once if nothing fails and at least once if something
// does, over an outage and a restart of the store; the sink can be opened and
// closed as often as one likes, ends with its context, and leaves no goroutine
// and no secret behind. Every target is a new one.
func TestSink(t *testing.T, target func(t *testing.T) SinkTarget) {
	for _, c := range []struct {
		name string
		run  func(k *sinkKit)
	}{
		{"delivers once and in order", (*sinkKit).delivers},
		{"survives an outage", (*sinkKit).outage},
		{"survives a restart", (*sinkKit).restart},
		{"opens and closes", (*sinkKit).opens},
		{"ends with its context", (*sinkKit).ends},
		{"leaves nothing running", (*sinkKit).leaves},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(&sinkKit{SinkTarget: target(t), t: t, fs: vfs.NewMem()})
		})
	}
}

type sinkKit struct {
	SinkTarget
	t   *testing.T
	fs  vfs.FS
	log strings.Builder
}

// limit is how long anything may take: after an outage a sink waits up to half a
// minute before it tries again, and the machine may be busy.
const limit = 3 * time.Minute

func (k *sinkKit) ctx() context.Context {
	ctx, cancel := context.WithTimeout(k.t.Context(), limit)
	k.t.Cleanup(cancel)
	return ctx
}

// open opens a store whose trigger sends one event for each row.
func (k *sinkKit) open() *tickwell.DB {
	k.t.Helper()
	db, err := tickwell.Open(k.ctx(), "data", &tickwell.Options{
		FS: k.fs, Seed: 1, Logger: slog.New(slog.NewTextHandler(&k.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Sinks: []tickwell.SinkSpec{{Name: "sink", Sink: k.New(k.t), DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			k.t.Errorf("event %s was given up: %v", d.Event.ID, d.Cause)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.*.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("v") {
				f.Emit(sinkEvent(f.Device, f.Times[i], v))
			}
			return nil
		})}},
	})
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { db.Close() })
	return db
}

func sinkEvent(device string, at int64, v float64) tickwell.Event {
	return tickwell.Event{
		Series: device, Time: time.Unix(0, at).UTC(), Fields: []tickwell.Field{tickwell.Float64("v", v), tickwell.Text("note", "foo")},
		Labels: map[string]string{"alertname": "test", "row": fmt.Sprint(at)},
	}
}

// insert stores rows [from, to) of three devices in turn.
func (k *sinkKit) insert(db *tickwell.DB, from, to int) {
	k.t.Helper()
	for i := from; i < to; i++ {
		err := db.Insert(k.ctx(), fmt.Sprintf("root.d%d", i%3), time.Unix(0, int64(i)), tickwell.Float64("v", float64(i)))
		if err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k *sinkKit) settle(db *tickwell.DB) {
	k.t.Helper()
	if err := db.Quiesce(k.ctx()); err != nil {
		k.t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
}

func (k *sinkKit) close(db *tickwell.DB) {
	k.t.Helper()
	if err := db.Close(); err != nil {
		k.t.Fatal(err)
	}
	k.quiet(k.log.String())
}

// quiet looks for the secret in a text.
func (k *sinkKit) quiet(text string) {
	k.t.Helper()
	if i := strings.Index(text, k.Secret); k.Secret != "" && i >= 0 {
		k.t.Errorf("the secret is in %.100q", text[max(i-50, 0):])
	}
}

// check compares what has arrived with rows [0, n).
func (k *sinkKit) check(n int, once bool) {
	k.t.Helper()
	first := make(map[string]bool)
	next := []int{0, 1, 2} // by device: the row that comes next
	for _, id := range k.Received(k.t) {
		if first[id] {
			if once {
				k.t.Errorf("event %s came again", id)
			}
			continue
		}
		first[id] = true
		var d, i int
		if _, err := fmt.Sscanf(strings.ReplaceAll(id, "|", " "), "t root.d%d %d 0 0", &d, &i); err != nil || d < 0 || d > 2 {
			k.t.Errorf("id %q is none of ours", id)
			continue
		}
		if next[d] != i {
			k.t.Errorf("root.d%d: row %d came where row %d was due", d, i, next[d])
		}
		next[d] = i + 3
	}
	for i := range n {
		if id := fmt.Sprintf("t|root.d%d|%d|0|0", i%3, i); !first[id] {
			k.t.Errorf("event %s did not arrive", id)
		}
	}
}

func (k *sinkKit) delivers() {
	db := k.open()
	k.insert(db, 0, 30)
	k.settle(db)
	k.close(db)
	k.check(30, true)
}

func (k *sinkKit) outage() {
	if k.Down == nil {
		k.t.Skip("the target cannot be made unreachable")
	}
	db := k.open()
	k.insert(db, 0, 6)
	k.settle(db)
	k.Down(k.t)
	k.insert(db, 6, 15)
	ctx, cancel := context.WithTimeout(k.t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := db.Quiesce(ctx); err == nil {
		k.t.Error("everything was delivered to a target that is down")
	}
	k.quiet(fmt.Sprintf("%+v", db.Stats()))
	k.Up(k.t)
	k.insert(db, 15, 21)
	k.settle(db)
	k.close(db)
	k.check(21, false)
}

func (k *sinkKit) restart() {
	if k.Down == nil {
		k.t.Skip("the target cannot be made unreachable")
	}
	k.Down(k.t)
	db := k.open()
	k.insert(db, 0, 9)
	k.close(db)
	k.Up(k.t)
	db = k.open()
	k.insert(db, 9, 12)
	k.settle(db)
	k.close(db)
	k.check(12, false)
}

// life is what a sink may have besides Handle.
type life interface {
	Open(context.Context) error
	Close(context.Context) error
}

func (k *sinkKit) opens() {
	s := k.New(k.t)
	k.quiet(fmt.Sprintf("%v %+v %#v %s", s, s, s, s))
	l, ok := s.(life)
	if !ok {
		k.t.Skip("the sink has not both Open and Close")
	}
	for round := range 3 {
		for range 2 { // again without Close, as after sink.NotConnected
			if err := l.Open(k.ctx()); err != nil {
				k.t.Fatal(err)
			}
		}
		e := sinkEvent(fmt.Sprintf("root.d%d", round), int64(round), 1)
		e.ID, e.Source = fmt.Sprintf("t|%s|%d|0|0", e.Series, round), "t"
		if err := s.Handle(k.ctx(), []tickwell.Event{e}); err != nil {
			k.t.Fatal(err)
		}
		for range 2 {
			if err := l.Close(k.ctx()); err != nil {
				k.t.Fatal(err)
			}
		}
	}
	k.check(3, true)
}

func (k *sinkKit) ends() {
	s := k.New(k.t)
	if l, ok := s.(life); ok {
		if err := l.Open(k.ctx()); err != nil {
			k.t.Fatal(err)
		}
		defer l.Close(k.ctx())
	}
	ctx, cancel := context.WithCancel(k.t.Context())
	cancel()
	e := sinkEvent("root.d0", 0, 1)
	e.ID, e.Source = "t|root.d0|0|0|0", "t"
	done := make(chan error, 1)
	go func() { done <- s.Handle(ctx, []tickwell.Event{e}) }()
	select {
	case err := <-done:
		if got := k.Received(k.t); err == nil && !slices.Contains(got, e.ID) {
			k.t.Errorf("no error, and nothing arrived but %q", got)
		}
	case <-k.ctx().Done():
		k.t.Fatal("Handle does not return when its context has ended")
	}
}

func (k *sinkKit) leaves() {
	round := func(i int) {
		db := k.open()
		k.insert(db, 3*i, 3*i+3)
		k.settle(db)
		k.close(db)
	}
	round(0)
	before := k.fewest(0)
	const rounds = 8
	for i := range rounds {
		round(i + 1)
	}
	// Fewer than one a round may be the last of something else.
	if n := k.fewest(before); n >= before+rounds {
		stacks := make([]byte, 64<<10)
		k.t.Errorf("%d goroutines after %d more times, %d before:\n%s", n, rounds, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// fewest gives goroutines that are about to end the time to do so. It returns
// how many are left, at once if that is no more than enough.
func (k *sinkKit) fewest(enough int) int {
	clk, wait := clock.System(), make(chan struct{}, 1)
	n := runtime.NumGoroutine()
	for same := 0; same < 100 && n > enough && clk.Mono() < limit; same++ {
		clk.AfterFunc(time.Millisecond, func() { wait <- struct{}{} })
		<-wait
		if now := runtime.NumGoroutine(); now < n {
			n, same = now, 0
		}
	}
	return n
}
