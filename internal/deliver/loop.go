package deliver

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
	"github.com/tickwell/tickwell/internal/errs"
)

// loop is the one goroutine that owns a pipeline's state: what is in memory,
// who retries when, what the breaker says. Everything that may block on the
// outside runs in jobs.
type loop[E any] struct {
	p   *Pipeline[E]
	cfg *Config[E]

	window  []*entry[E] // fetched and not acknowledged, in order
	fresh   []*entry[E] // of them: never attempted, in order
	pending []*batch[E] // to be retried
	busy    map[string]bool
	inUse   int // jobs running

	fetched Pos
	acked   Pos // told to the source
	floor   Pos // up to which the source has dropped events
	sweep   bool
	lost    bool // OnFull is to be told that the floor has moved
	bytes   int  // in the window, about
	more    bool
	fetchAt time.Duration // not before, after a failed Next
	ackAt   time.Duration // not before, after a failed Ack
	badIO   int           // consecutive failures of Next and Ack

	backoff  backoff
	failures int // consecutive, of attempts
	closed   int // consecutive failures to open
	head     Pos // of the first event of the last attempt that failed
	heads    int // different ones since the target last answered
	pauseTil time.Duration
	breaker  Breaker
	needOpen bool
	opened   bool // once; so Close has something to close
	disabled bool
	burials  int // consecutive failures of the dead letter
	tally    tally
	grant    int // events that may be read though the window is full
	granted  int // since it was not

	hurry   bool // somebody flushes
	wakeAt  time.Duration
	unarm   func() bool
	timer   chan struct{}
	counted Stats // this goroutine's copy
}

const never = time.Duration(math.MaxInt64)

func newLoop[E any](p *Pipeline[E]) *loop[E] {
	l := &loop[E]{
		p: p, cfg: &p.cfg, busy: make(map[string]bool), fetched: p.cfg.From, acked: p.cfg.From,
		more: true, needOpen: p.cfg.Open != nil, opened: p.cfg.Open == nil,
		backoff: newBackoff(&p.cfg.Options, p.cfg.Seed), timer: make(chan struct{}, 1), counted: p.stats,
	}
	l.counted.Dropped = make(map[string]int64)
	return l
}

// run is the loop. It ends when ctx does.
func (l *loop[E]) run(ctx context.Context) error {
	notify := l.cfg.Source.Notify()
	for ctx.Err() == nil {
		due := l.step(ctx)
		l.publish()
		l.answerFlushes(due) // whoever has waited sees the counters of what they waited for
		l.arm(due)
		select {
		case <-ctx.Done():
		case _, open := <-notify:
			l.more = true
			if !open {
				notify = nil
			}
		case j := <-l.p.results:
			l.finish(ctx, j)
		case <-l.p.poke:
		case <-l.timer:
		}
	}
	l.end(ctx)
	return nil
}

// step does whatever can be done now and returns when something else can.
func (l *loop[E]) step(ctx context.Context) (due time.Duration) {
	l.commands()
	l.discard()
	due = l.ack(ctx)
	due = min(due, l.fetch(ctx))
	due = min(due, l.expire(ctx))
	return min(due, l.launch(ctx))
}

// commands takes what other goroutines have asked for.
func (l *loop[E]) commands() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	if l.p.enable && l.disabled {
		l.disabled, l.needOpen = false, l.cfg.Open != nil
		l.failures, l.closed, l.pauseTil, l.breaker = 0, 0, 0, BreakerClosed
		for _, b := range l.pending {
			b.notBefore = 0
		}
	}
	l.p.enable = false
	l.hurry = len(l.p.waiters) > 0
	if l.hurry {
		for _, w := range l.p.waiters {
			l.more = l.more || !w.fixed
			w.seen = true
		}
	}
}

// answerFlushes tells those who wait that their events are settled, or that
// nothing more happens before due.
func (l *loop[E]) answerFlushes(due time.Duration) {
	resting := l.disabled || l.inUse == 0 && due < never && due > l.cfg.Clock.Mono()
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.waiters = slices.DeleteFunc(l.p.waiters, func(w *flushWaiter) bool {
		if !w.seen { // it came during this step, and waits for the next
			return false
		}
		if w.rest && resting {
			w.done <- nil
			return true
		}
		if l.disabled {
			w.done <- errSuspended
			return true
		}
		if !w.fixed && !l.more {
			w.target, w.fixed = l.fetched, true
		}
		if w.fixed && !l.acked.Less(w.target) {
			w.done <- nil
			return true
		}
		return false
	})
}

// launch starts the attempts that are possible and returns when the next is.
func (l *loop[E]) launch(ctx context.Context) (due time.Duration) {
	if l.disabled {
		return never
	}
	for {
		now := l.cfg.Clock.Mono()
		if now < l.pauseTil {
			return l.pauseTil
		}
		limit := l.cfg.Options.InFlight
		if l.breaker != BreakerClosed || l.needOpen {
			limit = 1
		}
		if l.inUse >= limit {
			return never // a job's end comes first
		}
		if l.needOpen {
			l.probe()
			l.start(ctx, nil, false)
			return never
		}
		b, next := l.nextBatch(now)
		if b == nil {
			return next
		}
		l.probe()
		if !l.start(ctx, b, false) {
			return never // closing: the batch stays where it was
		}
	}
}

// probe marks the one attempt that is let through an open breaker.
func (l *loop[E]) probe() {
	if l.breaker == BreakerOpen {
		l.breaker = BreakerProbe
	}
}

// nextBatch returns the retry that has been due for the longest, or a fresh
// batch, or when there will be one.
func (l *loop[E]) nextBatch(now time.Duration) (*batch[E], time.Duration) {
	due, best := never, -1
	for i, b := range l.pending {
		if b.notBefore < due {
			due, best = b.notBefore, i
		}
	}
	if best >= 0 && due <= now {
		b := l.pending[best]
		l.pending = slices.Delete(l.pending, best, best+1)
		return b, 0
	}
	b, lingers, ok := l.form(now, l.hurry)
	if ok && b == nil {
		due = min(due, lingers)
	}
	return b, due
}

// start runs a job, an open when b is nil, and reports whether it could: not
// while the pipeline closes.
func (l *loop[E]) start(ctx context.Context, b *batch[E], buryOnly bool) bool {
	j := &job[E]{p: l.p, batch: b, buryOnly: buryOnly}
	name := "open sink " + l.cfg.Name
	if b != nil {
		j.all, j.rest = b.entries, b.entries
		name = "handle of sink " + l.cfg.Name
	} else {
		l.counted.Opens++
	}
	l.inUse++
	if !l.p.group.Go(name, j.run) { // closing
		l.inUse--
		if b != nil {
			l.pending = append(l.pending, b)
		}
		return false
	}
	return true
}

func (l *loop[E]) failed(err error) {
	l.counted.LastError = l.p.scrub(err)
	l.counted.LastErrorAt = l.cfg.Clock.Now()
}

func (l *loop[E]) health() Health {
	switch {
	case l.disabled:
		return Suspended
	case l.breaker != BreakerClosed || l.burials > 0:
		return Failing
	case l.failures+l.closed > 0 || l.badIO > 0:
		return Degraded
	case !l.opened:
		return Starting
	}
	return OK
}

// publish makes the loop's counters visible.
func (l *loop[E]) publish() {
	if l.health() == OK {
		l.counted.LastError = ""
	}
	l.set(l.health())
	if l.lost && l.cfg.OnFull != nil {
		n := l.counted.Dropped[FullQueue] + l.cfg.Source.Dropped()[FullQueue]
		_ = dispatch.Call(l.cfg.Name, func() error { l.cfg.OnFull(n); return nil })
	}
	l.lost = false
}

func (l *loop[E]) set(h Health) {
	changed := h != l.counted.Health
	if changed {
		l.counted.Health, l.counted.Since = h, l.cfg.Clock.Now()
	}
	l.counted.Held, l.counted.InFlight = len(l.window), l.inUse
	if l.needOpen && l.inUse > 0 {
		l.counted.InFlight = 0
	}
	l.counted.Acked, l.counted.Breaker = l.acked, l.breaker
	l.counted.Oldest = 0
	if i := slices.IndexFunc(l.window, func(e *entry[E]) bool { return !e.over }); i >= 0 {
		l.counted.Oldest = l.window[i].item.Time
	}
	l.counted.Behind = 0
	for _, e := range l.window {
		switch kept := l.floor.Less(e.item.Pos); {
		case e.over && kept:
			l.counted.Behind++
		case !e.over && !kept: // it is being attempted, and may still be delivered
			l.counted.Behind--
		}
	}
	l.p.mu.Lock()
	l.p.pace.note(l.cfg.Clock.Mono(), l.counted.Delivered+l.counted.Dead) // what is dropped did not come through
	l.p.stats = l.counted
	l.p.stats.Dropped = make(map[string]int64, len(l.counted.Dropped))
	maps.Copy(l.p.stats.Dropped, l.counted.Dropped)
	l.p.mu.Unlock()
	if changed && l.cfg.OnHealth != nil {
		cause := l.counted.LastError
		_ = dispatch.Call(l.cfg.Name, func() error { l.cfg.OnHealth(h, cause); return nil })
	}
}

// arm sets the timer for the next thing that is due.
func (l *loop[E]) arm(due time.Duration) {
	if due == l.wakeAt && l.unarm != nil && due > l.cfg.Clock.Mono() {
		return
	}
	if l.unarm != nil {
		l.unarm()
		l.unarm = nil
	}
	if due == never {
		return
	}
	l.wakeAt = due
	timer := l.timer
	l.unarm = l.cfg.Clock.AfterFunc(max(due-l.cfg.Clock.Mono(), 0), func() {
		select {
		case timer <- struct{}{}:
		default:
		}
	})
}

// end waits for the jobs, acknowledges what they settled and closes the
// handler.
func (l *loop[E]) end(ctx context.Context) {
	if l.unarm != nil {
		l.unarm()
	}
	for l.inUse > 0 {
		l.finish(ctx, <-l.p.results)
	}
	last := context.WithoutCancel(ctx)
	l.ackAt = 0
	l.ack(last)
	if l.opened && l.cfg.Close != nil {
		if err := l.p.bounded(last, l.cfg.Close); err != nil {
			l.failed(err)
		}
	}
	l.set(Stopped)
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.stopped = true
	for _, w := range l.p.waiters {
		w.done <- errs.Closed
	}
	l.p.waiters = nil
}

func satAdd(a, b time.Duration) time.Duration {
	if a > never-b {
		return never
	}
	return a + b
}
