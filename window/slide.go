package window

// slides is the room of a cell whose size windows move by single rows: such a
// row is a pane of its own, and slide deals with it in one go.
const slides = -1

// slide is Collect for windows that move with each row, or every few rows by
// single rows. All user code runs under one guard: the state has moved on
// before each call of it.
func (r *Reducing[T, A, R]) slide(ts int64, v T) (err error) {
	p, c := r.p, r.c
	p.busy = true
	defer r.out.finished(&err)
	w := c.ring
	i := c.rows
	c.rows++
	c.seen, c.end, c.min = ts, ts, ts+p.inc
	w.high = i + 1
	q := &w.ring[i&int64(len(w.ring)-1)]
	q.n = 1
	w.first[i&int64(len(w.first)-1)] = ts
	p.f.begin(&q.acc)
	closes := c.rows == c.next
	if closes {
		c.next += int64(p.spec.Stride)
	}
	p.red.Add(&q.acc, ts, v)
	if !closes {
		return nil
	}
	from := c.rows - int64(p.spec.Rows)
	defer w.forget(c.next - int64(p.spec.Rows))
	whole := w.window(from)
	p.stats.Windows++
	return r.out.eval(Result[R]{
		Start: w.first[from&int64(len(w.first)-1)], End: ts, Count: whole.n,
		Value: p.red.Result(&whole.acc), Reason: Closed, Final: true,
	})
}
