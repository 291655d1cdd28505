package window

// stepSize adds the next row to size windows.
func (p *reduction[T, A, R]) stepSize(c *cell[T, A], ts int64, v T) (err error) {
	if c.ring == nil {
		return p.stepApart(c, ts, v)
	}
	i := c.rows / p.paneRows()
	if i >= c.ring.high {
		c.cur = c.ring.open(i)
		c.ring.first[i&int64(len(c.ring.first)-1)] = ts
	}
	c.rows++
	c.end = ts
	err = p.add(c.cur, ts, v)
	if c.rows == c.next {
		err = join(err, p.closeSize(c, Closed))
	}
	return err
}

// paneRows is the number of rows of a pane.
func (p *reduction[T, A, R]) paneRows() int64 { return p.stride / p.hop }

// stepApart is stepSize for windows that do not overlap.
func (p *reduction[T, A, R]) stepApart(c *cell[T, A], ts int64, v T) (err error) {
	c.rows++
	switch at := c.rows - c.next + p.rows; {
	case at < 1:
		return nil // between two windows
	case at == 1:
		c.begin = ts
		p.f.begin(&c.own.acc)
	}
	c.end = ts
	err = p.add(&c.own, ts, v)
	if c.rows == c.next {
		err = join(err, p.closeSize(c, Closed))
	}
	return err
}

// closeSize gives the oldest open window as it is.
func (p *reduction[T, A, R]) closeSize(c *cell[T, A], why Reason) error {
	id := c.next
	r, q, err := p.sizeResult(c, id, why)
	c.next += p.stride
	if err == nil {
		err = p.finish(c, id, r, q)
	} else if c.revs != nil {
		c.revs.forget(id)
	}
	if c.ring != nil {
		c.ring.forget((c.next - p.rows) / p.paneRows())
	}
	return err
}

func (p *reduction[T, A, R]) sizeResult(c *cell[T, A], id int64, why Reason) (r Result[R], q *pane[A], err error) {
	q = &c.own
	r = Result[R]{Start: c.begin, End: c.end, Reason: why, Final: true}
	if c.ring != nil {
		from := (id - p.rows) / p.paneRows()
		r.Start = c.ring.first[from&int64(len(c.ring.first)-1)]
		q, err = p.fold(c, func(w *panes[A]) *pane[A] {
			if id <= c.rows {
				return w.window(from)
			}
			return w.now(from, w.high)
		})
		if err != nil {
			return r, nil, err
		}
	}
	r.Count = q.n
	return r, q, nil
}

// flushSize gives the windows that are not full; the next row begins anew.
func (p *reduction[T, A, R]) flushSize(c *cell[T, A], why Reason) (err error) {
	size := p.rows
	for c.next-size < c.rows {
		if p.opts.DropTail {
			if c.revs != nil {
				c.revs.forget(c.next)
			}
			c.next += p.stride
		} else {
			err = join(err, p.closeSize(c, why))
		}
	}
	c.own.n = 0
	if c.ring != nil {
		p.stats.Accepted += uint64(c.rows)
		c.rows = 0
		c.ring.start(0)
	}
	c.next = c.rows + size
	return err
}

// rearmSize lets rows inside a pane take the fast path.
func (p *reduction[T, A, R]) rearmSize(c *cell[T, A]) {
	if c.ring != nil {
		c.room = 0
		if into := c.rows % p.paneRows(); into > 0 {
			c.room = p.paneRows() - into - 1
		} else if p.paneRows() == 1 && p.canSlide {
			c.room = slides
		}
		return
	}
	if c.room = c.next - c.rows - 1; c.room >= p.rows-1 {
		c.room = 0 // the window has not begun
	}
}
