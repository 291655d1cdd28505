package exec

import (
	"context"
	"math"

	"github.com/tickwell/tickwell/internal/column"
)

// endTime is the pseudo column that shows the time of a group's last row.
const endTime = "__endTime"

// rowGroups yields a row per group of rows whose bounds depend on the rows
// themselves: by variation, condition, session or count.
type rowGroups struct {
	in     stream
	group  *Group
	by     int // column of the expression, -1: none
	need   []*aggSlot
	aggs   []Aggregator
	args   [][]int // columns of each aggregate
	absent []bool

	batch *Batch
	views []Batch
	eof   bool

	// The open group.
	on          bool
	isNull      bool // variation: a group of nulls
	first, last int64
	rows        int64
	value       Col // variation: first value
	prev        int64
	any         bool // a row was seen

	watch func(Bounds)

	out Batch
}

// Bounds is where a group of rows lies whose bounds depend on the rows.
type Bounds struct {
	First, Last int64 // times of its rows
	// Ended is the time of the row that ended it, for a count its own last one.
	// If the rows ended first, it is [math.MaxInt64].
	Ended int64
}

func (a *aggRows) openRows(r *run, need []int) (stream, error) {
	g := &rowGroups{group: a.group, by: -1, watch: r.plan.watch}
	var nodes []*node
	for _, n := range need {
		if n == endSlot {
			g.need, g.aggs, g.args, g.absent = append(g.need, nil), append(g.aggs, nil), append(g.args, nil), append(g.absent, false)
			continue
		}
		s := a.slots[n]
		agg, err := s.start()
		if err != nil {
			g.close()
			return nil, err
		}
		var cols []int
		for _, arg := range s.members[0].args {
			cols = append(cols, len(nodes))
			nodes = append(nodes, arg)
		}
		g.need, g.aggs, g.args = append(g.need, s), append(g.aggs, agg), append(g.args, cols)
		g.absent = append(g.absent, s.members[0].absent)
	}
	if a.by != nil {
		g.by = len(nodes)
		nodes = append(nodes, a.by)
	}
	in, err := project(r, a.in, nodes, counted)
	if err != nil {
		g.close()
		return nil, err
	}
	g.in = in
	return g, nil
}

func (g *rowGroups) close() {
	if g.in != nil {
		g.in.close()
	}
	for i, a := range g.aggs {
		if a != nil {
			a.Close()
			g.aggs[i] = nil
		}
	}
}

func (g *rowGroups) next(ctx context.Context) (*Batch, error) {
	g.out.Times = g.out.Times[:0]
	g.out.Cols = growCols(g.out.Cols, len(g.need))
	for i, s := range g.need {
		if s == nil {
			g.out.Cols[i].reset(column.Int64)
		} else {
			g.out.Cols[i].reset(s.kind.Kind)
		}
	}
	for !g.eof && g.out.Len() < groupsPerBatch {
		b, err := g.in.next(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			g.eof = true
			switch {
			case !g.on:
			case g.group.Kind == GroupCount: // too few rows
				g.tell(math.MaxInt64)
			default:
				if err := g.emit(math.MaxInt64); err != nil {
					return nil, err
				}
			}
			break
		}
		if err := g.take(b); err != nil {
			return nil, err
		}
	}
	if g.out.Len() == 0 {
		return nil, nil
	}
	return &g.out, nil
}

// What becomes of a row.
const (
	rowIn    = iota // belongs to the open group, or opens one
	rowOut          // belongs to no group, the open one goes on
	rowEnds         // belongs to no group and ends the open one
	rowOpens        // ends the open group and opens another
)

// take folds the rows of a batch, run by run.
func (g *rowGroups) take(b *Batch) error {
	g.batch = b
	g.views = g.views[:0]
	for i, cols := range g.args {
		g.views = append(g.views, Batch{Times: b.Times})
		for _, c := range cols {
			g.views[i].Cols = append(g.views[i].Cols, b.Cols[c])
		}
	}
	lo := 0 // first row of the run that is not folded yet
	flush := func(hi int) error {
		if lo < hi && g.on {
			return g.fold(lo, hi)
		}
		return nil
	}
	for i := range b.Len() {
		what := g.classify(b, i)
		g.prev, g.any = b.Times[i], true
		if what == rowIn {
			if !g.on {
				lo = i
				g.begin(b, i)
			}
			g.count(b, i)
		} else {
			if err := flush(i); err != nil {
				return err
			}
			lo = i + 1
			if what != rowOut && g.on {
				if err := g.emit(b.Times[i]); err != nil {
					return err
				}
			}
			if what == rowOpens {
				lo = i
				g.begin(b, i)
				g.count(b, i)
			}
		}
		if g.on && g.group.Kind == GroupCount && g.rows == int64(g.group.Size) {
			if err := flush(i + 1); err != nil {
				return err
			}
			lo = i + 1
			if err := g.emit(b.Times[i]); err != nil {
				return err
			}
		}
	}
	return flush(b.Len())
}

func (g *rowGroups) classify(b *Batch, i int) int {
	if g.group.Kind == GroupSession {
		if g.on && uint64(b.Times[i])-uint64(g.prev) > uint64(g.group.Interval.NS) {
			return rowOpens
		}
		return rowIn
	}
	c := &b.Cols[g.by]
	null := c.Kind == column.Null || c.Nulls.Get(i)
	if null && !g.group.KeepNulls {
		return rowOut
	}
	switch g.group.Kind {
	case GroupCondition:
		if null || !c.Bools[i] {
			return rowEnds
		}
	case GroupVariation:
		if !g.on {
			return rowIn
		}
		if null != g.isNull {
			return rowOpens
		}
		if !null {
			g.value.appendCell(c, i)
			split := differs(&g.value, 0, 1, g.group.Delta)
			cutTo(&g.value, 1)
			if split {
				return rowOpens
			}
		}
	}
	return rowIn
}

// cutTo shortens c to n cells.
func cutTo(c *Col, n int) {
	nulls := c.Nulls
	c.Vector = c.Vector.Slice(0, n)
	c.Nulls = nulls
}

func (g *rowGroups) begin(b *Batch, i int) {
	g.on, g.first, g.rows = true, b.Times[i], 0
	if g.group.Kind == GroupVariation {
		c := &b.Cols[g.by]
		g.isNull = c.Kind == column.Null || c.Nulls.Get(i)
		g.value = Col{}
		g.value.reset(c.Kind)
		if !g.isNull {
			g.value.appendCell(c, i)
		}
	}
}

func (g *rowGroups) count(b *Batch, i int) {
	g.rows++
	g.last = b.Times[i]
}

func (g *rowGroups) fold(lo, hi int) error {
	for i, a := range g.aggs {
		if a == nil || g.absent[i] {
			continue
		}
		if err := a.Add(&g.views[i], lo, hi); err != nil {
			return err
		}
	}
	return nil
}

// tell lets the watcher of the plan know of a group that ends.
func (g *rowGroups) tell(ended int64) {
	if g.watch != nil {
		g.watch(Bounds{First: g.first, Last: g.last, Ended: ended})
	}
}

// emit ends the open group, because of the row at the time given.
func (g *rowGroups) emit(ended int64) error {
	g.tell(ended)
	keep := g.group.Kind != GroupCondition || g.group.Keep.holds(g.rows)
	if keep {
		g.out.Times = append(g.out.Times, g.first)
	}
	for i, a := range g.aggs {
		switch {
		case a == nil && keep:
			g.out.Cols[i].Int64s = append(g.out.Cols[i].Int64s, g.last)
		case a != nil:
			if keep {
				if err := a.Result(&g.out.Cols[i]); err != nil {
					return err
				}
			}
			if err := a.Reset(); err != nil {
				return err
			}
		}
	}
	g.on, g.rows = false, 0
	return nil
}
