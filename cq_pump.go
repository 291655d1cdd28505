package tickwell

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/engine"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// pump is one run of an incremental query: it computes what is dirty and over,
// oldest first, a record for each chunk of windows. More is true if it stopped
// to let others run.
func (db *DB) pump(ctx context.Context, q *cq) (more bool, err error) {
	if err := q.busy.Lock(ctx); err != nil {
		return false, err
	}
	defer q.busy.Unlock()
	if q.retired {
		return false, nil
	}
	v := q.view
	v.mu.Lock()
	due := v.due(db.clock.Mono())
	v.mu.Unlock()
	if due.Empty() {
		return false, nil
	}
	keys, err := db.cqs.newGeneration(ctx, v)
	if err != nil {
		return false, err
	}
	v.mu.Lock()
	end, newest := v.over(db.clock.Mono()), v.newest
	due = incremental.Ranges{}
	for _, key := range keys {
		due.Add(v.keys[key].Intersect(incremental.Range{From: math.MinInt64, To: end}))
	}
	v.mu.Unlock()
	run := &viewRun{db: db, q: q, v: v, snap: db.eng.Snapshot(), keys: keys, newest: newest}
	defer run.snap.Release()
	if err := run.prepare(ctx); err != nil {
		return false, err
	}
	for _, r := range due.All() {
		for !r.Empty() {
			if run.steps == cqSteps {
				return true, nil
			}
			run.steps++
			if r.From, err = run.step(ctx, r); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// viewRun is a run of an incremental query on one cut.
type viewRun struct {
	db      *DB
	q       *cq
	v       *cqView
	snap    *engine.Snapshot
	keys    []string // the marks it may remove
	steps   int
	query   Query
	plan    *Result
	inputs  []*engine.Series
	targets []*engine.Series
	newest  int64
	counts  bool // rows without input may have values
}

// cqPlan plans the query of q for some range.
func (r *viewRun) prepare(ctx context.Context) error {
	r.query = r.q.spec.Query.(Query)
	r.query.exact = true
	r.counts = countsNothing(&r.query)
	probe := r.query
	probe.Start, probe.End = time.Unix(0, r.v.grid.Start(0)), time.Unix(0, r.v.grid.End(0))
	plan, err := r.db.resultOn(ctx, &probe, r.snap)
	if err != nil {
		return err
	}
	r.inputs = plan.plan.Read()
	for _, path := range r.db.cqs.targetsOf(r.v.name) {
		if ser, ok := r.db.eng.Lookup(pattern.Split(path)); ok {
			r.targets = append(r.targets, ser)
		}
	}
	return nil
}

// rowTime is the time of the row of the window that begins at start.
func (r *viewRun) rowTime(start int64) int64 {
	if r.q.spec.AtEnd {
		return r.v.grid.End(r.v.grid.Last(start))
	}
	return start
}

// windowOf is the inverse of rowTime.
func (r *viewRun) windowOf(at int64) int64 {
	if r.q.spec.AtEnd {
		return r.v.grid.Start(r.v.grid.First(at - 1))
	}
	return at
}

// firstTime returns the first time at or after from of one of the series.
func firstTime(snap *engine.Snapshot, all []*engine.Series, from int64) (int64, bool, error) {
	first, found := int64(math.MaxInt64), false
	for _, ser := range all {
		if found && first == from {
			break
		}
		c := snap.Cursor(ser, from, first)
		if c.Next() {
			first, found = c.Times()[0], true
		}
		err := c.Err()
		c.Close()
		if err != nil {
			return 0, false, err
		}
	}
	return first, found, nil
}

// step computes the next windows of d that may have rows, and returns where the
// next step begins.
func (r *viewRun) step(ctx context.Context, d incremental.Range) (int64, error) {
	if err := ctx.Err(); err != nil {
		return d.From, err
	}
	g := r.v.grid
	if sealed, ok := r.sealed(); ok && d.From < sealed {
		return min(sealed, d.To), r.compute(ctx, incremental.Range{}, incremental.Range{From: d.From, To: min(sealed, d.To)})
	}
	at := d.To // nothing before
	if t, ok, err := firstTime(r.snap, r.inputs, d.From); err != nil {
		return d.From, err
	} else if ok {
		at = min(at, g.Start(g.First(t)))
	}
	if t, ok, err := firstTime(r.snap, r.targets, r.rowTime(d.From)); err != nil {
		return d.From, err
	} else if ok {
		at = min(at, r.windowOf(t))
	}
	at = max(at, d.From)
	if len(r.q.spec.Sinks) > 0 {
		for k, row := range r.v.emitted.sent { // what was sent may have to be taken back
			if row.hash != 0 && k.window >= d.From && k.window < at {
				at = k.window
			}
		}
	}
	chunk := incremental.Range{From: at, To: min(d.To, g.Start(g.Last(at)+int64(r.v.chunk)))}
	done := incremental.Range{From: d.From, To: max(chunk.To, d.From)}
	if chunk.Empty() {
		done.To = d.To
	}
	return done.To, r.compute(ctx, chunk, done)
}

// sealed returns the start of the first window of which no row and no result
// has expired. Those before stay as they are: what is left of their rows would
// give another result.
func (r *viewRun) sealed() (start int64, ok bool) {
	latest := int64(math.MinInt64)
	for _, all := range [][]*engine.Series{r.inputs, r.targets} {
		for _, ser := range all {
			if at, set := r.db.eng.Horizon(ser.Device, ser.Name); set {
				latest, ok = max(latest, at), true
			}
		}
	}
	if !ok {
		return 0, false
	}
	return r.v.grid.Start(r.v.grid.Last(latest-1) + 1), true
}

// compute stores the results of the windows that begin in chunk, and that those
// that begin in done are clean, in one record.
func (r *viewRun) compute(ctx context.Context, chunk, done incremental.Range) (err error) {
	db, began := r.db, r.db.clock.Mono()
	in := db.scratch.Get().(*insertion)
	defer db.end(in)
	defer in.leave(db)
	run := &CQRun{Name: r.v.name, At: db.clock.Now().UTC(), db: db, snap: r.snap, spec: r.q, out: &in.fx, from: chunk.From, to: chunk.To}
	run.Start, run.End = time.Unix(0, chunk.From).UTC(), time.Unix(0, chunk.To).UTC()
	windows := r.v.grid.Count(chunk)
	defer func() {
		run.over = true
		if windows > 0 || err != nil {
			db.reportRun(run, began, err)
		}
	}()
	change := r.v.emitted.change()
	if windows > 0 {
		if err := call(r.v.name, func() error { return r.results(ctx, run, in, chunk, change) }); err != nil {
			return err
		}
	}
	run.wrote, in.fx.tablets = in.fx.tablets, nil
	keep, gone := r.clean(in, done)
	in.fx.puts = append(in.fx.puts, r.v.emitted.puts(change, r.v.name)...)
	in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: cqKey(r.v.name, "newest"), Value: binary.LittleEndian.AppendUint64(nil, uint64(r.newest))})
	if err := db.storeRun(ctx, run, in); err != nil {
		return err
	}
	r.v.emitted.stored(change)
	r.v.mu.Lock()
	for _, key := range gone {
		delete(r.v.keys, key)
	}
	for key, rest := range keep {
		r.v.keys[key] = rest
	}
	r.v.mu.Unlock()
	r.keys = slices.DeleteFunc(r.keys, func(k string) bool { return slices.Contains(gone, k) })
	for key := range keep {
		r.keys = append(r.keys, key)
	}
	r.q.computed.Add(windows)
	return nil
}

// clean removes done from the marks.
func (r *viewRun) clean(in *insertion, done incremental.Range) (keep map[string]incremental.Range, gone []string) {
	keep = make(map[string]incremental.Range)
	r.v.mu.Lock()
	defer r.v.mu.Unlock()
	for _, key := range r.keys {
		m := r.v.keys[key]
		if m.Intersect(done).Empty() {
			continue
		}
		gone = append(gone, key)
		in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: key, Delete: true})
		prefix := key[:len(key)-32]
		for _, rest := range m.Minus(done) {
			k := prefix + orderedTime(rest.From) + orderedTime(rest.To)
			keep[k] = rest
			in.fx.puts = append(in.fx.puts, engine.Put{Kind: engine.PutProgress, Key: k, Value: []byte{1}})
		}
	}
	return keep, gone
}

// results computes the windows of chunk and puts into in what differs from what
// is stored.
func (r *viewRun) results(ctx context.Context, run *CQRun, in *insertion, chunk incremental.Range, change *emissionChange) error {
	g := r.v.grid
	q := r.query
	q.Start, q.End = time.Unix(0, chunk.From), time.Unix(0, g.End(g.Last(chunk.To-1)))
	res, err := r.db.resultOn(ctx, &q, r.snap)
	if err != nil {
		return err
	}
	rows, err := res.Collect()
	if err != nil {
		return err
	}
	full := func(string, int64) bool { return true }
	if r.counts {
		if full, err = r.presence(ctx, &q); err != nil {
			return err
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
	if len(r.q.spec.Sinks) > 0 {
		if err := r.emit(run, rows, chunk, change); err != nil {
			return err
		}
	}
	for _, t := range rows {
		for i, at := range t.Times {
			t.Times[i] = r.rowTime(at)
		}
	}
	if len(q.Into) == 0 {
		return nil
	}
	tablets, _, err := res.intoOf(&q, all(rows))
	if err != nil {
		return err
	}
	return r.difference(run, in, tablets, incremental.Range{From: r.rowTime(chunk.From), To: r.rowTime(g.Start(g.Last(chunk.To-1))) + 1})
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
			e.Time = time.Unix(0, r.rowTime(at)).UTC()
			send, err := r.v.emitted.next(change, at, &e)
			if err != nil {
				return err
			}
			if send {
				events = append(events, e)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return cmpEvents(&a, &b) })
	events = append(events, r.v.emitted.retractions(change, chunk.From, chunk.To, have, r.rowTime)...)
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
	have := make(map[emittedKey]bool)
	for t, err := range res.Tablets() {
		if err != nil {
			return nil, err
		}
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
