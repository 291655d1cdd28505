package tickwell

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// SeriesInfo describes a series.
type SeriesInfo struct {
	Device string // all nodes of the path but the last
	Name   string // the measurement, last node of the path
	Kind   Kind   // of all its values
}

// Path returns device and measurement joined by a dot.
func (s SeriesInfo) Path() string { return s.Device + "." + s.Name }

// CreateSeries makes a series before its first point, which is as safe when it
// returns as a row that was inserted. It is no error if the series exists with the
// same kind.
func (db *DB) CreateSeries(ctx context.Context, path string, kind Kind) error {
	fail := func(err error) error { return &Error{Op: "create series", Subject: path, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionCreateSeries, path); err != nil {
		return err
	}
	device, name, err := splitPath(path)
	if err != nil {
		return fail(err)
	}
	if err := db.eng.Define(ctx, device, name, column.Kind(kind)); err != nil {
		return fail(err)
	}
	return nil
}

func splitPath(path string) (device, name string, err error) {
	if path, err = pattern.Canonical(path); err != nil {
		return "", "", err
	}
	device, name = pattern.Split(path)
	if device == "" {
		return "", "", fmt.Errorf("path %q has no device before its measurement: %w", path, errs.BadInput)
	}
	return device, name, nil
}

// ListSeries yields the series that match pattern, sorted by path, as of the
// call.
func (db *DB) ListSeries(ctx context.Context, pat string) (iter.Seq[SeriesInfo], error) {
	all, err := db.matching(ctx, "list series", pat)
	if err != nil {
		return nil, err
	}
	return func(yield func(SeriesInfo) bool) {
		for _, s := range all {
			if !yield(SeriesInfo{s.Device, s.Name, Kind(s.Kind)}) {
				return
			}
		}
	}, nil
}

// SeriesKind returns the kind of a series, KindNull if there is none.
func (db *DB) SeriesKind(device, measurement string) Kind {
	if !db.made() {
		return KindNull
	}
	if s, ok := db.eng.Lookup(device, measurement); ok {
		return Kind(s.Kind)
	}
	path, err := pattern.Canonical(pattern.Join(device, measurement))
	if err != nil {
		return KindNull
	}
	if s, ok := db.eng.Lookup(pattern.Split(path)); ok {
		return Kind(s.Kind)
	}
	return KindNull
}

func (db *DB) matching(ctx context.Context, op, pat string) ([]*engine.Series, error) {
	fail := func(err error) error { return &Error{Op: op, Subject: pat, Err: err} }
	if err := db.usable(ctx); err != nil {
		return nil, fail(err)
	}
	if err := db.authorize(ctx, ActionRead, pat); err != nil {
		return nil, err
	}
	p, err := pattern.Parse(pat)
	if err != nil {
		return nil, fail(err)
	}
	return db.eng.Match(p), nil
}

// Operations as errors name them.
const (
	opDelete = "delete"
	opDrop   = "drop series"
)

// Delete removes the points with start <= time < end of the series that match
// pattern; a zero start or end is no bound. The series stay. That none matches is
// no error; an end before start is ErrBadInput. A row that is inserted meanwhile
// loses all of its cells that match, or none, also if it makes a series; but where
// inserts make series that match all the time, a delete that has looked 100 times goes
// on with those it has seen, and rows with newer ones may lose a part.
func (db *DB) Delete(ctx context.Context, pat string, start, end time.Time) error {
	p, err := db.forDelete(ctx, opDelete, pat)
	if err != nil {
		return err
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return &Error{Op: opDelete, Subject: pat, Err: err}
	}
	_, err = db.commitDelete(ctx, opDelete, pat, p, func(all []*engine.Series) *engine.Batch {
		return &engine.Batch{Deletes: []engine.Delete{{Series: all, From: from, To: to}}}
	})
	return err
}

// DropSeries removes the series that match pattern with all their points, and
// the triggers that were made for them alone (TriggerSpec.Series). That none
// matches is no error. Of rows that are inserted meanwhile it is as with Delete.
func (db *DB) DropSeries(ctx context.Context, pat string) error {
	p, err := db.forDelete(ctx, opDrop, pat)
	if err != nil {
		return err
	}
	all, err := db.commitDrop(ctx, pat, p)
	if err != nil {
		return err
	}
	return errs.Join(db.dropTriggersOf(ctx, all), db.forgetHints(all))
}

func (db *DB) forDelete(ctx context.Context, op, pat string) (*pattern.Pattern, error) {
	fail := func(err error) (*pattern.Pattern, error) { return nil, &Error{Op: op, Subject: pat, Err: err} }
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	if err := db.authorize(ctx, ActionDelete, pat); err != nil {
		return nil, err
	}
	p, err := pattern.Parse(pat)
	if err != nil {
		return fail(err)
	}
	return p, nil
}

func (db *DB) commitDrop(ctx context.Context, subject string, p *pattern.Pattern) ([]*engine.Series, error) {
	return db.commitDelete(ctx, opDrop, subject, p, func(all []*engine.Series) *engine.Batch { return &engine.Batch{Drops: all} })
}

// matchTries is how often a delete looks again what its pattern matches, because
// series that match are made all the time. Then it takes those it has seen: of rows
// with newer ones too, which are being inserted, a part may stay.
const matchTries = 100

// commitDelete stores what batch makes of the series that match, and returns these.
func (db *DB) commitDelete(ctx context.Context, op, subject string, p *pattern.Pattern, batch func(all []*engine.Series) *engine.Batch) ([]*engine.Series, error) {
	for try := 1; ; try++ {
		m := db.eng.MatchAll(p)
		if len(m.Series) == 0 {
			return nil, nil
		}
		b := batch(m.Series)
		if try < matchTries {
			b.Matched = m
		}
		marks := db.markDeletes(b)
		_, err := db.eng.Commit(ctx, b, false)
		marks.settle(db, err)
		if errors.Is(err, engine.ErrStale) {
			continue
		}
		if err != nil {
			return nil, &Error{Op: op, Subject: subject, Err: err}
		}
		return m.Series, nil
	}
}

// Type is what a [Series] can hold.
type Type interface {
	bool | int32 | int64 | float32 | float64 | string
}

// Series reads and writes the points of one series as values of the Go type of
// its kind. It is safe for concurrent use.
type Series[T Type] struct {
	single // what a point needs comes first, in one line of the cache
	path   string
	found  atomic.Pointer[engine.Series] // by the last read; nil: not yet
}

// Point is a value and when it was measured.
type Point[T Type] struct {
	Time  time.Time // when it was measured
	Value T         // what was measured
}

// SeriesOf returns a handle for the series at path; the first point makes it if
// it does not exist. A series of another kind is an error that satisfies
// errors.Is(err, [ErrKindMismatch]).
func SeriesOf[T Type](db *DB, path string) (*Series[T], error) {
	device, name, err := splitPath(path)
	if err != nil {
		return nil, &Error{Op: "series", Subject: path, Err: err}
	}
	var zero T
	kind := column.Kind(valueOf(zero).kind)
	m := &Series[T]{path: path}
	m.w = Writer{db, &m.b}
	if db.phase.Load() == phaseOpen {
		if ser, ok := db.eng.Lookup(device, name); ok && ser.Kind == kind {
			m.of(ser)
			m.found.Store(ser)
			return m, nil
		}
	}
	m.names[0] = name
	if err := db.bind(&m.b, device, m.names[:], kindAlone(kind)); err != nil {
		return nil, &Error{Op: "series", Subject: path, Err: err}
	}
	return m, nil
}

// single is a writer of one column, in one piece of memory.
type single struct {
	w     Writer // of b
	b     binding
	names [1]string
}

// of makes m a writer of a series that exists.
func (m *single) of(ser *engine.Series) {
	m.names[0] = ser.Name
	m.b.device, m.b.path = ser.Device, ser.Device
	m.b.names, m.b.nodes, m.b.kinds = m.names[:], m.names[:], kindAlone(ser.Kind)
}

// kindAlone is a list of one kind, which all bindings of one column share.
func kindAlone(k column.Kind) []column.Kind { return eachKind[k:][:1:1] }

var eachKind = [...]column.Kind{column.Null, column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text}

func valueOf[T Type](v T) Value {
	switch x := any(v).(type) {
	case bool:
		return BoolValue(x)
	case int32:
		return Int32Value(x)
	case int64:
		return Int64Value(x)
	case float32:
		return Float32Value(x)
	case float64:
		return Float64Value(x)
	case string:
		return TextValue(x)
	}
	return Value{}
}

// sliceOf returns the values of v, whose kind is T's.
func sliceOf[T Type](v *column.Vector) []T {
	var s any
	switch v.Kind {
	case column.Bool:
		s = v.Bools
	case column.Int32:
		s = v.Int32s
	case column.Int64:
		s = v.Int64s
	case column.Float32:
		s = v.Float32s
	case column.Float64:
		s = v.Float64s
	case column.Text:
		s = v.Texts
	}
	out, _ := s.([]T)
	return out
}

// Insert stores one point.
func (s *Series[T]) Insert(ctx context.Context, at time.Time, v T) error {
	if _, text := any(v).(string); text {
		return s.insert(ctx, at, valueOf(v))
	}
	_, err := s.point(ctx, at, numOf(v))
	return err
}

// numOf is valueOf(v).num of what is not a text, without a look at what it is.
func numOf[T Type](v T) uint64 {
	switch unsafe.Sizeof(v) {
	case 1:
		return uint64(*(*uint8)(unsafe.Pointer(&v)))
	case 4:
		return uint64(*(*uint32)(unsafe.Pointer(&v)))
	default:
		return *(*uint64)(unsafe.Pointer(&v))
	}
}

// insert stores a point of any kind.
func (m *single) insert(ctx context.Context, at time.Time, v Value) error {
	cells := [1]column.Cell{v.cell()}
	if stored, err := m.w.db.quick(ctx, &m.b, at, cells[:]); stored {
		return err
	}
	return m.w.Insert(ctx, at, v)
}
