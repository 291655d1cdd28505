package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// put stores rows of root.sg.d1 from texts such as "1 a=5 b=2.5 c=true d=x";
// numbers are Int64, with a point Float64, with # Int32, with ~ Float32.
func put(t testing.TB, db *DB, device string, rows ...string) {
	t.Helper()
	for _, r := range rows {
		parts := strings.Fields(r)
		var at int64
		fmt.Sscan(parts[0], &at)
		var fields []Field
		for _, p := range parts[1:] {
			name, v, _ := strings.Cut(p, "=")
			var f float64
			_, err := fmt.Sscan(strings.Trim(v, "#~"), &f)
			switch {
			case v == "true" || v == "false":
				fields = append(fields, Bool(name, v == "true"))
			case err != nil:
				fields = append(fields, Text(name, v))
			case strings.HasPrefix(v, "#"):
				fields = append(fields, Int32(name, int32(f)))
			case strings.HasPrefix(v, "~"):
				fields = append(fields, Float32(name, float32(f)))
			case strings.Contains(v, "."):
				fields = append(fields, Float64(name, f))
			default:
				var n int64
				fmt.Sscan(v, &n)
				fields = append(fields, Int64(name, n))
			}
		}
		must(t, db.Insert(context.Background(), device, ns(at), fields...))
	}
}

func cols(names ...string) (all []expr.Expr) {
	for _, n := range names {
		all = append(all, expr.Col(n))
	}
	return all
}

var d1 = []string{"root.sg.d1"}

// Every operator over one row, nulls included.
func TestExpressions(t *testing.T) {
	if SmallProgram {
		t.Skip("has regular expressions")
	}
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "7 i=#5 l=-3 f=~2.5 d=4.0 b=true c=false t=abc u=abd z=0 n=1 big=9007199254740993")
	put(t, db, "root.sg.d1", "8 n=2")
	c := expr.Col
	null := c("i") // at time 8
	for _, x := range []struct {
		e        expr.Expr
		at7, at8 string
	}{
		{c("i").Add(c("l")), "2", "null"},
		{c("d").Sub(c("f")), "1.5", "null"},
		{c("i").Mul(2), "10", "null"},
		{c("i").Div(2), "2.5", "null"},
		{c("i").Div(c("z")), "+Inf", "null"},
		{c("z").Div(0), "NaN", "null"},
		{c("i").Mod(c("l")), "2", "null"},
		{c("i").Neg(), "-5", "null"},
		{c("i").Eq(5), "true", "null"},
		{c("i").Ne(5.5), "true", "null"},
		{c("i").Lt(c("f")), "false", "null"},
		{c("t").Lt(c("u")), "true", "null"},
		{c("b").Gt(c("c")), "true", "null"},
		{c("big").Eq(int64(9007199254740992)), "false", "null"}, // as integers
		{c("big").Eq(9007199254740992.0), "true", "null"},       // as doubles
		{expr.Time().Eq(7), "true", "false"},
		{expr.Time().Add(c("n")), "8", "10"},
		{c("b").And(c("c")), "false", "null"},
		{c("b").Or(c("c")), "true", "null"},
		{expr.Not(c("b")), "false", "null"},
		{null.Gt(0).Or(c("n").Gt(0)), "true", "true"},
		{null.Gt(0).And(c("n").Lt(0)), "false", "false"},
		{null.Gt(0).And(c("n").Gt(0)), "true", "null"},
		{null.Gt(9).Or(c("n").Lt(0)), "false", "null"},
		{c("i").IsNull(), "false", "true"},
		{c("i").NotNull(), "true", "false"},
		{c("i").In(1, 5, 9), "true", "null"},
		{c("i").In(1, 9).Negate(), "true", "null"},
		{c("t").In("abc"), "true", "null"},
		{c("i").Between(5, 6), "true", "null"},
		{c("i").Between(4, 6).Negate(), "false", "null"},
		{c("t").Like("a%"), "true", "null"},
		{c("t").Like("a_"), "false", "null"},
		{c("t").Like("_b_"), "true", "null"},
		{c("t").Like("b%").Negate(), "true", "null"},
		{c("t").Like(`a\%`), "false", "null"},
		{c("t").Regexp("b"), "true", "null"},
		{c("t").Regexp("^b"), "false", "null"},
		{expr.Case(c("i").Gt(6), "high", c("i").Gt(4), "mid", "low"), "mid", "low"},
		{expr.Case(c("i").Gt(6), 1), "null", "null"},
		{expr.Case(c("n").Gt(1), c("n"), c("i")), "5", "2"},
		{c("f").Cast("INT32"), "3", "null"},
		{c("d").Cast("bool"), "true", "null"},
		{c("b").Cast("int64"), "1", "null"},
		{c("i").Cast("text"), "5", "null"},
		{c("d").Cast("TEXT"), "4.0", "null"},
		{c("l").Cast("text").Cast("float64"), "-3", "null"},
		{expr.Call("abs", c("l")), "3", "null"},
		{expr.Call("Round", c("f")), "2", "null"},
		{expr.Call("round", c("f").Add(0.26), 1), "2.8", "null"},
		{expr.Call("sqrt", c("d")), "2", "null"},
		{expr.Call("sign", c("l")), "-1", "null"},
		{expr.Call("on_off", c("i")).With("threshold", "5"), "true", "null"},
		{expr.Call("in_range", c("i")).With("lower", "1").With("upper", "4.5"), "false", "null"},
		{expr.Call("length", c("t")), "3", "null"},
		{expr.Call("locate", c("t")).With("target", "c"), "2", "null"},
		{expr.Call("upper", c("t")), "ABC", "null"},
		{expr.Call("substring", c("t"), 2), "bc", "null"},
		{expr.Call("substring", c("t"), 1, 2), "ab", "null"},
		{expr.Call("replace", c("t"), "b", "--"), "a--c", "null"},
		{expr.Call("strcmp", c("t"), c("u")), "-1", "null"},
		{expr.Call("concat", c("t"), c("u")).With("target1", "+"), "abcabd+", "null"},
		{expr.Call("string_contains", c("t")).With("s", "bc"), "true", "null"},
		{expr.Call("string_matches", c("t")).With("regex", "b"), "false", "null"},
		{expr.Call("startswith", c("t")).With("target", "ab"), "true", "null"},
		{expr.Call("pi", c("i")), "3.141592653589793", "null"},
		{expr.Call("const", c("i")).With("value", "7").With("type", "INT32"), "7", "null"},
		{expr.Call("diff", c("n")), "null", "1"},
	} {
		// n keeps the row at 8.
		wantAsk(t, db, Query{Select: []expr.Expr{c("n"), x.e}, From: d1}, fmt.Sprintf("7=1,%s 8=2,%s", x.at7, x.at8))
	}
}

// What makes no sense is said when the query is planned.
func TestBadQueries(t *testing.T) {
	if SmallProgram {
		t.Skip("has regular expressions")
	}
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "7 i=#5 f=~2.5 b=true t=abc")
	put(t, db, "root.sg.d2", "7 i=1")
	c := expr.Col
	i, avg := c("i"), expr.Avg(expr.Col("i"))
	sel := func(e ...expr.Expr) Query { return Query{Select: e, From: d1} }
	with := func(q Query, f func(q *Query)) Query { f(&q); return q }
	for _, x := range []struct {
		q    Query
		is   error
		text string
	}{
		{Query{}, ErrBadInput, "neither Select nor From"},
		{sel(c("t").Add(1)), ErrKindMismatch, "expression: root.sg.d1.t, actual data type: TEXT, expected data type(s): [INT32, INT64, FLOAT, DOUBLE]"},
		{sel(c("t").Gt(1)), ErrKindMismatch, "actual data type: INT64, expected data type(s): [TEXT]"},
		{sel(c("b").And(i)), ErrKindMismatch, "expected data type(s): [BOOLEAN]"},
		{sel(i.Like("x%")), ErrKindMismatch, "expected data type(s): [TEXT]"},
		{sel(c("t").Regexp("(")), ErrBadInput, "missing closing"},
		{sel(i.Cast("blob")), ErrBadInput, `unknown data type "blob"`},
		{sel(expr.Lit(1)), ErrBadInput, "constant column is not supported"},
		{sel(i.Add(struct{}{})), ErrBadInput, "struct {}"},
		{sel(i.Add(expr.Expr{})), ErrBadInput, "empty"},
		{sel(i.With("a", "b")), ErrBadInput, "no function call"},
		{sel(expr.Expr{}), ErrBadInput, "empty"},
		{sel(expr.Case(i.Gt(1), true, 2)), ErrKindMismatch, "CASE expression: BOOLEAN and other types cannot exist at the same time"},
		{sel(expr.Case(i, 1)), ErrKindMismatch, "WHEN clause must return BOOLEAN"},
		{sel(expr.Avg(c("t"))), ErrKindMismatch, "only support numeric data types"},
		{sel(expr.Avg(avg)), ErrBadInput, "aggregation results cannot be as input of the aggregation function"},
		{sel(avg, i), ErrBadInput, "raw data and aggregation hybrid query is not supported"},
		{sel(avg.Add(i)), ErrBadInput, "hybrid"},
		{sel(expr.Count(expr.Lit(1))), ErrBadInput, "illegal"},
		{sel(expr.Call("count", i, i)), ErrBadInput, "takes 1 input(s), got 2"},
		{sel(expr.Call("nothing", i)), ErrNotFound, `function "nothing" is neither built in nor registered`},
		{sel(expr.Call("nothing", c("none"))), ErrNotFound, `function "nothing" is neither built in nor registered`},
		{sel(expr.Call("sin", expr.Call("nothing", c("none.*")))), ErrNotFound, `function "nothing"`},
		{with(sel(i), func(q *Query) { q.Where = expr.Call("nothing", c("none")).Gt(1) }), ErrNotFound, `function "nothing"`},
		{with(sel(avg), func(q *Query) { q.Having = expr.Call("nothing", c("none")).Gt(1) }), ErrNotFound, `function "nothing"`},
		{with(sel(i), func(q *Query) { q.OrderBy = []Order{{By: expr.Call("nothing", c("none"))}} }), ErrNotFound, `function "nothing"`},
		{with(sel(expr.Call("nothing", c("none"))), func(q *Query) { q.From = []string{"root.none"} }), ErrNotFound, `function "nothing"`},
		{with(sel(expr.Call("nothing", c("none"))), func(q *Query) { q.AlignByDevice = true }), ErrNotFound, `function "nothing"`},
		{sel(expr.Call("top_k", i)), ErrBadInput, `"k" is required`},
		{sel(expr.Call("top_k", i).With("k", "1001")), ErrBadInput, "k has to be greater than 0 and less than or equal to 1000"},
		{sel(expr.Call("in_range", i).With("lower", "3").With("upper", "1")), ErrBadInput, "upper can not be smaller than lower"},
		{with(sel(i), func(q *Query) { q.Where = avg.Gt(1) }), ErrBadInput, "aggregate functions are not supported in WHERE clause"},
		{with(sel(i), func(q *Query) { q.Where = i.Add(1) }), ErrKindMismatch, "the output type of the expression in WHERE clause should be BOOLEAN, actual data type: DOUBLE"},
		{with(sel(avg), func(q *Query) { q.Having = i.Gt(1) }), ErrBadInput, "HAVING clause must be an aggregation"},
		{with(sel(i), func(q *Query) { q.GroupBy = GroupByTime{Interval: 1} }), ErrBadInput, "common queries and aggregated queries are not allowed to appear at the same time"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByTime{Interval: 1} }), ErrBadInput, "the query time range should be specified in the GROUP BY TIME clause"},
		{with(sel(avg), func(q *Query) { q.GroupBy, q.Start, q.End = GroupByTime{Interval: 1}, ns(5), ns(5) }), ErrBadInput, "start time should be smaller than endTime in GroupBy"},
		{with(sel(avg), func(q *Query) { q.GroupBy, q.Start, q.End = GroupByTime{}, ns(0), ns(5) }), ErrBadInput, "should be positive"},
		{with(sel(avg), func(q *Query) { q.GroupBy, q.Start, q.End = GroupByTime{Interval: -1}, ns(0), ns(5) }), ErrBadInput, "should be positive"},
		{with(sel(avg), func(q *Query) { q.GroupBy = &GroupByTime{Interval: 1} }), ErrBadInput, "not a pointer"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByVariation{By: avg} }), ErrBadInput, "aggregation expression shouldn't exist in group by clause"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByVariation{By: c("*")} }), ErrBadInput, "shouldn't refer to more than one timeseries"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByVariation{By: c("none")} }), ErrBadInput, "in group by clause doesn't exist"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByVariation{By: c("t"), Delta: 1} }), ErrKindMismatch, "only support numeric type when delta != 0"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByCondition{By: i} }), ErrKindMismatch, "only support boolean type in predict"},
		{with(sel(avg), func(q *Query) { q.GroupBy = GroupByCount{By: i} }), ErrBadInput, "size (0) should be positive"},
		{with(sel(avg), func(q *Query) { q.GroupBy, q.Levels = GroupBySession{1}, []int{1} }), ErrBadInput, "group by level"},
		{with(sel(i), func(q *Query) { q.Limit = -1 }), ErrBadInput, "LIMIT"},
		{with(sel(c("*").As("a")), func(q *Query) {}), ErrBadInput, "alias 'a' can only be matched with one time series"},
		{with(sel(i), func(q *Query) { q.Zone = "Nowhere/Land" }), ErrBadInput, "Nowhere/Land"},
		{with(sel(i), func(q *Query) { q.Fill = Fill{Previous: true, Linear: true} }), ErrBadInput, "fill"},
		{with(sel(i), func(q *Query) { q.AlignByDevice, q.DisableAlign = true, true }), ErrBadInput, "exclude each other"},
		{with(sel(i), func(q *Query) { q.AlignByDevice, q.From = true, []string{"root.sg.*"} }), ErrKindMismatch,
			"the data types of the same measurement column should be the same across devices"},
		{with(sel(expr.Max(expr.Col("i"))), func(q *Query) { q.AlignByDevice, q.From = true, []string{"root.sg.*"} }), ErrKindMismatch,
			"the data types of the same measurement column should be the same across devices"},
		{with(sel(i), func(q *Query) { q.OrderBy = []Order{{By: avg}} }), ErrBadInput, "raw data and aggregation hybrid query is not supported"},
		{with(sel(i), func(q *Query) { q.OrderBy = []Order{{By: c("none")}} }), ErrBadInput, "in order by clause doesn't exist"},
		{with(sel(i), func(q *Query) { q.OrderBy = []Order{{By: c("*")}} }), ErrBadInput, "in order by clause shouldn't refer to more than one timeseries"},
		{with(sel(c("d1.i")), func(q *Query) { q.AlignByDevice, q.From = true, []string{"root.sg"} }), ErrBadInput, "one-level wildcard"},
		{with(sel(i.Add(1)), func(q *Query) { q.Last = true }), ErrBadInput, "last queries can only be applied on raw time series"},
		{with(sel(avg), func(q *Query) { q.Last = true }), ErrBadInput, "last queries can only be applied on raw time series"},
		{with(sel(i), func(q *Query) { q.Last, q.Where = true, i.Gt(1) }), ErrBadInput, "only time filters are supported in LAST query"},
		{with(sel(i), func(q *Query) { q.OrderBy = []Order{{By: expr.Device()}} }), ErrBadInput, "align by device"},
		{with(sel(i), func(q *Query) { q.From = []string{"root..d"} }), ErrBadInput, "root..d"},
	} {
		_, err := db.Query(context.Background(), x.q)
		wantFail(t, err, x.is, "tickwell: query", x.text)
	}
	_, err := askQuery(db, sel(c("t").Cast("int32")))
	wantFail(t, err, ErrBadInput, `"abc" is no value of INT32`)
	var noCtx context.Context
	_, err = db.Query(noCtx, sel(i))
	wantFail(t, err, ErrBadInput, "nil context")
	res, err := db.Query(context.Background(), sel(i))
	must(t, err)
	must(t, db.Close())
	_, err = res.Collect()
	wantFail(t, err, ErrClosed)
	_, err = db.Query(context.Background(), sel(i))
	wantFail(t, err, ErrClosed)
}

// Columns come item by item, over FROM, and for wildcards in the order in
// which the series were made; rows are the join of them all.
func TestColumnsAndRows(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d2", "1 s2=1")
	put(t, db, "root.sg.d1", "1 s1=11", "2 s2=12", "5 s1=15 s2=16")
	put(t, db, "root.sg.d2", "2 s1=22")
	for _, c := range []struct {
		q       Query
		columns string
		rows    string
	}{
		{Query{Select: cols("*"), From: []string{"root.sg.*"}}, "d2.s2 d1.s1 d1.s2 d2.s1", "1=1,11,null,null 2=null,null,12,22 5=null,15,16,null"},
		{Query{Select: cols("s1", "s2"), From: []string{"root.sg.*"}}, "d1.s1 d2.s1 d2.s2 d1.s2", "1=11,null,1,null 2=null,22,null,12 5=15,null,null,16"},
		{Query{Select: cols("s1"), From: []string{"root.sg.d1", "root.sg.d1", "root.sg.d2"}}, "d1.s1 d1.s1 d2.s1", "1=11,11,null 2=null,null,22 5=15,15,null"},
		{Query{Select: cols("root.sg.d2.s1")}, "d2.s1", "2=22"},
		{Query{From: d1}, "d1.s1 d1.s2", "1=11,null 2=null,12 5=15,16"},
		{Query{Select: cols("nothing"), From: d1}, "", ""},
		{Query{Select: cols("s1", "nothing"), From: d1}, "d1.s1", "1=11 5=15"},
		{Query{Select: cols("s*"), From: []string{"root.sg.d1"}, SeriesLimit: 1}, "d1.s1", "1=11 5=15"},
		{Query{Select: cols("s*"), From: []string{"root.sg.d1"}, SeriesOffset: 1}, "d1.s2", "2=12 5=16"},
		{Query{Select: cols("s1", "s2"), From: d1, Limit: 1, Offset: 1}, "d1.s1 d1.s2", "2=null,12"},
		{Query{Select: cols("s1"), From: d1, Start: ns(2), End: ns(6)}, "d1.s1", "5=15"},
		// A row stays when WHERE holds, also if what is selected is null.
		{Query{Select: cols("s1"), From: d1, Where: expr.Col("s2").Gt(0)}, "d1.s1", "2=null 5=15"},
		// WHERE holds for all series that it names.
		{Query{Select: cols("s1"), From: []string{"root.sg.*"}, Where: expr.Col("s1").Gt(0)}, "d1.s1 d2.s1", ""},
		{Query{Select: cols("s1"), From: d1, Where: expr.Col("nothing").Gt(0)}, "d1.s1", ""},
		{Query{Select: cols("s1"), From: d1, Where: expr.Col("nothing").IsNull()}, "d1.s1", "1=11 5=15"},
		{Query{Select: []expr.Expr{expr.Col("s1").As("one"), expr.Count(expr.Col("s1"))}[:1], From: d1}, "one", "1=11 5=15"},
		{Query{Select: cols("*"), From: []string{"root.sg.*"}, DisableAlign: true}, "d2.s2 d1.s1 d1.s2 d2.s1", "1=1 1=11 5=15 2=12 5=16 2=22"},
		{Query{Select: cols("*"), From: []string{"root.sg.*"}, DisableAlign: true, Limit: 1, Offset: 1}, "d2.s2 d1.s1 d1.s2 d2.s1", "5=15 5=16"},
		{Query{Select: cols("*"), From: []string{"root.sg.*"}, OrderBy: []Order{{By: expr.Time(), Desc: true}}, Limit: 2}, "d2.s2 d1.s1 d1.s2 d2.s1",
			"5=null,15,16,null 2=null,null,12,22"},
		{Query{Select: cols("s1", "s2"), From: d1, OrderBy: []Order{{By: expr.Col("s1"), NullsFirst: true}}}, "d1.s1 d1.s2", "2=null,12 1=11,null 5=15,16"},
		{Query{Select: cols("s1", "s2"), From: d1, OrderBy: []Order{{By: expr.Col("s1"), Desc: true}}}, "d1.s1 d1.s2", "5=15,16 1=11,null 2=null,12"},
	} {
		res, err := db.Query(context.Background(), c.q)
		must(t, err)
		var names []string
		for _, col := range res.Columns() {
			names = append(names, strings.TrimPrefix(col.Name, "root.sg."))
		}
		if got := strings.Join(names, " "); got != c.columns {
			t.Errorf("%+v\n columns %s\n want    %s", c.q, got, c.columns)
		}
		wantAsk(t, db, c.q, c.rows)
	}
}

func TestAlignByDevice(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d2", "1 s2=5 s1=1", "3 s1=7")
	put(t, db, "root.sg.d1", "2 s1=2", "3 s3=true")
	by := func(q Query) Query { q.AlignByDevice, q.From = true, []string{"root.sg.*"}; return q }
	avg := expr.Avg(expr.Col("s1"))
	for _, c := range []struct {
		q       Query
		columns string
		rows    string
	}{
		{Query{}, "s2 s1 s3", "root.sg.d1@2=null,2,null root.sg.d1@3=null,null,true root.sg.d2@1=5,1,null root.sg.d2@3=null,7,null"},
		{Query{Select: cols("s1", "s3")}, "s1 s3", "root.sg.d1@2=2,null root.sg.d1@3=null,true root.sg.d2@1=1,null root.sg.d2@3=7,null"},
		{Query{Select: cols("s3")}, "s3", "root.sg.d1@3=true"},
		{Query{Select: cols("s1"), Where: expr.Col("s1").Gt(1)}, "s1", "root.sg.d1@2=2 root.sg.d2@3=7"},
		{Query{Select: cols("s1"), Limit: 2, Offset: 1}, "s1", "root.sg.d2@1=1 root.sg.d2@3=7"},
		{Query{Select: cols("s1"), OrderBy: []Order{{By: expr.Device(), Desc: true}}}, "s1", "root.sg.d2@1=1 root.sg.d2@3=7 root.sg.d1@2=2"},
		{Query{Select: cols("s1"), OrderBy: []Order{{By: expr.Time()}}}, "s1", "root.sg.d2@1=1 root.sg.d1@2=2 root.sg.d2@3=7"},
		{Query{Select: cols("s1"), OrderBy: []Order{{By: expr.Time(), Desc: true}, {By: expr.Device()}}}, "s1", "root.sg.d2@3=7 root.sg.d1@2=2 root.sg.d2@1=1"},
		{Query{Select: cols("s1"), OrderBy: []Order{{By: expr.Device(), Desc: true}, {By: expr.Col("s1"), Desc: true}}}, "s1", "root.sg.d2@3=7 root.sg.d2@1=1 root.sg.d1@2=2"},
		{Query{Select: []expr.Expr{avg, expr.Count(expr.Col("s2")).As("n")}}, "avg(s1) n", "root.sg.d1@0=2,0 root.sg.d2@0=4,1"},
		{Query{Select: []expr.Expr{avg}, Having: avg.Gt(3)}, "avg(s1)", "root.sg.d2@0=4"},
		{Query{Select: []expr.Expr{expr.Call("count_time", expr.Col("*"))}}, "count_time(*)", "root.sg.d1@0=2 root.sg.d2@0=2"},
		// A device of which only keys and conditions are there has no rows.
		{Query{Select: cols("s3"), OrderBy: []Order{{By: expr.Col("s1"), Desc: true}}}, "s3", "root.sg.d1@2=null root.sg.d1@3=true"},
		{Query{Select: cols("s2"), OrderBy: []Order{{By: expr.Col("s3")}}}, "s2", "root.sg.d2@1=5"},
		{Query{Select: cols("s3"), Where: expr.Col("s1").Gt(0).Or(expr.Time().Gt(0)), OrderBy: []Order{{By: expr.Time(), Desc: true}}}, "s3", "root.sg.d1@3=true root.sg.d1@2=null"},
		{Query{Select: []expr.Expr{expr.Count(expr.Col("s3"))}, OrderBy: []Order{{By: avg}}}, "count(s3)", "root.sg.d1@0=1"},
		{Query{Select: []expr.Expr{expr.Count(expr.Col("s3"))}, Having: avg.Gt(0)}, "count(s3)", "root.sg.d1@0=1"},
		// The fill does not cross devices.
		{Query{Select: cols("s1", "s2"), Fill: Fill{Previous: true}}, "s1 s2", "root.sg.d1@2=2,null root.sg.d2@1=1,5 root.sg.d2@3=7,5"},
		{Query{Select: cols("s1"), SeriesLimit: 1}, "s1", "root.sg.d1@2=2 root.sg.d2@1=1 root.sg.d2@3=7"},
	} {
		q := by(c.q)
		res, err := db.Query(context.Background(), q)
		must(t, err)
		var names []string
		for _, col := range res.Columns() {
			names = append(names, col.Name)
		}
		if got := strings.Join(names, " "); got != c.columns {
			t.Errorf("columns %q, want %q", got, c.columns)
		}
		wantAsk(t, db, q, c.rows)
	}
}

func TestFill(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "1 k=1", "2 k=1 i=#4 l=10 f=~1.0 d=1.0 b=true t=x", "3 k=1", "4 k=1 i=#7", "8 k=1 l=20 d=4.0 t=y", "9 k=1")
	sel := cols("i", "l", "f", "d", "b", "t")
	null := "null,null,null,null,null,null"
	for _, c := range []struct {
		fill Fill
		want string
	}{
		{Fill{Previous: true}, "1=" + null + " 2=4,10,1,1,true,x 3=4,10,1,1,true,x 4=7,10,1,1,true,x 8=7,20,1,4,true,y 9=7,20,1,4,true,y"},
		{Fill{Linear: true}, "1=" + null + " 2=4,10,1,1,true,x 3=5,11,null,1.5,null,null 4=7,13,null,2,null,null 8=null,20,null,4,null,y 9=" + null},
		{Fill{Value: Int64Value(5)}, "1=5,5,5,5,null,5 2=4,10,1,1,true,x 3=5,5,5,5,null,5 4=7,5,5,5,null,5 8=5,20,5,4,null,y 9=5,5,5,5,null,5"},
		{Fill{Value: Float64Value(2.5)}, "1=null,null,2.5,2.5,null,2.5 2=4,10,1,1,true,x 3=null,null,2.5,2.5,null,2.5 4=7,null,2.5,2.5,null,2.5 8=null,20,2.5,4,null,y 9=null,null,2.5,2.5,null,2.5"},
		{Fill{Value: BoolValue(true)}, "1=null,null,null,null,true,true 2=4,10,1,1,true,x 3=null,null,null,null,true,true 4=7,null,null,null,true,true 8=null,20,null,4,true,y 9=null,null,null,null,true,true"},
		{Fill{Value: TextValue("q")}, "1=null,null,null,null,null,q 2=4,10,1,1,true,x 3=null,null,null,null,null,q 4=7,null,null,null,null,q 8=null,20,null,4,null,y 9=null,null,null,null,null,q"},
		{Fill{Value: Int64Value(1 << 40)}, "1=null,1099511627776,1.0995116e+12,1.099511627776e+12,null,1099511627776 2=4,10,1,1,true,x 3=null,1099511627776,1.0995116e+12,1.099511627776e+12,null,1099511627776 " +
			"4=7,1099511627776,1.0995116e+12,1.099511627776e+12,null,1099511627776 8=null,20,1.0995116e+12,4,null,y 9=null,1099511627776,1.0995116e+12,1.099511627776e+12,null,1099511627776"},
	} {
		q := Query{Select: append(sel, expr.Col("k")), From: d1, Fill: c.fill}
		got, err := askQuery(db, q)
		must(t, err)
		if got = strings.ReplaceAll(got, ",1 ", " "); strings.TrimSuffix(got, ",1") != c.want {
			t.Errorf("%+v\n got  %s\n want %s", c.fill, strings.TrimSuffix(got, ",1"), c.want)
		}
	}
	// Descending, the previous row is the later one.
	wantAsk(t, db, Query{Select: cols("i", "k"), From: d1, Fill: Fill{Previous: true}, OrderBy: []Order{{By: expr.Time(), Desc: true}}},
		"9=null,1 8=null,1 4=7,1 3=7,1 2=4,1 1=4,1")
	wantAsk(t, db, Query{Select: cols("i", "k"), From: d1, Fill: Fill{Previous: true}, Limit: 2, Offset: 2}, "3=4,1 4=7,1")
}

func TestGroupByTimeEdges(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "9 s=9.0")
	count := []expr.Expr{expr.Count(expr.Col("s")), expr.Avg(expr.Col("s"))}
	by := func(g GroupByTime, start, end int64) Query {
		return Query{Select: count, From: d1, Start: ns(start), End: ns(end), GroupBy: g}
	}
	wantAsk(t, db, by(GroupByTime{Interval: 2, LeftOpen: true}, 0, 9), "2=0,null 4=0,null 6=0,null 8=0,null 9=1,9")
	wantAsk(t, db, by(GroupByTime{Interval: 4, Step: 3}, 0, 10), "0=0,null 3=0,null 6=1,9 9=1,9")
	wantAsk(t, db, by(GroupByTime{Interval: 2, Step: 5}, 0, 10), "0=0,null 5=0,null")
	wantAsk(t, db, by(GroupByTime{Interval: 100}, 5, 10), "5=1,9")
	q := by(GroupByTime{Interval: 4}, 0, 12)
	q.Fill = Fill{Value: Float64Value(1.5)}
	wantAsk(t, db, q, "0=0,1.5 4=0,1.5 8=1,9")
	q.Fill, q.Having = Fill{}, expr.Count(expr.Col("s")).Gt(0)
	wantAsk(t, db, q, "8=1,9")
	q.Having, q.OrderBy, q.Limit = expr.Expr{}, []Order{{By: expr.Time(), Desc: true}}, 2
	wantAsk(t, db, q, "8=1,9 4=0,null")
	q = by(GroupByTime{Interval: 4}, 0, 12)
	q.Select = []expr.Expr{expr.Call("sin", expr.Count(expr.Col("s"))), expr.Count(expr.Col("s").Add(1))}
	wantAsk(t, db, q, "0=0,0 4=0,0 8=0.8414709848078965,1")
	// A far range of small windows is only computed as far as it is read.
	q = by(GroupByTime{Interval: 1}, 0, 1<<60)
	q.Limit = 1
	wantAsk(t, db, q, "0=0,null")
	// Series that do not exist give no rows at all.
	q.From = []string{"root.sg.nowhere"}
	wantAsk(t, db, q, "")
}

// One point a day from 2020-10-31, counted by natural months.
func TestNaturalMonths(t *testing.T) {
	db := openMem(t, nil)
	day := func(s string) time.Time {
		at, err := time.Parse(time.DateOnly, s)
		must(t, err)
		return at
	}
	for at := day("2020-10-31"); at.Before(day("2021-03-01")); at = at.AddDate(0, 0, 1) {
		must(t, db.Insert(context.Background(), "root.sg.d1", at, Int32("s", 1)))
	}
	days := 24 * time.Hour
	for _, c := range []struct {
		g          GroupByTime
		start, end string
		want       string
	}{
		{GroupByTime{IntervalMonths: 1}, "2020-10-31", "2021-03-01", "2020-10-31:30 2020-11-30:31 2020-12-31:31 2021-01-31:28 2021-02-28:1"},
		{GroupByTime{Interval: 10 * days, StepMonths: 1}, "2020-10-31", "2021-03-01", "2020-10-31:10 2020-11-30:10 2020-12-31:10 2021-01-31:10 2021-02-28:1"},
		{GroupByTime{IntervalMonths: 1, Step: 10 * days}, "2020-10-31", "2021-03-01",
			"2020-10-31:30 2020-11-10:30 2020-11-20:30 2020-11-30:30 2020-12-10:31 2020-12-20:31 2020-12-30:31 2021-01-09:31 2021-01-19:31 2021-01-29:30 2021-02-08:21 2021-02-18:11 2021-02-28:1"},
		{GroupByTime{IntervalMonths: 2, StepMonths: 1}, "2020-12-01", "2021-03-01", "2020-12-01:62 2021-01-01:59 2021-02-01:28"},
	} {
		res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: d1, Start: day(c.start), End: day(c.end), GroupBy: c.g})
		must(t, err)
		var got []string
		for row, err := range res.Rows() {
			must(t, err)
			got = append(got, fmt.Sprint(row.Time().Format(time.DateOnly), ":", row.Value(0)))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v\n got  %s\n want %s", c.g, s, c.want)
		}
	}
	// In a zone with daylight saving a month begins at local midnight.
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no time zones on this system: ", err)
	}
	res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: d1, Zone: "Europe/Berlin",
		Start: time.Date(2020, 9, 1, 0, 0, 0, 0, zone), End: time.Date(2020, 12, 1, 0, 0, 0, 0, zone), GroupBy: GroupByTime{IntervalMonths: 1}})
	must(t, err)
	var got []string
	for row, err := range res.Rows() {
		must(t, err)
		got = append(got, fmt.Sprint(row.Time().In(zone).Format("01-02 15:04"), "=", row.Value(0)))
	}
	if s := strings.Join(got, " "); s != "09-01 00:00=0 10-01 00:00=1 11-01 00:00=30" {
		t.Errorf("months of Berlin: %s", s)
	}
}

// The variation table of IoTDB's tests needs the end of the group too.
func TestGroupEnd(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "1 a=1 b=true", "2 a=1 b=true", "4 a=5 b=false", "9 a=5 b=true")
	sel := []expr.Expr{expr.Col("__endTime"), expr.Count(expr.Col("a"))}
	wantAsk(t, db, Query{Select: sel, From: d1, GroupBy: GroupByVariation{By: expr.Col("a")}}, "1=2,2 4=9,2")
	wantAsk(t, db, Query{Select: sel, From: d1, GroupBy: GroupBySession{Gap: 2}}, "1=4,3 9=9,1")
	wantAsk(t, db, Query{Select: sel, From: d1, GroupBy: GroupByCondition{By: expr.Col("b")}}, "1=2,2 9=9,1")
	wantAsk(t, db, Query{Select: sel, From: d1, GroupBy: GroupByCount{By: expr.Col("a"), Size: 3}}, "1=4,3")
	wantAsk(t, db, Query{Select: []expr.Expr{expr.Call("count_if", expr.Col("b")), expr.Call("count_if", expr.Col("b")).With("keep", "2"),
		expr.Call("max_by", expr.Col("b"), expr.Col("a")), expr.Call("count_time", expr.Col("*"))}, From: d1}, "0=2,1,false,4")
}

func TestLevels(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.ln.wf01.wt01", "1 status=true temperature=20.0", "2 temperature=22.0")
	put(t, db, "root.ln.wf01.wt02", "1 status=true", "5 status=false")
	put(t, db, "root.ln.wf02.wt02", "3 temperature=30.0")
	count := []expr.Expr{expr.Count(expr.Col("status"))}
	temp := expr.Col("temperature")
	for _, c := range []struct {
		sel     []expr.Expr
		levels  []int
		columns string
		rows    string
	}{
		{count, []int{1}, "count(root.ln.*.*.status)", "0=3"},
		{count, []int{3}, "count(root.*.*.wt01.status) count(root.*.*.wt02.status)", "0=1,2"},
		{count, []int{0, 2}, "count(root.*.wf01.*.status)", "0=3"},
		{[]expr.Expr{expr.Avg(temp)}, []int{0}, "avg(root.*.*.*.temperature)", "0=24"},
		{[]expr.Expr{expr.Max(temp), expr.Last(temp)}, []int{2}, "max_value(root.*.wf01.*.temperature) max_value(root.*.wf02.*.temperature) " +
			"last_value(root.*.wf01.*.temperature) last_value(root.*.wf02.*.temperature)", "0=22,30,22,30"},
		{[]expr.Expr{expr.Sum(temp).Add(1).As("s")}, []int{1}, "s", "0=73"},
	} {
		q := Query{Select: c.sel, From: []string{"root.ln.**"}, Levels: c.levels}
		res, err := db.Query(context.Background(), q)
		must(t, err)
		var names []string
		for _, col := range res.Columns() {
			names = append(names, col.Name)
		}
		if got := strings.Join(names, " "); got != c.columns {
			t.Errorf("columns\n got  %s\n want %s", got, c.columns)
		}
		wantAsk(t, db, q, c.rows)
	}
	wantAsk(t, db, Query{Select: count, From: []string{"root.ln.**"}, Levels: []int{1}, Start: ns(0), End: ns(6), GroupBy: GroupByTime{Interval: 2}}, "0=2 2=0 4=1")
}

func TestLast(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d2", "5 s1=5 t=x")
	put(t, db, "root.sg.d1", "9 s1=1.5", "3 b=true")
	q := Query{Select: cols("*"), From: []string{"root.sg.*"}, Last: true}
	wantAsk(t, db, q, "3=root.sg.d1.b,true,BOOLEAN 9=root.sg.d1.s1,1.5,DOUBLE 5=root.sg.d2.s1,5,INT64 5=root.sg.d2.t,x,TEXT")
	limited := q
	limited.Limit, limited.Offset = 1, 1
	wantAsk(t, db, limited, "9=root.sg.d1.s1,1.5,DOUBLE")
	sorted := q
	sorted.OrderBy = []Order{{By: expr.Col("Timeseries"), Desc: true}}
	wantAsk(t, db, sorted, "5=root.sg.d2.t,x,TEXT 5=root.sg.d2.s1,5,INT64 9=root.sg.d1.s1,1.5,DOUBLE 3=root.sg.d1.b,true,BOOLEAN")
	filtered := q
	filtered.Where = expr.Time().Ge(4).And(expr.Time().Lt(9))
	wantAsk(t, db, filtered, "5=root.sg.d2.s1,5,INT64 5=root.sg.d2.t,x,TEXT")
	put(t, db, "root.sg.d1", "4 s1=0.5")
	wantAsk(t, db, filtered, "4=root.sg.d1.s1,0.5,DOUBLE 5=root.sg.d2.s1,5,INT64 5=root.sg.d2.t,x,TEXT")
}

// A result sees one cut, taken when the loop begins, and lets go of it when
// the loop ends.
func TestResultIsOneCut(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "1 a=1 b=1", "2 a=2 b=2")
	res, err := db.Query(context.Background(), Query{Select: cols("a", "b"), From: d1})
	must(t, err)
	put(t, db, "root.sg.d1", "3 a=3 b=3")
	n := 0
	for row, err := range res.Rows() {
		must(t, err)
		put(t, db, "root.sg.d1", fmt.Sprintf("%d a=9 b=9", 100+n))
		if !row.Value(0).Equal(row.Value(1)) {
			t.Errorf("row %d is torn", n)
		}
		n++
	}
	if n != 3 {
		t.Errorf("the first loop saw %d rows, want 3", n)
	}
	all, err := res.Collect()
	must(t, err)
	if all[0].Len() != 6 {
		t.Errorf("the second loop saw %d rows, want 6", all[0].Len())
	}
}

func TestQueryCancelled(t *testing.T) {
	db := openMem(t, nil)
	rowsOf(t, db, 10)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Count(expr.Col("s1"))}, From: d1, Start: ns(0), End: ns(1 << 60), GroupBy: GroupByTime{Interval: 1}})
	must(t, err)
	n := 0
	var last error
	for _, err := range res.Rows() {
		if n++; n == 10 {
			cancel()
		}
		last = err
		if n > 10000 {
			break
		}
	}
	wantFail(t, last, context.Canceled)
	if _, err := res.Collect(); !errors.Is(err, context.Canceled) {
		t.Errorf("a loop after the end: %v", err)
	}
}

func TestSelectInto(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "1 s1=1", "2 s1=2 s2=2", "3 s1=3 s2=3")
	put(t, db, "root.sg.d2", "1 s1=1 s2=1", "4 s1=4")
	two := []string{"root.sg.d1", "root.sg.d2"}
	for i, c := range []struct {
		q      Query
		report string
		stored string
	}{
		{Query{Select: cols("s1", "s2"), From: two, Into: []Target{{"root.t0.x", []string{"t1", "t2", "t3", "t4"}}}},
			"root.sg.d1.s1,root.t0.x.t1,3; root.sg.d2.s1,root.t0.x.t2,2; root.sg.d1.s2,root.t0.x.t3,2; root.sg.d2.s2,root.t0.x.t4,1",
			"root.t0.x.t1@1=1 root.t0.x.t1@2=2 root.t0.x.t1@3=3 root.t0.x.t2@1=1 root.t0.x.t2@4=4 root.t0.x.t3@2=2 root.t0.x.t3@3=3 root.t0.x.t4@1=1"},
		{Query{Select: cols("s1"), From: two, Into: []Target{{"root.t1.new_${2}", []string{"::"}}}},
			"root.sg.d1.s1,root.t1.new_d1.s1,3; root.sg.d2.s1,root.t1.new_d2.s1,2", "root.t1.new_d1.s1@1=1 root.t1.new_d1.s1@2=2 root.t1.new_d1.s1@3=3 root.t1.new_d2.s1@1=1 root.t1.new_d2.s1@4=4"},
		{Query{Select: cols("s1", "s2"), From: d1, Into: []Target{{"root.t2.::", []string{"${1}_${3}"}}}},
			"root.sg.d1.s1,root.t2.d1.sg_s1,3; root.sg.d1.s2,root.t2.d1.sg_s2,2", "root.t2.d1.sg_s1@1=1 root.t2.d1.sg_s1@2=2 root.t2.d1.sg_s1@3=3 root.t2.d1.sg_s2@2=2 root.t2.d1.sg_s2@3=3"},
		{Query{Select: []expr.Expr{expr.Count(expr.Col("s1")), expr.Avg(expr.Col("s2"))}, From: d1, Into: []Target{{"root.t3.x", []string{"n"}}, {"root.t3.y", []string{"m"}}}},
			"count(root.sg.d1.s1),root.t3.x.n,1; avg(root.sg.d1.s2),root.t3.y.m,1", "root.t3.x.n@0=3 root.t3.y.m@0=2.5"},
		{Query{Select: []expr.Expr{expr.Count(expr.Col("s1")), expr.Avg(expr.Col("s2"))}, From: d1, Start: ns(1), End: ns(5), GroupBy: GroupByTime{Interval: 2}, Into: []Target{{"root.t4.x", []string{"n", "m"}}}},
			"count(root.sg.d1.s1),root.t4.x.n,2; avg(root.sg.d1.s2),root.t4.x.m,2", "root.t4.x.m@1=2 root.t4.x.m@3=3 root.t4.x.n@1=2 root.t4.x.n@3=1"},
		{Query{Select: cols("s1", "s2"), From: two, AlignByDevice: true, Into: []Target{{"root.t5.a", []string{"x", "y"}}, {"root.t5.b", []string{"x", "y"}}}},
			"root.sg.d1,s1,root.t5.a.x,3; root.sg.d1,s2,root.t5.a.y,2; root.sg.d2,s1,root.t5.b.x,2; root.sg.d2,s2,root.t5.b.y,1",
			"root.t5.a.x@1=1 root.t5.a.x@2=2 root.t5.a.x@3=3 root.t5.a.y@2=2 root.t5.a.y@3=3 root.t5.b.x@1=1 root.t5.b.x@4=4 root.t5.b.y@1=1"},
		{Query{Select: cols("s1"), From: two, AlignByDevice: true, Into: []Target{{"root.t6.::", []string{"::"}}}},
			"root.sg.d1,s1,root.t6.d1.s1,3; root.sg.d2,s1,root.t6.d2.s1,2", "root.t6.d1.s1@1=1 root.t6.d1.s1@2=2 root.t6.d1.s1@3=3 root.t6.d2.s1@1=1 root.t6.d2.s1@4=4"},
		{Query{Select: cols("s1"), From: []string{"root.nowhere"}, Into: []Target{{"root.t7.::", []string{"::"}}}}, "", ""},
	} {
		res, err := db.Query(context.Background(), c.q)
		if err != nil {
			t.Errorf("%d: %v", i, err)
			continue
		}
		var lines []string
		for row := range res.Rows() {
			var cells []string
			for k := range row.Len() {
				cells = append(cells, row.Value(k).String())
			}
			lines = append(lines, strings.Join(cells, ","))
		}
		if got := strings.Join(lines, "; "); got != c.report {
			t.Errorf("%d: report\n got  %s\n want %s", i, got, c.report)
		}
		if got := strings.Join(dump(t, db, fmt.Sprintf("root.t%d.**", i)), " "); got != c.stored {
			t.Errorf("%d: stored\n got  %s\n want %s", i, got, c.stored)
		}
	}
	put(t, db, "root.old.d", "1 l=1 d=1.0 f=~1 t=x")
	for _, c := range []struct {
		sel  []expr.Expr
		from []string
		into []Target
		is   error
		text string
	}{
		{cols("s1", "s2"), d1, []Target{{"root.x", []string{"a"}}}, ErrBadInput, "the number of source columns and the number of target paths should be the same"},
		{cols("s1", "s2"), d1, []Target{{"root.x", []string{"a", "a"}}}, ErrBadInput, "target paths in into clause should be different"},
		{[]expr.Expr{expr.Avg(expr.Col("s1"))}, d1, []Target{{"root.x", []string{"::"}}}, ErrBadInput, "placeholders can only be used in raw time series data queries"},
		{cols("s1", "s2"), d1, []Target{{"root.x", []string{"::", "::"}}}, ErrBadInput, "could not be established"},
		{cols("s1"), d1, []Target{{"root.::.x", []string{"a"}}}, ErrBadInput, "can only be used at the end of the path"},
		{cols("s1"), d1, []Target{{"root.${x}", []string{"a"}}}, ErrBadInput, "the i of ${i} should be an integer"},
		{cols("s1"), d1, []Target{{"root.${3}", []string{"a"}}}, ErrBadInput, "the i of ${i} should be greater than 0"},
		{cols("s1"), d1, []Target{{"root.old.d", []string{"t"}}}, ErrKindMismatch, "The data type"},
		{cols("d"), []string{"root.old.d"}, []Target{{"root.old.d", []string{"l"}}}, ErrKindMismatch, "The data type"},
	} {
		_, err := db.Query(context.Background(), Query{Select: c.sel, From: c.from, Into: c.into})
		if c.text == "The data type" {
			c.text = "he data type of target path (root.old.d."
		}
		wantFail(t, err, c.is, c.text)
	}
	if _, err := db.Query(context.Background(), Query{Select: cols("s1"), From: d1, Into: []Target{{"root.old.d", []string{"d"}}}}); err != nil {
		t.Errorf("Int64 into Float64: %v", err)
	}
	if got := strings.Join(dump(t, db, "root.old.d.d"), " "); got != "root.old.d.d@1=1 root.old.d.d@2=2 root.old.d.d@3=3" {
		t.Errorf("widened: %s", got)
	}
}

// The built-in functions that make series, on the documents' data.
func TestBuiltinSeries(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.sg.d1", "0 b=false s=3", "1 b=true s=9", "2 b=true s=9", "3 b=false s=4", "4 b=true s=1", "5 b=false", "6 b=false s=9", "7 b=true s=1")
	put(t, db, "root.sg.d1", "10000000000 b=false")
	b, s := expr.Col("b"), expr.Col("s")
	for _, c := range []struct {
		e    expr.Expr
		want string
	}{
		{expr.Call("zero_duration", b), "0=0 3=0 5=1 10000000000=0"},
		{expr.Call("non_zero_duration", b), "1=1 4=0 7=0"},
		{expr.Call("zero_count", b), "0=1 3=1 5=2 10000000000=1"},
		{expr.Call("non_zero_count", b), "1=2 4=1 7=1"},
		{expr.Call("non_zero_count", b).With("min", "2"), "1=2"},
		{expr.Call("zero_duration", b).With("max", "0"), "0=0 3=0 10000000000=0"},
		{expr.Call("top_k", s).With("k", "2"), "1=9 2=9"},
		{expr.Call("bottom_k", s).With("k", "3"), "0=3 4=1 7=1"},
		{expr.Call("time_difference", s), "1=1 2=1 3=1 4=1 6=2 7=1"},
		{expr.Call("difference", s), "1=6 2=0 3=-5 4=-3 6=8 7=-8"},
		{expr.Call("non_negative_difference", s), "1=6 2=0 3=5 4=3 6=8 7=8"},
		{expr.Call("derivative", s), "1=6 2=0 3=-5 4=-3 6=4 7=-8"},
		{expr.Call("non_negative_derivative", s), "1=6 2=0 3=5 4=3 6=4 7=8"},
		{expr.Call("change_points", s), "0=3 1=9 3=4 4=1 6=9 7=1"},
		{expr.Call("difference", expr.Call("top_k", s).With("k", "3")), "2=0 6=0"},
		{expr.Call("top_k", expr.Call("difference", s)).With("k", "1").Add(s), "6=17"},
	} {
		wantAsk(t, db, Query{Select: []expr.Expr{c.e}, From: d1}, c.want)
	}
}
