package window

// slides is the room of a cell whose size windows move by single rows: such a
// row is a pane of its own, and slide deals with it in one go.
const slides = -1

// slide is Collect for windows that move with each row, or every few rows, and
// whose accumulators may be copied. It does what take does, without looking at
// what can not be. All user code runs under one guard, and the state has moved
// on before each call of it that may fail.
func (r *Reducing[T, A, R]) slide(ts int64, v T) (err error) {
	p, c := r.p, r.c
	p.busy = true
	defer r.out.finished(&err)
	w, i := c.ring, c.rows
	c.rows = i + 1
	c.seen, c.end, c.min = ts, ts, ts+p.inc
	q := &w.ring[i&int64(len(w.ring)-1)]
	w.first[i&int64(len(w.first)-1)] = ts
	q.acc, q.n = p.f.empty, 1
	w.high = i + 1
	from := c.rows - p.rows
	closes := c.rows == c.next
	if closes {
		c.next += p.stride
	}
	p.red.Add(&q.acc, ts, v)
	if w.backTo != i || i-w.backFrom >= w.width {
		w.turn(i)
	}
	back := &w.back
	if back.n == 0 {
		back.acc = q.acc
	} else {
		p.red.Merge(&back.acc, &q.acc)
	}
	back.n++
	w.backTo = i + 1
	if !closes {
		return nil
	}
	acc := &back.acc
	if from < w.backFrom {
		acc = &w.tmp.acc
		*acc = w.front[from&int64(len(w.front)-1)].acc
		p.red.Merge(acc, &back.acc)
	}
	w.low = from + p.stride
	p.stats.Windows++
	return r.out.eval(Result[R]{
		Start: w.first[from&int64(len(w.first)-1)], End: ts, Count: p.rows,
		Value: p.red.Result(acc), Reason: Closed, Final: true,
	})
}

// turn makes back begin where pane i's block does, and folds what of the block
// before it windows will still ask for.
func (p *panes[A]) turn(i int64) {
	mid := p.floor(i)
	p.foldBack(mid, i)
	low := max(p.low, mid-p.width) // not below what is kept
	if low >= mid || p.frontEnd == mid {
		return
	}
	// foldFront for panes that all have rows and may be copied
	p.frontLow, p.frontEnd = mid, mid
	red, mask := p.f.red, int64(len(p.front)-1)
	next := &p.front[(mid-1)&mask]
	*next = *p.at(mid - 1)
	p.frontLow = mid - 1
	for i := mid - 2; i >= low; i-- {
		q := &p.front[i&mask]
		*q = *p.at(i)
		red.Merge(&q.acc, &next.acc)
		q.n += next.n
		p.frontLow, next = i, q
	}
}
