package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/dispatch"
)

// itemOverhead is what an item takes in memory beside its Size, about.
const itemOverhead = 512

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
		wall := l.cfg.Clock.Now()
		for _, it := range items {
			e := l.newEntry(it, now)
			e.waited = waited(time.Unix(0, it.Time), wall)
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

// clockSet is before any time that a clock which was set can have told.
var clockSet = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// waited is how long an event that was sent at a time has waited. It is nothing
// where the clock was set only since, as on a gateway that boots in 1970: how long
// that was nobody knows.
func waited(sent, now time.Time) time.Duration {
	if sent.Before(clockSet) && !now.Before(clockSet) {
		return 0
	}
	return now.Sub(sent)
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
	l.lost = l.lost || l.floor.Less(floor)
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
