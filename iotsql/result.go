package iotsql

import (
	"iter"
	"time"

	"github.com/tickwell/tickwell"
)

// Column describes a column of a [Result] as IoTDB prints it.
type Column struct {
	Name string        // the heading
	Kind tickwell.Kind // KindNull: of a series that does not exist
	// IsTime marks the column Time, an integer in the precision of the
	// connection. It is the first column or there is none.
	IsTime bool
}

// TypeName is the documents' name of the column's type: TIMESTAMP of the time,
// else BOOLEAN, INT32, INT64, FLOAT, DOUBLE or TEXT.
func (c Column) TypeName() string {
	if c.IsTime {
		return "TIMESTAMP"
	}
	return kindName(c.Kind)
}

// Result is what a statement answers.
type Result struct {
	cols     []Column
	unit     time.Duration
	affected int64
	rows     func(yield func([]tickwell.Value, error) bool)
}

// HasRows reports whether the statement answers with rows, also if there are
// none: SELECT, SHOW, COUNT and EXPLAIN do.
func (r *Result) HasRows() bool { return r.cols != nil }

// Columns describes the columns: Time, unless the rows have no time, then
// Device with ALIGN BY DEVICE, then the others.
func (r *Result) Columns() []Column { return r.cols }

// Affected returns how many rows were inserted.
func (r *Result) Affected() int64 { return r.affected }

// Time is the time of a row in the column Time.
func (r *Result) Time(v tickwell.Value) time.Time {
	return time.Unix(0, v.Int64()*int64(r.unit)).UTC()
}

// Rows yields the rows: a value per column, null where there is none. A row is
// only valid until the next one. A failure is yielded last, with a nil row. A
// SELECT runs anew each time it is ranged over.
func (r *Result) Rows() iter.Seq2[[]tickwell.Value, error] {
	if r.rows == nil {
		return func(func([]tickwell.Value, error) bool) {}
	}
	return r.rows
}

// done is the answer of a statement that has none.
func done(affected int64) *Result { return &Result{affected: affected} }

// queryResult shows what a query finds.
func (c *Conn) queryResult(r *tickwell.Result, q *tickwell.Query) *Result {
	if q.DisableAlign {
		return c.apart(r)
	}
	out := &Result{unit: c.unit, cols: []Column{}}
	timed := !r.Timeless()
	if timed {
		out.cols = append(out.cols, Column{Name: "Time", Kind: tickwell.KindInt64, IsTime: true})
	}
	device := q.AlignByDevice && len(q.Into) == 0
	if device {
		out.cols = append(out.cols, Column{Name: "Device", Kind: tickwell.KindText})
	}
	for _, col := range r.Columns() {
		out.cols = append(out.cols, Column{Name: col.Name, Kind: col.Kind})
	}
	out.rows = func(yield func([]tickwell.Value, error) bool) {
		row := make([]tickwell.Value, len(out.cols))
		for t, err := range r.Tablets() {
			if err != nil {
				yield(nil, err)
				return
			}
			for i, at := range t.Times {
				n := 0
				if timed {
					row[n] = tickwell.Int64Value(floorDiv(at, int64(c.unit)))
					n++
				}
				if device {
					row[n] = tickwell.TextValue(t.Device)
					n++
				}
				for k := range t.Columns {
					row[n+k] = tickwell.Value{}
					if !t.Columns[k].Nulls.Get(i) {
						row[n+k] = t.Columns[k].Data.Value(i)
					}
				}
				if !yield(row, nil) {
					return
				}
			}
		}
	}
	return out
}

// apart shows the columns of DISABLE ALIGN side by side, each with a time of
// its own.
func (c *Conn) apart(r *tickwell.Result) *Result {
	out := &Result{unit: c.unit, cols: []Column{}}
	names := r.Columns()
	for _, col := range names {
		out.cols = append(out.cols, Column{Name: "Time", Kind: tickwell.KindInt64, IsTime: true}, Column{Name: col.Name, Kind: col.Kind})
	}
	out.rows = func(yield func([]tickwell.Value, error) bool) {
		tablets, err := r.Collect()
		if err != nil {
			yield(nil, err)
			return
		}
		most := 0
		for _, t := range tablets { // one for each column
			most = max(most, t.Len())
		}
		row := make([]tickwell.Value, len(out.cols))
		for i := range most {
			clear(row)
			for k, t := range tablets {
				if i < t.Len() {
					row[2*k] = tickwell.Int64Value(floorDiv(t.Times[i], int64(c.unit)))
					row[2*k+1] = t.Row(i).Value(0)
				}
			}
			if !yield(row, nil) {
				return
			}
		}
	}
	return out
}

// table is a listing in memory.
type table struct {
	cols []Column
	rows [][]tickwell.Value
}

// listing makes a table of text columns.
func listing(names ...string) *table {
	t := &table{cols: []Column{}}
	for _, n := range names {
		t.cols = append(t.cols, Column{Name: n, Kind: tickwell.KindText})
	}
	return t
}

// typed gives a column another kind.
func (t *table) typed(name string, k tickwell.Kind) *table {
	for i := range t.cols {
		if t.cols[i].Name == name {
			t.cols[i].Kind = k
		}
	}
	return t
}

// add adds a row: texts, numbers, or nil for null.
func (t *table) add(cells ...any) {
	row := make([]tickwell.Value, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case string:
			row[i] = tickwell.TextValue(c)
		case int64:
			row[i] = tickwell.Int64Value(c)
		case int:
			row[i] = tickwell.Int32Value(int32(c))
		}
	}
	t.rows = append(t.rows, row)
}

func (t *table) result(c *Conn) *Result {
	return &Result{unit: c.unit, cols: t.cols, rows: func(yield func([]tickwell.Value, error) bool) {
		for _, row := range t.rows {
			if !yield(row, nil) {
				return
			}
		}
	}}
}
