package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Insert stores one row of a device. A null field marks a cell of an existing
// series as not measured; it overwrites nothing. Series that do not exist are
// made with the kind of their field.
//
// All or nothing is stored. If ctx ends before the row has its place in the
// log, nothing is; later, the row is stored and the error is an [*Error] that
// says so. The call does not keep fields.
func (db *DB) Insert(ctx context.Context, device string, at time.Time, fields ...Field) error {
	if len(fields) <= maxQuick {
		var cells [maxQuick]column.Cell
		if b := db.bound.named(device, fields); b != nil {
			for i := range fields {
				cells[i] = fields[i].Value.cell()
			}
			if db.quick(ctx, b, at, cells[:len(fields)]) {
				return nil
			}
		}
	}
	in, err := db.begin(ctx, "insert", device)
	if err != nil {
		return err
	}
	defer db.end(in)
	ns, err := unixNano(at)
	if err != nil {
		return &Error{Op: "insert", Subject: device, Err: err}
	}
	p := in.add()
	if err := p.setRow(db, device, ns, fields); err != nil {
		return &Error{Op: "insert", Subject: device, Err: err}
	}
	return db.insert(ctx, in, false)
}

// InsertTablet stores the rows of t, as [DB.Insert] does one. The call keeps
// neither t nor its slices. Of rows with the same time the last non-null cell
// of each column wins.
func (db *DB) InsertTablet(ctx context.Context, t *Tablet) error {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return err
	}
	defer db.end(in)
	if err := in.addTablet(db, t); err != nil {
		return err
	}
	return db.insert(ctx, in, false)
}

// InsertTablets stores the rows of several tablets as one atomic group: after a
// crash, and in every query, all of them are there or none.
func (db *DB) InsertTablets(ctx context.Context, ts ...*Tablet) error {
	_, err := db.Write(ctx, WriteOptions{}, ts...)
	return err
}

// WriteOptions are what [DB.Write] can do beyond [DB.InsertTablets].
type WriteOptions struct {
	// Partial stores the rows that can be stored and reports the others in an
	// [*InsertError], in place of storing nothing.
	Partial bool
	// Durable returns only when the rows are on disk, whatever Options.Sync says.
	Durable bool
}

// WriteResult tells what a [DB.Write] did.
type WriteResult struct {
	Rows int // rows stored
	// LateRows counts rows that were not newer than all rows of their device in
	// memory. They may have overwritten others.
	LateRows int
}

// Write stores the rows of several tablets as one atomic group.
func (db *DB) Write(ctx context.Context, opts WriteOptions, ts ...*Tablet) (WriteResult, error) {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return WriteResult{}, err
	}
	defer db.end(in)
	var bad *InsertError
	for _, t := range ts {
		if opts.Partial && t != nil {
			t = db.storable(t, &bad)
		}
		if err := in.addTablet(db, t); err != nil {
			return WriteResult{}, err
		}
	}
	if err := db.insert(ctx, in, opts.Durable); err != nil {
		var e *Error
		if !errors.As(err, &e) || !e.Stored {
			return WriteResult{}, err
		}
		return WriteResult{in.rows(), in.batch.LateRows}, err
	}
	res := WriteResult{in.rows(), in.batch.LateRows}
	if bad != nil {
		return res, bad
	}
	return res, nil
}

// storable returns the part of t that can be stored: columns whose kind fits
// their series, rows whose time can be stored. The rest goes to bad.
func (db *DB) storable(t *Tablet, bad **InsertError) *Tablet {
	report := func(row int, column string, err error) {
		if *bad == nil {
			*bad = new(InsertError)
		}
		(*bad).Rows = append((*bad).Rows, RowError{t.Device, row, column, err})
	}
	out := &Tablet{Device: t.Device, Times: t.Times}
	for _, c := range t.Columns {
		if c.Data == nil || c.Data.Len() != len(t.Times) {
			return t // not a matter of rows: refused as a whole
		}
		if s, ok := db.eng.Lookup(t.Device, c.Name); ok && Kind(s.Kind) != c.Data.Kind() {
			for i := range t.Times {
				if !c.Nulls.Get(i) {
					report(i, c.Name, kindMismatch(c.Name, Kind(s.Kind), c.Data.Kind()))
				}
			}
			continue
		}
		out.Columns = append(out.Columns, c)
	}
	horizon, late := db.horizon(out)
	keep := make([]int, 0, len(t.Times))
	for i, at := range t.Times {
		switch {
		case at < minTime || at > maxTime:
			report(i, "", fmt.Errorf("time %d is outside [%d, %d]: %w", at, minTime, maxTime, errs.BadInput))
		case late && at < horizon:
			report(i, "", fmt.Errorf("time %d is before %d: %w", at, horizon, errs.TooLate))
		default:
			keep = append(keep, i)
		}
	}
	if len(keep) == len(t.Times) {
		return out
	}
	return out.pick(keep)
}

// horizon returns the time before which rows of t are too late for one of its
// series, if there is one.
func (db *DB) horizon(t *Tablet) (at int64, ok bool) {
	device, err := pattern.Canonical(t.Device)
	if err != nil {
		return 0, false
	}
	for _, c := range t.Columns {
		node, err := pattern.CanonicalNode(c.Name)
		if err != nil {
			return 0, false
		}
		if h, set := db.eng.Horizon(device, node); set && (!ok || h > at) {
			at, ok = h, true
		}
	}
	return at, ok
}

// pick returns a copy of the rows named.
func (t *Tablet) pick(rows []int) *Tablet {
	out := &Tablet{Device: t.Device, Times: make([]int64, 0, len(rows))}
	for _, r := range rows {
		out.Times = append(out.Times, t.Times[r])
	}
	for _, c := range t.Columns {
		src := c.Data.vector()
		var dst column.Vector
		dst.Reset(src.Kind)
		var nulls Bitmap
		for i, r := range rows {
			dst.AppendRange(&src, r, r+1)
			if c.Nulls.Get(r) {
				nulls.Set(i)
			}
		}
		out.Columns = append(out.Columns, Column{c.Name, vectorOf(&dst), nulls})
	}
	return out
}

// check reports whether t could be inserted, without making anything.
func (db *DB) check(t *Tablet) error {
	in := db.scratch.Get().(*insertion)
	defer db.end(in)
	return in.addTablet(db, t)
}

// An insertion is one atomic group on its way into the store, with the memory
// it needs; it is reused.
type insertion struct {
	parts   []part
	n       int // parts in use
	fx      effects
	batch   engine.Batch
	table   *triggerTable // in force when it began; nil if it fires nothing
	entered []*trigger    // what it fires
	held    []*trigger    // of those, whose tickets it holds
	todos   []todo        // durable firings that its record promises
	act     *activity     // the work it belongs to
	from    *frame        // the firing it was made in; nil if none
	query   string        // the continuous query whose results it is; "" if none
	lsn     uint64

	slab    callSlab
	acts    []activity // each is used once
	nextAct int
}

// A part is the rows of one device, by column.
type part struct {
	device string
	times  []int64
	names  []string
	cols   []column.Vector
	nulls  []column.Bitmap
	bound  *binding
	tablet *Tablet // as given: its memory is not ours; nil for a single row
	lent   lent    // what triggers see of it
	one    []int64 // memory for times of a single row
}

func (in *insertion) add() *part {
	if in.n == len(in.parts) {
		in.parts = append(in.parts, part{})
	}
	in.n++
	return &in.parts[in.n-1]
}

func (in *insertion) rows() (n int) {
	for i := range in.n {
		n += len(in.parts[i].times)
	}
	return n
}

func (in *insertion) reset() {
	for i := range in.n {
		p := &in.parts[i]
		for c := range p.cols {
			if p.tablet != nil {
				p.cols[c] = column.Vector{} // the caller's memory
			} else {
				p.cols[c].Reset(p.cols[c].Kind)
			}
		}
		for c := range p.nulls {
			p.nulls[c] = p.nulls[c][:0]
			if p.tablet != nil {
				p.nulls[c] = nil
			}
		}
		clear(p.names)
		p.lent.reset()
		p.device, p.times, p.bound, p.tablet = "", nil, nil, nil
		p.names, p.cols, p.nulls = p.names[:0], p.cols[:0], p.nulls[:0]
	}
	in.n = 0
	in.fx.reset()
	in.batch.Reset()
	in.held, in.entered = in.held[:0], in.entered[:0]
	clear(in.todos)
	in.todos = in.todos[:0]
	in.table, in.act, in.from, in.query, in.lsn = nil, nil, nil, "", 0
}

func newScratch() *sync.Pool { return &sync.Pool{New: func() any { return new(insertion) }} }

// begin checks what every insert checks and lends an insertion.
func (db *DB) begin(ctx context.Context, op, subject string) (*insertion, error) {
	if err := db.usable(ctx); err != nil {
		return nil, &Error{Op: op, Subject: subject, Err: err}
	}
	return db.scratch.Get().(*insertion), nil
}

func (db *DB) end(in *insertion) {
	in.reset()
	db.scratch.Put(in)
}

func (p *part) setRow(db *DB, device string, at int64, fields []Field) error {
	if len(fields) == 0 {
		return fmt.Errorf("row without fields: %w", errs.BadInput)
	}
	p.device = device
	p.one = append(p.one[:0], at)
	p.times = p.one
	for i := range fields {
		f := &fields[i]
		kind := column.Kind(f.Value.kind)
		null := f.Value.IsNull()
		if null {
			s, ok := db.eng.Lookup(device, f.Name)
			if !ok {
				return fmt.Errorf("field %q is null and the series does not exist, so its kind is unknown: %w", f.Name, errs.BadInput)
			}
			kind = s.Kind
		}
		p.names = append(p.names, f.Name)
		appendCell(p.column(kind), f.Value)
		p.addNulls(null)
	}
	return p.bind(db)
}

// column adds a column of a kind, reusing memory of earlier rows.
func (p *part) column(kind column.Kind) *column.Vector {
	if len(p.cols) < cap(p.cols) {
		p.cols = p.cols[:len(p.cols)+1]
	} else {
		p.cols = append(p.cols, column.Vector{})
	}
	v := &p.cols[len(p.cols)-1]
	v.Reset(kind)
	return v
}

// addNulls adds the bitmap of a column of one row.
func (p *part) addNulls(null bool) {
	if len(p.nulls) < cap(p.nulls) {
		p.nulls = p.nulls[:len(p.nulls)+1]
	} else {
		p.nulls = append(p.nulls, nil)
	}
	b := &p.nulls[len(p.nulls)-1]
	*b = (*b)[:0]
	if null {
		b.Set(0)
	}
}

func appendCell(c *column.Vector, v Value) {
	switch c.Kind {
	case column.Bool:
		c.Bools = append(c.Bools, v.Bool())
	case column.Int32:
		c.Int32s = append(c.Int32s, int32(v.Int64()))
	case column.Int64:
		c.Int64s = append(c.Int64s, v.Int64())
	case column.Float32:
		c.Float32s = append(c.Float32s, math.Float32frombits(uint32(v.num)))
	case column.Float64:
		c.Float64s = append(c.Float64s, math.Float64frombits(v.num))
	case column.Text:
		c.Texts = append(c.Texts, v.str)
	}
}

// addTablet takes a tablet as the next part.
func (in *insertion) addTablet(db *DB, t *Tablet) error {
	if t == nil {
		return &Error{Op: "insert", Err: fmt.Errorf("nil tablet: %w", errs.BadInput)}
	}
	if err := t.Validate(); err != nil {
		return &Error{Op: "insert", Subject: t.Device, Err: err}
	}
	if len(t.Times) == 0 {
		if err := pattern.CheckPath(t.Device); err != nil {
			return &Error{Op: "insert", Subject: t.Device, Err: err}
		}
		return nil
	}
	if len(t.Columns) == 0 {
		return &Error{Op: "insert", Subject: t.Device, Err: fmt.Errorf("%d rows without columns: %w", len(t.Times), errs.BadInput)}
	}
	p := in.add()
	p.device, p.times, p.tablet = t.Device, t.Times, t
	for i := range t.Columns {
		p.names = append(p.names, t.Columns[i].Name)
		p.cols = append(p.cols, t.Columns[i].Data.vector())
		p.nulls = append(p.nulls, column.Bitmap(t.Columns[i].Nulls))
	}
	if err := p.bind(db); err != nil {
		return &Error{Op: "insert", Subject: t.Device, Err: err}
	}
	return nil
}

// bind finds or makes the binding of p and checks kinds, names and limits.
func (p *part) bind(db *DB) error {
	kinds := make([]column.Kind, 0, 16)
	for i := range p.cols {
		kinds = append(kinds, p.cols[i].Kind)
	}
	if p.bound = db.bound.find(p.device, p.names, kinds); p.bound != nil {
		return p.bound.check(db.eng)
	}
	b, err := newBinding(p.device, p.names, kinds)
	if err != nil {
		return err
	}
	if err := b.check(db.eng); err != nil {
		return err
	}
	db.bound.keep(b)
	p.bound = b
	return nil
}

// checkTimes refuses rows that are too late to be kept.
func (in *insertion) checkTimes(db *DB) error {
	for i := range in.n {
		p := &in.parts[i]
		if err := db.eng.CheckTimes(p.bound.path, p.bound.nodes, p.times); err != nil {
			return &Error{Op: "insert", Subject: p.device, Err: err}
		}
	}
	return nil
}

// insert runs a group through authorization, BEFORE triggers, the store and
// AFTER triggers.
func (db *DB) insert(ctx context.Context, in *insertion, durable bool) error {
	if in.n == 0 {
		return nil
	}
	if db.opts.Authorize != nil {
		for i := range in.n {
			if err := db.authorize(ctx, ActionWrite, in.parts[i].device); err != nil {
				return err
			}
		}
	}
	if err := db.cqs.checkOwner(in); err != nil {
		return err
	}
	if len(db.triggers.Load().live) == 0 {
		return db.commit(ctx, in, durable)
	}
	return db.insertFiring(ctx, in, durable)
}

// commit stores the group as one log record.
func (db *DB) commit(ctx context.Context, in *insertion, durable bool) error {
	if err := db.cqs.checkOwner(in); err != nil {
		return err
	}
	puts := len(in.batch.Puts)
	for {
		in.batch.Puts = in.batch.Puts[:puts]
		in.batch.Tablets = in.batch.Tablets[:0]
		for i := range in.n {
			p := &in.parts[i]
			shape, err := p.bound.resolve(db.eng)
			if err != nil {
				return &Error{Op: "insert", Subject: p.device, Err: err}
			}
			in.batch.Tablets = append(in.batch.Tablets, engine.Tablet{Shape: shape, Times: p.times, Cols: p.cols, Nulls: p.nulls})
		}
		marks := db.mark(in)
		lsn, err := db.eng.Commit(ctx, &in.batch, durable)
		marks.settle(db, err)
		if err == nil {
			in.lsn = lsn
			return nil
		}
		if errors.Is(err, engine.ErrStale) {
			continue // a series was dropped meanwhile: make it again
		}
		e := &Error{Op: "insert", Err: err}
		if in.n > 0 {
			e.Subject = in.parts[0].device
		}
		var stored *engine.StoredError
		if errors.As(err, &stored) {
			in.lsn = stored.LSN
			e.Stored, e.Durable, e.Err = true, stored.Durable, stored.Err
		}
		return e
	}
}
