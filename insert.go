package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math"
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
// says so. The call does not keep fields. at is of the years 1678 to 2261.
//
// Errors: ErrBadInput for a path, time or row that cannot be stored,
// ErrKindMismatch, ErrTooLate for a point that has expired already, ErrLimit for
// more series than Options.MaxSeries, ErrReadOnly, ErrNoSpace, ErrStorageFailed,
// ErrOverloaded if memory is full when ctx ends or a flush fails, ErrClosed, what
// Options.Authorize returns, and of a trigger with the strategy [Pessimistic] a
// [*TriggerError]: ErrRejected if it fires before the insert, else the row is
// stored.
func (db *DB) Insert(ctx context.Context, device string, at time.Time, fields ...Field) error {
	if len(fields) <= maxQuick {
		var cells [maxQuick]column.Cell
		if b := db.bound.named(device, fields); b != nil {
			for i := range fields {
				cells[i] = fields[i].Value.cell()
			}
			if stored, err := db.quick(ctx, b, at, cells[:len(fields)]); stored {
				return err
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
// of each column wins. More than 1,048,576 rows are ErrLimit.
func (db *DB) InsertTablet(ctx context.Context, t *Tablet) error {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return err
	}
	defer db.end(in)
	if t != nil && len(t.Times) == 1 {
		one := [1]*Tablet{t}
		if _, stored, err := db.quickGroup(ctx, in, false, one[:]); stored {
			return err
		}
	}
	if err := in.addTablet(db, t); err != nil {
		return err
	}
	return db.insert(ctx, in, false)
}

// InsertTablets stores the rows of several tablets as one atomic group: after a
// crash, and in every query, all of them are there or none. A group is one record
// of the log: one of more than 64 MiB is ErrLimit.
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
	// Position is that of the rows in the log, in the order of which triggers
	// see them: see [TriggerInfo].
	Position uint64
}

// Write stores the rows of several tablets as one atomic group, as
// [DB.InsertTablets] does, and tells where they are in the log.
func (db *DB) Write(ctx context.Context, opts WriteOptions, ts ...*Tablet) (WriteResult, error) {
	in, err := db.begin(ctx, "insert", "")
	if err != nil {
		return WriteResult{}, err
	}
	defer db.end(in)
	if res, stored, err := db.quickGroup(ctx, in, opts.Durable, ts); stored {
		return res, err
	}
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
		return in.result(), err
	}
	res := in.result()
	if bad != nil {
		return res, bad
	}
	return res, nil
}

func (in *insertion) result() WriteResult {
	return WriteResult{Rows: in.rows(), LateRows: in.batch.LateRows, Position: in.lsn}
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
	in := db.scratch.Get()
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
	passed  []*trigger    // BEFORE triggers that it has fired
	todos   []todo        // durable firings that its record promises
	marked  []cqMark      // memory for its marks
	act     *activity     // the work it belongs to
	from    *frame        // the firing it was made in; nil if none
	query   string        // the continuous query whose results it is; "" if none
	lsn     uint64

	numbers engine.Rows // see quickGroup
	hints   []*binding  // of the tablet that was here before
	reads   []cqRead    // of numbers

	large   bool // its memory has grown beyond what is worth keeping
	slab    callSlab
	acts    []activity // each is used once
	nextAct int
}

// What an insertion has taken when its memory is not kept for good any more.
const (
	largeParts = 1 << 10
	largeRows  = 1 << 14
)

// A part is the rows of one device, by column.
type part struct {
	device string
	times  []int64
	names  []string // of bound
	cols   []column.Vector
	nulls  []column.Bitmap
	bound  *binding
	hint   *binding // of the tablet that was here before
	tablet *Tablet  // as given: its memory is not ours; nil for a single row
	lent   lent     // what triggers see of it
	one    []int64  // memory for times of a single row
}

func (in *insertion) add() *part {
	if in.n == len(in.parts) {
		in.parts = append(in.parts, part{})
	}
	in.n++
	return &in.parts[in.n-1]
}

// drop takes the part back that was added last.
func (in *insertion) drop() {
	in.n--
	in.parts[in.n].reset()
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
		p.reset()
	}
	in.n = 0
	in.fx.reset()
	in.batch.Reset()
	in.held, in.entered, in.passed = in.held[:0], in.entered[:0], in.passed[:0]
	clear(in.todos)
	in.todos = in.todos[:0]
	in.numbers.Reset()
	clear(in.reads)
	in.reads = in.reads[:0]
	in.table, in.act, in.from, in.query, in.lsn = nil, nil, nil, "", 0
}

func (p *part) reset() {
	for c := range p.cols {
		switch v := &p.cols[c]; {
		case p.tablet == nil:
			v.Reset(v.Kind)
		case v.Kind == column.Float64: // the memory is the caller's
			v.Float64s = nil
		default:
			*v = column.Vector{}
		}
	}
	for c := range p.nulls {
		if p.nulls[c] = p.nulls[c][:0]; p.tablet != nil {
			p.nulls[c] = nil
		}
	}
	p.lent.reset()
	p.device, p.times, p.names, p.bound, p.tablet = "", nil, nil, nil, nil
	p.cols, p.nulls = p.cols[:0], p.nulls[:0]
}

// borrow makes v the data of a column.
func borrow(v *column.Vector, data Vector) {
	switch d := data.(type) {
	case Float64s:
		v.Kind, v.Float64s = column.Float64, d
	case nil:
		*v = column.Vector{}
	default:
		*v = d.vector()
	}
}

// begin checks what every insert checks and lends an insertion.
func (db *DB) begin(ctx context.Context, op, subject string) (*insertion, error) {
	if err := db.writable(ctx); err != nil { // before any trigger fires
		return nil, &Error{Op: op, Subject: subject, Err: err}
	}
	return db.scratch.Get(), nil
}

func (db *DB) end(in *insertion) {
	in.large = in.large || in.n > largeParts || in.rows() > largeRows || len(in.numbers.Nums) > largeRows
	in.reset()
	db.scratch.Put(in, in.large)
}

func (p *part) setRow(db *DB, device string, at int64, fields []Field) error {
	if len(fields) == 0 {
		return fmt.Errorf("row without fields: %w", errs.BadInput)
	}
	p.device = device
	p.one = append(p.one[:0], at)
	p.times = p.one
	if b := db.bound.named(device, fields); b != nil && p.setFields(b, fields) && b.check(db.eng) == nil {
		p.bound, p.names = b, b.names
		return nil
	}
	names, kinds := make([]string, len(fields)), make([]column.Kind, len(fields))
	for i := range fields {
		f := &fields[i]
		names[i], kinds[i] = f.Name, column.Kind(f.Value.kind)
		if f.Value.IsNull() {
			s, ok := db.eng.Lookup(device, f.Name)
			if !ok {
				return fmt.Errorf("field %q is null and the series does not exist, so its kind is unknown: %w", f.Name, errs.BadInput)
			}
			kinds[i] = s.Kind
		}
	}
	if err := p.bind(db, names, kinds); err != nil {
		return err
	}
	p.setFields(p.bound, fields)
	return nil
}

// setFields makes fields the row of p. It returns false if their kinds are not
// those of b.
func (p *part) setFields(b *binding, fields []Field) bool {
	p.cols, p.nulls = p.cols[:0], p.nulls[:0]
	for i := range fields {
		v := fields[i].Value
		null := v.IsNull()
		if !null && column.Kind(v.kind) != b.kinds[i] {
			return false
		}
		appendCell(p.column(b.kinds[i]), v)
		p.addNulls(null)
	}
	return true
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
	if len(t.Times) > 0 && len(t.Columns) > 0 {
		// Who writes groups mostly writes the same devices in the same order.
		p := in.add()
		if b := p.hint; b != nil && b.device == t.Device && p.take(t, b) {
			return p.bindTo(db, b)
		}
		if b := db.bound.lookup(t.Device, t.Columns[0].Name, len(t.Columns)); b != nil && p.take(t, b) {
			p.hint = b
			return p.bindTo(db, b)
		}
		in.drop()
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
	p.device = t.Device
	names, kinds := make([]string, len(t.Columns)), make([]column.Kind, len(t.Columns))
	for i := range t.Columns {
		names[i], kinds[i] = t.Columns[i].Name, column.Kind(t.Columns[i].Data.Kind())
	}
	if err := p.bind(db, names, kinds); err != nil {
		return &Error{Op: "insert", Subject: t.Device, Err: err}
	}
	p.take(t, p.bound)
	return nil
}

// take makes the rows of t those of p, whose columns must be those of b. It
// returns false if they are not, or something else is wrong with t, and changes
// nothing then that the next take or reset does not.
func (p *part) take(t *Tablet, b *binding) bool {
	n := len(b.names)
	if len(t.Columns) != n {
		return false
	}
	p.tablet, p.device, p.times = t, t.Device, t.Times
	if cap(p.cols) < n {
		p.cols = make([]column.Vector, n)
	}
	if cap(p.nulls) < n {
		p.nulls = make([]column.Bitmap, n)
	}
	p.cols, p.nulls = p.cols[:n], p.nulls[:n]
	for i := range t.Columns {
		c, v := &t.Columns[i], &p.cols[i]
		if c.Name != b.names[i] {
			return false
		}
		borrow(v, c.Data)
		if v.Kind != b.kinds[i] || v.Len() != len(t.Times) {
			return false
		}
		p.nulls[i] = column.Bitmap(c.Nulls)
	}
	for _, at := range t.Times {
		if at < minTime || at > maxTime {
			return false
		}
	}
	return true
}

// bindTo makes b the binding of p.
func (p *part) bindTo(db *DB, b *binding) error {
	p.bound, p.names = b, b.names
	if err := b.check(db.eng); err != nil {
		return &Error{Op: "insert", Subject: p.device, Err: err}
	}
	return nil
}

// bind makes a binding for p and checks kinds, names and limits.
func (p *part) bind(db *DB, names []string, kinds []column.Kind) error {
	b, err := newBinding(p.device, names, kinds)
	if err != nil {
		return err
	}
	if err := b.check(db.eng); err != nil {
		return err
	}
	db.bound.keep(b)
	p.bound, p.names = b, b.names
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
	for {
		table := db.triggers.Load()
		if !in.firesNone(table) {
			return db.insertFiring(ctx, in, durable)
		}
		in.batch.Terms = table.terms
		if err := db.commit(ctx, in, durable); !errors.Is(err, engine.ErrTerms) {
			return err
		}
	}
}

// commit stores the group as one log record and waits until that is
// acknowledged.
func (db *DB) commit(ctx context.Context, in *insertion, durable bool) error {
	return db.store(in, func(b *engine.Batch) (uint64, error) { return db.eng.Commit(ctx, b, durable) })
}

// post is commit without the wait: see acknowledge.
func (db *DB) post(ctx context.Context, in *insertion) error {
	err := db.store(in, func(b *engine.Batch) (uint64, error) { return db.eng.Post(ctx, b) })
	in.act.posted(in.lsn)
	return err
}

// store makes the batch of the group and hands it to the engine. It returns
// engine.ErrTerms itself if there are other triggers than the group has met.
func (db *DB) store(in *insertion, commit func(*engine.Batch) (lsn uint64, err error)) error {
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
		lsn, err := commit(&in.batch)
		marks.settle(db, err)
		clear(marks.list)
		in.marked = marks.list[:0]
		if errors.Is(err, engine.ErrStale) {
			continue // a series was dropped meanwhile: make it again
		}
		if errors.Is(err, engine.ErrTerms) {
			return err
		}
		in.lsn = lsn
		return in.asError(err)
	}
}

// asError makes an error of the engine one of the insert.
func (in *insertion) asError(err error) error {
	if err == nil {
		return nil
	}
	var stored *engine.StoredError
	if errors.As(err, &stored) {
		in.lsn = stored.LSN
	}
	return insertError(in.subject(), err)
}

// insertError makes an error of the engine one of an insert.
func insertError(subject string, err error) error {
	e := &Error{Op: "insert", Subject: subject, Err: err}
	var stored *engine.StoredError
	if errors.As(err, &stored) {
		e.Stored, e.Durable, e.Err = true, stored.Durable, stored.Err
	}
	return e
}

// subject names the group in errors.
func (in *insertion) subject() string {
	if in.n == 0 {
		return ""
	}
	return in.parts[0].device
}
