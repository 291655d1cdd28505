package driver

import (
	"context"
	"database/sql/driver"
	"io"
	"iter"
	"math"
	"reflect"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
)

// rows are the result sets of one Query.
type rows struct {
	c     *conn
	ctx   context.Context
	texts []string // statements not run yet

	res   *iotsql.Result
	cols  []iotsql.Column
	next  func() ([]tickwell.Value, error, bool)
	stop  func()
	ended error
}

var (
	_ driver.RowsNextResultSet              = (*rows)(nil)
	_ driver.RowsColumnTypeDatabaseTypeName = (*rows)(nil)
	_ driver.RowsColumnTypeScanType         = (*rows)(nil)
	_ driver.RowsColumnTypeNullable         = (*rows)(nil)
	_ driver.RowsColumnTypeLength           = (*rows)(nil)
)

// advance runs statements up to one that answers.
func (r *rows) advance(args []driver.NamedValue) error {
	res, err := r.answer(args)
	if err != nil {
		return err
	}
	r.show(res)
	return nil
}

// answer returns the next result with rows, nil if there is none.
func (r *rows) answer(args []driver.NamedValue) (*iotsql.Result, error) {
	for len(r.texts) > 0 {
		text := r.texts[0]
		r.texts = r.texts[1:]
		res, err := r.c.sql.Exec(r.ctx, text, bound(args)...)
		if err != nil {
			r.texts = nil
			return nil, err
		}
		if res.HasRows() {
			return res, nil
		}
	}
	return nil, nil
}

func (r *rows) show(res *iotsql.Result) {
	_ = r.Close()
	r.res, r.cols, r.ended = res, nil, nil
	if res == nil {
		r.ended = io.EOF
		return
	}
	r.cols = res.Columns()
	r.next, r.stop = iter.Pull2(res.Rows())
}

// HasNextResultSet reports whether statements are left; they may not answer.
func (r *rows) HasNextResultSet() bool { return len(r.texts) > 0 }

// NextResultSet goes to the result of the next statement that has one.
func (r *rows) NextResultSet() error {
	res, err := r.answer(nil)
	if err != nil {
		return err
	}
	if res == nil {
		return io.EOF
	}
	r.show(res)
	return nil
}

// Columns returns the names.
func (r *rows) Columns() []string {
	names := make([]string, len(r.cols))
	for i, c := range r.cols {
		names[i] = c.Name
	}
	return names
}

// Close ends the reading.
func (r *rows) Close() error {
	if r.stop != nil {
		r.stop()
		r.next, r.stop = nil, nil
	}
	if r.ended == nil {
		r.ended = io.EOF
	}
	return nil
}

// Next reads a row.
func (r *rows) Next(dest []driver.Value) error {
	if r.ended != nil {
		return r.ended
	}
	row, err, ok := r.next()
	if !ok {
		r.ended = io.EOF
		return io.EOF
	}
	if err != nil {
		r.ended = err
		return err
	}
	for i, v := range row {
		if r.cols[i].IsTime && !r.c.ints && !v.IsNull() {
			dest[i] = r.res.Time(v).In(r.c.sql.Zone())
			continue
		}
		dest[i] = toDriver(v)
	}
	return nil
}

// ColumnTypeDatabaseTypeName returns the documents' name, such as DOUBLE.
func (r *rows) ColumnTypeDatabaseTypeName(i int) string { return r.cols[i].TypeName() }

var scanTypes = map[tickwell.Kind]reflect.Type{
	tickwell.KindBool: reflect.TypeFor[bool](), tickwell.KindInt32: reflect.TypeFor[int32](), tickwell.KindInt64: reflect.TypeFor[int64](),
	tickwell.KindFloat32: reflect.TypeFor[float32](), tickwell.KindFloat64: reflect.TypeFor[float64](), tickwell.KindText: reflect.TypeFor[string](),
}

// ColumnTypeScanType returns the Go type of the values that are not null.
func (r *rows) ColumnTypeScanType(i int) reflect.Type {
	if r.cols[i].IsTime && !r.c.ints {
		return reflect.TypeFor[time.Time]()
	}
	if t := scanTypes[r.cols[i].Kind]; t != nil {
		return t
	}
	return reflect.TypeFor[any]()
}

// ColumnTypeNullable reports that everything but the time may be null.
func (r *rows) ColumnTypeNullable(i int) (nullable, ok bool) { return !r.cols[i].IsTime || i > 0, true }

// ColumnTypeLength returns that texts have no bound.
func (r *rows) ColumnTypeLength(i int) (length int64, ok bool) {
	if r.cols[i].Kind == tickwell.KindText {
		return math.MaxInt64, true
	}
	return 0, false
}
