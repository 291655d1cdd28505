package window

import "math"

// openGrid makes the windows known when the first row comes.
func (p *reduction[T, A, R]) openGrid(c *cell[T, A], ts int64) {
	if c.is(begun) {
		return
	}
	c.flags |= begun
	p.anchor(c, ts)
	at := max(c.mark, satSub(ts, p.late))
	switch {
	case p.spec.HasBegin:
		at = max(c.mark, p.spec.Begin)
		c.flags |= given
	case p.spec.Anchor == FirstPoint:
		at = ts
	}
	p.moveTo(c, c.grid.First(min(at, math.MaxInt64-1)))
	if c.ring != nil {
		c.ring.start(p.firstPane(c, c.next))
	}
}

func (p *reduction[T, A, R]) moveTo(c *cell[T, A], k int64) {
	c.next = k
	c.end = c.grid.End(k)
	if c.ring == nil {
		c.begin = c.grid.Start(k)
	}
}

// advance moves on to the window after k.
func (p *reduction[T, A, R]) advance(c *cell[T, A], k int64) {
	if k == math.MaxInt64 {
		c.end, c.begin = math.MaxInt64, math.MaxInt64
		return
	}
	p.moveTo(c, k+1)
	if c.ring != nil {
		c.ring.forget(p.firstPane(c, c.next))
	}
}

// addTime adds a row to its pane and closes what its time closes.
func (p *reduction[T, A, R]) addTime(c *cell[T, A], ts int64, v T) (err error) {
	p.openGrid(c, ts)
	c.seen = max(c.seen, ts)
	c.raise(satSub(ts, p.late))
	c.rows++
	err = p.settleTime(c, Closed) // first, so that the pane of a row far ahead has room
	if p.inWindow(c, ts) {
		err = join(err, p.addPane(c, ts, v))
	}
	if c.revs != nil {
		err = join(err, p.touch(c, ts))
	}
	return err
}

// inWindow reports whether an open window holds ts.
func (p *reduction[T, A, R]) inWindow(c *cell[T, A], ts int64) bool {
	if c.ring == nil {
		return ts >= c.begin && ts < c.end
	}
	first, last := c.grid.First(ts), c.grid.Last(ts)
	return max(first, c.next) <= last
}

func (p *reduction[T, A, R]) addPane(c *cell[T, A], ts int64, v T) error {
	if c.ring == nil {
		if c.own.n == 0 {
			p.f.begin(&c.own.acc)
		}
		return p.add(&c.own, ts, v)
	}
	i, r := p.paneOf(c, ts)
	if i < c.ring.low {
		return nil
	}
	c.cur = c.ring.open(i)
	c.begin = r.Start
	return p.add(c.cur, ts, v)
}

func (p *reduction[T, A, R]) lastWindow(c *cell[T, A], t int64) int64 {
	if p.spec.HasEnd {
		t = min(t, satAdd(p.spec.End, -1))
	}
	return c.grid.Last(t)
}

func (p *reduction[T, A, R]) settleTime(c *cell[T, A], why Reason) (err error) {
	if !c.is(begun) || c.end > c.mark {
		return nil
	}
	last := int64(math.MaxInt64)
	if p.spec.HasEnd {
		last = p.lastWindow(c, p.spec.End)
	}
	for c.end <= c.mark && c.next <= last {
		err = join(err, p.closeTime(c, min(c.grid.First(c.mark)-1, last), why))
	}
	return err
}

// flushTime gives all windows that have begun.
func (p *reduction[T, A, R]) flushTime(c *cell[T, A], why Reason) (err error) {
	if !c.is(begun) {
		return nil
	}
	last := p.lastWindow(c, c.seen)
	if c.next > last {
		return nil
	}
	for k := c.next; c.next <= last; k = c.next {
		err = join(err, p.closeTime(c, last, why))
		if c.next == k {
			break // the last window there is
		}
	}
	c.raise(c.grid.End(last))
	return err
}

// closeTime gives the next window if it has rows, or deals with the empty ones
// up to the next that has, or up to window last.
func (p *reduction[T, A, R]) closeTime(c *cell[T, A], last int64, why Reason) error {
	k := c.next
	switch filled, ok := p.filled(c); {
	case !ok:
		return p.skipEmpty(c, last, why)
	case filled > k:
		return p.skipEmpty(c, min(filled-1, last), why)
	}
	r, q, err := p.timeResult(c, k, why)
	var v R
	if err == nil {
		v, err = p.result(q)
	}
	if c.revs != nil {
		r.Revision = int(c.revs.forget(k))
	}
	if q == &c.own {
		q.n = 0
	}
	p.advance(c, k)
	c.emptyRun = 0
	c.flags |= given
	if err != nil {
		return err
	}
	r.Value = v
	return p.give(c, r)
}

// result is value, counting failures.
func (p *reduction[T, A, R]) result(q *pane[A]) (R, error) {
	v, err := p.value(q)
	if err != nil {
		p.stats.Failed++
	}
	return v, err
}

// timeResult folds window k, which is complete.
func (p *reduction[T, A, R]) timeResult(c *cell[T, A], k int64, why Reason) (r Result[R], q *pane[A], err error) {
	q = &c.own
	if c.ring != nil {
		from := p.firstPane(c, k)
		q, err = p.fold(c, func(w *panes[A]) *pane[A] { return w.window(from) })
		if err != nil {
			return r, nil, err
		}
	}
	return Result[R]{Start: c.grid.Start(k), End: c.grid.End(k), Count: q.n, Reason: why, Final: true}, q, nil
}

// filled returns the first window, from the next on, that has rows.
func (p *reduction[T, A, R]) filled(c *cell[T, A]) (int64, bool) {
	if c.ring == nil {
		return c.next, c.own.n > 0
	}
	i, ok := c.ring.any(p.firstPane(c, c.next), c.ring.high)
	if !ok {
		return 0, false
	}
	k, r := floorDiv(i-p.firstPane(c, 0)-p.width+1, p.hop)
	if r > 0 {
		k++
	}
	return max(k, c.next), true
}

// skipEmpty passes the empty windows from the next up to number to and gives
// them where they are wanted.
func (p *reduction[T, A, R]) skipEmpty(c *cell[T, A], to int64, why Reason) (err error) {
	k := c.next
	to = max(to, k)
	if !p.opts.Empty || !c.is(given) {
		p.advance(c, to)
		return nil
	}
	for ; k <= to && c.emptyRun < p.opts.emptyCap(); k++ {
		r := c.grid.At(k)
		p.advance(c, k)
		if r.Start < r.End { // not a day that the zone skipped
			c.emptyRun++
			err = join(err, p.giveEmpty(c, k, r, why))
		}
		if k == to {
			return err
		}
	}
	p.advance(c, to)
	gap := Result[R]{Start: c.grid.Start(k), End: c.grid.End(to), Skipped: satAdd(satSub(to, k), 1), Reason: Gapped, Final: true}
	return join(err, p.give(c, gap))
}

func (p *reduction[T, A, R]) giveEmpty(c *cell[T, A], k int64, r Range, why Reason) error {
	var none pane[A]
	v, err := p.result(&none)
	if c.revs != nil {
		c.revs.forget(k)
	}
	if err != nil {
		return err
	}
	return p.give(c, Result[R]{Start: r.Start, End: r.End, Value: v, Reason: why, Final: true})
}

// rearmTime lets rows of the pane of the newest row take the fast path.
func (p *reduction[T, A, R]) rearmTime(c *cell[T, A]) {
	end := satAdd(c.end, p.late)
	if c.ring == nil {
		if c.own.n == 0 {
			c.room = 0
		}
		if p.anyOrder {
			c.min = c.begin
		}
		c.min, c.edge = max(c.min, c.begin), end
		return
	}
	i, r := p.paneOf(c, c.seen)
	if i < c.ring.low || i >= c.ring.high || c.ring.at(i).n == 0 {
		c.room = 0
		return
	}
	c.cur = c.ring.open(i)
	if p.anyOrder {
		c.min = r.Start
	}
	c.min, c.edge = max(c.min, r.Start), min(r.End, end)
}
