package tickwell

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/logs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/window"
)

// lockReg serialises registrations; hooks run while it is held, so it is a
// channel that a context can leave. A hook must not come here itself.
func (db *DB) lockReg(ctx context.Context) error {
	if ctx.Value(hookKey{}) != nil {
		return fmt.Errorf("a hook cannot create, drop, start or stop triggers: %w", errs.Reentrant)
	}
	select {
	case db.reg <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-db.life.Done():
		return errs.Closed
	}
}

//go:noinline
func (db *DB) unlockReg() { <-db.reg }

type hookKey struct{}

// inHook is the context of a hook.
func inHook(ctx context.Context) context.Context { return context.WithValue(ctx, hookKey{}, true) }

// CreateTrigger registers a trigger: Validate, then OnCreate, then, if it is
// stateful and was there before the store was reopened, Restore. It fires for
// every insert that takes its log position after that of [TriggerInfo].Since,
// wholly, which is taken before CreateTrigger returns, and for none before: stored
// rows are not fired again. If a hook fails nothing is
// registered and OnDrop is not called. In a store that is opened for reading only
// Validate is called, for the triggers that its options name.
//
// The definition is stored. A trigger with a Class is there again after a
// restart; one made by value is listed INACTIVE, without firing, until it is
// created again under its name: name those that must not miss an insert in
// Options.Triggers. State kept with [Firing.Put] is found again by name, and so
// is that it was stopped. Errors: ErrExists if the name is taken, ErrNotFound if
// class, series or sink is unknown, ErrBadInput, or a [*TriggerError].
func (db *DB) CreateTrigger(ctx context.Context, spec TriggerSpec) error {
	fail := func(err error) error { return &Error{Op: "create trigger", Subject: spec.Name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateTrigger, spec.path()); err != nil {
		return err
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	old := db.triggers.Load().find(spec.Name)
	if old != nil && old.missing == nil {
		return fail(fmt.Errorf("the same name trigger has been created: %w", errs.Exists))
	}
	tr, err := db.newTrigger(spec)
	if err != nil {
		return fail(err)
	}
	if err := db.checkSeries(tr); err != nil {
		return fail(err)
	}
	if text := tr.pattern.String(); text != "**" && len(pattern.Nodes(text)) == 1 { // stored ones may be so: they do no harm
		return fail(errs.Badf("pattern %q matches no series: the path of one is a device, a dot and a measurement", pattern.Shorten(text, 80)))
	}
	return db.activate(ctx, tr, old)
}

// path is what a trigger listens to.
func (s *TriggerSpec) path() string {
	if s.Series != "" {
		return s.Series
	}
	return s.Pattern
}

// activate takes a trigger into service: a new one, or one that was stored.
func (db *DB) activate(ctx context.Context, tr, old *trigger) error {
	def, known := db.loadDefinition(tr.spec.Name)
	if known && def.seq > 0 {
		tr.seq = def.seq
	} else {
		tr.seq = db.created.Add(1)
	}
	db.addTrigger(tr) // INACTIVE: listed, not firing
	err := db.readyTrigger(ctx, tr, known)
	if err == nil {
		if err = db.define(ctx, tr, known && def.stopped); err != nil {
			err = errs.Join(&Error{Op: "create trigger", Subject: tr.spec.Name, Err: err}, db.callDrop(ctx, tr))
		}
	}
	if err != nil {
		if old != nil {
			db.addTrigger(old)
		} else {
			db.removeTrigger(tr)
		}
		return err
	}
	if known && def.stopped {
		db.setState(tr, stateStopped)
		tr.busy.close()
		return db.hook(tr, "stop", func() error { return db.callStop(ctx, tr) })
	}
	if db.phase.Load() != phaseOpening {
		if err := db.makeUp(ctx, tr, ""); err != nil {
			db.log.Warn("not all firings were made up for", "trigger", tr.spec.Name, "err", err)
		}
	}
	db.setState(tr, stateActive)
	db.rearm(tr)
	return nil
}

// newTrigger checks a spec and makes a trigger of it, calling nothing of the
// user's but the factory of its class.
func (db *DB) newTrigger(spec TriggerSpec) (*trigger, error) {
	if spec.Series != "" {
		spec.Stateful = true // the 0.13 page: all hooks of a trigger are serialised
	}
	if f, ok := spec.Trigger.(TriggerFunc); ok && f == nil {
		spec.Trigger = nil
	}
	switch {
	case spec.Name == "":
		return nil, errs.Badf("no name")
	case spec.Trigger == nil && spec.Class == "":
		return nil, errs.Badf("no Trigger and no Class")
	case spec.Trigger != nil && spec.Class != "":
		return nil, errs.Badf("both a Trigger and a Class")
	case spec.Pattern != "" && spec.Series != "":
		return nil, errs.Badf("both a Pattern and a Series")
	case spec.Pattern == "" && spec.Series == "":
		return nil, errs.Badf("no Pattern and no Series")
	case spec.When > BeforeInsert:
		return nil, errs.Badf("When %d is neither AfterInsert nor BeforeInsert", spec.When)
	case spec.When == BeforeInsert && (spec.Queue != 0 || spec.Durable):
		return nil, errs.Badf("only triggers AFTER an insert can be queued or durable")
	case spec.negative() != "":
		return nil, errs.Badf("%s is negative", spec.negative())
	case spec.WhenFull > window.DropOldest || spec.WhenFull == window.RunInline:
		return nil, errs.Badf("WhenFull %d is not one of RejectError, RejectWait, DropNewest and DropOldest", spec.WhenFull)
	}
	p, err := pattern.Parse(spec.path())
	if err != nil {
		return nil, err
	}
	tr := &trigger{spec: spec, pattern: p}
	if tr.sinks, err = db.sinkNames(spec.Sinks); err != nil {
		return nil, err
	}
	if spec.DeadLetter != "" {
		if _, err := db.sinkNames([]string{spec.DeadLetter}); err != nil {
			return nil, err
		}
	}
	tr.code = spec.Trigger
	if spec.Class != "" {
		if tr.code, err = db.classes.instance(spec.Class); err != nil {
			return nil, err
		}
	}
	if _, ok := tr.code.(interface{ alwaysStateful() }); ok {
		tr.spec.Stateful = true
	}
	tr.ticket.name = spec.Name
	tr.inspect()
	if tr.rewrite != nil && spec.When != BeforeInsert {
		return nil, errs.Badf("Rewrite is for triggers BEFORE an insert")
	}
	if err := tr.askStrategy(); err != nil {
		return nil, err
	}
	if spec.Queue > 0 {
		tr.queue = db.newQueue(tr)
	}
	return tr, nil
}

// negative names a number that is.
func (s *TriggerSpec) negative() string {
	switch {
	case s.Queue < 0:
		return "Queue"
	case s.Retries < 0:
		return "Retries"
	case s.DisableAfter < 0:
		return "DisableAfter"
	case s.Budget < 0:
		return "Budget"
	}
	return ""
}

func (tr *trigger) askStrategy() error {
	if tr.spec.Series != "" {
		tr.strategy = Pessimistic
	}
	s, ok := tr.code.(interface{ FailureStrategy() FailureStrategy })
	if !ok {
		return nil
	}
	return call(tr.spec.Name, func() error { tr.strategy = s.FailureStrategy(); return nil })
}

// inspect finds the optional methods of the trigger.
func (tr *trigger) inspect() {
	_, ok := tr.code.(interface{ Validate(Params) error })
	tr.hook("Validate", ok)
	_, ok = tr.code.(interface {
		OnCreate(context.Context, Env) error
	})
	tr.hook("OnCreate", ok)
	_, ok = tr.code.(interface {
		Restore(context.Context, Env) error
	})
	tr.hook("Restore", ok)
	_, ok = tr.code.(interface{ OnStart(context.Context) error })
	tr.hook("OnStart", ok)
	_, ok = tr.code.(interface{ OnStop(context.Context) error })
	tr.hook("OnStop", ok)
	_, ok = tr.code.(interface{ OnDrop(context.Context) error })
	tr.hook("OnDrop", ok)
	_, ok = tr.code.(interface{ FailureStrategy() FailureStrategy })
	tr.hook("FailureStrategy", ok)
	r, ok := tr.code.(interface {
		Rewrite(context.Context, *Firing) (*Tablet, error)
	})
	if tr.hook("Rewrite", ok) {
		tr.rewrite = r.Rewrite
	}
	w, ok := tr.code.(interface {
		OnWake(context.Context, *Firing) error
	})
	if tr.hook("OnWake", ok) {
		tr.onWake = w.OnWake
	}
}

//go:noinline
func (tr *trigger) hook(name string, ok bool) bool {
	if ok {
		tr.hooks = append(tr.hooks, name)
	}
	return ok
}

// checkSeries holds the rules of the 0.13 page: a trigger on a series needs the
// series, and has it for itself.
func (db *DB) checkSeries(tr *trigger) error {
	if tr.spec.Series == "" {
		return nil
	}
	device, name, err := splitPath(tr.spec.Series)
	if err != nil {
		return err
	}
	if _, ok := db.eng.Lookup(device, name); !ok {
		return fmt.Errorf("path %s does not exist or is no series: %w", tr.spec.Series, errs.NotFound)
	}
	for _, o := range db.triggers.Load().all {
		if o.spec.Series != "" && o.spec.Name != tr.spec.Name && o.pattern.MatchParts(device, name) {
			return fmt.Errorf("trigger %s(%s) has already been registered on the series %s: %w", o.spec.Name, o.className(), tr.spec.Series, errs.Exists)
		}
	}
	return nil
}

// hook runs an optional method under its name.
func (db *DB) hook(tr *trigger, phase string, f func() error) error {
	if err := call(tr.spec.Name, f); err != nil {
		return &TriggerError{Name: tr.spec.Name, Phase: phase, Event: tr.spec.When, Err: err}
	}
	return nil
}

// readyTrigger calls the hooks that come before the first Fire.
func (db *DB) readyTrigger(ctx context.Context, tr *trigger, known bool) error {
	ctx = inHook(ctx)
	if h, ok := tr.code.(interface{ Validate(Params) error }); ok {
		if err := db.hook(tr, "validate", func() error { return h.Validate(tr.spec.Params) }); err != nil {
			return err
		}
	}
	if db.opts.ReadOnly { // it does not fire, and what OnCreate takes is the writer's: a port, a connection, a file
		return nil
	}
	if h, ok := tr.code.(interface {
		OnCreate(context.Context, Env) error
	}); ok {
		if err := db.hook(tr, "create", func() error { return h.OnCreate(ctx, db.env(tr, nil)) }); err != nil {
			return err
		}
	}
	if h, ok := tr.code.(interface {
		Restore(context.Context, Env) error
	}); ok && known && tr.spec.Stateful {
		return db.hook(tr, "restore", func() error { return h.Restore(ctx, db.env(tr, nil)) })
	}
	return nil
}

// env is what a hook gets. What earlier firings of the same group have put
// counts as stored.
func (db *DB) env(tr *trigger, earlier *effects) Env {
	e := Env{
		Name: tr.spec.Name, Params: tr.spec.Params, Clock: db.clock,
		Logger: logs.With(db.log, "trigger", tr.spec.Name),
		Get: func(key string) ([]byte, bool) {
			key = tr.stateKey(key)
			if v, ok := earlier.get(key); ok {
				return v, v != nil
			}
			return db.eng.Get(key)
		},
		Scan: func(prefix string) iter.Seq2[string, []byte] {
			return func(yield func(string, []byte) bool) { db.scanState(tr, earlier, prefix, yield) }
		},
	}
	if tr.spec.Queue == 0 && !tr.spec.Durable {
		e.Last = db.lastOf
	}
	return e
}

// lastOf returns the newest point of one series.
func (db *DB) lastOf(path string) (at time.Time, v Value, ok bool) {
	device, name := pattern.Split(path)
	if ser, found := db.eng.Lookup(device, name); found {
		snap := db.eng.Snapshot()
		defer snap.Release()
		if ns, cell, found, err := snap.LastCell(ser); found && err == nil {
			return instant(ns), Value{num: cell.Num, str: cell.Text, kind: Kind(cell.Kind)}, true
		}
	}
	return at, v, false
}

// scanState yields the state of a trigger, what is stored and what is about to.
func (db *DB) scanState(tr *trigger, earlier *effects, prefix string, yield func(string, []byte) bool) {
	base := tr.stateKey("")
	values := maps.Collect(db.eng.Scan(base + prefix))
	var chain []*effects
	for x := earlier; x != nil; x = x.earlier {
		chain = append(chain, x)
	}
	for _, x := range slices.Backward(chain) {
		for i := range x.puts {
			if p := &x.puts[i]; len(p.Key) >= len(base+prefix) && p.Key[:len(base+prefix)] == base+prefix {
				if delete(values, p.Key); !p.Delete {
					values[p.Key] = p.Value
				}
			}
		}
	}
	for _, k := range sortedKeys(values) {
		if !yield(k[len(base):], values[k]) {
			return
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// stateKey is where the state of a trigger stands among the durable state.
func (tr *trigger) stateKey(key string) string {
	return "trigger/" + pattern.Quote(tr.spec.Name) + "/" + key
}
