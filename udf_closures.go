package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
)

// RowFunc1 makes a function of queries from a Go function of one value. It is
// called for each row in which the input has a value; elsewhere the result is
// null. An input of another kind is converted where that loses nothing but
// precision: Int32 to int64, numbers to floats.
func RowFunc1[A, R Type](name string, f func(A) R) FunctionSpec {
	if f == nil {
		return FunctionSpec{Name: name} // refused when it is registered
	}
	return FunctionSpec{Name: name, closure: fmt.Sprintf("%T", f), series: func() exec.Transformer {
		return &closure1[A, R]{f: f, put: putter[R]()}
	}}
}

// RowFunc2 is [RowFunc1] for a function of two values, such as math.Hypot. The
// result is null where either input is.
func RowFunc2[A, B, R Type](name string, f func(A, B) R) FunctionSpec {
	if f == nil {
		return FunctionSpec{Name: name}
	}
	return FunctionSpec{Name: name, closure: fmt.Sprintf("%T", f), series: func() exec.Transformer {
		return &closure2[A, B, R]{f: f, put: putter[R]()}
	}}
}

// AggregateFunc makes an aggregate from three Go functions over a state S,
// whose zero value is the empty group: add folds a value, merge folds another
// group, result gives the value of the group. A group without values is null.
func AggregateFunc[S any, T, R Type](name string, add func(s *S, v T), merge func(s, other *S), result func(s *S) R) FunctionSpec {
	if add == nil || merge == nil || result == nil {
		return FunctionSpec{Name: name}
	}
	return FunctionSpec{Name: name, closure: fmt.Sprintf("%T", add), aggregate: func() exec.Aggregator {
		return &closureAgg[S, T, R]{addOne: add, merge: merge, result: result}
	}}
}

// rowClosure is what closures of any number of inputs share.
type rowClosure struct{ name string }

func (rowClosure) Window(*exec.Batch, int64, int64, *exec.Out) error { return nil }
func (rowClosure) Terminate(*exec.Out) error                         { return nil }
func (rowClosure) Close()                                            {}

// start checks the inputs against the kinds that the closure takes.
func (r *rowClosure) start(c *exec.Call, out Kind, want ...Kind) (column.Kind, exec.Access, error) {
	r.name = c.Name
	access := exec.Access{Kind: exec.Mapped, Begin: exec.NoBegin, End: exec.NoEnd}
	return column.Kind(out), access, checkInputs(c, want...)
}

func checkInputs(c *exec.Call, want ...Kind) error {
	in := udfInput(c)
	err := in.RequireInputs(len(want))
	for i := 0; i < len(want) && err == nil; i++ {
		switch want[i] {
		case KindFloat32, KindFloat64:
			err = in.RequireKind(i, KindInt32, KindInt64, KindFloat32, KindFloat64)
		case KindInt64:
			err = in.RequireKind(i, KindInt32, KindInt64)
		default:
			err = in.RequireKind(i, want[i])
		}
	}
	if err != nil {
		return fmt.Errorf("function %s: %w", c.Name, err)
	}
	return nil
}

type closure1[A, R Type] struct {
	rowClosure
	f   func(A) R
	put func(*exec.Out, int64, R) error
	a   []A
}

func (c *closure1[A, R]) Start(call *exec.Call) (column.Kind, exec.Access, error) {
	return c.start(call, kindOf[R](), kindOf[A]())
}

func (c *closure1[A, R]) Rows(b *exec.Batch, out *exec.Out) error {
	return guarded(c.name, "call", out, func() error {
		x := cellsOf(&b.Cols[0], b.Len(), &c.a)
		for i, at := range b.Times {
			var err error
			if b.Cols[0].Nulls.Get(i) {
				err = out.Null(at)
			} else {
				err = c.put(out, at, c.f(x[i]))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type closure2[A, B, R Type] struct {
	rowClosure
	f   func(A, B) R
	put func(*exec.Out, int64, R) error
	a   []A
	b   []B
}

func (c *closure2[A, B, R]) Start(call *exec.Call) (column.Kind, exec.Access, error) {
	return c.start(call, kindOf[R](), kindOf[A](), kindOf[B]())
}

func (c *closure2[A, B, R]) Rows(b *exec.Batch, out *exec.Out) error {
	return guarded(c.name, "call", out, func() error {
		x, y := cellsOf(&b.Cols[0], b.Len(), &c.a), cellsOf(&b.Cols[1], b.Len(), &c.b)
		for i, at := range b.Times {
			var err error
			if b.Cols[0].Nulls.Get(i) || b.Cols[1].Nulls.Get(i) {
				err = out.Null(at)
			} else {
				err = c.put(out, at, c.f(x[i], y[i]))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

type closureAgg[S any, T, R Type] struct {
	name   string
	addOne func(*S, T)
	merge  func(s, other *S)
	result func(*S) R
	state  S
	any    bool
	cells  []T
}

func (c *closureAgg[S, T, R]) Start(call *exec.Call) (column.Kind, error) {
	c.name = call.Name
	return column.Kind(kindOf[R]()), checkInputs(call, kindOf[T]())
}

func (c *closureAgg[S, T, R]) Close() {}

func (c *closureAgg[S, T, R]) Reset() error {
	var zero S
	c.state, c.any = zero, false
	return nil
}

func (c *closureAgg[S, T, R]) Add(b *exec.Batch, lo, hi int) error {
	return guarded(c.name, "add", nil, func() error {
		x := cellsOf(&b.Cols[0], hi, &c.cells)
		for i := lo; i < hi; i++ {
			if !b.Cols[0].Nulls.Get(i) {
				c.any = true
				c.addOne(&c.state, x[i])
			}
		}
		return nil
	})
}

// Merges tells package exec whether groups can be put together.
func (c *closureAgg[S, T, R]) Merges() bool { return c.merge != nil }

func (c *closureAgg[S, T, R]) Merge(other exec.Aggregator) error {
	o, ok := other.(*closureAgg[S, T, R])
	if !ok {
		return fmt.Errorf("function %s: merged with %T: %w", c.name, other, errs.BadInput)
	}
	if !o.any {
		return nil
	}
	return guarded(c.name, "merge", nil, func() error {
		c.any = true
		c.merge(&c.state, &o.state)
		return nil
	})
}

func (c *closureAgg[S, T, R]) Result(out *exec.Col) error {
	return guarded(c.name, "result", nil, func() error {
		v := Value{}
		if c.any {
			v = valueOf(c.result(&c.state))
		}
		appendValue(out, v)
		return nil
	})
}

func kindOf[T Type]() Kind {
	var zero T
	return valueOf(zero).kind
}

// putter returns the method of exec.Out that emits a T.
func putter[T Type]() func(*exec.Out, int64, T) error {
	var zero T
	var put any
	switch any(zero).(type) {
	case bool:
		put = (*exec.Out).Bool
	case int32:
		put = (*exec.Out).Int32
	case int64:
		put = (*exec.Out).Int64
	case float32:
		put = (*exec.Out).Float32
	case float64:
		put = (*exec.Out).Float64
	case string:
		put = (*exec.Out).Text
	}
	return put.(func(*exec.Out, int64, T) error)
}

// cellsOf returns n cells of c as values of T, converted through scratch if
// they are of another kind. Start has checked that they can be.
func cellsOf[T Type](c *exec.Col, n int, scratch *[]T) []T {
	if same := sliceOf[T](&c.Vector); c.Kind == column.Kind(kindOf[T]()) {
		return same[:n]
	}
	if cap(*scratch) < n {
		*scratch = make([]T, n)
	}
	s := (*scratch)[:n]
	switch s := any(s).(type) {
	case []float64:
		for i := range s {
			s[i] = c.Float64At(i)
		}
	case []float32:
		for i := range s {
			s[i] = float32(c.Float64At(i))
		}
	case []int64:
		for i := range s {
			s[i] = int64(c.Int32s[i])
		}
	}
	return s
}
