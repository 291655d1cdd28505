package tickwell

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/tickwell/tickwell/expr"
)

// brief is the rows of a query: times and values.
func brief(t testing.TB, db *DB, q Query) string {
	t.Helper()
	res, err := db.Query(context.Background(), q)
	must(t, err)
	var all []string
	for row, err := range res.Rows() {
		must(t, err)
		cells := make([]string, row.Len())
		for i := range cells {
			cells[i] = row.Value(i).String()
		}
		all = append(all, fmt.Sprintf("%d=%s", row.Time().UnixNano(), strings.Join(cells, ",")))
	}
	return strings.Join(all, " ")
}

// What the clauses give at the ends of int, of int64 and of time.
func TestQueryAtTheEdges(t *testing.T) {
	if SmallProgram {
		t.Skip("has rare functions")
	}
	db := openMem(t, nil)
	put(t, db, "root.e.d", "1 a=5 b=2.5", "2 a=1", "3 a=9", "4 a=7", "5 a=3 b=1.5", "6 a=8")
	put(t, db, "root.e.far", "-9000000000000000000 a=5", "1 b=1", "9000000000000000000 a=7")
	put(t, db, "root.e.big", "1 a=9223372036854775807 f=4503599627370497.0 g=0.49999999999999994", "2 x=1", "3 a=9223372036854775807")
	a := expr.Col("a")
	f := func(name string) []expr.Expr { return []expr.Expr{expr.Call(name, a)} }
	byTime := []Order{{By: expr.Time(), Desc: true}}
	const far = 9_000_000_000_000_000_000
	left := GroupByTime{Interval: 10, LeftOpen: true}
	for _, x := range []struct {
		name   string
		device string
		q      Query
		want   string
	}{
		{"limit of all after an offset", "d", Query{Select: cols("a"), Limit: math.MaxInt, Offset: 4}, "5=3 6=8"},
		{"the same, column by column", "d", Query{Select: cols("a", "b"), Limit: math.MaxInt, Offset: 1, DisableAlign: true}, "2=1 3=9 4=7 5=3 6=8 5=1.5"},
		{"each column sorted, then cut", "d", Query{Select: cols("a", "b"), Limit: 2, Offset: 1, DisableAlign: true, OrderBy: byTime}, "5=3 4=7 1=2.5"},
		{"each column sorted, then begun later", "d", Query{Select: cols("a", "b"), Offset: 1, DisableAlign: true, OrderBy: byTime}, "5=3 4=7 3=9 2=1 1=5 1=2.5"},
		{"time before, in windows with an open left", "d", Query{Select: f("count"), Start: ns(1), End: ns(6), GroupBy: left, Where: expr.Time().Lt(5)}, "6=3"},
		{"time up to, in windows with an open left", "d", Query{Select: f("count"), Start: ns(1), End: ns(6), GroupBy: left, Where: expr.Time().Le(6)}, "6=5"},
		{"a line over more than int64", "far", Query{Select: cols("a", "b"), Fill: Fill{Linear: true}}, "-9000000000000000000=5,null 1=6,1 9000000000000000000=7,null"},
		{"a line at the greatest integer", "big", Query{Select: cols("a", "x"), Fill: Fill{Linear: true}}, "1=9223372036854775807,null 2=9223372036854775807,1 3=9223372036854775807,null"},
		{"duration", "far", Query{Select: f("time_duration")}, "0=9223372036854775807"},
		{"difference", "far", Query{Select: f("time_difference")}, "9000000000000000000=9223372036854775807"},
		{"duration of a run", "far", Query{Select: f("non_zero_duration")}, "-9000000000000000000=9223372036854775807"},
		{"slope", "far", Query{Select: []expr.Expr{expr.Call("derivative", a).Gt(0)}}, "9000000000000000000=true"},
		{"windows over more than int64", "far", Query{Select: f("count"), Start: ns(-far), End: ns(far + 1), GroupBy: GroupByTime{Interval: 6e18}},
			"-9000000000000000000=1 -3000000000000000000=0 3000000000000000000=0 9000000000000000000=1"},
		{"all levels after an offset", "d", Query{Select: []expr.Expr{expr.Count(expr.Col("*"))}, Levels: []int{1}, SeriesLimit: math.MaxInt, SeriesOffset: 1}, ""},
		{"windows of more rows than there can be", "d", Query{Select: []expr.Expr{expr.Call("m4", a).With("windowSize", "9223372036854775807").With("slidingStep", "2")}}, "1=5 2=1 3=9 6=8"},
		{"an integer stays what it is", "big", Query{Select: []expr.Expr{expr.Col("f").Cast("INT64"), expr.Col("g").Cast("INT32")}}, "1=4503599627370497,0"},
	} {
		x.q.From = []string{"root.e." + x.device}
		if got := brief(t, db, x.q); got != x.want {
			t.Errorf("%s: %s, want %s", x.name, got, x.want)
		}
	}
}

// Where clocks are put forward at midnight the month begins with the day, not
// with the evening before; where that is the last day of a month it is counted.
func TestMonthsWithoutMidnight(t *testing.T) {
	for _, c := range []struct {
		zone   string
		start  string // local
		months int    // to the one that is looked at
		begin  string // its first instant, local
	}{
		{"America/Asuncion", "2023-08-01T00:00", 2, "2023-10-01T01:00"},
		{"America/Guatemala", "2006-01-31T00:00", 3, "2006-04-30T01:00"},
	} {
		zone, err := time.LoadLocation(c.zone)
		must(t, err)
		local := func(s string) time.Time {
			at, err := time.ParseInLocation("2006-01-02T15:04", s, zone)
			must(t, err)
			return at
		}
		db := openMem(t, nil)
		begin := local(c.begin)
		must(t, db.Insert(context.Background(), "root.m.d", begin.Add(-time.Minute), Int64("a", 1)))
		must(t, db.Insert(context.Background(), "root.m.d", begin, Int64("a", 2)))
		must(t, db.Insert(context.Background(), "root.m.d", begin.AddDate(0, 0, 40), Int64("a", 3)))
		start := local(c.start)
		q := Query{Select: []expr.Expr{expr.Call("min_value", expr.Col("a"))}, From: []string{"root.m.d"}, Start: start, End: start.AddDate(0, 5, 0),
			GroupBy: GroupByTime{IntervalMonths: 1}, Zone: c.zone}
		if got, want := brief(t, db, q), fmt.Sprintf("%d=2 ", begin.UnixNano()); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s: the month that begins at %s", c.zone, got, want, begin)
		}
	}
}

// Windows anywhere in the 584 years, overlapping or apart, against arithmetic
// that has no end.
func TestWindowsAgainstBigIntegers(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 7))
	for n := range 60 {
		db := openMem(t, nil)
		var times []int64
		for range 40 {
			at := rng.Int64N(9_200_000_000_000_000_000)
			if rng.IntN(2) > 0 {
				at = -at
			}
			times = append(times, at)
			must(t, db.Insert(context.Background(), "root.w.d", ns(at), Int64("a", at)))
		}
		start := -rng.Int64N(9_200_000_000_000_000_000)
		end := rng.Int64N(9_200_000_000_000_000_000)
		step := 1e17 + rng.Int64N(3e18)
		interval := step * (1 + rng.Int64N(3))
		if rng.IntN(2) > 0 && step < 1e18 {
			interval = step * 8 // by panes
		}
		left := rng.IntN(2) > 0
		var want []string
		for k := int64(0); ; k++ {
			from := new(big.Int).Add(big.NewInt(start), new(big.Int).Mul(big.NewInt(k), big.NewInt(step)))
			if from.Cmp(big.NewInt(end)) >= 0 {
				break
			}
			to := new(big.Int).Add(from, big.NewInt(interval))
			if to.Cmp(big.NewInt(end)) > 0 {
				to = big.NewInt(end)
			}
			count := 0
			for _, at := range times {
				x := big.NewInt(at)
				in := x.Cmp(from) >= 0 && x.Cmp(to) < 0
				if left {
					in = x.Cmp(from) > 0 && x.Cmp(to) <= 0
				}
				if in {
					count++
				}
			}
			label := from
			if left {
				label = to
			}
			want = append(want, fmt.Sprintf("%s=%d", label, count))
		}
		q := Query{Select: []expr.Expr{expr.Call("count", expr.Col("a"))}, From: []string{"root.w.d"}, Start: ns(start), End: ns(end),
			GroupBy: GroupByTime{Interval: time.Duration(interval), Step: time.Duration(step), LeftOpen: left}}
		if got := brief(t, db, q); got != strings.Join(want, " ") {
			t.Fatalf("%d: [%d, %d) every %d for %d, left open %t: %s\nwant %s", n, start, end, step, interval, left, got, strings.Join(want, " "))
		}
		must(t, db.Close())
	}
}

// A view of months goes on from one that begins without a midnight as if it had
// begun with it.
func TestViewOfMonthsWithoutMidnight(t *testing.T) {
	ctx := context.Background()
	zone, err := time.LoadLocation("America/Asuncion")
	must(t, err)
	db := openMem(t, &Options{Clock: newFake()})
	spec := minuteView("m")
	q := spec.Query.(Query)
	q.GroupBy, q.Zone = GroupByTime{IntervalMonths: 1}, "America/Asuncion"
	spec.Query, spec.OnChange = q, true
	must(t, db.CreateContinuousQuery(ctx, spec))
	october := time.Date(2023, 10, 1, 1, 0, 0, 0, zone)
	november, december := time.Date(2023, 11, 1, 0, 0, 0, 0, zone), time.Date(2023, 12, 1, 0, 0, 0, 0, zone)
	for _, at := range []time.Time{october.Add(time.Minute), november.Add(time.Minute), november.Add(2 * time.Minute), december.Add(-time.Minute)} {
		must(t, db.Insert(ctx, "root.in.d", at, Float64("s", 1)))
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", fmt.Sprintf("n@%d=1 n@%d=3", october.Unix(), november.Unix()))
}

// Windows 300 years before those they are counted from, and a lateness that
// nothing overtakes with rows before 1970.
func TestViewsAtTheEdges(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	spec := minuteView("m")
	spec.OnChange, spec.Origin = true, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	must(t, db.CreateContinuousQuery(ctx, spec))
	at := time.Date(1720, 1, 1, 0, 0, 0, 0, time.UTC)
	cqPut(t, db, "root.in.d", at.Unix()+30, 3)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", fmt.Sprintf("n@%d=1 sum@%[1]d=3", at.Unix()))
	db = openMem(t, &Options{Clock: newFake()})
	spec = minuteView("m")
	spec.Lateness = math.MaxInt64
	must(t, db.CreateContinuousQuery(ctx, spec))
	for _, sec := range []int64{-130, -70, -10} {
		cqPut(t, db, "root.in.d", sec, 1)
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "")
}
