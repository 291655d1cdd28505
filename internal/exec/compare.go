package exec

import (
	"cmp"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

func integer(k column.Kind) bool { return k == column.Int32 || k == column.Int64 }

// compare sets out[i] to a[i] op b[i]. Integers are compared as integers, which
// matters for times in nanoseconds; other numbers as float64.
func (o *op) compare(op expr.Op, a, b *Col, n int, out []bool) {
	switch {
	case a.Kind == column.Null || b.Kind == column.Null:
		clear(out)
	case a.Kind == column.Text:
		compareOrdered(op, a.Texts[:n], b.Texts[:n], out)
	case a.Kind == column.Bool:
		for i := range n {
			out[i] = holds(op, cmp.Compare(bit(a.Bools[i]), bit(b.Bools[i])))
		}
	case integer(a.Kind) && integer(b.Kind):
		compareOrdered(op, integers(a, n, &o.ints[0]), integers(b, n, &o.ints[1]), out)
	default:
		compareOrdered(op, numbers(a, n, &o.a), numbers(b, n, &o.b), out)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func holds(op expr.Op, c int) bool {
	switch op {
	case expr.OpEq:
		return c == 0
	case expr.OpNe:
		return c != 0
	case expr.OpLt:
		return c < 0
	case expr.OpLe:
		return c <= 0
	case expr.OpGt:
		return c > 0
	}
	return c >= 0
}

func compareOrdered[T cmp.Ordered](op expr.Op, a, b []T, out []bool) {
	switch op {
	case expr.OpEq:
		for i, v := range a {
			out[i] = v == b[i]
		}
	case expr.OpNe:
		for i, v := range a {
			out[i] = v != b[i]
		}
	case expr.OpLt:
		for i, v := range a {
			out[i] = v < b[i]
		}
	case expr.OpLe:
		for i, v := range a {
			out[i] = v <= b[i]
		}
	case expr.OpGt:
		for i, v := range a {
			out[i] = v > b[i]
		}
	case expr.OpGe:
		for i, v := range a {
			out[i] = v >= b[i]
		}
	}
}

func (o *op) between(in []*Col, n int) {
	o.start(column.Bool, n)
	o.hit = grow(o.hit, n)
	o.compare(expr.OpGe, in[0], in[1], n, o.out.Bools)
	o.compare(expr.OpLe, in[0], in[2], n, o.hit)
	for i, v := range o.hit {
		o.out.Bools[i] = (o.out.Bools[i] && v) != o.n.not
	}
	o.nullsOf(n, in...)
}

// in is true where one of the list is equal. Nulls in the list are passed over.
func (o *op) in(in []*Col, n int) {
	o.start(column.Bool, n)
	o.hit = grow(o.hit, n)
	clear(o.out.Bools)
	for _, c := range in[1:] {
		o.compare(expr.OpEq, in[0], c, n, o.hit)
		for i, v := range o.hit {
			if v && !c.Nulls.Get(i) {
				o.out.Bools[i] = true
			}
		}
	}
	if o.n.not {
		for i, v := range o.out.Bools {
			o.out.Bools[i] = !v
		}
	}
	o.nullsOf(n, in[0])
}
