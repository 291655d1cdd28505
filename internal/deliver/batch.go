package deliver

import "time"

// entry is an event in memory, from its fetch until everything before it is
// settled too.
type entry[E any] struct {
	item    Item[E]
	key     string
	ordered bool // key matters
	size    int
	fetched time.Duration // monotonic
	waited  time.Duration // until then by the wall clock; negative: that was wrong

	over     bool // settled, as the loop knows
	settled  bool // as the job that has the entry knows
	attempts int
	first    time.Duration // monotonic time of the first attempt, if tried
	tried    bool
	firstAt  time.Time
	lastAt   time.Time
	err      error // of the last attempt
	doomed   Class // not Delivered: to be given up for err
	alone    suspicion
}

// batch is a set of events that are attempted together and, until they are
// settled, own their keys.
type batch[E any] struct {
	entries   []*entry[E]
	chunk     int // most events in one attempt
	failures  int // consecutive, without progress
	notBefore time.Duration
}

// poisonAfter is the number of failures after which a batch is tried in ever
// smaller pieces, in case it is one of its events that the target chokes on.
const poisonAfter = 3

// form takes up to a batch of fresh events whose keys are free, in order, or
// returns nil when there are not enough of them yet. due is when there will be
// by lingering.
func (l *loop[E]) form(now time.Duration, hurry bool) (b *batch[E], due time.Duration, ok bool) {
	var picked []*entry[E]
	bytes, full := 0, false
	for _, e := range l.fresh {
		if e.ordered && l.busy[e.key] {
			continue
		}
		if len(picked) > 0 && bytes+e.size > l.cfg.Options.BatchBytes {
			full = true
			break
		}
		picked = append(picked, e)
		bytes += e.size
		if len(picked) == l.cfg.Options.BatchEvents {
			full = true
			break
		}
	}
	if len(picked) == 0 {
		return nil, 0, false
	}
	if due := picked[0].fetched + l.cfg.Options.Linger; !full && !hurry && now < due {
		return nil, due, true
	}
	return l.claim(picked), 0, true
}

// claim makes a batch of fresh entries.
func (l *loop[E]) claim(picked []*entry[E]) *batch[E] {
	taken := 0
	kept := l.fresh[:0]
	for _, e := range l.fresh {
		if taken < len(picked) && e == picked[taken] {
			taken++
			if e.ordered {
				l.busy[e.key] = true
			}
			continue
		}
		kept = append(kept, e)
	}
	clear(l.fresh[len(kept):])
	l.fresh = kept
	return &batch[E]{entries: picked, chunk: l.cfg.Options.BatchEvents}
}

// release frees the keys of a batch and claims those of what is left of it.
func (l *loop[E]) release(all, rest []*entry[E]) {
	for _, e := range all {
		if e.ordered {
			delete(l.busy, e.key)
		}
	}
	for _, e := range rest {
		if e.ordered {
			l.busy[e.key] = true
		}
	}
}

// expired reports whether an event that has failed is to be given up.
func (e *entry[E]) expired(o *Options, mono time.Duration, wall time.Time) bool {
	if !e.tried || e.err == nil || e.settled || e.doomed != Delivered {
		return false
	}
	if o.MaxElapsed > 0 && mono-e.first >= o.MaxElapsed {
		return true
	}
	// Age needs the wall clock, which may have jumped: hence only after a
	// failed attempt, never unheard.
	return o.MaxAge > 0 && e.item.Time != 0 && e.age(mono, wall) >= o.MaxAge
}

// age is how long an event has waited. The wall clock is asked as rarely as can be:
// an event of a machine that begins in 1970 is not old when it learns the time.
func (e *entry[E]) age(mono time.Duration, wall time.Time) time.Duration {
	if e.waited >= 0 {
		return e.waited + mono - e.fetched
	}
	return max(mono-e.fetched, wall.Sub(time.Unix(0, e.item.Time)))
}

// touch notes the beginning of an attempt.
func (e *entry[E]) touch(mono time.Duration, wall time.Time) {
	if !e.tried {
		e.tried, e.first, e.firstAt = true, mono, wall
	}
	e.lastAt = wall
}
