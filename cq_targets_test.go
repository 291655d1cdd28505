package tickwell

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// perDevice is a query of each device below root.in into one of the same name below
// to.
func perDevice(name, to string, every time.Duration) CQSpec {
	return CQSpec{Name: name, Every: every, OnChange: every == 0, Query: Query{
		Select: []expr.Expr{expr.Sum(expr.Col("s"))}, From: []string{"root.in.*"}, AlignByDevice: true,
		GroupBy: GroupByTime{Interval: 10 * time.Second}, Into: []Target{{Device: to + ".${2}", Columns: []string{"sum"}}}}}
}

// requireOwner wants an insert at path to be refused for the sake of a query, or to
// be accepted where owner is "".
func requireOwner(t *testing.T, db *DB, path, owner string) {
	t.Helper()
	device, name, _ := splitPath(path)
	err := db.Insert(context.Background(), device, time.Unix(1<<20, 0), Float64(name, 1))
	switch {
	case owner == "" && err != nil:
		t.Errorf("insert into %s, which is nobody's: %v", path, err)
	case owner == "":
		must(t, db.Delete(context.Background(), path, time.Unix(1<<20, 0), time.Unix(1<<20+1, 0)))
	case !errors.Is(err, ErrReadOnly) || !strings.Contains(err.Error(), "query "+owner+" only"):
		t.Errorf("insert into %s, which is %s's: %v", path, owner, err)
	}
}

// bothSorts runs a test with a scheduled and an incremental query, on a disk that
// outlives the store.
func bothSorts(t *testing.T, f func(t *testing.T, every time.Duration, open func(old *DB) *DB)) {
	for _, every := range []time.Duration{0, 10 * time.Second} {
		t.Run(fmt.Sprintf("every=%v", every), func(t *testing.T) {
			clk := newFake()
			clk.Set(time.Unix(5, 0))
			fs := memFS()
			f(t, every, func(old *DB) *DB {
				if old != nil {
					must(t, old.Close())
				}
				db := openDir(t, "data", &Options{FS: fs, Clock: clk})
				return db
			})
		})
	}
}

func quietAt(t *testing.T, db *DB, sec int64) {
	t.Helper()
	db.clock.(interface{ Set(time.Time) }).Set(time.Unix(sec, 0))
	db.clock.(interface{ Advance(time.Duration) }).Advance(time.Second)
	must(t, db.Quiesce(context.Background()))
}

// The targets of a template stay a query's over restarts also where they cannot be
// told any more, since the series that it read were dropped.
func TestCQOwnsWhatItForesaw(t *testing.T) {
	bothSorts(t, func(t *testing.T, every time.Duration, open func(old *DB) *DB) {
		ctx := context.Background()
		db := open(nil)
		cqPut(t, db, "root.in.d", 1, 3)
		must(t, db.CreateContinuousQuery(ctx, perDevice("q", "root.out", every)))
		db = open(db)
		must(t, db.Insert(ctx, "root.in.e", time.Unix(2, 0), Float64("s", 4))) // foreseen at the next opening
		must(t, db.PauseContinuousQuery(ctx, "q"))
		db = open(db)
		must(t, db.ResumeContinuousQuery(ctx, "q"))
		quietAt(t, db, 30)
		want := []string{"root.out.d.sum@0=3", "root.out.e.sum@0=4"}
		if every > 0 {
			must(t, db.RefreshContinuousQuery(ctx, "q", time.Unix(0, 0), time.Unix(10, 0)))
		}
		wantDump(t, db, "root.out.**", want...)
		must(t, db.PauseContinuousQuery(ctx, "q"))
		must(t, db.DropSeries(ctx, "root.in.**"))
		for range 2 {
			requireOwner(t, db, "root.out.d.sum", "q")
			requireOwner(t, db, "root.out.e.sum", "q")
			two := perDevice("two", "root.out", every)
			query := two.Query.(Query)
			query.From, query.Into = []string{"root.other.d"}, []Target{{Device: "root.out.d", Columns: []string{"sum"}}}
			two.Query = query
			if err := db.CreateContinuousQuery(ctx, two); !errors.Is(err, ErrExists) {
				t.Errorf("a second query on the target: %v", err)
			}
			db = open(db)
		}
		wantDump(t, db, "root.out.**", want...)
		must(t, db.DropContinuousQuery(ctx, "q"))
		requireOwner(t, db, "root.out.d.sum", "")
		db = open(db)
		requireOwner(t, db, "root.out.e.sum", "")
		wantDump(t, db, "root.out.**", want...)
	})
}

// What a query does not write any more keeps its rows and is anybody's, at once and
// after a restart. An alteration that fails changes no owner.
func TestCQAlteredLeavesTargets(t *testing.T) {
	bothSorts(t, func(t *testing.T, every time.Duration, open func(old *DB) *DB) {
		ctx := context.Background()
		db := open(nil)
		cqPut(t, db, "root.in.d", 1, 3)
		must(t, db.CreateContinuousQuery(ctx, perDevice("q", "root.a", every)))
		other := perDevice("other", "", every)
		query := other.Query.(Query)
		query.From, query.Into = []string{"root.none.d"}, []Target{{Device: "root.c.d", Columns: []string{"sum"}}}
		other.Query = query
		must(t, db.CreateContinuousQuery(ctx, other))
		if every > 0 {
			must(t, db.RefreshContinuousQuery(ctx, "q", time.Unix(0, 0), time.Unix(10, 0)))
		}
		quietAt(t, db, 20)
		wantDump(t, db, "root.a.**", "root.a.d.sum@0=3")

		if err := db.AlterContinuousQuery(ctx, perDevice("q", "root.c", every)); !errors.Is(err, ErrExists) {
			t.Errorf("altered to write what is another's: %v", err)
		}
		requireOwner(t, db, "root.a.d.sum", "q")
		requireOwner(t, db, "root.c.d.sum", "other")

		must(t, db.AlterContinuousQuery(ctx, perDevice("q", "root.b", every)))
		for range 2 {
			requireOwner(t, db, "root.a.d.sum", "")
			requireOwner(t, db, "root.b.d.sum", "q")
			wantDump(t, db, "root.a.**", "root.a.d.sum@0=3")
			db = open(db)
		}
		must(t, db.CreateContinuousQuery(ctx, func() CQSpec {
			s := perDevice("third", "root.a", every)
			q := s.Query.(Query)
			q.From = []string{"root.in.d"}
			s.Query = q
			return s
		}()))
		requireOwner(t, db, "root.a.d.sum", "third")
		named := perDevice("q", "", every) // a name instead of a template, and back
		query.From, query.Into = []string{"root.in.d"}, []Target{{Device: "root.n", Columns: []string{"sum"}}}
		named.Query = query
		must(t, db.CreateContinuousQuery(ctx, named)) // since the last start it was not
		for range 2 {
			requireOwner(t, db, "root.b.d.sum", "")
			requireOwner(t, db, "root.n.sum", "q")
			db = open(db)
		}
		must(t, db.AlterContinuousQuery(ctx, perDevice("q", "root.b", every)))
		for range 2 {
			requireOwner(t, db, "root.n.sum", "")
			requireOwner(t, db, "root.b.d.sum", "q")
			requireOwner(t, db, "root.b.e.sum", "") // no such device is read yet
			db = open(db)
		}
	})
}

// Two queries whose targets come to be the same keep what they have over a restart:
// the first to own one owns it, and the other runs once it is free.
func TestCQOwnersDoNotChangeAtRestart(t *testing.T) {
	bothSorts(t, func(t *testing.T, every time.Duration, open func(old *DB) *DB) {
		ctx := context.Background()
		db := open(nil)
		cqPut(t, db, "root.in.d", 1, 3)
		must(t, db.CreateContinuousQuery(ctx, perDevice("a", "root.out", every)))
		b := perDevice("b", "", every)
		query := b.Query.(Query)
		query.From, query.Into = []string{"root.other.x"}, []Target{{Device: "root.out.e", Columns: []string{"sum"}}}
		b.Query = query
		must(t, db.CreateContinuousQuery(ctx, b))
		cqPut(t, db, "root.in.e", 1, 4)
		for i := range int64(3) {
			quietAt(t, db, 20*(i+1))
			requireOwner(t, db, "root.out.d.sum", "a")
			requireOwner(t, db, "root.out.e.sum", "b")
			if q := cqByName(t, db, "b"); q.State != "ACTIVE" {
				t.Errorf("b is %s: %v", q.State, q.LastErr)
			}
			if q := cqByName(t, db, "a"); q.State == "INACTIVE" {
				t.Errorf("a is %s: %v", q.State, q.LastErr)
			}
			db = open(db)
		}
		must(t, db.DropContinuousQuery(ctx, "b"))
		if every > 0 {
			must(t, db.RefreshContinuousQuery(ctx, "a", time.Unix(0, 0), time.Unix(10, 0)))
		}
		quietAt(t, db, 200)
		wantDump(t, db, "root.out.**", "root.out.d.sum@0=3", "root.out.e.sum@0=4")
	})
}

// A scheduled query may become incremental, and the other way round, by Alter and by
// being created again after a restart; then its results are those of the new sort.
func TestCQChangesSort(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprintf("restart=%t", restart), func(t *testing.T) {
			ctx := context.Background()
			clk := newFake()
			clk.Set(time.Unix(5, 0))
			var fs vfs.FS = memFS()
			db := openDir(t, "data", &Options{FS: fs, Clock: clk})
			become := func(s CQSpec) {
				t.Helper()
				if !restart {
					must(t, db.AlterContinuousQuery(ctx, s))
					return
				}
				must(t, db.Close())
				db = openDir(t, "data", &Options{FS: fs, Clock: clk, ContinuousQueries: []CQSpec{s}})
			}
			scheduled, incremental := perDevice("q", "root.out", 7*time.Second), perDevice("q", "root.out", 0)
			query := scheduled.Query.(Query)
			query.GroupBy = GroupByTime{Interval: 7 * time.Second}
			scheduled.Query = query
			must(t, db.CreateContinuousQuery(ctx, scheduled)) // its rows begin where runs do: at no window of the other
			must(t, db.Quiesce(ctx))
			for i := range int64(40) {
				cqPut(t, db, "root.in.d", i, 1)
			}
			clk.Advance(30 * time.Second)
			must(t, db.Quiesce(ctx))
			if got := dump(t, db, "root.out.**"); len(got) != 5 || got[0] != "root.out.d.sum@0=7" {
				t.Fatalf("scheduled: %v", got)
			}
			become(incremental)
			must(t, db.Quiesce(ctx))
			all := []string{"root.out.d.sum@0=10", "root.out.d.sum@10000000000=10", "root.out.d.sum@20000000000=10", "root.out.d.sum@30000000000=10"}
			wantDump(t, db, "root.out.**", all...)
			cqPut(t, db, "root.in.d", 40, 1)
			become(scheduled)
			cqPut(t, db, "root.in.d", 41, 1)
			must(t, db.Quiesce(ctx))
			requireOwner(t, db, "root.out.d.sum", "q")
			clk.Advance(8 * time.Second) // 43 s: the run due at 42
			must(t, db.Quiesce(ctx))
			got := dump(t, db, "root.out.**")
			if want := "root.out.d.sum@35000000000=7"; len(got) == 0 || got[len(got)-1] != want {
				t.Errorf("scheduled again: %v, want the last to be %s", got, want)
			}
			become(incremental)
			cqPut(t, db, "root.in.d", 9, 5)
			must(t, db.Quiesce(ctx))
			all[0] = "root.out.d.sum@0=14"
			wantDump(t, db, "root.out.**", append(all, "root.out.d.sum@40000000000=2")...)
		})
	}
}

// A query aligned by device has as many columns as are selected, whatever devices
// there will be: Into must have as many.
func TestCQDeviceColumns(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	columns := func(name string, sel []expr.Expr, cols ...string) error {
		s := perDevice(name, "root.out", 0)
		q := s.Query.(Query)
		q.Select, q.Into = sel, []Target{{Device: "root." + name + ".${2}", Columns: cols}}
		s.Query = q
		return db.CreateContinuousQuery(ctx, s)
	}
	one, two := []expr.Expr{expr.Sum(expr.Col("s"))}, []expr.Expr{expr.Sum(expr.Col("s")), expr.Sum(expr.Col("t"))}
	for range 2 {
		for i, err := range []error{columns("bad", one, "a", "b"), columns("bad", two, "a"), columns("bad", two, "a", "b", "c")} {
			if !errors.Is(err, ErrBadInput) || !strings.Contains(err.Error(), "number of source columns") {
				t.Errorf("%d: %v, want one that tells of the number of columns", i, err)
			}
		}
		cqPut(t, db, "root.in.d", 1, 1)
	}
	must(t, columns("one", one, "a"))
	must(t, columns("two", two, "a", "b"))
	must(t, columns("all", []expr.Expr{expr.Sum(expr.Col("*"))}, "a", "b", "c"))
}

// Where windows become larger, no result of a smaller one stays.
func TestIncrementalAlteredWindows(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	spec := perDevice("q", "root.out", 0)
	must(t, db.CreateContinuousQuery(ctx, spec))
	for i := range int64(6) {
		cqPut(t, db, "root.in.d", 10*i, 1)
	}
	must(t, db.Quiesce(ctx))
	query := spec.Query.(Query)
	query.GroupBy = GroupByTime{Interval: time.Minute}
	spec.Query = query
	must(t, db.AlterContinuousQuery(ctx, spec))
	must(t, db.Quiesce(ctx))
	wantDump(t, db, "root.out.**", "root.out.d.sum@0=6")
}

// What a template makes of a series is a query's also where the template as a
// pattern does not say so: where :: stands for no node, and ${2} for a quoted name.
func TestCQAlteredKeepsWhatItForesees(t *testing.T) {
	bothSorts(t, func(t *testing.T, every time.Duration, open func(old *DB) *DB) {
		ctx := context.Background()
		db := open(nil)
		cqPut(t, db, "root.in", 1, 3)
		cqPut(t, db, "root.in.`a.b`", 1, 3)
		for i, c := range [][3]string{{"root.in", "root.x.::", "root.x.sum"}, {"root.in.*", "root.y.${2}", "root.y.a.b.sum"}} {
			s := perDevice(fmt.Sprint("q", i), "", every)
			query := s.Query.(Query)
			query.From, query.Into = []string{c[0]}, []Target{{Device: c[1], Columns: []string{"sum"}}}
			s.Query = query
			must(t, db.CreateContinuousQuery(ctx, s))
			requireOwner(t, db, c[2], s.Name)
			s.Text = "the same, written otherwise"
			must(t, db.AlterContinuousQuery(ctx, s))
			requireOwner(t, db, c[2], s.Name)
			db = open(db)
			requireOwner(t, db, c[2], s.Name)
		}
	})
}
