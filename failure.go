package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

func asTriggerError(tr *trigger, err error, stored bool) *TriggerError {
	if e, ok := err.(*TriggerError); ok && e != nil && e.Name == tr.spec.Name {
		return e
	}
	e := &TriggerError{Name: tr.spec.Name, Phase: "fire", Event: tr.spec.When, Stored: stored, Err: err}
	if tr.spec.When == BeforeInsert {
		e.Err = fmt.Errorf("%w: %w", errs.Rejected, err)
	}
	return e
}

// failed deals with a firing that has failed for good. It returns the error the
// insert fails with, nil if it does not.
func (db *DB) failed(c *firingCall, err error, stored bool, todo string) error {
	tr := c.frame.trigger
	strategy := tr.strategy
	if s, ok := tr.code.(interface{ FailureStrategy() FailureStrategy }); ok {
		serr := call(tr.spec.Name, func() error { strategy = s.FailureStrategy(); return nil })
		if serr != nil {
			err = errs.Join(err, serr)
		}
	}
	te := asTriggerError(tr, err, stored)
	tr.failed.Add(1)
	db.failures.Add(1)
	db.report(tr, te)
	fatal := strategy == Pessimistic
	if !fatal || stored { // else the whole insert is taken back, and the state with it
		db.restore(&c.frame, tr, c.fx.earlier)
	}
	if n := tr.inRow.Add(1); tr.spec.DisableAfter > 0 && n >= int64(tr.spec.DisableAfter) {
		db.disable(tr)
	}
	db.bury(c, te, todo)
	if fatal {
		return te
	}
	return nil
}

// report tells the log, the listing and the host of a failure.
func (db *DB) report(tr *trigger, te *TriggerError) {
	tr.last.Store(te)
	db.log.Warn("trigger failed", "trigger", te.Name, "phase", te.Phase, "event", te.Event.String(), "stored", te.Stored, "err", te.Err)
	if f := db.opts.OnTriggerError; f != nil {
		if err := call("OnTriggerError", func() error { f(te); return nil }); err != nil {
			db.log.Warn("OnTriggerError failed", "err", err)
		}
	}
}

// bury sends the rows of a failed firing to the dead letter sink, if there is
// one, and takes back the promise to fire for them.
func (db *DB) bury(c *firingCall, te *TriggerError, todo string) {
	tr := c.frame.trigger
	var fx effects
	if tr.spec.DeadLetter != "" {
		if err := call(tr.spec.Name, func() error { deadLetters(&fx, c, te); return nil }); err != nil {
			db.log.Error("dead letters of a trigger are lost: it has spoiled the rows", "trigger", tr.spec.Name, "err", err)
		}
	}
	fx.done(todo)
	if fx.empty() {
		return
	}
	var b engine.Batch
	err := fx.encode(&b, db.sinks.targets)
	if err == nil {
		_, err = db.eng.Commit(db.life, &b, false)
	}
	if err != nil {
		db.log.Error("dead letters of a trigger are lost", "trigger", tr.spec.Name, "rows", c.rows.Len(), "err", err)
	}
}

func deadLetters(fx *effects, c *firingCall, te *TriggerError) {
	for row := range c.rows.Rows() {
		e := Event{Series: c.rows.Device, Time: row.Time(), Notes: map[string]string{"error": te.Error(), "event": te.Event.String()}}
		for col := range c.rows.Columns {
			if v := row.Value(col); !v.IsNull() {
				e.Fields = append(e.Fields, Field{c.rows.Columns[col].Name, v})
			}
		}
		e.Hops = c.firing.hops
		fx.emit(te.Name+"/dead", []string{c.frame.trigger.spec.DeadLetter}, e)
	}
}

// disable stops a trigger that has failed too often. It does not fire again;
// the rest of what stopping means is done in the background.
func (db *DB) disable(tr *trigger) {
	if tr.state.Load() != stateActive {
		return
	}
	stopped := false
	db.retable(func(all []*trigger) []*trigger { // nothing else changes its state meanwhile
		if stopped = tr.state.CompareAndSwap(stateActive, stateStopped); stopped {
			tr.halting.Add(1)
		}
		return all
	})
	if !stopped {
		return
	}
	db.log.Warn("trigger is stopped: it failed too often in a row", "trigger", tr.spec.Name, "failures", tr.spec.DisableAfter)
	db.background(tr.spec.Name, func() error {
		locked := db.lockReg(db.life) == nil // else the store closes, and nothing is registered any more
		var err error
		if tr.state.Load() == stateStopped {
			err = db.deafen(db.life, tr)
		}
		if locked {
			db.unlockReg()
		}
		return db.finishStop(db.life, tr, err)
	})
}
