package window

import "math"

// take is the slow path of adding a row to a cell.
func (p *reduction[T, A, R]) take(c *cell[T, A], ts int64, v T) (Outcome, error) {
	p.catchUp(c)
	c.room, c.armed = 0, 0 // calls from user code are not to take the fast path
	if out := p.admit(c, ts); out != Accepted {
		err := p.refuse(c, out, ts)
		p.rearm(c)
		return out, err
	}
	var err error
	if p.grid != nil {
		err = p.addTime(c, ts, v)
	} else {
		err = p.addOrdered(c, ts, v)
	}
	p.rearm(c)
	return Accepted, err
}

// catchUp tells the watermark what the fast path saw.
func (p *reduction[T, A, R]) catchUp(c *cell[T, A]) {
	if !c.is(begun) {
		return
	}
	if n := c.armed - c.room; n > 0 {
		c.rows += n
		c.cur.n += n
		c.armed = c.room
	}
	c.raise(satSub(c.seen, p.late))
	if c.held == nil && p.grid == nil && (c.is(isOpen) || p.spec.Kind == Size) {
		c.end = c.seen
	}
}

func (c *cell[T, A]) raise(mark int64) {
	c.mark = max(c.mark, min(mark, math.MaxInt64-1))
	c.flags |= marked
}

func (p *reduction[T, A, R]) admit(c *cell[T, A], ts int64) Outcome {
	s := &p.spec
	switch {
	case p.inc == 1 && c.is(begun) && ts <= c.seen:
		return NotNewer
	case p.opts.MaxFuture > 0 && ts > satAdd(p.opts.Clock.Now().UnixNano(), int64(p.opts.MaxFuture)):
		return Future
	case p.grid != nil && (ts < p.least || ts > p.most):
		return Refused
	case s.HasBegin && ts < s.Begin || s.HasEnd && ts >= s.End:
		return Refused
	case c.is(marked) && ts < c.mark && p.isLate(c, ts):
		return Late
	}
	return Accepted
}

func (p *reduction[T, A, R]) isLate(c *cell[T, A], ts int64) bool {
	g := c.grid
	switch {
	case p.grid == nil:
		return true
	case g == nil && (p.spec.Anchor == FirstPoint && !p.spec.HasBegin):
		return true
	case g == nil:
		return p.grid.End(p.grid.Last(ts)) <= c.mark
	}
	last := g.Last(ts)
	return last < c.next || g.End(last) <= ts
}

func (p *reduction[T, A, R]) refuse(c *cell[T, A], out Outcome, ts int64) error {
	switch out {
	case Late:
		p.stats.Late++
	case NotNewer:
		p.stats.NotNewer++
	case Future:
		p.stats.Future++
	case Refused:
		p.stats.Refused++
		if p.spec.HasEnd && ts >= p.spec.End && p.grid != nil && (c.is(begun) || p.spec.HasBegin && p.spec.Anchor == FirstPoint) {
			p.openGrid(c, ts)
			c.seen = max(c.seen, ts)
			c.raise(satSub(ts, p.late))
			return p.settle(c, Closed)
		}
	}
	return nil
}

// add adds one row to a pane and turns a panic of the reducer into an error.
func (p *reduction[T, A, R]) add(q *pane[A], ts int64, v T) (err error) {
	q.n++
	if p.trusted {
		p.red.Add(&q.acc, ts, v)
		return nil
	}
	p.busy = true
	defer p.leave(&err)
	p.red.Add(&q.acc, ts, v)
	return nil
}

// leave ends a call of user code.
func (p *reduction[T, A, R]) leave(err *error) {
	p.busy = false
	if r := recover(); r != nil {
		*err = caught(r)
	}
}

// addOrdered adds a row to a size, session, state or condition window, as soon
// as its place is sure.
func (p *reduction[T, A, R]) addOrdered(c *cell[T, A], ts int64, v T) (err error) {
	c.flags |= begun
	c.seen = max(c.seen, ts)
	c.raise(satSub(ts, p.late))
	before := c.rows
	if c.held == nil {
		err = p.step(c, ts, v)
	} else {
		c.held.insert(ts, v, 16, false)
		err = p.release(c)
	}
	err = join(err, p.settle(c, Closed))
	if c.revs != nil && c.rows > before {
		err = join(err, p.touch(c, ts))
	}
	return err
}

// release takes the held rows up to the watermark.
func (p *reduction[T, A, R]) release(c *cell[T, A]) (err error) {
	h := c.held
	for h.live() > 0 && h.ts[h.head] <= c.mark {
		ts, v := h.ts[h.head], h.vals[h.head]
		h.drop(h.low() + 1)
		err = join(err, p.step(c, ts, v))
	}
	return err
}

// step adds the next row in order.
func (p *reduction[T, A, R]) step(c *cell[T, A], ts int64, v T) (err error) {
	switch p.spec.Kind {
	case Size:
		return p.stepSize(c, ts, v)
	case Session:
		if c.is(isOpen) && p.ends(c, ts) {
			err = p.closeRun(c, Closed)
		}
	case State:
		if c.is(isOpen) {
			same, e := p.isSame(c.first, v)
			err = e
			if !same {
				err = join(err, p.closeRun(c, Closed))
			}
		}
		if !c.is(isOpen) {
			c.first = v
			if p.words {
				c.word = word(v)
			}
		}
	case Condition:
		holds, e := p.isTrue(v)
		if !holds {
			c.rows++
			if c.is(isOpen) {
				e = join(e, p.closeRun(c, Closed))
			}
			return e
		}
		err = e
	}
	if !c.is(isOpen) {
		c.flags |= isOpen
		c.begin = ts
		p.f.begin(&c.own.acc)
	}
	c.rows++
	c.end = ts
	return join(err, p.add(&c.own, ts, v))
}

func (p *reduction[T, A, R]) isSame(first, v T) (same bool, err error) {
	p.busy = true
	defer p.leave(&err)
	return p.same(first, v), nil
}

func (p *reduction[T, A, R]) isTrue(v T) (holds bool, err error) {
	p.busy = true
	defer p.leave(&err)
	return p.holds(v), nil
}

// ends reports whether time ts is too far for the open session; c.end is the
// time of its last row.
func (p *reduction[T, A, R]) ends(c *cell[T, A], ts int64) bool {
	if ts > c.end && uint64(ts)-uint64(c.end) > uint64(p.spec.Gap) {
		return true
	}
	return p.spec.MaxSpan > 0 && ts > c.begin && uint64(ts)-uint64(c.begin) > uint64(p.spec.MaxSpan)
}

func (p *reduction[T, A, R]) closeRun(c *cell[T, A], why Reason) error {
	id := c.next
	c.next++
	c.flags &^= isOpen
	r := Result[R]{Start: c.begin, End: c.end, Count: c.own.n, Reason: why, Final: true}
	if !p.keeps(c.own.n) {
		if c.revs != nil {
			c.revs.forget(id)
		}
		c.own.n = 0
		return nil
	}
	return p.finish(c, id, r, &c.own)
}

func (p *reduction[T, A, R]) keeps(rows int64) bool {
	return p.spec.Kind != Condition || rows >= int64(p.spec.MinRows) && (p.spec.MaxRows == 0 || rows <= int64(p.spec.MaxRows))
}

// finish gives a window for the last time. The pane is free when it returns.
func (p *reduction[T, A, R]) finish(c *cell[T, A], id int64, r Result[R], q *pane[A]) error {
	if c.revs != nil {
		r.Revision = int(c.revs.forget(id))
	}
	v, err := p.value(q)
	if q == &c.own {
		q.n = 0
	}
	if err != nil {
		p.stats.Failed++
		return err
	}
	r.Value = v
	return p.give(c, r)
}

// value asks the reducer for the result of a pane, or of no rows.
func (p *reduction[T, A, R]) value(q *pane[A]) (v R, err error) {
	if p.trusted && q.n > 0 {
		return p.red.Result(&q.acc), nil
	}
	p.busy = true
	defer p.leave(&err)
	if q.n == 0 {
		p.red.Init(&q.acc)
	}
	return p.red.Result(&q.acc), nil
}

// fold calls f, which asks panes for a fold, under the guard of user code.
func (p *reduction[T, A, R]) fold(c *cell[T, A], f func(*panes[A]) *pane[A]) (q *pane[A], err error) {
	if p.trusted {
		return f(c.ring), nil
	}
	defer func() {
		if err != nil {
			c.ring.spoiled()
			p.stats.Failed++
		}
	}()
	p.busy = true
	defer p.leave(&err)
	return f(c.ring), nil
}

// give counts a result and sends it.
func (p *reduction[T, A, R]) give(c *cell[T, A], r Result[R]) error {
	if r.Reason == Gapped {
		p.stats.Skipped += uint64(r.Skipped)
	} else {
		p.stats.Windows++
		if r.Count == 0 {
			p.stats.Empty++
		}
	}
	return p.send(c, r)
}

// rearm sets the bounds of the fast path.
func (p *reduction[T, A, R]) rearm(c *cell[T, A]) {
	c.room, c.armed = 0, 0
	defer func() { c.armed = c.room }()
	if p.slow || p.done || !c.is(begun) || c.seen == math.MaxInt64 {
		return
	}
	c.room = math.MaxInt64
	c.min, c.edge = satAdd(c.seen, p.inc), math.MaxInt64
	if p.grid == nil {
		c.min = max(c.min, c.mark)
	}
	switch p.spec.Kind {
	case Time, Calendar:
		p.rearmTime(c)
	case Size:
		p.rearmSize(c)
	case Session:
		if !c.is(isOpen) {
			c.room = 0
		}
		c.limit = p.spanEnd(c)
		c.edge = min(satAdd(c.seen, p.gap1), c.limit)
	case State:
		if !c.is(isOpen) {
			c.room = 0
		}
	case Condition:
		c.room = 0
	}
	if p.spec.HasEnd {
		c.edge = min(c.edge, p.spec.End)
	}
	if c.held != nil {
		c.room = 0
	}
}

func (p *reduction[T, A, R]) spanEnd(c *cell[T, A]) int64 {
	e := int64(math.MaxInt64)
	if p.spec.MaxSpan > 0 {
		e = satAdd(satAdd(c.begin, int64(p.spec.MaxSpan)), 1)
	}
	if p.spec.HasEnd {
		e = min(e, p.spec.End)
	}
	return e
}

// settle closes what the watermark ends.
func (p *reduction[T, A, R]) settle(c *cell[T, A], why Reason) (err error) {
	if p.grid != nil {
		return p.settleTime(c, why)
	}
	if c.held != nil {
		err = p.release(c)
	}
	if p.spec.Kind == Session && c.is(isOpen) && p.ends(c, c.mark) {
		err = join(err, p.closeRun(c, why))
	}
	return err
}

// flush closes every open window.
func (p *reduction[T, A, R]) flush(c *cell[T, A], why Reason) (err error) {
	if p.grid != nil {
		err = p.settleTime(c, Closed)
		return join(err, p.flushTime(c, why))
	}
	if c.is(begun) {
		c.raise(c.seen)
	}
	err = p.settle(c, Closed)
	if p.spec.Kind == Size {
		return join(err, p.flushSize(c, why))
	}
	if c.is(isOpen) {
		err = join(err, p.closeRun(c, why))
	}
	return err
}
