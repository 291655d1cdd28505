package window

import "errors"

// join is errors.Join for the usual case of no error at all.
//
//go:noinline
func join(a, b error) error {
	switch {
	case b == nil:
		return a
	case a == nil:
		return b
	}
	return errors.Join(a, b)
}

// emit gives one window away. The handler's state has moved on already: nothing
// depends on what the evaluator does.
func (h *Handler[T]) emit(w view[T]) error {
	if w.reason == Gapped {
		h.rare().Skipped += uint64(w.skipped)
	} else {
		h.windows++
		if len(w.times) == 0 {
			h.rare().Empty++
		}
	}
	if h.gate != nil { // evaluated after the lock is given back
		h.gate.lane.in = w
		h.gate.lane.put()
		return nil
	}
	h.shown = w
	return h.deliver(&h.shown)
}

// deliver evaluates w or hands it to the pool.
func (h *Handler[T]) deliver(w *view[T]) error {
	if h.lane == nil {
		return h.evaluate(w)
	}
	h.lane.in = *w
	switch h.lane.put() {
	case full:
		return h.reject(w)
	case inline:
		defer func() {
			if h.gate == nil {
				h.busy = false
			}
			h.lane.inlineDone()
		}()
		return h.evaluate(w)
	case shut:
		return wrap("evaluate", ErrClosed)
	}
	return nil
}

func (h *Handler[T]) reject(w *view[T]) (err error) {
	if h.opts.OnRejection == nil {
		return wrap("evaluate", ErrRejected)
	}
	if h.gate == nil {
		h.busy = true
		defer func() { h.busy = false }()
	}
	return protect(func() error { return h.opts.OnRejection(Window[T]{w}) })
}

// evaluate calls user code in this goroutine.
func (h *Handler[T]) evaluate(w *view[T]) error {
	plain := h.gate == nil
	if plain {
		h.busy = true
	}
	err := h.call(w)
	if plain {
		h.busy = false
	}
	if err != nil {
		h.failed.Add(1)
	}
	return err
}

func (h *Handler[T]) call(w *view[T]) (err error) {
	if h.raw {
		return h.eval(Window[T]{w})
	}
	done := false
	defer func() {
		if done {
			return
		}
		if r := recover(); r != nil {
			err = caught(r)
		}
		if h.gate == nil && h.lane == nil {
			h.busy = false // runtime.Goexit goes no further than this goroutine
		}
	}()
	err = h.eval(Window[T]{w})
	done = true
	return err
}

// protect turns a panic into an error.
func protect(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = caught(r)
		}
	}()
	return f()
}

// asyncFailed is told of errors in the pool's goroutines.
func (h *Handler[T]) asyncFailed(err error) {
	if h.opts != nil && h.opts.OnError != nil {
		_ = protect(func() error { h.opts.OnError(err); return nil })
	}
}
