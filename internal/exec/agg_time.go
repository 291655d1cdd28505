package exec

import (
	"github.com/tickwell/tickwell/internal/block"
	"github.com/tickwell/tickwell/internal/column"
)

// countAgg counts the values that are not null.
type countAgg struct{ n int64 }

func (a *countAgg) Start(*Call) (column.Kind, error) { return column.Int64, nil }
func (a *countAgg) Reset() error                     { a.n = 0; return nil }
func (a *countAgg) Close()                           {}

func (a *countAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	a.n += int64(hi-lo) - int64(c.Nulls.Count(hi)-c.Nulls.Count(lo))
	return nil
}

func (a *countAgg) canStats(*block.Stats, bool) bool { return true }
func (a *countAgg) addStats(s *block.Stats)          { a.n += int64(s.Count) }
func (a *countAgg) fields() block.Fields             { return 0 }

func (a *countAgg) Merge(other Aggregator) error { a.n += other.(*countAgg).n; return nil }

func (a *countAgg) Result(out *Col) error {
	out.Int64s = append(out.Int64s, a.n)
	return nil
}

// countTimeAgg counts the rows in which any input has a value.
type countTimeAgg struct{ n int64 }

func (a *countTimeAgg) Start(*Call) (column.Kind, error) { return column.Int64, nil }
func (a *countTimeAgg) Reset() error                     { a.n = 0; return nil }
func (a *countTimeAgg) Close()                           {}

func (a *countTimeAgg) Add(b *Batch, lo, hi int) error {
	for i := lo; i < hi; i++ {
		for c := range b.Cols {
			if b.Cols[c].Kind != column.Null && !b.Cols[c].Nulls.Get(i) {
				a.n++
				break
			}
		}
	}
	return nil
}

func (a *countTimeAgg) Merge(other Aggregator) error { a.n += other.(*countTimeAgg).n; return nil }

func (a *countTimeAgg) Result(out *Col) error {
	out.Int64s = append(out.Int64s, a.n)
	return nil
}

// timeAgg is min_time, max_time and time_duration, over the times at which the
// input has a value.
type timeAgg struct {
	min, max bool
	unit     int64
	any      bool
	lo, hi   int64
}

func (a *timeAgg) Start(c *Call) (column.Kind, error) {
	a.unit = perUnit(c.Unit)
	return column.Int64, nil
}

func (a *timeAgg) Reset() error { *a = timeAgg{min: a.min, max: a.max, unit: a.unit}; return nil }
func (a *timeAgg) Close()       {}

func (a *timeAgg) add(lo, hi int64) {
	if !a.any {
		a.any, a.lo, a.hi = true, lo, hi
		return
	}
	a.lo, a.hi = min(a.lo, lo), max(a.hi, hi)
}

func (a *timeAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for lo < hi && c.Nulls.Get(lo) {
		lo++
	}
	for lo < hi && c.Nulls.Get(hi-1) {
		hi--
	}
	if lo < hi {
		a.add(b.Times[lo], b.Times[hi-1])
	}
	return nil
}

func (a *timeAgg) canStats(*block.Stats, bool) bool { return true }
func (a *timeAgg) addStats(s *block.Stats)          { a.add(s.MinTime, s.MaxTime) }
func (a *timeAgg) fields() block.Fields             { return block.FieldTimes }

func (a *timeAgg) Merge(other Aggregator) error {
	if o := other.(*timeAgg); o.any {
		a.add(o.lo, o.hi)
	}
	return nil
}

func (a *timeAgg) Result(out *Col) error {
	switch {
	case !a.any:
		out.appendNull()
	case a.min && a.max:
		out.Int64s = append(out.Int64s, unitsBetween(a.lo, a.hi, a.unit))
	case a.min:
		out.Int64s = append(out.Int64s, floorDiv(a.lo, a.unit))
	default:
		out.Int64s = append(out.Int64s, floorDiv(a.hi, a.unit))
	}
	return nil
}

// edgeAgg is first_value and last_value.
type edgeAgg struct {
	last bool
	any  bool
	at   int64
	cell Col
}

func (a *edgeAgg) Start(c *Call) (column.Kind, error) {
	a.cell.reset(c.Inputs[0].Kind)
	return a.cell.Kind, nil
}

func (a *edgeAgg) Reset() error {
	a.any = false
	a.cell.reset(a.cell.Kind)
	return nil
}
func (a *edgeAgg) Close() {}

func (a *edgeAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	if a.any && !a.last {
		return nil
	}
	if a.last {
		for hi > lo && c.Nulls.Get(hi-1) {
			hi--
		}
		lo = max(lo, hi-1)
	} else {
		for lo < hi && c.Nulls.Get(lo) {
			lo++
		}
	}
	if lo < hi {
		a.keep(b.Times[lo], c, lo)
	}
	return nil
}

func (a *edgeAgg) keep(at int64, c *Col, i int) {
	a.any, a.at = true, at
	a.cell.reset(a.cell.Kind)
	a.cell.AppendRange(&c.Vector, i, i+1)
}

func (a *edgeAgg) canStats(*block.Stats, bool) bool { return a.cell.Kind != column.Text }

func (a *edgeAgg) fields() block.Fields { return block.FieldEdges | block.FieldTimes }

func (a *edgeAgg) addStats(s *block.Stats) {
	if a.any && !a.last {
		return
	}
	a.any, a.at = true, s.MinTime
	raw := s.First
	if a.last {
		a.at, raw = s.MaxTime, s.Last
	}
	a.cell.reset(a.cell.Kind)
	appendBits(&a.cell, raw)
}

// Merge keeps what it has on a tie of times.
func (a *edgeAgg) Merge(other Aggregator) error {
	o := other.(*edgeAgg)
	if o.any && (!a.any || a.last && o.at > a.at || !a.last && o.at < a.at) {
		a.keep(o.at, &o.cell, 0)
	}
	return nil
}

func (a *edgeAgg) Result(out *Col) error {
	if !a.any {
		out.appendNull()
		return nil
	}
	out.AppendRange(&a.cell.Vector, 0, 1)
	return nil
}
