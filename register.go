package tickwell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// lockReg serialises registrations; hooks run while it is held, so it is a
// channel that a context can leave.
func (db *DB) lockReg(ctx context.Context) error {
	select {
	case db.reg <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) unlockReg() { <-db.reg }

// CreateTrigger registers a trigger: Validate, then OnCreate, then, on a store
// that was reopened, Restore; it fires for every insert that begins after
// CreateTrigger has returned, and for none before. If a hook fails nothing is
// registered and OnDrop is not called.
//
// Triggers are Go code: name those that must not miss an insert after a restart
// in Options.Triggers. State kept with [Firing.Put] is found again by name.
func (db *DB) CreateTrigger(ctx context.Context, spec TriggerSpec) error {
	fail := func(err error) error { return &Error{Op: "create trigger", Subject: spec.Name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateTrigger, spec.Pattern); err != nil {
		return err
	}
	tr, err := db.newTrigger(spec)
	if err != nil {
		return fail(err)
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	if db.triggers.Load().find(spec.Name) != nil {
		return fail(fmt.Errorf("the same name trigger has been created: %w", errs.Exists))
	}
	known, err := db.define(ctx, tr)
	if err != nil {
		return fail(err)
	}
	if err := db.readyTrigger(ctx, tr, known); err != nil {
		if !known {
			err = errors.Join(err, db.forget(ctx, tr.defKey()))
		}
		return err
	}
	tr.seq = db.created.Add(1)
	db.triggers.Store(db.triggers.Load().with(tr))
	return nil
}

func (db *DB) newTrigger(spec TriggerSpec) (*trigger, error) {
	switch {
	case spec.Name == "":
		return nil, fmt.Errorf("no name: %w", errs.BadInput)
	case spec.Trigger == nil:
		return nil, fmt.Errorf("no Trigger: %w", errs.BadInput)
	case spec.When > BeforeInsert:
		return nil, fmt.Errorf("When %d is neither AfterInsert nor BeforeInsert: %w", spec.When, errs.BadInput)
	}
	p, err := pattern.Parse(spec.Pattern)
	if err != nil {
		return nil, err
	}
	sinks, err := db.sinkNames(spec.Sinks)
	if err != nil {
		return nil, err
	}
	tr := &trigger{spec: spec, pattern: p, sinks: sinks}
	tr.hooks = hooksOf(spec.Trigger)
	return tr, nil
}

// hooksOf lists the optional methods that t has with the right signature.
func hooksOf(t Trigger) []string {
	var names []string
	if _, ok := t.(interface{ Validate(Params) error }); ok {
		names = append(names, "Validate")
	}
	if _, ok := t.(interface {
		OnCreate(context.Context, Env) error
	}); ok {
		names = append(names, "OnCreate")
	}
	if _, ok := t.(interface {
		Restore(context.Context, Env) error
	}); ok {
		names = append(names, "Restore")
	}
	if _, ok := t.(interface{ OnDrop(context.Context) error }); ok {
		names = append(names, "OnDrop")
	}
	if _, ok := t.(interface{ FailureStrategy() FailureStrategy }); ok {
		names = append(names, "FailureStrategy")
	}
	return names
}

func (db *DB) readyTrigger(ctx context.Context, tr *trigger, known bool) error {
	hook := func(phase string, f func() error) error {
		if err := call(tr.spec.Name, f); err != nil {
			return &TriggerError{Name: tr.spec.Name, Phase: phase, Event: tr.spec.When, Err: err}
		}
		return nil
	}
	if h, ok := tr.spec.Trigger.(interface{ Validate(Params) error }); ok {
		if err := hook("validate", func() error { return h.Validate(tr.spec.Params) }); err != nil {
			return err
		}
	}
	if h, ok := tr.spec.Trigger.(interface {
		OnCreate(context.Context, Env) error
	}); ok {
		if err := hook("create", func() error { return h.OnCreate(ctx, db.env(tr)) }); err != nil {
			return err
		}
	}
	if !known {
		return nil
	}
	return hook("restore", func() error { return db.restoreTrigger(ctx, tr) })
}

// restoreTrigger lets a trigger load the state it has put, if it wants to.
func (db *DB) restoreTrigger(ctx context.Context, tr *trigger) error {
	h, ok := tr.spec.Trigger.(interface {
		Restore(context.Context, Env) error
	})
	if !ok {
		return nil
	}
	return call(tr.spec.Name, func() error { return h.Restore(ctx, db.env(tr)) })
}

func (db *DB) env(tr *trigger) Env {
	return Env{
		Name: tr.spec.Name, Params: tr.spec.Params, Clock: db.clock,
		Logger: db.log.With("trigger", tr.spec.Name),
		Get:    func(key string) ([]byte, bool) { return db.eng.Get(tr.stateKey(key)) },
	}
}

// stateKey is where the state of a trigger stands among the durable state.
func (tr *trigger) stateKey(key string) string {
	return "trigger/" + pattern.Quote(tr.spec.Name) + "/" + key
}

func (tr *trigger) defKey() string { return "def/trigger/" + pattern.Quote(tr.spec.Name) }

// define stores the definition and reports whether a trigger of this name was
// there before, in an earlier life of the store: then its state goes on.
func (db *DB) define(ctx context.Context, tr *trigger) (known bool, err error) {
	s := &tr.spec
	def := []byte{1, byte(s.When), 0}
	if s.Stateful {
		def[2] = 1
	}
	def = appendPairs(appendText(def, s.Pattern), s.Params)
	old, known := db.eng.Get(tr.defKey())
	if known && bytes.Equal(old, def) {
		return true, nil
	}
	b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutDefinition, Key: tr.defKey(), Value: def}}}
	_, err = db.eng.Commit(ctx, &b, false)
	return known, err
}

// DropTrigger removes a trigger: no insert that begins after it has returned
// fires it, firings that run finish first, then OnDrop is called. An error of
// OnDrop is returned, and the trigger is gone all the same, with its state.
func (db *DB) DropTrigger(ctx context.Context, name string) error {
	fail := func(err error) error { return &Error{Op: "drop trigger", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionDropTrigger, name); err != nil {
		return err
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	tr := db.triggers.Load().find(name)
	if tr == nil {
		return fail(fmt.Errorf("this trigger has not been created: %w", errs.NotFound))
	}
	if frameOf(ctx).holds(tr) {
		return fail(fmt.Errorf("a trigger cannot drop itself while it fires: %w", errs.Reentrant))
	}
	db.triggers.Store(db.triggers.Load().without(tr))
	if err := tr.busy.wait(ctx); err != nil {
		return fail(fmt.Errorf("removed, but a firing has not finished: %w", err))
	}
	if err := errors.Join(db.forget(ctx, tr.stateKey("")), db.forget(ctx, tr.defKey())); err != nil {
		return fail(err)
	}
	if h, ok := tr.spec.Trigger.(interface{ OnDrop(context.Context) error }); ok {
		if err := call(name, func() error { return h.OnDrop(ctx) }); err != nil {
			return &TriggerError{Name: name, Phase: "drop", Event: tr.spec.When, Err: err}
		}
	}
	return nil
}

// Triggers yields the triggers in force, sorted by name.
func (db *DB) Triggers() iter.Seq[TriggerInfo] {
	all := slices.Clone(db.triggers.Load().all)
	slices.SortFunc(all, func(a, b *trigger) int { return strings.Compare(a.spec.Name, b.spec.Name) })
	return func(yield func(TriggerInfo) bool) {
		for _, tr := range all {
			info := TriggerInfo{Spec: tr.spec, State: "ACTIVE", Hooks: tr.hooks, Fired: tr.fired.Load(), Failed: tr.failed.Load()}
			if !yield(info) {
				return
			}
		}
	}
}
