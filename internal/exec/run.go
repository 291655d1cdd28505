package exec

import (
	"context"
	"slices"
)

// run is one execution of a plan.
type run struct {
	ctx     context.Context
	src     Source // counted
	counted metered
	plan    *Plan
	meter   *Meter
	levels  Levels // nil: only stored rows count
	small   bool   // few rows are expected, see Kept
	// windows are the first of GROUP BY time, which are the same for all devices;
	// none: not made yet.
	windows []window
}

func (r *run) budget() int64 {
	if b := r.plan.q.Budget; b > 0 {
		return b
	}
	return DefaultBudget
}

// seriesRows is the stored series of a query (of one device, if aligned by
// device) as an input of expressions. A nil series is one that does not exist.
type seriesRows struct {
	series []*Series
	kinds  []Column
	// spans, if narrowed, are the only times that matter.
	spans    []span
	narrowed bool
	// every reads all series, so that the rows are the same whichever are asked for:
	// the others come after those.
	every bool
}

// timeRange is the times that a plan reads.
type timeRange struct{ from, to int64 }

func (s *seriesRows) column(i int) Column { return s.kinds[i] }

func (s *seriesRows) open(r *run, need []int) (stream, error) {
	series := make([]*Series, len(need))
	for i, n := range need {
		series[i] = s.series[n]
	}
	for i := range s.series {
		if s.every && !slices.Contains(need, i) {
			series = append(series, s.series[i])
		}
	}
	if s.narrowed {
		return &spanned{src: r.src, series: series, spans: s.spans, from: r.plan.from, to: r.plan.to}, nil
	}
	return scan(r.src, series, r.plan.from, r.plan.to), nil
}

// filtered is an input of which only the rows that fulfil a condition count.
type filtered struct {
	in    rows
	where *node
}

func (f *filtered) column(i int) Column { return f.in.column(i) }

func (f *filtered) open(r *run, need []int) (stream, error) {
	nodes := make([]*node, 0, len(need)+1)
	for _, n := range need {
		nodes = append(nodes, &node{op: opSlot, slot: n, kind: f.in.column(n).Kind})
	}
	nodes = append(nodes, f.where)
	in := f.in
	if base, ok := in.(*seriesRows); ok {
		narrow, err := prune(r, base, f.where)
		if err != nil {
			return nil, err
		}
		in = narrow
	}
	s, err := project(r, in, nodes, unseen)
	if err != nil {
		return nil, err
	}
	where, err := newOp(&node{op: opSlot, kind: f.where.kind}, func(*node) int { return len(need) })
	if err != nil {
		return nil, err
	}
	return &filter{in: s, where: where, keep: len(need)}, nil
}
