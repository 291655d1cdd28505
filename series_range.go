package tickwell

import (
	"context"
	"iter"
	"time"
)

// Block is points of one series that follow each other in time, by column: point
// i was measured at Times[i] and has the value Values[i].
//
// A block that is yielded belongs to the store: read it, do not change it, and
// clone what you keep.
type Block[T Type] struct {
	Times  []int64 // Unix nanoseconds, strictly increasing
	Values []T     // as long as Times
}

// Range yields the points with start <= time < end in time order, in one cut of
// the store taken when the loop begins; a zero start or end is no bound. A
// failure is yielded last, with the zero Point. [Series.Blocks] is the faster way
// to read many.
func (s *Series[T]) Range(ctx context.Context, start, end time.Time) iter.Seq2[Point[T], error] {
	return func(yield func(Point[T], error) bool) {
		err := s.read(ctx, start, end, func(times []int64, values []T) bool {
			for i, t := range times {
				if !yield(Point[T]{time.Unix(0, t).UTC(), values[i]}, nil) {
					return false
				}
			}
			return true
		})
		if err != nil {
			yield(Point[T]{}, err)
		}
	}
}

// Blocks yields what [Series.Range] does by column, some points at a time, at
// least one and usually a thousand. Nothing is copied that the store can lend: a
// block is valid until the next step of the loop, and its memory is then used for
// the next one. Each loop reads for itself, so that any number may run at the
// same time. A failure is yielded last, with the zero Block.
func (s *Series[T]) Blocks(ctx context.Context, start, end time.Time) iter.Seq2[Block[T], error] {
	return func(yield func(Block[T], error) bool) {
		err := s.read(ctx, start, end, func(times []int64, values []T) bool {
			return yield(Block[T]{times, values}, nil)
		})
		if err != nil {
			yield(Block[T]{}, err)
		}
	}
}

// read calls f with the points from start to end until it returns false, which
// is no error. What f is given is lent to it until it returns.
func (s *Series[T]) read(ctx context.Context, start, end time.Time, f func(times []int64, values []T) bool) error {
	db := s.w.db
	fail := func(err error) error { return &Error{Op: "read", Subject: s.path, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionRead, s.path); err != nil {
		return err
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return fail(err)
	}
	ser := s.found.Load()
	if ser == nil || ser.Gone() {
		var ok bool
		if ser, ok = db.eng.Lookup(s.w.bound.path, s.w.bound.nodes[0]); !ok {
			return nil
		}
		s.found.Store(ser)
	}
	var zero T
	if kind := valueOf(zero).kind; Kind(ser.Kind) != kind { // made anew as another kind
		return fail(kindMismatch(ser.Name, Kind(ser.Kind), kind))
	}
	if few := db.eng.Few(ser, from, to); few != nil {
		times := few.Times()
		if n := len(times); n > 0 {
			f(times[:n:n], sliceOf[T](few.Values())[:n:n])
		}
		few.Close()
		return nil
	}
	snap := db.eng.Snapshot()
	defer snap.Release()
	c := snap.Cursor(ser, from, to)
	defer c.Close()
	for c.Next() {
		if err := ctx.Err(); err != nil {
			return fail(err)
		}
		times := c.Times()
		n := len(times)
		if !f(times[:n:n], sliceOf[T](c.Values())[:n:n]) {
			return nil
		}
	}
	if err := c.Err(); err != nil {
		return fail(err)
	}
	return nil
}
