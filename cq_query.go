package tickwell

import (
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/exec"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Run makes a Query a [ContinuousQuery]: it computes the range of the run, with
// groups counted from its start, and writes the rows to the targets of Into.
func (q Query) Run(ctx context.Context, r *CQRun) error {
	q.exact = true
	kept := &r.spec.kept
	if _, ok := r.spec.spec.Query.(Query); !ok { // the user's own, which may run several
		kept = new(keptPlan)
	}
	res, err := kept.at(ctx, r.db, &q, r.snap, r.from, r.to)
	if err != nil {
		return err
	}
	spec := &r.spec.spec
	if !spec.AtEnd && len(spec.Sinks) == 0 {
		return r.writeInto(res, &q, res.Tablets())
	}
	rows, err := res.Collect()
	if err != nil {
		return err
	}
	if grid, err := q.grid(r.Start); spec.AtEnd && err == nil {
		for _, t := range rows {
			for i, at := range t.Times {
				t.Times[i] = min(grid.End(grid.Last(at)), maxTime)
			}
		}
	}
	if len(spec.Sinks) > 0 {
		for _, t := range rows {
			for i := range t.Times {
				if e, ok := rowEvent(t, i); ok {
					r.Emit(e)
				}
			}
		}
	}
	if len(q.Into) == 0 {
		return nil
	}
	return r.writeInto(res, &q, all(rows))
}

// writeInto writes rows of res to the targets of q.
func (r *CQRun) writeInto(res *Result, q *Query, rows iter.Seq2[*Tablet, error]) error {
	tablets, _, err := res.intoOf(q, rows)
	if err != nil {
		return err
	}
	r.out.tablets = append(r.out.tablets, tablets...) // nobody else has them
	return nil
}

// all yields tablets as a result does.
func all(rows []*Tablet) iter.Seq2[*Tablet, error] {
	return func(yield func(*Tablet, error) bool) {
		for _, t := range rows {
			if !yield(t, nil) {
				return
			}
		}
	}
}

// rowEvent is a result row as an event. Rows of nulls are none.
func rowEvent(t *Tablet, row int) (Event, bool) {
	e := Event{Series: t.Device, Time: instant(t.Times[row])}
	some := false
	for i := range t.Columns {
		f := Field{Name: t.Columns[i].Name}
		if !t.Columns[i].Nulls.Get(row) {
			f.Value, some = t.Columns[i].Data.Value(row), true
		}
		e.Fields = append(e.Fields, f)
	}
	return e, some
}

// grid is the windows of GROUP BY time, counted from origin.
func (q *Query) grid(origin time.Time) (*incremental.Grid, error) {
	g, ok := q.GroupBy.(GroupByTime)
	if !ok {
		return nil, fmt.Errorf("no GROUP BY time: %w", errs.BadInput)
	}
	zone := time.UTC
	if q.Zone != "" {
		var err error
		if zone, err = time.LoadLocation(q.Zone); err != nil {
			return nil, fmt.Errorf("zone %q: %w: %w", q.Zone, err, errs.BadInput)
		}
	}
	grid := incremental.Grid{Interval: int64(g.Interval), Step: int64(g.Step), Zone: zone}
	if g.IntervalMonths != 0 || g.StepMonths != 0 {
		if g.Interval != 0 || g.Step != 0 {
			return nil, fmt.Errorf("windows of months and of a fixed length are mixed: %w", errs.BadInput)
		}
		grid.Interval, grid.Step, grid.Months = int64(g.IntervalMonths), int64(g.StepMonths), true
	}
	if grid.Step == 0 {
		grid.Step = grid.Interval
	}
	switch {
	case !origin.IsZero():
		ns, err := unixNano(origin)
		if err != nil {
			return nil, err
		}
		grid.Origin = ns
	case grid.Months:
		grid.Origin = time.Date(1970, 1, 1, 0, 0, 0, 0, zone).UnixNano()
	}
	return grid.New()
}

// checkCQ reports whether q can be a continuous query and returns the interval
// of its GROUP BY time, 0 for none, and the targets of the series there are. Months
// count as the documents' 30 days.
func (q Query) checkCQ(db *DB, spec *CQSpec) (time.Duration, map[string][]target, error) {
	hasTime := false
	q.Where.Walk(func(e expr.Expr) { hasTime = hasTime || e.Op() == expr.OpTime })
	switch {
	case !q.Start.IsZero() || !q.End.IsZero():
		return 0, nil, fmt.Errorf("CQ: specifying a time range in the query body is prohibited: %w", errs.BadInput)
	case hasTime:
		return 0, nil, fmt.Errorf("CQ: specifying time filters in the query body is prohibited: %w", errs.BadInput)
	case len(q.Into) == 0 && len(spec.Sinks) == 0:
		return 0, nil, fmt.Errorf("CQ: the query body misses an INTO clause, and no sink is given: %w", errs.BadInput)
	}
	g, grouped := q.GroupBy.(GroupByTime)
	interval := g.Interval + time.Duration(g.IntervalMonths)*30*24*time.Hour
	if grouped && (interval <= 0 || interval > math.MaxInt64/2) {
		return 0, nil, fmt.Errorf("CQ: the group by interval %s should be greater than 0, and at most 146 years: %w", interval, errs.BadInput)
	}
	if spec.AtEnd && !grouped {
		return 0, nil, fmt.Errorf("CQ: rows without a GROUP BY time have no end of a window: %w", errs.BadInput)
	}
	q.Start, q.End = instant(0), instant(0).Add(max(interval, 1))
	eq, err := q.exec()
	if err != nil {
		return 0, nil, err
	}
	plan, err := exec.Prepare(eq, db.eng, &db.funcs)
	if err != nil {
		return 0, nil, err
	}
	var into map[string][]target
	if len(q.Into) > 0 {
		if into, err = q.checkInto(db, plan); err != nil {
			return 0, nil, err
		}
	}
	if !grouped {
		interval = 0
	}
	return interval, into, nil
}

// checkInto finds what is wrong with Into whatever series there will be, and the
// targets of those there are.
func (q *Query) checkInto(db *DB, plan *exec.Plan) (map[string][]target, error) {
	for _, t := range q.Into {
		if len(t.Columns) == 0 {
			return nil, badInto("target %s names no column", t.Device)
		}
	}
	if q.Last || q.SeriesLimit > 0 || q.SeriesOffset > 0 {
		return nil, badInto("LAST, SLIMIT and SOFFSET are not supported")
	}
	if err := q.checkPlaceholders(); err != nil {
		return nil, err
	}
	if err := q.checkDeviceColumns(); err != nil {
		return nil, err
	}
	if len(plan.Columns()) == 0 {
		return nil, nil
	}
	into, err := q.targets(plan.Columns(), plan.Devices())
	if err != nil && (strings.Contains(strings.Join(q.From, " "), "*") || q.awaitsSeries(db)) {
		return nil, nil // as series come
	}
	return into, err
}

// checkDeviceColumns refuses targets with other numbers of columns than each device
// has, whatever series there will be.
func (q *Query) checkDeviceColumns() error {
	read := strings.Join(q.columnsRead(), " ")
	if !q.AlignByDevice || strings.Contains(read, "*") || strings.Contains(read, "__endTime") {
		return nil
	}
	for _, t := range q.Into {
		if n := len(t.Columns); n != len(q.Select) && (n != 1 || !placeholders(t.Columns[0])) {
			return badColumns(len(q.Select), n)
		}
	}
	return nil
}

// awaitsSeries reports whether a column that q reads has no series yet, as with
// results of another query that are made one after the other.
func (q *Query) awaitsSeries(db *DB) bool {
	for _, name := range q.columnsRead() {
		if strings.Contains(name, "*") {
			continue // whatever there is
		}
		for _, from := range q.From {
			if _, ok := db.eng.Lookup(pattern.Split(from + "." + name)); !ok {
				return true
			}
		}
	}
	return false
}

// checkPlaceholders refuses templates for columns that are no stored series: there
// is no path to fill them from.
func (q *Query) checkPlaceholders() error {
	raw := true
	for _, e := range q.Select {
		raw = raw && e.Op() == expr.OpColumn
	}
	if raw {
		return nil
	}
	for _, t := range q.Into {
		if !q.AlignByDevice && (placeholders(t.Device) || slices.ContainsFunc(t.Columns, placeholders)) ||
			q.AlignByDevice && len(t.Columns) == 1 && placeholders(t.Columns[0]) {
			return badInto("placeholders can only be used in raw time series data queries, or in the device of a target when aligned by device (AlignByDevice)")
		}
	}
	return nil
}

// columnsRead are the names of the columns that q reads.
func (q *Query) columnsRead() []string {
	seen := map[string]bool{}
	var names []string
	walk := func(e expr.Expr) {
		e.Walk(func(x expr.Expr) {
			if x.Op() == expr.OpColumn && !seen[x.Name()] {
				seen[x.Name()] = true
				names = append(names, x.Name())
			}
		})
	}
	for _, e := range q.Select {
		walk(e)
	}
	walk(q.Where)
	walk(q.Having)
	switch g := q.GroupBy.(type) {
	case GroupByVariation:
		walk(g.By)
	case GroupByCondition:
		walk(g.By)
	case GroupByCount:
		walk(g.By)
	}
	if len(q.Select) == 0 {
		names = append(names, "*")
	}
	return names
}

// inputs are the patterns of the series that q reads, at least.
func (q *Query) inputs() ([]string, error) {
	var all []string
	for _, name := range q.columnsRead() {
		if name == "__endTime" {
			continue
		}
		for _, from := range q.From {
			all = append(all, from+"."+name)
		}
		if len(q.From) == 0 || strings.HasPrefix(name, "root.") {
			all = append(all, name)
		}
	}
	for _, p := range all {
		if _, err := pattern.Parse(p); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// outputs are the patterns of the series that q writes, at most.
func (q *Query) outputs() []string {
	var all []string
	for _, t := range q.Into {
		nodes := splitNodes(t.Device)
		for i, n := range nodes {
			switch {
			case n == "::":
				nodes[i] = "**"
			case strings.Contains(n, "${"):
				nodes[i] = "*"
			}
		}
		for _, c := range t.Columns {
			if c == "::" || strings.Contains(c, "${") {
				c = "*"
			}
			all = append(all, strings.Join(nodes, ".")+"."+c)
		}
	}
	return all
}
