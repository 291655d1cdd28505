package tickwell

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// What scheduled queries write with memory of the run before is what they write
// with memory of their own, which is what an observer gets to see.
func TestIntoRoomAgainstOwnMemory(t *testing.T) {
	ctx := context.Background()
	ten := make([]expr.Expr, 0, 10)
	columns := make([]string, 0, 10)
	for i := range 10 {
		ten, columns = append(ten, expr.Avg(expr.Col(fmt.Sprint("f", i)))), append(columns, fmt.Sprint("f", i))
	}
	minute := GroupByTime{Interval: time.Minute}
	queries := []Query{
		{Select: ten, From: []string{"root.in.d0"}, GroupBy: minute, Into: []Target{{Device: "root.out.ten", Columns: columns}}},
		{Select: []expr.Expr{expr.Count(expr.Col("*"))}, From: []string{"root.in.*"}, AlignByDevice: true, GroupBy: GroupByTime{Interval: 20 * time.Second},
			Into: []Target{{Device: "root.out.n.${2}", Columns: append(slices.Clone(columns), "t", "i", "b")}}},
		{Select: []expr.Expr{expr.Col("*")}, From: []string{"root.in.*"}, Into: []Target{{Device: "root.out.raw.${2}", Columns: []string{"::"}}}},
		{Select: []expr.Expr{expr.Col("i")}, From: []string{"root.in.d1"}, Into: []Target{{Device: "root.out.wide", Columns: []string{"i"}}}},
		{Select: []expr.Expr{expr.Call("last_value", expr.Col("t")), expr.Max(expr.Col("i")), expr.Call("first_value", expr.Col("b"))}, From: []string{"root.in.d2"}, GroupBy: minute,
			Into: []Target{{Device: "root.out.a", Columns: []string{"t"}}, {Device: "root.out.b", Columns: []string{"i", "b"}}}},
	}
	play := func(observer *Observer) []string {
		rng := rand.New(rand.NewPCG(7, 7))
		clock := newFake()
		clock.Set(time.Unix(0, 0))
		db := openMem(t, &Options{Clock: clock, Observer: observer})
		defer db.Close()
		must(t, db.Insert(ctx, "root.out.wide", time.Unix(0, 1), Float64("i", 0.5)))
		for i, q := range queries {
			must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: fmt.Sprint("q", i), Every: time.Minute, Query: q}))
		}
		must(t, db.Quiesce(ctx)) // the first run is due at once
		for m := range int64(30) {
			for d := range 70 {
				for row := range rng.Int64N(4) {
					fields := []Field{Text("t", fmt.Sprint(m, d)), Int32("i", int32(rng.IntN(100))), Bool("b", rng.IntN(2) == 0)}
					for i := range 10 {
						fields = append(fields, Float64(columns[i], rng.Float64()))
					}
					if m > 3 && rng.IntN(4) == 0 {
						fields = fields[rng.IntN(len(fields)):]
					}
					must(t, db.Insert(ctx, fmt.Sprint("root.in.d", d), time.Unix(60*m+17*row, 0), fields...))
				}
				if d > 5 && m < 20 {
					break // more devices than are kept come later
				}
			}
			clock.Advance(time.Minute)
			must(t, db.Quiesce(ctx))
		}
		list, err := db.ContinuousQueries(ctx)
		must(t, err)
		for q := range list {
			if q.LastErr != nil || q.Runs == 0 {
				t.Fatalf("%s: %d runs, last error %v", q.Spec.Name, q.Runs, q.LastErr)
			}
		}
		return dump(t, db, "root.out.**")
	}
	var seen atomic.Int64
	want := play(&Observer{Run: func(i CQRunInfo) { seen.Add(int64(len(i.Rows))) }})
	if got := play(nil); !slices.Equal(got, want) {
		for i := range min(len(got), len(want)) {
			if got[i] != want[i] {
				t.Fatalf("point %d of %d: %s, want %s", i, len(want), got[i], want[i])
			}
		}
		t.Fatalf("%d points, want %d", len(got), len(want))
	}
	if seen.Load() < 100 || len(want) < 1000 {
		t.Fatalf("%d tablets, %d points: too few to tell", seen.Load(), len(want))
	}
}

// A run that failed after some of its rows were copied leaves nothing to the next,
// wherever it failed.
func TestIntoRoomAfterFailure(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	defer db.Close()
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: time.Minute, Query: Query{
		Select: []expr.Expr{expr.Col("s")}, From: []string{"root.in.*"}, AlignByDevice: true,
		Into: []Target{{Device: "root.out.${2}", Columns: []string{"s"}}},
	}}))
	must(t, db.Quiesce(ctx))
	v := 0.0
	write := func() {
		v++
		for d := range 3 {
			must(t, db.Insert(ctx, fmt.Sprint("root.in.d", d), time.Unix(10, 0), Float64("s", v+float64(d)/4)))
		}
	}
	write()
	clock.Advance(time.Minute)
	must(t, db.Quiesce(ctx))
	for n := int64(1); ; n++ {
		write()
		err := db.RefreshContinuousQuery(&ending{Context: ctx, left: n}, "q", time.Unix(0, 0), time.Unix(60, 0))
		if err == nil && n < 5 {
			t.Fatalf("a context that ends at its look %d is not looked at", n)
		}
		write()
		must(t, db.RefreshContinuousQuery(ctx, "q", time.Unix(0, 0), time.Unix(60, 0)))
		var want []string
		for _, p := range dump(t, db, "root.in.**") {
			want = append(want, strings.ReplaceAll(p, "root.in.", "root.out."))
		}
		if got := dump(t, db, "root.out.**"); !slices.Equal(got, want) {
			t.Fatalf("after a run that failed at look %d at its context: %q, want %q", n, got, want)
		}
		if err == nil {
			return
		}
	}
}

// ending is a context that is over when it was asked so often.
type ending struct {
	context.Context
	left int64
}

func (c *ending) Err() error {
	if c.left--; c.left <= 0 {
		return context.Canceled
	}
	return nil
}
