package tickwell

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

func TestDatabases(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	open := func() *DB {
		db, err := Open(ctx, "store", &Options{FS: fs})
		must(t, err)
		return db
	}
	db := open()
	want := func(all ...string) {
		t.Helper()
		if got := slices.Collect(db.Databases()); !slices.Equal(got, all) {
			t.Errorf("databases %q, want %q", got, all)
		}
	}
	want()
	must(t, db.CreateDatabase(ctx, "root.ln"))
	must(t, db.CreateDatabase(ctx, "root.sg.deep"))
	for _, d := range []string{"root.sg.deep.a", "root.auto.d", "root.`x.y`.d", "root.top"} {
		must(t, db.Insert(ctx, d, time.Unix(1, 0), Float64("s", 1)))
	}
	must(t, db.SetSeriesHints(ctx, "root.sg.deep.a.s", Params{"encoding": "RLE"}))
	want("root.`x.y`", "root.auto", "root.ln", "root.sg.deep", "root.top")
	for _, taken := range []string{"root.ln", "root.ln.wf", "root.sg", "root.auto", "root.sg.deep.a"} {
		if err := db.CreateDatabase(ctx, taken); !errors.Is(err, ErrExists) {
			t.Errorf("creating %s: %v, want ErrExists", taken, err)
		}
	}
	for _, bad := range []string{"root", "", "root.*", "root..x"} {
		if err := db.CreateDatabase(ctx, bad); !errors.Is(err, ErrBadInput) {
			t.Errorf("creating %q: %v, want ErrBadInput", bad, err)
		}
	}
	must(t, db.SetTTL(ctx, "root.sg.deep", time.Hour))
	must(t, db.Close())
	db = open()
	defer func() { must(t, db.Close()) }()
	want("root.`x.y`", "root.auto", "root.ln", "root.sg.deep", "root.top")
	if got := maps.Collect(db.TTLs()); len(got) != 1 || got["root.sg.deep"] != time.Hour {
		t.Errorf("times to live %v", got)
	}
	for _, d := range []string{"root.sg.deep", "root.auto", "root.ln"} {
		must(t, db.DropDatabase(ctx, d))
		if err := db.DropDatabase(ctx, d); !errors.Is(err, ErrNotFound) {
			t.Errorf("dropping %s again: %v, want ErrNotFound", d, err)
		}
	}
	want("root.`x.y`", "root.top")
	if db.TTL("root.sg.deep.a.s") != 0 {
		t.Error("the time to live of a dropped database holds")
	}
	if k := db.SeriesKind("root.sg.deep.a", "s"); k != KindNull {
		t.Errorf("a series of a dropped database is %s", k)
	}
	must(t, db.Insert(ctx, "root.sg.deep.a", time.Unix(1, 0), Int32("s", 1)))
	if h := db.SeriesHints("root.sg.deep.a.s"); h != nil {
		t.Errorf("a new series has the hints %v of the one before", h)
	}
}

func TestSeriesHints(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	db, err := Open(ctx, "store", &Options{FS: fs})
	must(t, err)
	must(t, db.CreateSeries(ctx, "root.a.d.s", KindBool))
	must(t, db.SetSeriesHints(ctx, "root.a.d.s", Params{"encoding": "PLAIN", "aligned": "true"}))
	if err := db.SetSeriesHints(ctx, "root.a.d.x", Params{"encoding": "PLAIN"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("hints of a series that does not exist: %v", err)
	}
	must(t, db.Close())
	db, err = Open(ctx, "store", &Options{FS: fs})
	must(t, err)
	defer db.Close()
	if h := db.SeriesHints("root.a.d.s"); !maps.Equal(h, Params{"encoding": "PLAIN", "aligned": "true"}) {
		t.Errorf("hints %v", h)
	}
	must(t, db.SetSeriesHints(ctx, "root.a.d.s", nil))
	if h := db.SeriesHints("root.a.d.s"); h != nil {
		t.Errorf("hints that were removed: %v", h)
	}
	must(t, db.SetSeriesHints(ctx, "root.a.d.s", Params{"k": "v"}))
	must(t, db.DropSeries(ctx, "root.a.**"))
	must(t, db.CreateSeries(ctx, "root.a.d.s", KindBool))
	if h := db.SeriesHints("root.a.d.s"); h != nil {
		t.Errorf("hints of a dropped series: %v", h)
	}
}

func TestSeriesKind(t *testing.T) {
	db := openMem(t, nil)
	ctx := context.Background()
	must(t, db.CreateSeries(ctx, "root.`a b`.`1`", KindInt64))
	for _, c := range []struct {
		device, name string
		want         Kind
	}{{"root.`a b`", "`1`", KindInt64}, {"root.`a b`", "1", KindInt64}, {"root.`a b`", "2", KindNull}, {"root", "*", KindNull}, {"", "", KindNull}} {
		if got := db.SeriesKind(c.device, c.name); got != c.want {
			t.Errorf("%s %s is %s, want %s", c.device, c.name, got, c.want)
		}
	}
}

// A function of a class is there again when the store is opened, before the
// continuous queries that use it.
func TestFunctionClasses(t *testing.T) {
	ctx := context.Background()
	fs, fake := vfs.NewMem(), newFake()
	opts := &Options{FS: fs, Clock: fake, Logger: slog.New(slog.DiscardHandler), FunctionClasses: map[string]FunctionSpec{"org.Twice": {UDTF: func() UDTF { return doubler{} }}}}
	db, err := Open(ctx, "store", opts)
	must(t, err)
	must(t, db.RegisterFunction(ctx, FunctionSpec{Name: "Twice", Class: "org.Twice"}))
	for _, c := range []struct {
		spec FunctionSpec
		want error
	}{
		{FunctionSpec{Name: "twice", Class: "org.Twice"}, ErrExists},
		{FunctionSpec{Name: "avg", Class: "org.Twice"}, ErrExists},
		{FunctionSpec{Name: "x", Class: "org.Missing"}, ErrNotFound},
		{FunctionSpec{Name: "x", Class: "org.Twice", UDTF: func() UDTF { return doubler{} }}, ErrBadInput},
	} {
		if err := db.RegisterFunction(ctx, c.spec); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.spec, err, c.want)
		}
	}
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "q", Every: time.Minute, Query: Query{
		Select: []expr.Expr{expr.Call("twice", expr.Col("s"))}, From: []string{"root.in"}, Into: []Target{{Device: "root.out", Columns: []string{"s"}}},
	}}))
	must(t, db.Close())
	db, err = Open(ctx, "store", opts)
	must(t, err)
	listed := func() (f FunctionInfo) {
		for info := range db.Functions() {
			if info.Name == "TWICE" {
				f = info
			}
		}
		return f
	}
	if f := listed(); f.Class != "org.Twice" || f.Type != "external UDTF" {
		t.Errorf("listed as %+v", f)
	}
	must(t, db.Insert(ctx, "root.in", fake.Now(), Float64("s", 21)))
	fake.Advance(2 * time.Minute)
	must(t, db.Quiesce(ctx))
	if p, err := db.Last(ctx, "root.out.s"); err != nil || len(p) != 1 || p[0].Value.Float64() != 42 {
		t.Errorf("the query wrote %v, %v", p, err)
	}
	must(t, db.Close())
	// Without the class the definition waits.
	db, err = Open(ctx, "store", &Options{FS: fs, Clock: fake, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	if f := listed(); f.Name != "" {
		t.Errorf("listed as %+v", f)
	}
	must(t, db.Close())
	db, err = Open(ctx, "store", opts)
	must(t, err)
	must(t, db.DropFunction(ctx, "TWICE"))
	must(t, db.Close())
	db, err = Open(ctx, "store", opts)
	must(t, err)
	defer db.Close()
	if f := listed(); f.Name != "" {
		t.Errorf("a dropped function is back: %+v", f)
	}
}

// With TimeUnit, expressions count time in it; rows keep their nanoseconds.
func TestTimeUnit(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for _, at := range []time.Duration{-1500 * time.Microsecond, 2 * time.Millisecond, 5*time.Millisecond + 700*time.Microsecond} {
		must(t, db.Insert(ctx, "root.u", time.Unix(0, int64(at)), Int64("s", int64(at/time.Microsecond))))
	}
	ms := func(q Query) Query {
		q.From, q.TimeUnit = []string{"root.u"}, time.Millisecond
		return q
	}
	rows := func(q Query) (out []int64) {
		t.Helper()
		r, err := db.Query(ctx, q)
		must(t, err)
		for row, err := range r.Rows() {
			must(t, err)
			out = append(out, row.UnixNano())
			for i := range row.Len() {
				out = append(out, row.Value(i).Int64())
			}
		}
		return out
	}
	s := expr.Col("s")
	for _, c := range []struct {
		q    Query
		want []int64
	}{
		{Query{Select: []expr.Expr{expr.Call("min_time", s), expr.Call("max_time", s), expr.Call("time_duration", s)}}, []int64{0, -2, 5, 7}},
		{Query{Select: []expr.Expr{expr.Call("time_in_state", s.Lt(2500))}}, []int64{0, 7}}, // 7.2 ms
		{Query{Select: []expr.Expr{s}, Where: expr.Time().Eq(5)}, []int64{5_700_000, 5700}},
		{Query{Select: []expr.Expr{s}, Where: expr.Time().Gt(5)}, nil},
		{Query{Select: []expr.Expr{s}, Where: expr.Time().Ge(5)}, []int64{5_700_000, 5700}},
		{Query{Select: []expr.Expr{s}, Where: expr.Time().Le(-2)}, []int64{-1_500_000, -1500}},
		{Query{Select: []expr.Expr{s}, Where: expr.Time().Lt(-1)}, []int64{-1_500_000, -1500}},
		{Query{Select: []expr.Expr{s}, Where: expr.Time().In(-2, 2)}, []int64{-1_500_000, -1500, 2_000_000, 2000}},
		{Query{Select: []expr.Expr{expr.Call("time_difference", s)}}, []int64{2_000_000, 4, 5_700_000, 3}},
		{Query{Select: []expr.Expr{expr.Col("__endTime"), expr.Count(s)}, GroupBy: GroupByCount{By: s, Size: 3}}, []int64{-1_500_000, 5, 3}},
	} {
		if got := rows(ms(c.q)); !slices.Equal(got, c.want) {
			t.Errorf("%v where %s: %d, want %d", c.q.Select, c.q.Where, got, c.want)
		}
	}
	r, err := db.Query(ctx, ms(Query{Select: []expr.Expr{expr.Count(s)}}))
	must(t, err)
	if !r.Timeless() {
		t.Error("an aggregate of all rows has a time")
	}
	r, err = db.Query(ctx, ms(Query{Select: []expr.Expr{s}}))
	must(t, err)
	if r.Timeless() {
		t.Error("rows as stored have no time")
	}
}
