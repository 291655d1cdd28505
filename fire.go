package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
)

// insertFiring is insert for a store with triggers.
func (db *DB) insertFiring(ctx context.Context, in *insertion, durable bool) error {
	if f := frameOf(ctx); f != nil && f.act.begin() {
		return db.insertNested(ctx, f, in, durable)
	}
	act := in.newActivity()
	defer in.leave(db)
	defer db.settleRest(act) // after a Goexit in a trigger
	err := db.stage(ctx, in)
	if err == nil {
		act.push(in)
	}
	aerr := db.settle(outlive(ctx), act, in)
	if err != nil {
		db.finish(ctx, act) // triggers may have written before the insert was refused
		return err
	}
	if err := db.acknowledge(ctx, in, durable); err != nil {
		return err
	}
	return db.settled(aerr, in)
}

func (in *insertion) firesNone(table *triggerTable) bool {
	if len(table.live) == 0 {
		return true
	}
	for i := range in.n {
		if len(in.parts[i].bound.matching(table).all) > 0 {
			return false
		}
	}
	return true
}

// outlive returns ctx if it has not ended: rows that are stored fire their
// triggers all the same.
func outlive(ctx context.Context) context.Context {
	if ctx.Err() != nil {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

// insertNested is an insert inside the firing f. Its AFTER triggers wait until
// that is over.
func (db *DB) insertNested(ctx context.Context, f *frame, in *insertion, durable bool) error {
	act := f.act
	defer func() {
		if act.end() {
			_ = db.settle(context.WithoutCancel(ctx), act, nil) // errors have been reported
			db.finish(ctx, act)
		}
	}()
	if err := f.nested.Lock(ctx); err != nil {
		return &Error{Op: "insert", Subject: in.parts[0].device, Err: err}
	}
	defer f.nested.Unlock()
	defer in.leave(db)
	in.act, in.from = act, f
	if err := db.stage(ctx, in); err != nil {
		return err
	}
	act.push(in.detach(db))
	return db.acknowledge(ctx, in, durable)
}

// settle fires the AFTER triggers of what act has stored, in log order, and of
// what they store in turn. It gives back all insertions but own.
func (db *DB) settle(ctx context.Context, act *activity, own *insertion) (first error) {
	for in := act.pop(); in != nil; in = act.pop() {
		if err := db.settleOne(ctx, in, in != own); first == nil {
			first = err
		}
	}
	return first
}

func (db *DB) settleOne(ctx context.Context, in *insertion, end bool) error {
	defer func() {
		in.leave(db)
		if end {
			db.end(in)
		}
	}()
	return db.after(ctx, in)
}

// settleRest fires what is left if a trigger has ended the goroutine.
func (db *DB) settleRest(act *activity) {
	if !act.isOver() {
		_ = db.settle(db.life, act, nil) // errors have been reported
		db.finish(db.life, act)
	}
}

func (a *activity) isOver() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over || a.left
}

// stage enters the triggers of the group, fires the BEFORE ones and stores the
// group, without waiting until it is acknowledged. Tickets of BEFORE triggers are given back then: their order is the
// order of the log. Those of AFTER triggers stay with the group until they have
// fired. If stage fails nothing is stored, and the caller still calls leave.
func (db *DB) stage(ctx context.Context, in *insertion) error {
	if err := in.checkTimes(db); err != nil {
		return err // before anyone is told of rows that cannot be stored
	}
	if err := in.enter(ctx, db); err != nil {
		return err
	}
	stored := false
	defer func() {
		if !stored { // an error, or a trigger has ended the goroutine
			db.reload(ctx, in)
		}
	}()
	err := db.before(ctx, in)
	for err == nil {
		if err = db.seal(ctx, in); !errors.Is(err, engine.ErrTerms) {
			break
		}
		if err = in.catchUp(ctx, db); err == nil {
			err = db.before(ctx, in)
		}
	}
	if err != nil {
		return err
	}
	stored = true
	db.setAlarms(&in.fx)
	if db.record != nil {
		for i := range in.fx.events {
			if e, err := decodeEvent(in.fx.events[i].payload); err == nil {
				db.record(e)
			}
		}
	}
	in.unlock(db, func(tr *trigger) bool { return tr.spec.When == BeforeInsert })
	return nil
}

// seal stores the group with what its BEFORE triggers have asked for. It returns
// engine.ErrTerms if there are other triggers by now.
func (db *DB) seal(ctx context.Context, in *insertion) error {
	in.lendAnew()
	b := &in.batch
	puts, events := len(b.Puts), len(b.Events)
	if in.n > 0 {
		b.Terms = in.table.terms
	}
	if err := in.fx.encode(b, db.sinks.targets); err != nil {
		return err
	}
	db.notePending(in)
	err := db.post(ctx, in)
	if errors.Is(err, engine.ErrTerms) { // they are not what is stored in the end
		b.Puts, b.Events = b.Puts[:puts], b.Events[:events]
	}
	return err
}

// before fires the BEFORE triggers of the group that it has not passed. Their
// effects go into the group's own record.
func (db *DB) before(ctx context.Context, in *insertion) error {
	passed := in.passed
	for i := range in.n {
		p := &in.parts[i]
		for _, m := range p.bound.matching(in.table).before {
			if slices.Contains(passed, m.trigger) {
				continue
			}
			if !slices.Contains(in.passed, m.trigger) {
				in.passed = append(in.passed, m.trigger)
			}
			if err := db.fireBefore(ctx, in, m, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) fireBefore(ctx context.Context, in *insertion, m match, p *part) error {
	t, keep := p.matching(m.cols)
	if t == nil {
		return nil
	}
	tr := m.trigger
	if tr.rewrite != nil && in.query != "" {
		return &Error{Op: "insert", Subject: p.device,
			Err: fmt.Errorf("trigger %s rewrites rows, but those of continuous query %s are its own: %w", tr.spec.Name, in.query, errs.Rejected)}
	}
	p.lent.fired = true
	c := in.newCall(ctx, db, tr, t, in.act, in.from)
	c.part, c.cols = p, m.cols
	c.fx.earlier = &in.fx
	err := db.attempt(c)
	c.over() // what a goroutine of the user emits from here on is refused
	if err == nil {
		err = c.fx.sendable(db.sinks.targets) // its own failure, and not that of the group
	}
	if err == nil && c.rewritten != nil {
		err = p.rewrite(c.rewritten, m.cols, keep, len(t.Times))
	}
	if err != nil {
		return db.failed(c, err, false, "")
	}
	in.fx.merge(&c.fx)
	return nil
}

// after fires the AFTER triggers of a stored group. Each one's effects are one
// record of their own; the triggers of the rows in it fire when it is over.
func (db *DB) after(ctx context.Context, in *insertion) error {
	for i := range in.n {
		p := &in.parts[i]
		for _, m := range p.bound.matching(in.table).after {
			t, _ := p.matching(m.cols)
			if t == nil {
				continue
			}
			if err := db.fireAfter(ctx, in, m, p, t, in.todo(m.trigger, i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) fireAfter(ctx context.Context, in *insertion, m match, p *part, t *Tablet, todo string) error {
	if m.trigger.owed.Load() && todo != "" { // another's firing is made up for: what came before is first
		_ = db.makeUp(ctx, m.trigger, todo)
	}
	if m.trigger.queue != nil {
		return db.enqueue(ctx, in, m.trigger, t, todo)
	}
	c := in.newCall(ctx, db, m.trigger, t, in.act, in.from)
	c.part, c.cols = p, m.cols
	return db.runAfter(c, todo)
}

// runAfter is one firing AFTER an insert, with its effects.
func (db *DB) runAfter(c *firingCall, todo string) error {
	err := db.attempt(c)
	c.over()
	if err == nil {
		if err = db.takeEffect(c, todo); err == nil {
			return nil
		}
	}
	return db.failed(c, err, true, todo)
}

// takeEffect stores what a firing asked for, in one record. What it wrote then
// waits for its own AFTER triggers.
func (db *DB) takeEffect(c *firingCall, todo string) error {
	if c.fx.empty() && todo == "" {
		return nil
	}
	next := db.scratch.Get()
	kept := false
	defer func() {
		if !kept {
			next.leave(db)
			db.end(next)
		}
	}()
	next.act, next.from = c.frame.act, &c.frame
	next.fx.merge(&c.fx)
	next.fx.done(todo)
	for _, t := range next.fx.tablets {
		if err := next.addTablet(db, t); err != nil {
			return err
		}
	}
	err := db.stage(context.WithoutCancel(&c.frame), next)
	if err == nil && next.n > 0 {
		kept = true
		next.act.push(next)
	}
	return err
}

// detach moves what AFTER triggers need into an insertion of its own, because
// the caller's memory is given back when its call returns.
func (in *insertion) detach(db *DB) *insertion {
	out := db.scratch.Get()
	for i := range in.n {
		p := &in.parts[i]
		q := out.add()
		q.device, q.tablet, q.bound = p.device, new(Tablet), p.bound
		q.times = slices.Clone(p.times)
		for c := range p.cols {
			var v column.Vector
			v.Reset(p.cols[c].Kind)
			v.AppendRange(&p.cols[c], 0, len(p.times))
			q.names = append(q.names, p.names[c])
			q.cols = append(q.cols, v)
			q.nulls = append(q.nulls, slices.Clone(p.nulls[c]))
		}
	}
	out.table, out.act, out.from, out.query = in.table, in.act, in.from, in.query
	out.todos = append(out.todos, in.todos...)
	out.held, in.held = append(out.held, in.held...), in.held[:0]
	out.entered, in.entered = append(out.entered, in.entered...), in.entered[:0]
	return out
}
