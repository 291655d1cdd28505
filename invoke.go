package tickwell

import (
	"context"
	"errors"
	"fmt"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// over ends a call: its context and its Firing belong to nothing any more.
func (c *firingCall) over() {
	c.frame.over.Store(true)
	c.firing.mu.Lock()
	c.firing.over = true
	c.firing.mu.Unlock()
}

// attempt calls a trigger, again if it fails and the spec says so.
func (db *DB) attempt(c *firingCall) error {
	tr := c.frame.trigger
	for try := 0; ; try++ {
		err := db.observe(c)
		if err == nil {
			tr.inRow.Store(0)
			return nil
		}
		if perr := call(tr.spec.Name, func() error { _ = err.Error(); return nil }); perr != nil {
			err = fmt.Errorf("it returned an error of type %T that cannot be read: %w", err, perr)
		}
		var stuck *dispatch.StuckError
		if try >= tr.spec.Retries || errors.As(err, &stuck) || tr.code == nil || c.frame.Err() != nil {
			return err
		}
		c.firing.mu.Lock()
		earlier := c.fx.earlier
		c.fx.reset()
		c.fx.earlier = earlier
		c.firing.mu.Unlock()
		c.rewritten, c.firing.Tablet = nil, c.rows
		db.restore(&c.frame, tr, earlier)
	}
}

// observe is one call with what the Observer is told of it.
func (db *DB) observe(c *firingCall) error {
	o := db.opts.Observer
	if o == nil || o.Fire == nil {
		return db.invoke(c)
	}
	start := db.clock.Mono()
	err := db.invoke(c)
	info := FireInfo{Trigger: c.frame.trigger.spec.Name, Device: c.rows.Device, Rows: c.rows.Len(), Took: db.clock.Mono() - start, Err: err}
	if oerr := call("Observer.Fire", func() error { o.Fire(info); return nil }); oerr != nil {
		db.log.Warn("observer failed", "err", oerr)
	}
	return err
}

// invoke calls the trigger's code once.
func (db *DB) invoke(c *firingCall) error {
	tr := c.frame.trigger
	if tr.code == nil {
		return fmt.Errorf("the trigger is inactive: %w", tr.missing)
	}
	if tr.stuck.Load() > 0 {
		return fmt.Errorf("the trigger is stuck: a call is over its budget of %v and has not returned: %w", tr.spec.Budget, errs.Overloaded)
	}
	tr.fired.Add(1)
	if db.opts.CheckTriggers {
		return db.invokeChecked(c)
	}
	return db.invokeOnce(c)
}

func (db *DB) invokeOnce(c *firingCall) error {
	if c.frame.trigger.spec.Budget > 0 {
		return db.invokeBudgeted(c)
	}
	return db.invokeHere(c)
}

func (db *DB) invokeHere(c *firingCall) error {
	returned := false
	defer func() {
		if !returned { // by runtime.Goexit: the caller's goroutine ends
			c.over()
			_ = db.failed(c, &dispatch.GoexitError{Name: c.frame.trigger.spec.Name}, c.firing.When == AfterInsert, "")
		}
	}()
	err := call(c.frame.trigger.spec.Name, func() error { return c.code(&c.frame) })
	returned = true
	return err
}

// code is the method of the trigger that this call is about.
func (c *firingCall) code(ctx context.Context) (err error) {
	tr := c.frame.trigger
	switch {
	case c.waking:
		return tr.onWake(ctx, &c.firing)
	case tr.rewrite != nil:
		c.rewritten, err = tr.rewrite(ctx, &c.firing)
		return err
	}
	return tr.code.Fire(ctx, &c.firing)
}

// invokeBudgeted calls the trigger in a goroutine of its own. Once left behind,
// that goroutine has nothing in common with the store: it keeps the lent rows,
// and the next to need them gets a fresh copy.
func (db *DB) invokeBudgeted(c *firingCall) error {
	tr := c.frame.trigger
	if c.part == nil && c.firing.Tablet == c.rows {
		c.firing.Tablet = c.rows.Clone()
	}
	name := tr.spec.Name
	var late lateness
	err := db.budget.Run(&c.frame, name, tr.spec.Budget, func(ctx context.Context) error {
		defer func() {
			if late.end() {
				tr.stuck.Add(-1)
				db.log.Warn("a stuck trigger has returned; what it did is ignored", "trigger", name)
			}
		}()
		return c.code(ctx)
	})
	if s, ok := err.(*dispatch.StuckError); ok {
		if late.expire() {
			tr.stuck.Add(1)
		}
		if c.part != nil {
			c.part.lent = lent{}
			c.rows, _ = c.part.matching(c.cols)
		}
		return s
	}
	return asPanic(err)
}

// restore lets a stateful trigger load the state it has put, if it wants to,
// because what it did since was not stored.
func (db *DB) restore(ctx context.Context, tr *trigger, earlier *effects) {
	h, ok := tr.code.(interface {
		Restore(context.Context, Env) error
	})
	if !ok || !tr.spec.Stateful {
		return
	}
	err := call(tr.spec.Name, func() error { return h.Restore(context.WithoutCancel(ctx), db.env(tr, earlier)) })
	if err != nil {
		db.report(tr, &TriggerError{Name: tr.spec.Name, Phase: "restore", Event: tr.spec.When, Err: err})
	}
}

// reload gives stateful BEFORE triggers back the state they had before an
// insert that was not stored.
func (db *DB) reload(ctx context.Context, in *insertion) {
	for _, tr := range in.held {
		if tr.spec.When == BeforeInsert {
			db.restore(ctx, tr, nil)
		}
	}
}
