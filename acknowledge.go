package tickwell

import (
	"context"
	"fmt"
)

// An insert that fires triggers takes its place in the log first and is written
// last, together with what its triggers make of it: one write, and one sync, for
// all records of the activity. Nothing of it is acknowledged before, no ticket
// is held meanwhile, and events leave only when they are durable anyway.

// acknowledge waits until in, and what has been stored in its activity since, is
// as safe as the sync policy says, or durable.
func (db *DB) acknowledge(ctx context.Context, in *insertion, durable bool) error {
	if err := in.asError(db.eng.Acknowledge(ctx, in.lsn, durable)); err != nil {
		return err
	}
	last := in.act.lastPosted()
	if last <= in.lsn {
		return nil
	}
	err := db.eng.Acknowledge(ctx, last, durable)
	if err == nil {
		return nil
	}
	return &Error{Op: "insert", Subject: in.subject(), Stored: true, Durable: db.eng.Durable(in.lsn), Err: fmt.Errorf("effects of its triggers: %w", err)}
}

// finish writes what act has stored for nobody who waits.
func (db *DB) finish(ctx context.Context, act *activity) {
	if err := db.eng.Acknowledge(context.WithoutCancel(ctx), act.lastPosted(), false); err != nil {
		db.log.Warn("effects of triggers are in memory only", "err", err)
	}
}

// settled is the error of AFTER triggers with what has become of the rows.
func (db *DB) settled(err error, in *insertion) error {
	te, ok := err.(*TriggerError)
	if !ok || !te.Stored {
		return err
	}
	known := *te // others have been shown the first
	known.Durable = db.eng.Durable(in.act.lastPosted())
	return &known
}
