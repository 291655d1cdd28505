package tickwell

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// ReadContinuousQuery returns the results of an incremental query with Into in
// [start, end) as they are now: what is stored, and in place of windows that are
// dirty or not over yet what they would be, computed on the spot. Nothing is
// stored. There is a tablet for each device that the query writes. Of results of
// other queries that it reads, it sees what is stored. A zero time is open.
func (db *DB) ReadContinuousQuery(ctx context.Context, name string, start, end time.Time) ([]*Tablet, error) {
	fail := func(err error) ([]*Tablet, error) {
		return nil, &Error{Op: "read continuous query", Subject: name, Err: err}
	}
	if err := db.usable(ctx); err != nil {
		return fail(err)
	}
	from, to, err := bounds(start, end)
	if err != nil {
		return fail(err)
	}
	q := db.cqs.find(name)
	switch {
	case q == nil:
		return fail(fmt.Errorf("it does not exist: %w", errs.NotFound))
	case q.inactive != nil:
		return fail(q.inactive)
	case q.view == nil:
		return fail(fmt.Errorf("it is scheduled: its targets hold all there is: %w", errs.BadInput))
	}
	for _, path := range db.cqs.targetsOf(name) {
		if err := db.authorize(ctx, ActionRead, path); err != nil {
			return nil, err
		}
	}
	all, err := db.readView(ctx, q, incremental.Range{From: from, To: to})
	if err != nil {
		return fail(err)
	}
	return all, nil
}

// readView reads the rows of a view whose times are in span.
func (db *DB) readView(ctx context.Context, q *cq, span incremental.Range) ([]*Tablet, error) {
	// What a run stores and the marks it removes go together; and the rows that
	// it holds back must not expire before they are read.
	if err := q.busy.Lock(ctx); err != nil {
		return nil, err
	}
	defer q.busy.Unlock()
	v := q.view
	r := &viewRun{db: db, q: &cq{spec: q.spec}, v: v, snap: db.eng.Snapshot(), job: &viewJob{}}
	defer r.snap.Release()
	err := db.cqs.barrier(ctx) // the marks of every row of the cut are there
	var groups *groupRun
	if v.grouped() {
		groups = r.groupRun()
	}
	v.mu.Lock()
	var dirty incremental.Ranges
	marks := maps.Clone(v.keys)
	v.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if groups != nil {
		return groups.readAll(ctx, marks, span)
	}
	for _, d := range marks {
		dirty.Add(d.Range)
	}
	if _, err := r.prepare(ctx); err != nil {
		return nil, err
	}
	dirty.Remove(incremental.Range{From: math.MinInt64, To: r.expiry})
	cells := make(rowCells)
	for path, ser := range r.written {
		device, column := pattern.Split(path)
		c := r.snap.Cursor(ser, span.From, span.To)
		for c.Next() {
			values := vectorOf(c.Values())
			for i, at := range c.Times() {
				if w := v.windowOf(at); !dirty.Contains(incremental.Range{From: w, To: w + 1}) {
					cells.set(device, at, column, values.Value(i))
				}
			}
		}
		err := c.Err()
		c.Close()
		if err != nil {
			return nil, err
		}
	}
	r.take(r.job)
	for _, d := range dirty.All() {
		if err := r.fresh(ctx, d, span, cells); err != nil {
			return nil, err
		}
	}
	return cells.tablets()
}

// fresh computes the windows of d whose rows are in span.
func (r *viewRun) fresh(ctx context.Context, d, span incremental.Range, cells rowCells) error {
	g := r.v.grid
	for !d.Empty() {
		if err := ctx.Err(); err != nil {
			return err
		}
		t, ok, err := firstTime(r.snap, r.inputs, d.From)
		if err != nil || !ok {
			return err
		}
		at := max(d.From, r.v.touchedBy(incremental.Range{From: t, To: t + 1}).From)
		chunk := incremental.Range{From: at, To: min(d.To, g.Start(g.Last(at)+int64(r.v.chunk)))}
		if chunk.Empty() || r.v.rowTime(chunk.From) >= span.To {
			return nil
		}
		d.From = chunk.To
		end := g.End(g.Last(chunk.To - 1))
		res, err := r.plan(ctx, chunk.From, end)
		if err != nil {
			return err
		}
		rows, err := r.rows(ctx, res, chunk, end)
		if err != nil {
			return err
		}
		r.toRowTimes(rows)
		tablets, _, err := res.intoOf(&r.query, all(rows))
		if err != nil {
			return err
		}
		for _, t := range tablets {
			for row := range t.Rows() {
				if at := row.UnixNano(); at >= span.From && at < span.To {
					for i := range t.Columns {
						cells.set(t.Device, at, t.Columns[i].Name, row.Value(i))
					}
				}
			}
		}
	}
	return nil
}

// rowCells is values by device, time and column.
type rowCells map[string]map[int64][]Field

func (c rowCells) set(device string, at int64, column string, v Value) {
	if v.IsNull() {
		return
	}
	if c[device] == nil {
		c[device] = make(map[int64][]Field)
	}
	v.str = strings.Clone(v.str)
	c[device][at] = append(c[device][at], Field{Name: column, Value: v})
}

func (c rowCells) tablets() ([]*Tablet, error) {
	var out []*Tablet
	for _, device := range slices.Sorted(maps.Keys(c)) {
		t := &Tablet{Device: device}
		for _, at := range slices.Sorted(maps.Keys(c[device])) {
			fields := c[device][at]
			sorting.By(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
			if err := t.Append(instant(at), fields...); err != nil {
				return nil, err
			}
		}
		out = append(out, t)
	}
	return out, nil
}
