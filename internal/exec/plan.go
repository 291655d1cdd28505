package exec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// Plan is a query whose names are resolved and whose kinds are known. It never
// changes and may be run more than once, also at the same time.
type Plan struct {
	q     *Query
	cols  []Column
	parts []*part
	last  []pathed // LAST: the series, in order
	read  []*Series
	whole bool // aggregates of all rows
	g     *grid
	timeRange
	pinned bool         // conditions on time are part of the range
	watch  func(Bounds) // see Part
}

// part is the rows of one device, of all devices, or of one column that is not
// aligned with the others.
type part struct {
	device  string
	in      rows
	outputs []*node
	keys    []*node // ORDER BY; nil: the device
	cols    []Column
}

// Columns returns the columns of the result.
func (p *Plan) Columns() []Column { return p.cols }

// Apart returns the first columns of the parts of the result, in their order: those
// of a result that is not aligned, each of which is a part.
func (p *Plan) Apart() []*Column {
	if !p.q.NoAlign {
		return nil
	}
	all := make([]*Column, len(p.parts))
	for i, pt := range p.parts {
		all[i] = &pt.cols[0]
	}
	return all
}

// Devices returns the devices of the result in order: one, without a name, if
// it is not aligned by device.
//
//go:noinline
func (p *Plan) Devices() []string {
	if !p.q.ByDevice {
		return []string{""}
	}
	all := make([]string, len(p.parts))
	for i, pt := range p.parts {
		all[i] = pt.device
	}
	return all
}

// Whole reports whether the result is aggregates of all rows.
func (p *Plan) Whole() bool { return p.whole }

// Movable reports whether [Plan.At] can give p another range: it has no
// condition on time.
func (p *Plan) Movable() bool { return !p.pinned }

// At returns p for the range [start, end). It must be movable.
func (p *Plan) At(start, end int64) (*Plan, error) {
	moved := *p
	if err := moved.move(start, end); err != nil {
		return nil, err
	}
	return &moved, nil
}

// move gives p, which nobody has yet, the range [start, end).
func (p *Plan) move(start, end int64) error {
	p.timeRange = timeRange{start, end}
	if p.g == nil || p.g.whole {
		return nil
	}
	g := *p.g
	p.g = &g
	return p.place(&g, start, end)
}

// place lays the windows of GROUP BY time into [start, end).
func (r *timeRange) place(g *grid, start, end int64) error {
	if start == math.MinInt64 || end == math.MaxInt64 {
		return badQuery("the query time range should be specified in the GROUP BY TIME clause: both Start and End of the query")
	}
	if start >= end {
		return badQuery("start time should be smaller than endTime in GroupBy")
	}
	g.start, g.end = start, end
	if g.leftOpen {
		r.from, r.to = max(r.from, addTime(start, 1)), addTime(r.to, 1)
	}
	return nil
}

// Only returns p for some of its devices; p must be aligned by device. Columns
// stay as they are.
func (p *Plan) Only(devices map[string]bool) *Plan {
	few := *p
	few.parts = nil
	for _, pt := range p.parts {
		if devices[pt.device] {
			few.parts = append(few.parts, pt)
		}
	}
	return &few
}

// Weight is a measure of the memory that p takes.
func (p *Plan) Weight() int {
	w := len(p.read) + len(p.last)
	for _, pt := range p.parts {
		w += 8 * (1 + len(pt.outputs) + len(pt.keys))
	}
	return w
}

// Part returns p for its i-th device, see Devices. If watch is not nil, it is
// told of every group by variation, condition, session or count when it ends,
// before its row comes, and also of those that make no row.
func (p *Plan) Part(i int, watch func(Bounds)) *Plan {
	one := *p
	one.parts, one.watch = p.parts[i:min(i+1, len(p.parts))], watch
	return &one
}

// Read returns every series the plan reads, each once.
func (p *Plan) Read() []*Series { return p.read }

// maxColumns bounds what wildcards may expand to.
const maxColumns = 1 << 16

// endSlot is the input column of the end of a group.
const endSlot = 1 << 30

func badQuery(format string, args ...any) error { return errs.Badf(format, args...) }

// Prepare plans q over the series that exist now.
func Prepare(q *Query, cat Catalog, funcs Functions) (*Plan, error) {
	p := &planner{q: q, cat: cat, funcs: funcs, timeRange: timeRange{q.Start, q.End}}
	if err := p.check(); err != nil {
		return nil, err
	}
	plan := &Plan{q: q}
	var err error
	switch {
	case q.Last:
		err = p.planLast(plan)
	case q.ByDevice:
		err = p.planDevices(plan)
	default:
		err = p.planTime(plan)
	}
	if err != nil {
		return nil, err
	}
	plan.g, plan.timeRange, plan.pinned = p.g, p.timeRange, p.pinned
	plan.read, plan.whole = p.read, p.agg && p.q.Group.Kind == GroupNone
	return plan, nil
}

type planner struct {
	q     *Query
	cat   Catalog
	funcs Functions
	timeRange
	pinned bool
	sel    []expr.Expr
	agg    bool  // an aggregate query
	g      *grid // nil: no windows of time
	read   []*Series
	seen   ordinals[*Series]
	key    []byte // memory
}

func (p *planner) note(s *Series) {
	if s == nil {
		return
	}
	if _, ok := p.seen.of(s); !ok {
		p.seen.add(s)
		p.read = append(p.read, s)
	}
}

// check refuses what no series could make right.
func (p *planner) check() error {
	q := p.q
	p.sel = q.Select
	if len(p.sel) == 0 {
		if len(q.From) == 0 {
			return badQuery("neither Select nor From is given")
		}
		p.sel = []expr.Expr{expr.Col("*")}
	}
	all := slices.Concat(p.sel, []expr.Expr{q.Where, q.Having, q.Group.By})
	for _, o := range q.OrderBy {
		all = append(all, o.By)
	}
	for _, e := range all {
		if err := e.Err(); err != nil {
			return fmt.Errorf("%w: %w", err, errs.BadInput)
		}
		if err := p.checkNames(e); err != nil {
			return err
		}
	}
	for _, e := range p.sel {
		if e.IsZero() {
			return badQuery("an empty expression is selected")
		}
	}
	switch {
	case q.Limit < 0 || q.Offset < 0 || q.SLimit < 0 || q.SOffset < 0:
		return badQuery("LIMIT, OFFSET, SLIMIT and SOFFSET must not be negative")
	case q.ByDevice && q.NoAlign:
		return badQuery("align by device and disable align exclude each other")
	case q.ByDevice && len(q.From) == 0:
		return badQuery("align by device needs From")
	case p.hasAgg(q.Where):
		return at(p.firstAgg(q.Where), badQuery("aggregate functions are not supported in WHERE clause"))
	case p.hasAgg(q.Group.By):
		return at(p.firstAgg(q.Group.By), badQuery("aggregation expression shouldn't exist in group by clause"))
	}
	for i, o := range q.OrderBy {
		if o.By.IsZero() {
			return badQuery("key %d of order by is empty", i+1)
		}
	}
	var raw expr.Expr
	for _, e := range p.sel {
		if p.hasAgg(e) {
			p.agg = true
		} else if raw.IsZero() || isEndTime(raw) {
			raw = e
		}
	}
	if p.agg && !raw.IsZero() && !isEndTime(raw) {
		return at(raw, badQuery("raw data and aggregation hybrid query is not supported"))
	}
	if !p.agg {
		for _, o := range q.OrderBy {
			if p.hasAgg(o.By) {
				return at(o.By, badQuery("raw data and aggregation hybrid query is not supported"))
			}
		}
		switch {
		case q.Group.Kind != GroupNone:
			return at(p.sel[0], badQuery("common queries and aggregated queries are not allowed to appear at the same time: group by without an aggregate"))
		case !q.Having.IsZero():
			return at(q.Having, badQuery("expression of HAVING clause must be an aggregation"))
		case len(q.Levels) > 0:
			return at(p.sel[0], badQuery("group by level without an aggregate"))
		}
	}
	if p.agg && q.NoAlign {
		return at(p.sel[0], badQuery("disable align is not supported with aggregates"))
	}
	if !q.Having.IsZero() && !p.hasAgg(q.Having) {
		return at(q.Having, badQuery("expression of HAVING clause must be an aggregation"))
	}
	if len(q.Levels) > 0 && (q.ByDevice || q.Group.Kind > GroupTime) {
		return badQuery("group by level is not supported with align by device or with groups other than by time")
	}
	// Left-open windows move the range, what WHERE says of time does not.
	if err := p.checkGroup(); err != nil {
		return err
	}
	p.splitTime()
	return nil
}

// checkNames refuses functions that nobody knows, also where there is no series
// to call them with.
func (p *planner) checkNames(e expr.Expr) (err error) {
	e.Walk(func(x expr.Expr) {
		if x.Op() != expr.OpCall || err != nil {
			return
		}
		known := false
		if _, known = Builtin(x.Name()); !known && p.funcs != nil {
			_, known = p.funcs.Function(strings.ToLower(x.Name()))
		}
		if !known || leftOut(x.Name()) {
			err = at(x, unknownFunction(x.Name()))
		}
	})
	return err
}

func unknownFunction(name string) error {
	if leftOut(name) {
		return errLeftOut(name)
	}
	return fmt.Errorf("function %s is neither built in nor registered%s: %w", strconv.Quote(name), meant(name), errs.NotFound)
}

// isEndTime reports whether e is __endTime, which stands with aggregates although it
// is none.
func isEndTime(e expr.Expr) bool {
	return e.Op() == expr.OpColumn && strings.EqualFold(e.Name(), endTime)
}

func (p *planner) checkGroup() error {
	q := p.q
	g := &q.Group
	switch g.Kind {
	case GroupNone:
		p.g = &grid{whole: true}
	case GroupTime:
		step := g.Step
		if step.IsZero() {
			step = g.Interval
		}
		for _, s := range []struct {
			name string
			Span
		}{{"interval", g.Interval}, {"step", step}} {
			if s.Months < 0 || s.NS < 0 || s.IsZero() || s.Months > 0 && s.NS > 0 {
				return badQuery("group by time: the %s (%d months, %d ns) should be positive, in months or in a duration", s.name, s.Months, s.NS)
			}
		}
		zone := q.Zone
		if zone == nil {
			zone = time.UTC
		}
		p.g = &grid{interval: g.Interval, step: step, leftOpen: g.LeftOpen, zone: zone}
		return p.place(p.g, q.Start, q.End)
	case GroupSession:
		if g.Interval.NS < 0 || g.Interval.Months != 0 {
			return badQuery("group by session: the gap should not be negative")
		}
	case GroupCount:
		if g.Size <= 0 {
			return badQuery("group by count: the size (%d) should be positive", g.Size)
		}
		fallthrough
	case GroupVariation, GroupCondition:
		if g.By.IsZero() {
			return badQuery("group by: the expression is missing")
		}
		if !(g.Delta >= 0) {
			return badQuery("group by variation: delta (%g) should be positive or 0", g.Delta)
		}
	default:
		return badQuery("unknown kind of group %d", g.Kind)
	}
	return nil
}

// splitTime takes what WHERE says of time alone out of it and narrows the range by
// that. All instants of one unit are the same time.
func (p *planner) splitTime() {
	first, last, rest := expr.TimeRange(p.q.Where)
	if first == math.MinInt64 && last == math.MaxInt64 {
		return
	}
	q := *p.q
	q.Where = rest
	p.q, p.pinned = &q, true
	unit := perUnit(q.Unit)
	switch {
	case first > last: // of no time; not the least one, at which a range is open
		p.from, p.to = 0, 0
		return
	case first != math.MinInt64:
		p.from = max(p.from, scale(first, unit))
	}
	if last != math.MaxInt64 {
		p.to = min(p.to, scale(last+1, unit))
	}
}

// aggregate returns the maker of an aggregate call, and what is known of it if it
// is built in.
func (p *planner) aggregate(e expr.Expr) (makeNew func() Aggregator, builtin *builtinAgg, ok bool) {
	if e.Op() != expr.OpCall {
		return nil, nil, false
	}
	name := strings.ToLower(e.Name())
	if b := builtinAggs[name]; b != nil {
		return b.make, b, true
	}
	if p.funcs != nil {
		if f, ok := p.funcs.Function(name); ok && f.Aggregate != nil {
			return f.Aggregate, nil, true
		}
	}
	return nil, nil, false
}

func (p *planner) hasAgg(e expr.Expr) bool { return !p.firstAgg(e).IsZero() }

// firstAgg returns the first aggregate in e.
func (p *planner) firstAgg(e expr.Expr) (first expr.Expr) {
	e.Walk(func(x expr.Expr) {
		if _, _, ok := p.aggregate(x); ok && first.IsZero() {
			first = x
		}
	})
	return first
}

// expand makes one expression for each choice of a column for each name in e,
// the first name outermost. find lists what a name stands for.
func (p *planner) expand(e expr.Expr, find func(name string) ([]string, error)) ([]expr.Expr, error) {
	var few [4][]string
	choices, total, err := p.choices(e, find, few[:0], 1)
	if err != nil {
		return nil, err
	}
	if total > maxColumns {
		return nil, fmt.Errorf("%s expands to more than %d columns: %w", pattern.Shorten(e.String(), 512), maxColumns, errs.Limit)
	}
	all := make([]expr.Expr, 0, total)
	var zeros [4]int
	pick := zeros[:]
	if len(choices) > len(pick) {
		pick = make([]int, len(choices))
	}
	for range total {
		i := 0
		all = append(all, e.Map(func(x expr.Expr) (expr.Expr, bool) {
			if countTime(x) {
				return x, true
			}
			if x.Op() != expr.OpColumn {
				return x, false
			}
			c := expr.Col(choices[i][pick[i]])
			if a := x.Alias(); a != "" {
				c = c.As(a)
			}
			if at := x.Pos(); !small && at >= 0 {
				c = c.At(at)
			}
			i++
			return c, true
		}))
		for c := len(choices) - 1; c >= 0; c-- {
			if pick[c]++; pick[c] < len(choices[c]) {
				break
			}
			pick[c] = 0
		}
	}
	return all, nil
}

// maxConditions bounds the operations of a condition that wildcards make many of:
// each holds a column of a batch, 32 KiB.
const maxConditions = 1 << 15

// conditions expands a condition, all of which must be true.
func (p *planner) conditions(e expr.Expr, find func(name string) ([]string, error)) ([]expr.Expr, error) {
	all, err := p.expand(e, find)
	each := 0
	e.Walk(func(expr.Expr) { each++ })
	if err == nil && len(all) > 1 && len(all) > maxConditions/each {
		err = at(e, fmt.Errorf("%s expands to %d conditions of more than %d operations: %w", pattern.Shorten(e.String(), 512), len(all), maxConditions, errs.Limit))
	}
	return all, err
}

// choices appends what each name in e stands for, and multiplies total by their
// numbers, until that is too much.
func (p *planner) choices(e expr.Expr, find func(string) ([]string, error), all [][]string, total int) ([][]string, int, error) {
	if countTime(e) {
		return all, total, nil
	}
	if e.Op() == expr.OpColumn {
		found, err := p.found(e, find)
		if total <= maxColumns {
			total *= len(found)
		}
		return append(all, found), total, err
	}
	var err error
	for _, a := range e.Args() {
		if all, total, err = p.choices(a, find, all, total); err != nil {
			break
		}
	}
	return all, total, err
}

func (p *planner) found(x expr.Expr, find func(string) ([]string, error)) ([]string, error) {
	if strings.EqualFold(x.Name(), endTime) {
		return []string{endTime}, nil
	}
	return find(x.Name())
}

func countTime(e expr.Expr) bool {
	return e.Op() == expr.OpCall && strings.EqualFold(e.Name(), "count_time")
}

// seriesOf lists the series that a name stands for below FROM, in creation
// order.
func (p *planner) seriesOf(name string) ([]*Series, error) {
	var all []*Series
	froms := p.q.From
	if len(froms) == 0 {
		froms = []string{""}
	}
	for _, f := range froms {
		path := name
		if f != "" && !strings.HasPrefix(name, "root.") {
			path = f + "." + name
		}
		pat, err := pattern.Parse(path)
		if err != nil {
			return nil, err
		}
		all = append(all, p.cat.MatchCreated(pat)...)
		if path == name {
			break // a whole path, whatever FROM says
		}
		if len(all) > maxColumns {
			return nil, fmt.Errorf("%s stands for more than %d series: %w", path, maxColumns, errs.Limit)
		}
	}
	return all, nil
}

// cutColumns applies SLIMIT and SOFFSET.
func (p *planner) cutColumns(all []expr.Expr) []expr.Expr {
	all = all[min(p.q.SOffset, len(all)):]
	if p.q.SLimit > 0 {
		all = all[:min(p.q.SLimit, len(all))]
	}
	return all
}

// checkAlias refuses an alias that would name several columns.
func checkAlias(e expr.Expr, columns int) error {
	if e.Alias() != "" && columns > 1 {
		return at(e, badQuery("alias '%s' can only be matched with one time series", e.Alias()))
	}
	return nil
}

// planTime plans a query whose columns are series of any device.
func (p *planner) planTime(plan *Plan) error {
	byPath := map[string]*Series{}
	var last string
	var paths []string // of last
	find := func(name string) ([]string, error) {
		if paths != nil && name == last {
			return paths, nil
		}
		found, err := p.seriesOf(name)
		all := make([]string, len(found))
		for i, s := range found {
			all[i] = s.Path()
			byPath[all[i]] = s
		}
		if err == nil {
			last, paths = name, all
		}
		return all, err
	}
	sel := make([]expr.Expr, 0, len(p.sel))
	stars := make([]bool, 0, len(p.sel))
	for _, e := range p.sel {
		all, err := p.expand(e, find)
		if err != nil {
			return err
		}
		if len(p.q.Levels) == 0 {
			if err := checkAlias(e, len(all)); err != nil {
				return err
			}
		}
		sel = append(sel, all...)
		for range all {
			stars = append(stars, anyMeasurement(e))
		}
	}
	if len(p.q.Levels) == 0 {
		sel = p.cutColumns(sel)
	}
	s := &scope{p: p, series: byPath, stars: stars}
	if err := s.where(find); err != nil {
		return err
	}
	if len(sel) == 0 { // no rows to group, whatever they are grouped by
		return nil
	}
	if err := s.group(find); err != nil {
		return err
	}
	if p.q.NoAlign {
		return p.planApart(plan, s, sel)
	}
	pt, err := s.part("", sel, find)
	if err != nil {
		return err
	}
	plan.cols = pt.cols
	if len(pt.outputs) > 0 {
		plan.parts = []*part{pt}
	}
	return nil
}

// anyMeasurement reports whether a name in e stands for whatever measurements
// there are. Then GROUP BY LEVEL folds those as well.
func anyMeasurement(e expr.Expr) bool {
	found := false
	e.Walk(func(x expr.Expr) {
		if x.Op() == expr.OpColumn {
			name := x.Name()
			found = found || name == "*" || name == "**" || strings.HasSuffix(name, ".*") || strings.HasSuffix(name, ".**")
		}
	})
	return found
}

// planApart makes a part of each column.
func (p *planner) planApart(plan *Plan, s *scope, sel []expr.Expr) error {
	for _, e := range sel {
		pt, err := s.part("", []expr.Expr{e}, nil)
		if err != nil {
			return err
		}
		plan.cols = append(plan.cols, pt.cols...)
		plan.parts = append(plan.parts, pt)
	}
	return nil
}

// planDevices plans a query whose columns are measurements.
func (p *planner) planDevices(plan *Plan) error {
	devices := map[string]map[string]*Series{}
	var names []string
	all, err := p.seriesOf("*")
	if err != nil {
		return err
	}
	kinds := map[string]*Series{}
	for _, s := range all {
		if devices[s.Device] == nil {
			devices[s.Device] = map[string]*Series{}
			names = append(names, s.Device)
		}
		devices[s.Device][s.Name] = s
	}
	slices.Sort(names)
	find := func(name string) ([]string, error) {
		if nodes := pattern.Nodes(name); len(nodes) != 1 || name == "**" {
			return nil, badQuery("ALIGN BY DEVICE: %q: the suffix paths can only be measurement or one-level wildcard", name)
		}
		found, err := p.seriesOf(name)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(found, func(a, b *Series) int { return int(int64(a.ID) - int64(b.ID)) })
		var measurements []string
		for _, s := range found {
			if kinds[s.Name] == nil {
				kinds[s.Name] = s
			}
			if !slices.Contains(measurements, s.Name) {
				measurements = append(measurements, s.Name)
			}
		}
		return measurements, nil
	}
	var sel []expr.Expr
	for _, e := range p.sel {
		all, err := p.expand(e, find)
		if err != nil {
			return err
		}
		if err := checkAlias(e, len(all)); err != nil {
			return err
		}
		sel = append(sel, all...)
	}
	sel = p.cutColumns(sel)
	for _, d := range names {
		s := &scope{p: p, series: devices[d], kinds: kinds, byDevice: true, device: d}
		if err := s.where(find); err != nil {
			return err
		}
		if err := s.group(find); err != nil {
			return err
		}
		pt, err := s.part(d, sel, find)
		if err != nil {
			return err
		}
		plan.cols = pt.cols
		if s.shown {
			if len(plan.parts) > 0 {
				if err := sameKinds(plan.parts[0], pt); err != nil {
					return err
				}
			}
			plan.parts = append(plan.parts, pt)
		}
	}
	return nil
}

// sameKinds refuses two devices whose rows cannot stand below each other, or
// cannot be put in order. What counts is the column, not the measurement it is
// made of: count(s) is of one kind whatever s is.
func sameKinds(a, b *part) error {
	for i, c := range a.cols {
		d := b.cols[i]
		switch {
		case c.Kind == d.Kind || c.Kind == column.Null || d.Kind == column.Null:
		case c.Source != nil && d.Source != nil:
			return errDiffer(c.Source.Path(), d.Source.Path(), c.Kind, d.Kind)
		default:
			return errDiffer(c.Name+" of "+a.device, c.Name+" of "+b.device, c.Kind, d.Kind)
		}
	}
	for i, k := range a.keys {
		if l := b.keys[i]; k != nil && l != nil && k.kind != l.kind && k.kind != column.Null && l.kind != column.Null {
			return errDiffer(k.String()+" of "+a.device, l.String()+" of "+b.device, k.kind, l.kind)
		}
	}
	return nil
}

//go:noinline
func errDiffer(name, other string, k, l column.Kind) error {
	return fmt.Errorf("ALIGN BY DEVICE: the data types of the same measurement column should be the same across devices: %s is %s, %s is %s: %w",
		name, DocumentKind(k), other, DocumentKind(l), errs.KindMismatch)
}
