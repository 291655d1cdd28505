package exec

import (
	"context"

	"github.com/tickwell/tickwell/internal/column"
)

// maxBatch bounds the rows of a batch that a join makes.
const maxBatch = 4096

// Col is one column of a batch. Null cells hold the zero value of the kind, so
// that reading them is harmless.
type Col struct {
	column.Vector
	Nulls column.Bitmap // nil: none
}

// Batch is rows in strictly increasing time order. A batch belongs to the
// stream that made it and is valid until that stream's next call.
type Batch struct {
	Times []int64
	Cols  []Col
}

// Len returns the number of rows.
func (b *Batch) Len() int { return len(b.Times) }

// stream is a source of batches. next returns nil at the end; a batch has at
// least one row. close may be called at any time and more than once.
type stream interface {
	next(ctx context.Context) (*Batch, error)
	close()
}

// reset empties c for values of kind k.
func (c *Col) reset(k column.Kind) {
	c.Vector.Reset(k)
	c.Nulls = c.Nulls[:0]
}

// appendNull adds a null.
func (c *Col) appendNull() {
	c.Nulls.Set(c.Len())
	c.AppendZero(1)
}

// appendCell adds cell i of src, which has the same kind.
func (c *Col) appendCell(src *Col, i int) {
	if src.Nulls.Get(i) {
		c.appendNull()
		return
	}
	c.AppendRange(&src.Vector, i, i+1)
}

// appendRepeated adds the one cell of src, which has the same kind, n times.
func (c *Col) appendRepeated(src *Col, n int) {
	if n == 0 {
		return
	}
	at := c.Len()
	c.AppendRange(&src.Vector, 0, 1)
	for have := 1; have < n; {
		more := min(have, n-have)
		v := c.Vector
		c.AppendRange(&v, at, at+more)
		have += more
	}
}

// appendCells adds the cells [lo, hi) of src, which has the same kind.
func (c *Col) appendCells(src *Col, lo, hi int) {
	n := c.Len()
	c.AppendRange(&src.Vector, lo, hi)
	if len(src.Nulls) == 0 {
		return
	}
	for i := lo; i < hi; i++ {
		if src.Nulls.Get(i) {
			c.Nulls.Set(n + i - lo)
		}
	}
}

// cut returns the cells [lo, hi): the values are shared, the bitmap is copied
// into scratch if there is one.
func (c *Col) cut(lo, hi int, scratch column.Bitmap) Col {
	out := Col{Vector: c.Slice(lo, hi)}
	if lo == 0 {
		out.Nulls = c.Nulls
		return out
	}
	if !c.Nulls.Any(hi) {
		return out
	}
	out.Nulls = scratch[:0]
	for i := lo; i < hi; i++ {
		if c.Nulls.Get(i) {
			out.Nulls.Set(i - lo)
		}
	}
	return out
}
