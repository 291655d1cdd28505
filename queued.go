package tickwell

import (
	"context"
	"errors"
	"fmt"

	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/window"
)

// job is a firing that waits in the queue of its trigger.
type job struct {
	tablet *Tablet
	todo   string
	parent *frame // the firing that wrote the rows, for the limit on depth
	hops   int    // of sinks that did
}

// statelessWorkers is how many firings from one stateless trigger's queue run
// at once, those of one device in order.
const statelessWorkers = 4

func (db *DB) newQueue(tr *trigger) *dispatch.Queue[string, *job] {
	cfg := dispatch.QueueConfig[string, *job]{
		Name: tr.spec.Name, Clock: db.clock, Capacity: tr.spec.Queue, Workers: statelessWorkers,
		Handle: func(ctx context.Context, _ string, j *job) error {
			if j.hops > 0 {
				ctx = deliver.WithHops(ctx, j.hops)
			}
			db.fireAlone(ctx, tr, j.tablet, j.todo, j.parent)
			return nil
		},
		Dropped: func(_ string, j *job) {
			tr.dropped.Add(1)
			db.forgive(tr, j.todo)
		},
	}
	if tr.spec.Stateful {
		cfg.Workers = 1
	}
	switch tr.spec.WhenFull {
	case window.RejectWait:
		cfg.Full = dispatch.Block
	case window.DropNewest:
		cfg.Full = dispatch.DropNewest
	case window.DropOldest:
		cfg.Full = dispatch.DropOldest
	default:
		cfg.Full = dispatch.Refuse
	}
	return dispatch.NewQueue(cfg)
}

// forgive takes back a promise without a firing.
func (db *DB) forgive(tr *trigger, todo string) {
	if todo == "" {
		return
	}
	b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutEffect, Key: todo, Delete: true}}}
	if _, err := db.eng.Commit(db.life, &b, false); err != nil {
		db.log.Warn("a dropped firing will be made up for", "trigger", tr.spec.Name, "err", err)
	}
}

// noWait is a context that has ended: who waits under it does not.
var noWait = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// enqueue puts a firing into the queue of its trigger. Inside another firing it
// does not wait for room: what would make room may be waiting for that firing.
func (db *DB) enqueue(ctx context.Context, in *insertion, tr *trigger, t *Tablet, todo string) error {
	j := &job{tablet: t.Clone(), todo: todo, parent: in.from, hops: deliver.Hops(ctx)}
	key := ""
	if !tr.spec.Stateful {
		key = t.Device
	}
	if in.from != nil {
		ctx = noWait
	}
	err := tr.queue.Put(ctx, key, j)
	if err == nil {
		return nil
	}
	if in.from != nil && errors.Is(err, context.Canceled) {
		err = fmt.Errorf("queue of %d is full, and a write inside a firing does not wait for room: %w", tr.spec.Queue, errs.Overloaded)
	}
	c := in.newCall(ctx, db, tr, j.tablet, in.act, in.from)
	c.over()
	if errors.Is(err, errs.Closed) {
		todo = "" // the store closes: a promise is kept by the next Open
	}
	return db.failed(c, err, true, todo)
}

// drainTriggers waits until no queue has firings and nothing of triggers runs in
// the background. One firing may fill another's queue, so it looks again.
func (db *DB) drainTriggers(ctx context.Context) error {
	for again := true; again; {
		again = false
		if err := db.busy.idleWait(ctx); err != nil {
			return err
		}
		for _, tr := range db.triggers.Load().all {
			if tr.queue == nil {
				continue
			}
			s := tr.queue.Stats()
			if s.Waiting+s.Running > 0 {
				again = true
			}
			if err := tr.queue.Drain(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// closeTriggers ends everything that runs triggers, waiting at most closeLimit,
// and names those that do not end.
func (db *DB) closeTriggers() error {
	var all []error
	for _, tr := range db.triggers.Load().all {
		tr.alarm.clear()
		if tr.queue != nil {
			all = append(all, tr.queue.Close(closeLimit))
		}
	}
	all = append(all, db.budget.Close(closeLimit), db.work.Close(closeLimit), db.awaitFirings())
	return errs.Join(all...)
}

// awaitFirings waits for inserts that fire triggers.
func (db *DB) awaitFirings() error {
	limit := make(chan struct{})
	stop := db.clock.AfterFunc(closeLimit, func() { close(limit) })
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	waited := make(chan struct{})
	defer close(waited)
	go func() {
		select {
		case <-limit:
			cancel()
		case <-waited:
		}
	}()
	var all []error
	for _, tr := range db.triggers.Load().all {
		if tr.busy.idleWait(ctx) != nil {
			all = append(all, fmt.Errorf("trigger %s has not returned from a firing after %v", tr.spec.Name, closeLimit))
		}
	}
	return errs.Join(all...)
}
