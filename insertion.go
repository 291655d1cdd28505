package tickwell

import (
	"context"
	"fmt"
	"math"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// An insertion is one atomic group on its way into the store, with the memory
// it needs; it is reused.
type insertion struct {
	parts   []part
	n       int // parts in use
	fx      effects
	batch   engine.Batch
	table   *triggerTable // in force when it began; nil if it fires nothing
	entered []*trigger    // what it fires
	crowd   int           // the most inserts that fire one of them
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

	cols  []column.Vector // memory for those of the next parts
	nulls []column.Bitmap

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

// widen makes room in p for n columns. The first tablets of a group make it for
// those that come after them too.
func (in *insertion) widen(p *part, n int) {
	if cap(p.cols) >= n && cap(p.nulls) >= n {
		return
	}
	if len(in.cols) < n {
		room := n
		if in.n > 1 {
			room = max(n, min(16*n, 256))
		}
		in.cols, in.nulls = make([]column.Vector, room), make([]column.Bitmap, room)
	}
	p.cols, in.cols = in.cols[:0:n], in.cols[n:]
	p.nulls, in.nulls = in.nulls[:0:n], in.nulls[n:]
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
		if b := p.hint; b != nil && b.device == t.Device && in.take(p, t, b) {
			return p.bindTo(db, b)
		}
		if b := db.bound.lookup(t.Device, t.Columns[0].Name, len(t.Columns)); b != nil && in.take(p, t, b) {
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
	in.take(p, t, p.bound)
	return nil
}

// take makes the rows of t those of p, whose columns must be those of b. It
// returns false if they are not, or something else is wrong with t, and changes
// nothing then that the next take or reset does not.
func (in *insertion) take(p *part, t *Tablet, b *binding) bool {
	n := len(b.names)
	if len(t.Columns) != n {
		return false
	}
	in.widen(p, n)
	p.tablet, p.device, p.times = t, t.Device, t.Times
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

// bind makes a binding for p, which keeps names and kinds, and checks kinds, names
// and limits.
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
