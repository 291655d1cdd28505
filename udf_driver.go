package tickwell

import (
	"errors"
	"fmt"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
)

// transformer drives a user's UDTF for package exec. Each call is guarded, so
// that a panic becomes an error that names the function.
type transformer struct {
	name  string
	make  func() UDTF
	f     UDTF
	row   RowTransformer
	win   WindowTransformer
	mapr  Mapper
	out   Collector
	rows  *view
	mapps bool
}

func newTransformer(makeNew func() UDTF) func() exec.Transformer {
	return func() exec.Transformer { return &transformer{make: makeNew} }
}

// guarded runs f, which calls the method hook of a user's function.
func guarded(function, hook string, out *exec.Out, f func() error) error {
	err := call("function "+function, f)
	if out != nil && out.Err() != nil {
		return out.Err()
	}
	var p *PanicError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", hook, p)
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("function %s: %s: %w", function, hook, err)
}

//go:noinline
func udfInput(c *exec.Call) *UDFInput {
	in := &UDFInput{Function: c.Name, Params: Params{}, Unit: time.Duration(max(c.Unit, 1))}
	for _, a := range c.Attrs {
		in.Params[a.Key] = a.Value
	}
	for _, i := range c.Inputs {
		in.Inputs = append(in.Inputs, ColumnInfo{Name: i.Name, Kind: Kind(i.Kind)})
	}
	return in
}

func (t *transformer) Start(c *exec.Call) (column.Kind, exec.Access, error) {
	t.name = c.Name
	err := guarded(t.name, "new", nil, func() error {
		if t.f = t.make(); t.f == nil {
			return fmt.Errorf("its maker returned nil: %w", errs.BadInput)
		}
		return nil
	})
	if err != nil {
		return 0, exec.Access{}, err
	}
	t.row, _ = t.f.(RowTransformer)
	t.win, _ = t.f.(WindowTransformer)
	t.mapr, _ = t.f.(Mapper)
	in := udfInput(c)
	if v, ok := t.f.(UDFValidator); ok {
		if err := guarded(t.name, "Validate", nil, func() error { return v.Validate(in) }); err != nil {
			return 0, exec.Access{}, err
		}
	}
	cfg := UDTFConfig{access: exec.Access{Begin: exec.NoBegin, End: exec.NoEnd}}
	if err := guarded(t.name, "BeforeStart", nil, func() error { return t.f.BeforeStart(in, &cfg) }); err != nil {
		return 0, exec.Access{}, err
	}
	if err := t.choose(&cfg); err != nil {
		return 0, exec.Access{}, fmt.Errorf("function %s: %w", t.name, err)
	}
	t.rows = newView(c.Inputs)
	return cfg.output, cfg.access, nil
}

// choose checks that the function has the method that its strategy calls.
func (t *transformer) choose(cfg *UDTFConfig) error {
	lacks := func(method, strategy string) error {
		return fmt.Errorf("has no method %s, which its access strategy (%s) calls: %w", method, strategy, errs.BadInput)
	}
	if !cfg.output.Valid() {
		return fmt.Errorf("BeforeStart set no output kind: %w", errs.BadInput)
	}
	switch cfg.access.Kind {
	case exec.RowByRow:
		if t.row == nil && t.mapr != nil {
			cfg.access.Kind = exec.Mapped
		} else if t.row == nil {
			return lacks("TransformRow", "row by row")
		}
	case exec.Mapped:
		if t.mapr == nil {
			return lacks("MapRow", "mappable")
		}
	default:
		if t.win == nil {
			return lacks("TransformWindow", "windows")
		}
	}
	t.mapps = cfg.access.Kind == exec.Mapped
	return nil
}

func (t *transformer) Rows(b *exec.Batch, out *exec.Out) error {
	t.out.out = out
	rows := t.rows.show(b)
	defer t.rows.hide()
	if t.mapps {
		return guarded(t.name, "MapRow", out, func() error { return t.mapRows(rows, out) })
	}
	return guarded(t.name, "TransformRow", out, func() error {
		for i := range rows.Times {
			if err := t.row.TransformRow(Row{rows, i}, &t.out); err != nil {
				return err
			}
			if err := out.Err(); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *transformer) mapRows(rows *Tablet, out *exec.Out) error {
	for i, at := range rows.Times {
		v, err := t.mapr.MapRow(Row{rows, i})
		if err == nil && v.IsNull() {
			err = out.Null(at)
		} else if err == nil {
			err = putValue(out, at, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transformer) Window(b *exec.Batch, start, end int64, out *exec.Out) error {
	t.out.out = out
	w := RowWindow{rows: t.rows.show(b), start: start, end: end}
	defer t.rows.hide()
	return guarded(t.name, "TransformWindow", out, func() error { return t.win.TransformWindow(&w, &t.out) })
}

func (t *transformer) Terminate(out *exec.Out) error {
	t.out.out = out
	if f, ok := t.f.(Terminator); ok {
		return guarded(t.name, "Terminate", out, func() error { return f.Terminate(&t.out) })
	}
	return nil
}

func (t *transformer) Close() {
	if f, ok := t.f.(BeforeDestroyer); ok {
		// A panic while tidying up must not hide the result.
		_ = call("function "+t.name, func() error { f.BeforeDestroy(); return nil })
	}
	t.f = nil
}

// A view shows batches to user code as Tablets. Each batch gets a Tablet of
// its own, which is spoilt afterwards: a Row that the user kept panics when
// read, and never shows rows it did not stand for.
type view struct {
	names  []string
	tablet *Tablet
}

func newView(inputs []exec.Column) *view {
	v := &view{}
	for _, c := range inputs {
		v.names = append(v.names, c.Name)
	}
	return v
}

func (v *view) show(b *exec.Batch) *Tablet {
	t := &Tablet{Times: b.Times, Columns: make([]Column, len(b.Cols))}
	for i := range b.Cols {
		t.Columns[i] = Column{Name: v.names[i], Data: vectorOf(&b.Cols[i].Vector), Nulls: Bitmap(b.Cols[i].Nulls)}
		if t.Columns[i].Data == nil {
			t.Columns[i].Data = unread(len(b.Times))
		}
	}
	v.tablet = t
	return t
}

//go:noinline
func (v *view) hide() {
	if v.tablet != nil {
		v.tablet.Times = nil
		for i := range v.tablet.Columns {
			v.tablet.Columns[i] = Column{Name: v.names[i], Data: spoilt}
		}
		v.tablet = nil
	}
}

// unread is the data of an input that stands for no series: so many nulls.
type unread int

// spoilt is the data of a tablet that user code kept beyond its call.
const spoilt = unread(-1)

func (n unread) Len() int            { return max(int(n), 0) }
func (unread) Kind() Kind            { return KindNull }
func (unread) vector() column.Vector { return column.Vector{} }

func (n unread) Value(int) Value {
	if n == spoilt {
		panic("a Row was read after the call it was given to")
	}
	return Value{}
}
