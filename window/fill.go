package window

// fill is Collect for plain size windows when a row completes one, or needs
// memory.
func (h *Handler[T]) fill(ts int64, v T) error {
	c := &h.rows
	if len(c.ts) == cap(c.ts) {
		c.makeRoom(h.capacity(), true)
	}
	c.ts, c.vals = append(c.ts, ts), append(c.vals, v)
	h.seen, h.mark, h.min = ts, max(h.mark, ts), ts+h.inc
	to := len(c.ts)
	total := c.base + int64(to)
	if total < h.next {
		h.room = h.sizeRoom(total)
		return nil
	}
	from := to - int(h.spec.rows())
	w := &h.shown
	w.start, w.end, w.row, w.skipped = c.ts[from], ts, c.base+int64(from), 0
	w.times, w.vals = c.ts[from:to], c.vals[from:to]
	w.rev, w.reason, w.early = 0, Closed, false
	h.next += h.spec.stride()
	if h.spec.stride() >= h.spec.rows() {
		c.base, c.head = total, 0
		c.ts, c.vals = c.ts[:0], c.vals[:0]
	} else {
		c.head = from + int(h.spec.stride())
	}
	h.windows++
	h.lean = false
	if h.lane != nil {
		err := h.deliver(w)
		h.filled(nil)
		return err
	}
	return h.evaluateFull(w)
}

func (h *Handler[T]) evaluateFull(w *view[T]) (err error) {
	h.busy = true
	defer h.filled(&err)
	return h.eval(Window[T]{w})
}

// filled opens the fast path again after an evaluation.
func (h *Handler[T]) filled(err *error) {
	h.busy, h.lean = false, !h.done
	h.room = h.sizeRoom(h.rows.total())
	if err == nil {
		return
	}
	if r := recover(); r != nil {
		*err = caught(r)
	}
	if *err != nil {
		h.failed.Add(1)
	}
}

// sizeRoom is how many rows may come before fill must see one.
func (h *Handler[T]) sizeRoom(total int64) int {
	need := h.next - total - 1
	if need >= h.spec.rows() {
		return 0
	}
	return int(min(int64(cap(h.rows.ts)-len(h.rows.ts)), need))
}
