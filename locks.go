package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
)

// A ticket serialises a stateful trigger. It is granted in the order of arrival
// and belongs to an activity, which may take it again: its insertions fire one
// after the other, in log order, anyway.
type ticket struct {
	name   string
	holder *activity
	n      int // how often the holder has taken it
	queue  []*ticketWait
}

type ticketWait struct {
	ticket  *ticket
	act     *activity
	in      *insertion // may be told to give back what it can and begin again; nil: may not
	told    bool       // and was
	granted chan struct{}
}

// locks guards all tickets of a store, so that who waits for whom can be seen.
// Nothing else happens while mu is held.
type locks struct{ mu sync.Mutex }

// errRestart says that a deadlock was avoided at the caller's cost, who holds
// tickets but has not fired anything: give them back and take them again.
var errRestart = errors.New("take the tickets again")

// lock waits for t. A wait that would never end, because t's holder waits,
// directly or not, for what act holds, is refused: to whoever in the ring can give
// back what the one before it waits for, as in of the caller may unless it is nil,
// or else to the last to come, which is the caller. Rings that lead
// through user code, which may wait for a write of its own, cannot be seen;
// waiting is therefore called when there is a wait, and what it returns after it.
func (l *locks) lock(ctx, life context.Context, t *ticket, act *activity, in *insertion, waiting func() (over func() bool)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.mu.Lock()
	if t.n == 0 || t.holder == act {
		t.holder = act
		t.n++
		l.mu.Unlock()
		return nil
	}
	w := &ticketWait{ticket: t, act: act, in: in, granted: make(chan struct{})}
	t.queue = append(t.queue, w)
	act.waits = append(act.waits, w)
	if err := l.avoid(w); err != nil {
		l.mu.Unlock()
		return err
	}
	l.mu.Unlock()

	defer waiting()()
	var err error
	select {
	case <-w.granted:
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-life.Done():
		err = errs.Closed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.told {
		return errRestart
	}
	if err != nil && !l.drop(w) { // granted in the meantime: pass it on
		l.release(t)
	}
	return err
}

// avoid looks for a ring that w closes and breaks it: at w if that does it. Who
// gives back other tickets than the one that the ring is made of would take them
// again and find the same ring, for ever.
func (l *locks) avoid(w *ticketWait) error {
	for {
		ring := ringFrom(w, w.act, nil)
		if ring == nil {
			return nil
		}
		before := ring[len(ring)-1]
		i := slices.IndexFunc(ring, func(o *ticketWait) bool {
			t := before.ticket
			before = o
			return o.in != nil && o.in.canGive(t)
		})
		if i == 0 {
			l.drop(w)
			return errRestart
		}
		if i < 0 {
			l.drop(w)
			var names []string
			for _, o := range ring {
				names = append(names, o.ticket.name)
			}
			return fmt.Errorf("stateful triggers %s write into each other's patterns and would wait for each other: %w", strings.Join(names, ", "), errs.Reentrant)
		}
		ring[i].told = true
		l.drop(ring[i])
		close(ring[i].granted)
	}
}

// ringFrom returns the waits on a way from w back to act, nil if there is none:
// each waits for what the next holds, and the last for what act does.
func ringFrom(w *ticketWait, act *activity, path []*ticketWait) []*ticketWait {
	if slices.Contains(path, w) {
		return nil
	}
	path = append(path, w)
	if w.ticket.holder == act {
		return path
	}
	for _, next := range w.ticket.holder.waits {
		if ring := ringFrom(next, act, path); ring != nil {
			return ring
		}
	}
	return nil
}

// drop takes w out of its queue and reports whether it was still in it.
func (l *locks) drop(w *ticketWait) bool {
	i := slices.Index(w.ticket.queue, w)
	if i < 0 {
		return false
	}
	w.ticket.queue = slices.Delete(w.ticket.queue, i, i+1)
	w.act.forget(w)
	return true
}

// longWait is how long an insert waits for a stateful trigger before the log is
// told.
const longWait = 10 * time.Second

// warnOfWait tells the log if a wait for tr is long, until over is called. The
// trigger may be slow; or it writes through another context than its own, so that
// it is not known that it waits for itself.
func (db *DB) warnOfWait(tr *trigger, what string) (over func() bool) {
	return db.clock.AfterFunc(longWait, func() {
		db.log.Warn("an insert waits for a stateful trigger: it is slow, or it, or one that it waits for, writes with another context than it was given and so waits for itself",
			"trigger", tr.spec.Name, "insert", what, "waited", longWait)
	})
}

func (a *activity) forget(w *ticketWait) {
	a.waits = slices.DeleteFunc(a.waits, func(o *ticketWait) bool { return o == w })
}

func (l *locks) unlock(t *ticket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release(t)
}

func (l *locks) release(t *ticket) {
	if t.n--; t.n > 0 {
		return
	}
	t.holder = nil
	if len(t.queue) == 0 {
		return
	}
	w := t.queue[0]
	t.queue = slices.Delete(t.queue, 0, 1)
	w.act.forget(w)
	t.holder, t.n = w.act, 1
	close(w.granted)
}
