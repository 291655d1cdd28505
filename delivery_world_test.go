package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/vfs"
	"github.com/tickwell/tickwell/window"
)

// deliveryTarget stands for the program behind a sink, which outlives the store: it
// fails in all the ways that there are, and keeps what it has taken.
type deliveryTarget struct {
	w    *deliveryWorld
	name string

	mu      sync.Mutex
	rng     *rand.Rand
	mood    string
	each    bool // it tells of each event what became of it
	mended  bool // it takes what it refused before
	taken   []deliveryParcel
	buried  []deliveryParcel // given up, to SinkSpec.DeadLetter
	calling map[string]bool  // order keys of the calls under way
	acked   map[string]int64 // by chain of events, the last that was acknowledged
	again   map[string]bool  // keys of events that were redriven
}

// deliveryParcel is an event as a target has it, and how much had happened to the
// disk when it came.
type deliveryParcel struct {
	key, text string
	op        int
}

var deliveryMoods = []string{"ok", "ok", "ok", "down", "retry", "gone", "panic", "exit", "off", "hang", "slow", "lost", "large", "some", "any", "any"}

// deliveryKey names an event by what it is about: a trigger and a row.
func deliveryKey(e *Event) (key string, n int64) {
	v := e.Get("n")
	if v.IsNull() {
		v = e.Get("v") // a dead letter of a trigger has the row
	}
	if e.Source == "c" {
		return fmt.Sprintf("c/%d/%d", e.Time.Unix(), e.Revision), -1
	}
	return fmt.Sprintf("%s/%d", e.Source, v.Int64()), v.Int64()
}

func deliveryText(e *Event) string {
	return fmt.Sprint(e.ID, e.Source, e.Series, e.Time.UnixNano(), e.Fields, e.Labels, e.Notes, e.Status, e.Revision, e.Urgent, e.Hops)
}

func (s *deliveryTarget) parcel(e *Event) deliveryParcel {
	key, _ := deliveryKey(e)
	return deliveryParcel{key, deliveryText(e), s.w.ops()}
}

func (s *deliveryTarget) Open(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.mood == "down" || s.mood == "gone") && s.rng.IntN(2) == 0 {
		return errors.New("refused")
	}
	return nil
}

func (s *deliveryTarget) Handle(ctx context.Context, events []Event) (err error) {
	mood, wait := s.begin(events)
	done := []int{}
	defer func() { s.end(events, done) }()
	switch mood {
	case "down":
		return errors.New("down")
	case "retry":
		return deliver.Retry(errors.New("later"), wait*10)
	case "gone":
		return deliver.NotConnected(errors.New("gone"))
	case "panic":
		panic("of a sink")
	case "exit":
		runtime.Goexit()
	case "off":
		return deliver.Disabled(errors.New("off"))
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "slow":
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			if wait%2 == 0 {
				return ctx.Err()
			}
		}
	case "large":
		if len(events) > 2 {
			return deliver.TooLarge(errors.New("too many"))
		}
	}
	return s.take(events, mood, &done)
}

// take takes what it does not refuse for good.
func (s *deliveryTarget) take(events []Event, mood string, done *[]int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var bad, good []int
	for i := range events {
		if _, n := deliveryKey(&events[i]); n%19 == 7 && !s.mended {
			bad = append(bad, i)
		} else {
			good = append(good, i)
		}
	}
	if len(bad) > 0 && !s.each {
		return deliver.Permanent(errors.New("poison"))
	}
	if mood == "some" { // the first of them
		upTo := s.rng.IntN(len(events) + 1)
		past := func(i int) bool { return i >= upTo }
		bad, good = slices.DeleteFunc(bad, past), slices.DeleteFunc(good, past)
	}
	for _, i := range good {
		s.taken = append(s.taken, s.parcel(&events[i]))
	}
	switch {
	case mood == "lost":
		return errors.New("the answer is lost")
	case len(bad) > 0 || mood == "some":
		*done = good
		return &deliver.Partial{Done: good, Rejected: bad}
	}
	for i := range events {
		*done = append(*done, i)
	}
	return nil
}

// begin checks what a call is for: in order, and nothing that was acknowledged.
func (s *deliveryTarget) begin(events []Event) (mood string, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[string]int64{}
	for i := range events {
		e := &events[i]
		if s.calling[e.key()] {
			s.w.broken("%s is called with %s beside a call with the same series", s.name, e.key())
		}
		key, n := deliveryKey(e)
		s.w.sameText(key, deliveryText(e))
		if n < 0 || s.again[key] {
			continue
		}
		chain := e.Source + "|" + e.Series
		if n <= s.acked[chain] {
			s.w.broken("%s is handed %s when %d of %s is acknowledged", s.name, key, s.acked[chain], chain)
		}
		if n <= last[chain] {
			s.w.broken("%s is handed %s after %d of %s in one call", s.name, key, last[chain], chain)
		}
		last[chain] = n
	}
	for i := range events {
		s.calling[events[i].key()] = true
	}
	mood = s.mood
	if mood == "any" {
		mood = deliveryMoods[s.rng.IntN(len(deliveryMoods)-2)]
		if mood == "off" {
			mood = "ok"
		}
	}
	return mood, time.Duration(s.rng.Int64N(int64(12 * time.Second)))
}

func (s *deliveryTarget) end(events []Event, done []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		delete(s.calling, events[i].key())
	}
	for _, i := range done {
		key, n := deliveryKey(&events[i])
		if chain := events[i].Source + "|" + events[i].Series; n >= 0 && !s.again[key] {
			s.acked[chain] = max(s.acked[chain], n)
		}
	}
}

func (s *deliveryTarget) bury(_ context.Context, d DeadLetter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rng.IntN(3) == 0 {
		return errors.New("no room for dead letters")
	}
	s.buried = append(s.buried, s.parcel(&d.Event))
	return nil
}

func (s *deliveryTarget) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// deliveryPromise is something that a call has promised: since which operation of the
// disk, and since which it outlives a power cut. -1: not.
type deliveryPromise struct{ since, safe int }

var noPromise = deliveryPromise{-1, -1}

// deliveryRow is a row, and what has to become of it.
type deliveryRow struct {
	n      int64
	device string
	begun  int
	sinks  []string // that there were
	fails  bool     // trigger a fails for it
	watch  bool     // trigger b is on
	group  int      // of rows that are stored together
	stored deliveryPromise
	queued deliveryPromise // that trigger q and o have fired for it
}

// deliveryWorld is a store with triggers, a continuous query and sinks, and what it
// has promised. The disk may lose what it has not synced.
type deliveryWorld struct {
	t     *testing.T
	seed  uint64
	rng   *rand.Rand
	log   worldOps
	warn  worldLog
	clock *leapingClock
	disk  *crashfs.FS
	on    atomic.Pointer[crashfs.FS] // disk, for targets
	db    *DB
	sync  SyncPolicy
	lax   bool  // the outbox is small: it drops
	box   int64 // its bound
	queue int   // of trigger d
	chain bool  // trigger o is durable

	targets map[string]*deliveryTarget
	rows    []*deliveryRow
	next    int64
	groups  int
	begun   int   // operation of the disk at which the present life began
	base    int64 // of the figures of s3
	based   bool  // base is known

	mu    sync.Mutex
	wrong []string
	texts map[string]deliveryParcel // of all events that were seen
}

// leapingClock is the bubble's, whose wall time may be set.
type leapingClock struct {
	clock.Clock
	off atomic.Int64
}

func (c *leapingClock) Now() time.Time { return c.Clock.Now().Add(time.Duration(c.off.Load())) }

func (w *deliveryWorld) ops() int { return w.on.Load().Ops() }

func (w *deliveryWorld) broken(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

func (w *deliveryWorld) sameText(key, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	had, ok := w.texts[key]
	if !ok {
		w.texts[key] = deliveryParcel{key, text, w.ops()}
	} else if had.text != text {
		w.wrong = append(w.wrong, fmt.Sprintf("event %s was\n%s and is\n%s", key, had.text, text))
	}
}

func (w *deliveryWorld) fatalf(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("world %d: %s\nafter %d operations, the last of them\n %s\nwarned of\n%s", w.seed, fmt.Sprintf(format, args...), w.log.n, w.log.last("\n "), &w.warn)
}

func (w *deliveryWorld) ok(what string, err error) {
	w.t.Helper()
	if err != nil {
		w.fatalf("%s: %v", what, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.wrong) > 0 {
		w.fatalf("%s: %s", what, strings.Join(w.wrong[:min(len(w.wrong), 5)], "\n"))
	}
}

func (w *deliveryWorld) say(format string, args ...any) {
	w.log.add(fmt.Sprintf("%d: ", w.ops()) + fmt.Sprintf(format, args...))
}

// deliveryEach emits an event of each row.
func deliveryEach(suffix string) func(context.Context, *Firing) error {
	return func(_ context.Context, f *Firing) error {
		for row := range f.Rows() {
			n := row.UnixNano() / 1e9
			if suffix == "a" && n%11 == 5 {
				return errBoom
			}
			f.Emit(Event{Series: f.Device + "." + suffix, Time: row.Time(), Fields: []Field{Int64("n", n), Text("pad", strings.Repeat("x", int(n%200)))}, Urgent: n%23 == 0})
			if suffix == "b" {
				f.Put(fmt.Sprintf("n/%09d", n), []byte{1})
			}
		}
		return nil
	}
}

// deliveryCounter numbers the rows, and writes the number of each.
type deliveryCounter struct{ n int64 }

func (c *deliveryCounter) Restore(_ context.Context, env Env) (err error) {
	c.n = 0
	if b, ok := env.Get("count"); ok {
		c.n, err = strconv.ParseInt(string(b), 10, 64)
	}
	return err
}

func (c *deliveryCounter) Fire(_ context.Context, f *Firing) error {
	_, leaf, _ := strings.Cut(strings.TrimPrefix(f.Device, "root."), ".")
	for row := range f.Rows() {
		c.n++
		f.Emit(Event{Series: f.Device + ".d", Time: row.Time(), Fields: []Field{Int64("n", row.UnixNano()/1e9), Int64("count", c.n)}})
		if err := f.Write(tab("root.out."+leaf, row.UnixNano(), "c", Int64s{c.n})); err != nil {
			return err
		}
	}
	f.Put("count", strconv.AppendInt(nil, c.n, 10))
	return nil
}

// deliveryWaker emits the events of rows some seconds later.
type deliveryWaker struct{ env Env }

func (k *deliveryWaker) OnCreate(_ context.Context, env Env) error {
	k.env = env
	return nil
}

func (k *deliveryWaker) Fire(_ context.Context, f *Firing) error {
	for row := range f.Rows() {
		f.Put(fmt.Sprintf("p/%09d", row.UnixNano()/1e9), []byte(f.Device))
	}
	f.Wake(k.env.Clock.Now().Add(7 * time.Second))
	return nil
}

func (k *deliveryWaker) OnWake(_ context.Context, f *Firing) error {
	for key, device := range k.env.Scan("p/") {
		n, err := strconv.ParseInt(key[len("p/"):], 10, 64)
		if err != nil {
			return err
		}
		f.Emit(Event{Series: string(device) + ".w", Time: time.Unix(n, 0), Fields: []Field{Int64("n", n)}})
		f.Put(key, nil)
	}
	return nil
}

func (w *deliveryWorld) triggers() []TriggerSpec {
	durable := func(s TriggerSpec, queue int) TriggerSpec {
		s.Durable, s.Queue, s.WhenFull = true, queue, window.RejectWait
		return s
	}
	b := spec("b", "root.in.*.v", BeforeInsert, deliveryEach("b"))
	a := spec("a", "root.in.*.v", AfterInsert, deliveryEach("a"))
	a.Sinks, a.DeadLetter, a.Retries = []string{"s0", "s1"}, "s2", int(w.seed%2)
	q := spec("q", "root.in.*.v", AfterInsert, deliveryEach("q"))
	q.Sinks, q.Queue, q.WhenFull = []string{"s1"}, 4, window.RejectWait
	d := durable(TriggerSpec{Name: "d", Pattern: "root.in.*.v", Stateful: true, Trigger: &deliveryCounter{}, Sinks: []string{"s0"}}, w.queue)
	o := spec("o", "root.out.*.c", AfterInsert, func(_ context.Context, f *Firing) error {
		for row := range f.Rows() {
			f.Emit(Event{Series: f.Device, Time: row.Time(), Fields: []Field{Int64("n", row.UnixNano()/1e9)}})
		}
		return nil
	})
	o.Sinks = []string{"s1"}
	if w.chain {
		o = durable(o, 0)
	}
	k := TriggerSpec{Name: "w", Pattern: "root.in.*.v", When: BeforeInsert, Stateful: true, Trigger: &deliveryWaker{}, Sinks: []string{"s2"}}
	return []TriggerSpec{b, a, q, d, o, k}
}

func (w *deliveryWorld) sinkSpec(name string) SinkSpec {
	s := w.targets[name]
	sp := SinkSpec{Name: name, Sink: s, Batch: 1 + w.rng.IntN(9), InFlight: 1 + w.rng.IntN(3), Notify: w.rng.IntN(4) == 0}
	if w.rng.IntN(3) == 0 {
		sp.MaxAge = time.Duration(1+w.rng.IntN(30)) * time.Minute
	}
	if w.rng.IntN(3) == 0 {
		sp.Linger = time.Duration(w.rng.IntN(3000)) * time.Millisecond
	}
	if w.rng.IntN(3) == 0 {
		sp.Timeout = time.Duration(1+w.rng.IntN(9)) * time.Second
	}
	if name == "s2" && w.seed%3 == 0 {
		sp.DeadLetter = s.bury
	}
	return sp
}

func (w *deliveryWorld) open() {
	w.on.Store(w.disk)
	w.begun = w.ops()
	p := Edge()
	p.SegmentBytes, p.BlockRows, p.OutboxBytes = 4<<10, 16, w.box
	opts := &Options{FS: w.disk, Clock: w.clock, Sync: w.sync, Profile: p, Logger: w.warn.logger(), Seed: w.seed + 1, Triggers: w.triggers(), OnTriggerError: func(*TriggerError) {}}
	for _, name := range []string{"s0", "s1", "s2", "s3"} {
		opts.Sinks = append(opts.Sinks, w.sinkSpec(name))
	}
	opts.ContinuousQueries = []CQSpec{{Name: "c", OnChange: true, Sinks: []string{"s0"}, Query: Query{
		Select: []expr.Expr{expr.Sum(expr.Col("v"))}, From: []string{"root.in.d0"}, GroupBy: GroupByTime{Interval: 10 * time.Second},
	}}}
	opts.Seed = w.seed + uint64(w.log.n) + 1
	w.db = openOnly(w.t, "data", opts)
	if d := w.db.Recovery().Damage; len(d) > 0 {
		w.fatalf("damage after reopening: %v", d)
	}
	w.based = false
}

// insert stores some rows of one device, or of several at once.
func (w *deliveryWorld) insert(ctx context.Context) {
	type call struct {
		tabs []*Tablet
		rows []*deliveryRow
		err  error
	}
	watch := false
	for info := range w.db.Triggers() {
		watch = watch || info.Spec.Name == "b" && info.State == "ACTIVE"
	}
	sinks := slices.Clone(*w.db.sinks.names.Load())
	devices := w.rng.Perm(4)
	fill := func(c *call, device string) {
		t := &Tablet{Device: device, Columns: []Column{{Name: "v"}}}
		var vs Int64s
		fails := false
		from := len(c.rows)
		for range 1 + w.rng.IntN(4) {
			w.next++
			t.Times, vs = append(t.Times, w.next*1e9), append(vs, w.next)
			fails = fails || w.next%11 == 5
			c.rows = append(c.rows, &deliveryRow{n: w.next, device: device, begun: w.ops(), sinks: sinks, watch: watch, group: w.groups, stored: noPromise, queued: noPromise})
		}
		for _, r := range c.rows[from:] {
			r.fails = fails
		}
		t.Columns[0].Data = vs
		c.tabs = append(c.tabs, t)
	}
	var calls []*call
	if w.rng.IntN(3) == 0 { // one group
		c := &call{}
		for _, d := range devices[:1+w.rng.IntN(3)] {
			fill(c, fmt.Sprint("root.in.d", d))
		}
		calls = append(calls, c)
		w.groups++
	} else {
		for _, d := range devices[:1+w.rng.IntN(3)] {
			c := &call{}
			fill(c, fmt.Sprint("root.in.d", d))
			calls = append(calls, c)
			w.groups++
		}
	}
	var wg sync.WaitGroup
	for _, c := range calls {
		w.say("insert %d … %d of %s and %d more", c.rows[0].n, c.rows[len(c.rows)-1].n, c.rows[0].device, len(c.tabs)-1)
		wg.Go(func() {
			c.err = w.db.InsertTablets(ctx, c.tabs...)
			at := w.ops()
			for _, r := range c.rows {
				r.stored.since = at
				if w.sync.mode == syncAlways {
					r.stored.safe = at
				}
			}
		})
	}
	wg.Wait()
	for _, c := range calls {
		w.ok("insert", c.err)
		w.rows = append(w.rows, c.rows...)
	}
}

// drain waits for the triggers.
func (w *deliveryWorld) drain() {
	w.ok("drain", w.db.drainTriggers(context.Background()))
	for _, r := range w.rows {
		if r.queued.since < 0 && r.begun >= w.begun {
			r.queued.since = w.ops()
		}
	}
}

// synced notes that everything so far outlives a power cut.
func (w *deliveryWorld) synced() {
	for _, r := range w.rows {
		for _, p := range []*deliveryPromise{&r.stored, &r.queued} {
			if p.since >= 0 && p.safe < 0 {
				p.safe = w.ops()
			}
		}
	}
}

// present is which rows of a store there are.
func (w *deliveryWorld) present(db *DB) map[int64]bool {
	have := map[int64]bool{}
	for _, p := range dump(w.t, db, "root.in.**") {
		at, v, _ := strings.Cut(p[strings.Index(p, "@")+1:], "=")
		n, _ := strconv.ParseInt(at, 10, 64)
		if n /= 1e9; v != fmt.Sprint(n) {
			w.fatalf("stored %s", p)
		}
		have[n] = true
	}
	return have
}

// crash cuts the power, or kills the process, after some operation, and opens what
// is left. What came later has never happened.
func (w *deliveryWorld) crash() {
	now := w.ops()
	cut, mode := now, crashfs.Modes[w.rng.IntN(len(crashfs.Modes))]
	if w.rng.IntN(2) == 0 {
		cut = w.begun + w.rng.IntN(now-w.begun+1)
	}
	if w.rng.IntN(3) == 0 {
		mode = crashfs.All
	}
	w.say("crash after operation %d of %d, %v", cut, now, mode)
	w.ok("close", w.db.Close())
	image := w.disk.Image(cut, mode, w.rng.Uint64())
	for key, p := range w.texts {
		if p.op > cut {
			delete(w.texts, key)
		} else {
			p.op = 0
			w.texts[key] = p
		}
	}
	for _, s := range w.targets {
		s.set(func() {
			later := func(p deliveryParcel) bool { return p.op > cut }
			s.taken, s.buried = slices.DeleteFunc(s.taken, later), slices.DeleteFunc(s.buried, later)
			for i := range s.taken {
				s.taken[i].op = 0
			}
			for i := range s.buried {
				s.buried[i].op = 0
			}
			s.acked, s.calling = map[string]int64{}, map[string]bool{}
		})
	}
	w.disk = crashfs.From(image)
	w.open()
	have := w.present(w.db)
	groups := map[int]bool{}
	w.rows = slices.DeleteFunc(w.rows, func(r *deliveryRow) bool {
		held := func(p deliveryPromise) bool {
			return p.since >= 0 && (p.safe >= 0 && p.safe <= cut || mode == crashfs.All && w.sync.mode != syncBuffered && p.since <= cut)
		}
		if some, ok := groups[r.group]; ok && some != have[r.n] {
			w.fatalf("a part of the group of row %d is there", r.n)
		}
		groups[r.group] = have[r.n]
		switch {
		case !have[r.n] && held(r.stored):
			w.fatalf("row %d is gone", r.n)
		case have[r.n] && r.begun > cut:
			w.fatalf("row %d is there before it was inserted", r.n)
		}
		for p, sure := range map[*deliveryPromise]bool{&r.stored: held(r.stored), &r.queued: r.queued.safe >= 0 && r.queued.safe <= cut} {
			*p = noPromise
			if sure {
				*p = deliveryPromise{}
			}
		}
		r.begun = -1
		return !have[r.n]
	})
	clear(have)
	for _, r := range w.rows {
		have[r.n] = true
	}
	for _, s := range w.targets {
		s.set(func() {
			for _, p := range s.taken {
				if n, ok := rowOf(p.key); ok && !have[n] {
					w.fatalf("%s has %s, whose row is gone", s.name, p.key)
				}
			}
		})
	}
	w.check()
}

// rowOf is the row that an event is about, if it is about one.
func rowOf(key string) (n int64, ok bool) {
	if strings.Contains(key, "c/") {
		return 0, false
	}
	n, err := strconv.ParseInt(key[strings.LastIndex(key, "/")+1:], 10, 64)
	return n, err == nil
}

func (w *deliveryWorld) reopen() {
	drained := w.rng.IntN(2) == 0
	if drained {
		w.drain()
	}
	if w.rng.IntN(2) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(w.rng.IntN(60))*time.Second)
		err := w.db.Shutdown(ctx)
		cancel()
		w.say("shutdown: %v", err)
	} else {
		w.say("close, drained %v", drained)
		w.ok("close", w.db.Close())
	}
	for name, p := range w.db.sinks.pipelines() {
		if p.Stats().Behind != 0 || w.lax { // what has overtaken one that waits comes again
			w.targets[name].set(func() { w.targets[name].acked = map[string]int64{} })
		}
	}
	for _, r := range w.rows {
		if r.stored.since >= 0 {
			r.stored = deliveryPromise{}
		}
		if r.queued.since >= 0 {
			r.queued = deliveryPromise{}
		}
		r.begun = -1
	}
	w.open()
	w.check()
}

// wants calls f for each event that has to be somewhere.
func (w *deliveryWorld) wants(f func(r *deliveryRow, sink, key string)) {
	for _, r := range w.rows {
		if r.watch {
			for _, s := range r.sinks {
				f(r, s, fmt.Sprint("b/", r.n))
			}
		}
		if r.stored.since >= 0 && r.fails {
			f(r, "s2", fmt.Sprint("a/dead/", r.n))
		} else if r.stored.since >= 0 {
			f(r, "s0", fmt.Sprint("a/", r.n))
			f(r, "s1", fmt.Sprint("a/", r.n))
		}
		if r.queued.since >= 0 {
			f(r, "s1", fmt.Sprint("q/", r.n))
		}
		if r.queued.since >= 0 || w.chain {
			f(r, "s1", fmt.Sprint("o/", r.n))
		}
		f(r, "s0", fmt.Sprint("d/", r.n))
		f(r, "s2", fmt.Sprint("w/", r.n))
	}
}

// kept is what waits in a store for each sink, and its dead letters.
func (w *deliveryWorld) kept(db *DB) map[string]string {
	out := map[string]string{}
	for name := range w.targets {
		for e, err := range db.Waiting(name) {
			w.ok("waiting", err)
			key, _ := deliveryKey(&e)
			w.sameText(key, deliveryText(&e))
			out[name+" "+key] = "waiting"
		}
		for d, err := range db.DeadLetters(context.Background(), name) {
			w.ok("dead letters", err)
			key, n := deliveryKey(&d.Event)
			w.sameText(key, deliveryText(&d.Event))
			out[name+" "+key] = "dead"
			if slices.Contains([]string{"permanent", "partial"}, d.Reason) && n%19 != 7 {
				w.fatalf("%s of %s: %s, %s", key, name, d.Reason, d.Cause)
			}
		}
	}
	return out
}

// check compares the store with what it has promised.
func (w *deliveryWorld) check() {
	w.drain()
	w.compare("", w.db)
	w.synced()
}

func (w *deliveryWorld) compare(what string, db *DB) {
	w.ok("sync", db.Sync(context.Background()))
	synctest.Wait() // alarms have rung
	w.ok("sync", db.Sync(context.Background()))
	kept := w.kept(db)
	pending := map[int64]bool{}
	for key := range db.eng.Scan("trigger/w/p/") {
		n, err := strconv.ParseInt(key[strings.LastIndex(key, "/")+1:], 10, 64)
		w.ok("pending", err)
		pending[n] = true
	}
	for _, s := range w.targets {
		s.set(func() {
			for _, p := range slices.Concat(s.taken, s.buried) {
				kept[s.name+" "+p.key] = "taken"
			}
		})
	}
	have := w.present(db)
	rows := map[int64]bool{}
	for _, r := range w.rows {
		rows[r.n] = true
		if r.stored.since >= 0 && !have[r.n] {
			w.fatalf("%srow %d is not there", what, r.n)
		}
	}
	for key, where := range kept {
		if n, ok := rowOf(key); ok && !have[n] && (where != "taken" || !rows[n]) {
			w.fatalf("%s%s is %s, and its row is not there", what, key, where)
		}
	}
	w.wants(func(r *deliveryRow, sink, key string) {
		where, there := kept[sink+" "+key]
		if !have[r.n] {
			return
		}
		if strings.HasPrefix(key, "w/") {
			if there && pending[r.n] {
				w.fatalf("%s%s for %s is %s, and waits to be sent", what, key, sink, where)
			}
			there = there || pending[r.n]
		}
		if strings.HasPrefix(key, "b/") {
			if _, ok := db.eng.Get(fmt.Sprintf("trigger/b/n/%09d", r.n)); !ok {
				w.fatalf("%s%s has no state", what, key)
			}
		}
		if !there && !w.lax {
			w.fatalf("%s%s for %s is lost", what, key, sink)
		}
	})
	// The effects of trigger d, each once.
	counts := map[string]bool{}
	for _, p := range dump(w.t, db, "root.out.**") {
		at, v, _ := strings.Cut(p[strings.Index(p, "@")+1:], "=")
		n, _ := strconv.ParseInt(at, 10, 64)
		if !have[n/1e9] {
			w.fatalf("%s%s, and its row is not there", what, p)
		}
		if counts[v] {
			w.fatalf("%scount %s is there twice", what, v)
		}
		counts[v] = true
	}
	for i := 1; i <= len(have); i++ {
		if !counts[fmt.Sprint(i)] {
			w.fatalf("%sof %d rows, count %d is not there", what, len(have), i)
		}
	}
	if len(counts) != len(have) {
		w.fatalf("%s%d rows, %d counts", what, len(have), len(counts))
	}
	if b, _ := db.eng.Get("trigger/d/count"); len(have) > 0 && string(b) != fmt.Sprint(len(have)) {
		w.fatalf("%s%d rows, the state says %s", what, len(have), b)
	}
}

// figures compares the statistics of s3, which gets events of trigger b alone.
func (w *deliveryWorld) figures() {
	if w.lax { // a sink that waits before it tries again sees then what was dropped
		<-time.After(10 * time.Minute)
	}
	for range 3 { // what is dropped for a dead letter is seen when that is durable
		w.ok("sync", w.db.Sync(context.Background()))
		synctest.Wait()
	}
	sum := func(st SinkStats) int64 { return st.Delivered + st.Dead + st.Dropped + st.Backlog }
	for _, st := range w.db.Stats().Sinks {
		if st.Name != "s3" || st.Health == "absent" {
			continue
		}
		emitted := int64(0)
		for _, r := range w.rows {
			if r.watch && slices.Contains(r.sinks, "s3") {
				emitted++
			}
		}
		if w.based && sum(st)-emitted != w.base {
			w.fatalf("of the events of s3 %d more are delivered %d, dead %d, dropped %d or waiting %d than before", sum(st)-emitted-w.base, st.Delivered, st.Dead, st.Dropped, st.Backlog)
		}
		w.base, w.based = sum(st)-emitted, true
	}
}

// backup copies the store while it runs and opens the copy.
func (w *deliveryWorld) backup() {
	w.say("backup")
	w.drain()
	disk := vfs.NewMem()
	w.ok("backup", w.db.Backup(context.Background(), disk, "copy"))
	refuse := SinkFunc(func(context.Context, []Event) error { return errors.New("a copy") })
	opts := &Options{FS: disk, Clock: w.clock, Triggers: w.triggers(), Logger: w.warn.logger()}
	for name := range w.targets {
		opts.Sinks = append(opts.Sinks, SinkSpec{Name: name, Sink: refuse})
	}
	db := openOnly(w.t, "copy", opts)
	w.compare("in the copy: ", db)
	w.ok("close", db.Close())
}

func (w *deliveryWorld) step() {
	ctx := context.Background()
	names := []string{"s0", "s1", "s2", "s3"}
	s := w.targets[names[w.rng.IntN(4)]]
	switch k := w.rng.IntN(100); {
	case k < 45:
		w.insert(ctx)
	case k < 60:
		d := time.Duration(w.rng.Int64N(int64(5 * time.Second)))
		if w.rng.IntN(4) == 0 {
			d *= 200
		}
		w.say("wait %v", d)
		<-time.After(d)
	case k < 72:
		mood := deliveryMoods[w.rng.IntN(len(deliveryMoods))]
		w.say("%s is %s", s.name, mood)
		s.set(func() { s.mood, s.each = mood, w.rng.IntN(2) == 0 })
		if w.rng.IntN(2) == 0 && slices.Contains(*w.db.sinks.names.Load(), s.name) {
			w.ok("enable", w.db.EnableSink(s.name))
		}
	case k < 75:
		w.say("flush")
		w.ok("flush", w.db.Flush(ctx))
		w.synced()
	case k < 76:
		w.say("compact")
		w.ok("compact", w.db.Compact(ctx))
	case k < 79:
		w.say("sync")
		w.ok("sync", w.db.Sync(ctx))
		w.synced()
	case k < 82:
		w.redrive(s)
	case k < 84:
		w.changeSink()
	case k < 86:
		off := time.Duration(w.rng.Int64N(int64(4*time.Hour))) - 2*time.Hour
		w.say("the clock is set by %v", off)
		w.clock.off.Add(int64(off))
	case k < 88:
		w.toggle()
	case k < 90:
		w.backup()
	case k < 92:
		w.figures()
	case k < 94:
		w.say("check")
		w.check()
	case k < 97:
		w.reopen()
	default:
		w.crash()
	}
}

func (w *deliveryWorld) redrive(s *deliveryTarget) {
	if !slices.Contains(*w.db.sinks.names.Load(), s.name) {
		return
	}
	mend := w.rng.IntN(2) == 0
	s.set(func() { s.mended = s.mended || mend })
	odd := w.rng.IntN(3)
	moved := 0
	n, err := w.db.Redrive(context.Background(), s.name, func(d DeadLetter) bool {
		key, i := deliveryKey(&d.Event)
		if odd > 0 && i%2 == 0 {
			return false
		}
		s.set(func() { s.again[key] = true })
		moved++
		return true
	})
	w.say("redrive of %s: %d, mended %v", s.name, n, mend)
	w.ok("redrive", err)
	if n != moved {
		w.fatalf("redrive says %d, %d were picked", n, moved)
	}
	if s.name == "s3" {
		w.base += int64(n)
	}
}

// changeSink drops s3 or adds it.
func (w *deliveryWorld) changeSink() {
	ctx := context.Background()
	w.drain()
	s := w.targets["s3"]
	if !slices.Contains(*w.db.sinks.names.Load(), "s3") {
		w.say("add s3")
		w.ok("add", w.db.AddSink(ctx, w.sinkSpec("s3")))
		w.based = false
		return
	}
	w.say("drop s3")
	w.ok("drop", w.db.DropSink(ctx, "s3"))
	for _, r := range w.rows {
		r.sinks = []string{"s0", "s1", "s2"} // nobody cares for the others
	}
	for e := range w.db.Waiting("s3") {
		w.fatalf("%s waits for a sink that was dropped", e.ID)
	}
	s.set(func() { s.calling = map[string]bool{} })
}

// toggle stops trigger b, or starts it.
func (w *deliveryWorld) toggle() {
	for info := range w.db.Triggers() {
		if info.Spec.Name != "b" {
			continue
		}
		w.say("toggle b, it is %s", info.State)
		if info.State == "ACTIVE" {
			w.ok("stop", w.db.StopTrigger(context.Background(), "b"))
		} else {
			w.ok("start", w.db.StartTrigger(context.Background(), "b"))
		}
	}
}

// settle mends all targets and waits until each has everything.
func (w *deliveryWorld) settle() {
	w.say("settle")
	ctx := context.Background()
	for _, s := range w.targets {
		s.set(func() { s.mood, s.mended = "ok", true })
	}
	w.clock.off.Store(0)
	<-time.After(30 * time.Hour) // alarms go by the wall clock, which was set
	for range 2 {
		for _, name := range *w.db.sinks.names.Load() {
			w.ok("enable", w.db.EnableSink(name))
			w.redrive(w.targets[name])
			w.ok("redrive", func() error {
				_, err := w.db.Redrive(ctx, name, func(d DeadLetter) bool {
					key, _ := deliveryKey(&d.Event)
					w.targets[name].set(func() { w.targets[name].again[key] = true })
					return true
				})
				return err
			}())
		}
		wait, cancel := context.WithTimeout(ctx, 24*time.Hour)
		err := w.db.Quiesce(wait)
		cancel()
		if err != nil {
			w.fatalf("quiesce: %v\n%+v", err, w.db.Stats().Sinks)
		}
	}
	w.check()
	have := map[string]map[string]bool{}
	for name, s := range w.targets {
		have[name] = map[string]bool{}
		s.set(func() {
			for _, p := range slices.Concat(s.taken, s.buried) {
				have[name][p.key] = true
			}
		})
		for e := range w.db.Waiting(name) {
			if slices.Contains(*w.db.sinks.names.Load(), name) {
				w.fatalf("%s waits for %s when all is over", e.ID, name)
			}
		}
	}
	w.wants(func(r *deliveryRow, sink, key string) {
		if !have[sink][key] && !w.lax && slices.Contains(*w.db.sinks.names.Load(), sink) {
			w.fatalf("%s never came to %s", key, sink)
		}
	})
	w.ok("end", nil)
}

// deliveryLife lets some things happen to a store, and then sees that everything has
// arrived.
func deliveryLife(t *testing.T, seed uint64, steps int) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(seed, 7))
		w := &deliveryWorld{
			t: t, seed: seed, rng: rng, clock: &leapingClock{Clock: clock.System()}, disk: crashfs.New(), texts: map[string]deliveryParcel{}, targets: map[string]*deliveryTarget{},
			box: 1 << 30, queue: 8 * int(seed%2), chain: seed%4 > 1,
			sync: []SyncPolicy{SyncAlways(), SyncInterval(time.Second), AckBuffered(time.Second), SyncNever()}[rng.IntN(4)],
		}
		if w.lax = seed%5 == 4; w.lax {
			w.box = 4<<10 + rng.Int64N(32<<10)
		}
		for i, name := range []string{"s0", "s1", "s2", "s3"} {
			w.targets[name] = &deliveryTarget{
				w: w, name: name, rng: rand.New(rand.NewPCG(seed, uint64(i))), mood: "ok",
				calling: map[string]bool{}, acked: map[string]int64{}, again: map[string]bool{},
			}
		}
		w.open()
		defer func() { w.db.Close() }()
		for range steps {
			w.step()
			w.ok("step", nil)
		}
		w.settle()
	})
}

// Whatever sinks answer, however often the store is closed, killed or loses its
// power: each event of what is stored is delivered, waits or is a dead letter; in
// order; not again once it is acknowledged; and never without its row.
// TICKWELL_DELIVERY_LIVES sets how many lives there are, and from which seed on after
// a comma.
func TestDeliveryLives(t *testing.T) {
	lives, first := 40, 0
	switch {
	case testing.Short():
		lives = 10
	case os.Getenv("TICKWELL_NIGHTLY") != "":
		lives = 2000
	}
	if s := os.Getenv("TICKWELL_DELIVERY_LIVES"); s != "" {
		n, from, _ := strings.Cut(s, ",")
		lives, _ = strconv.Atoi(n)
		first, _ = strconv.Atoi(from)
	}
	for seed := first; seed < first+lives; seed++ {
		deliveryLife(t, uint64(seed), 60)
		if t.Failed() {
			return
		}
	}
}
