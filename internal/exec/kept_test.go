package exec

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
)

// mixedKinds is two devices with a series of each kind, with rows at random times.
func mixedKinds(rng *rand.Rand, rows int) *fakeStore {
	f := newFakeStore()
	for d := range 2 {
		for _, kind := range []column.Kind{column.Bool, column.Int32, column.Int64, column.Float32, column.Float64, column.Text} {
			var times []int64
			v := column.Vector{Kind: kind}
			for at := rng.Int64N(5); len(times) < rows; at += 1 + rng.Int64N(4) {
				times = append(times, at)
				x := rng.Int64N(9) - 4
				switch kind {
				case column.Bool:
					v.Bools = append(v.Bools, x > 0)
				case column.Int32:
					v.Int32s = append(v.Int32s, int32(x))
				case column.Int64:
					v.Int64s = append(v.Int64s, x)
				case column.Float32:
					v.Float32s = append(v.Float32s, float32(x)/3)
				case column.Float64:
					v.Float64s = append(v.Float64s, []float64{float64(x) / 7, math.NaN(), 1e17}[max(0, x-2)])
				case column.Text:
					v.Texts = append(v.Texts, strings.Repeat("x", int(x+5)))
				}
			}
			f.add(fmt.Sprint("root.d", d), fmt.Sprint("s", uint8(kind)), times, v)
		}
	}
	return f
}

// text runs p and prints what it gives, bit by bit.
func text(t *testing.T, r *Run) string {
	t.Helper()
	defer r.Close()
	var b strings.Builder
	for {
		rows, err := r.Next()
		require.NoError(t, err)
		if rows == nil {
			return b.String()
		}
		for i, at := range rows.Times {
			fmt.Fprintf(&b, "%s %d", rows.Device, at)
			for c := range rows.Cols {
				switch col := &rows.Cols[c]; {
				case col.Kind == column.Null || col.Nulls.Get(i):
					b.WriteString(" -")
				case col.Kind == column.Float64:
					fmt.Fprintf(&b, " %x", math.Float64bits(col.Float64s[i]))
				default:
					b.WriteString(" " + cellText(col, i))
				}
			}
			b.WriteByte('\n')
		}
	}
}

// A kept run gives what a new one gives, whatever it ran before: few rows and
// many, runs that were left in the middle, and runs that failed.
func TestKeptGivesWhatANewRunGives(t *testing.T) {
	col := expr.Col
	var every []expr.Expr
	for name := range builtinAggs {
		switch name {
		case "count_if", "time_in_state":
			every = append(every, expr.Call(name, col("s1")))
		case "max_by", "min_by":
			every = append(every, expr.Call(name, col("s6"), col("s5")))
		case "count", "first_value", "last_value", "mode", "min_time", "max_time", "approx_count_distinct":
			every = append(every, expr.Call(name, col("s6")), expr.Call(name, col("s1")))
		case "count_time":
			every = append(every, expr.Call(name, col("*")))
		case "approx_quantile":
			every = append(every, expr.Call(name, col("s5")).With("q", "0.3"))
		default:
			every = append(every, expr.Call(name, col("s5")), expr.Call(name, col("s3")))
		}
	}
	group := func(ns int64) Group { return Group{Kind: GroupTime, Interval: Span{NS: ns}} }
	queries := map[string]Query{
		"every aggregate": {Select: every, From: []string{"root.d0"}, Group: group(50)},
		"by device":       {Select: []expr.Expr{expr.Avg(col("s5")), expr.Count(col("s6"))}, From: []string{"root.*"}, ByDevice: true, Group: group(20)},
		"two devices":     {Select: []expr.Expr{expr.Avg(col("s5")), expr.Max(col("s4"))}, From: []string{"root.*"}, Group: group(30)},
		"no such series":  {Select: []expr.Expr{expr.Avg(col("s5")), expr.Sum(col("none"))}, From: []string{"root.d0", "root.d1"}, Group: group(30), ByDevice: true},
		"windows overlap": {Select: []expr.Expr{expr.Avg(col("s5")), expr.Last(col("s6"))}, From: []string{"root.d1"}, Group: Group{Kind: GroupTime, Interval: Span{NS: 64}, Step: Span{NS: 8}}},
		"where":           {Select: []expr.Expr{expr.Sum(col("s2"))}, From: []string{"root.d0"}, Where: col("s4").Gt(0.2), Group: group(40)},
		"having, fill":    {Select: []expr.Expr{expr.Sum(col("s2")).Add(expr.Avg(col("s5")))}, From: []string{"root.d0"}, Having: expr.Sum(col("s2")).Gt(0.0), Fill: Fill{Kind: FillPrevious}, Group: group(5)},
		"order":           {Select: []expr.Expr{expr.Sum(col("s2"))}, From: []string{"root.d0"}, OrderBy: []Order{{By: expr.Sum(col("s2"))}}, Group: group(25), Limit: 3},
		"limit":           {Select: []expr.Expr{expr.Sum(col("s2"))}, From: []string{"root.*"}, ByDevice: true, Group: group(10), Limit: 3, Offset: 1},
		"level":           {Select: []expr.Expr{expr.Sum(col("s2"))}, From: []string{"root.*"}, Levels: []int{0}, Group: group(10)},
		"end time":        {Select: []expr.Expr{expr.Sum(col("s2")), col(endTime)}, From: []string{"root.d0"}, Group: group(10)},
		"whole":           {Select: []expr.Expr{expr.Sum(col("s2")), expr.Avg(col("s5"))}, From: []string{"root.d0"}},
		"rows":            {Select: []expr.Expr{col("s6"), col("s2").Mul(2.0)}, From: []string{"root.d0"}},
		"rows, where":     {Select: []expr.Expr{col("s6")}, From: []string{"root.*"}, ByDevice: true, Where: col("s1")},
		"functions":       {Select: []expr.Expr{expr.Call("diff", col("s2")), expr.Call("top_k", col("s2")).With("k", "2")}, From: []string{"root.d0"}},
		"not aligned":     {Select: []expr.Expr{col("s2"), col("s6")}, From: []string{"root.d0"}, NoAlign: true, Limit: 5},
		"sessions":        {Select: []expr.Expr{expr.Sum(col("s2"))}, From: []string{"root.d0"}, Group: Group{Kind: GroupSession, Interval: Span{NS: 2}}},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	ctx := context.Background()
	f := mixedKinds(rng, 3000)
	for name, q := range queries {
		q.Start, q.End, q.Exact = 0, 10_000, true
		plan, err := Prepare(&q, f, nil)
		require.NoError(t, err, name)
		var kept Kept
		smalls := 0
		few := &fewStore{fakeStore: f}
		for round := range 30 {
			from := rng.Int64N(7000)
			to := from + 1 + rng.Int64N([]int64{60, 60, 60, 200, 7000}[rng.IntN(5)])
			p, err := plan.At(from, to)
			require.NoError(t, err, name)
			want := text(t, p.Start(ctx, f, nil))
			switch rng.IntN(8) {
			case 0: // left in the middle
				r := kept.Start(ctx, p, f, nil)
				_, err := r.Next()
				require.NoError(t, err, name)
				r.Close()
			case 1: // fails, perhaps
				broken := errors.New("broken")
				var n atomic.Int32 // of what several goroutines read
				r := kept.Start(ctx, p, &watched{f, func(*Series) error {
					if n.Add(1) > 1 {
						return broken
					}
					return nil
				}}, nil)
				for {
					if rows, err := r.Next(); rows == nil || err != nil {
						break
					}
				}
				r.Close()
			}
			var src Source = f
			if rng.IntN(2) == 0 {
				src = few
			}
			r := kept.Start(ctx, p, src, nil)
			if r.small {
				smalls++
			}
			require.Equal(t, want, text(t, r), "%s, round %d, [%d, %d)", name, round, from, to)
			require.Zero(t, f.count.open, "%s: cursors that are open", name)
		}
		require.NotZero(t, smalls, name)
		if !small && (name == "every aggregate" || name == "by device" || name == "windows overlap") {
			require.NotZero(t, few.copied, "%s: rows that were copied", name)
		}
	}
}

// fewStore is a fakeStore that can copy few rows.
type fewStore struct {
	*fakeStore
	copied int
}

func (f *fewStore) FewRows(_ FewRows, series []*Series, from, to int64) (FewRows, bool) {
	c := f.Rows(series, from, to).(*fakeRows)
	defer c.Close()
	if len(c.b.Times) > 100 {
		return nil, false
	}
	f.copied++
	return &copied{c.b}, true
}

type copied struct{ b Batch }

func (c *copied) Times() []int64 { return c.b.Times }

func (c *copied) Col(i int) (*column.Vector, column.Bitmap) {
	return &c.b.Cols[i].Vector, c.b.Cols[i].Nulls
}

// A kept run of a few rows allocates what its cursors do and little more.
func TestKeptAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	f := mixedKinds(rand.New(rand.NewPCG(1, 1)), 100)
	q := Query{Select: []expr.Expr{expr.Avg(expr.Col("s2")), expr.Sum(expr.Col("s3")), expr.Max(expr.Col("s4")), expr.Count(expr.Col("s6"))}, From: []string{"root.d0"},
		Group: Group{Kind: GroupTime, Interval: Span{NS: 60}}, Start: 0, End: 60, Exact: true}
	plan, err := Prepare(&q, f, nil)
	require.NoError(t, err)
	measure := func(start func(p *Plan, m *Meter) *Run) float64 {
		var m Meter
		at := int64(0)
		return testing.AllocsPerRun(100, func() {
			at = (at + 60) % 180
			p, err := plan.At(at, at+60)
			require.NoError(t, err)
			r := start(p, &m)
			_, err = r.Next()
			require.NoError(t, err)
			r.Close()
		})
	}
	var kept Kept
	fresh := measure(func(p *Plan, m *Meter) *Run { return p.Start(context.Background(), f, m) })
	again := measure(func(p *Plan, m *Meter) *Run { return kept.Start(context.Background(), p, f, m) })
	t.Logf("%v allocations of a new run, %v of a kept one", fresh, again)
	require.Less(t, again, fresh/2)
}
