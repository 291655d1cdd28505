package expr_test

import (
	"math"
	"testing"

	"github.com/tickwell/tickwell/expr"
)

func TestTimeRange(t *testing.T) {
	const least, greatest = int64(math.MinInt64), int64(math.MaxInt64)
	now, s, none := expr.Time(), expr.Col("s"), expr.Expr{}
	for _, c := range []struct {
		where       expr.Expr
		first, last int64
		rest        expr.Expr
	}{
		{none, least, greatest, none},
		{now.Ge(5), 5, greatest, none},
		{now.Gt(5), 6, greatest, none},
		{now.Le(int32(5)), least, 5, none},
		{now.Lt(5), least, 4, none},
		{now.Eq(5), 5, 5, none},
		{expr.Lit(5).Lt(now), 6, greatest, none},
		{expr.Lit(5).Le(now), 5, greatest, none},
		{expr.Lit(5).Gt(now), least, 4, none},
		{expr.Lit(5).Ge(now), least, 5, none},
		{expr.Lit(5).Eq(now), 5, 5, none},
		{now.Between(3, 9), 3, 9, none},
		{now.Between(9, 3), 9, 3, none},
		{now.Gt(greatest), greatest, least, none},
		{now.Lt(least), greatest, least, none},
		{now.Ge(least), least, greatest, none},
		{expr.And(now.Ge(2), s.Gt(1), now.Between(0, 7), s.Lt(4)), 2, 7, expr.And(s.Gt(1), s.Lt(4))},
		{expr.And(now.Gt(7), now.Lt(3)), 8, 2, none},
		{now.Between(3, 9).Negate(), least, greatest, now.Between(3, 9).Negate()},
		{now.Ne(5), least, greatest, now.Ne(5)},
		{now.Gt(1.5), least, greatest, now.Gt(1.5)},
		{now.Between(1.5, 9), least, greatest, now.Between(1.5, 9)},
		{s.Between(3, 9), least, greatest, s.Between(3, 9)},
		{expr.Or(now.Gt(5), now.Lt(2)), least, greatest, expr.Or(now.Gt(5), now.Lt(2))},
		{expr.Not(now.Gt(5)), least, greatest, expr.Not(now.Gt(5))},
		{now.Gt(now), least, greatest, now.Gt(now)},
	} {
		first, last, rest := expr.TimeRange(c.where)
		if first != c.first || last != c.last || !rest.Equal(c.rest) {
			t.Errorf("%v: %d to %d and %v, want %d to %d and %v", c.where, first, last, rest, c.first, c.last, c.rest)
		}
	}
}
