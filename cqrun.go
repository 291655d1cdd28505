package tickwell

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/schedule"
)

// cq is a registered [ContinuousQuery].
type cq struct {
	spec  CQSpec
	sinks []string
	plan  *schedule.Plan
}

// cqSet is the continuous queries of a store and the scheduler that runs them.
type cqSet struct {
	mu    sync.Mutex
	all   map[string]*cq
	sched *schedule.Scheduler // nil until the store is open
}

func (s *cqSet) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// closeLimit is how long Close waits for user code that does not return.
const closeLimit = 5 * time.Second

// CreateContinuousQuery registers q, checks it and starts it. A query that was
// created under the same name before goes on after its last finished run; its
// definition may have changed.
func (db *DB) CreateContinuousQuery(ctx context.Context, spec CQSpec) error {
	fail := func(err error) error { return &Error{Op: "create continuous query", Subject: spec.Name, Err: err} }
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
	s := &db.cqs
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[spec.Name] != nil {
		return fail(fmt.Errorf("it has already been created: %w", errs.Exists))
	}
	if s.all == nil {
		s.all = make(map[string]*cq)
	}
	s.all[spec.Name] = q
	if s.sched == nil {
		return nil // startCQs will
	}
	if err := s.sched.Add(db.task(q)); err != nil {
		delete(s.all, spec.Name)
		return fail(err)
	}
	return nil
}

func (db *DB) newCQ(spec CQSpec) (*cq, error) {
	switch {
	case spec.Name == "":
		return nil, fmt.Errorf("no name: %w", errs.BadInput)
	case spec.Query == nil:
		return nil, fmt.Errorf("no Query: %w", errs.BadInput)
	}
	s := schedule.Spec{
		Every: spec.Every, Cron: spec.Cron, StartOffset: spec.StartOffset, EndOffset: spec.EndOffset,
		HasRange: spec.StartOffset != 0 || spec.EndOffset != 0, Minimum: db.opts.CQMinEvery,
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
	if c, ok := spec.Query.(interface {
		checkCQ(*DB) (time.Duration, error)
	}); ok {
		var err error
		if s.GroupBy, err = c.checkCQ(db); err != nil {
			return nil, err
		}
	}
	if s.HasRange && s.StartOffset == 0 {
		s.StartOffset = max(s.Every, s.GroupBy)
	}
	plan, err := s.Plan()
	if err != nil {
		return nil, err
	}
	sinks, err := db.sinkNames(spec.Sinks)
	if err != nil {
		return nil, err
	}
	return &cq{spec: spec, sinks: sinks, plan: plan}, nil
}

func (db *DB) task(q *cq) schedule.Task {
	t := schedule.Task{
		Name: q.spec.Name, Plan: q.plan,
		Do: func(ctx context.Context, r schedule.Run) error { return db.runCQ(ctx, q, r) },
		Stepped: func(s schedule.Step) {
			db.log.Warn("continuous query leaves its rhythm", "cq", q.spec.Name, "skipped", s.Skipped, "clock_set_back", s.Rewound)
		},
	}
	if b, ok := db.eng.Get(q.progressKey()); ok && len(b) == 8 {
		t.HasLast, t.Last = true, int64(binary.LittleEndian.Uint64(b))
	}
	return t
}

// progressKey is where the due time of the last finished run stands.
func (q *cq) progressKey() string { return "cq/" + pattern.Quote(q.spec.Name) + "/last" }

func (db *DB) startCQs() {
	s := &db.cqs
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sched = schedule.NewScheduler(db.clock, db.opts.CQWorkers)
	for _, q := range s.all {
		if err := s.sched.Add(db.task(q)); err != nil {
			db.log.Error("continuous query does not start", "cq", q.spec.Name, "err", err)
		}
	}
}

// stopCQs lets runs finish and starts no more.
func (db *DB) stopCQs(ctx context.Context) error {
	s := &db.cqs
	s.mu.Lock()
	names := slices.Collect(func(yield func(string) bool) {
		for name := range s.all {
			if !yield(name) {
				return
			}
		}
	})
	sched := s.sched
	s.mu.Unlock()
	if sched == nil {
		return nil
	}
	for _, name := range names {
		if err := sched.Pause(name); err != nil && !errors.Is(err, errs.NotFound) {
			return err
		}
	}
	return sched.WaitIdle(ctx)
}

func (db *DB) idleCQs(ctx context.Context) error {
	s := &db.cqs
	s.mu.Lock()
	sched := s.sched
	s.mu.Unlock()
	if sched == nil {
		return nil
	}
	return sched.WaitIdle(ctx)
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
	start := db.clock.Mono()
	in := db.scratch.Get().(*insertion)
	defer db.end(in)
	defer in.leave(db)
	run := &CQRun{
		Name: q.spec.Name, At: time.Unix(0, r.At).UTC(), Start: time.Unix(0, r.From).UTC(), End: time.Unix(0, r.To).UTC(),
		db: db, spec: q, out: &in.fx, from: r.From, to: r.To,
	}
	err := db.computeAndStore(ctx, run, in)
	info := CQRunInfo{Name: run.Name, At: run.At, Start: run.Start, End: run.End, Rows: run.wrote, Took: db.clock.Mono() - start, Err: err}
	rows := 0
	for _, t := range run.wrote {
		rows += t.Len()
	}
	if err != nil {
		db.log.Warn("continuous query failed", "cq", run.Name, "start", run.Start, "end", run.End, "attempt", r.Attempt, "err", err)
	} else {
		db.log.Debug("continuous query ran", "cq", run.Name, "at", run.At, "start", run.Start, "end", run.End, "rows", rows)
	}
	if o := db.opts.Observer; o != nil && o.Run != nil {
		if oerr := call("Observer.Run", func() error { o.Run(info); return nil }); oerr != nil {
			db.log.Warn("observer failed", "err", oerr)
		}
	}
	return err
}

func (db *DB) computeAndStore(ctx context.Context, run *CQRun, in *insertion) error {
	run.snap = db.eng.Snapshot()
	err := call(run.Name, func() error { return run.spec.spec.Query.Run(ctx, run) })
	run.snap.Release()
	run.over = true
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	run.wrote = in.fx.tablets
	in.fx.tablets = nil
	for _, t := range run.wrote {
		if err := in.addTablet(db, t); err != nil {
			return err
		}
	}
	in.fx.puts = append(in.fx.puts, engine.Put{
		Kind: engine.PutProgress, Key: run.spec.progressKey(),
		Value: binary.LittleEndian.AppendUint64(nil, uint64(run.At.UnixNano())),
	})
	// From here on the run is not cut short: it is stored, or it failed.
	ctx = context.WithoutCancel(ctx)
	act := in.newActivity()
	in.query = run.Name
	if err := db.stage(ctx, in, false); err != nil && !isStored(err) {
		db.settle(ctx, act, in)
		return err
	}
	act.push(in)
	if err := db.settle(ctx, act, in); err != nil {
		db.log.Warn("triggers failed on what a continuous query wrote", "cq", run.Name, "err", err)
	}
	return nil
}

// DropContinuousQuery stops a query, waits for its run, and forgets how far it
// was. What it has written stays.
func (db *DB) DropContinuousQuery(ctx context.Context, name string) error {
	fail := func(err error) error { return &Error{Op: "drop continuous query", Subject: name, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionDropCQ, name); err != nil {
		return err
	}
	s := &db.cqs
	s.mu.Lock()
	q := s.all[name]
	delete(s.all, name)
	sched := s.sched
	s.mu.Unlock()
	if q == nil {
		return fail(fmt.Errorf("it does not exist: %w", errs.NotFound))
	}
	if sched != nil {
		if err := sched.Remove(ctx, name); err != nil && !errors.Is(err, errs.NotFound) {
			return fail(err)
		}
	}
	if err := db.forget(ctx, "cq/"+pattern.Quote(name)+"/"); err != nil {
		return fail(err)
	}
	return nil
}

// forget removes the durable state under a prefix.
func (db *DB) forget(ctx context.Context, prefix string) error {
	var b engine.Batch
	for key := range db.eng.Scan(prefix) {
		b.Puts = append(b.Puts, engine.Put{Key: key, Delete: true})
	}
	if len(b.Puts) == 0 {
		return nil
	}
	_, err := db.eng.Commit(ctx, &b, false)
	return err
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
	defer s.mu.Unlock()
	var states []schedule.State
	if s.sched != nil {
		states = s.sched.Tasks()
	}
	var infos []CQInfo
	for name, q := range s.all {
		info := CQInfo{Spec: q.spec, State: "ACTIVE"}
		if i := slices.IndexFunc(states, func(t schedule.State) bool { return t.Name == name }); i >= 0 {
			t := states[i]
			info.Runs, info.Failed, info.LastErr = t.Runs, t.Failures, t.Err
			if t.HasLast {
				info.LastRun = time.Unix(0, t.Last).UTC()
			}
			if !t.Ended {
				info.NextRun = time.Unix(0, t.Next).UTC()
			}
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b CQInfo) int { return strings.Compare(a.Spec.Name, b.Spec.Name) })
	return slices.Values(infos), nil
}
