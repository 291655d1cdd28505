//go:build !tickwell_small

package tickwell

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/vfs"
)

// rollupLevels are queries over root.in: minutes of one device directly, hours
// of the minutes, ten minutes by device, minutes under a condition, days of
// Berlin.
func rollupLevels() []CQSpec {
	i, f, b := expr.Col("i"), expr.Col("f"), expr.Col("b")
	c := expr.Col
	inc := func(name string, q Query) CQSpec { return CQSpec{Name: name, Query: q, OnChange: name != "minutes"} }
	names := []string{"n", "sum", "min", "max", "first", "last", "t0", "t1", "ext", "fsum", "favg", "fdev", "fn", "fmax", "on"}
	return []CQSpec{
		inc("minutes", Query{From: []string{"root.in.d1"}, GroupBy: GroupByTime{Interval: time.Minute},
			Select: []expr.Expr{expr.Count(i), expr.Sum(i), expr.Min(i), expr.Max(i), expr.First(i), expr.Last(i), expr.Call("min_time", i), expr.Call("max_time", i),
				expr.Call("EXTREME", i), expr.Sum(f), expr.Avg(f), expr.Call("stddev", f), expr.Count(f), expr.Max(f), expr.Call("count_if", b)},
			Into: []Target{{Device: "root.m", Columns: names}}}),
		inc("hours", Query{From: []string{"root.m"}, GroupBy: GroupByTime{Interval: time.Hour},
			Select: []expr.Expr{expr.Sum(c("n")), expr.Sum(c("sum")), expr.Min(c("min")), expr.Max(c("max")), expr.First(c("first")), expr.Last(c("last")),
				expr.Min(c("t0")), expr.Max(c("t1")), expr.Sum(c("fn")), expr.Max(c("fmax")), expr.Avg(c("favg"))},
			Into: []Target{{Device: "root.h", Columns: []string{"n", "sum", "min", "max", "first", "last", "t0", "t1", "fn", "fmax", "favg"}}}}),
		inc("tens", Query{From: []string{"root.in.*"}, AlignByDevice: true, GroupBy: GroupByTime{Interval: 10 * time.Minute},
			Select: []expr.Expr{expr.Count(i), expr.Sum(i), expr.Max(f)}, Into: []Target{{Device: "root.tens.${2}", Columns: []string{"n", "sum", "fmax"}}}}),
		inc("positive", Query{From: []string{"root.in.d1"}, Where: f.Gt(0), GroupBy: GroupByTime{Interval: time.Minute},
			Select: []expr.Expr{expr.Count(i), expr.Max(f)}, Into: []Target{{Device: "root.pos", Columns: []string{"n", "fmax"}}}}),
		inc("ends", Query{From: []string{"root.in.d1"}, GroupBy: GroupByTime{Interval: 5 * time.Minute, LeftOpen: true},
			Select: []expr.Expr{expr.Count(i), expr.Sum(i)}, Into: []Target{{Device: "root.ends", Columns: []string{"n", "sum"}}}}),
	}
}

// rollupAsks are queries that some of the levels answer, at least in part.
func rollupAsks() []Query {
	i, f, b := expr.Col("i"), expr.Col("f"), expr.Col("b")
	all := []expr.Expr{expr.Count(i), expr.Sum(i), expr.Avg(i), expr.Min(i), expr.Max(i), expr.First(i), expr.Last(i), expr.Call("min_time", i), expr.Call("max_time", i),
		expr.Call("extreme", i), expr.Sum(f), expr.Avg(f), expr.Call("stddev", f), expr.Count(f), expr.Max(f), expr.Call("count_if", b), expr.Call("time_duration", i)}
	din := []string{"root.in.d1"}
	return []Query{
		{Select: all, From: din, GroupBy: GroupByTime{Interval: time.Minute}},
		{Select: all, From: din, GroupBy: GroupByTime{Interval: time.Hour}},
		{Select: all, From: din, GroupBy: GroupByTime{Interval: 5 * time.Hour}},
		{Select: all, From: din},
		{Select: all, From: din, GroupBy: GroupByTime{Interval: 2 * time.Hour, Step: 30 * time.Minute}},
		{Select: all, From: din, GroupBy: GroupByTime{Interval: 97 * time.Minute}},
		{Select: all, From: din, GroupBy: GroupByTime{IntervalMonths: 1}, Zone: "Europe/Berlin"},
		{Select: all, From: din, GroupBy: GroupByTime{Interval: time.Hour, LeftOpen: true}},
		{Select: all, From: []string{"root.in.d1", "root.in.d2"}, GroupBy: GroupByTime{Interval: time.Hour}, AlignByDevice: true},
		{Select: []expr.Expr{expr.Count(i), expr.Max(f), expr.Col("__endTime")}, From: din, Where: f.Gt(0), GroupBy: GroupByTime{Interval: 30 * time.Minute}},
		{Select: []expr.Expr{expr.Count(i), expr.Max(f)}, From: din, Where: f.Gt(0.5), GroupBy: GroupByTime{Interval: 30 * time.Minute}},
		{Select: []expr.Expr{expr.Max(i).Sub(expr.Min(i)), expr.Count(expr.Col("*"))}, From: din, GroupBy: GroupByTime{Interval: time.Hour},
			Having: expr.Count(i).Gt(3), OrderBy: []Order{{By: expr.Max(i), Desc: true}}, Limit: 7, Fill: Fill{Previous: true}},
		{Select: []expr.Expr{expr.Count(i), expr.Sum(i)}, From: din, Where: expr.Time().Ge(int64(7261) * 1e9), GroupBy: GroupByTime{Interval: 2 * time.Hour}},
	}
}

type rollupWorld struct {
	t      *testing.T
	db     *DB
	twin   *DB // has no levels, and nothing expires
	clock  *clock.Fake
	opts   *Options
	rng    *rand.Rand
	ttl    int64
	newest int64
	ops    []string
}

// rollupOther is the query under a condition that no level has.
const rollupOther = 10

const rollupSeeds = 3

const rollupSpan = 20 * 3600 // seconds

func (w *rollupWorld) both(do func(db *DB) error) {
	must(w.t, do(w.db))
	if w.twin != nil {
		must(w.t, do(w.twin))
	}
}

// allowed keeps rows out of windows of which rows may have expired: those stay
// as they are.
func (w *rollupWorld) allowed(at int64) int64 {
	if w.ttl == 0 {
		return at
	}
	return max(at, (w.newest-w.ttl)/3600e9*3600e9+2*3600e9)
}

func (w *rollupWorld) step() {
	ctx := context.Background()
	at := w.rng.Int64N(rollupSpan) * 1e9
	if w.rng.IntN(3) > 0 {
		at = w.newest + w.rng.Int64N(400e9) - 100e9
	}
	at = min(max(w.allowed(at), 0), 2*rollupSpan*1e9)
	switch op := w.rng.IntN(100); {
	case op < 75:
		tab := &Tablet{Device: fmt.Sprint("root.in.d", 1+w.rng.IntN(5)/4)}
		for range 1 + w.rng.IntN(30) {
			fields := []Field{}
			if w.rng.IntN(8) > 0 {
				fields = append(fields, Int64("i", w.rng.Int64N(2000)-1000))
			}
			if w.rng.IntN(60) == 0 { // sums that a Float64 does not hold
				fields = []Field{Int64("i", math.MaxInt64/int64(1+w.rng.IntN(40)))}
			}
			if w.rng.IntN(3) > 0 {
				v := w.rng.NormFloat64()
				switch w.rng.IntN(30) {
				case 0:
					v = math.NaN()
				case 1:
					v = math.Copysign(0, v)
				}
				fields = append(fields, Float64("f", v))
			}
			if w.rng.IntN(2) > 0 {
				fields = append(fields, Bool("b", w.rng.IntN(2) > 0))
			}
			if len(fields) == 0 {
				continue
			}
			must(w.t, tab.Append(ns(at), fields...))
			w.newest = max(w.newest, at)
			at += w.rng.Int64N(120e9)
		}
		if tab.Len() == 0 {
			return
		}
		w.ops = append(w.ops, fmt.Sprintf("insert %s %v", tab.Device, tab.Times))
		w.both(func(db *DB) error { return db.InsertTablet(ctx, tab.Clone()) })
	case op < 82:
		to := at + w.rng.Int64N(7200e9)
		w.ops = append(w.ops, fmt.Sprintf("delete %d %d", at, to))
		w.both(func(db *DB) error { return db.Delete(ctx, "root.in.**", ns(at), ns(to)) })
	case op < 84 && w.twin == nil: // results are deleted by somebody
		w.ops = append(w.ops, fmt.Sprintf("delete results %d", at))
		must(w.t, w.db.Delete(ctx, []string{"root.m.**", "root.h.**", "root.tens.**"}[w.rng.IntN(3)], ns(at), ns(at+3600e9)))
	case op < 86:
		w.ops = append(w.ops, "reopen")
		must(w.t, w.db.Close())
		w.db = openDir(w.t, "data", w.opts)
	case op < 89:
		w.ops = append(w.ops, "flush")
		must(w.t, w.db.Flush(ctx))
	case op < 95:
		w.clock.Advance(time.Duration(w.rng.Int64N(2e9)))
	default:
		w.ops = append(w.ops, "quiesce")
		must(w.t, w.db.Quiesce(ctx))
	}
}

// ask compares the answer by way of the levels with that of rows, and returns
// how many windows of levels were taken.
func (w *rollupWorld) ask(q Query) (used int64) {
	ctx := context.Background()
	start := w.rng.Int64N(rollupSpan)
	if w.rng.IntN(2) > 0 {
		start -= start % 3600
	}
	q.Start = time.Unix(start, 0).UTC()
	q.End = q.Start.Add(time.Duration(1+w.rng.Int64N(rollupSpan)) * time.Second)
	if g, ok := q.GroupBy.(GroupByTime); ok && g.Interval == time.Minute {
		q.End = q.Start.Add(time.Duration(1+w.rng.Int64N(7200)) * time.Second)
	}
	if w.twin != nil { // what is read from rows may have expired
		q.Start = q.Start.Truncate(time.Hour)
		q.End = q.Start.Add(q.End.Sub(q.Start).Truncate(time.Hour) + time.Hour)
	}
	raw := q
	raw.exact = true
	q.Rollups = true
	res, err := w.db.Query(ctx, q)
	must(w.t, err)
	got := rowsText(w.t, res)
	from := w.db
	if w.twin != nil {
		from = w.twin
	}
	plain, err := from.Query(ctx, raw)
	must(w.t, err)
	if want := rowsText(w.t, plain); got != want {
		g, x := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range g {
			if i >= len(x) || g[i] != x[i] {
				w.t.Errorf("row %d: by levels\n%s\nfrom rows\n%s", i, g[i], strings.Join(x[i:min(i+1, len(x))], ""))
				break
			}
		}
		w.t.Fatalf("%+v\n%s\nafter %s", q, res.Explain().Plan, strings.Join(w.ops[max(0, len(w.ops)-60):], "; "))
	}
	for _, n := range res.Explain().RolledUp {
		used += n
	}
	return used
}

func (w *rollupWorld) run(steps int, used []int64) {
	for n := range steps {
		w.step()
		if n%5 == 4 {
			asks := rollupAsks()
			k := w.rng.IntN(len(asks))
			used[k] += w.ask(asks[k])
		}
	}
	must(w.t, w.db.Quiesce(context.Background()))
	for k, q := range rollupAsks() {
		used[k] += w.ask(q)
	}
}

// Answers by way of levels have the bits of those from rows: late rows,
// overwrites, deletes of rows and of results, reopening; computed or not yet.
func TestRollupsAgainstRows(t *testing.T) {
	used := make([]int64, len(rollupAsks()))
	for seed := range uint64(rollupSeeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := &rollupWorld{t: t, clock: newFake(), rng: rand.New(rand.NewPCG(seed, 5))}
			w.opts = &Options{FS: vfs.NewMem(), Clock: w.clock, Profile: Profile{BlockRows: 64}}
			w.db = openDir(t, "data", w.opts)
			for _, spec := range rollupLevels() {
				must(t, w.db.CreateContinuousQuery(context.Background(), spec))
			}
			w.run(150, used)
		})
	}
	for k, n := range used {
		if q := rollupAsks()[k]; (n == 0) != (k == rollupOther) {
			t.Errorf("%d windows of levels were used for %+v", n, q)
		}
	}
}

// Where rows have expired, the answer is what they gave before.
func TestRollupsOutliveRows(t *testing.T) {
	for seed := range uint64(2) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			ctx := context.Background()
			w := &rollupWorld{t: t, clock: newFake(), rng: rand.New(rand.NewPCG(seed, 6)), ttl: 6 * 3600e9}
			w.opts = &Options{FS: vfs.NewMem(), Clock: w.clock, Profile: Profile{BlockRows: 64}}
			w.db = openDir(t, "data", w.opts)
			w.twin = openDir(t, "twin", &Options{FS: vfs.NewMem(), Clock: newFake()})
			must(t, w.db.SetTTL(ctx, "root.in", time.Duration(w.ttl)))
			for _, spec := range rollupLevels() {
				must(t, w.db.CreateContinuousQuery(ctx, spec))
			}
			for range 500 {
				w.step()
			}
			must(t, w.db.Quiesce(ctx))
			i := expr.Col("i")
			for range 40 {
				asks := []Query{
					{Select: []expr.Expr{expr.Count(i), expr.Min(i), expr.Max(i), expr.First(i), expr.Last(i)}, From: []string{"root.in.d1"}, GroupBy: GroupByTime{Interval: time.Hour}},
					{Select: []expr.Expr{expr.Count(i), expr.Max(i)}, From: []string{"root.in.d1"}, GroupBy: GroupByTime{Interval: 3 * time.Hour}},
				}
				for _, q := range asks {
					w.ask(q)
				}
			}
			before, err := w.db.Query(ctx, Query{Select: []expr.Expr{expr.Count(i)}, From: []string{"root.in.d1"}})
			must(t, err)
			kept, err := w.twin.Query(ctx, Query{Select: []expr.Expr{expr.Count(i)}, From: []string{"root.in.d1"}})
			must(t, err)
			if a, b := rowsText(t, before), rowsText(t, kept); a == b {
				t.Errorf("nothing has expired: %s", a)
			}
		})
	}
}

// Explain names the queries that may answer, and counts the windows that did: a
// day has 23 whole hours that are over, then minutes, then rows.
func TestRollupsExplained(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	s := expr.Col("s")
	for _, c := range []struct {
		name, from string
		e          expr.Expr
		length     time.Duration
	}{{"minutes", "root.in.d", expr.Count(s), time.Minute}, {"hours", "root.min", expr.Sum(expr.Col("n")), time.Hour}} {
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: c.name, Query: Query{Select: []expr.Expr{c.e}, From: []string{c.from},
			GroupBy: GroupByTime{Interval: c.length}, Into: []Target{{Device: "root." + c.name[:3], Columns: []string{"n"}}}}}))
	}
	tab := &Tablet{Device: "root.in.d"}
	const last = 23*3600 + 30*60 + 10 // seconds
	for at := int64(0); at <= last; at += 10 {
		must(t, tab.Append(time.Unix(at, 0), Float64("s", 1)))
	}
	must(t, db.InsertTablet(ctx, tab))
	must(t, db.Quiesce(ctx))
	cqPut(t, db, "root.in.d", 2*3600+75, 1) // late: one minute and its hour
	q := Query{Select: []expr.Expr{expr.Count(s)}, From: []string{"root.in.d"}, Rollups: true,
		Start: time.Unix(0, 0), End: time.Unix(24*3600, 0), GroupBy: GroupByTime{Interval: 24 * time.Hour}}
	res, err := db.Query(ctx, q)
	must(t, err)
	if e := res.Explain(); !strings.HasPrefix(e.Plan, "results of hours, minutes, where they are exact\n") || e.RolledUp != nil {
		t.Errorf("before: %+v", e)
	}
	if got, want := rowsText(t, res), fmt.Sprintf("count(root.in.d.s):int64 \n@0 %d/%[1]d", last/10+2); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Hour 2 is of 59 minutes and the rows of one, 7 with the late one. Hour 23
	// is not over: of 30 minutes and the 2 rows of the next.
	e := res.Explain()
	if fmt.Sprint(e.RolledUp) != "map[hours:22 minutes:89]" {
		t.Errorf("after: %+v", e)
	}
	q.Rollups = false
	res, err = db.Query(ctx, q)
	must(t, err)
	if got, want := rowsText(t, res), fmt.Sprintf("count(root.in.d.s):int64 \n@0 %d/%[1]d", last/10+2); got != want {
		t.Errorf("from rows: got %s, want %s", got, want)
	}
	if e := res.Explain(); strings.Contains(e.Plan, "results") || e.RolledUp != nil {
		t.Errorf("from rows: %+v", e)
	}
}

// stuckStart is a UDAF that counts, and that does not return from its start while
// hang is set.
type stuckStart struct {
	hang    *atomic.Bool
	entered chan struct{}
	release chan struct{}
	n       int64
}

func (s *stuckStart) BeforeStart(*UDFInput) (Kind, error) {
	if s.hang.Load() {
		s.entered <- struct{}{}
		<-s.release
	}
	return KindInt64, nil
}

func (s *stuckStart) Reset()                 { s.n = 0 }
func (s *stuckStart) Add(Row) error          { s.n++; return nil }
func (s *stuckStart) Result() (Value, error) { return Int64Value(s.n), nil }

// A function of a continuous query that hangs at its start holds a query up that
// looks for rollups until its context ends, and no other.
func TestRollupsFunctionHangs(t *testing.T) {
	ctx := context.Background()
	var hang atomic.Bool
	entered, release := make(chan struct{}, 8), make(chan struct{})
	db := openMem(t, &Options{Clock: newFake(), Functions: []FunctionSpec{{Name: "stuck", UDAF: func() UDAF {
		return &stuckStart{hang: &hang, entered: entered, release: release}
	}}}})
	t.Cleanup(func() { hang.Store(false); close(release) })
	s := expr.Col("s")
	must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "hours", Query: Query{Select: []expr.Expr{expr.Count(s), expr.Call("stuck", s)}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.hours", Columns: []string{"n", "stuck"}}}}}))
	for at := int64(0); at < 5*3600; at += 600 {
		cqPut(t, db, "root.in.d", at, 1)
	}
	must(t, db.Quiesce(ctx))
	hang.Store(true)
	cqPut(t, db, "root.other", 0, 1) // rollups are found anew
	q := Query{Select: []expr.Expr{expr.Count(s)}, From: []string{"root.in.d"}, Rollups: true, Start: time.Unix(0, 0), End: time.Unix(4*3600, 0)}
	ask := func(ctx context.Context) (map[string]int64, error) {
		res, err := db.Query(ctx, q)
		must(t, err)
		if _, err = res.Collect(); err != nil {
			n := len(entered)
			if plan := res.Explain().Plan; plan == "" || len(entered) != n {
				t.Errorf("Explain of a query that was canceled starts the function again: %s", plan)
			}
			return nil, err
		}
		return res.Explain().RolledUp, nil
	}
	for range 2 {
		within(t, "a query that looks for rollups", func() {
			ctx, cancel := context.WithCancel(ctx)
			go func() { <-entered; cancel() }()
			if _, err := ask(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "stuck") {
				t.Errorf("the query ends with %v, want it canceled, with the name of the function", err)
			}
		})
	}
	hang.Store(false)
	within(t, "the next", func() {
		if used, err := ask(ctx); err != nil || used["hours"] != 4 {
			t.Errorf("once the function starts: %v, %v", used, err)
		}
	})
}

// While rows come in and results are computed, no answer is of a row less than
// the one before, nor of one more than there are.
func TestRollupsWhileRowsComeIn(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for _, c := range []struct {
		name, from string
		e          expr.Expr
		length     time.Duration
	}{{"seconds", "root.in.d", expr.Count(expr.Col("s")), time.Second}, {"minutes", "root.sec", expr.Sum(expr.Col("n")), time.Minute}} {
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: c.name, OnChange: true, Query: Query{Select: []expr.Expr{c.e}, From: []string{c.from},
			GroupBy: GroupByTime{Interval: c.length}, Into: []Target{{Device: "root." + c.name[:3], Columns: []string{"n"}}}}}))
	}
	const rows = 600
	rng := rand.New(rand.NewPCG(1, 2))
	order := rng.Perm(rows)
	var stored, started atomic.Int64
	done := make(chan error, 1)
	go func() {
		for i, n := range order {
			started.Store(int64(i + 1))
			if err := db.Insert(ctx, "root.in.d", time.UnixMilli(int64(n)*397), Float64("s", 1)); err != nil {
				done <- err
				return
			}
			stored.Store(int64(i + 1))
			if i%50 == 49 {
				if err := db.Quiesce(ctx); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	q := Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.in.d"}, Rollups: true,
		Start: time.Unix(0, 0), End: time.Unix(240, 0), GroupBy: GroupByTime{Interval: 4 * time.Minute}}
	count := func() (n int64) {
		res, err := db.Query(ctx, q)
		must(t, err)
		for r, err := range res.Rows() {
			must(t, err)
			n = r.Value(0).Int64()
		}
		return n
	}
	for over := false; !over; {
		select {
		case err := <-done:
			must(t, err)
			over = true
		default:
		}
		least := stored.Load()
		n := count()
		if most := started.Load(); n < least || n > most {
			t.Fatalf("%d rows, there were at least %d and at most %d", n, least, most)
		}
	}
	must(t, db.Quiesce(ctx))
	if n := count(); n != rows {
		t.Errorf("%d rows, want %d", n, rows)
	}
}
