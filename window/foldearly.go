package window

import (
	"slices"
	"time"
)

// touch notes that the open windows of a row have changed, and gives them with
// emission OnUpdate.
func (p *reduction[T, A, R]) touch(c *cell[T, A], ts int64) (err error) {
	first, last, step := c.next, c.next, int64(1)
	switch {
	case p.grid != nil:
		first, last = max(c.next, c.grid.First(ts)), p.lastWindow(c, ts)
	case p.spec.Kind == Size:
		last, step = c.rows+p.rows-1, p.stride
	}
	for id := first; id <= last && id >= first; id += step { // id may wrap at the end of int64
		q, ok, e := p.openPane(c, id)
		err = join(err, e)
		if !ok {
			continue
		}
		v := c.revs.get(id)
		switch {
		case c.revs.mode == OnUpdate:
			err = join(err, p.giveEarly(c, id, q, v))
		case v.over:
		default:
			v.dirty = true
			if v.due == 0 {
				v.due = p.opts.Clock.Mono() + c.revs.delay
			}
		}
	}
	return err
}

// openPane returns an open window as it is now.
func (p *reduction[T, A, R]) openPane(c *cell[T, A], id int64) (q *pane[A], ok bool, err error) {
	q = &c.own
	switch {
	case p.spec.Kind == Size && (id-p.rows >= c.rows || id <= c.rows):
		return nil, false, nil
	case c.ring != nil && p.grid != nil:
		from := p.firstPane(c, id)
		q, err = p.fold(c, func(w *panes[A]) *pane[A] { return w.now(from, from+p.width) })
	case c.ring != nil:
		from := (id - p.rows) / p.paneRows()
		q, err = p.fold(c, func(w *panes[A]) *pane[A] { return w.now(from, w.high) })
	case p.grid == nil && p.spec.Kind != Size && (!c.is(isOpen) || !p.keeps(c.own.n)):
		return nil, false, nil
	}
	return q, err == nil && q.n > 0, err
}

// giveEarly gives an open window.
func (p *reduction[T, A, R]) giveEarly(c *cell[T, A], id int64, q *pane[A], v *revision) error {
	r := Result[R]{Start: c.begin, End: c.end, Reason: Updated, Count: q.n, Revision: int(v.given)}
	switch {
	case p.grid != nil:
		r.Start, r.End = c.grid.Start(id), c.grid.End(id)
	case c.ring != nil:
		r.Start = c.ring.first[(id-p.rows)/p.paneRows()&int64(len(c.ring.first)-1)]
	}
	v.given++
	value, err := p.result(q)
	if err != nil {
		return err
	}
	r.Value = value
	return p.give(c, r)
}

// reviseDue gives the windows whose time has come.
func (p *reduction[T, A, R]) reviseDue(c *cell[T, A], now time.Duration) (err error) {
	r := c.revs
	r.order = r.order[:0]
	for id, v := range r.open {
		if v.due > 0 && v.due <= now {
			r.order = append(r.order, id)
		}
	}
	slices.Sort(r.order)
	for _, id := range r.order {
		v := r.open[id]
		v.due = 0
		q, ok, e := p.openPane(c, id)
		err = join(err, e)
		if !ok || !v.dirty {
			continue
		}
		v.dirty, v.over = false, r.mode == Early
		err = join(err, p.giveEarly(c, id, q, v))
	}
	return err
}

// idleDue is how long after its last row the first open window of c closes.
func (p *reduction[T, A, R]) idleWait(c *cell[T, A]) (time.Duration, bool) {
	if !c.is(begun) {
		return 0, false
	}
	end := c.end
	if p.spec.Kind == Session {
		if !c.is(isOpen) && (c.held == nil || c.held.live() == 0) {
			return 0, false
		}
		end = min(satAdd(c.seen, p.gap1), p.spanEnd(c))
	} else if _, ok := p.filled(c); !ok && (!p.opts.Empty || c.emptyRun >= p.opts.emptyCap()) {
		return 0, false
	}
	wait := satAdd(satSub(end, c.seen), p.late)
	return max(p.opts.IdleAfter, min(time.Duration(wait), never)), true
}
