package iotsql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/vfs"
)

// What the reference of whole queries has found, each as small as it gets.

// found is a store and what is asked of it.
type found struct {
	t    *testing.T
	db   *tickwell.DB
	conn *iotsql.Conn
}

func newFound(t *testing.T, opts *tickwell.Options) *found {
	t.Helper()
	opts.FS = vfs.NewMem()
	db, err := tickwell.Open(context.Background(), "data", opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	conn, err := iotsql.New(db, &iotsql.Options{Precision: time.Nanosecond})
	require.NoError(t, err)
	return &found{t, db, conn}
}

func (f *found) put(device string, at int64, fields ...tickwell.Field) {
	f.t.Helper()
	require.NoError(f.t, f.db.Insert(context.Background(), device, time.Unix(0, at), fields...))
}

// ask is the header and the rows of a query.
func (f *found) ask(text string) string {
	f.t.Helper()
	res, err := f.conn.Exec(context.Background(), text)
	require.NoError(f.t, err, text)
	var heads []string
	for _, c := range res.Columns() {
		heads = append(heads, c.Name)
	}
	out := strings.Join(heads, ",")
	for row, err := range res.Rows() {
		require.NoError(f.t, err, text)
		out += " |"
		for _, v := range row {
			out += fmt.Sprint(" ", v)
		}
	}
	return out
}

// Windows of so many days that begin every month overlap some months and not
// others.
func TestWindowsThatOverlapAfterOthers(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	begin := time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)
	tab := &tickwell.Tablet{Device: "root.d"}
	for day := range 430 {
		require.NoError(t, tab.Append(begin.AddDate(0, 0, day), tickwell.Float64("v", 1)))
	}
	require.NoError(t, f.db.InsertTablet(context.Background(), tab))
	require.NoError(t, f.db.Flush(context.Background()))
	v := expr.Col("v")
	res, err := f.db.Query(context.Background(), tickwell.Query{Select: []expr.Expr{expr.Sum(v), expr.Max(v)}, From: []string{"root.d"},
		Start: begin, End: begin.AddDate(0, 14, 0).AddDate(0, 0, -6), GroupBy: tickwell.GroupByTime{Interval: 30 * 24 * time.Hour, StepMonths: 1}})
	require.NoError(t, err)
	rows := 0
	for row, err := range res.Rows() {
		require.NoError(t, err)
		want := 30.0
		if rows == 13 { // which the end cuts off
			want = 24
		}
		require.Equal(t, want, row.Value(0).Float64(), "the window of %s", row.Time())
		rows++
	}
	require.Equal(t, 14, rows)
}

// Columns of a level are apart if they are called otherwise, or print alike.
func TestLevelColumnsThatLookAlike(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	f.put("root.a.d1", 1, tickwell.Int64("v", 5), tickwell.Int64("w", 7))
	f.put("root.a.d2", 2, tickwell.Int64("v", 6))
	require.Equal(t, "n,m,count(root.a.*.v) | 2 2 2", f.ask("select count(v) as n, count(v) as m, count(v) from root.a.* group by level = 1"))
	require.Equal(t, "sum(root.a.*.v) - sum(root.a.*.w) - sum(root.a.*.v),sum(root.a.*.v) - sum(root.a.*.w) - sum(root.a.*.v) | -7 15",
		f.ask("select sum(v) - sum(w) - sum(v), sum(v) - (sum(w) - sum(v)) from root.a.* group by level = 1"))
	require.Equal(t, "count_time(*) | 2", f.ask("select count_time(*) from root.a.* group by level = 1"))
}

// A key of ORDER BY is of the measurement that it names, whatever is selected.
func TestLevelOrderBesideStar(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	f.put("root.a.d1", 1, tickwell.Int64("v", 1), tickwell.Int64("w", 9))
	f.put("root.a.d1", 11, tickwell.Int64("v", 2), tickwell.Int64("w", 5))
	require.Equal(t, "Time,sum(root.a.*.*) | 0 10 | 10 7", f.ask("select sum(*) from root.a.d1 group by ([0, 20), 10ns), level = 1 order by sum(v)"))
}

// Series of different kinds are refused whichever comes first.
func TestLevelOfSeveralKinds(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	f.put("root.a.d1", 1, tickwell.Int64("v", 5), tickwell.Bool("b", true))
	f.put("root.a.d2", 1, tickwell.Float64("v", 7), tickwell.Float64("b", 1))
	for _, fn := range []string{"max_value(v)", "first_value(v)", "extreme(v)", "mode(v)", "sum(v)"} {
		_, err := f.conn.Exec(context.Background(), "select "+fn+" from root.a.* group by level = 1")
		require.ErrorIs(t, err, tickwell.ErrKindMismatch, fn)
	}
	_, err := f.conn.Exec(context.Background(), "select count_if(b, 1) from root.a.* group by level = 1")
	require.ErrorIs(t, err, tickwell.ErrKindMismatch)
	require.Equal(t, "count(root.a.*.v),max_time(root.a.*.b) | 2 1", f.ask("select count(v), max_time(b) from root.a.* group by level = 1"))
}

// An aggregate of a user sees the rows in which a series has a value, not those of
// its constants, and ends where its Reset fails.
func TestUserAggregateBesideOthers(t *testing.T) {
	w := &watched{}
	f := newFound(t, &tickwell.Options{Functions: foldSpecs(w)})
	w.made = 0
	f.put("root.a.d1", 1, tickwell.Int64("v", 5))
	f.put("root.a.d1", 2, tickwell.Int64("w", 7))
	f.put("root.a.d1", 25, tickwell.Int64("v", 7))
	require.Equal(t, "fold_rows(root.a.d1.v, 1),count(root.a.d1.w) | 1=5|1|;25=7|1|; 1", f.ask("select fold_rows(v, 1), count(w) from root.a.d1"))
	_, err := f.conn.Exec(context.Background(), "select fold_rows(v) from root.a.*, root.a.d1 group by level = 1")
	require.NoError(t, err, "one series")
	f.put("root.a.d2", 1, tickwell.Int64("v", 5))
	_, err = f.conn.Exec(context.Background(), "select fold_rows(v) from root.a.* group by level = 1")
	require.ErrorContains(t, err, "line 1, column 8: function fold_rows: has no method Merge")
	w.fail, w.calls = "panic reset", 3 // of planning, of the first window, of the one after it
	res, err := f.conn.Exec(context.Background(), "select fold_rows(v) from root.a.d1 group by ([0, 40), 10ns)")
	require.NoError(t, err)
	for _, e := range res.Rows() {
		err = e
	}
	require.ErrorContains(t, err, "no luck")
	w.settled(t, "a window after a window")
}

// rolledUp is a store with a continuous query of windows of 10.
func rolledUp(t *testing.T, sel ...expr.Expr) *found {
	t.Helper()
	f := newFound(t, &tickwell.Options{Clock: clock.NewFake(time.Unix(1_700_000_000, 0))})
	var cols []string
	for i := range sel {
		cols = append(cols, fmt.Sprint("v", i))
	}
	require.NoError(t, f.db.CreateContinuousQuery(context.Background(), tickwell.CQSpec{Name: "tens", OnChange: true, Query: tickwell.Query{
		Select: sel, From: []string{"root.a.d2"}, GroupBy: tickwell.GroupByTime{Interval: 10},
		Into: []tickwell.Target{{Device: "root.tens", Columns: cols}}}}))
	return f
}

// byRollups asks for sums of windows with and without the results of queries.
func (f *found) byRollups(q tickwell.Query) {
	f.t.Helper()
	require.NoError(f.t, f.db.Quiesce(context.Background()))
	var answers [2]string
	for i := range answers {
		q.Rollups = i == 1
		res, err := f.db.Query(context.Background(), q)
		require.NoError(f.t, err)
		for row, err := range res.Rows() {
			require.NoError(f.t, err)
			answers[i] += fmt.Sprint(row.UnixNano())
			for c := range row.Len() {
				answers[i] += fmt.Sprint(" ", row.Value(c))
			}
			answers[i] += "\n"
		}
	}
	require.Equal(f.t, answers[0], answers[1], "with results of queries")
}

// What is beside an aggregate that results answer is of the same rows as without.
func TestRollupsBesideOthers(t *testing.T) {
	a, b := expr.Col("a"), expr.Col("b")
	for name, sel := range map[string][]expr.Expr{
		"rows of all":      {expr.Count(a), expr.Count(b.IsNull())},
		"rows before":      {expr.Count(a), expr.Call("count", expr.Call("diff", b))},
		"function of rows": {expr.Count(a), expr.Call("count", expr.Call("difference", b))},
	} {
		t.Run(name, func(t *testing.T) {
			f := rolledUp(t, expr.Count(a))
			for at := int64(0); at < 100; at += 3 {
				f.put("root.a.d2", at, tickwell.Float64([]string{"a", "b"}[at%2], float64(at)))
			}
			f.byRollups(tickwell.Query{Select: sel, From: []string{"root.a.d2"}, Start: time.Unix(0, 0), End: time.Unix(0, 90), GroupBy: tickwell.GroupByTime{Interval: 10, Step: 20}})
		})
	}
}

// Results of one device do not change which windows are read of the next.
func TestRollupsOfOneDeviceOfTwo(t *testing.T) {
	a := expr.Col("a")
	f := rolledUp(t, expr.Count(a))
	for at := int64(0); at < 100; at += 3 {
		f.put("root.a.d1", at, tickwell.Float64("a", float64(at)))
		f.put("root.a.d2", at, tickwell.Float64("a", float64(at)))
	}
	f.byRollups(tickwell.Query{Select: []expr.Expr{expr.Count(a)}, From: []string{"root.a.*"}, AlignByDevice: true,
		Start: time.Unix(0, 5), End: time.Unix(0, 98), GroupBy: tickwell.GroupByTime{Interval: 47}})
}

// What a window is must not depend on which windows are computed together.
func TestIncrementalRefusesDiff(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	a := expr.Col("a")
	for _, q := range []tickwell.Query{
		{Select: []expr.Expr{expr.Sum(expr.Call("diff", a))}},
		{Select: []expr.Expr{expr.Sum(a)}, Where: expr.Call("DIFF", a).Gt(0)},
		{Select: []expr.Expr{expr.Sum(a)}, Having: expr.Call("diff", expr.Count(a)).Gt(0)},
	} {
		q.From, q.GroupBy, q.Into = []string{"root.d"}, tickwell.GroupByTime{Interval: 10}, []tickwell.Target{{Device: "root.out", Columns: []string{"v"}}}
		err := f.db.CreateContinuousQuery(context.Background(), tickwell.CQSpec{Name: "q", Query: q})
		require.ErrorIs(t, err, tickwell.ErrBadInput)
		require.ErrorContains(t, err, "state across rows")
	}
}

// The last month there is may begin in the next year by the clock of the zone.
func TestLastMonthOfTime(t *testing.T) {
	f := newFound(t, &tickwell.Options{})
	at := time.Date(2261, 12, 31, 20, 0, 0, 0, time.UTC)
	require.NoError(t, f.db.Insert(context.Background(), "root.d", at, tickwell.Float64("v", 1)))
	conn, err := iotsql.New(f.db, &iotsql.Options{Zone: "Asia/Kathmandu"})
	require.NoError(t, err)
	f.conn = conn
	require.Equal(t, "Time,count(root.d.v) | 9211947300000 0 | 9214625700000 1", f.ask("select count(v) from root.d group by ([2261-12-01T00:00:00+05:45, 2261-12-31T23:59:59Z), 1mo)"))
}

// Results that are made of others, of which somebody has deleted some, stand for no
// rows, also where they did before.
func TestRollupsOfDeletedResults(t *testing.T) {
	ctx := context.Background()
	f := rolledUp(t, expr.Count(expr.Col("a")))
	require.NoError(t, f.db.CreateContinuousQuery(ctx, tickwell.CQSpec{Name: "twenties", OnChange: true, Query: tickwell.Query{
		Select: []expr.Expr{expr.Sum(expr.Col("v0"))}, From: []string{"root.tens"}, GroupBy: tickwell.GroupByTime{Interval: 20},
		Into: []tickwell.Target{{Device: "root.twenties", Columns: []string{"v"}}}}}))
	for at := int64(0); at < 100; at += 3 {
		f.put("root.a.d2", at, tickwell.Float64("a", float64(at)))
	}
	q := tickwell.Query{Select: []expr.Expr{expr.Count(expr.Col("a"))}, From: []string{"root.a.d2"}, Start: time.Unix(0, 0), End: time.Unix(0, 80), GroupBy: tickwell.GroupByTime{Interval: 40}}
	f.byRollups(q)
	require.NoError(t, f.db.Delete(ctx, "root.tens.**", time.Unix(0, 10), time.Unix(0, 30)))
	f.byRollups(q)
}
