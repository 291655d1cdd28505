package tickwell

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
)

// A UDTF (user-defined time-series generating function) makes one series, of
// any number of points, from one or more series. A query calls it by the name
// under which it is registered ([DB.RegisterFunction]).
//
// One value serves one use in one run of a query and is called by one
// goroutine at a time, so it may keep state in its fields. The calls are
//
//	Validate       if it is a [UDFValidator]
//	BeforeStart
//	TransformRow   for each row, or TransformWindow for each window
//	Terminate      if it is a [Terminator]; not if the query ended early
//	BeforeDestroy  if it is a [BeforeDestroyer]; always, also after an error
//
// A UDTF must be a [RowTransformer], a [WindowTransformer] or a [Mapper]: which
// one is called depends on the strategy that BeforeStart chooses. Planning a
// query makes one more value, which is validated, started and destroyed but
// gets no rows, to learn the kind of its output.
type UDTF interface {
	// BeforeStart reads the call and says, through cfg, which kind of value the
	// function emits and how it reads its input.
	BeforeStart(in *UDFInput, cfg *UDTFConfig) error
}

// RowTransformer is a [UDTF] that reads row by row. At least one input of a row
// is not null. The row is only valid during the call.
type RowTransformer interface {
	TransformRow(row Row, out *Collector) error
}

// WindowTransformer is a [UDTF] that reads windows of rows.
type WindowTransformer interface {
	TransformWindow(w *RowWindow, out *Collector) error
}

// Mapper is a [UDTF] that gives exactly one value, or null, for each row (the
// documents' MappableRowByRow strategy).
type Mapper interface {
	MapRow(row Row) (Value, error)
}

// Terminator is a [UDTF] that has points left when the input has ended.
type Terminator interface {
	Terminate(out *Collector) error
}

// UDFValidator is a [UDTF] or [UDAF] that checks the call before it starts.
// The methods of [UDFInput] check what is usual, in the documents' words.
type UDFValidator interface {
	Validate(in *UDFInput) error
}

// BeforeDestroyer is a [UDTF] or [UDAF] that frees what it opened.
type BeforeDestroyer interface {
	BeforeDestroy()
}

// FunctionSpec names a function for registration; one of the makers is set, or
// it comes from [RowFunc1], [RowFunc2] or [AggregateFunc]. Names are not
// case-sensitive, and those of built-in functions are taken.
type FunctionSpec struct {
	Name string      // as queries call it
	UDTF func() UDTF // makes one for each call in a query
	UDAF func() UDAF // likewise
	// Class, in place of all makers, names one of Options.FunctionClasses: the
	// function is there again after a restart.
	Class string

	closure   string // Go type of a closure, made by the functions above
	series    func() exec.Transformer
	aggregate func() exec.Aggregator
}

// FunctionInfo describes a function as SHOW FUNCTIONS does.
type FunctionInfo struct {
	Name  string // upper case
	Type  string // native, built-in scalar, built-in UDTF, external UDTF, external UDAF
	Class string // of an external function: FunctionSpec.Class, or its Go type
	// Implements lists the optional interfaces of this package that were
	// recognised on an external function, such as "Terminator".
	Implements []string
}

// UDFInput is a call as written in the query.
type UDFInput struct {
	Function string       // name as written
	Params   Params       // the named arguments
	Inputs   []ColumnInfo // the series, with full path or expression as name
	// Unit is what the query counts time in, and so what a number among Params
	// that means a time or a duration is counted in: a nanosecond, with SQL the
	// precision of the connection.
	Unit time.Duration
}

// RequireAttribute checks that a named argument is given.
func (in *UDFInput) RequireAttribute(key string) error {
	_, err := in.Params.need(key)
	return err
}

// RequireInputs checks the number of input series.
func (in *UDFInput) RequireInputs(n int) error {
	if len(in.Inputs) != n {
		return fmt.Errorf("the number of the input series is not valid. expected: %d. actual: %d: %w", n, len(in.Inputs), errs.BadInput)
	}
	return nil
}

// RequireInputsBetween checks that the number of input series is in [lo, hi].
func (in *UDFInput) RequireInputsBetween(lo, hi int) error {
	if n := len(in.Inputs); n < lo || n > hi {
		return fmt.Errorf("the number of the input series is not valid. expected: [%d, %d]. actual: %d: %w", lo, hi, n, errs.BadInput)
	}
	return nil
}

// RequireKind checks that input i has one of kinds.
func (in *UDFInput) RequireKind(i int, kinds ...Kind) error {
	if i < 0 || i >= len(in.Inputs) {
		return fmt.Errorf("the index (%d) of the input series is not valid. valid index range: [0, %d): %w", i, len(in.Inputs), errs.BadInput)
	}
	got := in.Inputs[i].Kind
	if slices.Contains(kinds, got) {
		return nil
	}
	names := make([]string, len(kinds))
	for j, k := range kinds {
		names[j] = exec.DocumentKind(column.Kind(k))
	}
	want := strings.Join(names, ", ")
	if len(kinds) != 1 {
		want = "[" + want + "]"
	}
	return fmt.Errorf("the data type of the input series (index: %d) is not valid. expected: %s. actual: %s: %w",
		i, want, exec.DocumentKind(column.Kind(got)), errs.KindMismatch)
}

// Require checks a rule of the function's own: message is the error if ok is
// false.
func (in *UDFInput) Require(ok bool, message string) error {
	if ok {
		return nil
	}
	return fmt.Errorf("%s: %w", message, errs.BadInput)
}

// UDTFConfig is how a [UDTF] answers BeforeStart. Its methods can be chained.
// Output must be called. The other methods choose the access strategy, the
// last call counts; without one the function reads row by row.
type UDTFConfig struct {
	output column.Kind
	access exec.Access
}

// Output sets the kind of the points the function emits.
func (c *UDTFConfig) Output(k Kind) *UDTFConfig {
	c.output = column.Kind(k)
	return c
}

func (c *UDTFConfig) use(a exec.Access) *UDTFConfig {
	a.Begin, a.End = c.access.Begin, c.access.End
	c.access = a
	return c
}

// RowByRow gives each row to TransformRow, or to MapRow of a [Mapper] that is
// no [RowTransformer].
func (c *UDTFConfig) RowByRow() *UDTFConfig { return c.use(exec.Access{Kind: exec.RowByRow}) }

// Mappable gives each row to MapRow.
func (c *UDTFConfig) Mappable() *UDTFConfig { return c.use(exec.Access{Kind: exec.Mapped}) }

// SlidingTime gives windows of interval that begin every step (0: interval),
// from the begin of the display window, or from the first row if there is
// none. Windows without rows are given too, save those after the last row.
func (c *UDTFConfig) SlidingTime(interval, step time.Duration) *UDTFConfig {
	if step == 0 {
		step = interval
	}
	return c.use(exec.Access{Kind: exec.SlidingTime, Interval: int64(interval), Step: int64(step)})
}

// SlidingSize gives windows of size rows that begin every step rows (0: size).
// The last windows may be shorter.
func (c *UDTFConfig) SlidingSize(size, step int) *UDTFConfig {
	if step == 0 {
		step = size
	}
	return c.use(exec.Access{Kind: exec.SlidingSize, Size: int64(size), Step: int64(step)})
}

// Session gives windows of rows that follow each other by at most gap.
func (c *UDTFConfig) Session(gap time.Duration) *UDTFConfig {
	return c.use(exec.Access{Kind: exec.Session, Interval: int64(gap)})
}

// State gives windows of rows whose value differs from the first value of the
// window by at most delta; texts and booleans must be equal. The function must
// have one input.
func (c *UDTFConfig) State(delta float64) *UDTFConfig {
	return c.use(exec.Access{Kind: exec.State, Delta: delta})
}

// Display limits windows to rows with begin <= time < end; sliding time
// windows are counted from begin. A zero time leaves that side open.
func (c *UDTFConfig) Display(begin, end time.Time) *UDTFConfig {
	c.access.Begin, c.access.End = exec.NoBegin, exec.NoEnd
	if !begin.IsZero() {
		c.access.Begin = clampNano(begin)
	}
	if !end.IsZero() {
		c.access.End = clampNano(end)
	}
	return c
}

// Collector takes the points a function emits. Times are Unix nanoseconds and
// must increase strictly over all calls; the kind must be the one given to
// [UDTFConfig.Output]. A wrong time or kind, or more points than the memory
// budget of the query, is returned at once and ends the query with an error
// that names the function, whatever the function does with it.
type Collector struct{ out *exec.Out }

// PutBool emits a point.
func (c *Collector) PutBool(unixNano int64, v bool) error { return c.out.Bool(unixNano, v) }

// PutInt32 emits a point.
func (c *Collector) PutInt32(unixNano int64, v int32) error { return c.out.Int32(unixNano, v) }

// PutInt64 emits a point.
func (c *Collector) PutInt64(unixNano int64, v int64) error { return c.out.Int64(unixNano, v) }

// PutFloat32 emits a point.
func (c *Collector) PutFloat32(unixNano int64, v float32) error { return c.out.Float32(unixNano, v) }

// PutFloat64 emits a point.
func (c *Collector) PutFloat64(unixNano int64, v float64) error { return c.out.Float64(unixNano, v) }

// PutText emits a point.
func (c *Collector) PutText(unixNano int64, v string) error { return c.out.Text(unixNano, v) }

// PutBytes emits a point of kind Text.
func (c *Collector) PutBytes(unixNano int64, v []byte) error { return c.out.Text(unixNano, string(v)) }

// Put emits a point; a null value emits nothing.
func (c *Collector) Put(unixNano int64, v Value) error { return putValue(c.out, unixNano, v) }

func putValue(out *exec.Out, at int64, v Value) error {
	switch v.kind {
	case KindBool:
		return out.Bool(at, v.num == 1)
	case KindInt32:
		return out.Int32(at, int32(v.Int64()))
	case KindInt64:
		return out.Int64(at, v.Int64())
	case KindFloat32:
		return out.Float32(at, float32(v.Float64()))
	case KindFloat64:
		return out.Float64(at, v.Float64())
	case KindText:
		return out.Text(at, v.str)
	}
	return out.Err()
}

// RowWindow is the rows of one window. It is only valid during the call.
type RowWindow struct {
	rows       *Tablet
	start, end int64
}

// Len returns the number of rows, which may be 0 (windowSize).
func (w *RowWindow) Len() int { return len(w.rows.Times) }

// Row returns row i in time order. An index outside [0, Len()) panics with a
// text that says so, and the query ends with an error that names the function.
func (w *RowWindow) Row(i int) Row {
	if i < 0 || i >= w.Len() {
		panic(fmt.Sprintf("row %d of a window of %d rows", i, w.Len()))
	}
	return w.rows.Row(i)
}

// Tablet returns the rows as a Tablet without a device, to read by column.
func (w *RowWindow) Tablet() *Tablet { return w.rows }

// Start returns where the window begins, in Unix nanoseconds: its place on the
// grid for sliding time windows, else the time of the first row
// (windowStartTime).
func (w *RowWindow) Start() int64 { return w.start }

// End returns the last instant of the window, in Unix nanoseconds: start +
// interval - 1 for sliding time windows, else the time of the last row
// (windowEndTime).
func (w *RowWindow) End() int64 { return w.end }
