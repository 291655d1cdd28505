package tickwelltest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
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
	// Hang makes the target take requests and answer none until the test ends.
	// Nil: not tested.
	Hang func(t *testing.T)
	// Secret is a text that must appear nowhere, such as the password that New
	// uses. Empty: not tested.
	Secret string

	limit time.Duration // instead of longest
}

// TestSink runs the suite that every sink has to pass: what is emitted arrives,
// in order for each series, once if nothing fails and at least once if something
// does, over an outage and a restart of the store; what counts as delivered has
// arrived; the sink bears several calls at a time, or says in Defaults that it
// takes one; it leaves events as they are and keeps nothing of them; it can
// be opened and closed as often as one likes, ends with its context, survives any
// event without a panic, and leaves no goroutine and no secret behind. Every
// target is a new one.
func TestSink(t *testing.T, target func(t *testing.T) SinkTarget) {
	for _, c := range []struct {
		name string
		run  func(k *sinkKit)
	}{
		{"delivers once and in order", (*sinkKit).delivers},
		{"survives an outage", (*sinkKit).outage},
		{"survives a restart", (*sinkKit).restart},
		{"bears calls at the same time", (*sinkKit).together},
		{"opens and closes", (*sinkKit).opens},
		{"gives events back as they were", (*sinkKit).lends},
		{"takes any event", (*sinkKit).odd},
		{"ends with its context", (*sinkKit).ends},
		{"leaves nothing running", (*sinkKit).leaves},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.run(&sinkKit{SinkTarget: target(t), t: t, fs: vfs.NewMem(), attempted: make(chan struct{}, 1)})
		})
	}
}

type sinkKit struct {
	SinkTarget
	t   *testing.T
	fs  vfs.FS
	log strings.Builder

	calls     int // InFlight of the spec
	down      atomic.Bool
	attempted chan struct{} // holds a token when an attempt has ended
}

// longest is how long anything may take: after an outage a sink waits up to half a
// minute before it tries again, and the machine may be busy.
const longest = 3 * time.Minute

func (k *sinkKit) limit() time.Duration {
	if k.SinkTarget.limit > 0 {
		return k.SinkTarget.limit
	}
	return longest
}

func (k *sinkKit) ctx() context.Context {
	ctx, cancel := context.WithTimeout(k.t.Context(), k.limit())
	k.t.Cleanup(cancel)
	return ctx
}

// open opens a store whose trigger sends one event for each row.
func (k *sinkKit) open() *tickwell.DB {
	k.t.Helper()
	db, err := tickwell.Open(k.ctx(), "data", &tickwell.Options{
		FS: k.fs, Seed: 1, Logger: slog.New(slog.NewTextHandler(&k.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Sinks: []tickwell.SinkSpec{{Name: "sink", Sink: k.watched(), InFlight: k.calls, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
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
	k.t.Cleanup(func() { _ = db.Close() })
	return db
}

// watched is a new sink whose panics are errors of the test.
func (k *sinkKit) watched() tickwell.Sink {
	s := k.New(k.t)
	w := &watchedSink{Sink: s, k: k}
	if l, ok := s.(life); ok {
		return &watchedLife{w, l}
	}
	return w
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
	k.check(30, true) // before Close: what is acknowledged has arrived
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
	k.down.Store(true)
	for len(k.attempted) > 0 { // those before
		<-k.attempted
	}
	k.insert(db, 6, 15)
	select { // at least one in vain
	case <-k.attempted:
	case <-k.after(k.limit()):
		k.t.Fatalf("no attempt: %+v", db.Stats().Sinks)
	}
	k.quiet(fmt.Sprintf("%+v", db.Stats()))
	k.down.Store(false)
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
	k.prints(s)
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
		e := numbered(round)
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

// prints looks for the secret in all that a sink may be printed as: by pointer and
// by value, by itself and inside of something else, as JSON and in logs.
func (k *sinkKit) prints(s tickwell.Sink) {
	k.t.Helper()
	var out strings.Builder
	forms := []any{s}
	if v := reflect.ValueOf(s); v.Kind() == reflect.Pointer && !v.IsNil() {
		forms = append(forms, v.Elem().Interface())
	}
	for _, f := range forms {
		in := struct{ Sink any }{f}
		fmt.Fprintf(&out, "%v %+v %#v %s %q %v %+v %#v\n", f, f, f, f, f, in, in, in)
		_ = json.NewEncoder(&out).Encode(f)
		_ = json.NewEncoder(&out).Encode(in)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("sink", "sink", f, "in", in, "spec", tickwell.SinkSpec{Sink: s})
		}
	}
	k.quiet(out.String())
}

// opened is a new sink that is open until the test ends.
func (k *sinkKit) opened() tickwell.Sink {
	k.t.Helper()
	s := k.watched()
	if l, ok := s.(life); ok {
		if err := l.Open(k.ctx()); err != nil {
			k.t.Fatal(err)
		}
		k.t.Cleanup(func() { _ = l.Close(context.Background()) })
	}
	return s
}

// numbered is the event that a store would emit for row i.
func numbered(i int) tickwell.Event {
	e := sinkEvent(fmt.Sprintf("root.d%d", i%3), int64(i), float64(i))
	e.ID, e.Source = fmt.Sprintf("t|%s|%d|0|0", e.Series, i), "t"
	return e
}

// lends hands out events, looks whether they come back as they were, and then
// makes something else of them: they are the store's, which uses them again.
func (k *sinkKit) lends() {
	s := k.opened()
	for i := range 6 {
		events := []tickwell.Event{numbered(i)}
		fields, labels := events[0].Fields, events[0].Labels
		if err := s.Handle(k.ctx(), events); err != nil {
			k.t.Fatal(err)
		}
		want := numbered(i)
		if !slices.EqualFunc(fields, want.Fields, sameField) || !maps.Equal(labels, want.Labels) {
			k.t.Errorf("the sink has changed an event: fields %v, labels %v, want %v, %v", fields, labels, want.Fields, want.Labels)
		}
		other := numbered(100 + i)
		other.ID = "used again"
		events[0] = other
		copy(fields, []tickwell.Field{tickwell.Float64("v", -1), tickwell.Text("note", "used again")})
		clear(labels)
	}
	if l, ok := s.(life); ok {
		if err := l.Close(k.ctx()); err != nil {
			k.t.Error(err)
		}
	}
	k.check(6, true)
}

func sameField(a, b tickwell.Field) bool {
	return a.Name == b.Name && a.Value.Kind() == b.Value.Kind() && a.Value.String() == b.Value.String()
}

// odd hands out nothing, and events that are strange: any error will do, but no
// panic, and one that is not strange arrives after them. So does one before Open
// and after Close.
func (k *sinkKit) odd() {
	closed := k.watched()
	if l, ok := closed.(life); ok {
		k.try(closed, []tickwell.Event{numbered(0)})
		if err := l.Close(k.ctx()); err != nil {
			k.t.Errorf("Close of a sink that was not opened: %v", err)
		}
		k.try(closed, []tickwell.Event{numbered(0)})
	}
	s := k.opened()
	k.try(s, nil)
	e := numbered(0)
	for _, change := range []func(){
		func() { e.Fields, e.Labels = nil, nil },
		func() { e = tickwell.Event{ID: e.ID} },
		func() { e.ID, e.Series, e.Source = "", "", "" },
		func() { e.ID, e.Series = "\x00\r\n\xff", "root.\xff.`a b`\r\n" },
		func() { e.Fields[0].Value, e.Fields[1].Value = tickwell.Value{}, tickwell.Value{} },
		func() { e.Fields[0].Value = tickwell.Float64Value(math.NaN()) },
		func() { e.Fields[0].Value = tickwell.TextValue("no number") },
		func() { e.Fields[1].Value = tickwell.TextValue("\x00\xff\r\n\u2028{{.v}}<!channel>'\";--") },
		func() { e.Fields[1].Name = "" },
		func() { e.Fields = append(e.Fields, e.Fields...) },
		func() { e.Labels = map[string]string{"": "", "\xff": "\r\n"} },
		func() { e.Notes = map[string]string{"summary": "{{.nobody"} },
		func() { e.Time = time.Time{} },
		func() { e.Time = time.Unix(0, math.MaxInt64) },
		func() { e.Status, e.Revision, e.Hops = 200, -1, -1 },
	} {
		e = numbered(0)
		change()
		k.try(s, []tickwell.Event{e})
	}
	if l, ok := s.(life); ok {
		if err := l.Close(k.ctx()); err != nil {
			k.t.Error(err)
		}
	}
	s = k.opened() // whatever state the target has left it in
	if err := s.Handle(k.ctx(), []tickwell.Event{numbered(1)}); err != nil {
		k.t.Errorf("after strange events: %v", err)
	}
	if !slices.Contains(k.Received(k.t), numbered(1).ID) {
		k.t.Error("after strange events one that is not did not arrive")
	}
}

// try calls Handle for its panics and secrets, and so that it ends.
func (k *sinkKit) try(s tickwell.Sink, events []tickwell.Event) {
	k.t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Handle(k.ctx(), events) }()
	select {
	case err := <-done:
		k.quiet(fmt.Sprint(err))
	case <-k.after(2 * k.limit()):
		k.t.Fatalf("Handle does not return from %+v", events)
	}
}

// after is a channel that is closed when so much time has passed.
func (k *sinkKit) after(d time.Duration) <-chan struct{} {
	done := make(chan struct{})
	stop := clock.System().AfterFunc(d, func() { close(done) })
	k.t.Cleanup(func() { stop() })
	return done
}

func (k *sinkKit) ends() {
	s := k.opened()
	e := numbered(0)
	if k.Hang != nil {
		k.Hang(k.t)
		ctx, cancel := context.WithCancel(k.t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Handle(ctx, []tickwell.Event{e}) }()
		cancel()
		select {
		case err := <-done:
			if err == nil {
				k.t.Error("no error from a target that does not answer")
			}
			k.quiet(fmt.Sprint(err))
		case <-k.after(k.limit()):
			k.t.Fatal("Handle does not return when its context has ended and the target does not answer")
		}
	}
	ctx, cancel := context.WithCancel(k.t.Context())
	cancel()
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
	if n := k.fewest(before + rounds - 1); n >= before+rounds {
		stacks := make([]byte, 64<<10)
		k.t.Errorf("%d goroutines after %d more times, %d before:\n%s", n, rounds, before, stacks[:runtime.Stack(stacks, true)])
	}
}

// fewest gives goroutines that are about to end the time to do so. It returns
// how many are left, at once if that is no more than enough.
func (k *sinkKit) fewest(enough int) int {
	clk, wait := clock.System(), make(chan struct{}, 1)
	n := runtime.NumGoroutine()
	patience := 100
	if enough > 0 { // what is too much has longer to end: the machine may be busy
		patience = 5000
	}
	for same := 0; same < patience && n > enough && clk.Mono() < k.limit(); same++ {
		clk.AfterFunc(time.Millisecond, func() { wait <- struct{}{} })
		<-wait
		if now := runtime.NumGoroutine(); now < n {
			n, same = now, 0
		}
	}
	return n
}
