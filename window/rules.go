package window

import "time"

// NewSlidingSize is the documents' sliding size window helper: window k holds
// the accepted rows k·step to k·step+size−1 and is given when the last of them
// comes. Only strictly increasing times are accepted. With a pool it evaluates
// asynchronously and Options.OnRejection is the documents' hook.
//
// Unlike theirs, a rejection leaves the state in order, windows of one handler
// are evaluated in order, memory is bounded by the window, row numbers do not
// wrap, and a closed pool refuses instead of queueing without bound.
func NewSlidingSize[T any](size, step int, eval func(Window[T]) error, opts *Options[T]) (*Handler[T], error) {
	return New(Count(size).Every(step), eval, helperOptions(opts, false))
}

// NewSlidingTime is the documents' sliding time window helper: window k covers
// interval from k·step after the first row on, and is given when a row at or
// after its end comes, empty or not. Only strictly increasing times are
// accepted. After Options.EmptyCap empty windows in a row, one gap record stands
// for the others.
func NewSlidingTime[T any](interval, step time.Duration, eval func(Window[T]) error, opts *Options[T]) (*Handler[T], error) {
	return New(Sliding(interval, step).FromFirst(), eval, helperOptions(opts, true))
}

func helperOptions[T any](opts *Options[T], empty bool) *Options[T] {
	var o Options[T]
	if opts != nil {
		o = *opts
	}
	o.Strict, o.Empty = true, empty
	return &o
}
