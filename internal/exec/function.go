package exec

import (
	"fmt"
	"math"
	"strings"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// Functions finds registered functions by name in lower case. Built-in names
// are looked up first and never reach it.
type Functions interface {
	Function(name string) (Function, bool)
}

// Function is a registered function; one of the two makers is set. A new
// instance is made for each use in each run of a query, and one more to plan.
type Function struct {
	Series    func() Transformer // from series to a series (UDTF)
	Aggregate func() Aggregator  // from a group of rows to a value (UDAF)
}

// Call is how a function is called.
type Call struct {
	Name   string // as typed
	Inputs []Column
	Attrs  []expr.Attr
	Unit   int64 // nanoseconds that a time or a duration is counted in
}

// Attr returns the value of a named argument.
//
//go:noinline
func (c *Call) Attr(key string) (string, bool) {
	for i := len(c.Attrs) - 1; i >= 0; i-- {
		if c.Attrs[i].Key == key {
			return c.Attrs[i].Value, true
		}
	}
	return "", false
}

// AccessKind says how a Transformer reads its input.
type AccessKind uint8

// The kinds of access.
const (
	RowByRow AccessKind = iota
	Mapped              // row by row, exactly one value at the row's time
	SlidingTime
	SlidingSize
	Session
	State
)

// Access is the documents' access strategy.
type Access struct {
	Kind       AccessKind
	Interval   int64 // sliding time: length; session: gap
	Step       int64 // sliding time, sliding size
	Size       int64 // sliding size
	Delta      float64
	Begin, End int64 // display window [Begin, End); the extremes of int64: not given
}

// NoBegin and NoEnd are a display window that is not given.
const (
	NoBegin = math.MinInt64
	NoEnd   = math.MaxInt64
)

// check returns what is wrong with a, in the documents' words.
func (a *Access) check(inputs int) error {
	switch a.Kind {
	case SlidingTime:
		if a.Interval <= 0 {
			return errs.Badf("parameter timeInterval(%d) should be positive", a.Interval)
		}
		if a.Step <= 0 {
			return errs.Badf("parameter slidingStep(%d) should be positive", a.Step)
		}
	case SlidingSize:
		if a.Size <= 0 {
			return errs.Badf("parameter windowSize(%d) should be positive", a.Size)
		}
		if a.Step <= 0 {
			return errs.Badf("parameter slidingStep(%d) should be positive", a.Step)
		}
	case Session:
		if a.Interval < 0 {
			return errs.Badf("parameter sessionTimeGap(%d) should be equal to or greater than zero", a.Interval)
		}
	case State:
		if !(a.Delta >= 0) {
			return errs.Badf("parameter delta(%f) should be positive or equal to 0", a.Delta)
		}
		if inputs != 1 {
			return errs.Badf("the state window strategy takes one input series, got %d", inputs)
		}
	}
	if a.End < a.Begin {
		return errs.Badf("displayWindowEnd(%d) < displayWindowBegin(%d)", a.End, a.Begin)
	}
	return nil
}

// Transformer is one use of a function that makes a series. The calls are
// Start, then Rows or Window as the access strategy says, Terminate once after
// the last of them unless the query ended early, and Close in any case.
type Transformer interface {
	Start(c *Call) (out column.Kind, access Access, err error)
	// Rows takes the next rows, none of which is null in all inputs.
	Rows(b *Batch, out *Out) error
	// Window takes the rows of the window that covers [start, end]; it may be empty.
	Window(b *Batch, start, end int64, out *Out) error
	Terminate(out *Out) error
	Close()
}

// Out takes the points that a function emits. Errors stay: after one every
// further call returns it, and the query ends with it.
type Out struct {
	name   string
	kind   column.Kind
	budget int64
	held   int64

	times []int64
	col   Col
	last  int64 // of the last point; before the first the least int64, which is no time
	room  int   // points of a fixed size that may be held; 0 after an error
	err   error
}

func newOut(name string, kind column.Kind, budget int64) *Out {
	o := &Out{name: name, kind: kind, budget: budget, last: math.MinInt64}
	if kind != column.Text {
		o.room = int(min(budget/16, math.MaxInt32))
	}
	o.col.reset(kind)
	return o
}

// Kind returns the kind of the points.
func (o *Out) Kind() column.Kind { return o.kind }

// Err returns the first error.
func (o *Out) Err() error { return o.err }

func (o *Out) fail(err error) error {
	o.room = 0
	if o.err == nil {
		o.err = err
	}
	return o.err
}

// admit checks kind, time order and memory of a point that is size bytes long.
func (o *Out) admit(at int64, kind column.Kind, size int64) error {
	if o.err != nil {
		return o.err
	}
	if kind != o.kind {
		return o.fail(fmt.Errorf("function %s: emitted %s, its output is %s: %w", o.name, kind, o.kind, errs.KindMismatch))
	}
	if at <= o.last {
		return o.fail(fmt.Errorf("function %s: emitted time %d after %d, times must increase: %w", o.name, at, o.last, errs.BadInput))
	}
	o.held += size
	if o.held > o.budget || kind != column.Text && len(o.times) >= o.room {
		return o.fail(fmt.Errorf("function %s: holds more than %d bytes of emitted points: %w", o.name, o.budget, errs.Limit))
	}
	o.last = at
	o.times = append(o.times, at)
	return nil
}

// Bool emits a point.
func (o *Out) Bool(at int64, v bool) error {
	if at > o.last && o.kind == column.Bool && len(o.times) < o.room {
		o.last = at
		o.times = append(o.times, at)
	} else if err := o.admit(at, column.Bool, 0); err != nil {
		return err
	}
	o.col.Bools = append(o.col.Bools, v)
	return nil
}

// Int32 emits a point.
func (o *Out) Int32(at int64, v int32) error {
	if at > o.last && o.kind == column.Int32 && len(o.times) < o.room {
		o.last = at
		o.times = append(o.times, at)
	} else if err := o.admit(at, column.Int32, 0); err != nil {
		return err
	}
	o.col.Int32s = append(o.col.Int32s, v)
	return nil
}

// Int64 emits a point.
func (o *Out) Int64(at int64, v int64) error {
	if at > o.last && o.kind == column.Int64 && len(o.times) < o.room {
		o.last = at
		o.times = append(o.times, at)
	} else if err := o.admit(at, column.Int64, 0); err != nil {
		return err
	}
	o.col.Int64s = append(o.col.Int64s, v)
	return nil
}

// Float32 emits a point.
func (o *Out) Float32(at int64, v float32) error {
	if at > o.last && o.kind == column.Float32 && len(o.times) < o.room {
		o.last = at
		o.times = append(o.times, at)
	} else if err := o.admit(at, column.Float32, 0); err != nil {
		return err
	}
	o.col.Float32s = append(o.col.Float32s, v)
	return nil
}

// Float64 emits a point.
func (o *Out) Float64(at int64, v float64) error {
	if at > o.last && o.kind == column.Float64 && len(o.times) < o.room {
		o.last = at
		o.times = append(o.times, at)
	} else if err := o.admit(at, column.Float64, 0); err != nil {
		return err
	}
	o.col.Float64s = append(o.col.Float64s, v)
	return nil
}

// Text emits a point.
func (o *Out) Text(at int64, v string) error {
	if err := o.admit(at, column.Text, 24+int64(len(v))); err != nil {
		return err
	}
	o.col.Texts = append(o.col.Texts, v)
	return nil
}

// Null emits a row without a value, which only a mapped function may do.
func (o *Out) Null(at int64) error {
	if err := o.admit(at, o.kind, 16); err != nil {
		return err
	}
	o.col.appendNull()
	return nil
}

// Cell emits cell i of c, which must have the output's kind.
func (o *Out) Cell(at int64, c *Col, i int) error {
	if c.Nulls.Get(i) {
		return o.Null(at)
	}
	size := int64(16)
	if c.Kind == column.Text {
		size = 24 + int64(len(c.Texts[i]))
	}
	if err := o.admit(at, c.Kind, size); err != nil {
		return err
	}
	o.col.AppendRange(&c.Vector, i, i+1)
	return nil
}

// Number emits v as a point of the output's kind, which must be numeric.
func (o *Out) Number(at int64, v float64) error {
	switch o.kind {
	case column.Int32:
		return o.Int32(at, int32(v))
	case column.Int64:
		return o.Int64(at, int64(v))
	case column.Float32:
		return o.Float32(at, float32(v))
	}
	return o.Float64(at, v)
}

// take hands over what was emitted; the batch is valid until release.
func (o *Out) take(b *Batch) {
	b.Times = o.times
	b.Cols = append(b.Cols[:0], o.col)
}

func (o *Out) release() {
	o.times = o.times[:0]
	o.col.reset(o.kind)
	o.held = 0
}

// DocumentKind is the IoTDB documents' name of a kind.
//
//go:noinline
func DocumentKind(k column.Kind) string {
	switch k {
	case column.Bool:
		return "BOOLEAN"
	case column.Int32:
		return "INT32"
	case column.Int64:
		return "INT64"
	case column.Float32:
		return "FLOAT"
	case column.Float64:
		return "DOUBLE"
	case column.Text:
		return "TEXT"
	}
	return "UNKNOWN"
}

// ParseKind reads a kind by its tickwell or its documents' name.
func ParseKind(s string) (column.Kind, bool) {
	for k := column.Bool; k <= column.Text; k++ {
		if strings.EqualFold(s, k.String()) || strings.EqualFold(s, DocumentKind(k)) {
			return k, true
		}
	}
	return column.Null, false
}
