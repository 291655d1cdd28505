package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/errs"
)

// enter fixes which triggers the group fires: all of them are there until it
// leaves. Stateful ones are locked, in firing order.
func (in *insertion) enter(ctx context.Context, db *DB) error {
	fail := func(err error) error { return &Error{Op: "insert", Subject: in.subject(), Err: err} }
	f := in.from
	if f != nil && in.n > 0 && f.depth >= db.opts.MaxTriggerDepth {
		return fail(fmt.Errorf("triggers that fire triggers are nested more than %d deep (%s): %w", db.opts.MaxTriggerDepth, f.chain(), errs.Limit))
	}
	for {
		in.crowd = 0
		for !in.enterTable(db.triggers.Load()) {
			in.leave(db) // one was dropped meanwhile: begin again without it
		}
		if most := min(max(leastUnseen, db.opts.MaxTriggerDepth), mostUnseen); f == nil && in.crowd > most {
			if insertsExceed(most) {
				return fail(errUnseen(in, most, "inside of each other"))
			}
			if slices.ContainsFunc(in.entered, func(tr *trigger) bool { return tr.busy.crowded(mostUnseen) }) {
				return fail(errUnseen(in, mostUnseen, "at once, and none returns,"))
			}
		}
		err := in.lockAll(ctx, db)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errRestart) {
			return fail(err)
		}
		in.leave(db)
	}
}

func (in *insertion) lockAll(ctx context.Context, db *DB) error {
	for _, tr := range in.entered {
		if !tr.spec.Stateful || slices.Contains(in.held, tr) {
			continue
		}
		if in.from.holds(tr) {
			return fmt.Errorf("stateful trigger %s writes into its own pattern (%s): %w", tr.spec.Name, in.from.chain(), errs.Reentrant)
		}
		var restarts *insertion
		if in.from == nil {
			restarts = in
		}
		if err := db.locks.lock(ctx, db.life, &tr.ticket, in.act, restarts, func() func() bool { return db.warnOfWait(tr, in.subject()) }); err != nil {
			return err
		}
		in.held = append(in.held, tr)
	}
	return nil
}

// canReturn reports whether the ticket of tr can be given back and taken again:
// it has not fired.
func (in *insertion) canReturn(tr *trigger) bool { return !slices.Contains(in.passed, tr) }

// canGive reports whether in holds t and can return it.
func (in *insertion) canGive(t *ticket) bool {
	return slices.ContainsFunc(in.held, func(tr *trigger) bool { return &tr.ticket == t && in.canReturn(tr) })
}

// catchUp enters the triggers that have come since the group has begun. BEFORE
// ones then fire after those that it has passed; AFTER ones that have gone do
// not fire.
func (in *insertion) catchUp(ctx context.Context, db *DB) error {
	for {
		for !in.enterTable(db.triggers.Load()) {
		}
		err := in.lockAll(ctx, db)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errRestart) {
			return &Error{Op: "insert", Subject: in.subject(), Err: err}
		}
		in.unlock(db, in.canReturn)
	}
}

func (in *insertion) enterTable(table *triggerTable) bool {
	in.table = table
	for i := range in.n {
		for _, tr := range in.parts[i].bound.matching(table).all {
			if slices.Contains(in.entered, tr) {
				continue
			}
			n := tr.busy.count()
			if n == 0 {
				return false
			}
			in.entered = append(in.entered, tr)
			in.crowd = max(in.crowd, n)
		}
	}
	if in.n > 1 {
		slices.SortFunc(in.entered, firingOrder)
	}
	return true
}

// unlock gives back the tickets for which sel is true.
func (in *insertion) unlock(db *DB, sel func(*trigger) bool) {
	in.held = slices.DeleteFunc(in.held, func(tr *trigger) bool {
		if !sel(tr) {
			return false
		}
		db.locks.unlock(&tr.ticket)
		return true
	})
}

// leave ends what enter began.
func (in *insertion) leave(db *DB) {
	in.unlock(db, func(*trigger) bool { return true })
	for _, tr := range in.entered {
		tr.busy.leave()
	}
	in.entered = in.entered[:0]
}
