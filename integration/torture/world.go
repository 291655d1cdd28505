package torture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/integration/oracle"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// storeDir is where the store lies on a simulated disk.
const storeDir = "box/store"

// wallStart is half a period off, so that no run is due when a store opens.
var wallStart = time.Unix(0, oracle.Base+oracle.Period/2)

// World is an open store with the triggers, the query and the sinks that the
// oracle knows.
type World struct {
	fs    vfs.FS
	dir   string
	setup Setup
	clock *clock.Fake
	db    *tickwell.DB

	kept    map[string]int64 // what triggers had kept when the store was opened
	never   *sink            // takes nothing, or everything if collecting
	some    *sink            // takes batches now and then; nil if the setup has none
	roll    bool             // the continuous query is installed
	discard bool             // it jumps over runs it has missed
	runs    atomic.Int64     // of the query
}

func newWorld(fs vfs.FS, dir string, setup Setup) *World {
	w := &World{fs: fs, dir: dir, setup: setup, clock: clock.NewFake(wallStart), never: &sink{}, roll: true}
	if setup.Sinks {
		w.some = &sink{every: 3}
	}
	return w
}

func (w *World) open() error {
	w.kept = map[string]int64{}
	opts := &tickwell.Options{
		FS: w.fs, Clock: w.clock, Seed: max(w.setup.Store, 7), Logger: slog.New(slog.DiscardHandler),
		Sync: w.setup.Policy.sync(), Profile: w.setup.profile(),
		Sinks: []tickwell.SinkSpec{{Name: "never", Sink: w.never}},
		Triggers: []tickwell.TriggerSpec{
			{Name: "guard", Pattern: oracle.Guarded + ".*", When: tickwell.BeforeInsert, Stateful: true, Trigger: &guard{remembers{w}}},
			{Name: "tally", Pattern: oracle.Tallied + ".*", When: tickwell.AfterInsert, Stateful: true, Trigger: &tally{remembers{w}}},
		},
	}
	if w.some != nil {
		opts.Sinks = append(opts.Sinks, tickwell.SinkSpec{Name: "some", Sink: w.some})
	}
	if w.roll {
		spec := tickwell.CQSpec{Name: "roll", Query: roll{&w.runs}, Every: time.Duration(oracle.Period)}
		if w.discard {
			spec.Policy = tickwell.Discard
		}
		opts.ContinuousQueries = []tickwell.CQSpec{spec}
	}
	db, err := tickwell.Open(context.Background(), w.dir, opts)
	if err != nil {
		return err
	}
	w.db = db
	return w.settle()
}

func (w *World) close() error {
	if w.db == nil {
		return nil
	}
	err := w.db.Close()
	w.db = nil
	return err
}

// stallLimit is how long a run that is due may take to begin, in true time.
const stallLimit = 20 * time.Second

// settle waits until no run of the query is due. A run that fails ends the wait
// with its error, for it is repeated only when the clock goes on.
func (w *World) settle() error {
	if !w.roll {
		return nil
	}
	runs, since := w.runs.Load(), time.Now()
	for {
		infos, err := w.db.ContinuousQueries(context.Background())
		if err != nil {
			return err
		}
		if n := w.runs.Load(); n != runs {
			runs, since = n, time.Now()
		} else if time.Since(since) > stallLimit {
			return fmt.Errorf("roll is due and does not run: %+v at %v", slices.Collect(infos), w.clock.Now())
		}
		for info := range infos {
			if info.LastErr != nil {
				return fmt.Errorf("run of roll: %w", info.LastErr)
			}
			if info.NextRun.After(w.clock.Now()) {
				return nil
			}
		}
		runtime.Gosched()
	}
}

// lastRun is the instant of the last run as the store reports it, 0 if none.
func (w *World) lastRun() int64 {
	infos, err := w.db.ContinuousQueries(context.Background())
	if err != nil {
		return -1
	}
	for info := range infos {
		if !info.LastRun.IsZero() {
			return info.LastRun.UnixNano()
		}
	}
	return 0
}

// errPanic is a panic that came out of the store.
type errPanic struct{ text string }

func (e *errPanic) Error() string { return e.text }

// shielded calls f and makes a panic an error.
func shielded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			lines := strings.Split(string(debug.Stack()), "\n")
			err = &errPanic{fmt.Sprintf("panic: %v\n%s", p, strings.Join(lines[:min(len(lines), 24)], "\n"))}
		}
	}()
	return f()
}

// do makes the call. An error that says that the rows are stored is given as
// such.
func (w *World) do(c *oracle.Call) error {
	ctx := context.Background()
	return shielded(func() error {
		switch c.Verb {
		case oracle.Insert:
			return w.insert(ctx, c)
		case oracle.Delete:
			return w.db.Delete(ctx, c.Pattern, time.Unix(0, c.From), time.Unix(0, c.To))
		case oracle.Drop:
			return w.db.DropSeries(ctx, c.Pattern)
		case oracle.Flush:
			return w.db.Flush(ctx)
		case oracle.Sync:
			return w.db.Sync(ctx)
		case oracle.Reopen:
			if err := w.close(); err != nil {
				return err
			}
			return w.open()
		case oracle.Tick:
			w.clock.Advance(time.Duration(oracle.Period))
			return w.settle()
		}
		return fmt.Errorf("no such verb %v", c.Verb)
	})
}

func isStored(err error) bool {
	var e *tickwell.Error
	var t *tickwell.TriggerError
	return errors.As(err, &e) && e.Stored || errors.As(err, &t) && t.Stored
}

// remembers is the hook that reads what a trigger has kept.
type remembers struct{ w *World }

// Restore notes the count that the trigger has stored under its name.
func (r remembers) Restore(_ context.Context, env tickwell.Env) error {
	if b, ok := env.Get(env.Name); ok {
		var n int64
		if _, err := fmt.Sscan(string(b), &n); err != nil {
			return fmt.Errorf("state of %s is %q: %w", env.Name, b, err)
		}
		r.w.kept[env.Name] = n
	}
	return nil
}

// guard is the BEFORE trigger of package oracle.
type guard struct{ remembers }

// FailureStrategy lets a refusal fail the insert.
func (*guard) FailureStrategy() tickwell.FailureStrategy { return tickwell.Pessimistic }

var errRefused = errors.New("refused by guard")

// Fire refuses, or counts and tells.
func (*guard) Fire(_ context.Context, f *tickwell.Firing) error {
	for row := range f.Rows() {
		if v := row.Get("i"); !v.IsNull() && v.Int64() == oracle.Refused {
			return errRefused
		}
	}
	n := kept(f, "guard") + int64(f.Len())
	f.Put("guard", fmt.Append(nil, n))
	f.Emit(tickwell.Event{ID: oracle.GuardEvent(n), Series: f.Device, Time: time.Unix(0, oracle.Base)})
	return nil
}

// tally is the AFTER trigger of package oracle.
type tally struct{ remembers }

// FailureStrategy makes a failed firing fail the insert, whose rows stay.
func (*tally) FailureStrategy() tickwell.FailureStrategy { return tickwell.Pessimistic }

// Fire counts, tells and writes the count.
func (*tally) Fire(_ context.Context, f *tickwell.Firing) error {
	n := kept(f, "tally") + int64(f.Len())
	latest := f.Times[0]
	for _, at := range f.Times {
		latest = max(latest, at)
	}
	f.Put("tally", fmt.Append(nil, n))
	f.Emit(tickwell.Event{ID: oracle.TallyEvent(n), Series: f.Device, Time: time.Unix(0, oracle.Base)})
	return f.Write(&tickwell.Tablet{Device: "root.tally", Times: []int64{latest}, Columns: []tickwell.Column{{Name: "n", Data: tickwell.Int64s{n}}}})
}

func kept(f *tickwell.Firing, key string) (n int64) {
	if b, ok := f.Get(key); ok {
		fmt.Sscan(string(b), &n)
	}
	return n
}

// roll is the continuous query of package oracle.
type roll struct{ runs *atomic.Int64 }

// Run counts and adds the points of its range.
func (q roll) Run(ctx context.Context, r *tickwell.CQRun) error {
	q.runs.Add(1)
	res, err := r.Query(ctx, tickwell.Query{Select: []expr.Expr{expr.Col(oracle.Guarded + ".i")}, Start: r.Start, End: r.End})
	if err != nil {
		return err
	}
	var n, x int64
	for t, err := range res.Tablets() {
		if err != nil {
			return err
		}
		for row := range t.Rows() {
			n, x = n+1, x+row.Value(0).Int64()
		}
	}
	r.Emit(tickwell.Event{ID: oracle.RollEvent(r.At.UnixNano()), Series: oracle.Rolled, Time: r.At})
	return r.Write(&tickwell.Tablet{Device: oracle.Rolled, Times: []int64{r.Start.UnixNano()},
		Columns: []tickwell.Column{{Name: "n", Data: tickwell.Int64s{n}}, {Name: "x", Data: tickwell.Int64s{x}}}})
}

// sink notes what it is given.
type sink struct {
	every  int        // takes each every-th batch; 0: none
	all    bool       // takes everything
	forget bool       // notes nothing
	ops    func() int // numbers file system operations; may be nil

	mu     sync.Mutex
	calls  int
	handed []handed
}

// handed is an event that a sink was given.
type handed struct {
	id       string
	accepted bool
	from, to int // operations when the call began and ended
}

var errBusy = errors.New("busy")

// Handle notes the events and takes them or not.
func (s *sink) Handle(_ context.Context, events []tickwell.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	accept := s.all || s.every > 0 && s.calls%s.every == 0
	op := 0
	if s.ops != nil {
		op = s.ops()
	}
	for i := range events {
		if s.forget {
			break
		}
		s.handed = append(s.handed, handed{events[i].ID, accept, op, op})
	}
	if !accept {
		return errBusy
	}
	return nil
}

// accepted returns the events it took, in order.
func (s *sink) accepted() (ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handed {
		if h.accepted {
			ids = append(ids, h.id)
		}
	}
	return ids
}

// until returns the events handed over, and those accepted, before operation
// ops was over.
func (s *sink) until(ops int) (all, accepted []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handed {
		if h.from > ops {
			continue
		}
		all = append(all, h.id)
		if h.accepted {
			accepted = append(accepted, h.id)
		}
	}
	return all, accepted
}
