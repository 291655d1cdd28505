package tickwell

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell/window"
)

// A Trigger is told of inserted rows: see [TriggerSpec] for which and when. Fire
// returning an error, or panicking, is the failure that the trigger's
// [FailureStrategy] decides about.
//
// Unless the spec says Stateful, Fire may be called from several goroutines at
// once. Writes that Fire makes through f, or through a DB with ctx, belong to
// the firing: they return when stored, and fire triggers of their own when it is
// over. Writes through any other context are inserts like any other, whose
// triggers fire inside the call: one that so writes into the pattern of a
// stateful trigger that listens to the insert it is called for, itself or
// another, waits until its own context ends or the store closes; after ten
// seconds the log names the trigger and the insert. Use ctx.
//
// These optional methods, the hooks of the IoTDB trigger pages, are found when
// the trigger is created and listed in [TriggerInfo]:
//
//	Validate(Params) error                 refuse bad attributes, before OnCreate
//	OnCreate(context.Context, Env) error   get ready; an error refuses the trigger
//	Restore(context.Context, Env) error    load saved state: after OnCreate on a store
//	                                       that was reopened, and whenever what the
//	                                       last Fire did was not stored. Stateful only
//	OnStart(context.Context) error         START TRIGGER; an error leaves it stopped
//	OnStop(context.Context) error          STOP TRIGGER, after the last Fire
//	OnDrop(context.Context) error          free what OnCreate took
//	FailureStrategy() FailureStrategy      asked each time Fire failed
//	Rewrite(context.Context, *Firing) (*Tablet, error)
//	                                       called in place of Fire, BEFORE only: the
//	                                       rows to store instead, nil for no change
//	OnWake(context.Context, *Firing) error called, without rows, at the time given to
//	                                       [Firing.Wake]
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
	// queried. They are as safe as Options.Sync says only when the insert
	// returns, with what its triggers have made of them: events wait for that,
	// what Fire itself sends out of the program does not.
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
	// Optimistic means that the other triggers fire, the rows are stored and the insert
	// succeeds; the failure is reported to Options.OnTriggerError and the log.
	Optimistic FailureStrategy = iota
	// Pessimistic means that later triggers of the phase do not fire and the insert
	// returns a [TriggerError]. Before an insert nothing is stored; after it
	// the rows stay.
	Pessimistic
)

// TriggerSpec says which rows a trigger is told of, and how it runs.
type TriggerSpec struct {
	Name string // unique, case-sensitive
	// Pattern selects series, such as "root.ln.*.temperature" or "root.sg.**".
	// The trigger fires once per inserted device tablet that has matching
	// measurements, with exactly those.
	Pattern string
	// Series, in place of Pattern, is the path of one existing series: a trigger
	// of the IoTDB 0.13 page. There is at most one for a series, it goes when the
	// series is dropped, null cells do not reach it, it is Stateful, and unless
	// it has a FailureStrategy method its failure fails the insert.
	Series string
	// When is the moment it fires. Default AfterInsert.
	When When
	// Stateful serialises the trigger: one Fire at a time, in log order.
	Stateful bool
	// Priority orders the triggers of one insert, lowest first; equal ones fire
	// in the order they were created.
	Priority int
	// Params are its attributes, for Validate and Env.
	Params Params
	// Sinks are the names of the sinks that get its events. Empty: all.
	Sinks []string

	// Trigger is the code. A trigger made by value is gone after a restart until
	// it is created again, with its state.
	Trigger Trigger
	// Class, in place of Trigger, names a class of Options.Classes: the
	// definition is stored and the trigger is there again after a restart.
	Class string
	// Text is kept with the definition, such as the statement it was made from.
	Text string

	// Retries is how often a failed Fire is called again before it counts as
	// failed.
	Retries int
	// DisableAfter stops the trigger, as StopTrigger does, when so many firings
	// in a row have failed. Zero: never.
	DisableAfter int
	// DeadLetter is the name of a sink that gets each row whose firing failed as
	// an event, with the error in Notes.
	DeadLetter string

	// Budget is how long one Fire may take. The trigger then runs in a goroutine
	// of its own on a private copy of the rows; when the time is over it is
	// STUCK, the firing has failed, and whatever it does later is ignored. Until
	// it returns the trigger does not fire. Zero: no limit, in the inserter's
	// goroutine.
	Budget time.Duration

	// Queue lets a trigger AFTER an insert fire in the background: so many
	// firings may wait. Zero: inside the insert.
	Queue int
	// WhenFull says what an insert does that finds the queue full:
	// [window.RejectError] fails the firing, [window.RejectWait] waits (but not
	// inside another firing), [window.DropNewest] and [window.DropOldest] drop
	// and count. Default window.RejectError.
	WhenFull window.Rejection

	// Durable stores, with each insert, that the trigger AFTER it has to fire. A
	// firing cut short by a crash, or waiting in the queue, is made up for when
	// the trigger is created again: its effects appear exactly once. It costs
	// the rows' bytes in the log a second time.
	Durable bool
}

// Env is what a hook may use of the store it runs in.
type Env struct {
	Name   string       // of the trigger
	Params Params       // of the trigger, as registered
	Logger *slog.Logger // of the store, with the trigger's name
	Clock  Clock        // of the store
	// Get returns what [Firing.Put] stored last under key.
	Get func(key string) ([]byte, bool)
	// Scan yields what Put has stored under keys that begin with prefix, sorted.
	Scan func(prefix string) iter.Seq2[string, []byte]
	// Last returns the newest stored point of a series. It is nil where rows may be
	// stored that the trigger is still to be told of: with Queue or Durable.
	Last func(path string) (at time.Time, v Value, ok bool)
}

// TriggerInfo describes a trigger as SHOW TRIGGERS does: its columns are
// Spec.Name, Spec.When, Type, State, Spec.Pattern (or Series), ClassName, NodeID
// and Spec.Params.
type TriggerInfo struct {
	Spec TriggerSpec
	Type string // STATELESS or STATEFUL
	// State is INACTIVE (being created, or its class is not there), ACTIVE
	// (the 0.13 page's STARTED), STOPPED, DROPPING or STUCK (over its Budget). The documents'
	// TRANSFERRING cannot happen in one process. Inserting is safe in every state.
	State     string
	Err       error    // why it is INACTIVE or STUCK, or its last failure
	ClassName string   // Spec.Class, or the Go type of Spec.Trigger
	NodeID    string   // ALL for stateless triggers, 0 for stateful ones
	Hooks     []string // optional methods found, such as "OnDrop"
	Fired     int64    // calls of Fire or Rewrite since Open
	Failed    int64    // of them, those that failed
	// Since and Until are positions in the log, as [WriteResult] tells them. It
	// fires for all matching inserts after Since, up to Until if that is not 0
	// because it has been stopped or dropped, and for no others: but an insert
	// that a trigger BEFORE inserts has already passed then may come later. An
	// insert under way when a BEFORE trigger starts passes it last, whatever its
	// Priority.
	Since, Until uint64
	Waiting      int   // firings in its queue
	Dropped      int64 // firings dropped from its queue
}
