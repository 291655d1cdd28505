package tickwell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/schedule"
)

// cq is a registered [ContinuousQuery].
type cq struct {
	spec     CQSpec
	sinks    []string
	plan     *schedule.Plan      // nil if incremental or inactive
	view     *cqView             // nil if scheduled
	inputs   []string            // patterns of what it reads; nil if not a Query
	outputs  []string            // patterns of what it writes
	targets  []*pattern.Pattern  // the same
	named    []string            // those of them that are no patterns
	into     map[string][]target // of the series there were when it was defined
	restored bool                // from the stored definition; nobody has created it yet
	inactive error               // why it does not run
	paused   bool
	busy     dispatch.Ticket       // held by a run
	kept     keptPlan              // of a Query; guarded by busy
	retired  bool                  // another took its place, or it was dropped; guarded by busy
	tooLate  int                   // runs with results that are not kept any more; guarded by busy
	computed atomic.Int64          // windows
	runs     atomic.Int64          // of an incremental one, that succeeded and had something to do
	failures atomic.Int64          // of an incremental one
	failing  atomic.Int32          // failures in a row, of an incremental one
	failed   atomic.Pointer[error] // the last of them; nil if there is none
}

// cqSet is the continuous queries of a store and the scheduler that runs them.
type cqSet struct {
	mu    sync.Mutex
	all   map[string]*cq
	order []*cq               // of the incremental ones, by what feeds what; nil: to be found
	owned map[string]string   // path of a target → query
	sched *schedule.Scheduler // nil until the store is open

	eng      *engine.Engine
	watching bool    // as the engine was told
	leaving  *cqView // of a query that is becoming scheduled, and may yet stay as it is

	table  atomic.Pointer[cqTable] // what inserts see
	loaded atomic.Bool             // the stored definitions are
	epoch  atomic.Pointer[epoch]   // of the records under way

	drain    sync.Mutex
	draining []*epoch
}

func (s *cqSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// closeLimit is how long Close waits for user code that does not return.
const closeLimit = 5 * time.Second

// cqKey is where the durable state of a query stands.
//
//go:noinline
func cqKey(name, what string) string { return "cq/" + pattern.Quote(name) + "/" + what }

func (db *DB) task(q *cq) schedule.Task {
	if q.view != nil {
		return schedule.Task{Name: q.spec.Name, Period: cqPeriod, Do: func(ctx context.Context, _ schedule.Run) error { return db.runView(ctx, q) }}
	}
	t := schedule.Task{
		Name: q.spec.Name, Plan: q.plan,
		Do: func(ctx context.Context, r schedule.Run) error { return db.runCQ(ctx, q, r) },
		Stepped: func(s schedule.Step) {
			db.log.Warn("continuous query leaves its rhythm", "cq", q.spec.Name, "skipped", s.Skipped, "clock_set_back", s.Rewound)
		},
	}
	if b, ok := db.eng.Get(cqKey(q.spec.Name, "last")); ok && len(b) == 8 {
		t.HasLast, t.Last = true, int64(binary.LittleEndian.Uint64(b))
	}
	return t
}

func (db *DB) startCQs() {
	if db.opts.ReadOnly {
		return // they are listed, and run where the store is written
	}
	s := &db.cqs
	s.mu.Lock()
	s.sched = schedule.NewScheduler(db.clock, db.opts.CQWorkers)
	all := s.sorted()
	s.mu.Unlock()
	for _, q := range all {
		if err := db.start(q); err != nil {
			db.log.Error("continuous query does not start", "cq", q.spec.Name, "err", err)
		}
	}
}

// start gives q to the scheduler, if there is one yet.
func (db *DB) start(q *cq) error {
	s := &db.cqs
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched == nil || q.inactive != nil {
		return nil
	}
	if q.paused {
		if err := sched.AddPaused(db.task(q)); err != nil {
			return err
		}
	} else if err := sched.Add(db.task(q)); err != nil {
		return err
	}
	if q.view != nil {
		q.view.mu.Lock()
		q.view.poked = 0
		q.view.mu.Unlock()
		db.pokeView(q.view, db.clock.Mono(), cqCascade)
	}
	return nil
}

// runView is a run of an incremental query by the scheduler. After a failure it
// waits longer each time; the marks of what is dirty stay.
func (db *DB) runView(ctx context.Context, q *cq) error {
	v := q.view
	v.mu.Lock()
	hold := v.hold - db.clock.Mono()
	v.mu.Unlock()
	if hold > 0 {
		db.cqs.poke(v.name, hold)
		return nil
	}
	began := db.clock.Mono()
	more, err := db.pump(ctx, q)
	v.mu.Lock()
	v.pace = cqShare * (db.clock.Mono() - began)
	v.mu.Unlock()
	db.outcome(q, err)
	if more {
		db.cqs.poke(v.name, 0)
	} else {
		db.pokeView(v, db.clock.Mono(), cqDelay)
	}
	return err
}

// outcome notes how a run of an incremental query ended.
func (db *DB) outcome(q *cq, err error) {
	if err == nil {
		q.failing.Store(0)
		q.failed.Store(nil)
		return
	}
	q.failed.Store(&err)
	q.failures.Add(1)
	n := q.failing.Add(1)
	q.view.mu.Lock()
	q.view.hold = db.clock.Mono() + min(time.Second<<min(n-1, 10), cqMaxHold)
	q.view.mu.Unlock()
}

// stopCQs lets runs finish and starts no more.
func (db *DB) stopCQs(ctx context.Context) error {
	s := &db.cqs
	s.mu.Lock()
	all, sched := s.sorted(), s.sched
	s.mu.Unlock()
	if sched == nil {
		return nil
	}
	for _, q := range all {
		if err := sched.Pause(q.spec.Name); err != nil && !errors.Is(err, errs.NotFound) {
			return err
		}
	}
	return sched.WaitIdle(ctx)
}

// idleCQs returns when no run is due and no window is dirty that is over; a
// query that fails is not waited for.
func (db *DB) idleCQs(ctx context.Context) error {
	s := &db.cqs
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched == nil {
		return nil
	}
	for {
		if err := sched.WaitIdle(ctx); err != nil {
			return err
		}
		busy, err := db.pumpAll(ctx)
		if err != nil || !busy {
			return err
		}
	}
}

// pumpAll runs the incremental queries that have something to do, those that
// feed others first.
func (db *DB) pumpAll(ctx context.Context) (busy bool, err error) {
	for _, q := range db.cqs.ordered() {
		v := q.view
		if v == nil || q.inactive != nil || q.isPaused(&db.cqs) {
			continue
		}
		for more := true; more; {
			v.mu.Lock()
			mono := db.clock.Mono()
			due := v.due(mono)
			held := v.hold > mono
			v.mu.Unlock()
			if due.Empty() || held {
				break
			}
			busy = true
			more, err = db.pump(ctx, q)
			if ctx.Err() != nil {
				return busy, ctx.Err()
			}
			db.outcome(q, err)
			if err != nil {
				more = false
				db.cqs.poke(v.name, time.Second)
			}
		}
	}
	return busy, nil
}

func (q *cq) isPaused(s *cqSet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return q.paused
}

// wait cancels what runs and waits for it, for a bounded time.
func (s *cqSet) wait() error {
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched == nil {
		return nil
	}
	return sched.Close(closeLimit)
}

// runCQ is one run: the query computes over one cut, and its results, events
// and progress are stored together.
func (db *DB) runCQ(ctx context.Context, q *cq, r schedule.Run) error {
	if err := q.busy.Lock(ctx); err != nil {
		return err
	}
	defer q.busy.Unlock()
	if q.retired {
		return nil
	}
	return db.runOnce(ctx, q, r.At, r.From, r.To, true)
}

// runOnce runs q over [from, to); with progress, the run due at counts as done.
func (db *DB) runOnce(ctx context.Context, q *cq, at, from, to int64, progress bool) error {
	began := db.clock.Mono()
	in := db.scratch.Get()
	defer db.end(in)
	defer in.leave(db)
	run := &CQRun{
		Name: q.spec.Name, At: instant(at), Start: instant(from), End: instant(to),
		db: db, spec: q, out: &in.fx, from: from, to: to,
	}
	err := db.compute(ctx, run, in)
	if err == nil {
		// A clock that is not set yet does not undo how far the query was.
		if progress && (at >= schedule.ClockSet || db.task(q).Last < schedule.ClockSet) {
			in.fx.puts = append(in.fx.puts, engine.Put{
				Kind: engine.PutProgress, Key: cqKey(q.spec.Name, "last"), Value: appendWord(nil, uint64(at)),
			})
		}
		err = db.storeRun(ctx, run, in)
	}
	db.reportRun(run, began, err)
	return err
}

// compute lets the query fill the run.
func (db *DB) compute(ctx context.Context, run *CQRun, in *insertion) error {
	run.snap = db.eng.Snapshot()
	err := call(run.Name, func() error { return run.spec.spec.Query.Run(ctx, run) })
	run.snap.Release()
	run.over = true
	if err != nil {
		return err
	}
	run.wrote, in.fx.tablets = in.fx.tablets, nil
	return ctx.Err()
}

// storeRun stores what a run wrote, with what else is in in, as one record.
func (db *DB) storeRun(ctx context.Context, run *CQRun, in *insertion) (failed error) {
	if err := db.addResults(run, in); err != nil {
		return err
	}
	if !db.cqs.owns(run.Name, in) {
		added, err := db.claimWritten(ctx, run, in)
		defer func() {
			if failed != nil {
				db.cqs.unclaim(added)
			}
		}()
		if err != nil {
			return err
		}
	}
	// From here on the run is not cut short: it is stored, or it failed.
	ctx = context.WithoutCancel(ctx)
	act := in.newActivity()
	in.query = run.Name
	defer db.finish(ctx, act)
	if err := db.stage(ctx, in); err != nil {
		_ = db.settle(ctx, act, in) // err says why
		return err
	}
	act.push(in)
	if err := db.settle(ctx, act, in); err != nil {
		db.log.Warn("triggers failed on what a continuous query wrote", "cq", run.Name, "err", err)
	}
	return nil
}

// addResults takes what a run wrote. Rows that are too late to be kept are left
// out: a run that has been waited for longer than its results live would never
// succeed, and those after it would never begin.
func (db *DB) addResults(run *CQRun, in *insertion) error {
	add := func() error {
		for _, t := range run.wrote {
			if err := in.addTablet(db, t); err != nil {
				return err
			}
		}
		return in.checkTimes(db)
	}
	err := add()
	if !errors.Is(err, errs.TooLate) {
		return err
	}
	for in.n > 0 {
		in.drop()
	}
	late := 0
	for i, t := range run.wrote {
		horizon, ends := db.horizon(t)
		var keep []int
		for row, at := range t.Times {
			if !ends || at >= horizon {
				keep = append(keep, row)
			}
		}
		late += t.Len() - len(keep)
		run.wrote[i] = t.pick(keep)
	}
	// A clock that is set right may bring ten thousand such runs at once: told are the
	// first, the second, the fourth …
	q := run.spec
	if q.tooLate++; q.tooLate&(q.tooLate-1) == 0 {
		db.log.Warn("results of a continuous query are older than they are kept, and left out", "cq", run.Name, "start", run.Start, "end", run.End, "rows", late, "runs", q.tooLate)
	}
	return add()
}

// reportRun logs a run and tells the observer.
func (db *DB) reportRun(run *CQRun, began time.Duration, err error) {
	if err != nil {
		db.log.Warn("continuous query failed", "cq", run.Name, "start", run.Start, "end", run.End, "err", err)
	} else if db.log.Enabled(context.Background(), slog.LevelDebug) {
		rows := 0
		for _, t := range run.wrote {
			rows += t.Len()
		}
		db.log.Debug("continuous query ran", "cq", run.Name, "at", run.At, "start", run.Start, "end", run.End, "rows", rows)
	}
	o := db.opts.Observer
	if o == nil || o.Run == nil {
		return
	}
	info := CQRunInfo{Name: run.Name, At: run.At, Start: run.Start, End: run.End, Rows: run.wrote, Took: db.clock.Mono() - began, Err: err}
	if oerr := call("Observer.Run", func() error { o.Run(info); return nil }); oerr != nil {
		db.log.Warn("observer failed", "err", oerr)
	}
}

// unput removes a key of the durable state with b.
//
//go:noinline
func unput(b *engine.Batch, key string) {
	b.Puts = append(b.Puts, engine.Put{Kind: engine.PutProgress, Key: key, Delete: true})
}

// forget removes the durable state under a prefix.
func (db *DB) forget(ctx context.Context, prefix string) error {
	var b engine.Batch
	for key := range db.eng.Scan(prefix) {
		unput(&b, key)
	}
	if len(b.Puts) == 0 {
		return nil
	}
	_, err := db.eng.Commit(ctx, &b, false)
	return err
}

var errNotCreated = fmt.Errorf("its definition is stored, but this program has not created it: %w", errs.NotFound)
