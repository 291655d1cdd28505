package tickwell

import (
	"context"
	"sync/atomic"
	"time"
)

// OnPoint returns a trigger that calls f for each inserted point of kind T, in
// the order of the columns and then of the rows. name is the measurement, the
// device is fire.Device. Columns of other kinds and null cells are passed over; if
// the first rows have no column of kind T the log tells so. The first error ends the
// firing.
func OnPoint[T Type](f func(ctx context.Context, fire *Firing, name string, p Point[T]) error) Trigger {
	if f == nil {
		return nil // which CreateTrigger refuses
	}
	var kinds kindCheck
	return TriggerFunc(func(ctx context.Context, fire *Firing) error {
		found := false
		for i := range fire.Columns {
			c := &fire.Columns[i]
			if values, ok := valuesOf[T](c); ok {
				found = true
				if err := eachPoint(ctx, fire, c, values, f); err != nil {
					return err
				}
			}
		}
		kinds.done(fire, kindOf[T](), found)
		return nil
	})
}

// OnBatch returns a trigger that calls f once for each inserted column of kind
// T, with its points that are not null. The slices are only valid during the
// call.
func OnBatch[T Type](f func(ctx context.Context, fire *Firing, name string, times []int64, values []T) error) Trigger {
	if f == nil {
		return nil
	}
	var kinds kindCheck
	return TriggerFunc(func(ctx context.Context, fire *Firing) error {
		found := false
		for i := range fire.Columns {
			c := &fire.Columns[i]
			if values, ok := valuesOf[T](c); ok {
				found = true
				times, values := withoutNulls(fire.Times, values, c.Nulls)
				if len(times) == 0 {
					continue
				}
				if err := f(ctx, fire, c.Name, times, values); err != nil {
					return err
				}
			}
		}
		kinds.done(fire, kindOf[T](), found)
		return nil
	})
}

// kindCheck tells, once, that the first rows of a trigger are of no kind of its own: it
// would be silent for ever where that is a mistake.
type kindCheck struct{ over atomic.Bool }

func (k *kindCheck) done(f *Firing, kind Kind, found bool) {
	if k.over.Load() || k.over.Swap(true) || found || f.db == nil || len(f.Columns) == 0 {
		return
	}
	c := &f.Columns[0]
	f.db.log.Warn("trigger passes over a series that is not of its kind", "trigger", f.Trigger, "its kind", kind.String(),
		"series", f.Device+"."+c.Name, "kind", c.Data.Kind().String())
}

// PointFuncs is the [Trigger] of the IoTDB 0.13 page: for each kind a function
// for one point and one for many. One inserted row goes to the point form, more
// rows of a tablet go to the batch form in one call a column; whichever form is
// missing, the other takes its part, point by point in order. A kind without
// functions is passed over, and so are null cells. What the functions return
// besides an error has no meaning in the documents and does not exist here.
//
// A type with more hooks can keep one in a field and call its Fire.
type PointFuncs struct {
	// One point of a column: name is the measurement.
	Bool    func(ctx context.Context, f *Firing, name string, p Point[bool]) error
	Int32   func(ctx context.Context, f *Firing, name string, p Point[int32]) error
	Int64   func(ctx context.Context, f *Firing, name string, p Point[int64]) error
	Float32 func(ctx context.Context, f *Firing, name string, p Point[float32]) error
	Float64 func(ctx context.Context, f *Firing, name string, p Point[float64]) error
	Text    func(ctx context.Context, f *Firing, name string, p Point[string]) error

	// The points of a column in the order of their rows. The slices are only
	// valid during the call.
	Bools    func(ctx context.Context, f *Firing, name string, times []int64, values []bool) error
	Int32s   func(ctx context.Context, f *Firing, name string, times []int64, values []int32) error
	Int64s   func(ctx context.Context, f *Firing, name string, times []int64, values []int64) error
	Float32s func(ctx context.Context, f *Firing, name string, times []int64, values []float32) error
	Float64s func(ctx context.Context, f *Firing, name string, times []int64, values []float64) error
	Texts    func(ctx context.Context, f *Firing, name string, times []int64, values []string) error
}

// Fire calls the functions of the columns' kinds.
func (p PointFuncs) Fire(ctx context.Context, f *Firing) (err error) {
	for i := range f.Columns {
		c := &f.Columns[i]
		switch d := c.Data.(type) {
		case Bools:
			err = firePoints(ctx, f, c, d, p.Bool, p.Bools)
		case Int32s:
			err = firePoints(ctx, f, c, d, p.Int32, p.Int32s)
		case Int64s:
			err = firePoints(ctx, f, c, d, p.Int64, p.Int64s)
		case Float32s:
			err = firePoints(ctx, f, c, d, p.Float32, p.Float32s)
		case Float64s:
			err = firePoints(ctx, f, c, d, p.Float64, p.Float64s)
		case Texts:
			err = firePoints(ctx, f, c, d, p.Text, p.Texts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func firePoints[T Type](ctx context.Context, f *Firing, c *Column, values []T, point func(context.Context, *Firing, string, Point[T]) error,
	batch func(context.Context, *Firing, string, []int64, []T) error) error {
	switch {
	case point == nil && batch == nil:
		return nil
	case batch == nil || len(values) == 1 && point != nil:
		return eachPoint(ctx, f, c, values, point)
	}
	times, values := withoutNulls(f.Times, values, c.Nulls)
	if len(times) == 0 {
		return nil
	}
	return batch(ctx, f, c.Name, times, values)
}

func eachPoint[T Type](ctx context.Context, f *Firing, c *Column, values []T, point func(context.Context, *Firing, string, Point[T]) error) error {
	for r, v := range values {
		if c.Nulls.Get(r) {
			continue
		}
		if err := point(ctx, f, c.Name, Point[T]{time.Unix(0, f.Times[r]).UTC(), v}); err != nil {
			return err
		}
	}
	return nil
}

// valuesOf returns the values of a column if they are of kind T.
func valuesOf[T Type](c *Column) ([]T, bool) {
	v := c.Data.vector()
	s := sliceOf[T](&v)
	return s, s != nil
}

// withoutNulls leaves out the marked rows; without any, nothing is copied.
func withoutNulls[T any](times []int64, values []T, nulls Bitmap) ([]int64, []T) {
	if len(nulls) == 0 {
		return times, values
	}
	at, vs := make([]int64, 0, len(times)), make([]T, 0, len(values))
	for i := range times {
		if !nulls.Get(i) {
			at, vs = append(at, times[i]), append(vs, values[i])
		}
	}
	return at, vs
}
