package window

import (
	"slices"
	"time"
)

// revisions remembers which open windows were given, or have changed, before
// they close.
type revisions struct {
	mode  Emission
	delay time.Duration
	open  map[int64]*revision
	free  []*revision
	order []int64 // scratch
	upTo  int64   // rows before it have been noted
}

type revision struct {
	given uint32
	dirty bool          // changed since it was given
	due   time.Duration // when to give it; 0: not waiting
	over  bool          // Early: was given
}

func (r *revisions) get(id int64) *revision {
	v := r.open[id]
	if v == nil {
		if n := len(r.free); n > 0 {
			v, r.free = r.free[n-1], r.free[:n-1]
			*v = revision{}
		} else {
			v = new(revision)
		}
		r.open[id] = v
	}
	return v
}

// forget returns how often the window was given, which is closed now.
func (r *revisions) forget(id int64) uint32 {
	v := r.open[id]
	if v == nil {
		return 0
	}
	delete(r.open, id)
	r.free = append(r.free, v)
	return v.given
}

func (r *revisions) nextDue() (due time.Duration, ok bool) {
	for _, v := range r.open {
		if v.due > 0 && (!ok || v.due < due) {
			due, ok = v.due, true
		}
	}
	return due, ok
}

// touch notes that the open windows of a row at ts have changed, and gives them
// with emission OnUpdate.
func (h *Handler[T]) touch(ts int64) (err error) {
	if h.kind != Time && h.kind != Calendar {
		if h.settled == h.revs.upTo {
			return nil // the row is not settled yet
		}
		h.revs.upTo = h.settled
	}
	first, last := h.openWindows(ts)
	for id := first; id <= last && id >= first; id += h.idStep() { // id may wrap at the end of int64
		w, ok := h.openView(id)
		if !ok {
			continue
		}
		v := h.revs.get(id)
		switch {
		case h.revs.mode == OnUpdate:
			w.rev = v.given
			v.given++
			err = join(err, h.emit(w))
		case v.over:
		default:
			v.dirty = true
			if v.due == 0 {
				v.due = h.gate.clk.Mono() + h.revs.delay
			}
		}
	}
	return err
}

// reviseDue gives the windows whose time has come.
func (h *Handler[T]) reviseDue(now time.Duration) (err error) {
	r := h.revs
	r.order = r.order[:0]
	for id, v := range r.open {
		if v.due > 0 && v.due <= now {
			r.order = append(r.order, id)
		}
	}
	slices.Sort(r.order)
	for _, id := range r.order {
		w, ok := h.openView(id)
		v := r.open[id]
		v.due = 0
		if !ok || !v.dirty {
			continue
		}
		w.rev = v.given
		v.given++
		v.dirty, v.over = false, r.mode == Early
		err = join(err, h.emit(w))
	}
	return err
}

// openWindows returns the ids of the open windows that a row at ts has changed.
func (h *Handler[T]) openWindows(ts int64) (first, last int64) {
	switch h.kind {
	case Time, Calendar:
		return max(h.next, h.grid.First(ts)), h.lastWindow(ts)
	case Size: // all that have begun
		return h.next, h.settled + h.spec.rows() - 1
	}
	return h.next, h.next
}

func (h *Handler[T]) idStep() int64 {
	if h.kind == Size {
		return h.spec.stride()
	}
	return 1
}

// openView returns an open window as it is now.
func (h *Handler[T]) openView(id int64) (w view[T], ok bool) {
	c := &h.rows
	switch h.kind {
	case Time, Calendar:
		r := h.grid.At(id)
		i, j := c.before(r.Start), c.before(r.End)
		if i == j {
			return w, false
		}
		w = h.view(c.base+int64(i), c.base+int64(j), r.Start, r.End, Updated)
	case Size:
		from := id - h.spec.rows()
		if from >= h.settled || from < c.low() {
			return w, false
		}
		w = h.span(from, h.settled, Updated)
	default:
		if h.end < 0 || h.settled == h.end || !h.keeps(h.settled-h.end) {
			return w, false
		}
		w = h.span(h.end, h.settled, Updated)
	}
	w.early = true
	return w, true
}
