package tickwell

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// A Tablet is a batch of rows of one device, held by column. It is the shape
// data has everywhere in this package: you insert a Tablet, a [Trigger] is
// fired with one, a query yields them.
//
// A Tablet handed to a callback or yielded by an iterator belongs to the store:
// read it, do not change it, and call [Tablet.Clone] to keep it.
type Tablet struct {
	Device  string   // such as "root.ln.wf01.wt01"
	Times   []int64  // Unix nanoseconds, one per row, in any order
	Columns []Column // one per measurement, each as long as Times
}

// Column is one measurement of a [Tablet].
type Column struct {
	Name  string // the measurement, without the device
	Data  Vector // as long as Tablet.Times
	Nulls Bitmap // rows without a value; nil: none
}

// Vector is the data of a column: [Bools], [Int32s], [Int64s], [Float32s],
// [Float64s] or [Texts].
type Vector interface {
	// Len returns the number of values.
	Len() int
	// Kind returns the kind of every value.
	Kind() Kind
	// Value returns value i.
	Value(i int) Value

	vector() column.Vector
}

type (
	// Bools is the [Vector] of kind Bool.
	Bools []bool
	// Int32s is the [Vector] of kind Int32.
	Int32s []int32
	// Int64s is the [Vector] of kind Int64.
	Int64s []int64
	// Float32s is the [Vector] of kind Float32.
	Float32s []float32
	// Float64s is the [Vector] of kind Float64.
	Float64s []float64
	// Texts is the [Vector] of kind Text.
	Texts []string
)

// Len returns the number of values.
func (v Bools) Len() int { return len(v) }

// Len returns the number of values.
func (v Int32s) Len() int { return len(v) }

// Len returns the number of values.
func (v Int64s) Len() int { return len(v) }

// Len returns the number of values.
func (v Float32s) Len() int { return len(v) }

// Len returns the number of values.
func (v Float64s) Len() int { return len(v) }

// Len returns the number of values.
func (v Texts) Len() int { return len(v) }

// Kind returns KindBool.
func (v Bools) Kind() Kind { return KindBool }

// Kind returns KindInt32.
func (v Int32s) Kind() Kind { return KindInt32 }

// Kind returns KindInt64.
func (v Int64s) Kind() Kind { return KindInt64 }

// Kind returns KindFloat32.
func (v Float32s) Kind() Kind { return KindFloat32 }

// Kind returns KindFloat64.
func (v Float64s) Kind() Kind { return KindFloat64 }

// Kind returns KindText.
func (v Texts) Kind() Kind { return KindText }

// Value returns value i.
func (v Bools) Value(i int) Value { return BoolValue(v[i]) }

// Value returns value i.
func (v Int32s) Value(i int) Value { return Int32Value(v[i]) }

// Value returns value i.
func (v Int64s) Value(i int) Value { return Int64Value(v[i]) }

// Value returns value i.
func (v Float32s) Value(i int) Value { return Float32Value(v[i]) }

// Value returns value i.
func (v Float64s) Value(i int) Value { return Float64Value(v[i]) }

// Value returns value i.
func (v Texts) Value(i int) Value { return TextValue(v[i]) }

func (v Bools) vector() column.Vector    { return column.Vector{Kind: column.Bool, Bools: v} }
func (v Int32s) vector() column.Vector   { return column.Vector{Kind: column.Int32, Int32s: v} }
func (v Int64s) vector() column.Vector   { return column.Vector{Kind: column.Int64, Int64s: v} }
func (v Float32s) vector() column.Vector { return column.Vector{Kind: column.Float32, Float32s: v} }
func (v Float64s) vector() column.Vector { return column.Vector{Kind: column.Float64, Float64s: v} }
func (v Texts) vector() column.Vector    { return column.Vector{Kind: column.Text, Texts: v} }

// vectorOf is the public face of an internal vector; nothing is copied.
func vectorOf(v *column.Vector) Vector {
	switch v.Kind {
	case column.Bool:
		return Bools(v.Bools)
	case column.Int32:
		return Int32s(v.Int32s)
	case column.Int64:
		return Int64s(v.Int64s)
	case column.Float32:
		return Float32s(v.Float32s)
	case column.Float64:
		return Float64s(v.Float64s)
	case column.Text:
		return Texts(v.Texts)
	}
	return nil
}

// Bitmap marks rows, one bit each, lowest bit first. A nil Bitmap marks none.
type Bitmap []uint64

// Get reports whether row i is marked.
func (b Bitmap) Get(i int) bool { return column.Bitmap(b).Get(i) }

// Set marks row i, growing b as needed.
func (b *Bitmap) Set(i int) { (*column.Bitmap)(b).Set(i) }

// clone is a copy of what b says of n rows. Of the rows behind them it may say
// something as well, for it may belong to a longer column.
func (b Bitmap) clone(n int) Bitmap {
	own := slices.Clone(b[:min(len(b), (n+63)>>6)])
	if rest := uint(n) & 63; rest > 0 && len(own) == n>>6+1 {
		own[n>>6] &= 1<<rest - 1
	}
	return own
}

// Len returns the number of rows.
func (t *Tablet) Len() int { return len(t.Times) }

// Append adds a row at time at, making columns for names not seen before; the
// other columns get a null. A field whose kind differs from its column's is an
// error that satisfies errors.Is(err, [ErrKindMismatch]), and nothing is added.
func (t *Tablet) Append(at time.Time, fields ...Field) error {
	ns, err := unixNano(at)
	if err != nil {
		return &Error{Op: "append", Subject: t.Device, Err: err}
	}
	for c := range t.Columns {
		if t.Columns[c].Data == nil {
			return &Error{Op: "append", Subject: t.Device, Err: noData(t.Columns[c].Name)}
		}
	}
	for i := range fields {
		f := &fields[i]
		for j := range i {
			if fields[j].Name == f.Name {
				return &Error{Op: "append", Subject: t.Device, Err: fmt.Errorf("column %q is given twice: %w", f.Name, errs.BadInput)}
			}
		}
		if c := t.index(f.Name); c >= 0 && !f.Value.IsNull() && t.Columns[c].Data.Kind() != f.Value.kind {
			return &Error{Op: "append", Subject: t.Device, Err: kindMismatch(f.Name, t.Columns[c].Data.Kind(), f.Value.kind)}
		}
	}
	n := len(t.Times)
	t.Times = append(t.Times, ns)
	for i := range fields {
		f := &fields[i]
		c := t.index(f.Name)
		if c < 0 {
			if f.Value.IsNull() {
				continue
			}
			var v column.Vector
			v.Reset(column.Kind(f.Value.kind))
			v.AppendZero(n)
			col := Column{Name: f.Name, Data: vectorOf(&v)}
			for r := range n {
				col.Nulls.Set(r)
			}
			t.Columns = append(t.Columns, col)
			c = len(t.Columns) - 1
		}
		t.Columns[c].appendValue(f.Value)
	}
	for c := range t.Columns {
		if t.Columns[c].Data.Len() == n {
			t.Columns[c].appendValue(Value{})
		}
	}
	return nil
}

func noData(column string) error {
	return fmt.Errorf("column %q has no data: %w", column, errs.BadInput)
}

func (c *Column) appendValue(v Value) {
	if v.IsNull() {
		c.Nulls.Set(c.Data.Len())
	}
	switch d := c.Data.(type) {
	case Bools:
		c.Data = append(d, v.Bool())
	case Int32s:
		c.Data = append(d, int32(v.Int64()))
	case Int64s:
		c.Data = append(d, v.Int64())
	case Float32s:
		c.Data = append(d, math.Float32frombits(uint32(v.num)))
	case Float64s:
		c.Data = append(d, math.Float64frombits(v.num))
	case Texts:
		c.Data = append(d, v.str)
	}
}

func (t *Tablet) index(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Column returns the named column.
func (t *Tablet) Column(name string) (Column, bool) {
	if i := t.index(name); i >= 0 {
		return t.Columns[i], true
	}
	return Column{}, false
}

// Float64s returns the data of the named column if it is of kind Float64, else
// nil. Rows marked in the column's Nulls hold a meaningless zero.
func (t *Tablet) Float64s(name string) Float64s {
	if i := t.index(name); i >= 0 {
		d, _ := t.Columns[i].Data.(Float64s)
		return d
	}
	return nil
}

// Row returns a view of row i.
func (t *Tablet) Row(i int) Row { return Row{t, i} }

// Rows yields a view of each row in the order held.
func (t *Tablet) Rows() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		for i := range t.Times {
			if !yield(Row{t, i}) {
				return
			}
		}
	}
}

// Clone returns a deep copy that the caller owns.
func (t *Tablet) Clone() *Tablet {
	c := &Tablet{Device: t.Device, Times: slices.Clone(t.Times), Columns: slices.Clone(t.Columns)}
	var floats []float64 // of all such columns
	for i := range c.Columns {
		c.Columns[i].Nulls = t.Columns[i].Nulls.clone(t.Len())
		if data, ok := t.Columns[i].Data.(Float64s); ok {
			if floats == nil {
				floats = make([]float64, 0, len(data)*(len(c.Columns)-i))
			}
			from := len(floats)
			floats = append(floats, data...)
			c.Columns[i].Data = Float64s(floats[from:len(floats):len(floats)])
			continue
		}
		if t.Columns[i].Data == nil {
			continue
		}
		v := t.Columns[i].Data.vector()
		var w column.Vector
		w.Reset(v.Kind)
		w.AppendRange(&v, 0, v.Len())
		c.Columns[i].Data = vectorOf(&w)
	}
	return c
}

// Validate reports columns without data or of unequal length, repeated or
// empty names, and times that cannot be stored. Its errors satisfy
// errors.Is(err, [ErrBadInput]).
func (t *Tablet) Validate() error {
	for i := range t.Columns {
		c := &t.Columns[i]
		switch {
		case c.Name == "":
			return fmt.Errorf("column %d has no name: %w", i, errs.BadInput)
		case c.Data == nil:
			return noData(c.Name)
		case c.Data.Len() != len(t.Times):
			return fmt.Errorf("column %q has %d values for %d rows: %w", c.Name, c.Data.Len(), len(t.Times), errs.BadInput)
		case t.index(c.Name) != i:
			return fmt.Errorf("column %q is given twice: %w", c.Name, errs.BadInput)
		}
	}
	for i, at := range t.Times {
		if at < minTime || at > maxTime {
			return fmt.Errorf("row %d: time %d is outside [%d, %d]: %w", i, at, minTime, maxTime, errs.BadInput)
		}
	}
	return nil
}

// Row is a view of one row of a [Tablet]. The zero Row reads as null.
type Row struct {
	t *Tablet
	i int
}

// Device returns the device of the row.
func (r Row) Device() string {
	if r.t == nil {
		return ""
	}
	return r.t.Device
}

// Time returns the time of the row in UTC, the zero time for the zero Row.
func (r Row) Time() time.Time {
	if r.t == nil {
		return time.Time{}
	}
	return time.Unix(0, r.t.Times[r.i]).UTC()
}

// UnixNano returns the time of the row in Unix nanoseconds.
func (r Row) UnixNano() int64 {
	if r.t == nil {
		return 0
	}
	return r.t.Times[r.i]
}

// Len returns the number of columns.
func (r Row) Len() int {
	if r.t == nil {
		return 0
	}
	return len(r.t.Columns)
}

// Value returns the cell of column c, null if there is no such column.
func (r Row) Value(c int) Value {
	if r.t == nil || c < 0 || c >= len(r.t.Columns) || r.t.Columns[c].Nulls.Get(r.i) {
		return Value{}
	}
	return r.t.Columns[c].Data.Value(r.i)
}

// Get returns the cell of the named column, null if there is no such column.
func (r Row) Get(name string) Value {
	if r.t == nil {
		return Value{}
	}
	return r.Value(r.t.index(name))
}

// Float64 returns the cell of column c as [Value.Float64] does.
func (r Row) Float64(c int) float64 {
	if r.t == nil || uint(c) >= uint(len(r.t.Columns)) {
		return math.NaN()
	}
	col := &r.t.Columns[c]
	if len(col.Nulls) > 0 && col.Nulls.Get(r.i) {
		return math.NaN()
	}
	// The usual kinds without the detour of a Value: functions read each row so.
	switch d := col.Data.(type) {
	case Float64s:
		return d[r.i]
	case Float32s:
		return float64(d[r.i])
	case Int64s:
		return float64(d[r.i])
	case Int32s:
		return float64(d[r.i])
	}
	return col.Data.Value(r.i).Float64()
}

// IsNull reports whether the cell of column c is null.
func (r Row) IsNull(c int) bool { return r.Value(c).IsNull() }
