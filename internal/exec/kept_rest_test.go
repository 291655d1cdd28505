package exec

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
)

// What rests is small whatever was read: not the aggregates of the hundreds of
// windows that each row was in.
func TestWhatRestsIsLight(t *testing.T) {
	f := mixedKinds(rand.New(rand.NewPCG(5, 6)), 3000)
	for _, c := range []struct {
		interval, step int64
		rests          bool
	}{{100, 100, true}, {110, 20, true}, {2003, 20, false}, {7003, 20, false}} {
		q := Query{Select: []expr.Expr{expr.Avg(expr.Col("s5"))}, From: []string{"root.d0"}, Start: 0, End: 9000,
			Exact: true, Group: Group{Kind: GroupTime, Interval: Span{NS: c.interval}, Step: Span{NS: c.step}}}
		plan, err := Prepare(&q, f, nil)
		require.NoError(t, err)
		want := text(t, plan.Start(context.Background(), f, nil))
		var kept Kept
		for range 3 {
			require.Equal(t, want, text(t, kept.Start(context.Background(), plan, f, nil)), c)
			require.Equal(t, c.rests, kept.Rest(), c)
			sets := 0
			for _, s := range kept.streams {
				for _, fold := range s.(*timeGroups).folds {
					sets += len(fold.free) + len(fold.open)
				}
			}
			require.LessOrEqual(t, sets, maxKept, c)
		}
	}
}
