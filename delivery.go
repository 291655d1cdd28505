package tickwell

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

// pipe is a *deliver.Pipeline[Event]. Behind an interface it is only in programs
// that add a sink.
type pipe interface {
	Enable()
	Close(time.Duration) error
	Flush(context.Context) error
	Stats() deliver.Stats
}

// sinkSet is the sinks of a store, each with the pipeline that feeds it.
type sinkSet struct {
	mu      sync.Mutex
	all     map[string]pipe
	types   map[string]string        // Go types of the sinks
	names   atomic.Pointer[[]string] // of all, sorted
	dropped map[string]bool          // names that triggers may still emit to
	redrive chan struct{}            // held by whoever moves dead letters
}

// AddSink starts a sink. Events that wait under its name are delivered first. It
// returns when the settings have been checked; the sink is opened in the
// background. Errors: ErrExists if a sink of that name runs, ErrBadInput, or what
// the sink's Validate returns; ErrReadOnly if the store was opened for reading.
func (db *DB) AddSink(ctx context.Context, spec SinkSpec) error {
	err := db.usable(ctx)
	if err == nil && db.opts.ReadOnly && db.phase.Load() != phaseOpening { // Options may name sinks
		err = errs.ReadOnly
	}
	if err != nil {
		return &Error{Op: "add sink", Subject: spec.Name, Err: err}
	}
	return db.addSink(ctx, spec)
}

// mostInFlight bounds SinkSpec.InFlight, for which room is made at once.
const mostInFlight = 1 << 16

func (db *DB) addSink(_ context.Context, spec SinkSpec) error {
	fail := func(err error) error { return &Error{Op: "add sink", Subject: spec.Name, Err: err} }
	if f, ok := spec.Sink.(SinkFunc); ok && f == nil {
		spec.Sink = nil
	}
	switch {
	case spec.Name == "":
		return fail(fmt.Errorf("no name: %w", errs.BadInput))
	case spec.Name[0] == 0 || strings.Contains(spec.Name, "\n"): // dead letters' names; what parts names in a trigger's definition
		return fail(fmt.Errorf("the name begins with a NUL or has a line break: %w", errs.BadInput))
	case spec.Sink == nil:
		return fail(fmt.Errorf("no Sink: %w", errs.BadInput))
	case spec.Batch < 0 || spec.Linger < 0 || spec.Timeout < 0 || spec.InFlight < 0 || spec.MaxAge < 0:
		return fail(fmt.Errorf("negative Batch, Linger, Timeout, InFlight or MaxAge: %w", errs.BadInput))
	case spec.InFlight > mostInFlight:
		return fail(fmt.Errorf("InFlight over %d: %w", mostInFlight, errs.BadInput))
	}
	s := &db.sinks
	if s.has(spec.Name) {
		return fail(errs.Exists)
	}
	if err := call(spec.Name, func() error { return db.prepareSink(&spec) }); err != nil {
		return fail(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[spec.Name] != nil {
		return fail(errs.Exists)
	}
	p, err := deliver.New(db.pipeline(spec))
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		return fail(err)
	}
	if s.all == nil {
		s.all, s.types = make(map[string]pipe), make(map[string]string)
	}
	s.all[spec.Name], s.types[spec.Name] = p, fmt.Sprintf("%T", spec.Sink)
	s.nameAll()
	delete(s.dropped, spec.Name)
	return nil
}

// DropSink stops a sink and discards the events and dead letters that wait under
// its name; an attempt under way is cut short. Triggers and queries go on: what
// they emit goes to the other sinks that they name, if any, until a sink of that
// name is added again. It fails with [ErrNotFound] if nothing goes by the name.
func (db *DB) DropSink(ctx context.Context, name string) error {
	fail := func(err error) error { return &Error{Op: "drop sink", Subject: name, Err: err} }
	if err := db.writable(ctx); err != nil {
		return fail(err)
	}
	s := &db.sinks
	s.mu.Lock()
	p := s.all[name]
	delete(s.all, name)
	s.nameAll()
	if p != nil {
		if s.dropped == nil {
			s.dropped = make(map[string]bool)
		}
		s.dropped[name] = true
	}
	s.mu.Unlock()
	box := db.eng.Outbox()
	if p == nil && !slices.ContainsFunc(box.Sinks(), func(i engine.SinkInfo) bool {
		return (i.Name == name || i.Name == deadName(name)) && i.Events > 0
	}) {
		return fail(errs.NotFound)
	}
	var stuck error
	if p != nil {
		stuck = p.Close(closeLimit)
	}
	n := box.Detach(name)
	dead := box.Detach(deadName(name))
	db.log.Info("sink dropped", "sink", name, "events", n, "dead letters", dead)
	if err := db.eng.LogCursors(ctx); err != nil {
		return fail(errs.Join(stuck, err))
	}
	if stuck != nil {
		return fail(stuck)
	}
	return nil
}

// prepareSink calls the optional methods that a sink has for when it is added.
func (db *DB) prepareSink(spec *SinkSpec) error {
	if s, ok := spec.Sink.(interface{ Bind(*DB) }); ok {
		s.Bind(db)
	}
	if s, ok := spec.Sink.(interface{ Validate() error }); ok {
		if err := s.Validate(); err != nil {
			return err
		}
	}
	if s, ok := spec.Sink.(interface{ Warnings() []string }); ok {
		for _, text := range s.Warnings() {
			db.log.Warn("sink: "+text, "sink", spec.Name)
		}
	}
	if s, ok := spec.Sink.(interface{ Defaults(*SinkSpec) }); ok {
		tuned := *spec
		s.Defaults(&tuned)
		tuned.Name, tuned.Sink = spec.Name, spec.Sink
		if tuned.InFlight < spec.InFlight {
			db.log.Warn("sink: it takes fewer calls at a time than InFlight asks for", "sink", spec.Name, "asked", spec.InFlight, "calls", max(tuned.InFlight, 1))
		}
		*spec = tuned
	}
	return nil
}

// EnableSink lets a sink go on that its target has disabled (sink.Disabled): it
// is opened again and tried at once. Otherwise it does nothing. Closing and
// opening the store has the same effect.
func (db *DB) EnableSink(name string) error {
	if !db.made() {
		return &Error{Op: "enable sink", Subject: name, Err: errNotOpened}
	}
	p := db.sinks.pipelines()[name]
	if p == nil {
		return &Error{Op: "enable sink", Subject: name, Err: errs.NotFound}
	}
	p.Enable()
	return nil
}

// handingKey is under what the context of a sink's calls has the store that makes
// them. What a sink writes there follows from what was done before: a store that
// shuts down takes it, or the sink would never be done.
type handingKey struct{}

func (db *DB) handing(ctx context.Context) context.Context {
	return context.WithValue(ctx, handingKey{}, db)
}

func (db *DB) pipeline(spec SinkSpec) deliver.Config[Event] {
	box := db.eng.Outbox()
	cur := box.Attach(spec.Name)
	o := deliver.Data()
	if spec.Notify {
		o = deliver.Notify()
	}
	o.InFlight = max(spec.InFlight, 1)
	o.Linger = spec.Linger
	if spec.MaxAge > 0 {
		o.MaxAge = spec.MaxAge
	}
	if spec.Batch > 0 {
		o.BatchEvents = spec.Batch
	}
	if spec.Timeout > 0 {
		o.AttemptTimeout = spec.Timeout
	}
	box.Prompt(spec.Name, o.BatchEvents)
	news := &deliveryNews{db: db, sink: spec.Name}
	c := deliver.Config[Event]{
		Name: spec.Name, Clock: db.clock, Seed: db.opts.Seed, Options: o, Key: func(e Event) string { return e.key() },
		Source: &outboxSource{box: box, sink: spec.Name, old: box.End()}, From: deliver.Pos(cur),
		Again:    func(e *Event) { e.Replayed = true },
		Handle:   func(ctx context.Context, events []Event) error { return spec.Sink.Handle(db.handing(ctx), events) },
		OnHealth: news.health, OnFull: news.full,
	}
	if db.opts.ReadOnly {
		c.Source = &stillSource{outboxSource{box: box, sink: spec.Name}}
		return c
	}
	if s, ok := spec.Sink.(interface{ Open(context.Context) error }); ok {
		c.Open = func(ctx context.Context) error { return s.Open(db.handing(ctx)) }
	}
	if s, ok := spec.Sink.(interface{ Close(context.Context) error }); ok {
		c.Close = s.Close
	}
	c.DeadLetter = func(ctx context.Context, d deliver.Dead[Event]) error {
		letter := DeadLetter{
			Sink: spec.Name, Event: d.Event, Reason: d.Class.String(), Cause: d.Cause, Attempts: d.Attempts,
			FirstAttempt: d.FirstAttempt, LastAttempt: d.LastAttempt,
		}
		if spec.DeadLetter != nil {
			return spec.DeadLetter(ctx, letter)
		}
		err := db.keepDead(ctx, letter)
		if err == nil {
			news.dead(letter)
		}
		return err
	}
	return c
}

// sinkNames checks the sinks a trigger or query names. Sinks come first in
// Options, so an unknown name is a mistake.
func (db *DB) sinkNames(names []string) ([]string, error) {
	s := &db.sinks
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(names) == 0 {
		return nil, nil // all that there are when the event is emitted
	}
	for _, n := range names {
		if s.all[n] == nil {
			return nil, fmt.Errorf("sink %q: %w", n, errs.NotFound)
		}
	}
	return slices.Clone(names), nil
}

// nameAll notes the names of all sinks; the lock is held.
func (s *sinkSet) nameAll() {
	names := slices.Sorted(maps.Keys(s.all))
	s.names.Store(&names)
}

// targets are the sinks that an event goes to: all if it names none, else those
// that have not been dropped.
func (s *sinkSet) targets(named []string) []string {
	if named == nil {
		if names := s.names.Load(); names != nil {
			return *names
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dropped) == 0 {
		return named
	}
	return slices.DeleteFunc(slices.Clone(named), func(name string) bool { return s.dropped[name] })
}

func (s *sinkSet) has(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name] != nil
}

func (s *sinkSet) typeOf(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.types[name]
}

func (s *sinkSet) pipelines() map[string]pipe {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}

// delivered is how many events the sinks have acknowledged.
func (s *sinkSet) delivered() (n int64) {
	for _, p := range s.pipelines() {
		n += p.Stats().Delivered
	}
	return n
}

// each calls f for all sinks at once, so that none waits for another that hangs.
// The errors come in the order of the names.
func (s *sinkSet) each(f func(name string, p pipe) error) error {
	pipes := s.pipelines()
	names := slices.Sorted(maps.Keys(pipes))
	all := make([]error, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() { all[i] = f(name, pipes[name]) })
	}
	wait.Wait()
	return errs.Join(all...)
}

func (db *DB) closeSinks() {
	_ = db.sinks.each(func(name string, p pipe) error {
		if err := p.Close(closeLimit); err != nil {
			db.log.Warn("sink does not stop", "sink", name, "err", err)
		}
		return nil
	})
}

// drainSinks waits until every event emitted so far is settled. They leave only
// when durable, so it makes them so.
func (db *DB) drainSinks(ctx context.Context) error {
	if len(db.sinks.pipelines()) == 0 || db.opts.ReadOnly {
		return nil
	}
	if err := db.eng.Sync(ctx); err != nil {
		return err
	}
	return db.sinks.each(func(_ string, p pipe) error { return p.Flush(ctx) })
}

func (db *DB) sinkStats() []SinkStats {
	var out []SinkStats
	dropped := make(map[string]int64)
	for _, i := range db.eng.Outbox().Sinks() {
		dropped[i.Name] = i.Dropped
	}
	for name, p := range db.sinks.pipelines() {
		s := p.Stats()
		st := SinkStats{
			Name: name, Type: db.sinks.typeOf(name), Backlog: s.Backlog, Delivered: s.Delivered, Retries: s.Retries, Dead: s.Dead, LastError: s.LastError,
			Health: s.Health.String(), Since: s.Since, Breaker: s.Breaker.String(), LastSuccess: s.LastSuccess, InFlight: s.InFlight,
		}
		for _, n := range s.Dropped {
			st.Dropped += n
		}
		box := db.eng.Outbox()
		st.DeadLetters, _ = box.Backlog(deadName(name))
		st.DeadDropped = dropped[deadName(name)]
		_, st.Bytes = box.Backlog(name)
		if st.Backlog > 0 {
			st.Drain, st.OldestAge = s.Drain, db.waitingSince(name, s.Oldest)
		}
		out = append(out, st)
	}
	out = append(out, db.absentSinks()...)
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// waitingSince is how long the oldest event of a sink has waited. at is when it
// was queued, 0 if the sink has not got hold of it yet.
func (db *DB) waitingSince(name string, at int64) time.Duration {
	if at == 0 {
		if entries, err := db.eng.Outbox().Peek(name, engine.Pos{}, 1); err == nil && len(entries) == 1 {
			at = entries[0].At
		}
	}
	if at == 0 {
		return 0 // it is not durable, or cannot be read
	}
	return max(db.clock.Now().Sub(time.Unix(0, at)), 0)
}

// absentSinks are those of which events wait or dead letters are kept, and that
// were not added.
func (db *DB) absentSinks() (out []SinkStats) {
	for _, i := range db.eng.Outbox().Sinks() {
		name, dead := strings.CutPrefix(i.Name, deadName(""))
		if i.Events == 0 || db.sinks.has(name) {
			continue
		}
		n := slices.IndexFunc(out, func(s SinkStats) bool { return s.Name == name })
		if n < 0 {
			n = len(out)
			out = append(out, SinkStats{Name: name, Health: "absent"})
		}
		if dead {
			out[n].DeadLetters, out[n].DeadDropped = i.Events, i.Dropped
		} else {
			out[n].Backlog, out[n].Bytes, out[n].Dropped = i.Events, i.Bytes, i.Dropped
			out[n].Drain, out[n].OldestAge = -1, db.waitingSince(name, 0)
		}
	}
	return out
}

// Waiting yields the events in the outbox that a sink has not acknowledged, the
// oldest first, and an error for each that cannot be read. A sink that does not
// exist has none. They are durable, and stay where they are.
func (db *DB) Waiting(sink string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if !db.made() {
			yield(Event{}, &Error{Op: "waiting", Subject: sink, Err: errNotOpened})
			return
		}
		box := db.eng.Outbox()
		for at := (engine.Pos{}); ; {
			entries, err := box.Peek(sink, at, 256)
			if err != nil && !errors.Is(err, errs.NotFound) {
				yield(Event{}, &Error{Op: "waiting", Subject: sink, Err: err})
				return
			}
			if len(entries) == 0 {
				return
			}
			for _, en := range entries {
				at = en.Pos
				e, err := Event{}, en.Lost
				if err == nil {
					e, err = decodeEvent(en.Payload)
				}
				if err != nil {
					err = &Error{Op: "waiting", Subject: sink, Err: err}
				}
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// outboxSource is the engine's outbox as a pipeline reads it.
type outboxSource struct {
	box  *engine.Outbox
	sink string
	old  engine.Pos // up to which events may have been handed out by an earlier pipeline
}

func (s *outboxSource) Next(_ context.Context, after deliver.Pos, n int) ([]deliver.Item[Event], error) {
	entries, err := s.box.Next(s.sink, engine.Pos(after), n)
	if err != nil {
		return nil, err
	}
	items := make([]deliver.Item[Event], 0, len(entries))
	for _, en := range entries {
		it := deliver.Item[Event]{Pos: deliver.Pos(en.Pos), Time: en.At, Size: len(en.Payload), Lost: en.Lost}
		if it.Lost == nil {
			it.Event, it.Lost = decodeEvent(en.Payload)
			it.Event.Replayed = !s.old.Less(en.Pos)
		}
		items = append(items, it)
	}
	return items, nil
}

// stillSource is the source of a store that was opened for reading: what waits is
// for the process that writes to deliver, which alone can note that it has.
type stillSource struct{ outboxSource }

func (s *stillSource) Next(context.Context, deliver.Pos, int) ([]deliver.Item[Event], error) {
	return nil, nil
}

func (s *outboxSource) Floor() deliver.Pos { return deliver.Pos(s.box.Floor(s.sink)) }

func (s *outboxSource) Notify() <-chan struct{} { return s.box.Notify(s.sink) }

func (s *outboxSource) Ack(_ context.Context, upTo deliver.Pos) error {
	s.box.Ack(s.sink, engine.Pos(upTo))
	return nil
}

func (s *outboxSource) Backlog() int64 {
	n, _ := s.box.Backlog(s.sink)
	return n
}

func (s *outboxSource) Dropped() map[string]int64 {
	for _, i := range s.box.Sinks() {
		if i.Name == s.sink && i.Dropped > 0 { // those of the dead letters are counted as dead
			return map[string]int64{deliver.FullQueue: i.Dropped}
		}
	}
	return nil
}
