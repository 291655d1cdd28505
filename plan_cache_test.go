package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// rowsText prints a result, a row each: device, time, cells.
func rowsText(t testing.TB, r *Result) string {
	t.Helper()
	var b strings.Builder
	for _, c := range r.Columns() {
		fmt.Fprintf(&b, "%s:%v ", c.Name, c.Kind)
	}
	for tab, err := range r.Tablets() {
		must(t, err)
		for i := range tab.Times {
			fmt.Fprintf(&b, "\n%s@%d", tab.Device, tab.Times[i])
			for c := range tab.Columns {
				if tab.Columns[c].Nulls.Get(i) {
					b.WriteString(" null")
				} else {
					v := tab.Columns[c].Data.Value(i)
					fmt.Fprintf(&b, " %v/%d", v, v.num)
				}
			}
		}
	}
	return b.String()
}

// A plan that is kept answers as a new one does, whatever range is asked next.
func TestKeptPlans(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for at := range int64(40) {
		put(t, db, "root.sg.d1", fmt.Sprintf("%d a=%d b=%d.5 t=x%d", 3*at, at%7, at, at%3))
		put(t, db, "root.sg.d2", fmt.Sprintf("%d a=%d", 5*at, -at))
	}
	a, b := expr.Col("a"), expr.Col("b")
	both := []string{"root.sg.d1", "root.sg.d2"}
	byTime := GroupByTime{Interval: 10}
	for _, q := range []Query{
		{Select: cols("a", "b"), From: d1},
		{Select: cols("*"), From: both},
		{Select: cols("a"), From: both, AlignByDevice: true},
		{Select: cols("a"), From: both, DisableAlign: true, Limit: 3},
		{Select: cols("a"), From: both, Last: true},
		{Select: []expr.Expr{a}, From: d1, Where: b.Gt(7)},
		{Select: []expr.Expr{a}, From: d1, Where: b.Gt(7).And(expr.Time().Lt(60))},
		{Select: []expr.Expr{expr.Count(a), expr.Avg(b)}, From: both},
		{Select: []expr.Expr{expr.Sum(a), expr.Col("__endTime")}, From: d1, GroupBy: byTime},
		{Select: []expr.Expr{expr.Sum(a)}, From: d1, GroupBy: GroupByTime{Interval: 10, LeftOpen: true}},
		{Select: []expr.Expr{expr.Sum(a)}, From: d1, GroupBy: GroupByTime{Interval: 40, Step: 5}},
		{Select: []expr.Expr{expr.Sum(a)}, From: d1, GroupBy: GroupByTime{IntervalMonths: 1}, Zone: "Europe/Berlin"},
		{Select: []expr.Expr{expr.Sum(a)}, From: d1, GroupBy: byTime, Where: b.Lt(20), Having: expr.Count(a).Gt(2)},
		{Select: []expr.Expr{expr.Sum(a)}, From: d1, GroupBy: byTime, Where: expr.Time().Ge(25)},
		{Select: []expr.Expr{expr.Sum(a)}, From: both, GroupBy: byTime, Fill: Fill{Linear: true}},
		{Select: []expr.Expr{expr.Sum(a)}, From: both, GroupBy: byTime, Levels: []int{1}},
		{Select: []expr.Expr{expr.Sum(a)}, From: both, GroupBy: GroupBySession{Gap: 4}},
		{Select: []expr.Expr{expr.Sum(a)}, From: both, GroupBy: GroupByVariation{By: expr.Col("root.sg.d1.a"), Delta: 2}},
		{Select: []expr.Expr{a.Add(1)}, From: d1, OrderBy: []Order{{By: b, Desc: true}}, Limit: 5, Offset: 1},
		{Select: []expr.Expr{expr.Time()}, From: d1, TimeUnit: time.Microsecond},
	} {
		for _, r := range [][2]int64{{0, 100}, {7, 77}, {50, 51}, {1000, 2000}} {
			q.Start, q.End = ns(r[0]), ns(r[1])
			answer := func() string {
				res, err := db.Query(ctx, q)
				if err != nil {
					return err.Error()
				}
				return rowsText(t, res) + res.Explain().Plan
			}
			kept, again := answer(), answer()
			db.plans = planCache{}
			if want := answer(); kept != want || again != want {
				t.Errorf("%+v:\ngot %s\nand %s\nwant %s", q, kept, again, want)
			}
		}
		q.Start, q.End = ns(5), ns(5)
		_, err := db.Query(ctx, q)
		if _, grid := q.GroupBy.(GroupByTime); grid != errors.Is(err, ErrBadInput) && q.TimeUnit == 0 {
			t.Errorf("%+v without any time: got %v", q, err)
		}
	}
}

// Series that are made or dropped, functions that come and go: a query sees
// them at once.
func TestKeptPlansAreOfTheirSeries(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	star := Query{Select: cols("*"), From: []string{"root.sg.*"}}
	twice := Query{Select: []expr.Expr{expr.Call("twice", expr.Col("a"))}, From: d1}
	columns := func(q Query) string {
		res, err := db.Query(ctx, q)
		if err != nil {
			return fmt.Sprint(errors.Is(err, ErrNotFound))
		}
		var names []string
		for _, c := range res.Columns() {
			names = append(names, c.Name)
		}
		return strings.Join(names, " ")
	}
	check := func(q Query, want string) {
		t.Helper()
		for range 3 {
			if got := columns(q); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
	check(star, "")
	put(t, db, "root.sg.d1", "1 a=1")
	check(star, "root.sg.d1.a")
	put(t, db, "root.sg.d2", "1 a=1")
	check(star, "root.sg.d1.a root.sg.d2.a")
	must(t, db.DropSeries(ctx, "root.sg.d1.a"))
	check(star, "root.sg.d2.a")
	put(t, db, "root.sg.d1", "1 a=2.5")
	check(star, "root.sg.d2.a root.sg.d1.a")
	check(twice, "true") // no such function
	must(t, db.RegisterFunction(ctx, RowFunc1("twice", func(v float64) float64 { return 2 * v })))
	check(twice, "twice(root.sg.d1.a)")
	must(t, db.DropFunction(ctx, "twice"))
	check(twice, "true")
}

// The caller's slices are his own again when Query returns, and a cache has its
// bounds.
func TestKeptPlansAreBounded(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for i := range 300 {
		put(t, db, fmt.Sprintf("root.sg.d%d", i), "1 a=1 b=2")
	}
	q := Query{Select: cols("a"), From: []string{""}}
	for i := range 3000 {
		q.From[0] = fmt.Sprintf("root.sg.d%d", i%300)
		q.Limit = 1 + i/300
		q.Select[0] = expr.Col([]string{"a", "b"}[i%2])
		res, err := db.Query(ctx, q)
		must(t, err)
		if want := fmt.Sprintf("root.sg.d%d.%s", i%300, q.Select[0].Name()); len(res.Columns()) != 1 || res.Columns()[0].Name != want {
			t.Fatalf("got %v, want %s", res.Columns(), want)
		}
	}
	weight := 0
	for _, p := range db.plans.plans {
		weight += p.Weight()
	}
	if weight == 0 || weight != db.plans.weight || weight > planWeight {
		t.Errorf("%d plans weigh %d, noted is %d, allowed %d", len(db.plans.plans), weight, db.plans.weight, planWeight)
	}
}

// Many goroutines share a plan, each with its own range.
func TestKeptPlansAreShared(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for at := range int64(500) {
		put(t, db, "root.sg.d1", fmt.Sprintf("%d a=%d b=%d", at, at, at%10))
	}
	var wg sync.WaitGroup
	for g := range int64(4) {
		wg.Go(func() {
			for i := range int64(100) {
				from := (g*131 + i*7) % 400
				res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Sum(expr.Col("a"))}, From: d1, Where: expr.Col("b").Lt(5),
					Start: ns(from), End: ns(from + 100), GroupBy: GroupByTime{Interval: 100}})
				if err != nil {
					t.Error(err)
					return
				}
				want := 0.0
				for at := from; at < from+100; at++ {
					if at%10 < 5 {
						want += float64(at)
					}
				}
				for r, err := range res.Rows() {
					if err != nil || r.Float64(0) != want || r.UnixNano() != from {
						t.Errorf("from %d: got %v at %d and %v, want %v", from, r.Float64(0), r.UnixNano(), err, want)
					}
				}
			}
		})
	}
	wg.Wait()
}

// A range that a query cannot be planned for is an error, and the ranges after it
// are planned as before.
func TestKeptPlanOutlivesABadRange(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	must(t, db.Insert(ctx, "root.d", time.Unix(1, 0), Float64("s", 4)))
	q := Query{Select: []expr.Expr{expr.Avg(expr.Col("s"))}, From: []string{"root.d"}, GroupBy: GroupByTime{Interval: time.Second}}
	snap := db.eng.Snapshot()
	defer snap.Release()
	var kept keptPlan
	for _, r := range []struct {
		from, to int64
		bad      bool
	}{{0, 2e9, false}, {5, 5, true}, {5, 5, true}, {0, 2e9, false}} {
		res, err := kept.at(ctx, db, &q, snap, r.from, r.to)
		if r.bad {
			if !errors.Is(err, ErrBadInput) {
				t.Fatalf("[%d, %d): got error %v, want ErrBadInput", r.from, r.to, err)
			}
			continue
		}
		must(t, err)
		rows, err := res.Collect()
		must(t, err)
		if len(rows) != 1 || rows[0].Len() != 2 || rows[0].Columns[0].Data.Value(1).Float64() != 4 {
			t.Fatalf("[%d, %d): got %v", r.from, r.to, rows)
		}
	}
}
