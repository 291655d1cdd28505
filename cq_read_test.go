package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
)

// Results that are stored and those that are not yet are read as one.
func TestIncrementalReadWithTail(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	must(t, db.CreateContinuousQuery(ctx, manyDevices("by")))
	must(t, db.CreateContinuousQuery(ctx, countEvery("scheduled", time.Minute)))
	read := func(name string, from, to int64, want string) {
		t.Helper()
		var start, end time.Time
		if to > 0 {
			start, end = time.Unix(from, 0), time.Unix(to, 0)
		}
		all, err := db.ReadContinuousQuery(ctx, name, start, end)
		must(t, err)
		var got []string
		for _, tab := range all {
			for r := range tab.Rows() {
				s := fmt.Sprintf("%s@%d", tab.Device, r.Time().Unix())
				for i := range tab.Columns {
					s += fmt.Sprintf(" %s=%s", tab.Columns[i].Name, r.Value(i))
				}
				got = append(got, s)
			}
		}
		if g := strings.Join(got, ", "); g != want {
			t.Errorf("read %s, want %s", g, want)
		}
	}
	read("m", 0, 0, "")
	for i := range int64(20) {
		cqPut(t, db, "root.in.d", 10*i, 1)
	}
	const fresh = "root.m@0 n=6 sum=6, root.m@60 n=6 sum=6, root.m@120 n=6 sum=6, root.m@180 n=2 sum=2"
	read("m", 0, 0, fresh) // nothing is stored
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", "n@0=6 n@60=6 n@120=6")
	read("m", 0, 0, fresh)
	cqPut(t, db, "root.in.d", 65, 10)
	must(t, db.Delete(ctx, "root.in.d.s", time.Unix(0, 0), time.Unix(60, 0)))
	cqPut(t, db, "root.in.e", 65, 3)
	read("m", 0, 0, "root.m@60 n=7 sum=16, root.m@120 n=6 sum=6, root.m@180 n=2 sum=2")
	read("m", 60, 180, "root.m@60 n=7 sum=16, root.m@120 n=6 sum=6")
	read("by", 60, 120, "root.by.d@60 sum=16, root.by.e@60 sum=3")
	cqRows(t, db, "root.m.n", "n@0=6 n@60=6 n@120=6") // reading stores nothing
	must(t, db.Quiesce(ctx))
	read("m", 0, 0, "root.m@60 n=7 sum=16, root.m@120 n=6 sum=6, root.m@180 n=2 sum=2")
	if _, err := db.ReadContinuousQuery(ctx, "scheduled", time.Time{}, time.Time{}); !errors.Is(err, ErrBadInput) {
		t.Errorf("a scheduled query: got %v", err)
	}
	if _, err := db.ReadContinuousQuery(ctx, "other", time.Time{}, time.Time{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("an unknown query: got %v", err)
	}
}

// A run that ends while its query is read lets rows expire that it held back: the
// read still sees what they are, and not what was stored before.
func TestReadContinuousQueryWhileRowsExpire(t *testing.T) {
	if SmallProgram {
		t.Skip("has windows that depend on rows")
	}
	ctx := context.Background()
	for _, by := range []GroupBy{GroupByTime{Interval: time.Minute}, GroupByCount{By: expr.Col("s"), Size: 2}} {
		clock := newFake()
		clock.Set(time.Unix(3600, 0))
		var db *DB
		var armed atomic.Bool
		computed := make(chan error, 1)
		// The permission to read rows is asked for when the read has taken its cut.
		db = openMem(t, &Options{Clock: clock, Authorize: func(_ context.Context, _ Action, path string) error {
			if strings.HasPrefix(path, "root.in") && armed.CompareAndSwap(true, false) {
				go func() { computed <- db.Quiesce(ctx) }()
				select {
				case err := <-computed:
					computed <- err
				case <-time.After(100 * time.Millisecond): // it waits for the read
				}
			}
			return nil
		}})
		spec := minuteView("m")
		q := spec.Query.(Query)
		q.GroupBy, q.AlignByDevice = by, true
		spec.Query, spec.OnChange = q, true
		must(t, db.CreateContinuousQuery(ctx, spec))
		must(t, db.SetTTL(ctx, "root.in", 10*time.Minute))
		cqPut(t, db, "root.in.d", 10, 1)
		cqPut(t, db, "root.in.d", 20, 1)
		must(t, db.Quiesce(ctx))
		cqPut(t, db, "root.in.d", 20, 5)
		cqPut(t, db, "root.in.d", 1800, 1) // what is held back is over
		armed.Store(true)
		got, err := db.ReadContinuousQuery(ctx, "m", time.Unix(0, 0), time.Unix(60, 0))
		must(t, err)
		must(t, <-computed)
		if len(got) != 1 || got[0].Len() != 1 {
			t.Fatalf("%T: read %v, want one row", by, got)
		}
		for i, c := range got[0].Columns {
			if v := c.Data.Value(0).Float64(); c.Name == "sum" && v != 6 {
				t.Errorf("%T: the sum that is read is %v, want 6 (%v)", by, v, got[0].Columns[i])
			}
		}
	}
}

// twoQueries is a user's query that runs two of the store's.
type twoQueries struct{ a, b Query }

func (q twoQueries) Run(ctx context.Context, r *CQRun) error {
	for _, one := range []Query{q.a, q.b} {
		if err := one.Run(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Each of the queries that a query of the user's runs writes its own rows, run
// after run.
func TestCQOfSeveralQueries(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	one := func(e expr.Expr, column string) Query {
		return Query{Select: []expr.Expr{e}, From: []string{"root.in.d"}, GroupBy: GroupByTime{Interval: time.Minute},
			Into: []Target{{Device: "root.out", Columns: []string{column}}}}
	}
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: time.Minute, Query: twoQueries{one(expr.Max(expr.Col("s")), "max"), one(expr.Min(expr.Col("s")), "min")}}))
	for m := range int64(4) {
		cqPut(t, db, "root.in.d", 60*m+10, float64(10*m+1))
		cqPut(t, db, "root.in.d", 60*m+20, float64(10*m+2))
		clock.Advance(time.Minute)
		must(t, db.Quiesce(ctx))
	}
	cqRows(t, db, "root.out.*", "max@0=2 max@60=12 max@120=22 max@180=32 min@0=1 min@60=11 min@120=21 min@180=31")
}
