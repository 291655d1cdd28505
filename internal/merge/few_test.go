package merge

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/internal/column"
)

// TestFew: what is added in order is what is there, cut to the range and without
// nulls; what is too much, not in order or a text is refused.
func TestFew(t *testing.T) {
	ints := func(n int) *column.Vector {
		v := &column.Vector{Kind: column.Int64}
		for i := range n {
			v.Int64s = append(v.Int64s, int64(i))
		}
		return v
	}
	run := func(from, n int64) (times []int64) {
		for at := range n {
			times = append(times, from+at)
		}
		return times
	}
	null := column.Bitmap{}
	null.Set(1)
	for _, c := range []struct {
		name     string
		from, to int64
		add      [][]int64
		nulls    column.Bitmap
		want     []int64 // nil: refused
	}{
		{"all", math.MinInt64, math.MaxInt64, [][]int64{{1, 2}, {3}}, nil, []int64{1, 2, 3}},
		{"the last instant", 0, math.MaxInt64, [][]int64{{1, math.MaxInt64}}, nil, []int64{1, math.MaxInt64}},
		{"nothing", 0, 9, [][]int64{}, nil, []int64{}},
		{"no times", 0, 9, [][]int64{{}}, nil, []int64{}},
		{"before and after", 5, 8, [][]int64{{1, 2}, {8, 9}}, nil, []int64{}},
		{"cut", 2, 6, [][]int64{{1, 2, 3}, {4, 5, 6}}, nil, []int64{2, 3, 4, 5}},
		{"an empty range", 2, 2, [][]int64{{1, 2, 3}}, nil, []int64{}},
		{"a range before its beginning", 3, 1, [][]int64{{1, 2, 3}}, nil, []int64{}},
		{"the same time again", 0, 9, [][]int64{{1, 2}, {2, 3}}, nil, nil},
		{"the same time again, outside", 3, 9, [][]int64{{1, 2}, {2, 3}}, nil, []int64{3}},
		{"late", 0, 9, [][]int64{{4, 5}, {2, 3}}, nil, nil},
		{"nulls", 0, 9, [][]int64{{4, 5, 6}, {7, 8}}, null, []int64{4, 6, 7}},
		{"as many as are few", 0, 1000, [][]int64{run(1, maxFew)}, nil, run(1, maxFew)},
		{"too many", 0, 1000, [][]int64{run(1, maxFew+1)}, nil, nil},
		{"too many together", 0, 1000, [][]int64{run(1, maxFew), {500}}, nil, nil},
		{"few of many", 900, 910, [][]int64{run(1, 2000)}, nil, run(900, 10)},
	} {
		f, ok := NewFew(column.Int64, c.from, c.to), true
		for _, times := range c.add {
			ok = ok && f.Add(times, ints(len(times)), c.nulls)
		}
		require.Equal(t, c.want != nil, ok, c.name)
		if ok {
			require.Equal(t, c.want, append([]int64{}, f.Times()...), c.name)
			require.Len(t, f.Values().Int64s, len(c.want), c.name)
		}
		f.Close()
	}
	f := NewFew(column.Text, 0, 9)
	require.False(t, f.Add([]int64{1}, &column.Vector{Kind: column.Text, Texts: []string{"a"}}, nil))
	f.Close()
	f = NewFew(column.Int64, 0, 9)
	require.False(t, f.Add([]int64{1}, &column.Vector{Kind: column.Float64, Float64s: []float64{1}}, nil), "of another kind")
	f.Close()
}

// TestSinceBack compares the search from the end with looking at each.
func TestSinceBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var times []int64
		at := int64(0)
		for range rng.IntN(200) {
			at += 1 + rng.Int64N(3)
			times = append(times, at)
		}
		from := rng.Int64N(at + 5)
		want := 0
		for want < len(times) && times[want] < from {
			want++
		}
		require.Equal(t, want, sinceBack(times, from), "%d in %v", from, times)
	}
}
