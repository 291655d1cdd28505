package exec

import (
	"math"
	"strings"

	"github.com/tickwell/tickwell/internal/column"
)

func compareFold(a, b string) bool { return strings.EqualFold(a, b) }

// filler replaces nulls batch by batch, with the previous value or a constant.
type filler struct {
	kind FillKind
	last []Col // a cell each, or none
}

// newFiller returns nil if there is nothing to do batch by batch.
func newFiller(f Fill, cols []Column) *filler {
	if f.Kind != FillPrevious && f.Kind != FillValue {
		return nil
	}
	fl := &filler{kind: f.Kind, last: make([]Col, len(cols))}
	for i, c := range cols {
		fl.last[i].reset(c.Kind)
		if f.Kind == FillValue {
			fillCell(&fl.last[i], &f.Value)
		}
	}
	return fl
}

// fillCell converts the constant of FILL to the kind of a column, or leaves
// the column empty if it does not suit: a boolean suits Bool and Text, an
// integer every number and Text, a float Float32, Float64 and Text, a text
// only Text.
func fillCell(c *Col, v *column.Vector) {
	if v.Len() == 0 {
		return
	}
	src := Col{Vector: *v}
	switch {
	case c.Kind == v.Kind:
		c.AppendRange(v, 0, 1)
	case c.Kind == column.Text:
		c.Texts = append(c.Texts, cellText(&src, 0))
	case c.Kind == column.Float32 && v.Kind.Numeric():
		c.Float32s = append(c.Float32s, float32(v.Float64At(0)))
	case c.Kind == column.Float64 && v.Kind.Numeric():
		c.Float64s = append(c.Float64s, v.Float64At(0))
	case c.Kind == column.Int64 && v.Kind == column.Int32:
		c.Int64s = append(c.Int64s, int64(v.Int32s[0]))
	case c.Kind == column.Int32 && v.Kind == column.Int64 && v.Int64s[0] >= math.MinInt32 && v.Int64s[0] <= math.MaxInt32:
		c.Int32s = append(c.Int32s, int32(v.Int64s[0]))
	}
}

func (f *filler) apply(b *Batch) {
	for i := range b.Cols {
		c, last := &b.Cols[i], &f.last[i]
		if c.Kind == column.Null {
			continue
		}
		if len(c.Nulls) == 0 {
			if f.kind == FillPrevious {
				last.reset(c.Kind)
				last.AppendRange(&c.Vector, b.Len()-1, b.Len())
			}
			continue
		}
		// The columns of a batch are not ours to change.
		var out Col
		out.reset(c.Kind)
		for r := range b.Len() {
			switch {
			case !c.Nulls.Get(r):
				out.AppendRange(&c.Vector, r, r+1)
				if f.kind == FillPrevious {
					last.reset(c.Kind)
					last.AppendRange(&c.Vector, r, r+1)
				}
			case last.Len() > 0:
				out.AppendRange(&last.Vector, 0, 1)
			default:
				out.appendNull()
			}
		}
		*c = out
	}
}

// fillAll replaces nulls of all rows of a part.
func fillAll(f Fill, cols []Column, b *Batch) {
	if fl := newFiller(f, cols); fl != nil {
		fl.apply(b)
		return
	}
	if f.Kind != FillLinear {
		return
	}
	for i := range b.Cols {
		if b.Cols[i].Kind.Numeric() {
			fillLinear(&b.Cols[i], b.Times)
		}
	}
}

// fillLinear lays a line between the neighbours of each run of nulls, weighted
// by time. Integers are rounded toward zero. Nulls at both ends stay.
func fillLinear(c *Col, times []int64) {
	prev := -1
	for i := range times {
		if c.Nulls.Get(i) {
			continue
		}
		for j := prev + 1; j < i && prev >= 0; j++ {
			setLinear(c, j, prev, i, times)
		}
		prev = i
	}
}

func setLinear(c *Col, j, a, b int, times []int64) {
	va, vb := c.Float64At(a), c.Float64At(b)
	w := 0.5
	if times[b] != times[a] {
		w = distance(times[a], times[j]) / distance(times[a], times[b])
	}
	v := va + float64((vb-va)*w)
	switch c.Kind {
	case column.Int32:
		c.Int32s[j] = int32(min(max(v, math.MinInt32), math.MaxInt32))
	case column.Int64:
		c.Int64s[j] = toInt64(v)
	case column.Float32:
		c.Float32s[j] = float32(v)
	case column.Float64:
		c.Float64s[j] = v
	}
	c.Nulls.Unset(j)
}
