package tickwell

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

// change finds a trigger for a change of its state, under the registration lock.
func (db *DB) change(ctx context.Context, op, name string, action Action) (*trigger, error) {
	fail := func(err error) (*trigger, error) { return nil, &Error{Op: op, Subject: name, Err: err} }
	if err := db.writable(ctx); err != nil { // before any hook is called
		return fail(err)
	}
	path := name
	if tr := db.triggers.Load().find(name); tr != nil {
		path = tr.spec.path()
	}
	if err := db.authorize(ctx, action, path); err != nil {
		return nil, err
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	tr := db.triggers.Load().find(name)
	if tr == nil || tr.state.Load() == stateDropping {
		db.unlockReg()
		return fail(fmt.Errorf("this trigger has not been created: %w", errs.NotFound))
	}
	return tr, nil
}

// DropTrigger removes a trigger: no insert that begins after it has returned
// fires it. Firings that run and those in its queue finish first, then OnDrop is
// called. An error of OnDrop is returned, and the trigger is gone all the same,
// with its state. Inside a firing DropTrigger returns at once and the rest is
// done when firings have ended, so that a trigger may drop itself.
func (db *DB) DropTrigger(ctx context.Context, name string) error {
	tr, err := db.change(ctx, "drop trigger", name, ActionDropTrigger)
	if err != nil {
		return err
	}
	db.setState(tr, stateDropping)
	tr.busy.close()
	tr.alarm.clear()
	db.unlockReg()
	return db.endDrop(ctx, tr)
}

// endDrop sees to it that the drop of tr is finished, later if the caller fires
// tr itself or its context ends first.
func (db *DB) endDrop(ctx context.Context, tr *trigger) error {
	name := tr.spec.Name
	if frameOf(ctx) != nil {
		db.background(name, func() error { return db.finishDrop(db.life, tr) })
		return nil
	}
	if err := db.awaitIdle(ctx, tr); err != nil {
		db.background(name, func() error { return db.finishDrop(db.life, tr) })
		return &Error{Op: "drop trigger", Subject: name, Err: fmt.Errorf("removed, but a firing has not finished: %w", err)}
	}
	return db.finishDrop(ctx, tr)
}

// awaitIdle waits until nothing fires tr, nor waits in its queue.
func (db *DB) awaitIdle(ctx context.Context, tr *trigger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(db.life, cancel)()
	err := tr.busy.idleWait(ctx)
	if err == nil && tr.queue != nil {
		err = tr.queue.Drain(ctx)
	}
	if err != nil && db.life.Err() != nil {
		return errs.Closed
	}
	return err
}

// finishDrop does what is left of a drop when no insert can begin to fire tr.
func (db *DB) finishDrop(ctx context.Context, tr *trigger) error {
	if err := db.awaitIdle(ctx, tr); err != nil {
		return err
	}
	if tr.queue != nil {
		if err := tr.queue.Close(closeLimit); err != nil {
			db.log.Warn("a dropped trigger does not stop", "trigger", tr.spec.Name, "err", err)
		}
	}
	herr := db.hook(tr, "drop", func() error { return db.callDrop(ctx, tr) })
	err := errs.Join(db.forget(context.WithoutCancel(ctx), tr.stateKey("")), db.forget(context.WithoutCancel(ctx), tr.todoPrefix()), db.forgetKeys(tr.defKey(), tr.wakeKey()))
	db.removeTrigger(tr)
	if err != nil {
		return &Error{Op: "drop trigger", Subject: tr.spec.Name, Err: errs.Join(err, herr)}
	}
	return herr
}

// forgetKeys removes single keys of the durable state.
func (db *DB) forgetKeys(keys ...string) error {
	var b engine.Batch
	for _, k := range keys {
		if _, ok := db.eng.Get(k); ok {
			b.Puts = append(b.Puts, engine.Put{Key: k, Delete: true})
		}
	}
	if b.Puts == nil {
		return nil
	}
	_, err := db.eng.Commit(context.WithoutCancel(db.life), &b, false)
	return err
}

// The hooks of a trigger are serialised by its turn, and with its firings by
// the fact that none is under way.

func (db *DB) callDrop(ctx context.Context, tr *trigger) error {
	h, ok := tr.code.(interface{ OnDrop(context.Context) error })
	return db.inTurn(ctx, tr, ok, func() error { return h.OnDrop(inHook(ctx)) })
}

func (db *DB) callStop(ctx context.Context, tr *trigger) error {
	h, ok := tr.code.(interface{ OnStop(context.Context) error })
	return db.inTurn(ctx, tr, ok, func() error {
		if tr.state.Load() == stateDropping { // OnDrop may have been called
			return nil
		}
		return h.OnStop(inHook(ctx))
	})
}

func (db *DB) callStart(ctx context.Context, tr *trigger) error {
	h, ok := tr.code.(interface{ OnStart(context.Context) error })
	return db.inTurn(ctx, tr, ok, func() error { return h.OnStart(inHook(ctx)) })
}

func (db *DB) inTurn(ctx context.Context, tr *trigger, has bool, f func() error) error {
	if !has || db.opts.ReadOnly { // where OnCreate was not called
		return nil
	}
	if err := tr.turn.Lock(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	defer tr.turn.Unlock()
	return f()
}

// StopTrigger makes a trigger deaf: inserts act as if it did not exist, also
// after the store was reopened, until StartTrigger. Firings that run and those
// in its queue finish first, then OnStop is called; an error of that is returned
// and the trigger is stopped all the same. It keeps its state. Inside a
// firing StopTrigger returns at once. Errors: ErrNotFound, ErrExists if it is
// stopped already, or a [*TriggerError] of OnStop.
func (db *DB) StopTrigger(ctx context.Context, name string) error {
	tr, err := db.change(ctx, "stop trigger", name, ActionStopTrigger)
	if err != nil {
		return err
	}
	if tr.state.Load() == stateStopped {
		db.unlockReg()
		return &Error{Op: "stop trigger", Subject: name, Err: fmt.Errorf("it has already been stopped: %w", errs.Exists)}
	}
	tr.halting.Add(1)
	db.setState(tr, stateStopped)
	err = db.deafen(ctx, tr)
	db.unlockReg()
	if frameOf(ctx) != nil {
		db.background(name, func() error { return db.finishStop(db.life, tr, err) })
		return nil
	}
	return db.finishStop(ctx, tr, err)
}

// deafen keeps a stopped trigger from firing, and stores that it is stopped. It is
// called under the registration lock: a start or a drop comes before it or after it.
func (db *DB) deafen(ctx context.Context, tr *trigger) error {
	tr.busy.close()
	tr.alarm.clear()
	return db.define(context.WithoutCancel(ctx), tr, true)
}

// finishStop does what is left of a stop when no insert can begin to fire tr. err
// is what deafen has returned.
func (db *DB) finishStop(ctx context.Context, tr *trigger, err error) error {
	defer tr.halting.Add(-1)
	if err != nil {
		return &Error{Op: "stop trigger", Subject: tr.spec.Name, Err: err}
	}
	if err := db.awaitIdle(ctx, tr); err != nil {
		return &Error{Op: "stop trigger", Subject: tr.spec.Name, Err: fmt.Errorf("stopped, but a firing has not finished: %w", err)}
	}
	return db.hook(tr, "stop", func() error { return db.callStop(ctx, tr) })
}

// StartTrigger undoes StopTrigger: OnStart is called, and then inserts fire the
// trigger again. If OnStart fails it stays stopped. Points inserted meanwhile
// never fire it. Errors: ErrNotFound, ErrExists if it is not stopped,
// ErrOverloaded if a firing from before or OnStop has not finished, or a
// [*TriggerError] of OnStart.
func (db *DB) StartTrigger(ctx context.Context, name string) error {
	tr, err := db.change(ctx, "start trigger", name, ActionStartTrigger)
	if err != nil {
		return err
	}
	defer db.unlockReg()
	fail := func(err error) error { return &Error{Op: "start trigger", Subject: name, Err: err} }
	switch {
	case tr.code == nil:
		return fail(fmt.Errorf("it is inactive: %w", tr.missing))
	case tr.state.Load() != stateStopped:
		return fail(fmt.Errorf("it has already been started: %w", errs.Exists))
	}
	if tr.halting.Load() > 0 || tr.busy.idleWait(noWait) != nil {
		return fail(fmt.Errorf("a firing from before it was stopped, or OnStop, has not finished: %w", errs.Overloaded))
	}
	if err := db.hook(tr, "start", func() error { return db.callStart(ctx, tr) }); err != nil {
		return err
	}
	if err := db.define(ctx, tr, false); err != nil {
		return fail(err)
	}
	tr.inRow.Store(0)
	tr.busy.open()
	db.setState(tr, stateActive)
	db.rearm(tr)
	return nil
}

// dropTriggersOf drops the 0.13 triggers on series that are gone.
func (db *DB) dropTriggersOf(ctx context.Context, gone []*engine.Series) error {
	var all []error
	for _, tr := range db.triggers.Load().all {
		if tr.spec.Series == "" || tr.state.Load() == stateDropping {
			continue
		}
		if slices.ContainsFunc(gone, func(s *engine.Series) bool { return tr.pattern.MatchParts(s.Device, s.Name) }) {
			all = append(all, db.dropWithSeries(ctx, tr))
		}
	}
	return errs.Join(all...)
}

func (db *DB) dropWithSeries(ctx context.Context, tr *trigger) error {
	if err := db.lockReg(ctx); err != nil {
		return err
	}
	db.setState(tr, stateDropping)
	tr.busy.close()
	tr.alarm.clear()
	db.unlockReg()
	return db.endDrop(ctx, tr)
}

// Triggers yields the triggers there are, in any state, sorted by name.
func (db *DB) Triggers() iter.Seq[TriggerInfo] {
	var all []*trigger
	if table := db.triggers.Load(); table != nil { // nil: Open has not made it
		all = table.all
	}
	return func(yield func(TriggerInfo) bool) {
		for _, tr := range all {
			if !yield(tr.info()) {
				return
			}
		}
	}
}

func (tr *trigger) info() TriggerInfo {
	info := TriggerInfo{
		Spec: tr.spec, Type: "STATELESS", NodeID: "ALL", State: stateNames[tr.state.Load()], Err: tr.missing, ClassName: tr.className(),
		Hooks: tr.hooks, Since: tr.since.Load(), Until: tr.until.Load(), Fired: tr.fired.Load(), Failed: tr.failed.Load(), Dropped: tr.dropped.Load(),
	}
	if tr.spec.Stateful {
		info.Type, info.NodeID = "STATEFUL", "0"
	}
	if last := tr.last.Load(); info.Err == nil && last != nil {
		info.Err = last
	}
	if tr.stuck.Load() > 0 && info.State == "ACTIVE" {
		info.State = "STUCK"
	}
	if tr.queue != nil {
		s := tr.queue.Stats()
		info.Waiting = s.Waiting + s.Blocked
	}
	return info
}
