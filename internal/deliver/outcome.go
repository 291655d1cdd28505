package deliver

import (
	"context"
	"errors"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// finish takes in what a job has done.
func (l *loop[E]) finish(ctx context.Context, j *job[E]) {
	l.inUse--
	l.sweep = true
	l.count(j)
	if ctx.Err() != nil && j.err != nil {
		j.class = Delivered // cut short by Close: says nothing about the target
	} else {
		l.judge(j)
	}
	if j.batch == nil {
		return
	}
	for _, e := range j.all {
		e.over = e.settled
	}
	l.release(j.all, j.rest)
	if len(j.rest) > 0 {
		l.retry(j)
	}
}

func (l *loop[E]) count(j *job[E]) {
	l.counted.Attempts += j.attempts
	l.counted.Delivered += j.delivered
	l.counted.Dead += j.dead
	l.tally.note(j.accepted, j.err != nil && !j.burial)
	for class, n := range j.dropped {
		l.counted.Dropped[class.String()] += n
	}
	var panicked *dispatch.PanicError
	if errors.As(j.err, &panicked) {
		l.counted.Panics++
	}
}

// judge draws the conclusions about the target.
func (l *loop[E]) judge(j *job[E]) {
	now := l.cfg.Clock.Mono()
	if j.burial {
		l.burials++
		l.pauseTil = max(l.pauseTil, now+l.backoff.wait(l.burials))
		l.failed(j.err)
		return
	}
	if j.dead > 0 {
		l.burials = 0
	}
	if j.answered {
		l.failures, l.closed, l.heads, l.breaker = 0, 0, 0, BreakerClosed
		l.counted.LastSuccess = l.cfg.Clock.Now()
	}
	if j.batch == nil && j.err == nil {
		// That it can be opened says nothing about attempts that failed before:
		// a target that takes connections and no events stays broken.
		l.needOpen, l.opened, l.closed = false, true, 0
		l.counted.LastSuccess = l.cfg.Clock.Now()
		if l.breaker = BreakerClosed; l.failures >= l.cfg.Options.BreakerAfter {
			l.breaker = BreakerOpen
		}
		return
	}
	if j.err == nil {
		return
	}
	l.failed(j.err)
	if j.class == ClassDisabled {
		l.disabled = true
		return
	}
	if j.batch == nil {
		l.closed++
	} else {
		l.failures++
		if head := j.rest[0].item.Pos; l.heads == 0 || head != l.head {
			l.head = head
			l.heads++
		}
	}
	failures := l.failures + l.closed
	if j.after > 0 {
		l.pauseTil = max(l.pauseTil, satAdd(now, j.after))
	}
	if j.class == ClassReconnect || j.batch == nil {
		l.needOpen = l.cfg.Open != nil
		l.pauseTil = max(l.pauseTil, now+l.backoff.wait(failures))
	}
	if failures >= l.cfg.Options.BreakerAfter {
		l.breaker = BreakerOpen
		l.pauseTil = max(l.pauseTil, now+l.backoff.wait(failures))
	}
	if j.batch == nil || l.breaker == BreakerOpen && l.heads >= stampHeads {
		l.stampAll(j.err)
	}
}

// stampHeads is how many different events must have failed, and none succeeded,
// before it is the target's fault and not that of one of them.
const stampHeads = 3

// stampAll counts a failed open, and an attempt after others have failed too, as
// an attempt of everything in memory, so that a target that can never be reached
// does not keep events for ever.
func (l *loop[E]) stampAll(err error) {
	mono, wall := l.cfg.Clock.Mono(), l.cfg.Clock.Now()
	stamp := func(e *entry[E]) {
		e.touch(mono, wall)
		e.err = err
	}
	for _, b := range l.pending {
		for _, e := range b.entries {
			stamp(e)
		}
	}
	for _, e := range l.fresh {
		stamp(e)
	}
}

// retry keeps what is left of a batch for later.
func (l *loop[E]) retry(j *job[E]) {
	b := j.batch
	progress := len(j.rest) < len(j.all)
	b.entries = j.rest
	if progress {
		b.failures = 0
	}
	if j.class == Delivered { // a burial round, or cut short
		l.pending = append(l.pending, b)
		return
	}
	if !j.burial {
		l.counted.Retries++
		b.failures++
		if j.class == ClassRetry || crashed(j.err) {
			l.suspect(b)
		}
	}
	b.notBefore = l.cfg.Clock.Mono() + l.backoff.wait(max(b.failures, 1))
	l.pending = append(l.pending, b)
}

// suspect looks for the event that a batch keeps failing for: it tries the
// batch in smaller pieces, and gives an event up that fails alone again and
// again while so many others get through that it is no chance.
func (l *loop[E]) suspect(b *batch[E]) {
	if e := b.entries[0]; b.chunk == 1 || len(b.entries) == 1 {
		e.alone.failed(&l.tally)
		l.witness(&e.alone)
		if e.alone.proven(&l.tally, l.cfg.Options.PoisonAttempts) {
			e.doomed = ClassPoison
		}
		l.isolate(b)
		for _, e := range b.entries[1:] {
			e.err = nil // it failed in bad company: it does not expire before it is tried by itself
		}
		return
	}
	if b.failures >= poisonAfter {
		b.chunk = (min(b.chunk, len(b.entries)) + 1) / 2
	}
}

// isolate lets those of a batch go on that need not wait for its first event,
// which fails alone: the ones with another key.
func (l *loop[E]) isolate(b *batch[E]) {
	first := b.entries[0]
	var same, others []*entry[E]
	for i, e := range b.entries {
		if i == 0 || first.ordered && e.ordered && e.key == first.key {
			same = append(same, e)
		} else {
			others = append(others, e)
		}
	}
	if len(others) > 0 {
		b.entries = same
		l.pending = append(l.pending, &batch[E]{entries: others, chunk: l.cfg.Options.BatchEvents, notBefore: l.cfg.Clock.Mono()})
	}
}
