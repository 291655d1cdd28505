package deliver

import (
	"context"
	"errors"
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
	bytes   int // in the window, about
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

// itemOverhead is what an item takes in memory beside its Size, about.
const itemOverhead = 512

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
		l.answerFlushes() // whoever has waited sees the counters of what they waited for
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

// fetch fills the window.
func (l *loop[E]) fetch(ctx context.Context) time.Duration {
	now := l.cfg.Clock.Mono()
	for l.more && (!l.full() || l.grant > 0) {
		if now < l.fetchAt {
			return l.fetchAt
		}
		room := l.cfg.Options.Window - len(l.window)
		if l.full() {
			room = l.grant
		}
		var items []Item[E]
		err := dispatch.Call(l.cfg.Name, func() (err error) {
			items, err = l.cfg.Source.Next(ctx, l.fetched, room)
			return err
		})
		if err != nil {
			l.badIO++
			l.fetchAt = now + l.backoff.wait(l.badIO)
			l.failed(err)
			return l.fetchAt
		}
		l.badIO = 0
		l.more = len(items) > 0
		l.grant = 0
		for _, it := range items {
			e := l.newEntry(it, now)
			l.window = append(l.window, e)
			l.bytes += it.Size + itemOverhead
			l.fetched = it.Pos
			if it.Lost != nil {
				e.over = true
				l.counted.Dropped[Damaged]++
				l.failed(it.Lost)
				continue
			}
			l.fresh = append(l.fresh, e)
		}
		l.counted.Received += int64(len(items))
	}
	return never
}

// full reports whether no more events are to be read.
func (l *loop[E]) full() bool {
	return len(l.window) >= l.cfg.Options.Window || l.bytes >= l.cfg.Options.WindowBytes && len(l.window) > 0
}

// witness lets one event more be read than there is room for when one that fails
// by itself holds the window up, because only others that get through can tell
// whose fault that is. None is while nothing gets through at all, and at most an
// eighth of the window.
func (l *loop[E]) witness(s *suspicion) {
	if !l.full() {
		l.granted = 0
		return
	}
	if l.tally.accepted > s.since.accepted && l.granted < max(l.cfg.Options.Window/8, 16) {
		l.granted++
		l.grant, l.more = 1, true
	}
}

// newEntry asks the user's functions about an event. One that panics leaves
// the event in the common order with size 0.
func (l *loop[E]) newEntry(it Item[E], now time.Duration) *entry[E] {
	e := &entry[E]{item: it, ordered: true, size: it.Size, fetched: now}
	if it.Lost != nil {
		return e
	}
	_ = dispatch.Call(l.cfg.Name, func() error {
		if l.cfg.Key != nil {
			e.key = l.cfg.Key(it.Event)
			e.ordered = e.key != ""
		}
		if l.cfg.Size != nil {
			e.size = l.cfg.Size(it.Event)
		}
		return nil
	})
	return e
}

// ack moves the source's position past the settled beginning of the window.
func (l *loop[E]) ack(ctx context.Context) time.Duration {
	n := 0
	for n < len(l.window) && l.window[n].over {
		n++
	}
	if n == 0 {
		return never
	}
	now := l.cfg.Clock.Mono()
	if now < l.ackAt {
		return l.ackAt
	}
	upTo := l.window[n-1].item.Pos
	err := dispatch.Call(l.cfg.Name, func() error { return l.cfg.Source.Ack(ctx, upTo) })
	if err != nil {
		l.badIO++
		l.ackAt = now + l.backoff.wait(l.badIO)
		l.failed(err)
		return l.ackAt
	}
	l.badIO, l.acked = 0, upTo
	for _, e := range l.window[:n] {
		l.bytes -= e.item.Size + itemOverhead
	}
	l.window = slices.Delete(l.window, 0, n)
	return never
}

// discard gives up events in memory that the source has dropped meanwhile. Those
// that are being attempted may still be delivered.
func (l *loop[E]) discard() {
	floor := l.cfg.Source.Floor()
	if !l.floor.Less(floor) && !l.sweep {
		return
	}
	l.floor, l.sweep = floor, false
	gone := func(e *entry[E]) bool {
		if floor.Less(e.item.Pos) {
			return false
		}
		e.over = true
		l.counted.Dropped[FullQueue]++
		return true
	}
	l.fresh = slices.DeleteFunc(l.fresh, gone)
	l.pending = slices.DeleteFunc(l.pending, func(b *batch[E]) bool {
		all := slices.Clone(b.entries)
		b.entries = slices.DeleteFunc(b.entries, gone)
		if len(b.entries) < len(all) {
			l.release(all, b.entries)
		}
		return len(b.entries) == 0
	})
}

// answerFlushes tells those who wait that their events are settled.
func (l *loop[E]) answerFlushes() {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	l.p.waiters = slices.DeleteFunc(l.p.waiters, func(w *flushWaiter) bool {
		if l.disabled {
			w.done <- errSuspended
			return true
		}
		if w.seen && !w.fixed && !l.more { // one that came during this step waits for the next
			w.target, w.fixed = l.fetched, true
		}
		if w.fixed && !l.acked.Less(w.target) {
			w.done <- nil
			return true
		}
		return false
	})
}

// expire gives up events in batches that may not be attempted now. Those that
// are attempted look for themselves.
func (l *loop[E]) expire(ctx context.Context) time.Duration {
	now := l.cfg.Clock.Mono()
	if l.disabled || l.inUse >= l.cfg.Options.InFlight || l.burials > 0 && now < l.pauseTil {
		return never
	}
	wall := l.cfg.Clock.Now()
	old := func(e *entry[E]) bool { return e.expired(&l.cfg.Options, now, wall) }
	for i := 0; i < len(l.pending) && l.inUse < l.cfg.Options.InFlight; i++ {
		if b := l.pending[i]; slices.ContainsFunc(b.entries, old) {
			l.pending = slices.Delete(l.pending, i, i+1)
			i--
			if !l.start(ctx, b, true) {
				return never
			}
		}
	}
	var picked []*entry[E]
	for _, e := range l.fresh {
		if len(picked) < l.cfg.Options.BatchEvents && old(e) && !(e.ordered && l.busy[e.key]) {
			picked = append(picked, e)
		}
	}
	if len(picked) > 0 && l.inUse < l.cfg.Options.InFlight {
		l.start(ctx, l.claim(picked), true)
	}
	if l.failures+l.closed > 0 && (l.cfg.Options.MaxElapsed > 0 || l.cfg.Options.MaxAge > 0) {
		return now + time.Minute // look again, however long the back-off
	}
	return never
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
	settled := l.counted.Delivered + l.counted.Dead
	for _, n := range l.counted.Dropped {
		settled += n
	}
	l.p.mu.Lock()
	l.p.pace.note(l.cfg.Clock.Mono(), settled)
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
