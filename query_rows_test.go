package tickwell

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/tickwell/tickwell/expr"
)

// What is null in a row that a query makes of several series.

// Null bits of a tablet that belongs to longer columns say nothing of the rows
// that Collect puts behind it.
func TestCollectOfSeveralTablets(t *testing.T) {
	db := openMem(t, nil)
	a, b := &Tablet{Device: "root.d"}, &Tablet{Device: "root.d"}
	for i := range int64(200) {
		must(t, a.Append(ns(i), Int64("a", i)))
		must(t, b.Append(ns(200+i), Int64("a", i), Int64("b", i)))
	}
	for _, tab := range []*Tablet{a, b} {
		must(t, db.InsertTablet(context.Background(), tab))
		must(t, db.Flush(context.Background()))
	}
	res, err := db.Query(context.Background(), Query{From: []string{"root.d"}})
	must(t, err)
	tablets := 0
	for range res.Tablets() {
		tablets++
	}
	all, err := res.Collect()
	must(t, err)
	if tablets < 2 || len(all) != 1 || all[0].Len() != 400 {
		t.Fatalf("%d tablets, collected %d of %d rows; want several, and one of 400", tablets, len(all), all[0].Len())
	}
	for i := range all[0].Len() {
		want := Value{}
		if i >= 200 {
			want = Int64Value(int64(i - 200))
		}
		if v := all[0].Row(i).Value(1); !v.Equal(want) {
			t.Fatalf("b at %d is %v, want %v", i, v, want)
		}
	}
	// A clone has no bits of rows that it has not.
	odd := &Tablet{Device: "root.d", Times: []int64{1}, Columns: []Column{{Name: "a", Data: Int64s{1}, Nulls: Bitmap{0b110, 7}}}}
	own := odd.Clone()
	must(t, own.Append(ns(2), Int64("a", 2)))
	must(t, own.Append(ns(3), Int64("a", 3)))
	if got := fmt.Sprint(own.Row(1).Value(0), own.Row(2).Value(0)); got != "2 3" {
		t.Fatalf("rows behind a clone are %s, want 2 3", got)
	}
}

// Two columns of one name that are not aligned stay two.
func TestCollectColumnTwice(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.d", "1 a=1 b=5", "2 a=2", "3 b=6")
	for _, c := range []struct {
		sel  []expr.Expr
		want string
	}{
		{[]expr.Expr{expr.Col("a"), expr.Col("a")}, "[1 2] [1 2]"},
		{[]expr.Expr{expr.Col("a").As("x"), expr.Col("b").As("x")}, "[1 2] [1 3]"},
	} {
		res, err := db.Query(context.Background(), Query{Select: c.sel, From: []string{"root.d"}, DisableAlign: true})
		must(t, err)
		all, err := res.Collect()
		must(t, err)
		got := ""
		for i, tab := range all {
			if i > 0 {
				got += " "
			}
			got += fmt.Sprint(tab.Times)
		}
		if got != c.want {
			t.Errorf("%v: times %s, want %s", c.sel, got, c.want)
		}
	}
}

// A row is the values of all series of the query, also of those that are
// aggregated beside: an aggregate that sees nulls sees those rows.
func TestAggregatesThatSeeNulls(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.d", "1 a=1", "2 c=5", "3 a=2 c=6", "4 c=7", "12 c=1")
	put(t, db, "root.e", "5 x=1")
	must(t, db.InsertTablet(context.Background(), &Tablet{Device: "root.d", Times: []int64{1, 3, 4},
		Columns: []Column{{Name: "b", Data: Bools{true, true, true}}}}))
	c, a, b := expr.Col("c"), expr.Col("a"), expr.Col("b")
	from := []string{"root.d"}
	for _, q := range []struct {
		name string
		q    Query
		want string
	}{
		{"is null beside", Query{Select: []expr.Expr{expr.Count(a.IsNull()), expr.Count(c)}, From: from}, "0=5,4"},
		{"is null alone", Query{Select: []expr.Expr{expr.Count(a.IsNull())}, From: from}, "0=2"},
		{"in windows", Query{Select: []expr.Expr{expr.Sum(expr.Case(a.IsNull(), 1, 0)), expr.Count(c)}, From: from, Start: ns(0), End: ns(20),
			GroupBy: GroupByTime{Interval: 10}}, "0=2,3 10=1,1"},
		{"in windows that overlap", Query{Select: []expr.Expr{expr.Count(a.IsNull()), expr.Count(c)}, From: from, Start: ns(0), End: ns(8),
			GroupBy: GroupByTime{Interval: 4, Step: 1}}, "0=3,2 1=4,3 2=3,3 3=2,2 4=1,1 5=0,0 6=0,0 7=0,0"},
		{"or else", Query{Select: []expr.Expr{expr.Avg(expr.Case(a.Gt(1), 1, 0)), expr.Count(c)}, From: from}, "0=0.2,4"},
		{"time alone", Query{Select: []expr.Expr{expr.Call("max_value", expr.Time()), expr.Count(c)}, From: from}, "0=12,4"},
		{"runs that a null ends", Query{Select: []expr.Expr{expr.Call("count_if", b).With("keep", "1").With("ignoreNull", "false"), expr.Count(c)}, From: from}, "0=2,4"},
		{"runs that pass over nulls", Query{Select: []expr.Expr{expr.Call("count_if", b).With("keep", "1"), expr.Count(c)}, From: from}, "0=1,4"},
		{"in having", Query{Select: []expr.Expr{expr.Count(c)}, From: from, Having: expr.Count(a.IsNull()).Gt(4)}, "0=4"},
	} {
		for range 2 { // planned, and with the plan kept
			if got := brief(t, db, q.q); got != q.want {
				t.Errorf("%s: %s, want %s", q.name, got, q.want)
			}
		}
	}
}

// Functions of a series see the rows in which one of their inputs is not null, of
// all rows there are, and the groups that the columns beside show.
func TestSeriesFunctionsSeeTheRowsOfAll(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.d", "1 a=1", "2 c=5", "3 a=2 c=6", "4 c=7", "12 a=1")
	c, a := expr.Col("c"), expr.Col("a")
	from := []string{"root.d"}
	gone := expr.Case(a.IsNull(), 1, 0)
	by := func(e expr.Expr) expr.Expr { return expr.Call("difference", e) }
	session := GroupBySession{}
	for _, q := range []struct {
		name string
		q    Query
		want string
	}{
		{"input that is never null", Query{Select: []expr.Expr{by(gone), c}, From: from}, "2=1,5 3=-1,6 4=1,7 12=-1,null"},
		{"column that is never null", Query{Select: []expr.Expr{by(a), c.IsNull()}, From: from}, "1=null,true 2=null,false 3=1,false 4=null,false 12=-1,true"},
		{"groups", Query{Select: []expr.Expr{by(expr.Count(a)), expr.Count(c)}, From: from, GroupBy: session}, "1=null,0 2=-1,1 3=1,1 4=-1,1 12=1,0"},
		{"groups without a point", Query{Select: []expr.Expr{by(expr.Count(a))}, From: from, GroupBy: session}, "1=null 3=0 12=0"},
		{"windows without a point", Query{Select: []expr.Expr{by(expr.Avg(a))}, From: from, Start: ns(0), End: ns(9), GroupBy: GroupByTime{Interval: 3}}, "0=null 3=1 6=null"},
		{"groups of points", Query{Select: []expr.Expr{expr.Count(by(a)), expr.Count(by(c))}, From: from, GroupBy: session}, "1=0,0 2=0,0 3=1,1 4=0,1 12=1,0"},
		{"condition of groups", Query{Select: []expr.Expr{expr.Count(c)}, From: from, GroupBy: session, Having: by(expr.Count(a)).Lt(0)}, "2=1 4=1"},
	} {
		for range 2 { // planned, and with the plan kept
			if got := brief(t, db, q.q); got != q.want {
				t.Errorf("%s: %s, want %s", q.name, got, q.want)
			}
		}
	}
}

// A query calls functions of many series for what they cost one by one: each reads
// its own inputs, not those of all.
func TestSeriesFunctionsReadTheirOwn(t *testing.T) {
	db := openMem(t, nil)
	must(t, db.RegisterFunction(context.Background(), RowFunc1("twice", func(v float64) float64 { return 2 * v })))
	const most = 64
	for i := range most {
		must(t, db.Insert(context.Background(), "root.d", ns(1), Float64(fmt.Sprint("s", i), 1)))
		must(t, db.Insert(context.Background(), fmt.Sprint("root.few.d", i%8), ns(1), Float64("s", 1)))
		must(t, db.Insert(context.Background(), fmt.Sprint("root.many.d", i), ns(1), Float64("s", 1)))
	}
	twice := func(e expr.Expr) expr.Expr { return expr.Call("twice", e) }
	for name, of := range map[string]func(e expr.Expr) expr.Expr{
		"map":       twice,
		"with two":  func(e expr.Expr) expr.Expr { return twice(twice(e)) },
		"sum":       func(e expr.Expr) expr.Expr { return expr.Sum(twice(e)) },
		"points":    func(e expr.Expr) expr.Expr { return expr.Call("difference", e) },
		"condition": func(e expr.Expr) expr.Expr { return twice(e).Gt(1) },
	} {
		allocs := func(n int) float64 {
			q := Query{From: []string{"root.d"}}
			for i := range n {
				q.Select = append(q.Select, of(expr.Col(fmt.Sprint("s", i))))
			}
			return testing.AllocsPerRun(3, func() { brief(t, db, q) })
		}
		if few, many := allocs(most/8), allocs(most); many > 16*few {
			t.Errorf("%s: %v allocations for %d columns, %v for %d", name, many, most, few, most/8)
		}
		devices := func(from string) float64 {
			q := Query{Select: []expr.Expr{of(expr.Col("s"))}, From: []string{from}}
			return testing.AllocsPerRun(3, func() { brief(t, db, q) })
		}
		if few, many := devices("root.few.*"), devices("root.many.*"); many > 16*few {
			t.Errorf("%s: %v allocations for %d devices, %v for %d", name, many, most, few, most/8)
		}
	}
}

// Keys of ORDER BY make no row where columns are not aligned.
func TestDisableAlignOrderedMakesNoRows(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.d", "1 a=1", "2 b=5", "3 a=2 b=6")
	q := Query{Select: []expr.Expr{expr.Col("a")}, From: []string{"root.d"}, Where: expr.Col("b").NotNull().Or(expr.Col("a").NotNull()), DisableAlign: true}
	q.OrderBy = []Order{{By: expr.Time(), Desc: true}}
	if got, want := brief(t, db, q), "3=2 1=1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	q.Limit = 2
	if got, want := brief(t, db, q), "3=2 1=1"; got != want {
		t.Errorf("limited: %s, want %s", got, want)
	}
}

// A device is in the result if it has a series of a column, whatever its rows are
// grouped by.
func TestAlignByDeviceGroupsMakeNoDevice(t *testing.T) {
	db := openMem(t, nil)
	put(t, db, "root.a", "1 x=1 g=1", "2 x=2 g=1")
	put(t, db, "root.b", "1 g=1", "2 g=2")
	res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Count(expr.Col("x"))}, From: []string{"root.*"}, AlignByDevice: true,
		GroupBy: GroupByVariation{By: expr.Col("g")}})
	must(t, err)
	var got []string
	for tab, err := range res.Tablets() {
		must(t, err)
		got = append(got, fmt.Sprint(tab.Device, tab.Times, tab.Columns[0].Data))
	}
	if want := []string{"root.a[1] [2]"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// rowsSeen counts its rows, and those in which its input is null.
type rowsSeen struct{ rows, nulls int64 }

func (f *rowsSeen) BeforeStart(*UDFInput) (Kind, error) { return KindText, nil }
func (f *rowsSeen) Reset()                              { *f = rowsSeen{} }
func (f *rowsSeen) Add(r Row) error {
	f.rows++
	if r.Value(0).IsNull() {
		f.nulls++
	}
	return nil
}
func (f *rowsSeen) Result() (Value, error) { return TextValue(fmt.Sprint(f.rows, "/", f.nulls)), nil }

// A UDAF is given no row without an input, however the rows come to be.
func TestUDAFSeesNoEmptyRows(t *testing.T) {
	db := openMem(t, nil)
	must(t, db.RegisterUDAF(context.Background(), "seen", func() UDAF { return &rowsSeen{} }))
	put(t, db, "root.d", "1 a=1 b=1", "2 b=1", "3 a=2", "4 b=1", "5 a=3 b=2")
	sel := []expr.Expr{expr.Call("seen", expr.Col("a"))}
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"plain", Query{}, "0=3/0"},
		{"where", Query{Where: expr.Col("b").NotNull()}, "0=2/0"},
		{"variation", Query{GroupBy: GroupByVariation{By: expr.Col("b")}}, "1=1/0 5=1/0"},
		{"expression", Query{Select: []expr.Expr{expr.Call("seen", expr.Col("a").Add(1)), expr.Sum(expr.Col("b").Add(1))}}, "0=3/0,9"},
		{"nulls beside", Query{Select: []expr.Expr{sel[0], expr.Count(expr.Col("b").IsNull())}}, "0=3/0,5"},
	} {
		if c.q.From = []string{"root.d"}; c.q.Select == nil {
			c.q.Select = sel
		}
		if got := brief(t, db, c.q); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A condition that remembers rows leaves out the same ones for a function of a series
// as for the columns beside it.
func TestSeriesFunctionsUnderDiff(t *testing.T) {
	db := openMem(t, nil)
	must(t, db.RegisterFunction(t.Context(), RowFunc1("twice", func(v float64) float64 { return 2 * v })))
	put(t, db, "root.d", "1 a=1 b=1", "2 c=1", "3 a=2 b=2", "4 a=3 b=3")
	for _, of := range []expr.Expr{expr.Call("twice", expr.Col("b")), expr.Col("b").Mul(2)} {
		q := Query{From: []string{"root.d"}, Select: []expr.Expr{expr.Col("c"), of}, Where: expr.Call("diff", expr.Col("a")).With("ignoreNull", "false").Gt(0)}
		if got, want := brief(t, db, q), "4=null,6"; got != want {
			t.Errorf("%v: %s, want %s", of, got, want)
		}
	}
}
