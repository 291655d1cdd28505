package tickwell

import (
	"fmt"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
)

// A UDAF (user-defined aggregate function) folds the values of a group into
// one. One value serves one use in one run of a query. It may also be a
// [UDFValidator], a [BeforeDestroyer] and a [Merger].
type UDAF interface {
	// BeforeStart reads the call and returns the kind of the result.
	BeforeStart(in *UDFInput) (Kind, error)
	// Reset starts an empty group.
	Reset()
	// Add folds a row; at least one input that is no constant is not null.
	Add(row Row) error
	// Result returns the value of the group, null for none.
	Result() (Value, error)
}

// Merger is a [UDAF] whose groups can be put together. It is needed where
// several series share a group (Query.Levels), and makes windows that overlap
// cheap: each row is folded once. Package tickwelltest checks its laws, and
// those of the interfaces below.
type Merger interface {
	// Merge folds the group of other, which has the same type and lies later in
	// time or is of another series. other must stay as it is.
	Merge(other UDAF) error
}

// Remover is a [UDAF] that can take back exactly what it added, for programs
// that keep a group of their own up to date. Queries fold rows anew or merge.
type Remover interface {
	// Remove takes back the row that was added first of those still in the group.
	Remove(row Row) error
}

// StateCodec is a [UDAF] whose group can be put into bytes and taken up again.
type StateCodec interface {
	// AppendState appends the group to dst.
	AppendState(dst []byte) []byte
	// SetState replaces the group by an encoded one. It is an error if src is no
	// whole one.
	SetState(src []byte) error
}

// aggregator drives a user's UDAF for package exec, with guarded calls.
type aggregator struct {
	name string
	make func() UDAF
	f    UDAF
	kind column.Kind
	rows *view
	in   []exec.Column
}

func newAggregator(makeNew func() UDAF) func() exec.Aggregator {
	return func() exec.Aggregator { return &aggregator{make: makeNew} }
}

func (a *aggregator) Start(c *exec.Call) (column.Kind, error) {
	a.name = c.Name
	in := udfInput(c)
	err := guarded(a.name, "new", nil, func() error {
		if a.f = a.make(); a.f == nil {
			return fmt.Errorf("its maker returned nil: %w", errs.BadInput)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if v, ok := a.f.(UDFValidator); ok {
		if err := guarded(a.name, "Validate", nil, func() error { return v.Validate(in) }); err != nil {
			return 0, err
		}
	}
	err = guarded(a.name, "BeforeStart", nil, func() error {
		kind, err := a.f.BeforeStart(in)
		a.kind = column.Kind(kind)
		if err == nil && !a.kind.Valid() {
			err = fmt.Errorf("it returned no output kind: %w", errs.BadInput)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	a.rows, a.in = newView(c.Inputs), c.Inputs
	return a.kind, a.reset()
}

func (a *aggregator) reset() error {
	return guarded(a.name, "Reset", nil, func() error { a.f.Reset(); return nil })
}

func (a *aggregator) Reset() error { return a.reset() }

func (a *aggregator) Add(b *exec.Batch, lo, hi int) error {
	rows := a.rows.show(b)
	defer a.rows.hide()
	return guarded(a.name, "Add", nil, func() error {
		for i := lo; i < hi; i++ {
			if a.empty(b, i) {
				continue
			}
			if err := a.f.Add(Row{rows, i}); err != nil {
				return err
			}
		}
		return nil
	})
}

// empty reports whether all inputs that are no constants are null in row i.
func (a *aggregator) empty(b *exec.Batch, i int) bool {
	for c := range b.Cols {
		if !a.in[c].Const && b.Cols[c].Kind != column.Null && !b.Cols[c].Nulls.Get(i) {
			return false
		}
	}
	return true
}

func (a *aggregator) Result(out *exec.Col) error {
	return guarded(a.name, "Result", nil, func() error {
		v, err := a.f.Result()
		if err != nil {
			return err
		}
		if !v.IsNull() && v.kind != Kind(a.kind) {
			return fmt.Errorf("it is %s, its output is %s: %w", v.kind, a.kind, errs.KindMismatch)
		}
		appendValue(out, v)
		return nil
	})
}

func (a *aggregator) Merge(other exec.Aggregator) error {
	// A plan merges only those that have the method.
	return guarded(a.name, "Merge", nil, func() error { return a.f.(Merger).Merge(other.(*aggregator).f) })
}

// Merges tells package exec whether the function has Merge.
func (a *aggregator) Merges() bool {
	_, ok := a.f.(Merger)
	return ok
}

func (a *aggregator) Close() {
	if f, ok := a.f.(BeforeDestroyer); ok {
		_ = call("function "+a.name, func() error { f.BeforeDestroy(); return nil })
	}
	a.f = nil
}

// appendValue adds v, which is null or of the column's kind.
func appendValue(c *exec.Col, v Value) {
	n := c.Len()
	switch v.kind {
	case KindBool:
		c.Bools = append(c.Bools, v.num == 1)
	case KindInt32:
		c.Int32s = append(c.Int32s, int32(v.Int64()))
	case KindInt64:
		c.Int64s = append(c.Int64s, v.Int64())
	case KindFloat32:
		c.Float32s = append(c.Float32s, float32(v.Float64()))
	case KindFloat64:
		c.Float64s = append(c.Float64s, v.Float64())
	case KindText:
		c.Texts = append(c.Texts, v.str)
	default:
		c.Nulls.Set(n)
		c.AppendZero(1)
	}
}
