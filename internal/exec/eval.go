package exec

import (
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// op evaluates a node over batches. It owns the memory of its result, so one
// run has ops of its own. What eval returns is valid until its next call.
type op struct {
	n    *node
	args []*op
	slot int // position in the batch of an opSlot or opTable
	out  Col
	cols []*Col
	a, b []float64 // operands as numbers
	ints [2][]int64
	row  rowFunc // state of a built-in row function
	hit  []bool
	some *some
}

// ops makes the evaluator of n; position gives the place of input column and
// table functions in the batches.
func newOp(n *node, position func(*node) int) (*op, error) {
	o := &op{n: n}
	if n.op == opSlot || n.op == opTable {
		o.slot = position(n)
		return o, nil
	}
	for _, a := range n.args {
		arg, err := newOp(a, position)
		if err != nil {
			return nil, err
		}
		o.args = append(o.args, arg)
	}
	if n.scalar != nil {
		row, err := n.scalar.make(n.call)
		if err != nil {
			return nil, err
		}
		o.row = row
	}
	return o, nil
}

// eval computes the cells for all rows of b.
func (o *op) eval(b *Batch) (*Col, error) {
	switch o.n.op {
	case opSlot, opTable:
		return &b.Cols[o.slot], nil
	case expr.OpTime:
		if o.n.unit > 1 {
			o.start(column.Int64, b.Len())
			for i, t := range b.Times {
				o.out.Int64s[i] = floorDiv(t, o.n.unit)
			}
			return &o.out, nil
		}
		o.out.Vector = column.Vector{Kind: column.Int64, Int64s: b.Times}
		return &o.out, nil
	case expr.OpConst:
		return o.constant(b.Len()), nil
	}
	in := o.cols[:0]
	for _, a := range o.args {
		var c *Col
		var err error
		if a.n.lazy {
			c, err = a.evalSome(b, o.open(in, b.Len()))
		} else {
			c, err = a.eval(b)
		}
		if err != nil {
			return nil, err
		}
		in = append(in, c)
	}
	o.cols = in
	return o.apply(b, in)
}

func (o *op) apply(b *Batch, in []*Col) (*Col, error) {
	n := b.Len()
	switch o.n.op {
	case expr.OpNeg, expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpMod:
		o.arithmetic(in, n)
	case expr.OpEq, expr.OpNe, expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe:
		o.start(column.Bool, n)
		o.compare(o.n.op, in[0], in[1], n, o.out.Bools)
		o.nullsOf(n, in[0], in[1])
	case expr.OpBetween:
		o.between(in, n)
	case expr.OpIn:
		o.in(in, n)
	case expr.OpAnd, expr.OpOr:
		o.logic(in[0], in[1], n)
	case expr.OpCase:
		o.choose(in, n)
	case expr.OpNot:
		o.start(column.Bool, n)
		if in[0].Kind == column.Bool {
			for i, v := range in[0].Bools[:n] {
				o.out.Bools[i] = !v
			}
		}
		o.nullsOf(n, in[0])
	case expr.OpLike, expr.OpRegexp:
		o.start(column.Bool, n)
		if in[0].Kind == column.Text {
			for i, v := range in[0].Texts[:n] {
				o.out.Bools[i] = o.n.match(v) != o.n.not
			}
		}
		o.nullsOf(n, in[0])
	case expr.OpIsNull:
		o.start(column.Bool, n)
		for i := range n {
			o.out.Bools[i] = (in[0].Kind == column.Null || in[0].Nulls.Get(i)) != o.n.not
		}
	case opUnit:
		o.start(column.Int64, n)
		for i := range n {
			o.out.Int64s[i] = floorDiv(in[0].Int64s[i], o.n.unit)
		}
		o.nullsOf(n, in[0])
	case expr.OpCast:
		return &o.out, o.cast(in[0], n)
	case expr.OpCall:
		o.out.reset(o.n.kind)
		return &o.out, o.row(b.Times, in, &o.out)
	}
	return &o.out, nil
}

// start makes room for n cells of a kind; their values are not defined.
func (o *op) start(k column.Kind, n int) {
	o.out.Kind = k
	o.out.Nulls = o.out.Nulls[:0]
	switch k {
	case column.Bool:
		o.out.Bools = grow(o.out.Bools, n)
	case column.Int64:
		o.out.Int64s = grow(o.out.Int64s, n)
	case column.Float64:
		o.out.Float64s = grow(o.out.Float64s, n)
	}
}

// grow returns s with length n and room for a batch of average size.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, max(n, 1024))
	}
	return s[:n]
}

// growCols returns s with length n.
func growCols(s []Col, n int) []Col {
	if cap(s) < n {
		return make([]Col, n)
	}
	return s[:n]
}

// nullsOf makes the result null where an operand is.
func (o *op) nullsOf(n int, in ...*Col) {
	o.out.Nulls = o.out.Nulls[:0]
	for _, c := range in {
		if c.Kind == column.Null {
			for i := range n {
				o.out.Nulls.Set(i)
			}
			break
		}
		if len(c.Nulls) == 0 {
			continue
		}
		words := (n + 63) / 64
		for len(o.out.Nulls) < min(words, len(c.Nulls)) {
			o.out.Nulls = append(o.out.Nulls, 0)
		}
		for w := range o.out.Nulls {
			if w < len(c.Nulls) {
				o.out.Nulls[w] |= c.Nulls[w]
			}
		}
	}
	if !o.out.Nulls.Any(n) {
		o.out.Nulls = o.out.Nulls[:0]
		return
	}
	o.zeroNulls(n)
}

// zeroNulls gives null cells the zero value.
func (o *op) zeroNulls(n int) {
	for i := range n {
		if !o.out.Nulls.Get(i) {
			continue
		}
		switch o.out.Kind {
		case column.Bool:
			o.out.Bools[i] = false
		case column.Float64:
			o.out.Float64s[i] = 0
		}
	}
}

// constant returns n cells of the constant.
func (o *op) constant(n int) *Col {
	if o.n.kind == column.Null {
		o.out.Vector = column.Vector{}
		return &o.out
	}
	if o.out.Kind != o.n.kind {
		o.out.reset(o.n.kind)
	}
	for o.out.Len() < n {
		o.out.AppendRange(&o.n.cell.Vector, 0, 1)
	}
	return &o.out
}

// numbers returns n cells of c as float64.
func numbers(c *Col, n int, scratch *[]float64) []float64 {
	if c.Kind == column.Float64 {
		return c.Float64s[:n]
	}
	s := grow(*scratch, n)
	*scratch = s
	switch c.Kind {
	case column.Int32:
		for i, v := range c.Int32s[:n] {
			s[i] = float64(v)
		}
	case column.Int64:
		for i, v := range c.Int64s[:n] {
			s[i] = float64(v)
		}
	case column.Float32:
		for i, v := range c.Float32s[:n] {
			s[i] = float64(v)
		}
	default:
		clear(s)
	}
	return s
}

// integers returns n cells of an integer column as int64.
func integers(c *Col, n int, scratch *[]int64) []int64 {
	if c.Kind == column.Int64 {
		return c.Int64s[:n]
	}
	s := grow(*scratch, n)
	*scratch = s
	for i, v := range c.Int32s[:n] {
		s[i] = int64(v)
	}
	return s
}
