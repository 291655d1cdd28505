package window

import "math"

// settle closes the windows whose end the watermark has passed, or that the
// rows up to the watermark end. All errors are returned; none stops it.
func (h *Handler[T]) settle(why Reason) error {
	switch h.kind {
	case Size:
		return h.settleSize()
	case Time, Calendar:
		return h.settleTime(why)
	case Session:
		return h.settleSession(why)
	case State:
		return h.settleState()
	default:
		return h.settleCondition()
	}
}

// ordered returns the number of the first row that may still change its place.
func (h *Handler[T]) ordered() int64 {
	if h.late == 0 || len(h.rows.ts) == 0 {
		return h.rows.total()
	}
	return h.rows.base + int64(h.rows.after(h.mark, len(h.rows.ts)))
}

// view makes the window of rows [from, to) between two instants.
func (h *Handler[T]) view(from, to, start, end int64, why Reason) view[T] {
	i, j := int(from-h.rows.base), int(to-h.rows.base)
	return view[T]{shown[T]{start: start, end: end, row: from, times: h.rows.ts[i:j], vals: h.rows.vals[i:j], reason: why}}
}

// span is view for windows whose bounds are their first and last row.
func (h *Handler[T]) span(from, to int64, why Reason) view[T] {
	return h.view(from, to, h.rows.at(from), h.rows.at(to-1), why)
}

// final gives a window for the last time; id tells it from the others open.
func (h *Handler[T]) final(id int64, w view[T]) error {
	if h.revs != nil {
		w.rev = h.revs.forget(id)
	}
	return h.emit(w)
}

func (h *Handler[T]) settleSize() (err error) {
	size, step := h.spec.rows(), h.spec.stride()
	h.settled = h.ordered()
	for h.settled >= h.next && !h.done {
		to := h.next
		h.next += step
		err = join(err, h.final(to, h.span(to-size, to, Closed)))
		h.rows.drop(min(h.next-size, h.settled))
	}
	h.rows.drop(min(h.next-size, h.settled)) // rows between windows
	return err
}

func (h *Handler[T]) settleSession(why Reason) (err error) {
	end := h.ordered()
	for ; h.settled < end && !h.done; h.settled++ {
		ts := h.rows.at(h.settled)
		if h.end >= 0 && h.ends(ts) {
			err = join(err, h.closeRun(h.settled, Closed))
		}
		if h.end < 0 {
			h.end, h.begin = h.settled, ts
		}
	}
	if h.end >= 0 && h.ends(h.mark) {
		err = join(err, h.closeRun(h.settled, why))
	}
	return err
}

// ends reports whether time ts is too far for the open session.
func (h *Handler[T]) ends(ts int64) bool {
	last := h.rows.at(h.settled - 1)
	if ts > last && uint64(ts)-uint64(last) > uint64(h.spec.gap()) {
		return true
	}
	return h.spec.maxSpan() > 0 && ts > h.begin && uint64(ts)-uint64(h.begin) > uint64(h.spec.maxSpan())
}

// closeRun gives the open session, state or condition window, whose rows end
// before row to.
func (h *Handler[T]) closeRun(to int64, why Reason) error {
	from, id := h.end, h.next
	h.end = -1
	h.next++
	var err error
	if h.keeps(to - from) {
		err = h.final(id, h.span(from, to, why))
	} else if h.revs != nil {
		h.revs.forget(id)
	}
	h.rows.drop(to)
	return err
}

func (h *Handler[T]) keeps(rows int64) bool {
	return h.kind != Condition || rows >= h.spec.minRows() && (h.spec.maxRows() == 0 || rows <= h.spec.maxRows())
}

func (h *Handler[T]) settleState() (err error) {
	end := h.ordered()
	for ; h.settled < end && !h.done; h.settled++ {
		v := h.rows.vals[h.settled-h.rows.base]
		if h.end >= 0 {
			same, e := h.same(v)
			err = join(err, e)
			if same {
				continue
			}
			err = join(err, h.closeRun(h.settled, Closed))
		}
		h.end, h.first = h.settled, v
	}
	return err
}

func (h *Handler[T]) settleCondition() (err error) {
	end := h.ordered()
	for ; h.settled < end && !h.done; h.settled++ {
		holds, e := h.holds(h.rows.vals[h.settled-h.rows.base])
		err = join(err, e)
		switch {
		case holds && h.end < 0:
			h.end = h.settled
		case !holds && h.end >= 0:
			err = join(err, h.closeRun(h.settled, Closed))
		}
		if !holds {
			h.rows.drop(h.settled + 1)
		}
	}
	return err
}

// same and holds ask user code, unless T knows itself. A panic counts as a
// change.
func (h *Handler[T]) same(v T) (same bool, err error) {
	defer h.guard(&err)
	return h.opts.Same(h.first, v), nil
}

func (h *Handler[T]) holds(v T) (holds bool, err error) {
	defer h.guard(&err)
	return h.opts.Holds(v), nil
}

func (h *Handler[T]) guard(err *error) {
	if r := recover(); r != nil {
		*err = caught(r)
	}
}

// openGrid makes the windows of ts known when it is the first row, or the first
// after all others were given.
func (h *Handler[T]) openGrid(ts int64) {
	if h.is(begun) {
		return
	}
	if !h.is(anchored) {
		h.grid = h.grid.from(ts)
		h.flags |= anchored
	}
	at := max(h.mark, satSub(ts, h.late))
	if h.spec.Anchor == FirstPoint || h.spec.HasBegin {
		at = h.mark
		if h.spec.HasBegin {
			at = max(at, h.spec.Begin)
			h.flags |= given
		} else {
			at = ts
		}
	}
	h.moveTo(h.grid.First(min(at, math.MaxInt64-1)))
}

func (h *Handler[T]) moveTo(k int64) {
	h.next = k
	h.begin, h.end = h.grid.Start(k), h.grid.End(k)
}

// lastWindow is the number of the last window that may be given, of those that
// begin at or before t.
func (h *Handler[T]) lastWindow(t int64) int64 {
	if h.spec.HasEnd {
		t = min(t, satAdd(h.spec.End, -1))
	}
	return h.grid.Last(t)
}

func (h *Handler[T]) settleTime(why Reason) (err error) {
	if !h.is(begun) {
		return nil
	}
	last := int64(math.MaxInt64)
	if h.spec.HasEnd {
		last = h.lastWindow(h.spec.End)
	}
	for h.end <= h.mark && h.next <= last && !h.done {
		err = join(err, h.closeTime(min(h.grid.First(h.mark)-1, last), why))
	}
	return err
}

// flushTime gives all windows that have begun.
func (h *Handler[T]) flushTime(why Reason) (err error) {
	if !h.is(begun) {
		return nil
	}
	last := h.lastWindow(h.seen)
	if h.next > last {
		return nil
	}
	for k := h.next; h.next <= last && !h.done; k = h.next {
		err = join(err, h.closeTime(last, why))
		if h.next == k {
			break // the last window there is
		}
	}
	h.raise(h.grid.End(last))
	h.rows.drop(h.rows.total())
	return err
}

// closeTime gives the next window if it has rows, or deals with the empty ones
// up to the next that has, or up to window last.
func (h *Handler[T]) closeTime(last int64, why Reason) error {
	k, r := h.next, Range{h.begin, h.end}
	c := &h.rows
	c.drop(c.base + int64(c.before(r.Start)))
	if c.live() == 0 || c.ts[c.head] >= r.End && !h.grid.endless(k, r.End) {
		return h.skipEmpty(last, why)
	}
	to := len(c.ts)
	if !h.grid.endless(k, r.End) {
		to = c.before(r.End)
	}
	h.advance(k)
	h.emptyRun = 0
	h.flags |= given
	w := h.view(c.low(), c.base+int64(to), r.Start, r.End, why)
	err := h.final(k, w)
	c.drop(c.base + int64(c.before(h.begin)))
	return err
}

// advance moves on to the window after k.
func (h *Handler[T]) advance(k int64) {
	if k == math.MaxInt64 {
		h.end, h.begin = math.MaxInt64, math.MaxInt64
		return
	}
	h.moveTo(k + 1)
}

// skipEmpty passes the empty windows from next on, up to the one that holds the
// oldest row or to last, and gives them where they are wanted.
func (h *Handler[T]) skipEmpty(last int64, why Reason) (err error) {
	from, to := h.next, last
	if h.rows.live() > 0 {
		to = min(to, h.grid.First(h.rows.ts[h.rows.head])-1)
	}
	to = max(to, from)
	if h.opts == nil || !h.opts.Empty || !h.is(given) {
		h.advance(to)
		return nil
	}
	k, most := from, h.opts.emptyCap()
	for ; k <= to && h.emptyRun < most && !h.done; k++ {
		r := h.grid.At(k)
		h.advance(k)
		if r.Start < r.End { // not a day that the zone skipped
			h.emptyRun++
			err = join(err, h.final(k, view[T]{shown[T]{start: r.Start, end: r.End, row: h.rows.low(), reason: why}}))
		}
		if k == to {
			return err
		}
	}
	h.advance(to)
	if h.done {
		return err
	}
	gap := view[T]{shown[T]{start: h.grid.Start(k), end: h.grid.End(to), row: h.rows.low(), skipped: satAdd(satSub(to, k), 1), reason: Gapped}}
	return join(err, h.emit(gap))
}

// flush gives every open window.
func (h *Handler[T]) flush(why Reason) (err error) {
	switch h.kind {
	case Time, Calendar:
		err = h.settleTime(Closed)
		return join(err, h.flushTime(why))
	}
	h.raise(h.seen) // every row is in its place now
	err = h.settle(Closed)
	if h.kind == Size {
		return join(err, h.flushSize(why))
	}
	if h.end >= 0 {
		err = join(err, h.closeRun(h.settled, why))
	}
	return err
}

// flushSize gives the windows that are not full; the next row begins anew.
func (h *Handler[T]) flushSize(why Reason) (err error) {
	size, step := h.spec.rows(), h.spec.stride()
	total := h.rows.total()
	for ; h.next-size < total && !h.done; h.next += step {
		to := h.next
		if h.opts == nil || !h.opts.DropTail {
			err = join(err, h.final(to, h.span(to-size, total, why)))
		} else if h.revs != nil {
			h.revs.forget(to)
		}
	}
	h.rows.drop(total)
	h.settled, h.next = total, total+size
	return err
}
