package tickwell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/schedule"
)

// CreateContinuousQuery checks a query, stores its definition and starts it. A
// definition stays until [DB.DropContinuousQuery]: after a reopen a [Query] goes
// on by itself; other queries go on after their last finished run when they are
// created again under their name. Creating a stored definition again is how a
// program says that it still wants it; if it has changed, it is altered.
//
// A query owns the columns it writes, also while it is paused, fails or is not
// there yet after a reopen: nobody else can insert into them, which is
// ErrReadOnly. One whose results are its own input, also by way of others, is
// refused. Errors: ErrExists if it was created since the store was opened, or a
// target is another query's; ErrNotFound for an unknown sink or function;
// ErrBadInput or ErrKindMismatch for what makes no sense.
func (db *DB) CreateContinuousQuery(ctx context.Context, spec CQSpec) error {
	return db.defineCQ(ctx, "create continuous query", spec, func(_, old *cq) error {
		if old != nil && (!old.restored || spec.New) {
			return fmt.Errorf("it has already been created: %w", errs.Exists)
		}
		return nil
	})
}

// AlterContinuousQuery gives a query another definition under the same name. How
// far it was, what it has written and what was sent stay. Columns that it does not
// write any more keep their rows, and are anybody's. If the Query of an
// incremental one has changed, or a scheduled one becomes incremental, all its
// windows are computed again: results that stay the same are neither written nor
// sent again, and rows in its columns that are results of no window are deleted,
// also those that the program wrote while a column was nobody's. An incremental
// one that becomes scheduled begins as if it were new; [DB.RefreshContinuousQuery]
// runs what lies before. ErrNotFound: there is none of that name.
func (db *DB) AlterContinuousQuery(ctx context.Context, spec CQSpec) error {
	return db.defineCQ(ctx, "alter continuous query", spec, func(q, old *cq) error {
		if old == nil {
			return fmt.Errorf("it does not exist: %w", errs.NotFound)
		}
		return nil
	})
}

// defineCQ puts a definition in the place of the one of that name, which is nil
// if there is none, if check has nothing against it.
func (db *DB) defineCQ(ctx context.Context, op string, spec CQSpec, check func(q, old *cq) error) error {
	fail := func(err error) error { return &Error{Op: op, Subject: spec.Name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateCQ, spec.Name); err != nil {
		return err
	}
	q, err := db.newCQ(spec)
	if err != nil {
		return fail(err)
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	old := db.cqs.find(spec.Name)
	if err := check(q, old); err != nil {
		return fail(err)
	}
	if err := db.replaceCQ(ctx, q, old); err != nil {
		return fail(err)
	}
	return nil
}

func (s *cqSet) find(name string) *cq {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name]
}

// newCQ checks a specification.
func (db *DB) newCQ(spec CQSpec) (*cq, error) {
	if p, ok := spec.Query.(*Query); ok && p != nil {
		spec.Query = *p
	}
	switch {
	case spec.Name == "":
		return nil, fmt.Errorf("no name: %w", errs.BadInput)
	case spec.Query == nil:
		return nil, fmt.Errorf("no Query: %w", errs.BadInput)
	}
	q := &cq{spec: spec}
	query, isQuery := spec.Query.(Query)
	var groupBy time.Duration
	if isQuery {
		if spec.incremental() {
			if err := checkIncremental(&spec, &query); err != nil {
				return nil, err
			}
		}
		var err error
		if groupBy, q.into, err = query.checkCQ(db, &spec); err != nil {
			return nil, err
		}
		if q.inputs, err = query.inputs(); err != nil {
			return nil, err
		}
		q.noteOutputs(&query)
	}
	var err error
	if q.sinks, err = db.sinkNames(spec.Sinks); err != nil {
		return nil, err
	}
	if isQuery && spec.incremental() {
		if err := db.checkWindowed(&query); err != nil {
			return nil, err
		}
		q.view, err = db.viewOf(&spec, &query, q.inputs)
		return q, err
	}
	q.plan, err = db.planOf(&spec, groupBy)
	return q, err
}

// incremental reports whether nothing says when the query is to run.
func (s *CQSpec) incremental() bool {
	return s.Every == 0 && s.Boundary.IsZero() && s.StartOffset == 0 && s.EndOffset == 0 && s.Cron == "" && s.Policy == Blocked
}

// checkWindowed refuses functions whose value in a window depends on rows of
// others: those from series to a series, and diff, inside of an aggregate or a
// condition.
func (db *DB) checkWindowed(q *Query) error {
	var bad string
	look := func(e expr.Expr) {
		e.Walk(func(x expr.Expr) {
			if x.Op() != expr.OpCall {
				return
			}
			kind, builtin := exec.Builtin(x.Name())
			own, registered := db.funcs.Function(strings.ToLower(x.Name()))
			if kind == "built-in UDTF" || strings.EqualFold(x.Name(), "diff") || !builtin && registered && own.Series != nil {
				bad = x.Name()
			}
		})
	}
	for _, e := range q.Select {
		look(e)
	}
	look(q.Where)
	look(q.Having)
	if bad != "" {
		return fmt.Errorf("CQ: function %s may keep state across rows, so it is computed by scheduled queries only: %w", bad, errs.BadInput)
	}
	return nil
}

func (db *DB) viewOf(spec *CQSpec, q *Query, inputs []string) (*cqView, error) {
	var patterns []*pattern.Pattern
	for _, in := range inputs {
		p, err := pattern.Parse(in)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return newCQView(spec, q, patterns)
}

func (db *DB) planOf(spec *CQSpec, groupBy time.Duration) (*schedule.Plan, error) {
	s := schedule.Spec{
		Every: spec.Every, Cron: spec.Cron, StartOffset: spec.StartOffset, EndOffset: spec.EndOffset, GroupBy: groupBy,
		HasRange: spec.StartOffset != 0 || spec.EndOffset != 0, Minimum: db.opts.CQMinEvery,
	}
	if spec.Lateness != 0 || spec.IdleTimeout != 0 || spec.OnChange || !spec.Origin.IsZero() || !spec.From.IsZero() {
		return nil, fmt.Errorf("lateness, idle timeout, on change, origin and from are of incremental queries: %w", errs.BadInput)
	}
	if spec.Policy == Discard {
		s.Policy = schedule.Discard
	}
	if !spec.Boundary.IsZero() {
		ns, err := unixNano(spec.Boundary)
		if err != nil {
			return nil, fmt.Errorf("boundary: %w", err)
		}
		s.Boundary = ns
	}
	if s.HasRange && s.StartOffset == 0 {
		s.StartOffset = max(s.Every, s.GroupBy)
		if s.Every != 0 {
			s.StartOffset = s.Every
		}
	}
	return s.Plan()
}

// replaceCQ puts q in the place of old, which may be nil. Registration is locked.
func (db *DB) replaceCQ(ctx context.Context, q, old *cq) error {
	s := &db.cqs
	name := q.spec.Name
	s.mu.Lock()
	err := s.checkCycle(q)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	b := engine.Batch{}
	def := encodeCQ(&q.spec)
	stored, had := db.eng.Get(cqKey(name, "def"))
	if !had || !bytes.Equal(stored, def) {
		b.Puts = append(b.Puts, engine.Put{Kind: engine.PutDefinition, Key: cqKey(name, "def"), Value: def})
	}
	if err := q.busy.Lock(ctx); err != nil { // nobody runs it before it is whole
		return err
	}
	if old != nil {
		if err := db.retire(ctx, old); err != nil {
			q.busy.Unlock()
			return err
		}
		q.paused = old.paused
	}
	claim, err := db.claimTargets(q, &b)
	same, gone := old != nil && old.view != nil && slices.Equal(old.inputs, q.inputs), int64(math.MinInt64)
	if q.view != nil && !q.view.grouped() {
		gone = db.expired(db.inputsOf(q))
	}
	s.mu.Lock()
	if s.all == nil {
		s.all = make(map[string]*cq)
	}
	s.all[name] = q
	s.order = nil
	if q.view != nil {
		q.view.load(db.eng)
		if !same { // what has expired of its rows stays so, and what has of others does not matter
			q.view.passed.Store(gone)
		}
		if old != nil && old.view != nil {
			q.view.inherit(old.view)
		}
	} else if old != nil {
		s.leaving = old.view
	}
	s.publish()
	s.mu.Unlock()
	if err == nil && q.view != nil {
		if err = s.barrier(ctx); err == nil {
			if old != nil && old.view != nil {
				q.view.succeed(db.eng, old.view, same)
			}
			err = db.beginView(ctx, q, old, had, claim.added, &b)
		}
	}
	if err == nil && len(b.Puts) > 0 {
		_, err = db.eng.Commit(ctx, &b, false)
		var se *engine.StoredError
		if errors.As(err, &se) {
			err = nil
		}
	}
	if err == nil {
		err = db.start(q)
	}
	if err != nil {
		db.takeOut(q, old, claim.added)
		return err
	}
	if q.view != nil {
		q.view.ready.Store(true)
	}
	s.mu.Lock()
	s.leaving = nil
	s.disown(claim.left)
	s.publish()
	s.mu.Unlock()
	q.busy.Unlock()
	return nil
}

// takeOut undoes a replacement of old by q that failed, and q's claim of added. q is
// busy, and not any more when takeOut returns.
func (db *DB) takeOut(q, old *cq, added []string) {
	s, name := &db.cqs, q.spec.Name
	q.retired = true
	q.busy.Unlock()
	s.mu.Lock()
	delete(s.all, name)
	s.order = nil
	if old != nil {
		s.all[name] = old
	}
	s.leaving = nil
	s.disown(added)
	s.publish()
	s.mu.Unlock()
	if old != nil {
		db.reinstate(old, q)
	}
}

// reinstate makes old run again, in whose place failed was for a while.
func (db *DB) reinstate(old, failed *cq) {
	if old.view != nil && failed.view != nil {
		if err := db.cqs.barrier(context.Background()); err != nil { // has no end by itself
			db.log.Error("continuous query", "cq", old.spec.Name, "err", err)
		}
		old.view.succeed(db.eng, failed.view, false)
	}
	old.revive()
	if err := db.start(old); err != nil {
		db.log.Error("continuous query does not start", "cq", old.spec.Name, "err", err)
	}
}

// beginView marks what q has to compute first: everything if it is new or its
// query has changed. Added are the targets that it has not owned before.
func (db *DB) beginView(ctx context.Context, q, old *cq, had bool, added []string, b *engine.Batch) error {
	v := q.view
	same := had && old != nil && old.view != nil && sameWindows(&old.spec, &q.spec)
	extent, ok, err := db.survey(ctx, q, !same)
	if v.grouped() && !same { // other windows than before
		v.groups.forget(v, b)
	}
	if !same { // how far results go is looked for again after a crash, too
		v.mu.Lock()
		b.Puts = v.seen(b.Puts)
		v.mu.Unlock()
		unput(b, cqKey(v.name, "progress"))
		unput(b, cqKey(v.name, "last"))
	}
	if err == nil && same {
		b.Puts, err = db.noteFound(q, added, b.Puts)
	}
	if err != nil || same {
		return err
	}
	written, some, err := db.written(db.cqs.targetsOf(v.name))
	if err != nil {
		return err
	}
	if some && !v.grouped() {
		written = v.windowsWritten(written)
	}
	// Rows of windows before may have expired, and their series been dropped since:
	// then nothing tells what the results were made of, and they stay.
	gone := v.gone()
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.grouped() {
		v.found = incremental.Ranges{}
		b.Puts = v.addFound(written, b.Puts)
	}
	written.From = max(written.From, gone)
	var r incremental.Range
	if ok {
		r = v.touchedBy(extent)
	}
	switch {
	case !had || written.Empty():
	case !ok:
		r = written
	default: // rows of the windows of before are gone over, too
		r = incremental.Range{From: min(r.From, written.From), To: max(r.To, written.To)}
	}
	if r.Empty() {
		return nil
	}
	if v.grouped() {
		r.To = incremental.Latest
	}
	d := cqDirty{Range: r}
	key := v.markKey(v.gen, d)
	v.set(key, d)
	v.marked.Add(r)
	b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: key, Value: []byte{1}})
	return nil
}

// survey looks at what is stored: the range of the times that q reads, how far
// its watermark is and, if afresh, from where on its targets are empty.
func (db *DB) survey(ctx context.Context, q *cq, afresh bool) (extent incremental.Range, ok bool, err error) {
	v := q.view
	all := db.inputsOf(q)
	snap := db.eng.Snapshot()
	defer snap.Release()
	if extent, ok, err = extentOf(ctx, snap, all); err != nil {
		return extent, ok, err
	}
	frontier := int64(math.MinInt64)
	if afresh && !v.grouped() {
		written, some, err := db.written(db.cqs.targetsOf(v.name))
		if err != nil {
			return extent, ok, err
		}
		if hi := written.To; some {
			frontier = v.grid.Start(v.grid.Last(max(hi, v.windowOf(hi))) + 1)
		}
	}
	v.mu.Lock()
	limit := max(v.limit(), v.clockLimit(db))
	if afresh {
		v.frontier = frontier
	}
	v.mu.Unlock()
	if !ok {
		return extent, false, nil
	}
	head, err := headOf(ctx, snap, all, limit)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.oldest, v.newest, v.touched = min(v.oldest, extent.From), max(v.newest, extent.To-1), db.clock.Mono()
	v.head = max(v.head, head)
	return extent, true, err
}

// sameWindows reports whether two definitions give the same results for the same
// rows.
func sameWindows(a, b *CQSpec) bool {
	strip := func(s CQSpec) []byte {
		s.Text, s.Lateness, s.IdleTimeout, s.OnChange = "", 0, 0, false
		return encodeCQ(&s)
	}
	return bytes.Equal(strip(*a), strip(*b))
}

// extent is the range of the times that q reads.
func (db *DB) extent(ctx context.Context, q *cq) (incremental.Range, bool, error) {
	snap := db.eng.Snapshot()
	defer snap.Release()
	return extentOf(ctx, snap, db.inputsOf(q))
}

// inputsOf are the series that q may read.
func (db *DB) inputsOf(q *cq) (all []*engine.Series) {
	for _, p := range q.view.patterns {
		all = append(all, db.eng.Match(p)...)
	}
	return all
}

func extentOf(ctx context.Context, snap *engine.Snapshot, all []*engine.Series) (incremental.Range, bool, error) {
	first, ok, err := firstTime(snap, all, math.MinInt64)
	if err != nil || !ok {
		return incremental.Range{}, false, err
	}
	r := incremental.Range{From: first, To: first + 1}
	for _, ser := range all {
		if err := ctx.Err(); err != nil {
			return r, false, err
		}
		p, ok, err := snap.Last(ser)
		if err != nil {
			return r, false, err
		}
		if ok {
			r.To = max(r.To, p.Time+1)
		}
	}
	return r, true, nil
}

// restoreCQs takes up the stored definitions. Rows that are inserted from now on
// mark the windows of incremental ones.
func (db *DB) restoreCQs(ctx context.Context) error {
	s := &db.cqs
	defer s.loaded.Store(true)
	for key, value := range db.eng.Scan("cq/") {
		if !strings.HasSuffix(key, "/def") {
			continue
		}
		spec, err := decodeCQ(value)
		if err != nil {
			db.log.Error("stored continuous query is left out", "key", key, "err", err)
			continue
		}
		q := &cq{spec: spec, restored: true}
		if spec.Query == nil {
			q.inactive = errNotCreated
		} else if n, err := db.newCQ(spec); err != nil {
			q = db.inactiveCQ(spec, err)
		} else {
			q = n
			q.restored = true
		}
		_, q.paused = db.eng.Get(cqKey(spec.Name, "paused"))
		s.mu.Lock()
		if s.all == nil {
			s.all = make(map[string]*cq)
		}
		s.all[spec.Name] = q
		if q.view != nil {
			q.view.load(db.eng)
			q.view.ready.Store(true)
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	all := s.sorted()
	s.order = nil
	s.publish()
	s.mu.Unlock()
	db.restoreTargets(ctx, all)
	for _, q := range all {
		if q.view == nil {
			continue
		}
		_, stored := db.eng.Get(cqKey(q.spec.Name, "progress"))
		if _, _, err := db.survey(ctx, q, !stored); err != nil {
			q.inactive = err
		}
	}
	return nil
}

// inactiveCQ is a stored query that cannot run now. What it would have to
// compute is marked all the same.
func (db *DB) inactiveCQ(spec CQSpec, cause error) *cq {
	q := &cq{spec: spec, restored: true, inactive: cause}
	query := spec.Query.(Query)
	inputs, err := query.inputs()
	if err != nil {
		return q
	}
	q.inputs = inputs
	q.noteOutputs(&query)
	if spec.incremental() {
		if v, err := db.viewOf(&spec, &query, inputs); err == nil {
			q.view = v
		}
	}
	return q
}
