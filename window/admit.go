package window

// admit says what becomes of a row, before it changes anything.
func (h *Handler[T]) admit(ts int64) Outcome {
	s := &h.spec
	switch {
	case h.inc == 1 && h.is(begun) && ts <= h.seen:
		return NotNewer
	case h.opts != nil && h.opts.MaxFuture > 0 && ts > satAdd(h.now(), int64(h.opts.MaxFuture)):
		return Future
	case s.HasBegin && ts < s.Begin || s.HasEnd && ts >= s.End:
		return Refused
	case h.is(marked) && ts < h.mark && h.isLate(ts):
		return Late
	case h.opts != nil && h.opts.MaxRows > 0 && h.rows.live() >= h.opts.MaxRows && !h.closesAny(ts):
		return Refused
	}
	return Accepted
}

func (h *Handler[T]) now() int64 { return clockOr(h.opts.Clock).Now().UnixNano() }

// isLate reports whether all windows of a row behind the watermark are closed.
func (h *Handler[T]) isLate(ts int64) bool {
	if !h.is(anchored) {
		return true
	}
	last := h.grid.Last(ts)
	if !h.is(begun) {
		return h.grid.End(last) <= h.mark
	}
	return last < h.next || h.grid.End(last) <= ts
}

// closesAny reports whether a row would make room for itself.
func (h *Handler[T]) closesAny(ts int64) bool {
	switch h.kind {
	case Time, Calendar:
		return satSub(ts, h.late) >= h.end
	case Session:
		return satSub(ts, h.late) >= h.edge
	}
	return true // these hold what they must
}

// count counts a row that was not accepted. One past the spec's End tells that
// time went on.
func (h *Handler[T]) count(out Outcome, ts int64) error {
	c := h.rare()
	switch out {
	case Late:
		c.Late++
	case NotNewer:
		c.NotNewer++
	case Future:
		c.Future++
	case Refused:
		c.Refused++
		if h.spec.HasEnd && ts >= h.spec.End && h.is(anchored) && (h.is(begun) || h.spec.HasBegin) {
			h.openGrid(ts)
			h.flags |= begun
			h.seen = max(h.seen, ts)
			h.raise(satSub(ts, h.late))
			return h.settle(Closed)
		}
	}
	return nil
}

func (h *Handler[T]) rare() *Stats {
	if h.cold == nil {
		h.cold = new(Stats)
	}
	return h.cold
}
