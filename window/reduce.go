package window

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Reducing folds rows into one value a window as they come. It keeps no rows,
// except those whose order Lateness leaves open. Its methods are for one
// goroutine at a time unless Options say otherwise.
type Reducing[T, A, R any] struct {
	p   *reduction[T, A, R]
	c   *cell[T, A]
	out *outlet[Result[R]]
}

// Reduce makes a Reducing that gives the result of each window of s to eval.
// Overlapping windows are made of panes, the pieces that all windows cut each
// other into; each row is added to one pane only. Rows closer to the ends of
// int64 than a window's length are refused.
func Reduce[T, A, R any](s Spec, red Reducer[T, A, R], eval func(Result[R]) error, opts *Options[T]) (*Reducing[T, A, R], error) {
	if eval == nil {
		return nil, noFunction()
	}
	p, err := newReduction(s, red, opts)
	if err != nil {
		return nil, err
	}
	r := &Reducing[T, A, R]{p: p, c: p.newCell()}
	r.out = newOutlet(&p.opts, &p.busy, eval)
	p.send = func(_ *cell[T, A], res Result[R]) error { return r.out.send(res) }
	p.canChange = r.out.lane == nil && r.out.gate == nil
	p.canSlide = r.out.lane == nil && r.out.gate == nil && p.f.flat && p.f.rem == nil
	return r, nil
}

// Collect takes one row. See [Handler.Collect].
func (r *Reducing[T, A, R]) Collect(ts int64, v T) (Outcome, error) {
	c, p := r.c, r.p
	if ts < c.min || ts >= c.edge {
		return r.collectSlow(ts, v)
	}
	if c.room > 0 {
		switch p.pace {
		case paceAny:
			c.seen = max(c.seen, ts)
		case paceOrdered:
			c.seen, c.min = ts, ts+p.inc
		case paceGap:
			c.seen, c.min, c.edge = ts, ts+p.inc, min(satAdd(ts, p.gap1), c.limit)
		case paceWord:
			if word(v) != c.word {
				if p.canChange && !p.same(c.first, v) {
					return Accepted, r.changed(ts, v)
				}
				return r.collectSlow(ts, v)
			}
			c.seen, c.min = ts, ts+p.inc
		default:
			if p.busy || p.same != nil && !p.stays(c, v) {
				return r.collectSlow(ts, v)
			}
			return p.quick(c, ts, v)
		}
		c.room--
		p.red.Add(&c.cur.acc, ts, v)
		return Accepted, nil
	}
	if c.room == slides && !p.busy {
		return Accepted, r.slide(ts, v)
	}
	return r.collectSlow(ts, v)
}

// stays reports whether a value belongs to the open state window, where that
// is sure.
func (p *reduction[T, A, R]) stays(c *cell[T, A], v T) bool {
	return p.trusted && (p.words && word(v) == c.word || p.same(c.first, v))
}

// moved notes a row that only has to be added to the open pane.
func (p *reduction[T, A, R]) moved(c *cell[T, A], ts int64) {
	c.room--
	if p.anyOrder {
		c.seen = max(c.seen, ts)
		return
	}
	c.seen, c.min = ts, ts+p.inc
	if p.gap1 > 0 {
		c.edge = min(satAdd(ts, p.gap1), c.limit)
	}
}

// quick adds such a row.
func (p *reduction[T, A, R]) quick(c *cell[T, A], ts int64, v T) (out Outcome, err error) {
	p.moved(c, ts)
	if p.trusted {
		p.red.Add(&c.cur.acc, ts, v)
		return Accepted, nil
	}
	p.busy = true
	defer p.leave(&err)
	p.red.Add(&c.cur.acc, ts, v)
	return Accepted, nil
}

// pace is what a row of the open pane changes beside its accumulator, where the
// reducer is to be trusted.
type pace uint8

const (
	paceAsk     pace = iota // look at everything
	paceAny                 // time windows: the newest time
	paceOrdered             // the order too
	paceGap                 // and the end of the session
	paceWord                // state windows of words: the order, if the bits are the same
)

func (p *reduction[T, A, R]) setPace() {
	switch {
	case !p.trusted:
	case p.spec.Kind == State:
		if p.words {
			p.pace = paceWord
		}
	case p.gap1 > 0:
		p.pace = paceGap
	case p.anyOrder:
		p.pace = paceAny
	default:
		p.pace = paceOrdered
	}
}

func (r *Reducing[T, A, R]) collectSlow(ts int64, v T) (Outcome, error) {
	if !r.out.room() {
		return Refused, wrap("collect", ErrRejected)
	}
	r.out.enter()
	out, err := Refused, r.p.usable("collect")
	if err == nil {
		out, err = r.p.take(r.c, ts, v)
		if g := r.out.gate; g != nil && out == Accepted {
			g.arrived = g.clk.Mono()
		}
		r.arm()
	}
	err = r.out.leave(err)
	if out == Late {
		err = join(err, r.p.tellLate(ts, v, r.out.gate == nil))
	}
	return out, err
}

func (p *reduction[T, A, R]) usable(op string) error {
	switch {
	case p.busy:
		return wrap(op, ErrReentrant)
	case p.done:
		return wrap(op, ErrClosed)
	}
	return nil
}

func (p *reduction[T, A, R]) tellLate(ts int64, v T, alone bool) error {
	if p.opts.OnLate == nil {
		return nil
	}
	if alone {
		p.busy = true
		defer func() { p.busy = false }()
	}
	return protect(func() error { p.opts.OnLate(ts, v); return nil })
}

// CollectBatch takes rows in order; see [Handler.CollectBatch]. Runs of rows of
// one window are added at once where the reducer can.
func (r *Reducing[T, A, R]) CollectBatch(ts []int64, vals []T) (accepted int, err error) {
	if len(ts) != len(vals) {
		return 0, bad("batch", len(vals), fmt.Sprintf("should have one value for each of %d times", len(ts)))
	}
	for i := 0; i < len(ts); {
		if n := r.addRun(ts[i:], vals[i:]); n > 0 {
			accepted += n
			i += n
			continue
		}
		out, e := r.Collect(ts[i], vals[i])
		if out == Accepted {
			accepted++
		}
		err = join(err, e)
		i++
	}
	return accepted, err
}

// addRun adds the leading rows that belong to the open pane, if their order is
// as simple as can be.
func (r *Reducing[T, A, R]) addRun(ts []int64, vals []T) int {
	c, p := r.c, r.p
	if p.run == nil || !p.trusted || p.busy || p.same != nil || c.room <= 0 || p.gap1 > 0 && p.spec.MaxSpan > 0 {
		return 0
	}
	n, prev, edge := 0, max(c.min-p.inc, c.seen), c.edge
	for n < len(ts) && int64(n) < c.room && ts[n] >= prev+p.inc && ts[n] < edge {
		prev = ts[n]
		if p.gap1 > 0 {
			if edge = satAdd(prev, p.gap1); p.spec.HasEnd {
				edge = min(edge, p.spec.End)
			}
		}
		n++
	}
	if n < 2 {
		return 0
	}
	c.room -= int64(n)
	c.seen = prev
	if !p.anyOrder {
		c.min, c.edge = prev+p.inc, edge
	}
	p.run.AddRun(&c.cur.acc, ts[:n], vals[:n])
	return n
}

// Advance raises the watermark; see [Handler.Advance].
func (r *Reducing[T, A, R]) Advance(watermark int64) error {
	return r.change("advance", func() error {
		r.p.catchUp(r.c)
		r.c.raise(watermark)
		return r.p.settle(r.c, Closed)
	})
}

func (r *Reducing[T, A, R]) change(op string, f func() error) error {
	r.out.enter()
	err := r.p.usable(op)
	if err == nil {
		r.p.catchUp(r.c)
		r.c.room, r.c.armed = 0, 0
		err = f()
		r.p.rearm(r.c)
		r.arm()
	}
	return r.out.leave(err)
}

// Flush gives every open window and waits for the evaluations; see
// [Handler.Flush].
func (r *Reducing[T, A, R]) Flush(ctx context.Context) error {
	err := r.change("flush", func() error {
		r.p.catchUp(r.c)
		return r.p.flush(r.c, Flushed)
	})
	return join(err, r.out.wait(ctx))
}

// Wait returns when no result waits for evaluation, or when ctx is done.
func (r *Reducing[T, A, R]) Wait(ctx context.Context) error { return r.out.wait(ctx) }

// Close ends the reduction; see [Handler.Close].
func (r *Reducing[T, A, R]) Close() error {
	return r.p.close(func() { r.p.shut(r.c) }, r.out.gate == nil, r.out.enter, r.out.stopTimer, r.out.leave, r.out.wait)
}

// shut closes the fast path of a cell.
func (p *reduction[T, A, R]) shut(c *cell[T, A]) {
	p.catchUp(c)
	c.room, c.armed = 0, 0
}

func (p *reduction[T, A, R]) close(shut func(), alone bool, enter, stop func(), leave func(error) error, wait func(context.Context) error) error {
	if alone && p.busy {
		return wrap("close", ErrReentrant)
	}
	enter()
	p.done = true
	shut()
	stop()
	_ = leave(nil) // errors were for those who caused them
	return wait(context.Background())
}

func (o *outlet[E]) stopTimer() {
	if o.gate != nil {
		o.gate.stop()
	}
}

// Stats returns the counts so far.
func (r *Reducing[T, A, R]) Stats() Stats {
	r.out.enter()
	r.p.catchUp(r.c)
	s := *r.p.stats
	s.Accepted += uint64(r.c.total())
	s.Bytes = int(r.p.bytes(r.c))
	if r.out.gate != nil {
		r.out.gate.mu.Unlock()
	}
	s.Failed += r.out.failed.Load()
	s.Dropped = r.out.dropped()
	return s
}

// total is the number of rows accepted, settled or not.
func (c *cell[T, A]) total() int64 {
	n := c.rows
	if c.held != nil {
		n += int64(c.held.live())
	}
	return n
}

// Spec returns what the reduction was made with.
func (r *Reducing[T, A, R]) Spec() Spec { return r.p.spec }

// arm sets the timer for what comes first: idleness, or an early emission.
func (r *Reducing[T, A, R]) arm() {
	g := r.out.gate
	if g == nil || r.p.done {
		return
	}
	if due, ok := r.p.nextTick(r.c, g.arrived); ok {
		g.arm(due, r.tick)
	}
}

// nextTick is when the clock next matters to a cell whose last row came at
// arrived.
func (p *reduction[T, A, R]) nextTick(c *cell[T, A], arrived time.Duration) (due time.Duration, ok bool) {
	due = math.MaxInt64
	if p.opts.IdleAfter > 0 {
		if wait, open := p.idleWait(c); open {
			due, ok = arrived+wait, true
		}
	}
	if c.revs != nil {
		if d, any := c.revs.nextDue(); any && d < due {
			due, ok = d, true
		}
	}
	return due, ok
}

func (r *Reducing[T, A, R]) tick(turn uint64) {
	g := r.out.gate
	g.mu.Lock()
	if turn != g.turn || r.p.done {
		g.mu.Unlock()
		return
	}
	g.cancel = nil
	err := r.p.ticked(r.c, g.clk.Mono(), g.arrived)
	r.arm()
	g.mu.Unlock()
	if err = join(err, g.lane.drain()); err != nil {
		r.out.tell(err)
	}
}

// ticked does what the clock demands of a cell.
func (p *reduction[T, A, R]) ticked(c *cell[T, A], now, arrived time.Duration) (err error) {
	p.catchUp(c)
	if silent := now - arrived; p.opts.IdleAfter > 0 && c.is(begun) && silent >= p.opts.IdleAfter {
		c.raise(satSub(satAdd(c.seen, int64(silent)), p.late))
		err = p.settle(c, Idle)
	}
	if c.revs != nil {
		err = join(err, p.reviseDue(c, now))
	}
	return err
}
