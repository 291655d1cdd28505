package tickwell

import (
	"context"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// A Writer inserts rows of one device whose measurements were looked up once;
// it is the fast way to insert the same columns again and again. It is safe for
// concurrent use and needs no closing.
type Writer struct {
	db    *DB
	bound *binding
}

// Writer returns a handle for rows of device with these columns. Series that do
// not exist are made by the first row. ErrKindMismatch: one exists with another
// kind; ErrBadInput: no columns, or a name or kind that cannot be.
func (db *DB) Writer(device string, columns ...ColumnInfo) (*Writer, error) {
	names := make([]string, len(columns))
	kinds := make([]column.Kind, len(columns))
	for i, c := range columns {
		names[i], kinds[i] = c.Name, column.Kind(c.Kind)
	}
	b := new(binding)
	if err := db.bind(b, device, names, kinds); err != nil {
		return nil, &Error{Op: "writer", Subject: device, Err: err}
	}
	return &Writer{db, b}, nil
}

// bind makes b, which is zero, that of a writer. It keeps names and kinds.
func (db *DB) bind(b *binding, device string, names []string, kinds []column.Kind) error {
	switch db.phase.Load() {
	case phaseNone:
		return errNotOpened
	case phaseClosed:
		return errs.Closed
	}
	if len(names) == 0 {
		return fmt.Errorf("no columns: %w", errs.BadInput)
	}
	for i, k := range kinds {
		if !k.Valid() {
			return fmt.Errorf("column %q has no kind: %w", names[i], errs.BadInput)
		}
	}
	if err := b.name(device, names, kinds); err != nil {
		return err
	}
	return b.check(db.eng)
}

// Insert stores one row: a value for each column, in order; null stands for a
// cell not measured. Otherwise it is [DB.Insert], and allocates nothing.
func (w *Writer) Insert(ctx context.Context, at time.Time, values ...Value) error {
	if db, b := w.db, w.bound; len(values) == len(b.kinds) && len(values) <= maxQuick {
		var cells [maxQuick]column.Cell
		for i := range values {
			cells[i] = values[i].cell()
		}
		if stored, err := db.quick(ctx, b, at, cells[:len(values)]); stored {
			return err
		}
	}
	in, err := w.db.begin(ctx, "insert", w.bound.device)
	if err != nil {
		return err
	}
	defer w.db.end(in)
	ns, err := unixNano(at)
	if err == nil {
		err = w.row(in.add(), ns, values)
	}
	if err != nil {
		return &Error{Op: "insert", Subject: w.bound.device, Err: err}
	}
	return w.db.insert(ctx, in, false)
}

func (w *Writer) row(p *part, at int64, values []Value) error {
	if len(values) != len(w.bound.names) {
		return fmt.Errorf("%d values for %d columns: %w", len(values), len(w.bound.names), errs.BadInput)
	}
	all := true
	for i := range values {
		null := values[i].IsNull()
		if k := column.Kind(values[i].kind); !null && k != w.bound.kinds[i] {
			return kindMismatch(w.bound.names[i], Kind(w.bound.kinds[i]), Kind(k))
		}
		all = all && null
		appendCell(p.column(w.bound.kinds[i]), values[i])
		p.addNulls(null)
	}
	if all {
		return fmt.Errorf("row without values: %w", errs.BadInput)
	}
	p.one = append(p.one[:0], at)
	p.device, p.times, p.bound = w.bound.device, p.one, w.bound
	p.names = w.bound.names
	return nil
}

// InsertTablet stores the rows of t, whose device and columns must be the
// writer's, in its order.
func (w *Writer) InsertTablet(ctx context.Context, t *Tablet) error {
	in, err := w.db.begin(ctx, "insert", w.bound.device)
	if err != nil {
		return err
	}
	defer w.db.end(in)
	if err := w.tablet(in, t); err != nil {
		return &Error{Op: "insert", Subject: w.bound.device, Err: err}
	}
	return w.db.insert(ctx, in, false)
}

func (w *Writer) tablet(in *insertion, t *Tablet) error {
	if t == nil {
		return fmt.Errorf("nil tablet: %w", errs.BadInput)
	}
	if len(t.Times) > 0 && t.Device == w.bound.device {
		if p := in.add(); in.take(p, t, w.bound) {
			p.bound, p.names = w.bound, w.bound.names
			return nil
		}
		in.drop()
	}
	if t.Device != w.bound.device || len(t.Columns) != len(w.bound.names) {
		return fmt.Errorf("tablet of %s with %d columns given to a writer of %d: %w", t.Device, len(t.Columns), len(w.bound.names), errs.BadInput)
	}
	if err := t.Validate(); err != nil {
		return err
	}
	for i := range t.Columns {
		c := &t.Columns[i]
		if c.Name != w.bound.names[i] {
			return fmt.Errorf("column %d is %q, the writer's is %q: %w", i, c.Name, w.bound.names[i], errs.BadInput)
		}
		if k := c.Data.Kind(); column.Kind(k) != w.bound.kinds[i] {
			return kindMismatch(c.Name, Kind(w.bound.kinds[i]), k)
		}
	}
	return nil // there are no rows
}
