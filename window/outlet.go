package window

import (
	"context"
	"sync/atomic"
)

// outlet is the way from a reduction to its evaluator: a call, or the queue of
// a pool, behind the gate if a clock is in play.
type outlet[E any] struct {
	eval   func(E) error
	lane   *lane[E] // nil: no pool
	gate   *gate[E] // nil: one goroutine
	busy   *bool
	onErr  func(error)
	failed atomic.Uint64
}

func newOutlet[T, E any](o *Options[T], busy *bool, eval func(E) error) *outlet[E] {
	out := &outlet[E]{eval: eval, busy: busy, onErr: o.OnError}
	if o.Pool != nil {
		out.lane = newLane[E](o.Pool, o.Rejection)
		out.lane.run = func(e *E) error { return out.call(*e) }
		out.lane.failed = out.tell
	}
	if o.timed() || o.Shared {
		out.gate = newGate[E](o.Clock, o.IdleAfter)
		out.gate.lane.before(out.lane)
		out.gate.lane.run = func(e *E) error { return out.deliver(*e) }
	}
	return out
}

func (o *outlet[E]) send(e E) error {
	if o.gate != nil {
		o.gate.lane.in = e
		o.gate.lane.put()
		return nil
	}
	return o.deliver(e)
}

func (o *outlet[E]) deliver(e E) error {
	if o.lane == nil {
		if o.gate == nil {
			return o.here(e)
		}
		return o.call(e)
	}
	o.lane.in = e
	switch o.lane.put() {
	case full:
		return wrap("evaluate", ErrRejected)
	case inline:
		defer o.lane.inlineDone()
		if o.gate == nil {
			return o.here(e)
		}
		return o.call(e)
	case shut:
		return wrap("evaluate", ErrClosed)
	}
	return nil
}

// here evaluates while the caller's state is in its hands.
func (o *outlet[E]) here(e E) (err error) {
	*o.busy = true
	defer o.finished(&err)
	return o.eval(e)
}

func (o *outlet[E]) finished(err *error) {
	*o.busy = false
	if r := recover(); r != nil {
		*err = caught(r)
	}
	if *err != nil {
		o.failed.Add(1)
	}
}

func (o *outlet[E]) call(e E) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = caught(r)
		}
		if err != nil {
			o.failed.Add(1)
		}
	}()
	return o.eval(e)
}

func (o *outlet[E]) tell(err error) {
	if o.onErr != nil {
		_ = protect(func() error { o.onErr(err); return nil })
	}
}

// room reports whether results may be added; see lane.room.
func (o *outlet[E]) room() bool { return o.gate == nil || o.gate.lane.room() }

// enter and leave stand around what changes the state.
func (o *outlet[E]) enter() {
	if o.gate != nil {
		o.gate.mu.Lock()
	}
}

func (o *outlet[E]) leave(err error) error {
	if o.gate == nil {
		return err
	}
	o.gate.mu.Unlock()
	return join(err, o.gate.lane.drain())
}

func (o *outlet[E]) wait(ctx context.Context) error {
	if o.gate != nil {
		if err := o.gate.lane.wait(ctx); err != nil {
			return err
		}
	}
	if o.lane != nil {
		return o.lane.wait(ctx)
	}
	return nil
}

// enterIdle is enter when all results have been evaluated. What it returns ends
// that.
func (o *outlet[E]) enterIdle() (unlock func()) {
	if o.gate != nil {
		o.gate.lockIdle(o.lane)
		return o.gate.mu.Unlock
	}
	_ = o.wait(context.Background())
	return func() {}
}

func (o *outlet[E]) dropped() uint64 {
	if o.lane == nil {
		return 0
	}
	return o.lane.dropped.Load()
}
