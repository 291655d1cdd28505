package tickwell

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// trigger is a registered [Trigger].
type trigger struct {
	spec    TriggerSpec
	seq     uint64 // order of creation
	pattern *pattern.Pattern
	sinks   []string
	hooks   []string
	ticket  dispatch.Ticket // of a stateful trigger
	busy    gate            // inserts that fire it
	fired   atomic.Int64
	failed  atomic.Int64
}

// triggerTable is the immutable set of triggers in force, in firing order. An
// insert uses one table from beginning to end.
type triggerTable struct{ all []*trigger }

func (t *triggerTable) with(tr *trigger) *triggerTable {
	all := append(slices.Clone(t.all), tr)
	slices.SortFunc(all, firingOrder)
	return &triggerTable{all}
}

// firingOrder is by priority, then by creation.
func firingOrder(a, b *trigger) int {
	return cmp.Or(cmp.Compare(a.spec.Priority, b.spec.Priority), cmp.Compare(a.seq, b.seq))
}

func (t *triggerTable) without(tr *trigger) *triggerTable {
	return &triggerTable{slices.DeleteFunc(slices.Clone(t.all), func(o *trigger) bool { return o == tr })}
}

func (t *triggerTable) find(name string) *trigger {
	for _, tr := range t.all {
		if tr.spec.Name == name {
			return tr
		}
	}
	return nil
}

// matches are the triggers that a binding fires under one table.
type matches struct {
	table         *triggerTable
	before, after []match
	all           []*trigger // of both, in firing order
}

type match struct {
	trigger *trigger
	cols    []int // matching columns, in the order of the insert; nil: all
}

func (b *binding) matching(table *triggerTable) *matches {
	if m := b.matches.Load(); m != nil && m.table == table {
		return m
	}
	m := &matches{table: table}
	for _, tr := range table.all {
		var cols []int
		for i, name := range b.nodes {
			if tr.pattern.MatchParts(b.path, name) {
				cols = append(cols, i)
			}
		}
		if cols == nil {
			continue
		}
		if len(cols) == len(b.nodes) {
			cols = nil
		}
		m.all = append(m.all, tr)
		if tr.spec.When == BeforeInsert {
			m.before = append(m.before, match{tr, cols})
		} else {
			m.after = append(m.after, match{tr, cols})
		}
	}
	b.matches.Store(m)
	return m
}

// frame is the firing that a context belongs to, so that writes made inside it
// are known as such.
type frame struct {
	parent  *frame
	trigger *trigger
	depth   int
	pending []*insertion // stored, AFTER triggers still to fire
}

type frameKey struct{}

func frameOf(ctx context.Context) *frame {
	f, _ := ctx.Value(frameKey{}).(*frame)
	return f
}

// chain names the triggers from the outermost firing to f.
func (f *frame) chain() string {
	var names []string
	for ; f != nil; f = f.parent {
		names = append(names, f.trigger.spec.Name)
	}
	slices.Reverse(names)
	return strings.Join(names, " → ")
}

// holds reports whether f or a firing around it is one of tr.
func (f *frame) holds(tr *trigger) bool {
	for ; f != nil; f = f.parent {
		if f.trigger == tr {
			return true
		}
	}
	return false
}

// insertFiring is insert for a store with triggers.
func (db *DB) insertFiring(ctx context.Context, in *insertion, durable bool) error {
	defer in.leave()
	err := db.stage(ctx, in, durable)
	if err != nil && !isStored(err) {
		return err
	}
	if f := frameOf(ctx); f != nil {
		// Inside a firing: its AFTER triggers wait until that is over.
		f.pending = append(f.pending, in.detach(db))
		return err
	}
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx) // the rows are stored, so they fire
	}
	if aerr := db.after(ctx, in); err == nil {
		err = aerr
	}
	return err
}

// stage enters the triggers of the group, fires the BEFORE ones and stores the
// group. Tickets of BEFORE triggers are given back then: their order is the
// order of the log. Those of AFTER triggers stay with the group until they have
// fired. If stage fails without storing, the caller still calls leave.
func (db *DB) stage(ctx context.Context, in *insertion, durable bool) error {
	if err := in.enter(ctx, db); err != nil {
		return err
	}
	err := db.before(ctx, in)
	if err == nil {
		err = in.fx.encode(&in.batch, db.sinks.targets)
	}
	if err == nil {
		err = db.commit(ctx, in, durable)
	}
	if err != nil && !isStored(err) {
		db.reload(ctx, in)
		return err
	}
	in.unlock(func(tr *trigger) bool { return tr.spec.When == BeforeInsert })
	return err
}

func isStored(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Stored
}

// reload gives stateful BEFORE triggers back the state they had before an
// insert that was not stored.
func (db *DB) reload(ctx context.Context, in *insertion) {
	for _, tr := range in.held {
		if tr.spec.When != BeforeInsert {
			continue
		}
		if err := db.restoreTrigger(context.WithoutCancel(ctx), tr); err != nil {
			db.failed(tr, err, false)
		}
	}
}

// enter fixes which triggers the group fires: all of them are there until it
// leaves. Stateful ones are locked, in firing order, which is the same for
// everyone, so that two inserts cannot wait for each other.
func (in *insertion) enter(ctx context.Context, db *DB) error {
	f := frameOf(ctx)
	if f != nil && f.depth >= db.opts.MaxTriggerDepth {
		return &Error{Op: "insert", Subject: in.parts[0].device,
			Err: fmt.Errorf("triggers that fire triggers are nested more than %d deep (%s): %w", db.opts.MaxTriggerDepth, f.chain(), errs.Limit)}
	}
	for !in.enterTable(db.triggers.Load()) {
		in.leave() // one was dropped meanwhile: begin again without it
	}
	for _, tr := range in.entered {
		if !tr.spec.Stateful {
			continue
		}
		if f.holds(tr) {
			return &Error{Op: "insert", Subject: in.parts[0].device,
				Err: fmt.Errorf("stateful trigger %s writes into its own pattern (%s): %w", tr.spec.Name, f.chain(), errs.Reentrant)}
		}
		if err := tr.ticket.Lock(ctx); err != nil {
			return &Error{Op: "insert", Subject: in.parts[0].device, Err: err}
		}
		in.held = append(in.held, tr)
	}
	return nil
}

func (in *insertion) enterTable(table *triggerTable) bool {
	in.table = table
	for i := range in.n {
		for _, tr := range in.parts[i].bound.matching(table).all {
			if slices.Contains(in.entered, tr) {
				continue
			}
			if !tr.busy.enter() {
				return false
			}
			in.entered = append(in.entered, tr)
		}
	}
	if in.n > 1 {
		slices.SortFunc(in.entered, firingOrder)
	}
	return true
}

// unlock gives back the tickets for which sel is true.
func (in *insertion) unlock(sel func(*trigger) bool) {
	in.held = slices.DeleteFunc(in.held, func(tr *trigger) bool {
		if !sel(tr) {
			return false
		}
		tr.ticket.Unlock()
		return true
	})
}

// leave ends what enter began.
func (in *insertion) leave() {
	in.unlock(func(*trigger) bool { return true })
	for _, tr := range in.entered {
		tr.busy.leave()
	}
	in.entered = in.entered[:0]
}

// before fires the BEFORE triggers of the group. Their effects go into the
// group's own record.
func (db *DB) before(ctx context.Context, in *insertion) error {
	for i := range in.n {
		p := &in.parts[i]
		for _, m := range p.bound.matching(in.table).before {
			fx := effects{earlier: &in.fx}
			if err := db.fire(ctx, m, p, &fx); err != nil {
				if db.failed(m.trigger, err, false) {
					return err
				}
				continue
			}
			in.fx.merge(&fx)
		}
	}
	return nil
}

// after fires the AFTER triggers of a stored group. Each one's effects are one
// record of their own; the triggers of the rows in it fire when it is over.
func (db *DB) after(ctx context.Context, in *insertion) error {
	for i := range in.n {
		p := &in.parts[i]
		for _, m := range p.bound.matching(in.table).after {
			if err := db.fireAfter(ctx, m, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) fireAfter(ctx context.Context, m match, p *part) error {
	next := db.scratch.Get().(*insertion)
	defer db.end(next)
	defer next.leave()
	f := &frame{parent: frameOf(ctx), trigger: m.trigger, depth: 1}
	if f.parent != nil {
		f.depth = f.parent.depth + 1
	}
	inner := context.WithValue(ctx, frameKey{}, f)
	err := db.fireIn(inner, m, p, &next.fx)
	if err == nil && !next.fx.empty() {
		for _, t := range next.fx.tablets {
			if err = next.addTablet(db, t); err != nil {
				break
			}
		}
		if err == nil {
			err = db.stage(context.WithoutCancel(inner), next, false)
		}
		if err != nil {
			err = asTriggerError(m.trigger, err, true)
		}
	}
	if err == nil {
		err = db.afterPending(ctx, f, next)
		if err != nil {
			err = asTriggerError(m.trigger, err, true)
		}
	} else if perr := db.afterPending(ctx, f, nil); perr != nil {
		err = errors.Join(err, perr)
	}
	if err != nil && db.failed(m.trigger, err, true) {
		return err
	}
	return nil
}

// afterPending fires the AFTER triggers of what was written inside a firing,
// now that it is over.
func (db *DB) afterPending(ctx context.Context, f *frame, own *insertion) error {
	ctx = context.WithValue(ctx, frameKey{}, &frame{parent: f.parent, trigger: f.trigger, depth: f.depth})
	var first error
	for _, in := range f.pending {
		if err := db.after(ctx, in); first == nil {
			first = err
		}
		in.leave()
		db.end(in)
	}
	f.pending = nil
	if own != nil && own.n > 0 {
		if err := db.after(ctx, own); first == nil {
			first = err
		}
	}
	return first
}

// fire is one BEFORE firing: what it writes through the context is stored at
// once, and its AFTER triggers fire when the call is over.
func (db *DB) fire(ctx context.Context, m match, p *part, fx *effects) error {
	f := &frame{parent: frameOf(ctx), trigger: m.trigger, depth: 1}
	if f.parent != nil {
		f.depth = f.parent.depth + 1
	}
	err := db.fireIn(context.WithValue(ctx, frameKey{}, f), m, p, fx)
	if perr := db.afterPending(ctx, f, nil); err == nil && perr != nil {
		err = asTriggerError(m.trigger, perr, false)
	}
	return err
}

// fireIn calls the trigger with the matching columns of p, leaving out rows in
// which all of them are null. No row left: no call.
func (db *DB) fireIn(ctx context.Context, m match, p *part, fx *effects) error {
	t := p.matching(m.cols)
	if t == nil {
		return nil
	}
	tr := m.trigger
	start := db.clock.Mono()
	firing := Firing{Tablet: t, Trigger: tr.spec.Name, When: tr.spec.When, db: db, out: fx, run: tr}
	err := call(tr.spec.Name, func() error { return tr.spec.Trigger.Fire(ctx, &firing) })
	tr.fired.Add(1)
	if err != nil {
		err = asTriggerError(tr, err, tr.spec.When == AfterInsert)
	}
	if o := db.opts.Observer; o != nil && o.Fire != nil {
		o.Fire(FireInfo{Trigger: tr.spec.Name, Device: p.device, Rows: t.Len(), Took: db.clock.Mono() - start, Err: err})
	}
	return err
}

func asTriggerError(tr *trigger, err error, stored bool) error {
	if e, ok := err.(*TriggerError); ok && e.Name == tr.spec.Name {
		return e
	}
	e := &TriggerError{Name: tr.spec.Name, Phase: "fire", Event: tr.spec.When, Stored: stored, Err: err}
	if tr.spec.When == BeforeInsert {
		e.Err = fmt.Errorf("%w: %w", errs.Rejected, err)
	}
	return e
}

// failed counts and reports a failed firing and returns whether the insert
// fails with it.
func (db *DB) failed(tr *trigger, err error, stored bool) (fatal bool) {
	tr.failed.Add(1)
	strategy := Optimistic
	if s, ok := tr.spec.Trigger.(interface{ FailureStrategy() FailureStrategy }); ok {
		serr := call(tr.spec.Name, func() error { strategy = s.FailureStrategy(); return nil })
		if serr != nil {
			err = errors.Join(err, serr)
		}
	}
	te, ok := err.(*TriggerError)
	if !ok {
		te = asTriggerError(tr, err, stored).(*TriggerError)
	}
	db.log.Warn("trigger failed", "trigger", tr.spec.Name, "event", tr.spec.When.String(), "stored", stored, "err", te.Err)
	if db.opts.OnTriggerError != nil {
		db.opts.OnTriggerError(te)
	}
	return strategy == Pessimistic
}

// detach moves what AFTER triggers need into an insertion of its own, because
// the caller's memory is given back when its call returns.
func (in *insertion) detach(db *DB) *insertion {
	out := db.scratch.Get().(*insertion)
	for i := range in.n {
		p := &in.parts[i]
		q := out.add()
		t := p.whole().Clone()
		q.device, q.times, q.tablet, q.bound = t.Device, t.Times, t, p.bound
		for c := range t.Columns {
			q.names = append(q.names, t.Columns[c].Name)
			q.cols = append(q.cols, t.Columns[c].Data.vector())
			q.nulls = append(q.nulls, column.Bitmap(t.Columns[c].Nulls))
		}
	}
	out.table = in.table
	out.held, in.held = append(out.held, in.held...), in.held[:0]
	out.entered, in.entered = append(out.entered, in.entered...), in.entered[:0]
	return out
}

// whole is p as a Tablet.
func (p *part) whole() *Tablet {
	if p.tablet != nil {
		return p.tablet
	}
	if p.view == nil {
		p.view = &Tablet{Device: p.device, Times: p.times}
		for i := range p.cols {
			c := Column{Name: p.names[i], Data: vectorOf(&p.cols[i])}
			if len(p.nulls[i]) > 0 {
				c.Nulls = Bitmap(p.nulls[i])
			}
			p.view.Columns = append(p.view.Columns, c)
		}
	}
	return p.view
}

// matching is the tablet a trigger sees: the named columns, without rows in
// which all of them are null. It is nil if no row is left.
func (p *part) matching(cols []int) *Tablet {
	t := p.whole()
	if cols != nil {
		s := &Tablet{Device: t.Device, Times: t.Times, Columns: make([]Column, len(cols))}
		for i, c := range cols {
			s.Columns[i] = t.Columns[c]
		}
		t = s
	}
	for i := range t.Columns {
		if t.Columns[i].Nulls == nil {
			return t // a column without nulls: no row is all null
		}
	}
	var keep []int
	for r := range t.Times {
		for i := range t.Columns {
			if !t.Columns[i].Nulls.Get(r) {
				keep = append(keep, r)
				break
			}
		}
	}
	switch len(keep) {
	case 0:
		return nil
	case len(t.Times):
		return t
	}
	return t.pick(keep)
}
