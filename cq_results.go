package tickwell

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
	"github.com/tickwell/tickwell/internal/sorting"
)

// results computes the windows of chunk and puts into in what differs from what
// is stored.
func (r *viewRun) results(ctx context.Context, run *CQRun, in *insertion, chunk incremental.Range, change *emissionChange) error {
	g := r.v.grid
	end := min(g.End(g.Last(chunk.To-1)), maxTime)
	res, err := r.plan(ctx, chunk.From, end)
	if err != nil {
		return err
	}
	fresh := chunk.From >= r.v.computed() // nothing can be stored there
	if fresh && !r.counts && len(r.q.spec.Sinks) == 0 && g.Apart() && !r.v.leftOpen {
		tablets, _, err := res.intoOf(&r.query, res.Tablets())
		if err != nil {
			return err
		}
		r.toRowTimes(tablets)
		run.out.tablets = append(run.out.tablets, tablets...)
		return nil
	}
	rows, err := r.rows(ctx, res, chunk, end)
	if err != nil {
		return err
	}
	if len(r.q.spec.Sinks) > 0 {
		if err := r.emit(run, rows, chunk, change); err != nil {
			return err
		}
	}
	if len(r.query.Into) == 0 {
		return nil
	}
	r.toRowTimes(rows)
	tablets, _, err := res.intoOf(&r.query, all(rows))
	if err != nil {
		return err
	}
	if fresh {
		run.out.tablets = append(run.out.tablets, tablets...)
		return nil
	}
	span := incremental.Range{From: r.v.firstRow(chunk.From), To: r.v.rowTime(g.Start(g.Last(chunk.To-1))) + 1}
	if !r.v.atEnd {
		span.To = max(span.To, chunk.To) // also rows of other windows, of before an alteration
	}
	return r.difference(run, in, tablets, span)
}

// rows computes the windows of chunk. They have the start of their window as
// time; windows without input have none.
func (r *viewRun) rows(ctx context.Context, res *Result, chunk incremental.Range, end int64) ([]*Tablet, error) {
	rows, err := res.Collect()
	if err != nil {
		return nil, err
	}
	r.fromLabels(rows)
	full := func(string, int64) bool { return true }
	if r.counts {
		q := r.query
		q.Start, q.End = time.Unix(0, chunk.From), time.Unix(0, end)
		if full, err = r.presence(ctx, &q); err != nil {
			return nil, err
		}
	}
	for i, t := range rows {
		var keep []int
		for row, at := range t.Times {
			if at < chunk.To && full(t.Device, at) {
				keep = append(keep, row)
			}
		}
		rows[i] = t.pick(keep)
	}
	return rows, nil
}

// toRowTimes gives rows that carry the start of their window the time they are
// stored at.
func (r *viewRun) toRowTimes(rows []*Tablet) {
	if r.v.atEnd {
		moveTimes(rows, r.v.rowTime)
	}
}

// fromLabels gives rows the start of their window as time: rows of windows that
// are open on the left have the end.
func (r *viewRun) fromLabels(rows []*Tablet) {
	if r.v.leftOpen {
		moveTimes(rows, r.v.windowOf)
	}
}

// moveTimes puts another time in the place of each row's.
func moveTimes(rows []*Tablet, of func(int64) int64) {
	for _, t := range rows {
		for i, at := range t.Times {
			t.Times[i] = of(at)
		}
	}
}

// emit sends the rows that are new or have changed, and takes back those that
// are gone.
func (r *viewRun) emit(run *CQRun, rows []*Tablet, chunk incremental.Range, change *emissionChange) error {
	var events []Event
	have := make(map[emittedKey]bool)
	for _, t := range rows {
		for i, at := range t.Times {
			e, ok := rowEvent(t, i)
			if !ok {
				continue
			}
			have[emittedKey{at, e.Series}] = true
			e.Time = instant(r.v.rowTime(at))
			send, err := r.v.emitted.next(change, at, &e)
			if err != nil {
				return err
			}
			if send {
				events = append(events, e)
			}
		}
	}
	sorting.Stable(events, func(a, b Event) int { return cmpEvents(&a, &b) })
	events = append(events, r.v.emitted.retractions(change, chunk, r.job, have, r.v.rowTime)...)
	for _, e := range events {
		run.Emit(e)
	}
	return nil
}

// difference keeps of tablets the cells that are not stored yet, and deletes
// what is stored in span and is not in them.
func (r *viewRun) difference(run *CQRun, in *insertion, tablets []*Tablet, span incremental.Range) error {
	type cell struct {
		path string
		at   int64
	}
	stored := make(map[cell]Value)
	for _, ser := range r.targets {
		path := pattern.Join(ser.Device, ser.Name)
		c := r.snap.Cursor(ser, span.From, span.To)
		for c.Next() {
			values := vectorOf(c.Values())
			for i, at := range c.Times() {
				v := values.Value(i)
				v.str = strings.Clone(v.str)
				stored[cell{path, at}] = v
			}
		}
		err := c.Err()
		c.Close()
		if err != nil {
			return err
		}
	}
	for _, t := range tablets {
		paths, err := targetPaths([]*Tablet{t})
		if err != nil {
			return err
		}
		var changed []int
		for row, at := range t.Times {
			same := true
			for c := range t.Columns {
				if t.Columns[c].Nulls.Get(row) {
					continue
				}
				k := cell{paths[c], at}
				was, ok := stored[k]
				delete(stored, k)
				if v := t.Columns[c].Data.Value(row); !ok || was.kind != v.kind || was.num != v.num || was.str != v.str {
					same = false
				}
			}
			if !same {
				changed = append(changed, row)
			}
		}
		if len(changed) > 0 {
			if err := run.Write(t.pick(changed)); err != nil {
				return err
			}
		}
	}
	for _, ser := range r.targets {
		path := pattern.Join(ser.Device, ser.Name)
		for k := range stored {
			if k.path == path {
				in.batch.Deletes = append(in.batch.Deletes, engine.Delete{Series: []*engine.Series{ser}, From: k.at, To: k.at + 1})
			}
		}
	}
	return nil
}

// nullOfNothing are the aggregates that are null over no rows.
var nullOfNothing = []string{"sum", "avg", "min_value", "max_value", "extreme", "first_value", "last_value", "min_time", "max_time", "time_duration",
	"mode", "stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop", "max_by", "min_by"}

// countsNothing reports whether a window without rows may have values, such as
// the count 0.
func countsNothing(q *Query) bool {
	unsafe := false
	for _, e := range q.Select {
		e.Walk(func(x expr.Expr) {
			switch x.Op() {
			case expr.OpColumn, expr.OpConst, expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod, expr.OpNeg:
			case expr.OpCall:
				if !slices.Contains(nullOfNothing, strings.ToLower(x.Name())) {
					unsafe = true
				}
			default:
				unsafe = true
			}
		})
		if e.Op() == expr.OpConst {
			unsafe = true
		}
	}
	return unsafe
}

// presence tells which windows have rows at all that the aggregates see.
func (r *viewRun) presence(ctx context.Context, q *Query) (func(device string, at int64) bool, error) {
	p := Query{From: q.From, Where: q.Where, Start: q.Start, End: q.End, GroupBy: q.GroupBy, AlignByDevice: q.AlignByDevice, Zone: q.Zone, exact: true}
	seen := map[string]bool{}
	for _, e := range q.Select {
		e.Walk(func(x expr.Expr) {
			if x.Op() == expr.OpColumn && !seen[x.Name()] {
				seen[x.Name()] = true
				p.Select = append(p.Select, expr.Count(expr.Col(x.Name())))
			}
		})
	}
	if len(p.Select) == 0 {
		p.Select = []expr.Expr{expr.Count(expr.Col("*"))}
	}
	res, err := r.db.resultOn(ctx, &p, r.snap)
	if err != nil {
		return nil, err
	}
	res.only = r.job.devices
	have := make(map[emittedKey]bool)
	for t, err := range res.Tablets() {
		if err != nil {
			return nil, err
		}
		r.fromLabels([]*Tablet{t})
		for row, at := range t.Times {
			for c := range t.Columns {
				if !t.Columns[c].Nulls.Get(row) && t.Columns[c].Data.Value(row).Int64() > 0 {
					have[emittedKey{at, strings.Clone(t.Device)}] = true
					break
				}
			}
		}
	}
	return func(device string, at int64) bool { return have[emittedKey{at, device}] }, nil
}
