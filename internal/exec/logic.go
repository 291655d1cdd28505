package exec

import (
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// The three truth values.
const (
	isFalse = iota
	isTrue
	isNull
)

func truth(c *Col, i int) int {
	if c.Kind != column.Bool || c.Nulls.Get(i) {
		return isNull
	}
	if c.Bools[i] {
		return isTrue
	}
	return isFalse
}

// logic is three-valued: true OR null is true, false AND null is false, every
// other pair with a null is null.
func (o *op) logic(a, b *Col, n int) {
	o.start(column.Bool, n)
	decides := isFalse
	if o.n.op == expr.OpOr {
		decides = isTrue
	}
	for i := range n {
		x, y := truth(a, i), truth(b, i)
		switch {
		case x == decides || y == decides:
			o.out.Bools[i] = decides == isTrue
		case x == isNull || y == isNull:
			o.out.Bools[i] = false
			o.out.Nulls.Set(i)
		default:
			o.out.Bools[i] = decides != isTrue
		}
	}
}

// choose takes for each row the value after the first condition that holds.
func (o *op) choose(in []*Col, n int) {
	if o.n.kind == column.Null {
		o.out.Vector = column.Vector{}
		return
	}
	o.out.reset(o.n.kind)
	pairs := len(in) / 2
	for i := range n {
		var from *Col
		if len(in)%2 == 1 {
			from = in[len(in)-1]
		}
		for p := range pairs {
			if truth(in[2*p], i) == isTrue {
				from = in[2*p+1]
				break
			}
		}
		switch {
		case from == nil || from.Kind == column.Null || from.Nulls.Get(i):
			o.out.appendNull()
		case o.n.kind == column.Float64:
			o.out.Float64s = append(o.out.Float64s, from.Float64At(i))
		default:
			o.out.AppendRange(&from.Vector, i, i+1)
		}
	}
}
