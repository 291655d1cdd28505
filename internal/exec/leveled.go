package exec

import (
	"context"
	"math"
	"slices"
	"sort"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/sorting"
)

// piece is a part of a window: rows [lo, hi) of a level, or what the stored
// rows of [from, to) give.
type piece struct {
	from, to int64
	level    *levelRows // nil: of stored rows
	lo, hi   int
}

// levelRows is the part of a level that the windows at hand need.
type levelRows struct {
	*Level
	r        *run
	whole    bool  // its values cannot be put together
	from, to int64 // what may be asked for
	loaded   bool
	times    []int64
	values   Col
	counts   Col
	used     int64 // windows taken, over all batches
}

// load reads the rows of windows within [from, to).
func (l *levelRows) load(ctx context.Context) error {
	if l.loaded {
		return nil
	}
	l.loaded = true
	l.times = l.times[:0]
	l.values.reset(l.Value.Kind)
	_, _, first := l.Window(l.Seek(l.from))
	if first >= addTime(l.to, 1) {
		return nil
	}
	times, err := l.read(ctx, l.Value, first, &l.values)
	if err != nil || l.Count == nil {
		l.times = append(l.times, times...)
		return err
	}
	l.counts.reset(l.Count.Kind)
	var counts Col
	counts.reset(l.Count.Kind)
	at, err := l.read(ctx, l.Count, first, &counts)
	if err != nil {
		return err
	}
	sums := l.values
	l.values = Col{}
	l.values.reset(sums.Kind)
	for i, j := 0, 0; i < len(times) && j < len(at); {
		switch {
		case times[i] < at[j]:
			i++
		case at[j] < times[i]:
			j++
		default:
			l.times = append(l.times, times[i])
			l.values.appendCell(&sums, i)
			l.counts.appendCell(&counts, j)
			i, j = i+1, j+1
		}
	}
	return nil
}

func (l *levelRows) read(ctx context.Context, s *Series, first int64, out *Col) (times []int64, err error) {
	c := l.r.src.Cursor(s, first, addTime(l.to, 1))
	defer c.Close()
	for c.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		times = append(times, c.Times()...)
		out.AppendRange(c.Values(), 0, len(c.Times()))
	}
	return times, c.Err()
}

// cover takes [from, to) apart: the windows of the coarsest level that are good,
// between them those of the next level, and so on; what is left is of stored
// rows.
func cover(ctx context.Context, from, to int64, levels []*levelRows, out []piece) ([]piece, error) {
	if from >= to {
		return out, nil
	}
	for len(levels) > 0 && !levels[0].suits(from, to) {
		levels = levels[1:]
	}
	if len(levels) == 0 {
		return append(out, piece{from: from, to: to}), nil
	}
	l := levels[0]
	if err := l.load(ctx); err != nil {
		return nil, err
	}
	at, next := from, 0
	for k, n := l.Seek(from), 0; ; k, n = k+1, n+1 {
		if n%4096 == 4095 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		start, end, row := l.Window(k)
		if end > to || start < at || end <= start {
			break
		}
		if next < len(l.times) && l.times[next] < row {
			next = seek(l.times, next, row)
		}
		if next == len(l.times) {
			break
		}
		if l.times[next] != row || !l.Clean(k) {
			continue
		}
		var err error
		if out, err = cover(ctx, at, start, levels[1:], out); err != nil {
			return nil, err
		}
		if n := len(out) - 1; n >= 0 && out[n].level == l && out[n].to == start && out[n].from >= from && out[n].hi == next {
			out[n].to, out[n].hi = end, next+1
		} else {
			out = append(out, piece{start, end, l, next, next + 1})
		}
		at = end
	}
	return cover(ctx, at, to, levels[1:], out)
}

// suits reports whether l is worth to be looked at for [from, to): it must have a
// window there, and where it leaves a margin the rest must be much longer.
func (l *levelRows) suits(from, to int64) bool {
	start, end, _ := l.Window(l.Seek(from))
	if end > to || end <= start {
		return false
	}
	if l.whole {
		return start == from && end == to
	}
	return start == from && (to-end)%(end-start) == 0 || float64(to)-float64(from) >= 4*(float64(end)-float64(start))
}

// leveled yields a row per window of a grid, put together from levels where
// they are good.
type leveled struct {
	r     *run
	a     *aggRows
	need  []int
	slots []*leveledSlot // nil: the end of the window
	k     int64
	batch Batch
}

type leveledSlot struct {
	*aggSlot
	index  int // in need
	levels []*levelRows
	pieces [][]piece // by window
	raw    []piece   // of stored rows: in order, each once
	cells  Col       // their values
	agg    Aggregator
}

// spanOfBatch is about how many windows of a level a batch reads at most.
const spanOfBatch = 1 << 16

// openLeveled returns nil if no aggregate has a level.
func (a *aggRows) openLeveled(r *run, need []int) stream {
	if r.levels == nil || r.plan.from == math.MinInt64 || r.plan.to == math.MaxInt64 || a.looksBack() {
		return nil
	}
	if a.direct == nil { // what is read of some aggregates alone must be of the rows of all
		all := *a
		all.in = wholeOf(a.in)
		a = &all
	}
	t := &leveled{r: r, a: a, need: need}
	some := false
	for i, n := range need {
		if n == endSlot {
			t.slots = append(t.slots, nil)
			continue
		}
		s := &leveledSlot{aggSlot: a.slots[n], index: i}
		if s.stored != (Aggregate{}) {
			for _, l := range r.levels.LevelsOf(s.stored) {
				if l.fits(s.aggSlot) {
					s.levels = append(s.levels, &levelRows{Level: l, r: r, whole: s.join == joinNone || s.join == joinMean && l.Count == nil})
					some = true
				}
			}
		}
		t.slots = append(t.slots, s)
	}
	if !some {
		return nil
	}
	return t
}

func (t *leveled) close() {
	for _, s := range t.slots {
		if s == nil {
			continue
		}
		if s.agg != nil {
			s.agg.Close()
			s.agg = nil
		}
		for _, l := range s.levels {
			t.r.meter.answered(l.Name, l.used)
			l.used = 0
		}
	}
}

func (t *leveled) next(ctx context.Context) (*Batch, error) {
	windows := t.windows()
	if len(windows) == 0 {
		return nil, nil
	}
	t.k += int64(len(windows))
	t.batch.Times = t.batch.Times[:0]
	for _, w := range windows {
		t.batch.Times = append(t.batch.Times, w.label)
	}
	t.batch.Cols = growCols(t.batch.Cols, len(t.need))
	for i, s := range t.slots {
		if s == nil {
			out := &t.batch.Cols[i]
			out.reset(column.Int64)
			for _, w := range windows {
				out.Int64s = append(out.Int64s, w.end-1)
			}
			continue
		}
		t.batch.Cols[i].reset(s.kind.Kind)
		if err := t.takeApart(ctx, s, windows); err != nil {
			return nil, err
		}
	}
	if err := t.readRaw(ctx, t.slots); err != nil {
		return nil, err
	}
	for i, s := range t.slots {
		if s == nil {
			continue
		}
		if err := t.checkSums(ctx, s, windows); err != nil {
			return nil, err
		}
		if err := t.putTogether(ctx, s, windows, &t.batch.Cols[i]); err != nil {
			return nil, err
		}
	}
	return &t.batch, nil
}

// clip is the times of w that the plan reads.
func (t *leveled) clip(w window) (from, to int64) {
	return max(w.start, t.r.plan.from), min(w.end, t.r.plan.to)
}

// windows are those of the next batch: as many as read a bounded part of the
// levels.
func (t *leveled) windows() []window {
	var all []window
	least := int64(math.MaxInt64) // length of the shortest window of a level
	for _, s := range t.slots {
		if s == nil {
			continue
		}
		for _, l := range s.levels {
			start, end, _ := l.Window(l.Seek(t.r.plan.from))
			least = min(least, max(end-start, 1))
		}
	}
	for len(all) < groupsPerBatch {
		w, ok := t.r.plan.g.at(t.k + int64(len(all)))
		if !ok {
			break
		}
		from, to := t.clip(w)
		if len(all) > 0 && to > from {
			first, _ := t.clip(all[0])
			if (to-first)/least > spanOfBatch {
				break
			}
		}
		all = append(all, w)
	}
	return all
}

// takeApart finds the pieces of each window.
func (t *leveled) takeApart(ctx context.Context, s *leveledSlot, windows []window) error {
	first, _ := t.clip(windows[0])
	_, last := t.clip(windows[len(windows)-1])
	for _, w := range windows {
		_, to := t.clip(w)
		last = max(last, to)
	}
	for _, l := range s.levels {
		l.from, l.to, l.loaded = first, last, false
	}
	s.pieces = s.pieces[:0]
	for _, w := range windows {
		from, to := t.clip(w)
		all, err := cover(ctx, from, to, s.levels, nil)
		if err != nil {
			return err
		}
		switch {
		case len(all) == 0: // a condition on time leaves nothing
			all = []piece{{from: from, to: from}}
		case s.join == joinMean && len(all) > 1 && slices.ContainsFunc(all, func(p piece) bool { return p.level == nil }),
			(s.join == joinSum || s.join == joinMean) && !exactSums(all, nil):
			all = []piece{{from: from, to: to}}
		}
		s.pieces = append(s.pieces, all)
	}
	s.collect()
	return nil
}

// collect lists the pieces that are of stored rows.
func (s *leveledSlot) collect() {
	s.raw = s.raw[:0]
	for _, all := range s.pieces {
		for _, p := range all {
			if p.level == nil {
				s.raw = append(s.raw, p)
			}
		}
	}
	sorting.By(s.raw, comparePieces)
	s.raw = slices.CompactFunc(s.raw, func(a, b piece) bool { return comparePieces(a, b) == 0 })
}

//go:noinline
func comparePieces(a, b piece) int {
	switch {
	case a.from < b.from || a.from == b.from && a.to < b.to:
		return -1
	case a.from == b.from && a.to == b.to:
		return 0
	}
	return 1
}

// largestExact bounds integers that a Float64 holds whatever is added up.
const largestExact = 1 << 53

// exactSums reports whether the sums of the pieces, which are of integers, add up
// without rounding. A single one needs no adding. Cell, if it is there, gives
// those of stored rows.
func exactSums(all []piece, cell func(p piece) float64) bool {
	total, n := 0.0, 0
	for _, p := range all {
		if p.level == nil && cell != nil {
			total += math.Abs(cell(p))
			n++
		}
		for i := p.lo; i < p.hi && p.level != nil; i++ {
			total += math.Abs(p.level.values.Float64At(i))
			n++
		}
	}
	return len(all) == 1 && n <= 1 || total < largestExact
}

// checkSums makes windows whose sums would be rounded of stored rows alone.
func (t *leveled) checkSums(ctx context.Context, s *leveledSlot, windows []window) error {
	if s.join != joinSum {
		return nil
	}
	bad := false
	for i, all := range s.pieces {
		if len(all) > 1 && !exactSums(all, func(p piece) float64 { return s.cells.Float64At(s.rawIndex(p)) }) {
			from, to := t.clip(windows[i])
			s.pieces[i], bad = []piece{{from: from, to: to}}, true
		}
	}
	if !bad {
		return nil
	}
	s.collect()
	return t.readRaw(ctx, []*leveledSlot{s})
}

// readRaw folds stored rows for all pieces that need it: those of aggregates
// with the same pieces together, and pieces that follow each other in one go.
func (t *leveled) readRaw(ctx context.Context, slots []*leveledSlot) error {
	done := make([]bool, len(slots))
	for i, s := range slots {
		if s == nil || done[i] {
			continue
		}
		together := []*leveledSlot{s}
		for j := i + 1; j < len(slots); j++ {
			if o := slots[j]; o != nil && !done[j] && slices.EqualFunc(s.raw, o.raw, func(a, b piece) bool { return comparePieces(a, b) == 0 }) {
				together, done[j] = append(together, o), true
			}
		}
		for _, o := range together {
			o.cells.reset(o.kind.Kind)
		}
		for rest := s.raw; len(rest) > 0; {
			n, end := 1, rest[0].to
			for n < len(rest) && rest[n].from <= end {
				end = max(end, rest[n].to)
				n++
			}
			if err := t.foldRaw(ctx, together, rest[:n], end); err != nil {
				return err
			}
			rest = rest[n:]
		}
	}
	return nil
}

func (t *leveled) foldRaw(ctx context.Context, together []*leveledSlot, pieces []piece, end int64) error {
	g := &grid{list: make([]window, len(pieces))}
	for i, p := range pieces {
		g.list[i] = window{p.from, p.to, p.from}
	}
	plan := *t.r.plan
	plan.g, plan.timeRange = g, timeRange{pieces[0].from, end}
	part := *t.r
	part.plan, part.windows = &plan, nil
	var need []int
	for _, s := range together {
		need = append(need, t.need[s.index])
	}
	in, err := t.a.openTime(&part, need)
	if err != nil {
		return err
	}
	defer in.close()
	for {
		b, err := in.next(ctx)
		if err != nil || b == nil {
			return err
		}
		for i, s := range together {
			s.cells.appendCells(&b.Cols[i], 0, b.Len())
		}
	}
}

// putTogether appends the value of each window.
func (t *leveled) putTogether(ctx context.Context, s *leveledSlot, windows []window, out *Col) error {
	for i := range windows {
		for _, p := range s.pieces[i] {
			if p.level != nil {
				p.level.used += int64(p.hi - p.lo)
			}
		}
		if i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		all := s.pieces[i]
		if len(all) == 1 && all[0].level == nil {
			out.appendCell(&s.cells, s.rawIndex(all[0]))
			continue
		}
		if err := s.join1(all, out); err != nil {
			return err
		}
	}
	return nil
}

//go:noinline
func (s *leveledSlot) rawIndex(p piece) int {
	return sort.Search(len(s.raw), func(i int) bool { return comparePieces(s.raw[i], p) >= 0 })
}

// join1 appends the value of a window that has pieces, of which some are of
// levels; a window of none has no rows.
func (s *leveledSlot) join1(all []piece, out *Col) error {
	single := len(all) == 1 && all[0].hi-all[0].lo == 1 && all[0].level.Count == nil
	switch {
	case single && out.Kind == all[0].level.values.Kind:
		out.appendCell(&all[0].level.values, all[0].lo)
		return nil
	case s.join == joinCount:
		n := int64(0)
		for _, p := range all {
			if p.level == nil {
				n += s.cells.Int64s[s.rawIndex(p)]
				continue
			}
			n += sumOfCounts(&p.level.values, p.lo, p.hi)
		}
		out.Int64s = append(out.Int64s, n)
		return nil
	case s.join == joinSum || s.join == joinMean:
		return s.joinSums(all, out)
	}
	if s.agg == nil {
		s.agg = s.make()
		switch s.stored.Fn {
		case "min_time":
			s.agg = &rangeAgg{min: true}
		case "max_time":
			s.agg = &rangeAgg{max: true}
		}
		if _, err := s.agg.Start(&Call{Name: s.call.Name, Attrs: s.call.Attrs, Unit: s.call.Unit, Inputs: []Column{s.kind}}); err != nil {
			return err
		}
	}
	if err := s.agg.Reset(); err != nil {
		return err
	}
	b := Batch{Cols: make([]Col, 1)}
	for _, p := range all {
		lo, hi := p.lo, p.hi
		if p.level == nil {
			at := s.rawIndex(p)
			if s.cells.Nulls.Get(at) {
				continue
			}
			one := s.cells.cut(at, at+1, nil)
			b.Times, b.Cols[0], lo, hi = []int64{p.from}, one, 0, 1
		} else {
			b.Times, b.Cols[0] = p.level.times, p.level.values
		}
		if err := s.agg.Add(&b, lo, hi); err != nil {
			return err
		}
	}
	return s.agg.Result(out)
}

func sumOfCounts(c *Col, lo, hi int) (n int64) {
	for i := lo; i < hi; i++ {
		if c.Kind == column.Int64 {
			n += c.Int64s[i]
		} else {
			n += int64(c.Float64s[i])
		}
	}
	return n
}

func (s *leveledSlot) joinSums(all []piece, out *Col) error {
	sum, count, any := 0.0, int64(0), false
	for _, p := range all {
		if p.level == nil {
			if at := s.rawIndex(p); !s.cells.Nulls.Get(at) {
				sum, any = sum+s.cells.Float64s[at], true
			}
			continue
		}
		any = true
		for i := p.lo; i < p.hi; i++ {
			sum += p.level.values.Float64s[i]
		}
		if p.level.Count != nil {
			count += sumOfCounts(&p.level.counts, p.lo, p.hi)
		}
	}
	switch {
	case !any || s.join == joinMean && count == 0:
		out.appendNull()
	case s.join == joinMean:
		out.Float64s = append(out.Float64s, sum/float64(count))
	default:
		out.Float64s = append(out.Float64s, sum)
	}
	return nil
}
