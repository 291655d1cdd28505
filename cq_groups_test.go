//go:build !tickwell_small

package tickwell

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// groupView is an incremental query over the windows of g: count and sum of s.
func groupView(g GroupBy) CQSpec {
	s := expr.Col("s")
	return CQSpec{Name: "m", Sinks: []string{"box"}, Query: Query{
		Select: []expr.Expr{expr.Count(s).As("n"), expr.Sum(s).As("sum")}, From: []string{"root.in.d"}, GroupBy: g,
		Into: []Target{{Device: "root.m", Columns: []string{"n", "sum"}}},
	}}
}

// groupStore is a store with a sink that prints events of such a query.
func groupStore(t *testing.T, j *journal, opts Options) *DB {
	opts.Sinks = []SinkSpec{{Name: "box", Sink: SinkFunc(func(_ context.Context, es []Event) error {
		for i := range es {
			e := &es[i]
			j.add("%d r%d n=%s sum=%s %s", e.Time.Unix(), e.Revision, e.Get("n"), e.Get("sum"), e.Notes["retracted"])
		}
		return nil
	})}}
	if opts.FS != nil {
		return openDir(t, "data", &opts)
	}
	return openMem(t, &opts)
}

// Windows whose bounds depend on rows are stored when they are over, and late
// rows, overwrites and deletes split them and join them.
func TestIncrementalGroups(t *testing.T) {
	s := expr.Col("s")
	type put struct {
		at int64
		v  float64
	}
	del := func(from, to int64) [2]int64 { return [2]int64{from, to} }
	for _, c := range []struct {
		name  string
		by    GroupBy
		steps []any // puts, deletes, and what is stored after them, and sent
	}{
		{"session", GroupBySession{Gap: 10 * time.Second}, []any{
			put{0, 1}, put{8, 2}, "", []string{},
			put{19, 3}, "n@0=2 sum@0=3", []string{"0 r0 n=2 sum=3 "},
			put{40, 4}, "n@0=2 n@19=1 sum@0=3 sum@19=3", []string{"19 r0 n=1 sum=3 "},
			put{12, 5}, "n@0=4 sum@0=11", []string{"0 r1 n=4 sum=11 ", "19 r1 n=null sum=null true"}, // joins
			del(8, 9), "n@0=1 n@12=2 sum@0=1 sum@12=8", []string{"0 r2 n=1 sum=1 ", "12 r0 n=2 sum=8 "},
			put{0, 1}, "n@0=1 n@12=2 sum@0=1 sum@12=8", []string{}, // the same again
			del(0, 30), "", []string{"0 r3 n=null sum=null true", "12 r1 n=null sum=null true"},
			put{60, 1}, "n@40=1 sum@40=4", []string{"40 r0 n=1 sum=4 "},
		}},
		{"variation", GroupByVariation{By: s, Delta: 1}, []any{
			put{0, 1}, put{1, 2}, put{2, 1.5}, "", []string{},
			put{3, 5}, "n@0=3 sum@0=4.5", []string{"0 r0 n=3 sum=4.5 "},
			put{4, 9}, "n@0=3 n@3=1 sum@0=4.5 sum@3=5", []string{"3 r0 n=1 sum=5 "},
			put{1, 7}, "n@0=1 n@1=1 n@2=1 n@3=1 sum@0=1 sum@1=7 sum@2=1.5 sum@3=5",
			[]string{"0 r1 n=1 sum=1 ", "1 r0 n=1 sum=7 ", "2 r0 n=1 sum=1.5 "}, // splits
			del(1, 2), "n@0=2 n@3=1 sum@0=2.5 sum@3=5", []string{"0 r2 n=2 sum=2.5 ", "1 r1 n=null sum=null true", "2 r1 n=null sum=null true"},
			del(3, 5), "", []string{"0 r3 n=null sum=null true", "3 r1 n=null sum=null true"}, // what ended it is gone
		}},
		{"condition", GroupByCondition{By: s.Gt(0.0), KeepOp: expr.OpGe, KeepN: 2}, []any{
			put{0, 1}, put{1, 1}, put{2, -1}, "n@0=2 sum@0=2", []string{"0 r0 n=2 sum=2 "},
			put{3, 1}, put{4, -1}, "n@0=2 sum@0=2", []string{}, // too short
			put{2, 1}, "n@0=4 sum@0=4", []string{"0 r1 n=4 sum=4 "},
			put{1, -1}, "n@2=2 sum@2=2", []string{"2 r0 n=2 sum=2 ", "0 r2 n=null sum=null true"},
		}},
		{"count", GroupByCount{By: s, Size: 2}, []any{
			put{0, 1}, put{2, 2}, put{4, 3}, "n@0=2 sum@0=3", []string{"0 r0 n=2 sum=3 "},
			put{6, 4}, "n@0=2 n@4=2 sum@0=3 sum@4=7", []string{"4 r0 n=2 sum=7 "},
			put{1, 9}, "n@0=2 n@2=2 sum@0=10 sum@2=5", []string{"0 r1 n=2 sum=10 ", "2 r0 n=2 sum=5 ", "4 r1 n=null sum=null true"},
			del(0, 1), "n@1=2 n@4=2 sum@1=11 sum@4=7",
			[]string{"1 r0 n=2 sum=11 ", "4 r2 n=2 sum=7 ", "0 r2 n=null sum=null true", "2 r1 n=null sum=null true"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			var j journal
			db := groupStore(t, &j, Options{Clock: newFake()})
			must(t, db.CreateContinuousQuery(ctx, groupView(c.by)))
			for i, x := range c.steps {
				switch x := x.(type) {
				case put:
					cqPut(t, db, "root.in.d", x.at, x.v)
				case [2]int64:
					must(t, db.Delete(ctx, "root.in.d.s", time.Unix(x[0], 0), time.Unix(x[1], 0)))
				case string:
					must(t, db.Quiesce(ctx))
					if got := rowsAt(t, db, "root.m.*"); got != x {
						t.Fatalf("stored after step %d: %s\nwant: %s", i, got, x)
					}
				case []string:
					j.want(t, x...)
				}
			}
		})
	}
}

// Lateness holds windows back, the idle timeout ends the last one, and a row that
// comes after all has it written again, though it may not be over now.
func TestIncrementalGroupsLatenessAndIdle(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	var j journal
	db := groupStore(t, &j, Options{Clock: clock})
	spec := groupView(GroupByVariation{By: expr.Col("s")})
	spec.Lateness, spec.IdleTimeout = 10*time.Second, 10*time.Second
	must(t, db.CreateContinuousQuery(ctx, spec))
	step := func(want string) {
		t.Helper()
		must(t, db.Quiesce(ctx))
		cqRows(t, db, "root.m.n", want)
	}
	cqPut(t, db, "root.in.d", 0, 1)
	cqPut(t, db, "root.in.d", 5, 2)
	step("")
	cqPut(t, db, "root.in.d", 15, 2)
	step("n@0=1")
	clock.Advance(10 * time.Second)
	step("n@0=1 n@5=2")
	cqPut(t, db, "root.in.d", 16, 2)
	step("n@0=1 n@5=2") // the watermark is not there
	cqPut(t, db, "root.in.d", 30, 3)
	step("n@0=1 n@5=3")
	clock.Advance(10 * time.Second)
	step("n@0=1 n@5=3 n@30=1")
	j.want(t, "0 r0 n=1 sum=1 ", "5 r0 n=2 sum=4 ", "5 r1 n=3 sum=6 ", "30 r0 n=1 sum=3 ")
}

// Windows of rows of several series, windows that HAVING leaves out, a query that
// only sends: they go on after a reopen where they were, and one whose devices are
// gone takes back what it has sent.
func TestIncrementalGroupsAfterReopen(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name       string
		change     func(*CQSpec, *Query)
		rows, late string
		sent, gone []string
	}{
		{"several series", func(_ *CQSpec, q *Query) {
			q.Select, q.From = []expr.Expr{expr.Count(expr.Col("root.in.d.s")).As("n"), expr.Sum(expr.Col("root.in.e.s")).As("sum")}, nil
		}, "n@0=2 n@100=1 sum@0=5", "n@0=3 n@100=1 sum@0=5",
			[]string{"0 r0 n=2 sum=5 ", "100 r0 n=1 sum=null ", "0 r1 n=3 sum=5 "}, []string{"0 r2 n=null sum=null true", "100 r1 n=null sum=null true"}},
		{"having", func(_ *CQSpec, q *Query) { q.Having = expr.Sum(expr.Col("s")).Gt(1.0) }, "n@0=2 sum@0=2", "n@0=3 sum@0=3",
			[]string{"0 r0 n=2 sum=2 ", "0 r1 n=3 sum=3 "}, []string{"0 r2 n=null sum=null true"}},
		{"sends only", func(_ *CQSpec, q *Query) { q.Into = nil }, "", "",
			[]string{"0 r0 n=2 sum=2 ", "100 r0 n=1 sum=1 ", "0 r1 n=3 sum=3 "}, []string{"0 r2 n=null sum=null true", "100 r1 n=null sum=null true"}},
		{"from", func(s *CQSpec, q *Query) { s.From = time.Unix(5, 0) }, "n@9=1 n@100=1 sum@9=1 sum@100=1", "n@8=2 n@100=1 sum@8=2 sum@100=1",
			[]string{"9 r0 n=1 sum=1 ", "100 r0 n=1 sum=1 ", "8 r0 n=2 sum=2 ", "9 r1 n=null sum=null true"},
			[]string{"8 r1 n=null sum=null true", "100 r1 n=null sum=null true"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var j journal
			opts := Options{Clock: newFake(), FS: memFS()}
			db := groupStore(t, &j, opts)
			spec := groupView(GroupBySession{Gap: 10 * time.Second})
			q := spec.Query.(Query)
			c.change(&spec, &q)
			spec.Query = q
			cqPut(t, db, "root.in.d", 0, 1)
			cqPut(t, db, "root.in.e", 4, 5)
			must(t, db.CreateContinuousQuery(ctx, spec)) // over what is stored
			cqPut(t, db, "root.in.d", 9, 1)
			cqPut(t, db, "root.in.d", 100, 1)
			must(t, db.Close())
			db = groupStore(t, &j, opts)
			cqPut(t, db, "root.in.d", 200, 1)
			must(t, db.Quiesce(ctx))
			cqRows(t, db, "root.m.*", c.rows)
			must(t, db.Close())
			db = groupStore(t, &j, opts)
			cqPut(t, db, "root.in.d", 8, 1)
			must(t, db.Quiesce(ctx))
			cqRows(t, db, "root.m.*", c.late)
			if err := db.RefreshContinuousQuery(ctx, "m", time.Time{}, time.Time{}); err != nil {
				t.Error(err)
			}
			j.want(t, c.sent...)
			must(t, db.DropSeries(ctx, "root.in.**"))
			must(t, db.Quiesce(ctx))
			cqRows(t, db, "root.m.*", "")
			j.want(t, c.gone...)
		})
	}
}

// Rows of the last window of a device do not expire while it goes on; those of
// other devices do, and a late row among what is left changes no sealed result.
func TestIncrementalGroupsHoldBackExpiry(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	opts := &Options{FS: memFS(), Clock: clock}
	db := openDir(t, "data", opts)
	spec := manyDevices("m")
	q := spec.Query.(Query)
	q.GroupBy = GroupByVariation{By: expr.Col("s")}
	spec.Query = q
	must(t, db.CreateContinuousQuery(ctx, spec))
	must(t, db.SetTTL(ctx, "root.in", 90*time.Second))
	for i := range int64(60) {
		cqPut(t, db, "root.in.same", 10*i, 1)
		cqPut(t, db, "root.in.other", 10*i, float64(i/6))
		clock.Advance(10 * time.Second)
		must(t, db.Quiesce(ctx))
		if i == 30 {
			must(t, db.Close())
			db = openDir(t, "data", opts)
		}
	}
	left := func(device string) int { return len(dump(t, db, "root.in."+device+".s")) }
	if same, other := left("same"), left("other"); same != 60 || other != 10 {
		t.Errorf("%d rows of the window that goes on are left and %d of the others, want 60 and 10", same, other)
	}
	cqPut(t, db, "root.in.same", 595, 2)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.same.sum", "sum@0=60")
	want := "sum@0=0"
	for i := 1; i < 9; i++ {
		want += fmt.Sprintf(" sum@%d=%d", 60*i, 6*i)
	}
	cqRows(t, db, "root.m.other.sum", want)
	cqPut(t, db, "root.in.other", 515, 100) // rows of its window have expired
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.other.sum", want)
	if q := cqByName(t, db, "m"); q.Sealed != 1 || q.State != "ACTIVE" {
		t.Errorf("%d windows sealed, want 1; state %s", q.Sealed, q.State)
	}
}

// Sessions of a query that is altered to read nothing go.
func TestGroupsAlteredToNothing(t *testing.T) {
	db := openMem(t, &Options{Clock: newFake()})
	for _, at := range []int64{5, 6, 50} {
		cqPut(t, db, "root.in.d", at, float64(at))
	}
	spec := lowest(time.Second)
	query := spec.Query.(Query)
	query.GroupBy = GroupBySession{Gap: 10 * time.Second}
	spec.Query = query
	must(t, db.CreateContinuousQuery(context.Background(), spec))
	must(t, db.Quiesce(context.Background()))
	cqRows(t, db, "root.out.*", "min@5=5 min@50=50")
	alterFrom(t, db, spec, "root.in.e")
	cqRows(t, db, "root.out.*", "")
	alterFrom(t, db, spec, "root.in.d")
	cqRows(t, db, "root.out.*", "min@5=5 min@50=50")
}
