package exec

import "github.com/tickwell/tickwell/internal/block"

// totals is a Source that may know of all points of a series in a range together what
// statistics tell of a block, with the bits of folding its blocks one by one; nil: of
// no points. If ok is false, a cursor has to read them.
type totals interface {
	Total(s *Series, from, to int64, want block.Fields) (total *block.Stats, blocks int, ok bool)
}

// total folds all points of the series into the only window by what the source knows
// of them together, if it and all aggregates can.
func (f *fold) total(r *run) bool {
	src, ok := r.counted.Source.(totals)
	want := block.Fields(0)
	for _, a := range f.open[0].aggs {
		if sa, can := a.(statsAggregator); can {
			want |= sa.fields()
		} else {
			ok = false
		}
	}
	if !ok {
		return false
	}
	s, blocks, ok := src.Total(f.series, r.plan.from, r.plan.to, want)
	if s == nil || !f.answers(s) {
		return ok && s == nil
	}
	for _, a := range f.open[0].aggs {
		a.(statsAggregator).addStats(s)
	}
	r.meter.Skipped.Add(int64(blocks))
	return true
}
