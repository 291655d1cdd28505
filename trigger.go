package tickwell

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/tickwell/tickwell/internal/errs"
)

// A Trigger is told of inserted rows: see [TriggerSpec] for which and when. Fire
// returning an error, or panicking, is the failure that the trigger's
// [FailureStrategy] decides about.
//
// Unless the spec says Stateful, Fire may be called from several goroutines at
// once. ctx is the inserter's; writes that Fire makes through f, or through a
// DB with this ctx, belong to the firing.
//
// These optional methods, the hooks of the IoTDB trigger pages, are found when
// the trigger is created and listed in [TriggerInfo]:
//
//	Validate(Params) error                 refuse bad attributes, before OnCreate
//	OnCreate(context.Context, Env) error   get ready; an error refuses the trigger
//	Restore(context.Context, Env) error    load saved state, after OnCreate
//	OnDrop(context.Context) error          free what OnCreate took
//	FailureStrategy() FailureStrategy      asked each time Fire failed
type Trigger interface {
	Fire(ctx context.Context, f *Firing) error
}

// TriggerFunc lets a function be a [Trigger].
type TriggerFunc func(ctx context.Context, f *Firing) error

// Fire calls fn.
func (fn TriggerFunc) Fire(ctx context.Context, f *Firing) error { return fn(ctx, f) }

// When is the moment a trigger fires.
type When uint8

const (
	// AfterInsert fires inside the insert, when the rows are stored and can be
	// queried.
	AfterInsert When = iota
	// BeforeInsert fires before the rows are stored and may refuse them.
	BeforeInsert
)

// String returns "AFTER_INSERT" or "BEFORE_INSERT", as SHOW TRIGGERS does.
func (w When) String() string {
	if w == BeforeInsert {
		return "BEFORE_INSERT"
	}
	return "AFTER_INSERT"
}

// FailureStrategy is what a failed firing means (IoTDB 1.2 page).
type FailureStrategy uint8

const (
	// Optimistic: the other triggers fire, the rows are stored and the insert
	// succeeds; the failure is reported to Options.OnTriggerError and the log.
	Optimistic FailureStrategy = iota
	// Pessimistic: later triggers of the phase do not fire and the insert
	// returns a [TriggerError]. Before an insert nothing is stored; after it
	// the rows stay.
	Pessimistic
)

// TriggerSpec says which rows a trigger is told of.
type TriggerSpec struct {
	Name string // unique, case-sensitive
	// Pattern selects series, such as "root.ln.*.temperature" or "root.sg.**".
	// The trigger fires once per inserted device tablet that has matching
	// measurements, with exactly those.
	Pattern string
	When    When
	// Stateful serialises the trigger: one Fire at a time, in log order.
	Stateful bool
	// Priority orders the triggers of one insert, lowest first; equal ones fire
	// in the order they were created.
	Priority int
	Params   Params
	// Sinks are the names of the sinks that get its events. Empty: all.
	Sinks   []string
	Trigger Trigger
}

// Env is what a hook may use of the store it runs in.
type Env struct {
	Name   string // of the trigger
	Params Params
	Logger *slog.Logger
	Clock  Clock
	// Get returns what [Firing.Put] stored last under key.
	Get func(key string) ([]byte, bool)
}

// A Firing is one call of a trigger. It embeds the rows: the device, and the
// measurements that match the pattern. Rows in which all of them are null are
// left out. The Firing and its Tablet are only valid during the call.
//
// What a trigger sends out or writes through its Firing takes effect together,
// if Fire succeeds: BEFORE an insert in the very record of the inserted rows,
// AFTER it in one record of its own.
type Firing struct {
	*Tablet
	Trigger string
	When    When

	db  *DB
	out *effects
	run *trigger
}

// Emit sends e to the trigger's sinks. Source, and ID if empty, are filled in.
func (f *Firing) Emit(e Event) {
	f.out.emit(f.Trigger, f.run.sinks, e)
}

// Write stores the rows of t. They fire triggers of their own once this firing
// is over. t is copied. A trigger BEFORE an insert cannot write: its effects
// are part of the insert; the error satisfies errors.Is(err, [ErrReentrant]).
func (f *Firing) Write(t *Tablet) error {
	if f.When == BeforeInsert {
		return &Error{Op: "write", Subject: t.Device, Err: fmt.Errorf("trigger %s fires before the insert: %w", f.Trigger, errs.Reentrant)}
	}
	if err := f.db.check(t); err != nil {
		return err
	}
	f.out.tablets = append(f.out.tablets, t.Clone())
	return nil
}

// Put stores value under key as durable state of this trigger; nil removes it.
// [Env] gives it back to Restore. value is copied.
func (f *Firing) Put(key string, value []byte) {
	f.out.put(f.run.stateKey(key), value)
}

// Get returns what Put stored last under key, in this firing or before.
func (f *Firing) Get(key string) ([]byte, bool) {
	k := f.run.stateKey(key)
	if v, ok := f.out.get(k); ok {
		return v, v != nil
	}
	return f.db.eng.Get(k)
}

// TriggerInfo describes a trigger as SHOW TRIGGERS does.
type TriggerInfo struct {
	Spec   TriggerSpec
	State  string   // ACTIVE or DROPPING
	Hooks  []string // optional methods found, such as "OnDrop"
	Fired  int64
	Failed int64
}
