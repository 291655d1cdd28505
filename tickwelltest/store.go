package tickwelltest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
)

// Start is what the clock of a new [Store] shows: 2026-01-01 00:00 UTC. Tests
// write times as distances from it, such as +1m30s.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// discard is a logger that logs nothing.
var discard = slog.New(slog.DiscardHandler)

// patience is how long a test waits for work that ought to end at once.
const patience = time.Minute

// Store is a store for one test, with a clock that stands still until it is
// moved. It is closed when the test ends, which then fails if closing fails or
// goroutines of the store are left. Its methods fail the test where those of a
// [tickwell.DB] return errors; they must be called by the goroutine of the test.
type Store struct {
	*tickwell.DB
	Clock   *Clock // the clock of the store
	t       testing.TB
	opts    tickwell.Options
	began   time.Time
	sinks   map[string]*Recorder
	ownSpec []tickwell.SinkSpec
	leaks   *leakCheck
	log     *testLog // nil: the test has a logger of its own

	mu    sync.Mutex
	fired map[string][]tickwell.FireInfo
	ran   map[string][]string
	// misused says what triggers did that tests must not pass with.
	misused []string
}

// New opens a store in memory, or, if opts names an FS, such as a [Disk], in
// the folder "store" of it. What opts leaves out: the clock is a [Clock] that
// shows [Start], the seed is 1, what the store logs is in the log of the test, which
// is shown if the test fails, and triggers are checked for keeping or changing the
// rows that they are lent.
func New(t testing.TB, opts *tickwell.Options) *Store {
	t.Helper()
	s := &Store{t: t, sinks: map[string]*Recorder{}, fired: map[string][]tickwell.FireInfo{}, ran: map[string][]string{}}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Clock == nil {
		s.opts.Clock = NewClock(Start)
	}
	s.Clock, _ = s.opts.Clock.(*Clock)
	s.began = s.opts.Clock.Now()
	if s.opts.Seed == 0 {
		s.opts.Seed = 1
	}
	if s.opts.Logger == nil {
		s.opts.Logger, s.log = logTo(t)
	}
	s.opts.CheckTriggers = true
	s.observe()
	s.leaks = watchGoroutines(t)
	s.open()
	t.Cleanup(s.end)
	return s
}

func (s *Store) open() {
	s.t.Helper()
	opts := s.opts
	opts.Sinks = append(slices.Clone(opts.Sinks), s.ownSpec...)
	db, err := tickwell.Open(context.Background(), s.dir(), &opts)
	if err != nil {
		s.t.Fatalf("tickwelltest: %v", err)
	}
	s.DB = db
}

func (s *Store) dir() string {
	if s.opts.FS == nil {
		return ""
	}
	return "store"
}

// observe counts what happens, before the observer of the test is told.
func (s *Store) observe() {
	var theirs tickwell.Observer
	if s.opts.Observer != nil {
		theirs = *s.opts.Observer
	}
	s.opts.Observer = &tickwell.Observer{
		Fire: func(f tickwell.FireInfo) {
			s.mu.Lock()
			s.fired[f.Trigger] = append(s.fired[f.Trigger], f)
			if f.Err != nil && strings.Contains(f.Err.Error(), "changed the rows it was lent") {
				s.misused = append(s.misused, f.Trigger+": "+f.Err.Error())
			}
			s.mu.Unlock()
			if theirs.Fire != nil {
				theirs.Fire(f)
			}
		},
		Run: func(r tickwell.CQRunInfo) {
			text := s.since(r.Start) + ".." + s.since(r.End)
			if r.Err != nil {
				text += " failed: " + r.Err.Error()
			}
			s.mu.Lock()
			s.ran[r.Name] = append(s.ran[r.Name], text)
			s.mu.Unlock()
			if theirs.Run != nil {
				theirs.Run(r)
			}
		},
	}
}

// end closes the store when the test is over.
func (s *Store) end() {
	s.t.Helper()
	if err := s.DB.Close(); err != nil && !s.t.Failed() {
		s.t.Errorf("tickwelltest: close: %v", err)
	}
	if s.log != nil {
		s.log.end()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.misused {
		s.t.Errorf("tickwelltest: trigger %s", m)
	}
	s.leaks.check(s.t)
}

// Reopen closes the store and opens it again, as a program that is started
// anew. A store in memory is empty afterwards. Sinks made by [Store.Sink] stay
// and keep their events.
func (s *Store) Reopen() {
	s.t.Helper()
	if err := s.DB.Close(); err != nil {
		s.t.Fatalf("tickwelltest: close: %v", err)
	}
	s.open()
}

// Advance moves the clock and waits until all that follows has been done:
// continuous queries have run and sinks have what they were sent, unless they
// failed and try again later: by the clock, so move it once more. How many tries
// fall into one Advance is not said: a sink may be so quick as to fail and fall
// due again while the clock still moves. The clock must be a [Clock].
func (s *Store) Advance(d time.Duration) {
	s.t.Helper()
	if s.Clock == nil {
		s.t.Fatalf("tickwelltest: the store has a clock of another kind (%T), which cannot be advanced", s.opts.Clock)
	}
	s.Clock.Advance(d)
	s.Wait()
}

// Wait waits until nothing is under way any more, see [tickwell.DB.Quiesce]. A
// sink that will try again when the clock has moved is not waited for.
func (s *Store) Wait() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.quiesce(ctx); err != nil {
		s.t.Fatalf("tickwelltest: the store does not come to rest: %v", err)
	}
}

// settle waits as Wait does, but leaves it to the caller to find out that
// something does not end, or that the store is closed.
func (s *Store) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.quiesce(ctx)
}

// quiesce takes a sink that waits for a clock that stands for one at rest.
func (s *Store) quiesce(ctx context.Context) error {
	if s.Clock != nil {
		ctx = deliver.UntilRest(ctx)
	}
	return s.DB.Quiesce(ctx)
}

// Put inserts a row at the time that the clock shows.
func (s *Store) Put(device string, fields ...tickwell.Field) {
	s.t.Helper()
	if err := s.DB.Insert(context.Background(), device, s.opts.Clock.Now(), fields...); err != nil {
		s.t.Fatalf("tickwelltest: %v", err)
	}
}

// Trigger creates a trigger.
func (s *Store) Trigger(spec tickwell.TriggerSpec) {
	s.t.Helper()
	if err := s.DB.CreateTrigger(context.Background(), spec); err != nil {
		s.t.Fatalf("tickwelltest: %v", err)
	}
}

// Sink returns the sink of a name, which records what it gets. It is added to
// the store when it is first asked for.
func (s *Store) Sink(name string) *Recorder {
	s.t.Helper()
	if r := s.sinks[name]; r != nil {
		return r
	}
	r := &Recorder{since: s.began, settle: s.settle}
	spec := tickwell.SinkSpec{Name: name, Sink: r}
	if err := s.DB.AddSink(context.Background(), spec); err != nil {
		s.t.Fatalf("tickwelltest: %v", err)
	}
	s.sinks[name], s.ownSpec = r, append(s.ownSpec, spec)
	return r
}

// RequireFired fails the test unless the trigger has been called n times since
// the store was made, calls that it had asked for with Wake included. Firings that
// are under way are waited for.
func (s *Store) RequireFired(trigger string, n int) {
	s.t.Helper()
	s.mu.Lock()
	early := len(s.fired[trigger]) < n
	s.mu.Unlock()
	if early {
		s.settle()
	}
	s.mu.Lock()
	got := len(s.fired[trigger])
	var names []string
	for name, all := range s.fired {
		names = append(names, fmt.Sprintf("%s %d times", name, len(all)))
	}
	s.mu.Unlock() // whyNot may call code of the test
	if got != n {
		slices.Sort(names)
		if len(names) == 0 {
			names = []string{"none"}
		}
		s.t.Fatalf("trigger %s fired %d times, want %d; fired: %s%s", trigger, got, n, strings.Join(names, ", "), s.whyNot(trigger))
	}
}

// whyNot says what is wrong with a trigger that cannot fire, if it can be told.
func (s *Store) whyNot(trigger string) string {
	for info := range s.DB.Triggers() {
		if info.Spec.Name != trigger {
			continue
		}
		if info.State != "ACTIVE" {
			return fmt.Sprintf("; it is %s: %v", info.State, info.Err)
		}
		if series, err := s.DB.ListSeries(context.Background(), info.Spec.Pattern); err == nil && info.Spec.Series == "" {
			for range series {
				return ""
			}
			return fmt.Sprintf("; its pattern %s matches no series: it is of whole paths, the measurement included", info.Spec.Pattern)
		}
		return ""
	}
	return "; there is no trigger of that name"
}

// RequireRan fails the test unless the continuous query has run over exactly
// these windows since the store was made, in this order, such as "+0s..+1m0s".
func (s *Store) RequireRan(query string, windows ...string) {
	s.t.Helper()
	s.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	requireLines(s.t, "continuous query "+query+" ran over", s.ran[query], windows)
}

// RequireWritten fails the test unless the series holds exactly these points in
// time order, such as "+6s 14".
func (s *Store) RequireWritten(path string, points ...string) {
	s.t.Helper()
	s.Wait()
	requireLines(s.t, "points of "+path, s.points(path), points)
}

func (s *Store) points(path string) []string {
	s.t.Helper()
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		s.t.Fatalf("tickwelltest: %q is not the path of a series", path)
	}
	// As a tablet, for the path may hold what an expression cannot name.
	r, err := s.DB.Query(context.Background(), tickwell.Query{From: []string{path[:i]}, AlignByDevice: true})
	if err != nil {
		s.t.Fatalf("tickwelltest: %v", err)
	}
	var out []string
	for row, err := range r.Rows() {
		if err != nil {
			s.t.Fatalf("tickwelltest: %v", err)
		}
		if v := row.Get(path[i+1:]); !v.IsNull() {
			out = append(out, s.since(row.Time())+" "+v.String())
		}
	}
	return out
}

// since writes t as the distance from the start of the test.
func (s *Store) since(t time.Time) string { return distance(s.began, t) }

func distance(from, t time.Time) string {
	if from.IsZero() {
		return t.UTC().Format(time.RFC3339Nano)
	}
	d := t.Sub(from)
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

// requireLines compares two lists and shows both where they differ.
func requireLines(t testing.TB, what string, got, want []string) {
	t.Helper()
	if slices.Equal(got, want) {
		return
	}
	var b strings.Builder
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g == w {
			fmt.Fprintf(&b, "\n   %s", g)
		} else {
			fmt.Fprintf(&b, "\n!  %s, want %s", g, w)
		}
	}
	t.Fatalf("%s:%s", what, b.String())
}
