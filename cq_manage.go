package tickwell

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/schedule"
)

// retire takes q from the scheduler and waits for its run. It does not run again,
// whoever still knows it. After an error it goes on as before.
func (db *DB) retire(ctx context.Context, q *cq) error {
	s := &db.cqs
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched != nil {
		if err := sched.Remove(ctx, q.spec.Name); err != nil && !errors.Is(err, errs.NotFound) {
			return err
		}
	}
	if err := q.busy.Lock(ctx); err != nil { // a run outside of the scheduler
		if serr := db.start(q); serr != nil {
			return errors.Join(err, serr)
		}
		return err
	}
	q.retired = true
	q.busy.Unlock()
	return nil
}

// revive undoes retire.
func (q *cq) revive() {
	if q.busy.Lock(context.Background()) == nil { // nothing holds it for long: it does not run
		q.retired = false
		q.busy.Unlock()
	}
}

// DropContinuousQuery stops a query, waits for its run, and forgets its
// definition and how far it was. What it has written stays, and is anybody's.
// ErrNotFound: there is none of that name.
func (db *DB) DropContinuousQuery(ctx context.Context, name string) error {
	return db.changeCQ(ctx, "drop continuous query", ActionDropCQ, name, func(q *cq) error {
		if err := db.retire(ctx, q); err != nil {
			return err
		}
		err := db.forget(ctx, cqKey(name, "")) // first: it is there as before unless that is stored
		var se *engine.StoredError
		if err != nil && !errors.As(err, &se) {
			q.revive()
			return errors.Join(err, db.start(q))
		}
		s := &db.cqs
		s.mu.Lock()
		delete(s.all, name)
		s.order = nil
		s.release(name)
		s.mu.Unlock()
		if s.barrier(ctx) == nil { // records that were under way have added marks; left over they do no harm
			_ = db.forget(ctx, cqKey(name, ""))
		}
		return err
	})
}

// changeCQ calls change with a query while nobody else registers anything.
func (db *DB) changeCQ(ctx context.Context, op string, action Action, name string, change func(q *cq) error) error {
	fail := func(err error) error { return &Error{Op: op, Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, action, name); err != nil {
		return err
	}
	if err := db.lockReg(ctx); err != nil {
		return fail(err)
	}
	defer db.unlockReg()
	q := db.cqs.find(name)
	if q == nil {
		return fail(fmt.Errorf("it does not exist: %w", errs.NotFound))
	}
	if err := change(q); err != nil {
		return fail(err)
	}
	return nil
}

// PauseContinuousQuery keeps a query from running, also after a reopen, until
// [DB.ResumeContinuousQuery]. A run under way finishes. ErrNotFound: there is none
// of that name.
func (db *DB) PauseContinuousQuery(ctx context.Context, name string) error {
	return db.setPaused(ctx, "pause continuous query", name, true)
}

// ResumeContinuousQuery lets a paused query go on: a scheduled one with what its
// policy says about the runs it missed, an incremental one with all windows that
// have changed. ErrNotFound: there is none of that name.
func (db *DB) ResumeContinuousQuery(ctx context.Context, name string) error {
	return db.setPaused(ctx, "resume continuous query", name, false)
}

func (db *DB) setPaused(ctx context.Context, op, name string, paused bool) error {
	return db.changeCQ(ctx, op, ActionCreateCQ, name, func(q *cq) error {
		b := engine.Batch{Puts: []engine.Put{{Kind: engine.PutDefinition, Key: cqKey(name, "paused"), Value: []byte{1}, Delete: !paused}}}
		if _, err := db.eng.Commit(ctx, &b, false); err != nil {
			return err
		}
		s := &db.cqs
		s.mu.Lock()
		q.paused = paused
		sched := s.sched
		s.mu.Unlock()
		if sched == nil || q.inactive != nil {
			return nil
		}
		change := sched.Resume
		if paused {
			change = sched.Pause
		}
		if err := change(name); err != nil {
			return err
		}
		if q.view != nil && !paused {
			db.pokeView(q.view, db.clock.Mono(), cqCascade)
		}
		return nil
	})
}

// RefreshContinuousQuery computes what lies between start and end again, and
// returns when that is done: the windows of an incremental query, every run of a
// scheduled one whose range has a part of it. How far a scheduled query is does
// not change. Errors: ErrNotFound; of a scheduled query ErrBadInput unless both
// ends are given, and ErrLimit for more than a million runs.
func (db *DB) RefreshContinuousQuery(ctx context.Context, name string, start, end time.Time) error {
	fail := func(err error) error { return &Error{Op: "refresh continuous query", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateCQ, name); err != nil {
		return err
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return fail(err)
	}
	q := db.cqs.find(name)
	switch {
	case q == nil:
		return fail(fmt.Errorf("it does not exist: %w", errs.NotFound))
	case q.inactive != nil:
		return fail(q.inactive)
	case q.view != nil:
		err = db.refreshView(ctx, name, incremental.Range{From: from, To: to})
	case from == math.MinInt64 || to == math.MaxInt64:
		err = fmt.Errorf("a scheduled query needs both ends: %w", errs.BadInput)
	default:
		err = db.refreshRuns(ctx, q, from, to)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func (db *DB) refreshView(ctx context.Context, name string, r incremental.Range) error {
	if err := db.markAgain(ctx, name, r); err != nil {
		return err
	}
	for {
		q := db.cqs.find(name)
		if q == nil || q.view == nil {
			return fmt.Errorf("it was dropped meanwhile: %w", errs.NotFound)
		}
		more, err := db.pump(ctx, q)
		if err != nil || !more && db.cqs.find(name) == q {
			return err
		}
	}
}

// markAgain marks the windows in r as dirty, as far as there are rows or results.
func (db *DB) markAgain(ctx context.Context, name string, r incremental.Range) error {
	_, m := db.cqs.begin() // an Alter waits for this record, or is over
	err := func() error {
		q := db.cqs.find(name)
		if q == nil || q.view == nil {
			return fmt.Errorf("it was dropped meanwhile: %w", errs.NotFound)
		}
		extent, ok, err := db.extent(ctx, q)
		if err != nil {
			return err
		}
		written, some, err := db.written(db.cqs.targetsOf(name))
		if err != nil || !ok && !some {
			return err
		}
		v := q.view
		// Results whose rows have expired stay, see beginView.
		if written.From = max(written.From, v.gone()); some && !written.Empty() {
			if !ok {
				extent = written
			}
			extent = incremental.Range{From: min(extent.From, written.From), To: max(extent.To, written.To)}
		}
		expired := db.expiredBefore(v, db.inputsOf(q))
		v.mu.Lock()
		r := v.touchedBy(r.Intersect(extent))
		if r.From = max(r.From, expired); !r.Empty() {
			m.list = append(m.list, forMark(v, cqDirty{Range: r}))
		}
		v.mu.Unlock()
		b := engine.Batch{}
		if m.store(&b); len(b.Puts) == 0 {
			return nil
		}
		_, err = db.eng.Commit(ctx, &b, false)
		return err
	}()
	m.settle(db, err)
	var se *engine.StoredError
	if errors.As(err, &se) {
		return nil
	}
	return err
}

// refreshLimit bounds how many runs one refresh repeats.
const refreshLimit = 1_000_000

func (db *DB) refreshRuns(ctx context.Context, q *cq, from, to int64) error {
	if err := q.busy.Lock(ctx); err != nil {
		return err
	}
	defer q.busy.Unlock()
	if q.retired {
		return fmt.Errorf("it was altered or dropped meanwhile: %w", errs.NotFound)
	}
	at, ok := q.plan.First(from)
	for n := 0; ok; n++ {
		lo, hi := q.plan.Window(at)
		if lo >= to {
			return nil
		}
		if n == refreshLimit {
			return fmt.Errorf("more than %d runs: %w", refreshLimit, errs.Limit)
		}
		if hi > from {
			if err := db.runOnce(ctx, q, at, lo, hi, false); err != nil {
				return err
			}
		}
		at, ok = q.plan.Next(at)
	}
	return nil
}

// TryContinuousQuery runs the query of a specification once over [start, end)
// and returns what it would write; nothing is stored or sent.
func (db *DB) TryContinuousQuery(ctx context.Context, spec CQSpec, start, end time.Time) ([]*Tablet, error) {
	fail := func(err error) ([]*Tablet, error) {
		return nil, &Error{Op: "try continuous query", Subject: spec.Name, Err: err}
	}
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateCQ, spec.Name); err != nil {
		return nil, err
	}
	q, err := db.newCQ(spec)
	if err != nil {
		return fail(err)
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return fail(err)
	}
	in := db.scratch.Get()
	defer db.end(in)
	run := &CQRun{Name: q.spec.Name, At: end, Start: start, End: end, db: db, spec: q, out: &in.fx, from: from, to: to}
	if err := db.compute(ctx, run, in); err != nil {
		return fail(err)
	}
	return run.wrote, nil
}

// ContinuousQueries yields the continuous queries, sorted by name.
func (db *DB) ContinuousQueries(ctx context.Context) (iter.Seq[CQInfo], error) {
	if err := db.usable(ctx); err != nil {
		return nil, &Error{Op: "show continuous queries", Err: err}
	}
	if err := db.authorize(ctx, ActionShowCQ, ""); err != nil {
		return nil, err
	}
	s := &db.cqs
	s.mu.Lock()
	all, sched := s.sorted(), s.sched
	s.mu.Unlock()
	var states []schedule.State
	if sched != nil {
		states = sched.Tasks()
	}
	infos := make([]CQInfo, 0, len(all))
	for _, q := range all {
		infos = append(infos, db.cqInfo(q, states))
	}
	return slices.Values(infos), nil
}

func (db *DB) cqInfo(q *cq, states []schedule.State) CQInfo {
	info := CQInfo{Spec: q.spec, State: "ACTIVE", Incremental: q.view != nil, LastErr: q.inactive}
	i := slices.IndexFunc(states, func(t schedule.State) bool { return t.Name == q.spec.Name })
	if i >= 0 {
		t := states[i]
		info.Runs, info.Failed, info.Skipped, info.LastErr = t.Runs, t.Failures, t.Skipped, t.Err
		if q.view == nil {
			if t.HasLast {
				info.LastRun = instant(t.Last)
			}
			if !t.Ended {
				info.NextRun = instant(t.Next)
				info.Lag = max(0, db.clock.Now().Sub(info.NextRun))
			}
		}
	}
	if i < 0 && q.view == nil && q.plan != nil { // opened for reading: what is stored
		if t := db.task(q); t.HasLast {
			info.LastRun = instant(t.Last)
			if next, ok := q.plan.Next(t.Last); ok {
				info.NextRun = instant(next)
				info.Lag = max(0, db.clock.Now().Sub(info.NextRun))
			}
		}
	}
	if q.view != nil {
		q.view.describe(&info, db.clock.Mono())
		if err := q.failed.Load(); err != nil { // the scheduler's last run may have been one that waits
			info.LastErr = *err
		}
		info.Runs, info.Failed, info.Computed = q.runs.Load(), q.failures.Load(), q.computed.Load()
	}
	switch {
	case q.inactive != nil:
		info.State = "INACTIVE"
	case q.isPaused(&db.cqs):
		info.State = "PAUSED"
	case info.LastErr != nil:
		info.State = "FAILING"
	}
	return info
}

func (v *cqView) describe(info *CQInfo, mono time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var dirty incremental.Ranges
	for _, d := range v.keys {
		dirty.Add(d.Range)
	}
	if v.grouped() || small && v.apart { // each changes some window at least
		info.Dirty = int64(len(v.keys))
	} else {
		for _, r := range dirty.All() {
			info.Dirty += v.grid.Count(r)
		}
	}
	info.Sealed = v.sealed.Load()
	if v.head == math.MinInt64 {
		return
	}
	mark := v.head - v.lateness
	info.Watermark = instant(mark)
	if due := v.due(mono); !due.Empty() {
		info.Lag = time.Duration(max(0, v.head-due.All()[0].From))
	}
}
