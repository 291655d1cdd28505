package window

import (
	"context"
	"iter"
	"math"
)

// Over yields the windows of an ordered sequence of rows, the open ones at its
// end included: the pull face, for queries and functions. Each is valid until
// the next is asked for. Options that need a clock or a pool are refused. Empty
// windows, where wanted, are all given unless EmptyCap says otherwise. An error
// ends the sequence.
func Over[T any](rows iter.Seq2[int64, T], s Spec, opts *Options[T]) iter.Seq2[Window[T], error] {
	return func(yield func(Window[T], error) bool) {
		opts, err := pullOptions(opts)
		if err != nil {
			yield(Window[T]{new(view[T])}, err)
			return
		}
		var h *Handler[T]
		h, err = New(s, func(w Window[T]) error {
			h.done = h.done || !yield(w, nil)
			return nil
		}, opts)
		if err != nil {
			yield(Window[T]{new(view[T])}, err)
			return
		}
		h.raw = true
		for ts, v := range rows {
			if _, err := h.Collect(ts, v); h.done {
				return
			} else if err != nil { // Same or Holds panicked
				yield(Window[T]{new(view[T])}, err)
				return
			}
		}
		if err := h.Flush(context.Background()); err != nil && !h.done {
			yield(Window[T]{new(view[T])}, err)
		}
	}
}

// Cut is Over for columns: times must not decrease, and vals has one value for
// each. [Window.FirstRow] is the index of a window's first row, so that other
// columns can be cut alike.
func Cut[T any](times []int64, vals []T, s Spec, opts *Options[T]) iter.Seq2[Window[T], error] {
	return func(yield func(Window[T], error) bool) {
		skipped := 0 // rows before the spec's Begin
		for s.HasBegin && skipped < len(times) && times[skipped] < s.Begin {
			skipped++
		}
		rows := func(yield func(int64, T) bool) {
			for i := skipped; i < len(times); i++ {
				if !yield(times[i], vals[i]) {
					return
				}
			}
		}
		for w, err := range Over(rows, s, opts) {
			if w.v != nil {
				w.v.row += int64(skipped)
			}
			if !yield(w, err) {
				return
			}
		}
	}
}

func pullOptions[T any](opts *Options[T]) (*Options[T], error) {
	var o Options[T]
	if opts != nil {
		o = *opts
	}
	if o.EmptyCap == 0 {
		o.EmptyCap = math.MaxInt
	}
	if o.timed() || o.Pool != nil || o.Shared || o.MaxFuture > 0 {
		return nil, bad("options", "clock or pool", "have no place where windows are pulled")
	}
	return &o, nil
}
