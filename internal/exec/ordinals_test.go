package exec

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/expr"
)

// Keys have the numbers in which they came, few or many of them.
func TestOrdinals(t *testing.T) {
	var o ordinals[string]
	for i := range 5 * fewOrdinals {
		key := fmt.Sprint("k", i)
		_, ok := o.of(key)
		require.False(t, ok, key)
		require.Equal(t, i, o.add(key))
		for j := range i + 1 {
			n, ok := o.of(fmt.Sprint("k", j))
			require.True(t, ok)
			require.Equal(t, j, n)
		}
	}
}

// What a query of one series costs before its first row: plans and runs are made
// of few pieces.
func TestShortQueryAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	f := newFakeStore()
	times, v := sequence(300, 1)
	f.add("root.d", "s", times, v)
	s := expr.Col("s")
	q := Query{Select: []expr.Expr{expr.Count(s), expr.Sum(s), expr.Max(s)}, From: []string{"root.d"}, Start: math.MinInt64, End: math.MaxInt64}
	var plan *Plan
	planning := testing.AllocsPerRun(100, func() {
		var err error
		plan, err = Prepare(&q, f, nil)
		require.NoError(t, err)
	})
	var m Meter
	running := testing.AllocsPerRun(100, func() {
		r := plan.Start(context.Background(), f, &m)
		tab, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, 1, tab.Len())
		r.Close()
	})
	var kept Kept
	again := testing.AllocsPerRun(100, func() {
		r := kept.Start(context.Background(), plan, f, &m)
		_, err := r.Next()
		require.NoError(t, err)
		r.Close()
		require.True(t, kept.Rest())
	})
	lifting := testing.AllocsPerRun(100, func() {
		lifted, err := plan.Lift("root.d", f, plan.from, plan.to)
		require.NoError(t, err)
		require.NotNil(t, lifted)
	})
	t.Logf("planning %v, lifting %v, running %v, again %v", planning, lifting, running, again)
	require.LessOrEqual(t, lifting, planning/2)
	require.LessOrEqual(t, again, running/2)
	require.LessOrEqual(t, planning, 75.0)
	require.LessOrEqual(t, running, 35.0)
}
