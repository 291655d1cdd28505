package tickwell

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell/expr"
)

// A plan that is made of that of another device is what planning gives: columns,
// series, explanation and answers, for devices with the same series, with others,
// of other kinds and with none.
func TestPlansAreLiftedFromOtherDevices(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for at := range int64(50) {
		for _, d := range []string{"root.sg.d1", "root.sg.d2", "root.`a.b`.d", "`1`.x"} {
			put(t, db, d, fmt.Sprintf("%d a=%d b=%d.5 t=x%d", 3*at, at%7+int64(len(d)), at, at%3))
		}
		put(t, db, "root.sg.odd", fmt.Sprintf("%d a=%d.5 b=%d t=x", at, at, at)) // kinds differ
		put(t, db, "root.sg.half", fmt.Sprintf("%d b=%d.5", at, at))
		put(t, db, "root.sg.d1.a", fmt.Sprintf("%d x=1", at)) // a device below a series
	}
	devices := []string{"root.sg.d1", "root.sg.d2", "root.`a.b`.d", "`1`.x", "root.sg.odd", "root.sg.half", "root.sg.none", "root.sg.`d1`", "root.sg.*", "root.sg.d1.a", "root.**"}
	a, b := expr.Col("a"), expr.Col("b")
	with := func(e ...expr.Expr) []expr.Expr { return e }
	for _, c := range []struct {
		q     Query
		lifts bool // from root.sg.d1 to root.sg.d2
	}{
		{Query{Select: with(expr.Count(a), expr.Sum(a), expr.Max(a))}, true},
		{Query{Select: with(expr.Call("COUNT", b), expr.Sum(a), expr.Call("Sum", a), expr.Sum(a))}, true},
		{Query{Select: with(expr.Call("count_if", expr.Col("c")).With("keep", "3"), expr.Count(a))}, false}, // no such series
		{Query{Select: with(expr.Call("approx_quantile", b).With("q", "0.5"))}, true},
		{Query{Select: with(expr.Last(expr.Col("t")), expr.Call("mode", a))}, true},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupByTime{Interval: 10}, Fill: Fill{Previous: true}, Limit: 4, Offset: 1}, true},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupByTime{Interval: 10, LeftOpen: true}}, true},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupByTime{IntervalMonths: 1}, Zone: "Europe/Berlin"}, true},
		{Query{Select: with(expr.Call("min_time", b)), TimeUnit: 1000}, true},
		{Query{Select: with(expr.Avg(b), expr.Col("__endTime")), GroupBy: GroupByTime{Interval: 10}}, false},
		{Query{Select: with(expr.Avg(b).As("mean"))}, false},
		{Query{Select: with(expr.Avg(b).Add(1))}, false},
		{Query{Select: with(expr.Avg(b.Add(1)))}, false},
		{Query{Select: with(expr.Avg(expr.Col("*")))}, false},
		{Query{Select: with(expr.Avg(expr.Col("b*")))}, false},
		{Query{Select: with(expr.Avg(expr.Col("`b`")))}, false},
		{Query{Select: with(expr.Avg(expr.Col("root.sg.d1.b")))}, false},
		{Query{Select: with(expr.Call("count_time", expr.Col("*")))}, false},
		{Query{Select: with(expr.Call("max_by", a, b))}, false},
		{Query{Select: with(expr.Avg(b)), Where: a.Gt(2)}, false},
		{Query{Select: with(expr.Avg(b)), Where: expr.Time().Gt(2)}, false},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupByTime{Interval: 10}, Having: expr.Count(a).Gt(2)}, false},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupByTime{Interval: 10}, OrderBy: []Order{{By: expr.Time(), Desc: true}}}, false},
		{Query{Select: with(expr.Avg(b)), GroupBy: GroupBySession{Gap: 4}}, false},
		{Query{Select: with(expr.Avg(b)), AlignByDevice: true}, false},
		{Query{Select: with(expr.Avg(b)), Levels: []int{1}}, false},
		{Query{Select: with(expr.Avg(b), expr.Sum(a)), SeriesLimit: 1}, false},
		{Query{Select: with(a, b)}, false},
		{Query{Select: with(b), Last: true}, false},
	} {
		q := c.q
		describe := func(device string) string {
			q.From = []string{device}
			res, err := db.Query(ctx, q)
			if err != nil {
				return err.Error()
			}
			text := rowsText(t, res) + res.Explain().Plan + fmt.Sprint(res.plan.Columns(), res.plan.Weight(), res.plan.Movable(), res.plan.Whole(), res.plan.Devices())
			for _, s := range res.plan.Read() {
				text += " " + s.Path()
			}
			return text
		}
		for _, first := range []string{"root.sg.d1", "root.sg.odd", "root.sg.half", "root.sg.*"} {
			for i, r := range [][2]int64{{10, 100}, {0, 33}} {
				q.Start, q.End = ns(r[0]), ns(r[1])
				want := map[string]string{}
				for _, d := range devices {
					db.plans = planCache{}
					want[d] = describe(d)
				}
				db.plans = planCache{}
				describe(first)
				lifted := false
				for _, p := range db.plans.lifts {
					other, err := p.Lift("root.sg.d2", db.eng, r[0], r[1])
					require.NoError(t, err)
					lifted = lifted || other != nil
				}
				if first == "root.sg.d1" && lifted != c.lifts {
					t.Errorf("%+v: lifted is %t", q, lifted)
				}
				q.Start, q.End = ns(r[0]+int64(i)), ns(r[1]+7) // of another range
				describe("root.sg.d2")
				q.Start, q.End = ns(r[0]), ns(r[1])
				for range 2 {
					for _, d := range devices {
						require.Equal(t, want[d], describe(d), "%+v of %s, first of %s", q, d, first)
					}
				}
			}
		}
	}
}

// Lifted plans are forgotten with the series that they were made for.
func TestLiftedPlansAreOfTheirSeries(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	put(t, db, "root.d1", "1 a=1")
	put(t, db, "root.d2", "1 a=2")
	ask := func(device string) string {
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Sum(expr.Col("a")), expr.Max(expr.Col("a"))}, From: []string{device}})
		must(t, err)
		return rowsText(t, res)
	}
	require.Equal(t, "root.d1", ask("root.d1")[4:11])
	require.Contains(t, ask("root.d2"), "int64")
	require.NotContains(t, ask("root.d3"), "root")
	put(t, db, "root.d3", "1 a=3")
	require.Contains(t, ask("root.d3"), "sum(root.d3.a)")
	must(t, db.DropSeries(ctx, "root.d2.a"))
	require.NotContains(t, ask("root.d2"), "root")
	put(t, db, "root.d2", "1 a=2.5")
	require.Contains(t, ask("root.d2"), "max_value(root.d2.a):float64")
	require.Contains(t, ask("root.d1"), "max_value(root.d1.a):int64")
}

// Plans that are lifted from one another share the memory of a run that is over, and
// none that goes on: asked one within the other, left or not, each gives what it gives
// alone, and what was shown stays.
func TestLiftedPlansShareMemoryThatRests(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	const devices = 130
	for d := range devices {
		put(t, db, fmt.Sprintf("root.d%d", d), fmt.Sprintf("1 a=%d b=%d.5", d, d), fmt.Sprintf("2 a=%d b=1.5", 2*d))
	}
	ask := func(d int) *Result {
		a, b := expr.Col("a"), expr.Col("b")
		res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Count(a), expr.Sum(b), expr.Max(a), expr.Max(b)}, From: []string{fmt.Sprintf("root.d%d", d)}, Start: ns(0), End: ns(3)})
		must(t, err)
		return res
	}
	var shown []Column
	check := func(d int, tab *Tablet) {
		t.Helper()
		p := fmt.Sprintf("root.d%d", d)
		var names []string
		for _, c := range tab.Columns {
			names = append(names, c.Name)
		}
		require.Equal(t, []string{"count(" + p + ".a)", "sum(" + p + ".b)", "max_value(" + p + ".a)", "max_value(" + p + ".b)"}, names)
		require.Equal(t, []any{int64(2), float64(d) + 2, int64(2 * d), max(float64(d)+0.5, 1.5)},
			[]any{tab.Columns[0].Data.Value(0).Int64(), tab.Columns[1].Data.Value(0).Float64(), tab.Columns[2].Data.Value(0).Int64(), tab.Columns[3].Data.Value(0).Float64()})
	}
	for d := range 60 {
		for tab, err := range ask(d).Tablets() {
			must(t, err)
			for inner, err := range ask((d + 7) % 60).Tablets() { // while the other goes on
				must(t, err)
				check((d+7)%60, inner)
				if d%3 == 0 {
					break
				}
			}
			check(d, tab)
			shown = append(shown, tab.Columns[1])
		}
	}
	for d, c := range shown {
		require.Equal(t, float64(d)+2, c.Data.Value(0).Float64(), "what was shown of device %d", d)
	}
	if raceEnabled {
		return // which allocates
	}
	d := 60
	n := testing.AllocsPerRun(50, func() {
		for tab, err := range ask(d).Tablets() {
			must(t, err)
			if n := tab.Columns[0].Data.Value(0).Int64(); n != 2 {
				t.Errorf("device %d: %d points", d, n)
			}
		}
		d++
	})
	if n > 60 {
		t.Errorf("the first query of a device makes %v allocations, want at most 60", n)
	}
}
