package tickwell

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/internal/column"
	"github.com/tickwell/tickwell/internal/cqoracle"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/internal/engine"
)

func crashView() CQSpec {
	return CQSpec{Name: "m", OnChange: true, Sinks: []string{"box"}, Query: Query{
		Select: []expr.Expr{expr.Count(expr.Col("s")).As("n"), expr.Sum(expr.Col("s")).As("sum")}, From: []string{"root.in.d"},
		GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.m", Columns: []string{"n", "sum"}}},
	}}
}

// The power is cut after any change of the disk: when the store is open again
// and quiet, the results are those of the points that are there, and the events
// of each window are its revisions, each once and without a hole, the last of
// them what is stored.
func TestIncrementalSurvivesPowerCuts(t *testing.T) {
	ctx := context.Background()
	disk := crashfs.New()
	options := func() *Options {
		return &Options{Clock: newFake(), Sync: SyncAlways(), Profile: killProfile(), Sinks: []SinkSpec{killSink("")}}
	}
	opts := options()
	opts.FS = disk
	db := openDir(t, "data", opts)
	must(t, db.CreateContinuousQuery(ctx, crashView()))
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 120 {
		at := rng.Int64N(600e9)
		if rng.IntN(6) == 0 {
			must(t, db.Delete(ctx, "root.in.d.s", ns(at), ns(at+90e9)))
		} else {
			must(t, db.Insert(ctx, "root.in.d", ns(at), Float64("s", rng.NormFloat64())))
		}
		switch rng.IntN(12) {
		case 0:
			must(t, db.idleCQs(ctx))
		case 1:
			if i%3 == 0 {
				must(t, db.Flush(ctx))
			}
		}
	}
	must(t, db.idleCQs(ctx))
	must(t, db.Close())
	ops := disk.Ops()
	tries := 150
	if testing.Short() {
		tries = 40
	}
	for range tries {
		op, mode := rng.IntN(ops+1), crashfs.Modes[rng.IntN(len(crashfs.Modes))]
		opts := options()
		opts.FS = disk.Image(op, mode, rng.Uint64())
		db := openDir(t, "data", opts)
		must(t, db.idleCQs(ctx))
		checkCrashView(t, db, fmt.Sprintf("cut after %d of %d, %v", op, ops, mode))
		must(t, db.Close())
	}
}

func checkCrashView(t *testing.T, db *DB, where string) {
	t.Helper()
	var raw cqoracle.Series
	points := func(path string) map[int64]Value {
		out := map[int64]Value{}
		res, err := db.Query(context.Background(), Query{Select: []expr.Expr{expr.Col(path)}})
		must(t, err)
		for r, err := range res.Rows() {
			must(t, err)
			out[r.UnixNano()] = r.Value(0)
		}
		return out
	}
	for at, v := range points("root.in.d.s") {
		raw.Put(at, v.Float64())
	}
	if db.cqs.find("m") == nil {
		return // cut before it was created
	}
	n, sum := points("root.m.n"), points("root.m.sum")
	want := raw.Windows(60e9, math.MaxInt64, cqoracle.Sum)
	counts := raw.Windows(60e9, math.MaxInt64, cqoracle.Count).Points()
	if len(n) != len(counts) || len(sum) != len(counts) {
		t.Fatalf("%s: %d and %d windows stored, want %d", where, len(n), len(sum), len(counts))
	}
	for i, p := range want.Points() {
		if !sum[p.At].Equal(Float64Value(p.Value)) || n[p.At].Int64() != int64(counts[i].Value) {
			t.Fatalf("%s: window %d holds %s of %s, want %v of %v", where, p.At, sum[p.At], n[p.At], p.Value, counts[i].Value)
		}
	}
	entries, err := db.eng.Outbox().Next("box", db.eng.Outbox().Cursor("box"), 1<<20)
	must(t, err)
	last := map[int64]Event{}
	next := map[int64]int{}
	for _, en := range entries {
		e, err := decodeEvent(en.Payload)
		must(t, err)
		at := e.Time.UnixNano()
		if e.Revision != next[at] {
			t.Fatalf("%s: window %d has revision %d, want %d", where, at, e.Revision, next[at])
		}
		next[at]++
		last[at] = e
	}
	for at, e := range last {
		if v, ok := sum[at]; ok != (e.Notes["retracted"] == "") || ok && !v.Equal(e.Get("sum")) {
			t.Fatalf("%s: window %d: last event %+v, stored %s", where, at, e, v)
		}
	}
	for at := range sum {
		if _, ok := last[at]; !ok {
			t.Fatalf("%s: window %d is stored, but was not sent", where, at)
		}
	}
}

// Writers and runs go on at the same time; nothing gets lost in between.
func TestIncrementalUnderConcurrentWrites(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	spec := crashView()
	spec.Sinks = nil
	var writers sync.WaitGroup
	var all [4][]cqoracle.Point
	for w := range all {
		rng := rand.New(rand.NewPCG(uint64(w), 1))
		writers.Go(func() {
			for i := range 3000 {
				at := rng.Int64N(3600)*4e9 + int64(w)*1e9
				p := cqoracle.Point{At: at, Value: float64(i)}
				if err := db.Insert(ctx, "root.in.d", ns(at), Float64("s", p.Value)); err != nil {
					t.Error(err)
					return
				}
				all[w] = append(all[w], p)
			}
		})
	}
	must(t, db.CreateContinuousQuery(ctx, spec)) // in the middle of it
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := db.pumpAll(ctx); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	writers.Wait()
	close(stop)
	<-done
	must(t, db.Quiesce(ctx))
	var raw cqoracle.Series
	for _, list := range all {
		for _, p := range list {
			raw.Put(p.At, p.Value)
		}
	}
	var want []string
	for _, p := range raw.Windows(60e9, math.MaxInt64, cqoracle.Sum).Points() {
		want = append(want, fmt.Sprintf("root.m.sum@%d=%s", p.At, Float64Value(p.Value)))
	}
	wantDump(t, db, "root.m.sum", want...)
}

// A record that is under way while its query is altered has the marks of the
// definition before, in a generation of before; the new one takes them up.
func TestIncrementalAlterTakesUpMarksUnderWay(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	cqPut(t, db, "root.in.d", 10, 1)
	cqPut(t, db, "root.in.d", 130, 1)
	must(t, db.Quiesce(ctx))
	table, under := db.cqs.begin() // a row at 20 s, held before its record
	under.rows(db, table.views[0], "root.in.d", []int64{20e9})
	b := engine.Batch{}
	under.store(&b)
	shape, err := db.eng.Shape("root.in.d", []string{"s"}, []column.Kind{column.Float64})
	must(t, err)
	b.Tablets = []engine.Tablet{{Shape: shape, Times: []int64{20e9}, Cols: []column.Vector{{Kind: column.Float64, Float64s: []float64{5}}}, Nulls: []column.Bitmap{nil}}}
	altered := make(chan error)
	go func() {
		spec := minuteView("m")
		spec.Text = "another"
		altered <- db.AlterContinuousQuery(ctx, spec)
	}()
	for db.cqs.table.Load() == table { // until inserts see the new one
		runtime.Gosched()
	}
	_, err = db.eng.Commit(ctx, &b, false)
	must(t, err)
	under.settle(db, nil)
	must(t, <-altered)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.*", "n@0=2 sum@0=6")
}

// Definitions change while rows come in and are computed: what a record of
// before the change made dirty is computed by the query of after it.
func TestIncrementalAlterUnderLoad(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	specs := cqWorldSpecs(-1, false)
	for _, s := range specs {
		must(t, db.CreateContinuousQuery(ctx, s))
	}
	var writers, others sync.WaitGroup
	var all [2][]cqoracle.Point
	for w := range all {
		rng := rand.New(rand.NewPCG(uint64(w), 5))
		writers.Go(func() {
			for i := range 2000 {
				p := cqoracle.Point{At: rng.Int64N(1<<16)*4e9 + int64(w)*1e9, Value: float64(i)}
				if err := db.Insert(ctx, "root.in.d", ns(p.At), Float64("s", p.Value)); err != nil {
					t.Error(err)
					return
				}
				all[w] = append(all[w], p)
			}
		})
	}
	stop := make(chan struct{})
	repeat := func(f func(i int) error) {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	repeat(func(int) error { _, err := db.pumpAll(ctx); return err })
	repeat(func(i int) error {
		spec := specs[i%3]
		spec.Text = fmt.Sprint(i)
		return db.AlterContinuousQuery(ctx, spec)
	})
	repeat(func(i int) error {
		return db.RefreshContinuousQuery(ctx, specs[i%3].Name, ns(0), ns(3600e9))
	})
	writers.Wait()
	close(stop)
	others.Wait()
	must(t, db.Quiesce(ctx))
	w := newCQWorld(t, gridSort{}, 0, -1, 0, "d")
	w.db = db
	for _, list := range all {
		for _, p := range list {
			w.raw["d"].Put(p.At, p.Value)
		}
	}
	w.check()
}

// Rows newest first into three levels: each window is computed about once.
func TestIncrementalComputesOnce(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Clock: newFake()})
	for _, s := range cqWorldSpecs(-1, false) {
		must(t, db.CreateContinuousQuery(ctx, s))
	}
	const n = 10_000
	for i := range int64(n) {
		must(t, db.Insert(ctx, "root.in.d", time.Unix(30*(n-i), 0), Float64("s", 1)))
	}
	must(t, db.Quiesce(ctx))
	for _, c := range []struct {
		name   string
		length int64
	}{{"l1", 60}, {"l2", 3600}, {"l3", 24 * 3600}} {
		touched := 30*n/c.length + 1
		if got := cqByName(t, db, c.name).Computed; float64(got) > 1.1*float64(touched) {
			t.Errorf("%s: %d windows computed for %d touched", c.name, got, touched)
		}
	}
}

// A run does not take its cut before the records are stored that rely on the
// marks it removes.
func TestIncrementalWaitsForRecordsUnderWay(t *testing.T) {
	db := openMem(t, &Options{Clock: newFake()})
	must(t, db.CreateContinuousQuery(context.Background(), minuteView("m")))
	v := db.cqs.find("m").view
	_, under := db.cqs.begin()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 2 { // the second does not forget what the first did not wait for
		if _, err := db.cqs.newGeneration(ctx, v); err == nil {
			t.Fatal("a run begins while a record is under way")
		}
	}
	under.settle(db, nil)
	if _, err := db.cqs.newGeneration(context.Background(), v); err != nil {
		t.Fatal(err)
	}
}

// Rows that expire leave the results of their windows as they are, also when
// other rows of those windows change.
func TestIncrementalSealsWhatExpires(t *testing.T) {
	ctx := context.Background()
	clock := newFake()
	clock.Set(time.Unix(0, 0))
	db := openMem(t, &Options{Clock: clock})
	must(t, db.CreateContinuousQuery(ctx, minuteView("m")))
	for i := range int64(60) {
		cqPut(t, db, "root.in.d", 10*i, 1)
	}
	clock.Advance(10 * time.Minute)
	must(t, db.Quiesce(ctx))
	const want = "n@0=6 n@60=6 n@120=6 n@180=6 n@240=6 n@300=6 n@360=6 n@420=6 n@480=6"
	cqRows(t, db, "root.m.n", want)
	must(t, db.eng.SetTTL(ctx, "root.in", 90*time.Second))
	at, ok := db.eng.Horizon("root.in.d", "s")
	if !ok || at < time.Unix(490, 0).UnixNano() || at > time.Unix(510, 0).UnixNano() {
		t.Fatalf("horizon %d, %t", at, ok)
	}
	cqPut(t, db, "root.in.d", 535, 1) // in a window of which rows have expired
	cqPut(t, db, "root.in.d", 545, 1)
	cqPut(t, db, "root.in.d", 601, 1)
	must(t, db.Quiesce(ctx))
	cqRows(t, db, "root.m.n", want+" n@540=7")
}

// A row ends windows, is deleted, and the process dies before they are computed:
// they are over all the same.
func TestIncrementalWatermarkOutlivesItsRow(t *testing.T) {
	if SmallProgram {
		t.Skip("has windows that depend on rows")
	}
	ctx := context.Background()
	for want, group := range map[string]GroupBy{"n@0=1": GroupByTime{Interval: time.Minute}, "n@10=1": GroupBySession{Gap: 30 * time.Second}} {
		spec := minuteView("m")
		query := spec.Query.(Query)
		query.GroupBy = group
		spec.Query = query
		disk := crashfs.New()
		db := openDir(t, "data", &Options{FS: disk, Clock: newFake(), Profile: killProfile()})
		must(t, db.CreateContinuousQuery(ctx, spec))
		cqPut(t, db, "root.in.d", 10, 1)
		must(t, db.Quiesce(ctx))
		cqPut(t, db, "root.in.d", 650, 1)
		must(t, db.Delete(ctx, "root.in.d.s", ns(600e9), ns(700e9)))
		image := disk.Image(disk.Ops(), crashfs.All, 1)
		must(t, db.Close())
		db = openDir(t, "data", &Options{FS: crashfs.From(image), Clock: newFake(), Profile: killProfile()})
		must(t, db.Quiesce(ctx))
		cqRows(t, db, "root.m.n", want)
	}
}
