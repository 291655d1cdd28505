package schedule

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// maxSleep bounds how long the scheduler trusts a wait: a wall clock that was
// set forward, or a machine that was suspended, delays no run for longer.
const maxSleep = time.Minute

// Run is one execution.
type Run struct {
	At       int64 // the instant on the grid; stays the same when the run is repeated
	From, To int64 // the range it covers
	Attempt  int   // 1 at first
}

// Task is something that runs by a plan, or every Period of monotonic time.
type Task struct {
	Name string
	Plan *Plan // nil: Period

	// Period of monotonic time from the task's start; steps of the wall clock
	// do not touch it. A period missed because the task still ran is left out.
	Period time.Duration

	// Last is the instant of the last successful run before a restart.
	HasLast bool
	Last    int64

	// Do carries out a run; it must end soon after its context does. Runs of
	// one task never overlap. An error repeats the same run later.
	Do func(ctx context.Context, r Run) error
	// Stepped, if set, is told of steps that skip executions or that follow a
	// wall clock that was set back.
	Stepped func(s Step)
}

// State is what a scheduler knows about a task.
type State struct {
	Name     string
	Next     int64 // instant of the next run, or of the current one; plan tasks only
	Ended    bool  // the plan has no further instant
	Running  bool
	Paused   bool
	Attempts int   // failed attempts of the next run
	Err      error // of the last attempt, nil after a success
	Runs     int64 // successful ones
	Failures int64
	Skipped  int64 // executions that will never run
	Last     int64 // instant of the last successful run
	HasLast  bool
}

// Scheduler runs tasks on a bounded number of goroutines that exist only while
// something runs. It is safe for concurrent use.
type Scheduler struct {
	clk     clock.Clock
	workers int
	group   *dispatch.Group

	mu      sync.Mutex
	closed  bool
	tasks   map[string]*entry
	list    []*entry // the same; read at every run
	running int
	changed chan struct{} // closed when a run has ended; nil: nobody waits
	timer   int           // which wake-up is the valid one
	stop    func() bool   // of that wake-up
	wakeAt  time.Duration // its monotonic time
}

type entry struct {
	Task
	state  State
	start  time.Duration // monotonic: Period's origin
	ready  time.Duration // monotonic: not before (retry, period)
	cancel context.CancelFunc
	poked  bool // by Poke, since its run began
	gone   bool
	set    int64         // the newest successful run of a clock that was set; 0: none
	idle   chan struct{} // closed when a removed task's run has ended
}

// NewScheduler returns a scheduler that runs at most workers tasks at a time.
func NewScheduler(clk clock.Clock, workers int) *Scheduler {
	return &Scheduler{
		clk: clk, workers: max(workers, 1),
		group: dispatch.NewGroup(clk, nil), tasks: make(map[string]*entry),
	}
}

// Add starts a task. It returns an error that wraps errs.Exists when the name
// is taken and errs.Closed after Close.
func (s *Scheduler) Add(t Task) error { return s.add(t, false) }

// AddPaused is Add for a task that waits for Resume.
func (s *Scheduler) AddPaused(t Task) error { return s.add(t, true) }

func (s *Scheduler) add(t Task, paused bool) error {
	if t.Do == nil || t.Plan == nil && t.Period <= 0 {
		return bad("schedule %s: a task needs a function and a plan or period", t.Name)
	}
	e := &entry{Task: t, start: s.clk.Mono()}
	e.state = State{Name: t.Name, Last: t.Last, HasLast: t.HasLast, Paused: paused}
	if t.Last >= ClockSet {
		e.set = t.Last
	}
	var step Step
	if t.Plan != nil {
		var ok bool
		now := s.clk.Now().UnixNano()
		if t.HasLast {
			step, ok = t.Plan.Resume(t.Last, now)
		} else {
			step.At, ok = t.Plan.First(now)
		}
		e.state.Next, e.state.Ended, e.state.Skipped = step.At, !ok, step.Skipped
	} else {
		e.ready = e.start + t.Period
	}
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return fmt.Errorf("schedule %s: %w", t.Name, errs.Closed)
	case s.tasks[t.Name] != nil:
		s.mu.Unlock()
		return fmt.Errorf("schedule %s: %w", t.Name, errs.Exists)
	}
	s.tasks[t.Name] = e
	s.list = append(s.list, e)
	s.mu.Unlock()
	e.tell(step)
	s.tick()
	return nil
}

// tell reports a step that is not the ordinary one.
func (e *entry) tell(step Step) {
	if e.Stepped != nil && (step.Skipped > 0 || step.Rewound) {
		_ = dispatch.Call(e.Name, func() error { e.Stepped(step); return nil })
	}
}

// Remove stops a task: its run, if any, is cancelled and waited for until ctx
// ends. Afterwards it does not run again. After an error it stays, and the run
// that was cut short is repeated. The error wraps errs.NotFound for an unknown
// name.
func (s *Scheduler) Remove(ctx context.Context, name string) error {
	s.mu.Lock()
	e := s.tasks[name]
	if e == nil {
		s.mu.Unlock()
		return fmt.Errorf("unschedule %s: %w", name, errs.NotFound)
	}
	delete(s.tasks, name)
	s.list = slices.DeleteFunc(s.list, func(o *entry) bool { return o == e })
	e.gone = true
	if !e.state.Running {
		s.mu.Unlock()
		return nil
	}
	e.idle = make(chan struct{})
	e.cancel()
	s.mu.Unlock()
	select {
	case <-e.idle:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !e.state.Running {
		return nil
	}
	if s.tasks[name] == nil {
		s.tasks[name] = e
		s.list = append(s.list, e)
		e.gone, e.idle = false, nil
	}
	return fmt.Errorf("unschedule %s: its run has not ended: %w", name, context.Cause(ctx))
}

// Pause keeps a task from starting further runs; Resume lets it go on, with
// what its policy says about those it missed.
func (s *Scheduler) Pause(name string) error { return s.setPaused(name, true) }

// Resume undoes Pause.
func (s *Scheduler) Resume(name string) error { return s.setPaused(name, false) }

func (s *Scheduler) setPaused(name string, paused bool) error {
	s.mu.Lock()
	e := s.tasks[name]
	if e == nil {
		s.mu.Unlock()
		return fmt.Errorf("pause or resume %s: %w", name, errs.NotFound)
	}
	e.state.Paused = paused
	s.mu.Unlock()
	s.tick()
	return nil
}

// Poke lets a task with a Period run once more after a delay, or earlier if its
// next run is due before. During a run it is about the one after.
func (s *Scheduler) Poke(name string, after time.Duration) {
	s.mu.Lock()
	e := s.tasks[name]
	if e == nil || e.Plan != nil {
		s.mu.Unlock()
		return
	}
	at := s.clk.Mono() + after
	if at >= e.ready {
		s.mu.Unlock()
		return
	}
	e.ready, e.poked = at, true
	s.mu.Unlock()
	s.tick()
}

// Tasks returns the state of all tasks, sorted by name.
func (s *Scheduler) Tasks() []State {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]State, 0, len(s.tasks))
	for _, e := range s.list {
		out = append(out, e.state)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Close stops all tasks, cancels their runs and waits for them, at most limit;
// then it returns a [*dispatch.StuckError] naming those that have not ended.
func (s *Scheduler) Close(limit time.Duration) error {
	s.mu.Lock()
	s.closed = true
	if s.stop != nil {
		s.stop()
	}
	s.timer++
	s.mu.Unlock()
	s.announce()
	return s.group.Close(limit)
}

// sameMoment bounds how far apart two readings of a clock may lie that count as
// one. Only a clock that is moved by hand, or a machine that slept, is beyond it.
const sameMoment = time.Millisecond

// read returns wall and monotonic time of one moment.
func (s *Scheduler) read() (now int64, mono time.Duration) {
	mono = s.clk.Mono()
	for {
		now = s.clk.Now().UnixNano()
		again := s.clk.Mono()
		if again-mono <= sameMoment {
			return now, again
		}
		mono = again
	}
}

// tick starts what is due and sets the next wake-up.
func (s *Scheduler) tick() {
	for {
		if _, ahead := s.look(""); ahead {
			return // else a wake-up that was set came due before it was set
		}
	}
}

// next is tick by a goroutine that has carried out a run of the task worker: it
// may go on with the run that is returned, which spares a goroutine whose stack
// has to grow first.
func (s *Scheduler) next(worker string) *job {
	j, ahead := s.look(worker)
	switch {
	case ahead:
	case j == nil:
		return s.next(worker)
	default:
		s.tick()
	}
	return j
}

// look is next, and reports whether the wake-up it set is still ahead. Without a
// worker every run gets a goroutine.
func (s *Scheduler) look(worker string) (mine *job, ahead bool) {
	type told struct {
		e    *entry
		step Step
	}
	var steps []told
	s.mu.Lock()
	now, mono := s.read()
	for _, e := range s.list {
		if e.Plan == nil || !e.waiting() || e.state.Next <= now {
			continue
		}
		if step := e.Plan.Wait(e.state.Next, now); step.Rewound {
			e.state.Next = step.At
			steps = append(steps, told{e, step})
		}
	}
	for s.running < s.workers && !s.closed {
		e := s.pick(now, mono)
		if e == nil {
			break
		}
		j := s.begin(e, mono)
		if mine != nil || worker == "" {
			s.launch(j)
			continue
		}
		mine = j
		s.group.Rename(worker, e.Name)
	}
	const never = time.Duration(math.MaxInt64)
	sleep := never
	for _, e := range s.list {
		if !e.waiting() {
			continue
		}
		if d := e.delay(now, mono); d > 0 { // due ones wait for a worker, which ticks
			sleep = min(sleep, d)
		}
	}
	ahead = sleep == never || s.arm(mono, sleep)
	s.mu.Unlock()
	for _, t := range steps {
		t.e.tell(t.step)
	}
	return mine, ahead
}

// waiting reports whether the task may start a run some time.
func (e *entry) waiting() bool {
	return !e.state.Running && !e.state.Paused && !e.state.Ended && !e.gone
}

// delay returns how long the task has to wait at least.
func (e *entry) delay(now int64, mono time.Duration) time.Duration {
	d := max(e.ready-mono, 0)
	if e.Plan != nil && e.state.Next > now {
		gap := uint64(e.state.Next) - uint64(now)
		d = max(d, time.Duration(min(gap, uint64(maxSleep))))
	}
	return d
}

// pick returns the task that has been due for the longest.
func (s *Scheduler) pick(now int64, mono time.Duration) *entry {
	var best *entry
	for _, e := range s.list {
		if !e.waiting() || e.delay(now, mono) > 0 {
			continue
		}
		if best == nil || e.before(best) {
			best = e
		}
	}
	return best
}

// before orders due tasks: periods first, they are short; then by instant.
func (e *entry) before(o *entry) bool {
	switch {
	case (e.Plan == nil) != (o.Plan == nil):
		return e.Plan == nil
	case e.Plan == nil && e.ready != o.ready:
		return e.ready < o.ready
	case e.Plan != nil && e.state.Next != o.state.Next:
		return e.state.Next < o.state.Next
	}
	return e.Name < o.Name
}

// job is a run that has begun.
type job struct {
	*entry
	run Run
	ctx context.Context
}

// begin takes the next run of e; somebody has to carry it out.
func (s *Scheduler) begin(e *entry, mono time.Duration) *job {
	j := &job{entry: e, run: Run{At: e.state.Next, Attempt: e.state.Attempts + 1}}
	if e.Plan != nil {
		j.run.From, j.run.To = e.Plan.Window(j.run.At)
	} else {
		e.ready = mono + e.Period - (mono-e.start)%e.Period
	}
	j.ctx, e.cancel = context.WithCancel(s.group.Context())
	e.state.Running, e.poked = true, false
	s.running++
	return j
}

// launch carries out j, and what is due then, on a goroutine of the group.
func (s *Scheduler) launch(j *job) {
	started := s.group.Go(j.Name, func(context.Context) error {
		name := j.Name
		defer func() { s.group.Rename(name, j.Name) }()
		for k := j; k != nil; k = s.carryOut(k) {
			name = k.Name
		}
		return nil
	})
	if !started { // the group closed in between
		j.state.Running = false
		s.running--
		j.cancel()
	}
}

// carryOut does a run and returns what its goroutine has to do next, if anything.
func (s *Scheduler) carryOut(j *job) (next *job) {
	returned := false
	defer func() {
		if !returned { // the goroutine ends here
			s.finish(j, &dispatch.GoexitError{Name: j.Name})
			s.tick()
			s.announce()
		}
	}()
	err := dispatch.Call(j.Name, func() error { return j.Do(j.ctx, j.run) })
	returned = true
	s.finish(j, err)
	next = s.next(j.Name)
	if next == nil {
		s.announce()
	}
	return next
}

// finish records a run.
func (s *Scheduler) finish(j *job, err error) {
	var step Step
	e := j.entry
	s.mu.Lock()
	e.cancel()
	e.state.Running = false
	s.running--
	e.state.Err = err
	now, mono := s.read()
	switch {
	case err != nil:
		e.state.Failures++
		e.state.Attempts++
		if e.Plan != nil {
			e.ready = mono + e.Plan.RetryDelay()
		}
	default:
		e.state.Runs++
		e.state.Attempts = 0
		if e.Plan != nil {
			e.ready = 0
			e.state.Last, e.state.HasLast = j.run.At, true
			var ok bool
			last := j.run.At
			if last >= ClockSet {
				e.set = last
			} else if now >= ClockSet && e.set != 0 { // the clock was not set for a while
				last = e.set
			}
			step, ok = e.Plan.After(last, now)
			e.state.Next, e.state.Ended = step.At, !ok
			e.state.Skipped += step.Skipped
		}
	}
	if e.Plan == nil && e.ready <= mono && !e.poked { // it ran for longer than its period
		e.ready = mono + e.Period - (mono-e.start)%e.Period
	}
	if e.idle != nil {
		close(e.idle)
	}
	s.mu.Unlock()
	e.tell(step)
}

// arm sets the wake-up, unless an earlier one is set already. It returns false
// if the clock went past it meanwhile.
func (s *Scheduler) arm(mono, sleep time.Duration) bool {
	if s.closed {
		return true
	}
	at := mono + sleep
	if s.stop != nil {
		if s.wakeAt <= at && s.wakeAt > mono {
			return true
		}
		s.stop()
	}
	s.wakeAt = at
	for {
		s.timer++
		id := s.timer
		s.stop = s.clk.AfterFunc(at-mono, func() {
			s.mu.Lock()
			valid := id == s.timer
			if valid {
				s.stop = nil
			}
			s.mu.Unlock()
			if valid {
				s.tick()
			}
		})
		// AfterFunc counted from when it looked at the clock, which may be later.
		again := s.clk.Mono()
		if again-mono <= sameMoment {
			return true
		}
		s.stop()
		if again >= at {
			s.stop = nil
			return false
		}
		mono = again
	}
}
