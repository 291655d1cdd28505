package tickwell

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// A query that is asked again uses the memory of the run before, which may have
// been left, failed, or be going on: the answer is that of a new store's, and
// what was shown before stays.
func TestQueryAskedAgainUsesMemoryAgain(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for d := range int64(3) {
		for at := range int64(900) {
			if at%(17+d) == 3 {
				continue
			}
			put(t, db, fmt.Sprintf("root.sg.d%d", d), fmt.Sprintf("%d a=%d b=%d.25 t=x%d", at, at%7, at*d, at%5))
		}
	}
	must(t, db.Flush(ctx))
	a, b, text := expr.Col("a"), expr.Col("b"), expr.Col("t")
	all := []string{"root.sg.*"}
	for _, q := range []Query{
		{Select: []expr.Expr{expr.Count(a), expr.Sum(b), expr.Max(b), expr.Min(a), expr.Last(text)}, From: all},
		{Select: []expr.Expr{expr.Avg(b)}, From: all, GroupBy: GroupByTime{Interval: 6}},
		{Select: []expr.Expr{expr.Avg(b), expr.First(text), expr.Call("stddev", a)}, From: all, GroupBy: GroupByTime{Interval: 6, Step: 3}},
		{Select: []expr.Expr{expr.Avg(b), expr.Col("__endTime")}, From: all, GroupBy: GroupByTime{Interval: 50}, Having: expr.Count(a).Gt(10), AlignByDevice: true},
		{Select: []expr.Expr{expr.Sum(a), expr.Call("mode", text)}, From: all, GroupBy: GroupByTime{Interval: 7}, Levels: []int{1}},
		{Select: []expr.Expr{expr.Sum(a).Add(expr.Max(b))}, From: all, GroupBy: GroupByTime{Interval: 5}, Where: b.Gt(40), Fill: Fill{Previous: true}},
		{Select: []expr.Expr{a.Add(b)}, From: all},
	} {
		ask := func(ctx context.Context, from, to int64) *Result {
			q.Start, q.End = ns(from), ns(to)
			res, err := db.Query(ctx, q)
			must(t, err)
			return res
		}
		want := map[int64]string{}
		for from := int64(0); from < 600; from += 100 {
			db.plans = planCache{}
			want[from] = rowsText(t, ask(ctx, from, from+300))
		}
		check := func(from int64) {
			t.Helper()
			if got := rowsText(t, ask(ctx, from, from+300)); got != want[from] {
				t.Fatalf("%+v from %d:\ngot %s\nwant %s", q, from, got, want[from])
			}
		}
		for from := int64(0); from < 600; from += 100 {
			check(from)
		}
		for range ask(ctx, 0, 800).Tablets() {
			check(200) // while another goes on
			break      // which is left
		}
		check(300)
		stopped, cancel := context.WithCancel(ctx)
		failing := ask(stopped, 100, 700)
		cancel()
		for _, err := range failing.Tablets() {
			if err == nil {
				t.Fatal("a query that is cancelled gives rows")
			}
		}
		check(400)
		if q.GroupBy == nil && len(q.Select) == 1 {
			continue // rows as stored are only lent
		}
		var shown, meant []string
		var columns []Column
		for tab, err := range ask(ctx, 500, 800).Tablets() {
			must(t, err)
			for _, c := range tab.Columns {
				if c.Data.Kind() != KindText { // which are lent too
					columns = append(columns, c)
					meant = append(meant, fmt.Sprint(c))
				}
			}
		}
		check(0)
		check(100)
		for _, c := range columns {
			shown = append(shown, fmt.Sprint(c))
		}
		if !slices.Equal(shown, meant) {
			t.Errorf("%+v: what was shown has become\n%s\nwant %s", q, shown, meant)
		}
	}
}

// What rests between runs holds nothing of the store and is bounded.
func TestMemoryThatRestsIsBounded(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for i := range 200 {
		put(t, db, fmt.Sprintf("root.sg.d%d", i), "1 a=1 b=2.5")
	}
	ask := func(from string, n int) {
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Avg(expr.Col("b")), expr.Count(expr.Col("a"))}, From: []string{from}, Limit: n})
		must(t, err)
		if _, err := res.Collect(); err != nil {
			t.Fatal(err)
		}
	}
	resting := func() (plans, weight int) {
		for _, p := range db.plans.plans {
			if p.rest != nil {
				plans, weight = plans+1, weight+p.Weight()
			}
		}
		if weight != db.plans.resting || weight > restWeight {
			t.Fatalf("what rests weighs %d, noted is %d, allowed %d", weight, db.plans.resting, restWeight)
		}
		return plans, weight
	}
	for range 3 {
		for i := range 200 {
			ask(fmt.Sprintf("root.sg.d%d", i), 1)
			resting()
		}
		for n := range 4 {
			ask("root.sg.d*", n)
			resting()
		}
	}
	for range 3 {
		for i := range 200 {
			ask(fmt.Sprintf("root.sg.d%d", i), 1)
		}
	}
	plans, weight := resting()
	if plans < 50 || weight < restWeight/2 {
		t.Errorf("%d plans rest, of weight %d", plans, weight)
	}
	// A run goes on while the cache is emptied, since it is full.
	for _, to := range []int{1, 20} {
		ask("root.sg.d0", 0)
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Avg(expr.Col("b")), expr.Count(expr.Col("a"))}, From: []string{"root.sg.d0"}})
		must(t, err)
		for range 2 {
			for _, err := range res.Tablets() {
				must(t, err)
				for n := range to {
					for i := range 200 {
						ask(fmt.Sprintf("root.sg.d%d", i), n)
					}
				}
			}
			resting()
		}
	}
	must(t, db.Insert(ctx, "root.new", time.Unix(1, 0), Int64("a", 1)))
	ask("root.sg.d1", 1) // the plans before are gone
	if plans, _ := resting(); plans > 1 {
		t.Errorf("%d plans rest, of series that were before", plans)
	}
}

// Plans of queries that hold thousands of values are few, whoever asks many.
func TestPlansOfLongQueriesAreFew(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	put(t, db, "root.d", "1 a=1")
	ask := func(values int, first int64) {
		var list []any
		for i := range int64(values) {
			list = append(list, first+i)
		}
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Col("a")}, From: []string{"root.d"}, Where: expr.Col("a").In(list...)})
		must(t, err)
		if _, err := res.Collect(); err != nil {
			t.Fatal(err)
		}
	}
	for _, values := range []int{1, 20, 100, 1000, 5000} {
		for i := range int64(400) {
			if values >= 1000 && i == 50 {
				break
			}
			ask(values, i*10_000)
			bytes := 0
			for key := range db.plans.plans {
				bytes += len(key)
			}
			if bytes > 1<<19 {
				t.Fatalf("%d plans of %d bytes of query are kept", len(db.plans.plans), bytes)
			}
		}
		if n := len(db.plans.plans); values <= 20 && n < 300 {
			t.Errorf("%d plans of %d values are kept", n, values)
		}
	}
}
