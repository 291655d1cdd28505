package exec

import (
	"context"
	"slices"

	"github.com/tickwell/tickwell/internal/column"
)

// aggRows is the aggregates of a query as an input of expressions: a column
// per aggregate, a row per group. The column after the last is the end of the
// group (__endTime).
type aggRows struct {
	in    rows
	slots []*aggSlot
	group *Group
	by    *node // of the groups that depend on rows
	exact bool
	// direct says that columns of in are stored series that may be folded block
	// by block.
	direct *seriesRows
	// lifted is the part whose columns name the aggregates, if the plan was made of
	// that of another device, whose slots these are.
	lifted *part
}

func (a *aggRows) column(i int) Column {
	if i == endSlot {
		return Column{Name: endTime, Kind: column.Int64}
	}
	return a.slots[i].kind
}

func (a *aggRows) open(r *run, need []int) (stream, error) {
	if a.group.Kind == GroupNone || a.group.Kind == GroupTime {
		if !small { // without levels, which only Query.Rollups has
			if s := a.openLeveled(r, need); s != nil {
				return s, nil
			}
		}
		return a.openTime(r, need)
	}
	return a.openRows(r, need)
}

// start makes and starts an aggregate.
func (s *aggSlot) start() (Aggregator, error) {
	a := s.make()
	if _, err := a.Start(s.call); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// timeGroups yields a row per window of a grid.
type timeGroups struct {
	g     *grid
	slots []int      // of the aggregates, by number
	need  []*aggSlot // the same; nil: the end of the window
	folds []*fold
	// from tells where the aggregates of each slot's members are: fold and
	// number in it.
	from   [][][2]int
	merged []Aggregator // of slots with more than one member; nil: none has
	small  bool         // the series of a device share a fold
	// windows are those of the batch that is made.
	windows []window
	later   []window // memory of those that are not the run's
	run     *run
	k       int64
	batch   Batch
	// columns are those that each fold makes; the folds that may be shared out
	// among goroutines, and the others.
	columns      [][]int
	apart, alone []int
}

func (a *aggRows) openTime(r *run, need []int) (stream, error) {
	t := &timeGroups{g: r.plan.g, run: r, small: r.small, slots: need}
	fail := func(err error) (stream, error) {
		t.close()
		return nil, err
	}
	folds := folds{r: r, a: a}
	var alone []*fold
	if a.direct != nil {
		alone = make([]*fold, len(a.direct.series))
	}
	t.need, t.from = make([]*aggSlot, 0, len(need)), make([][][2]int, 0, len(need))
	places := make([][2]int, len(need)) // of those with one member
	for i, n := range need {
		if n == endSlot {
			t.need, t.from = append(t.need, nil), append(t.from, nil)
			continue
		}
		s := a.slots[n]
		at := places[i : i : i+1]
		for m := range s.members {
			f, cols := folds.of(&s.members[m], alone, len(need)-i)
			at = append(at, [2]int{f.index, len(f.makes)})
			f.makes = append(f.makes, s)
			f.foreign = f.foreign || !s.builtin
			f.piece = f.piece || !s.merges
			f.args = append(f.args, cols)
		}
		t.folds = folds.all
		t.need, t.from = append(t.need, s), append(t.from, at)
		if len(s.members) > 1 {
			if t.merged == nil {
				t.merged = make([]Aggregator, len(need))
			}
			var err error
			if t.merged[i], err = s.start(); err != nil {
				return fail(err)
			}
		}
	}
	if pane := paneOf(t.g); pane > 0 && !a.exact {
		for _, f := range t.folds {
			if !f.piece {
				f.paned = newPaned(f, t.g, pane)
			}
		}
	}
	if folds.shared != nil {
		var err error
		if folds.shared.rows, err = project(r, a.in, folds.args, counted); err != nil {
			return fail(err)
		}
	}
	return t, nil
}

func (t *timeGroups) close() {
	for _, f := range t.folds {
		f.close()
	}
	for i, m := range t.merged {
		if m != nil {
			m.Close()
			t.merged[i] = nil
		}
	}
}

// groupsPerBatch is how many groups a batch of results holds.
const groupsPerBatch = 1024

func (t *timeGroups) next(ctx context.Context) (*Batch, error) {
	t.batch.Times = t.batch.Times[:0]
	if t.k > 0 {
		t.later = t.g.batch(t.later[:0], t.k)
		t.windows = t.later
	} else {
		if len(t.run.windows) == 0 {
			t.run.windows = t.g.batch(t.run.windows[:0], 0)
		}
		t.windows = t.run.windows
	}
	t.room(len(t.windows))
	t.batch.Times = slices.Grow(t.batch.Times, len(t.windows))
	for i := range t.windows {
		t.batch.Times = append(t.batch.Times, t.windows[i].label)
	}
	if len(t.windows) == 0 {
		return nil, nil
	}
	var err error
	if t.merged != nil {
		err = t.foldTogether(ctx)
	} else {
		err = t.foldApart(ctx)
	}
	if err != nil {
		return nil, err
	}
	t.k += int64(len(t.windows))
	return &t.batch, nil
}

// room makes the columns of the batch ready for n rows: those of numbers in one
// piece each kind.
func (t *timeGroups) room(n int) {
	t.batch.Cols = growCols(t.batch.Cols, len(t.need))
	ints, floats := 0, 0
	for i := range t.batch.Cols {
		c := &t.batch.Cols[i]
		if s := t.need[i]; s == nil {
			c.reset(column.Int64)
		} else {
			c.reset(s.kind.Kind)
		}
		switch {
		case c.Kind == column.Int64 && cap(c.Int64s) < n:
			ints += n
		case c.Kind == column.Float64 && cap(c.Float64s) < n:
			floats += n
		}
	}
	if ints+floats == 0 {
		return
	}
	allInts, allFloats := make([]int64, ints), make([]float64, floats)
	for i := range t.batch.Cols {
		c := &t.batch.Cols[i]
		switch {
		case c.Kind == column.Int64 && cap(c.Int64s) < n:
			c.Int64s, allInts = allInts[:0:n], allInts[n:]
		case c.Kind == column.Float64 && cap(c.Float64s) < n:
			c.Float64s, allFloats = allFloats[:0:n], allFloats[n:]
		}
	}
}

// foldTogether takes the windows one by one, because results of several folds
// are merged.
func (t *timeGroups) foldTogether(ctx context.Context) error {
	done := make([]*folding, len(t.folds))
	for n, w := range t.windows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, f := range t.folds {
			o, err := f.at(ctx, t.k+int64(n), w)
			if err != nil {
				return err
			}
			done[i] = o
		}
		for i, s := range t.need {
			if err := t.result(i, s, done, w); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *timeGroups) result(i int, s *aggSlot, done []*folding, w window) error {
	out := &t.batch.Cols[i]
	if s == nil {
		out.Int64s = append(out.Int64s, w.end-1)
		return nil
	}
	at := t.from[i]
	agg := done[at[0][0]].aggs[at[0][1]]
	if t.merged != nil && t.merged[i] != nil {
		agg = t.merged[i]
		if err := agg.Reset(); err != nil {
			return err
		}
		for _, p := range at {
			if err := agg.Merge(done[p[0]].aggs[p[1]]); err != nil {
				return err
			}
		}
	}
	return agg.Result(out)
}
