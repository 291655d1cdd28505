package exec

import (
	"math"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// arithmetic computes in float64, as the documents have it: integers beyond
// 2^53 lose precision, division by zero gives an infinity or NaN.
func (o *op) arithmetic(in []*Col, n int) {
	o.start(column.Float64, n)
	out := o.out.Float64s
	x := numbers(in[0], n, &o.a)
	if o.n.op == expr.OpNeg {
		for i, v := range x {
			out[i] = -v
		}
		o.nullsOf(n, in[0])
		return
	}
	y := numbers(in[1], n, &o.b)
	switch o.n.op {
	case expr.OpAdd:
		for i, v := range x {
			out[i] = v + y[i]
		}
	case expr.OpSub:
		for i, v := range x {
			out[i] = v - y[i]
		}
	case expr.OpMul:
		for i, v := range x {
			out[i] = v * y[i]
		}
	case expr.OpDiv:
		for i, v := range x {
			out[i] = v / y[i]
		}
	case expr.OpMod:
		for i, v := range x {
			out[i] = math.Mod(v, y[i])
		}
	}
	o.nullsOf(n, in[0], in[1])
}
