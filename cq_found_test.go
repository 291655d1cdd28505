package tickwell

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/incremental"
	"github.com/tickwell/tickwell/vfs"
)

// lowest is a query of the least value of each window of root.in.d.
func lowest(window time.Duration) CQSpec {
	return CQSpec{Name: "q", OnChange: true, Query: Query{Select: []expr.Expr{expr.Min(expr.Col("s"))}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: window}, Into: []Target{{Device: "root.out", Columns: []string{"min"}}}}}
}

// alterFrom alters lowest's query to another source.
func alterFrom(t *testing.T, db *DB, spec CQSpec, source string) {
	t.Helper()
	query := spec.Query.(Query)
	query.From = []string{source}
	spec.Query = query
	must(t, db.AlterContinuousQuery(context.Background(), spec))
	must(t, db.Quiesce(context.Background()))
}

// A row that was in a target before does not move the windows.
func TestIncrementalFindsRows(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.Insert(ctx, "root.out", time.Unix(3, 0), Float64("min", 1000)))
	for _, at := range []int64{15, 17, 21, 38} {
		cqPut(t, db, "root.in.d", at, float64(at))
	}
	must(t, db.CreateContinuousQuery(ctx, lowest(10*time.Second)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@3=1000 min@10=15 min@20=21 min@30=38")
	must(t, db.RefreshContinuousQuery(ctx, "q", time.Time{}, time.Time{}))
	cqRows(t, db, "root.out.*", "min@10=15 min@20=21 min@30=38")
}

// What is altered to read nothing has no results.
func TestIncrementalAlteredToNothing(t *testing.T) {
	db := openMem(t, &Options{Clock: newFake()})
	cqPut(t, db, "root.in.d", 5, 5)
	spec := lowest(10 * time.Second)
	must(t, db.CreateContinuousQuery(context.Background(), spec))
	must(t, db.Quiesce(context.Background()))
	cqRows(t, db, "root.out.*", "min@0=5")
	alterFrom(t, db, spec, "root.in.e")
	cqRows(t, db, "root.out.*", "")
	alterFrom(t, db, spec, "root.in.d")
	cqRows(t, db, "root.out.*", "min@0=5")
}

// Rows at the end of windows go with their windows too.
func TestIncrementalAlteredAtEnd(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	for i := range int64(6) {
		cqPut(t, db, "root.in.d", 10*i, float64(i))
	}
	spec := lowest(7 * time.Second)
	spec.AtEnd = true
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@7=0 min@14=1 min@21=2 min@35=3 min@42=4 min@56=5")
	query := spec.Query.(Query)
	query.GroupBy = GroupByTime{Interval: 20 * time.Second}
	spec.Query = query
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@20=0 min@40=2 min@60=4")
	query.GroupBy = GroupByTime{Interval: 5 * time.Second, Step: 20 * time.Second}
	must(t, db.AlterContinuousQuery(ctx, CQSpec{Name: "q", OnChange: true, AtEnd: true, Query: query}))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@5=0 min@25=2 min@45=4")
}

// From leaves out the window that it lies in, and moves no other; results from
// before it stay as they are, and are no rollups any more.
func TestIncrementalFrom(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	for _, at := range []int64{5, 12, 23, 24, 37, 44} {
		cqPut(t, db, "root.in.d", at, float64(at))
	}
	spec := lowest(10 * time.Second)
	spec.From = time.Unix(23, 0)
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@30=37 min@40=44")
	spec.From = time.Time{}
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@0=5 min@10=12 min@20=23 min@30=37 min@40=44")
	spec.From = time.Unix(30, 0)
	must(t, db.AlterContinuousQuery(ctx, spec))
	cqPut(t, db, "root.in.d", 14, 1)
	cqPut(t, db, "root.in.d", 38, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@0=5 min@10=12 min@20=23 min@30=1 min@40=44")
	wantRollups(t, db, "0=5 10=1 20=23 30=1 40=44")
}

// What was marked before an alteration computes no window that begins before From.
func TestIncrementalFromLeavesOldMarks(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	for _, at := range []int64{5, 12, 24, 37, 44} {
		cqPut(t, db, "root.in.d", at, float64(at))
	}
	spec := lowest(10 * time.Second)
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	must(t, db.PauseContinuousQuery(ctx, "q"))
	cqPut(t, db, "root.in.d", 14, 1)
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(0, 0), time.Unix(10, 0)))
	spec.From = time.Unix(30, 0)
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.ResumeContinuousQuery(ctx, "q"))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@0=5 min@10=12 min@20=24 min@30=37 min@40=44")
	wantRollups(t, db, "10=1 20=24 30=37 40=44")
}

// A row of smaller windows that lies between windows with a gap goes, also as the
// last of its target.
func TestIncrementalAlteredAtEndWithGaps(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	cqPut(t, db, "root.in.d", 0, 1)
	cqPut(t, db, "root.in.d", 10, 2)
	cqPut(t, db, "root.in.e", 100, 3)
	spec := lowest(7 * time.Second)
	spec.AtEnd = true
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@7=1 min@14=2")
	query := spec.Query.(Query)
	query.GroupBy = GroupByTime{Interval: 5 * time.Second, Step: 20 * time.Second}
	spec.Query = query
	alterFrom(t, db, spec, "root.in.e")
	cqRows(t, db, "root.out.*", "min@105=3")
}

// The first windows that there may be begin where windows begin.
func TestIncrementalEarliest(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	const week = 7 * 24 * time.Hour
	first := time.Unix(0, incremental.Earliest)
	for i := range 6 {
		must(t, db.Insert(ctx, "root.in.d", first.Add(time.Hour+time.Duration(i)*week/2), Float64("s", float64(i))))
	}
	must(t, db.CreateContinuousQuery(ctx, lowest(week)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@-8519817600=2 min@-8519212800=4")
}

// A query that is created over rows that are there takes none for its results that
// it has not computed.
func TestRollupsOfFoundRows(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.Insert(ctx, "root.out", time.Unix(0, 0), Float64("min", -1)))
	must(t, db.Insert(ctx, "root.out", time.Unix(40, 0), Float64("min", -1)))
	cqPut(t, db, "root.in.d", 12, 12)
	cqPut(t, db, "root.in.d", 23, 23)
	must(t, db.CreateContinuousQuery(ctx, lowest(10*time.Second)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@0=-1 min@10=12 min@20=23 min@40=-1")
	wantRollups(t, db, "10=12 20=23")
	// Computed again, the windows hold nothing else any more, and are taken.
	must(t, db.RefreshContinuousQuery(ctx, "q", time.Time{}, time.Time{}))
	cqRows(t, db, "root.out.*", "min@10=12 min@20=23")
	if v := db.cqs.find("q").view; !v.found.Empty() {
		t.Errorf("found %v", v.found.All())
	}
	wantRollups(t, db, "10=12 20=23")
}

// What the program wrote is no rollup of a query that may write there later.
func TestRollupsOfOthers(t *testing.T) {
	ctx, opts := context.Background(), &Options{Clock: newFake(), FS: vfs.NewMem()}
	db := openDir(t, "data", opts)
	spec := lowest(10 * time.Second)
	query := spec.Query.(Query)
	query.From, query.AlignByDevice, query.Into[0].Device = []string{"root.in.*"}, true, "root.out.${2}"
	spec.Query = query
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.PauseContinuousQuery(ctx, "q"))
	must(t, db.Insert(ctx, "root.out.d", time.Unix(10, 0), Float64("min", -1)))
	cqPut(t, db, "root.in.d", 5, 5)
	cqPut(t, db, "root.in.d", 25, 25)
	wantRollups(t, db, "0=5 20=25")
	must(t, db.ResumeContinuousQuery(ctx, "q"))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.d.*", "min@0=5 min@10=-1 min@20=25")
	wantRollups(t, db, "0=5 20=25") // nor of the query that writes there since
	must(t, db.Close())
	db = openDir(t, "data", opts)
	wantRollups(t, db, "0=5 20=25")
	must(t, db.Close())
}

// Of windows whose rows had expired when their query was altered there are no rollups.
func TestRollupsOfSealedWindows(t *testing.T) {
	ctx, clk := context.Background(), newFake()
	clk.Set(time.Unix(30, 0))
	db := openMem(t, &Options{Clock: clk})
	must(t, db.SetTTL(ctx, "root.in", 30*time.Second))
	for _, at := range []int64{5, 12, 25} {
		cqPut(t, db, "root.in.d", at, float64(100-at))
	}
	spec := lowest(5 * time.Second)
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	clk.Advance(20 * time.Second)
	cqPut(t, db, "root.in.d", 45, 55)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.in.d.*", "s@25=75 s@45=55")
	query := spec.Query.(Query)
	query.GroupBy = GroupByTime{Interval: 10 * time.Second}
	spec.Query = query
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@5=95 min@10=88 min@20=75 min@40=55")
	wantRollups(t, db, "20=75 40=55")
}

// wantRollups asks for the least values of root.in.d from results of queries.
func wantRollups(t *testing.T, db *DB, want string) {
	t.Helper()
	res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Min(expr.Col("s"))}, From: []string{"root.in.d"},
		Start: time.Unix(0, 0), End: time.Unix(50, 0), GroupBy: GroupByTime{Interval: 10 * time.Second}, Rollups: !small})
	must(t, err)
	tabs, err := res.Collect()
	must(t, err)
	var got []string
	for _, tab := range tabs {
		for i, at := range tab.Times {
			if !tab.Columns[0].Nulls.Get(i) {
				got = append(got, fmt.Sprintf("%d=%v", at/1e9, tab.Columns[0].Data.Value(i).Float64()))
			}
		}
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("rollups: %s\nwant: %s", s, want)
	}
}

// An alter leaves the results of rows that have expired, though their series are
// dropped: they cannot be computed again.
func TestIncrementalAlteredAfterExpiry(t *testing.T) {
	ctx := context.Background()
	for _, other := range []bool{false, true} { // rows of a series that do not expire
		clock := newFake()
		clock.Set(time.Unix(0, 0))
		db := openMem(t, &Options{Clock: clock})
		must(t, db.SetTTL(ctx, "root.in.d", time.Minute))
		spec := lowest(10 * time.Second)
		query := spec.Query.(Query)
		query.From = []string{"root.in.*"}
		query.AlignByDevice = true
		query.Into = []Target{{Device: "root.out.${2}", Columns: []string{"min"}}}
		spec.Query = query
		must(t, db.CreateContinuousQuery(ctx, spec))
		for _, at := range []int64{5, 15, 95, 100, 104} {
			cqPut(t, db, "root.in.d", at, float64(at))
			clock.Set(time.Unix(at, 0))
			must(t, db.Quiesce(ctx))
		}
		cqRows(t, db, "root.out.d.*", "min@0=5 min@10=15 min@90=95 min@100=100")
		cqRows(t, db, "root.in.d.*", "s@95=95 s@100=100 s@104=104")
		if other {
			cqPut(t, db, "root.in.e", 299, 299)
		}
		must(t, db.Quiesce(ctx))
		must(t, db.DropSeries(ctx, "root.in.d.*"))
		must(t, db.Quiesce(ctx))
		want := "min@0=5 min@10=15"
		cqRows(t, db, "root.out.d.*", want)
		must(t, db.RefreshContinuousQuery(ctx, "q", time.Time{}, time.Time{}))
		must(t, db.Quiesce(ctx))
		cqRows(t, db, "root.out.d.*", want)
		spec.From = time.Unix(0, 0)
		must(t, db.AlterContinuousQuery(ctx, spec))
		must(t, db.Quiesce(ctx))
		cqRows(t, db, "root.out.d.*", want)
	}
}

// The window that reaches beyond the last time there is has its result at that time.
func TestIncrementalAtEndOfTime(t *testing.T) {
	const year = 365 * 24 * time.Hour
	ctx, at := context.Background(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
	db := openMem(t, &Options{Clock: newFake()})
	spec := lowest(100 * year)
	spec.AtEnd = true
	must(t, db.CreateContinuousQuery(ctx, spec))
	want := func(v string) {
		t.Helper()
		must(t, db.Quiesce(ctx))
		if q := cqByName(t, db, "q"); q.State != "ACTIVE" {
			t.Fatalf("%s: %v", q.State, q.LastErr)
		}
		if v != "" {
			v = fmt.Sprintf("root.out.min@%d=%s", maxTime, v)
			wantDump(t, db, "root.out.min", v)
			return
		}
		wantDump(t, db, "root.out.min")
	}
	must(t, db.Insert(ctx, "root.in.d", at, Float64("s", 5)))
	want("5")
	must(t, db.Insert(ctx, "root.in.d", at.Add(time.Hour), Float64("s", 4)))
	want("4")
	must(t, db.Delete(ctx, "root.in.d.s", at, at.Add(2*time.Hour)))
	want("")
}

// Results of rows that have expired stay while their query reads that source; of
// another one they are no results.
func TestIncrementalAlteredSourceOfExpired(t *testing.T) {
	ctx, clk := context.Background(), newFake()
	clk.Set(time.Unix(30, 0))
	db := openMem(t, &Options{Clock: clk})
	must(t, db.SetTTL(ctx, "root.in", 30*time.Second))
	cqPut(t, db, "root.in.d", 5, 5)
	cqPut(t, db, "root.in.d", 25, 25)
	cqPut(t, db, "root.other", 25, 7)
	spec := lowest(10 * time.Second)
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	clk.Advance(50 * time.Second)
	cqPut(t, db, "root.in.d", 75, 75)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.out.*", "min@0=5 min@20=25 min@70=75")
	alterFrom(t, db, spec, "root.other")
	cqRows(t, db, "root.out.*", "min@20=7")
	alterFrom(t, db, spec, "root.in.d")
	cqRows(t, db, "root.out.*", "min@20=7 min@70=75")
}

// Rows that have expired do not come back when a query is created that reads them,
// also if it has rows of another device to compute that are held back.
func TestIncrementalCreatedOverExpired(t *testing.T) {
	ctx, clk := context.Background(), newFake()
	clk.Set(time.Unix(30, 0))
	db := openMem(t, &Options{Clock: clk})
	must(t, db.SetTTL(ctx, "root.in", 30*time.Second))
	must(t, db.CreateContinuousQuery(ctx, lowest(10*time.Second)))
	must(t, db.PauseContinuousQuery(ctx, "q"))
	cqPut(t, db, "root.in.d", 5, 5)
	cqPut(t, db, "root.in.e", 15, 15)
	clk.Advance(50 * time.Second)
	cqPut(t, db, "root.in.e", 75, 75)
	cqRows(t, db, "root.in.e.*", "s@75=75")
	spec := lowest(10 * time.Second)
	query := spec.Query.(Query)
	spec.Name, query.From, query.AlignByDevice, query.Into = "all", []string{"root.in.*"}, true, []Target{{Device: "root.all.${2}", Columns: []string{"min"}}}
	spec.Query = query
	must(t, db.CreateContinuousQuery(ctx, spec))
	cqRows(t, db, "root.in.e.*", "s@75=75")
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.in.e.*", "s@75=75")
	cqRows(t, db, "root.all.e.*", "min@70=75")
}
