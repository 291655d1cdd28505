package deliver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// Pipeline carries the events of one sink. It has its own goroutines and its
// own bounds, so a slow sink does not touch another. Its methods are safe for
// concurrent use.
type Pipeline[E any] struct {
	cfg     Config[E]
	group   *dispatch.Group
	results chan *job[E]
	poke    chan struct{} // something for the loop to look at; buffer of one

	mu      sync.Mutex
	started bool
	enable  bool
	waiters []*flushWaiter
	stats   Stats
	pace    pace
	stopped bool // the loop has ended
}

type flushWaiter struct {
	seen   bool // the loop reads the source once more for it
	target Pos
	fixed  bool // target is known: the source was read to its end
	rest   bool // see UntilRest
	done   chan error
}

type restKey struct{}

// UntilRest returns a context with which Flush returns too when nothing goes on
// before the clock does: for tests, whose clock moves only when they are back.
func UntilRest(ctx context.Context) context.Context {
	return context.WithValue(ctx, restKey{}, true)
}

// New checks the configuration and returns a pipeline that does nothing until
// Start.
func New[E any](cfg Config[E]) (*Pipeline[E], error) {
	switch {
	case cfg.Handle == nil:
		return nil, fmt.Errorf("sink %s: %w: no handle function", cfg.Name, errs.BadInput)
	case cfg.Source == nil:
		return nil, fmt.Errorf("sink %s: %w: no source", cfg.Name, errs.BadInput)
	case cfg.Clock == nil:
		return nil, fmt.Errorf("sink %s: %w: no clock", cfg.Name, errs.BadInput)
	}
	cfg.Options.fill()
	p := &Pipeline[E]{cfg: cfg, poke: make(chan struct{}, 1)}
	p.group = dispatch.NewGroup(cfg.Clock, p.broken)
	p.results = make(chan *job[E], cfg.Options.InFlight+1) // a job never waits to report
	p.stats = Stats{Acked: cfg.From, Since: cfg.Clock.Now()}
	return p, nil
}

// Start begins to deliver. It does not wait for the target.
func (p *Pipeline[E]) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.started {
		return fmt.Errorf("start sink %s: %w", p.cfg.Name, errs.Exists)
	}
	l := newLoop(p)
	if !p.group.Go(p.loopName(), l.run) {
		return fmt.Errorf("start sink %s: %w", p.cfg.Name, errs.Closed)
	}
	p.started = true
	return nil
}

// broken is told that the loop has panicked, a fault of ours: nothing is delivered any
// more before the next start, and nobody shall wait for it.
func (p *Pipeline[E]) broken(name string, err error) {
	if name != p.loopName() {
		return // a handler has ended its goroutine
	}
	cause := p.scrub(err)
	p.mu.Lock()
	p.stats.Health, p.stats.Since, p.stats.LastError, p.stopped = Stopped, p.cfg.Clock.Now(), cause, true
	for _, w := range p.waiters {
		w.done <- err
	}
	p.waiters = nil
	p.mu.Unlock()
	if p.cfg.OnHealth != nil {
		p.cfg.OnHealth(Failing, cause)
		p.cfg.OnHealth(Stopped, cause)
	}
}

func (p *Pipeline[E]) loopName() string { return "sink " + p.cfg.Name }

// Enable lets a sink that was disabled by its target go on; the handler is
// opened again.
func (p *Pipeline[E]) Enable() {
	p.mu.Lock()
	p.enable = true
	p.mu.Unlock()
	p.wake()
}

func (p *Pipeline[E]) wake() {
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// errSuspended is what waiters of a disabled sink get.
var errSuspended = errors.New("disabled by its target")

// Flush waits until every event that was queued before the call is settled,
// without lingering for more. It fails when ctx ends, when the sink is
// disabled and when it is closed.
func (p *Pipeline[E]) Flush(ctx context.Context) error {
	w := &flushWaiter{rest: ctx.Value(restKey{}) != nil, done: make(chan error, 1)}
	p.mu.Lock()
	if p.stopped || !p.started {
		p.mu.Unlock()
		return fmt.Errorf("flush sink %s: %w", p.cfg.Name, errs.Closed)
	}
	p.waiters = append(p.waiters, w)
	p.mu.Unlock()
	p.wake()
	var err error
	select {
	case err = <-w.done:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		n, noun := p.cfg.Source.Backlog(), "events"
		if n == 1 {
			noun = "event"
		}
		return fmt.Errorf("flush sink %s: %d %s left in its queue: %w", p.cfg.Name, n, noun, err)
	}
	return nil
}

// Shutdown delivers what is queued until ctx ends, then closes the pipeline.
// The error says how many events stay in the durable queue; they are delivered
// after the next start.
func (p *Pipeline[E]) Shutdown(ctx context.Context) error {
	p.mu.Lock()
	started := p.started
	p.mu.Unlock()
	var err error
	if started {
		err = p.Flush(ctx)
	}
	return errs.Join(err, p.Close(2*p.cfg.Options.AttemptTimeout))
}

// Close cancels attempts under way, waits for them and closes the handler, all
// within limit; otherwise it returns a [*dispatch.StuckError] that names what
// is stuck. Undelivered events stay in the queue.
func (p *Pipeline[E]) Close(limit time.Duration) error {
	err := p.group.Close(limit)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.started && p.stats.Health != Stopped {
		p.stats.Health, p.stats.Since = Stopped, p.cfg.Clock.Now()
	}
	return err
}

// Stats returns the counters and the state.
func (p *Pipeline[E]) Stats() Stats {
	backlog, lost := p.cfg.Source.Backlog(), p.cfg.Source.Dropped()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	backlog = max(backlog-s.Behind, 0)
	s.Backlog, s.Drain = backlog, p.pace.drain(p.cfg.Clock.Mono(), backlog)
	s.Dropped = make(map[string]int64, len(p.stats.Dropped)+len(lost))
	for reason, n := range p.stats.Dropped {
		s.Dropped[reason] += n
	}
	for reason, n := range lost {
		s.Dropped[reason] += n
	}
	return s
}

// maxText is the most bytes of an error's text that are kept: some hold all that
// a target answered, and a dead letter has to fit into a log record.
const maxText = 4 << 10

// scrub renders an error without secrets; a scrubber that fails yields the
// error's type only, never its text.
func (p *Pipeline[E]) scrub(err error) string {
	if err == nil {
		return ""
	}
	text := fmt.Sprintf("%T", err)
	_ = dispatch.Call(p.cfg.Name, func() error {
		if p.cfg.Scrub != nil {
			text = p.cfg.Scrub(err)
		} else {
			text = err.Error()
		}
		return nil
	})
	if len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
