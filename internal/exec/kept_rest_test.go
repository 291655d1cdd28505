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

// Texts are the store's, and a whole block of them stays for the sake of one.
func TestNoTextRests(t *testing.T) {
	f := mixedKinds(rand.New(rand.NewPCG(7, 8)), 300)
	for name, e := range map[string]expr.Expr{
		"first": expr.First(expr.Col("s6")), "last": expr.Last(expr.Col("s6")), "count": expr.Count(expr.Col("s6")),
		"max_by": expr.Call("max_by", expr.Col("s6"), expr.Col("s5")),
	} {
		q := Query{Select: []expr.Expr{e}, From: []string{"root.d0"}, Start: 0, End: 9000, Group: Group{Kind: GroupTime, Interval: Span{NS: 50}}}
		plan, err := Prepare(&q, f, nil)
		require.NoError(t, err)
		var kept Kept
		text(t, kept.Start(context.Background(), plan, f, nil))
		require.Equal(t, name == "count", kept.Rest(), name)
	}
}
