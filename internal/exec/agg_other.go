package exec

import (
	"fmt"
	"math"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/errs"
)

// appendBits adds the value that block statistics hold as bits.
func appendBits(c *Col, raw uint64) {
	switch c.Kind {
	case column.Bool:
		c.Bools = append(c.Bools, raw == 1)
	case column.Int32:
		c.Int32s = append(c.Int32s, int32(int64(raw)))
	case column.Int64:
		c.Int64s = append(c.Int64s, int64(raw))
	case column.Float32:
		c.Float32s = append(c.Float32s, math.Float32frombits(uint32(raw)))
	case column.Float64:
		c.Float64s = append(c.Float64s, math.Float64frombits(raw))
	}
}

// cellKey makes a cell a map key; floats by their bits.
type cellKey struct {
	bits uint64
	text string
}

func keyOf(c *Col, i int) cellKey {
	switch c.Kind {
	case column.Bool:
		return cellKey{bits: uint64(bit(c.Bools[i]))}
	case column.Int32, column.Int64:
		return cellKey{bits: uint64(integerAt(c, i))}
	case column.Float32, column.Float64:
		return cellKey{bits: math.Float64bits(c.Float64At(i))}
	}
	return cellKey{text: c.Texts[i]}
}

// modeAgg is the most frequent value; of several the one that occurs first.
type modeAgg struct {
	values Col
	seen   map[cellKey]int
	counts []int64
	firsts []int64
}

// maxModeValues bounds the different values of one group.
const maxModeValues = 1 << 20

func (a *modeAgg) Start(c *Call) (column.Kind, error) {
	a.values.reset(c.Inputs[0].Kind)
	return a.values.Kind, a.Reset()
}

func (a *modeAgg) Reset() error {
	a.values.reset(a.values.Kind)
	a.counts, a.firsts, a.seen = a.counts[:0], a.firsts[:0], map[cellKey]int{}
	return nil
}
func (a *modeAgg) Close() {}

func (a *modeAgg) add(c *Col, i int, n, at int64) error {
	k := keyOf(c, i)
	p, ok := a.seen[k]
	if !ok {
		if len(a.counts) == maxModeValues {
			return fmt.Errorf("mode: more than %d different values in a group: %w", maxModeValues, errs.Limit)
		}
		p = len(a.counts)
		a.seen[k] = p
		a.values.AppendRange(&c.Vector, i, i+1)
		a.counts, a.firsts = append(a.counts, 0), append(a.firsts, at)
	}
	a.counts[p] += n
	a.firsts[p] = min(a.firsts[p], at)
	return nil
}

func (a *modeAgg) Add(b *Batch, lo, hi int) error {
	c := &b.Cols[0]
	for i := lo; i < hi; i++ {
		if c.Nulls.Get(i) {
			continue
		}
		if err := a.add(c, i, 1, b.Times[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *modeAgg) Merge(other Aggregator) error {
	o := other.(*modeAgg)
	for i, n := range o.counts {
		if err := a.add(&o.values, i, n, o.firsts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (a *modeAgg) Result(out *Col) error {
	if len(a.counts) == 0 {
		out.appendNull()
		return nil
	}
	best := 0
	for i, n := range a.counts {
		if n > a.counts[best] || n == a.counts[best] && a.firsts[i] < a.firsts[best] {
			best = i
		}
	}
	out.AppendRange(&a.values.Vector, best, best+1)
	return nil
}

// countIfAgg counts the maximal runs of true whose length passes keep.
type countIfAgg struct {
	keep       Keep
	ignoreNull bool
	run, n     int64
}

func (a *countIfAgg) Start(c *Call) (column.Kind, error) {
	a.keep, a.ignoreNull = Keep{}, true
	if v, ok := c.Attr("ignoreNull"); ok {
		a.ignoreNull = strings.EqualFold(v, "true")
	}
	if v, ok := c.Attr("keep"); ok {
		keep, err := ParseKeep(v)
		if err != nil {
			return 0, err
		}
		a.keep = keep
	}
	return column.Int64, nil
}

func (a *countIfAgg) Reset() error { a.run, a.n = 0, 0; return nil }
func (a *countIfAgg) Close()       {}

func (a *countIfAgg) end() {
	if a.run > 0 && a.keep.holds(a.run) {
		a.n++
	}
	a.run = 0
}

func (a *countIfAgg) Add(b *Batch, lo, hi int) error {
	for i := lo; i < hi; i++ {
		switch truth(&b.Cols[0], i) {
		case isTrue:
			a.run++
		case isFalse:
			a.end()
		default:
			if !a.ignoreNull {
				a.end()
			}
		}
	}
	return nil
}

// Merge adds the runs of another series; runs do not join.
func (a *countIfAgg) Merge(other Aggregator) error {
	o := *other.(*countIfAgg)
	o.end()
	a.end()
	a.n += o.n
	return nil
}

func (a *countIfAgg) Result(out *Col) error {
	done := *a
	done.end()
	out.Int64s = append(out.Int64s, done.n)
	return nil
}

// byAgg is max_by and min_by: the first input where the second is greatest or
// least, the earliest of equal ones.
type byAgg struct {
	max  bool
	any  bool
	best float64
	at   int64
	cell Col
}

func (a *byAgg) Start(c *Call) (column.Kind, error) {
	a.cell.reset(c.Inputs[0].Kind)
	return a.cell.Kind, nil
}

func (a *byAgg) Reset() error {
	a.any = false
	a.cell.reset(a.cell.Kind)
	return nil
}
func (a *byAgg) Close() {}

func (a *byAgg) offer(x *Col, i int, y float64, at int64) {
	if y != y || a.any && (y == a.best || (y > a.best) != a.max) {
		return
	}
	a.any, a.best, a.at = true, y, at
	a.cell.reset(a.cell.Kind)
	a.cell.appendCell(x, i)
}

func (a *byAgg) Add(b *Batch, lo, hi int) error {
	x, y := &b.Cols[0], &b.Cols[1]
	for i := lo; i < hi; i++ {
		if y.Kind != column.Null && !y.Nulls.Get(i) {
			a.offer(x, i, y.Float64At(i), b.Times[i])
		}
	}
	return nil
}

func (a *byAgg) Merge(other Aggregator) error {
	if o := other.(*byAgg); o.any {
		a.offer(&o.cell, 0, o.best, o.at)
	}
	return nil
}

func (a *byAgg) Result(out *Col) error {
	if !a.any {
		out.appendNull()
		return nil
	}
	out.appendCell(&a.cell, 0)
	return nil
}
