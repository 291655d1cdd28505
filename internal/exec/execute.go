package exec

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/sorting"
)

// Table is rows of the result: of one device if aligned by device, of one
// column if not aligned.
type Table struct {
	Device  string
	Columns []Column
	Batch
}

// Run is one execution of a plan. It is not safe for concurrent use.
type Run struct {
	run
	next   int // part
	s      stream
	part   *part // that s is of
	kept   *Kept // nil: streams are closed
	failed bool  // streams are not fit to be kept
	fill   *filler
	sorted []Table // finished tables, of a result that had to be held
	held   bool
	skip   int
	left   int // rows that LIMIT leaves; -1: no limit
	table  Table
	shown  []Col // memory of table, if its columns are changed
}

// Start begins to run p on src. Close must be called. What it reads is added to
// m, which may be nil.
func (p *Plan) Start(ctx context.Context, src Source, m *Meter) *Run {
	if m == nil {
		m = &Meter{}
	}
	r := &Run{}
	p.start(ctx, r, src, m)
	return r
}

func (p *Plan) start(ctx context.Context, r *Run, src Source, m *Meter) {
	*r = Run{run: run{ctx: ctx, counted: metered{src, m}, plan: p, meter: m}, skip: p.q.Offset, left: -1}
	r.src = &r.counted
	if p.q.Stored {
		r.levels, _ = src.(Levels)
	}
	if p.q.Limit > 0 {
		r.left = p.q.Limit
	}
}

// Close releases what the run holds and ends functions that still run.
func (r *Run) Close() {
	r.end()
	r.next = len(r.plan.parts)
}

// holds reports whether all rows must be there before the first can go out.
func (r *Run) holds() bool {
	q := r.plan.q
	return len(q.OrderBy) > 0 || q.Fill.Kind == FillLinear || q.Last
}

// Next returns the next rows, nil at the end. They are valid until the next
// call.
func (r *Run) Next() (*Table, error) {
	for {
		if r.left == 0 {
			return nil, nil
		}
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		t, err := r.produce()
		if err != nil {
			r.failed = true
			return nil, err
		}
		if t == nil {
			return nil, nil
		}
		if t = r.cut(t); t != nil {
			return t, nil
		}
	}
}

// cut applies OFFSET and LIMIT.
func (r *Run) cut(t *Table) *Table {
	n := t.Len()
	lo := min(r.skip, n)
	r.skip -= lo
	hi := n
	if r.left >= 0 {
		hi = lo + min(hi-lo, r.left) // lo + r.left may be more than an int
	}
	// Without alignment the clauses cut each column by itself.
	if r.left >= 0 && !r.plan.q.NoAlign {
		r.left -= hi - lo
	}
	if lo >= hi {
		return nil
	}
	if lo == 0 && hi == n {
		return t
	}
	t.Times = t.Times[lo:hi]
	for i := range t.Cols {
		t.Cols[i] = t.Cols[i].cut(lo, hi, nil)
	}
	return t
}

func (r *Run) produce() (*Table, error) {
	if r.holds() {
		if !r.held {
			r.held = true
			if err := r.hold(); err != nil {
				return nil, err
			}
		}
		if len(r.sorted) == 0 {
			return nil, nil
		}
		r.table = r.sorted[0]
		r.sorted = r.sorted[1:]
		return &r.table, nil
	}
	for {
		if r.s == nil {
			if r.next >= len(r.plan.parts) {
				return nil, nil
			}
			if err := r.open(r.plan.parts[r.next]); err != nil {
				return nil, err
			}
			r.next++
		}
		b, err := r.s.next(r.ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			r.end()
			if r.plan.q.NoAlign {
				r.nextColumn()
			}
			continue
		}
		return r.show(r.plan.parts[r.next-1], b), nil
	}
}

// nextColumn begins OFFSET and LIMIT anew for a column that is not aligned.
func (r *Run) nextColumn() {
	r.skip = r.plan.q.Offset
}

func (r *Run) show(p *part, b *Batch) *Table {
	r.table.Device, r.table.Columns = p.device, p.cols
	r.table.Times = b.Times
	if r.fill == nil && r.left < 0 && r.skip == 0 {
		r.table.Cols = b.Cols[:len(p.outputs)]
		return &r.table
	}
	r.shown = append(r.shown[:0], b.Cols[:len(p.outputs)]...)
	r.table.Cols = r.shown
	if r.fill != nil {
		r.fill.apply(&r.table.Batch)
	}
	return &r.table
}

// open starts the stream of a part: its columns and the keys of ORDER BY.
func (r *Run) open(p *part) error {
	r.part = p
	if r.kept != nil {
		if r.s = r.kept.resume(p); r.s != nil {
			r.fill = newFiller(r.plan.q.Fill, p.cols)
			return nil
		}
	}
	nodes := slices.Clone(p.outputs)
	for _, k := range p.keys {
		if k != nil {
			nodes = append(nodes, k)
		}
	}
	blank := asPlain
	if grouped(p.in) {
		blank = counted
	}
	s, err := project(&r.run, p.in, nodes, blank)
	if err != nil {
		return err
	}
	if pr, ok := s.(*projection); ok && pr.dropEmpty {
		pr.counts = shownColumns(nodes, len(p.outputs))
	}
	if r.plan.q.NoAlign {
		s = &dense{in: s, counts: shownColumns(nodes, len(p.outputs))}
		// Rows that are sorted first are cut when they are, and more of them
		// than an int counts there are not.
		if n := r.plan.q.Limit; n > 0 && !r.holds() && n <= math.MaxInt-r.plan.q.Offset {
			s = &limited{in: s, left: n + r.plan.q.Offset}
		}
	}
	r.s = s
	r.fill = newFiller(r.plan.q.Fill, p.cols)
	if r.kept != nil {
		r.kept.keep(p, s)
	}
	return nil
}

// shownColumns tells which of the columns make a row, since keys of ORDER BY do not:
// the first n. It is nil if these are all.
func shownColumns(nodes []*node, n int) []bool {
	if len(nodes) == n {
		return nil
	}
	counts := make([]bool, len(nodes))
	for i := range n {
		counts[i] = true
	}
	return counts
}

// dense leaves out rows without any value.
type dense struct {
	in     stream
	counts []bool // which columns make a row; nil: all
	b      Batch
	keep   []int32
}

func (d *dense) close() { d.in.close() }

func (d *dense) next(ctx context.Context) (*Batch, error) {
	for {
		b, err := d.in.next(ctx)
		if b == nil || err != nil {
			return nil, err
		}
		if b = dropEmpty(b, &d.b, &d.keep, d.counts); b != nil {
			return b, nil
		}
	}
}

// limited ends after some rows.
type limited struct {
	in   stream
	left int
	b    Batch
}

func (l *limited) close() { l.in.close() }

func (l *limited) next(ctx context.Context) (*Batch, error) {
	if l.left == 0 {
		return nil, nil
	}
	b, err := l.in.next(ctx)
	if b == nil || err != nil {
		return nil, err
	}
	if b.Len() > l.left {
		l.b.Times = b.Times[:l.left]
		l.b.Cols = l.b.Cols[:0]
		for i := range b.Cols {
			l.b.Cols = append(l.b.Cols, b.Cols[i].cut(0, l.left, nil))
		}
		b = &l.b
	}
	l.left -= b.Len()
	return b, nil
}

// sortBudget is how much memory a result that must be held takes at most, as a
// multiple of the budget of functions.
const sortBudget = 8

// held is all rows of a part.
type held struct {
	p    *part
	rows Batch
}

// hold reads all parts, sorts and fills them.
func (r *Run) hold() error {
	q := r.plan.q
	if q.Last {
		return r.holdLast()
	}
	var all []*held
	bytes := int64(0)
	for _, p := range r.plan.parts {
		h, err := r.read(p, &bytes)
		if err != nil {
			return err
		}
		if h.rows.Len() > 0 {
			all = append(all, h)
		}
	}
	for _, h := range all {
		if err := r.sortRows(h); err != nil {
			return err
		}
		cols := h.rows
		cols.Cols = cols.Cols[:len(h.p.outputs)]
		fillAll(q.Fill, h.p.cols, &cols)
	}
	return r.merge(all)
}

func (r *Run) read(p *part, bytes *int64) (*held, error) {
	if err := r.open(p); err != nil {
		return nil, err
	}
	defer r.end()
	h := &held{p: p}
	for {
		b, err := r.s.next(r.ctx)
		if err != nil {
			r.failed = true
			return nil, err
		}
		if b == nil {
			return h, nil
		}
		appendBatch(&h.rows, b)
		*bytes += 8 * int64(b.Len())
		for i := range b.Cols {
			*bytes += cellBytes(&b.Cols[i], 0, b.Len())
		}
		if limit := sortBudget * r.budget(); *bytes > limit {
			return nil, fmt.Errorf("query: order by and linear fill hold more than %d bytes: %w", limit, errs.Limit)
		}
	}
}

func appendBatch(dst, src *Batch) {
	if dst.Cols == nil {
		dst.Cols = make([]Col, len(src.Cols))
		for i := range src.Cols {
			dst.Cols[i].reset(src.Cols[i].Kind)
		}
	}
	dst.Times = append(dst.Times, src.Times...)
	for i := range src.Cols {
		dst.Cols[i].appendCells(&src.Cols[i], 0, src.Len())
	}
}

// order is a row of a held result and how it compares.
type order struct {
	h   *held
	row int32
}

// compareRows orders two rows by the keys of the query, then by device and
// time where those are no keys, which makes the order definite.
func (r *Run) compareRows(a, b order) int {
	keyA, keyB := len(a.h.p.outputs), len(b.h.p.outputs)
	for i, o := range r.plan.q.OrderBy {
		c := 0
		if a.h.p.keys[i] == nil {
			c = compareText(a.h.p.device, b.h.p.device)
		} else {
			x, y := &a.h.rows.Cols[keyA], &b.h.rows.Cols[keyB]
			keyA, keyB = keyA+1, keyB+1
			nx := x.Kind == column.Null || x.Nulls.Get(int(a.row))
			ny := y.Kind == column.Null || y.Nulls.Get(int(b.row))
			if nx || ny {
				c = bit(nx) - bit(ny)
				if o.NullsFirst {
					c = -c
				}
				if c != 0 {
					return c
				}
				continue
			}
			c = compareCells(x, int(a.row), y, int(b.row))
		}
		if c == 0 {
			continue
		}
		if o.Desc {
			return -c
		}
		return c
	}
	if c := compareText(a.h.p.device, b.h.p.device); c != 0 {
		return c
	}
	return int(a.row) - int(b.row)
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// compareCells orders two cells that are not null; NaN comes after every
// number.
func compareCells(x *Col, i int, y *Col, j int) int {
	switch x.Kind {
	case column.Text:
		return compareText(x.Texts[i], y.Texts[j])
	case column.Bool:
		return bit(x.Bools[i]) - bit(y.Bools[j])
	}
	if integer(x.Kind) && integer(y.Kind) {
		a, b := integerAt(x, i), integerAt(y, j)
		return bit(a > b) - bit(a < b)
	}
	a, b := x.Float64At(i), y.Float64At(j)
	if a != a || b != b {
		return bit(a != a) - bit(b != b)
	}
	return bit(a > b) - bit(a < b)
}

// sortRows puts the rows of one part into their order.
func (r *Run) sortRows(h *held) error {
	if len(r.plan.q.OrderBy) == 0 {
		return nil
	}
	rows := make([]int32, h.rows.Len())
	for i := range rows {
		rows[i] = int32(i)
	}
	rows, err := stableSort(r.ctx, rows, func(a, b int32) int { return r.compareRows(order{h, a}, order{h, b}) })
	if err != nil {
		return err
	}
	var sorted Batch
	gather(&sorted, &h.rows, rows, len(h.rows.Cols))
	h.rows = sorted
	return nil
}

// merge puts the parts together in the order of the query.
func (r *Run) merge(all []*held) error {
	emit := func(h *held, lo, hi int) {
		for ; lo < hi; lo += maxBatch {
			end := min(hi, lo+maxBatch)
			t := Table{Device: h.p.device, Columns: h.p.cols}
			t.Times = h.rows.Times[lo:end]
			for i := range h.p.outputs {
				t.Cols = append(t.Cols, h.rows.Cols[i].cut(lo, end, nil))
			}
			r.sorted = append(r.sorted, t)
		}
	}
	if r.plan.q.NoAlign { // OFFSET and LIMIT cut each column by itself
		for _, h := range all {
			n := h.rows.Len()
			lo, hi := min(r.skip, n), n
			if r.left >= 0 {
				hi = lo + min(n-lo, r.left)
			}
			emit(h, lo, hi)
		}
		r.skip, r.left = 0, -1
		return nil
	}
	if len(r.plan.q.OrderBy) == 0 || len(all) < 2 {
		for _, h := range all {
			emit(h, 0, h.rows.Len())
		}
		return nil
	}
	pos := make([]int, len(all))
	for {
		best := -1
		for i, h := range all {
			if pos[i] < h.rows.Len() && (best < 0 ||
				r.compareRows(order{h, int32(pos[i])}, order{all[best], int32(pos[best])}) < 0) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		lo := pos[best]
		hi := lo + 1
		for hi < all[best].rows.Len() && r.before(all, pos, best, hi) {
			hi++
		}
		emit(all[best], lo, hi)
		pos[best] = hi
	}
}

// before reports whether row of part best comes before the next row of every
// other part.
func (r *Run) before(all []*held, pos []int, best, row int) bool {
	for i, h := range all {
		if i != best && pos[i] < h.rows.Len() &&
			r.compareRows(order{h, int32(pos[i])}, order{all[best], int32(row)}) < 0 {
			return false
		}
	}
	return true
}

var lastColumns = []Column{
	{Name: "Timeseries", Kind: column.Text},
	{Name: "Value", Kind: column.Text},
	{Name: "DataType", Kind: column.Text},
}

// pathed is a series with its path, which is put together once.
type pathed struct {
	*Series
	path string
}

// planLast plans a LAST query.
func (p *planner) planLast(plan *Plan) error {
	q := p.q
	switch {
	case p.agg:
		return badQuery("last queries can only be applied on raw time series")
	case !q.Where.IsZero():
		return badQuery("only time filters are supported in LAST query")
	case q.ByDevice || q.NoAlign:
		return badQuery("last queries cannot be aligned by device or have their alignment disabled")
	case q.SLimit > 0 || q.SOffset > 0:
		return badQuery("SLIMIT and SOFFSET can not be used in LastQuery")
	case q.Fill.Kind != FillNone:
		return badQuery("fill is not possible with last")
	}
	for _, e := range p.sel {
		if e.Op() != expr.OpColumn {
			return badQuery("last queries can only be applied on raw time series, not on %s", e)
		}
		all, err := p.seriesOf(e.Name())
		if err != nil {
			return err
		}
		for _, s := range all {
			p.note(s)
		}
	}
	for _, s := range p.read {
		plan.last = append(plan.last, pathed{s, s.Path()})
	}
	sorting.By(plan.last, func(a, b pathed) int { return compareText(a.path, b.path) })
	plan.cols = lastColumns
	pt := &part{cols: lastColumns, in: &seriesRows{}}
	b := &builder{leaf: func(e expr.Expr) (*node, error) {
		for i, c := range lastColumns {
			if e.Op() == expr.OpColumn && compareFold(e.Name(), c.Name) {
				return &node{op: opSlot, slot: i, kind: column.Text}, nil
			}
		}
		return nil, nil
	}}
	for i := range lastColumns {
		pt.outputs = append(pt.outputs, &node{op: opSlot, slot: i, kind: column.Text})
	}
	for _, o := range q.OrderBy {
		n, err := b.build(o.By)
		if err != nil {
			return err
		}
		pt.keys = append(pt.keys, n)
	}
	plan.parts = []*part{pt}
	return nil
}

// holdLast reads the newest point of each series.
func (r *Run) holdLast() error {
	p := r.plan.parts[0]
	h := &held{p: p}
	h.rows.Cols = make([]Col, len(lastColumns))
	for i := range h.rows.Cols {
		h.rows.Cols[i].reset(column.Text)
		h.rows.Cols[i].Texts = make([]string, 0, len(r.plan.last))
	}
	h.rows.Times = make([]int64, 0, len(r.plan.last))
	var cell Col
	for _, s := range r.plan.last {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		at, v, ok, err := r.lastOf(s.Series, r.plan.from, r.plan.to)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		h.rows.Times = append(h.rows.Times, at)
		cell.Vector.Reset(s.Kind)
		cell.AppendCell(&v)
		for i, text := range [...]string{s.path, cellText(&cell, 0), DocumentKind(s.Kind)} {
			h.rows.Cols[i].Texts = append(h.rows.Cols[i].Texts, text)
		}
	}
	cells := slices.Clone(h.rows.Cols)
	for _, k := range p.keys {
		o, err := newOp(k, func(n *node) int { return n.slot })
		if err != nil {
			return err
		}
		c, err := o.eval(&Batch{Times: h.rows.Times, Cols: cells})
		if err != nil {
			return err
		}
		h.rows.Cols = append(h.rows.Cols, c.head(h.rows.Len(), k.kind))
	}
	if h.rows.Len() > 0 {
		if err := r.sortRows(h); err != nil {
			return err
		}
		return r.merge([]*held{h})
	}
	return nil
}

// lastOf returns the newest point of s with from <= time < to.
func (r *Run) lastOf(s *Series, from, to int64) (at int64, v column.Cell, ok bool, err error) {
	at, v, ok, err = r.src.Last(s)
	if !ok || err != nil || at < to && at >= from || at < from {
		return at, v, ok && at >= from, err
	}
	c := r.src.Cursor(s, from, to)
	defer c.Close()
	ok = false
	for c.Next() {
		if err := r.ctx.Err(); err != nil {
			return 0, v, false, err
		}
		n := len(c.Times()) - 1
		at, ok = c.Times()[n], true
		v = c.Values().Cell(n)
	}
	return at, v, ok, c.Err()
}
