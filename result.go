package tickwell

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/merge"
)

// ColumnInfo names and types a column.
type ColumnInfo struct {
	Name string // as a heading: the path, the text of the expression, or its alias
	Kind Kind   // of every value of the column
}

// Query plans q and reports at once what is wrong with it; no data is read
// until the result is ranged over. A query with Into is run at once instead,
// and the result tells for each target what was written.
//
// Errors: ErrBadInput and ErrKindMismatch for a query that makes no sense,
// ErrNotFound for an unknown function, ErrLimit where wildcards expand to too
// many columns; when reading also ErrDamaged, ErrLimit for a function or a sort
// that holds too much, and what user functions return. A series that does not
// exist is no error: its column is left out.
func (db *DB) Query(ctx context.Context, q Query) (*Result, error) {
	if err := db.usable(ctx); err != nil {
		return nil, &Error{Op: "query", Err: err}
	}
	if !q.Start.IsZero() && !q.End.IsZero() && q.End.Before(q.Start) {
		return nil, &Error{Op: "query", Err: reversed(q.Start, q.End)}
	}
	r, err := db.prepare(ctx, &q)
	if err != nil {
		return nil, err
	}
	if q.AllowDamaged {
		r.damage = &skipped{}
	}
	rollups := q.Rollups
	r.open = func() (exec.Source, func(), error) {
		if err := db.usable(ctx); err != nil {
			return nil, nil, err
		}
		var skip func(engine.Damage)
		if r.damage != nil {
			skip = r.damage.begin()
		}
		if rollups && !small {
			return db.openRollups(ctx, r.plan, skip)
		}
		s := db.eng.Snapshot()
		s.Steady()
		s.SkipDamaged = skip
		return source{s}, s.Release, nil
	}
	if len(q.Into) > 0 {
		into := q // most queries stay on the stack
		return r.insertInto(ctx, &into)
	}
	return r, nil
}

// queryCut is Query on a given cut, which stays the caller's.
func (db *DB) queryCut(ctx context.Context, q Query, cut *engine.Snapshot) (*Result, error) {
	if len(q.Into) > 0 {
		return nil, &Error{Op: "query", Err: fmt.Errorf("into is not possible inside of a run: %w", errs.BadInput)}
	}
	return db.resultOn(ctx, &q, cut)
}

func (db *DB) resultOn(ctx context.Context, q *Query, cut *engine.Snapshot) (*Result, error) {
	r, err := db.prepare(ctx, q)
	if err == nil {
		r.open = func() (exec.Source, func(), error) { return source{cut}, func() {}, nil }
	}
	return r, err
}

// prepare plans a query and asks for the permission to read what it reads.
func (db *DB) prepare(ctx context.Context, q *Query) (*Result, error) {
	plan, cached, used, err := db.planned(ctx, q)
	if err != nil {
		return nil, &Error{Op: "query", Err: err}
	}
	if db.opts.Authorize != nil {
		for _, s := range plan.Read() {
			if err := db.authorize(ctx, ActionRead, s.Path()); err != nil {
				return nil, err
			}
		}
	}
	r := &Result{ctx: ctx, db: db, plan: plan, used: used}
	if !q.Rollups { // levels come and go between runs
		r.cached = cached
	}
	return r, nil
}

// exec translates q for package exec.
func (q *Query) exec() (*exec.Query, error) {
	if small && q.Rollups {
		return nil, errs.Badf("Rollups is left out of programs that are built with the tag tickwell_small")
	}
	e := &exec.Query{
		Select: q.Select, From: q.From, Where: q.Where, Levels: q.Levels,
		Having: q.Having, Limit: q.Limit, Offset: q.Offset, SLimit: q.SeriesLimit, SOffset: q.SeriesOffset,
		ByDevice: q.AlignByDevice, NoAlign: q.DisableAlign, Last: q.Last, Exact: q.exact || q.Rollups, Stored: q.Rollups, Unit: int64(max(q.TimeUnit, 0)),
	}
	e.Start, e.End = q.bounds()
	if q.Zone != "" {
		zone, err := time.LoadLocation(q.Zone)
		if err != nil {
			return nil, fmt.Errorf("zone %q: %w: %w", q.Zone, err, errs.BadInput)
		}
		e.Zone = zone
	}
	for _, o := range q.OrderBy {
		e.OrderBy = append(e.OrderBy, exec.Order(o))
	}
	if err := q.Fill.exec(&e.Fill); err != nil {
		return nil, err
	}
	switch g := q.GroupBy.(type) {
	case nil:
	case GroupByTime:
		e.Group = exec.Group{Kind: exec.GroupTime, LeftOpen: g.LeftOpen,
			Interval: exec.Span{Months: g.IntervalMonths, NS: int64(g.Interval)},
			Step:     exec.Span{Months: g.StepMonths, NS: int64(g.Step)}}
	case GroupByVariation:
		e.Group = exec.Group{Kind: exec.GroupVariation, By: g.By, Delta: g.Delta, KeepNulls: g.KeepNulls}
	case GroupByCondition:
		e.Group = exec.Group{Kind: exec.GroupCondition, By: g.By, Keep: exec.Keep{Op: g.KeepOp, N: g.KeepN}, KeepNulls: g.KeepNulls}
	case GroupBySession:
		e.Group = exec.Group{Kind: exec.GroupSession, Interval: exec.Span{NS: int64(g.Gap)}}
	case GroupByCount:
		e.Group = exec.Group{Kind: exec.GroupCount, By: g.By, Size: g.Size, KeepNulls: g.KeepNulls}
	default:
		return nil, fmt.Errorf("group by %T: use the struct itself, not a pointer: %w", g, errs.BadInput)
	}
	return e, nil
}

func (f *Fill) exec(e *exec.Fill) error {
	n := 0
	for _, set := range []bool{f.Previous, f.Linear, !f.Value.IsNull()} {
		if set {
			n++
		}
	}
	switch {
	case n > 1:
		return fmt.Errorf("fill: one of Previous, Linear and Value may be set: %w", errs.BadInput)
	case f.Previous:
		e.Kind = exec.FillPrevious
	case f.Linear:
		e.Kind = exec.FillLinear
	case n == 1:
		e.Kind = exec.FillValue
		e.Value.Reset(column.Kind(f.Value.kind))
		appendCell(&e.Value, f.Value)
	}
	return nil
}

// bounds are Start and End, or the extremes of int64 where they are open.
func (q *Query) bounds() (start, end int64) {
	start, end = math.MinInt64, math.MaxInt64
	if !q.Start.IsZero() {
		start = clampNano(q.Start)
	}
	if !q.End.IsZero() {
		end = clampNano(q.End)
	}
	return start, end
}

// clampNano is the time in Unix nanoseconds, or the nearest instant that int64
// holds.
func clampNano(t time.Time) int64 {
	switch y := t.Year(); {
	case y < 1678:
		return math.MinInt64
	case y > 2261:
		return math.MaxInt64
	}
	return t.UnixNano()
}

// Result is a planned query. Ranging over it runs the query on the store as it
// is at that moment, so each range sees one cut of all series; it can be done
// more than once. What the loop holds is released when it ends or is left, so
// there is nothing to close. A context that is done ends it with the context's
// error.
type Result struct {
	ctx   context.Context
	db    *DB
	plan  *exec.Plan
	used  []string // user's functions
	open  func() (exec.Source, func(), error)
	meter exec.Meter
	fixed *Tablet             // what a query with Into wrote, instead of plan
	only  map[string]bool     // devices, if aligned by device; nil: all
	into  map[string][]target // where columns go, if it is known already
	kept  *exec.Kept          // what runs it, if it is run again and again
	room  *intoRoom           // memory, likewise; nil: what is made is the caller's
	// cached is the plan that others may ask for too, whose memory is used again.
	cached *cachedPlan

	damage *skipped // by the last range, with AllowDamaged
}

// Columns describes the columns in order.
func (r *Result) Columns() []ColumnInfo {
	if r.fixed != nil {
		all := make([]ColumnInfo, len(r.fixed.Columns))
		for i, c := range r.fixed.Columns {
			all[i] = ColumnInfo{c.Name, c.Data.Kind()}
		}
		return all
	}
	cols := r.plan.Columns()
	all := make([]ColumnInfo, len(cols))
	for i, c := range cols {
		all[i] = ColumnInfo{Name: c.Name, Kind: Kind(c.Kind)}
	}
	return all
}

// Timeless reports whether the rows of the result are of no particular time: of
// aggregates without GROUP BY, and of what a query with Into tells.
func (r *Result) Timeless() bool { return r.fixed != nil || r.plan.Whole() }

// source connects a cut of the store to package exec.
type source struct{ cut *engine.Snapshot }

func (s source) Cursor(ser *engine.Series, from, to int64) exec.Cursor {
	return s.cut.Cursor(ser, from, to)
}

func (s source) Rows(ser []*engine.Series, from, to int64) exec.RowCursor {
	return s.cut.Rows(ser, from, to)
}

func (s source) Total(ser *engine.Series, from, to int64, want block.Fields) (*block.Stats, int, bool) {
	return s.cut.Total(ser, from, to, want)
}

func (s source) FewRows(was exec.FewRows, ser []*engine.Series, from, to int64) (exec.FewRows, bool) {
	f, ok := was.(*merge.FewRows)
	if !ok {
		f = new(merge.FewRows)
	}
	return f, s.cut.FewRows(f, ser, from, to)
}

func (s source) Last(ser *engine.Series) (int64, column.Cell, bool, error) {
	return s.cut.LastCell(ser)
}

// Tablets yields the result by column, many rows at a time. Only with
// Query.AlignByDevice a tablet has a device. It is only valid until the next
// one: use [Tablet.Clone] to keep it. A failure is yielded last, with a nil
// tablet.
func (r *Result) Tablets() iter.Seq2[*Tablet, error] {
	return func(yield func(*Tablet, error) bool) { r.each(yield, nil) }
}

// each hands the tablets to yield until it has enough. If of is not nil it is set
// before to the first column of the plan that they are of, which tells tablets of
// one column of a result that is not aligned from those of the next.
func (r *Result) each(yield func(*Tablet, error) bool, of **exec.Column) {
	if r.fixed != nil {
		if r.fixed.Len() > 0 {
			yield(r.fixed, nil)
		}
		return
	}
	cut, release, err := r.open()
	if err != nil {
		yield(nil, &Error{Op: "query", Err: err})
		return
	}
	plan := r.plan
	if r.only != nil {
		plan = plan.Only(r.only)
	}
	var run *exec.Run
	switch {
	case r.kept != nil:
		run = r.kept.Start(r.ctx, plan, cut, &r.meter)
	case r.cached != nil:
		k := r.db.plans.wake(r.cached)
		defer r.db.plans.sleep(r.cached, k)
		run = k.Start(r.ctx, plan, cut, &r.meter)
	default:
		run = plan.Start(r.ctx, cut, &r.meter)
	}
	next := run.Next
	if len(r.used) > 0 && r.ctx.Done() != nil {
		g := hostGuest(r.ctx, r.used, run, release)
		defer g.close()
		next = g.next
	} else {
		defer release()
		defer run.Close()
	}
	var t *Tablet
	if r.room != nil {
		t = &r.room.shown
	} else {
		t = new(Tablet)
	}
	for {
		rows, err := next()
		if err != nil {
			yield(nil, &Error{Op: "query", Err: err})
			return
		}
		if rows == nil {
			return
		}
		t.show(rows)
		if of != nil && len(rows.Columns) > 0 {
			*of = &rows.Columns[0]
		}
		if !yield(t, nil) {
			return
		}
	}
}

// show makes t the public face of a table. What it has shown before stays boxed
// where it still lies in the same place.
func (t *Tablet) show(rows *exec.Table) {
	t.Device, t.Times = rows.Device, rows.Times
	t.Columns = slices.Grow(t.Columns[:0], len(rows.Cols))[:len(rows.Cols)]
	for i := range rows.Cols {
		c, to := &rows.Cols[i], &t.Columns[i]
		to.Name, to.Nulls = rows.Columns[i].Name, Bitmap(c.Nulls)
		if !boxed(to.Data, &c.Vector) {
			to.Data = vectorOf(&c.Vector)
		}
	}
}

// Rows yields the result row by row. A failure is yielded last, with the zero
// Row. A row is only valid until the next one.
func (r *Result) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for t, err := range r.Tablets() {
			if err != nil {
				yield(Row{}, err)
				return
			}
			for i := range t.Times {
				if !yield(Row{t, i}, nil) {
					return
				}
			}
		}
	}
}

// Collect reads all of the result into tablets of the caller's: one, or one
// per run of rows of the same device, or one per column if not aligned, in the
// order of Columns and without rows where it has none.
func (r *Result) Collect() ([]*Tablet, error) {
	var all []*Tablet
	var failed error
	var of, last *exec.Column
	var apart []*exec.Column // whose tablets are still to come
	if r.fixed == nil {
		apart = r.plan.Apart()
	}
	pass := func() {
		c := apart[0]
		v := column.Vector{Kind: c.Kind}
		all, apart = append(all, &Tablet{Columns: []Column{{Name: c.Name, Data: vectorOf(&v)}}}), apart[1:]
	}
	r.each(func(t *Tablet, err error) bool {
		if err != nil {
			failed = err
			return false
		}
		if n := len(all) - 1; n >= 0 && of == last && sameColumns(all[n], t) {
			all[n].extend(t)
			return true
		}
		for len(apart) > 0 && apart[0] != of {
			pass()
		}
		if len(apart) > 0 {
			apart = apart[1:]
		}
		all, last = append(all, t.Clone()), of
		return true
	}, &of)
	if failed != nil {
		return nil, failed
	}
	for len(apart) > 0 {
		pass()
	}
	return all, nil
}

func sameColumns(a, b *Tablet) bool {
	if a.Device != b.Device || len(a.Columns) != len(b.Columns) {
		return false
	}
	for i := range a.Columns {
		if a.Columns[i].Name != b.Columns[i].Name || a.Columns[i].Data.Kind() != b.Columns[i].Data.Kind() {
			return false
		}
	}
	return true
}

// extend adds the rows of b, which has the same columns.
func (t *Tablet) extend(b *Tablet) {
	n := t.Len()
	t.Times = append(t.Times, b.Times...)
	for i := range t.Columns {
		v, w := t.Columns[i].Data.vector(), b.Columns[i].Data.vector()
		v.AppendRange(&w, 0, b.Len())
		t.Columns[i].Data = vectorOf(&v)
		for r := range b.Times {
			if b.Columns[i].Nulls.Get(r) {
				t.Columns[i].Nulls.Set(n + r)
			}
		}
	}
}
