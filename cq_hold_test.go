package tickwell

import (
	"context"
	"fmt"
	"iter"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// Rows do not expire before their windows are computed, also over a reopen;
// then they do, and the results stay.
func TestIncrementalHoldsBackExpiry(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	opts := &Options{FS: memFS(), Clock: clock}
	db := openDir(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	must(t, db.SetTTL(ctx, "root.in", 90*time.Second))
	must(t, db.PauseContinuousQuery(ctx, "m"))
	raw := func() int { return len(dump(t, db, "root.in.d.s")) }
	for i := range int64(60) {
		cqPut(t, db, "root.in.d", 10*i, 1)
		clock.Advance(10 * time.Second)
		if i == 30 {
			must(t, db.Flush(ctx))
			must(t, db.Close())
			db = openDir(t, "data", opts)
		}
	}
	must(t, db.Flush(ctx))
	must(t, db.Compact(ctx))
	if n := raw(); n != 60 {
		t.Errorf("%d rows are left while the query is paused, want 60", n)
	}
	must(t, db.ResumeContinuousQuery(ctx, "m"))
	must(t, db.Quiesce(ctx))
	const want = "n@0=6 n@60=6 n@120=6 n@180=6 n@240=6 n@300=6 n@360=6 n@420=6 n@480=6"
	cqRows(t, db, "root.m.n", want)
	if n := raw(); n != 10 {
		t.Errorf("%d rows are left after it, want 10", n)
	}
	if q := cqByName(t, db, "m"); q.Sealed != 0 {
		t.Errorf("%d windows were sealed, want none", q.Sealed)
	}
	cqPut(t, db, "root.in.d", 535, 1) // some rows of its window have expired
	must(t, db.Quiesce(ctx))
	if n := raw(); n != 11 {
		t.Errorf("%d rows after a late one, want 11", n)
	}
	must(t, db.Close())
	db = openDir(t, "data", opts) // and are not held back by what the late row made dirty
	if n := raw(); n != 11 {
		t.Errorf("%d rows after a reopen, want 11", n)
	}
	cqRows(t, db, "root.m.n", want)
}

// A quota goes before results: the windows it costs are counted.
func TestIncrementalQuotaBeatsHoldBack(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake(), QuotaBytes: 256 << 10})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	must(t, db.SetTTL(ctx, "root.in", time.Minute))
	must(t, db.PauseContinuousQuery(ctx, "m"))
	const n = 100_000
	for lo := int64(0); lo < n; lo += 1000 {
		tab := &Tablet{Device: "root.in.d"}
		for i := lo; i < lo+1000; i++ {
			must(t, tab.Append(time.Unix(i, 0), Float64("s", float64(i*7919%1000)/3)))
		}
		must(t, db.InsertTablet(ctx, tab))
	}
	left := dump(t, db, "root.in.d.s")
	must(t, db.ResumeContinuousQuery(ctx, "m"))
	must(t, db.Quiesce(ctx))
	q := cqByName(t, db, "m")
	if len(left) < 120 || len(left) >= n/2 {
		t.Fatalf("%d of %d rows were left by the quota", len(left), n)
	}
	if q.Sealed == 0 || q.Sealed+q.Computed != n/60 {
		t.Errorf("%d windows sealed and %d computed, want %d together", q.Sealed, q.Computed, n/60)
	}
	for _, p := range dump(t, db, "root.m.n") {
		var at, v int64
		fmt.Sscanf(p, "root.m.n@%d=%d", &at, &v)
		if v != 60 {
			t.Errorf("%s: a window of which rows were dropped was computed", p)
		}
	}
}

// One row far in the future does not end all windows; many do.
func TestIncrementalWatermarkGuard(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	opts := &Options{FS: memFS(), Clock: clock}
	db := openDir(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	const far = 100 * 24 * 3600
	for i := range int64(10) {
		cqPut(t, db, "root.in.d", 10*i, 1)
		cqPut(t, db, "root.in.d", far+i, 1)
		must(t, db.Quiesce(ctx))
	}
	cqRows(t, db, "root.m.n", "n@0=6")
	if q := cqByName(t, db, "m"); !q.Watermark.Equal(time.Unix(90, 0)) || q.Computed != 1 {
		t.Errorf("watermark %s after %d windows, want 90 s after 1", q.Watermark, q.Computed)
	}
	must(t, db.Close())
	db = openDir(t, "data", opts)
	cqPut(t, db, "root.in.d", 100, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=6")
	again := minuteView("again") // and so for one that finds them
	q := again.Query.(Query)
	q.Into = []Target{{Device: "root.again", Columns: []string{"n", "sum"}}}
	again.Query = q
	must(t, db.CreateContinuousQuery(ctx, again))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.again.n", "n@0=6")
	for i := range int64(cqBelieved) {
		cqPut(t, db, "root.in.d", far+60+i, 1)
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", fmt.Sprintf("n@0=6 n@60=5 n@%d=10", far))

	// A clock that boots in 1970 sees rows of the present only.
	db = openMem(t, &Options{Clock: clock})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	for i := range int64(20) {
		cqPut(t, db, "root.in.d", now+10*i, 1)
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", fmt.Sprintf("n@%d=6 n@%d=6 n@%d=6", now, now+60, now+120))
}

// Windows that are open on the left have rows at their end.
func TestIncrementalLeftOpen(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	spec := minuteView("m")
	q := spec.Query.(Query)
	q.GroupBy = GroupByTime{Interval: time.Minute, LeftOpen: true}
	spec.Query = q
	must(t, db.CreateContinuousQuery(ctx, spec))
	for _, at := range []int64{0, 1, 60, 61, 119, 120} {
		cqPut(t, db, "root.in.d", at, 1)
	}
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=1 n@60=2")
	cqPut(t, db, "root.in.d", 121, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=1 n@60=2 n@120=3")
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(60, 0), time.Unix(61, 0)))
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(0, 0), time.Unix(1, 0)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@60=1 n@120=3")
}

// manyDevices is a query by minute over all devices below root.in.
func manyDevices(name string) CQSpec {
	return CQSpec{Name: name, Query: Query{
		Select: []expr.Expr{expr.Sum(expr.Col("s"))}, From: []string{"root.in.*"}, AlignByDevice: true,
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root." + name + ".${2}", Columns: []string{"sum"}}},
	}}
}

// A late row has the windows of its own device computed again, not those of the
// others.
func TestIncrementalLateRowOfOneDevice(t *testing.T) {
	ctx := context.Background()
	var wrote []string
	opts := &Options{FS: memFS(), Clock: newFake(), Observer: &Observer{Run: func(i CQRunInfo) {
		for _, r := range i.Rows {
			wrote = append(wrote, render(r))
		}
	}}}
	db := openDir(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, manyDevices("m")))
	for i := range int64(30) {
		for d := range 50 {
			cqPut(t, db, fmt.Sprint("root.in.d", d), 10*i, 1)
		}
	}
	must(t, db.Quiesce(ctx))
	if got := len(dump(t, db, "root.m.**")); got != 50*4 {
		t.Fatalf("%d results, want 200", got)
	}
	step := func(want ...string) {
		t.Helper()
		wrote = nil
		must(t, db.Quiesce(ctx))
		if fmt.Sprint(wrote) != fmt.Sprint(want) {
			t.Errorf("wrote %v, want %v", wrote, want)
		}
	}
	cqPut(t, db, "root.in.d7", 5, 10)
	v := db.cqs.find("m").view
	if len(v.keys) != 2 { // the last window of all, the first of d7
		t.Errorf("marks %v", v.keys)
	}
	step("root.m.d7 [0] sum:16")
	cqPut(t, db, "root.in.d7", 65, 10)
	cqPut(t, db, "root.in.d8", 66, 10)
	must(t, db.Close())
	wrote = nil
	db = openDir(t, "data", opts)
	step("root.m.d7 [60000000000] sum:16", "root.m.d8 [60000000000] sum:16")
	must(t, db.Delete(ctx, "root.in.d9.s", time.Unix(60, 0), time.Unix(120, 0)))
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.d9.sum", "sum@0=6 sum@120=6 sum@180=6")
	cqRows(t, db, "root.m.d10.sum", "sum@0=6 sum@60=6 sum@120=6 sum@180=6")
}

// A query sees one cut also of what has expired: a continuous query that goes on
// while rows are read takes none of those away that come later in it.
func TestQueryKeepsItsHorizon(t *testing.T) {
	ctx := context.Background()
	byTime := manyDevices("m")
	bySession := manyDevices("m")
	q := bySession.Query.(Query)
	q.GroupBy = GroupBySession{Gap: 2 * time.Minute}
	bySession.Query = q
	for name, spec := range map[string]CQSpec{"time": byTime, "session": bySession} {
		t.Run(name, func(t *testing.T) {
			if small && name == "session" {
				t.Skip("windows that depend on rows are left out")
			}
			clock := newFake()
			clock.Set(time.Unix(0, 0))
			db := openMem(t, &Options{Clock: clock})
			must(t, db.CreateContinuousQuery(ctx, spec))
			must(t, db.SetTTL(ctx, "root.in", 90*time.Second))
			must(t, db.PauseContinuousQuery(ctx, "m"))
			for i := range int64(60) {
				for _, d := range []string{"a", "b"} {
					at := 10 * i
					if name == "session" && i >= 30 {
						at += 200
					}
					cqPut(t, db, "root.in."+d, at, 1)
				}
				clock.Advance(10 * time.Second)
			}
			clock.Advance(200 * time.Second)
			res, err := db.Query(ctx, Query{Select: []expr.Expr{expr.Col("s")}, From: []string{"root.in.*"}, AlignByDevice: true})
			must(t, err)
			rows, _, err := db.Changes(ctx, "root.in.**", "")
			must(t, err)
			next, stop := iter.Pull2(rows)
			defer stop()
			changed := map[string]int{}
			change := func() bool {
				tab, err, ok := next()
				if must(t, err); ok {
					changed[tab.Device] += len(tab.Times)
				}
				return ok
			}
			change()
			n := map[string]int{}
			for row, err := range res.Rows() {
				must(t, err)
				if n[row.Device()]++; len(n) == 1 && n[row.Device()] == 1 {
					must(t, db.ResumeContinuousQuery(ctx, "m"))
					must(t, db.Quiesce(ctx))
					if left := len(dump(t, db, "root.in.b.s")); left >= 60 {
						t.Errorf("%d rows of b have not expired", left)
					}
				}
			}
			if n["root.in.a"] != 60 || n["root.in.b"] != 60 {
				t.Errorf("rows by device %v, want 60 of each", n)
			}
			for change() {
			}
			if changed["root.in.a"] != 60 || changed["root.in.b"] != 60 {
				t.Errorf("changes by device %v, want 60 of each", changed)
			}
		})
	}
}

// What a query costs does not grow with the devices that are held back, also where it
// lets rows of one expire.
func TestHoldOfManyDevicesCostsQueriesNothing(t *testing.T) {
	if small {
		t.Skip("windows that depend on rows are left out")
	}
	ctx := context.Background()
	bytes := func(devices int) uint64 {
		clock := newFake()
		clock.Set(time.Unix(0, 0))
		db := openMem(t, &Options{Clock: clock})
		spec := manyDevices("m")
		q := spec.Query.(Query)
		q.GroupBy = GroupBySession{Gap: time.Minute}
		spec.Query = q
		must(t, db.CreateContinuousQuery(ctx, spec))
		must(t, db.SetTTL(ctx, "root.in", time.Hour))
		cqPut(t, db, "root.in.over", 0, 1)
		cqPut(t, db, "root.in.last", 10_000, 1)
		clock.Advance(10_000 * time.Second)
		must(t, db.Quiesce(ctx))
		must(t, db.PauseContinuousQuery(ctx, "m"))
		for i := range devices {
			cqPut(t, db, fmt.Sprint("root.in.d", i), 10_000, 1)
		}
		least := uint64(math.MaxUint64)
		for i := range int64(20) {
			clock.Advance(10 * time.Second)
			cqPut(t, db, "root.clock", 10_000+10*i, 1)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, err := db.AppendLast(ctx, nil, "root.in.over.s")
			if must(t, err); len(got) != 0 {
				t.Fatalf("%v has not expired", got)
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		g := db.cqs.find("m").view.groups
		if _, ok := g.holds.Get("root.in.d0"); !ok || g.holds.Len() < devices {
			t.Fatalf("%d devices are held back, want %d", g.holds.Len(), devices)
		}
		return least
	}
	few, many := bytes(10), bytes(1000)
	if many > few+16<<10 {
		t.Errorf("a query allocates %d bytes where 10 devices are held back, %d where 1000 are", few, many)
	}
}
