package tickwell

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/vfs"
)

// Inserting through a handle allocates nothing in steady state.
func TestInsertAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx := context.Background()
	for _, fs := range []vfs.FS{nil, vfs.NewMem()} {
		dir := ""
		if fs != nil {
			dir = "data"
		}
		db := openDir(t, dir, &Options{FS: fs})
		cols := make([]ColumnInfo, 10)
		values := make([]Value, 10)
		for i := range cols {
			cols[i] = ColumnInfo{fmt.Sprintf("s%d", i), KindFloat64}
		}
		w, err := db.Writer("root.d", cols...)
		must(t, err)
		at := int64(1)
		row := func() {
			for i := range values {
				values[i] = Float64Value(float64(at) / 10)
			}
			must(t, w.Insert(ctx, time.Unix(at, 0), values...))
			at++
		}
		for range 3000 { // past the growth of the first blocks
			row()
		}
		// A block of 1024 rows is sealed within: its allocations are spread
		// over the rows, so what is left is less than one a row.
		if n := testing.AllocsPerRun(2048, row); n != 0 {
			t.Errorf("dir %q: %v allocations a row of 10, want 0", dir, n)
		}
		byPath := func() {
			must(t, db.Insert(ctx, "root.e", time.Unix(at, 0), Float64("a", 1), Float64("b", 2)))
			at++
		}
		for range 3000 {
			byPath()
		}
		if n := testing.AllocsPerRun(2048, byPath); n != 0 {
			t.Errorf("dir %q: %v allocations a row by path, want 0", dir, n)
		}
		g := newGateway(3, 0)
		group := func() {
			ts, _ := g.tick()
			must(t, db.InsertTablets(ctx, ts...))
		}
		for range 3000 {
			group()
		}
		if n := testing.AllocsPerRun(2048, group); n != 0 {
			t.Errorf("dir %q: %v allocations a group of three rows, want 0", dir, n)
		}
		must(t, db.CreateTrigger(ctx, spec("other", "root.other.*", AfterInsert, func(context.Context, *Firing) error { return nil })))
		must(t, db.CreateContinuousQuery(ctx, CQSpec{Name: "days", Query: Query{Select: []expr.Expr{expr.Avg(expr.Col("s1"))}, From: []string{"root.gateway.*"},
			GroupBy: GroupByTime{Interval: 24 * time.Hour}, Into: []Target{{Device: "root.days", Columns: []string{"a"}}}}}))
		must(t, db.Quiesce(ctx))
		for range 10 {
			group()
		}
		if n := testing.AllocsPerRun(2048, group); n != 0 {
			t.Errorf("dir %q: %v allocations a group that a continuous query reads, want 0", dir, n)
		}
	}
}

// Hundreds of opens and closes leave no goroutine, file or memory.
func TestOpenCloseLeavesNothing(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	cycle := func() {
		db, err := Open(ctx, dir, &Options{Logger: openMemLogger(), Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(context.Context, []Event) error { return nil })}},
			ContinuousQueries: []CQSpec{{Name: "n", Every: time.Hour, Query: Query{Select: []expr.Expr{expr.Avg(expr.Col("s"))}, From: []string{"root.d"},
				GroupBy: GroupByTime{Interval: time.Hour}, Into: []Target{{Device: "root.o", Columns: []string{"a"}}}}}}})
		must(t, err)
		must(t, db.Insert(ctx, "root.d", time.Unix(1, 0), Float64("s", 1)))
		res, err := db.Query(ctx, Query{From: []string{"root.d"}})
		must(t, err)
		for range res.Rows() {
			break
		}
		must(t, db.Close())
	}
	for range 10 {
		cycle()
	}
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	goroutines, files, heap := settled()
	for range rounds {
		cycle()
	}
	_, _, middle := settled()
	for range rounds {
		cycle()
	}
	g, f, h := settled()
	if g > goroutines || f > files {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines and %d files after %d cycles, %d and %d before:\n%s", g, f, rounds, goroutines, files, buf[:runtime.Stack(buf, true)])
	}
	// What earlier tests left behind may come and go once; a leak grows with
	// every cycle.
	if grown := uint64(rounds) * 4 << 10; middle > heap+grown && h > middle+grown {
		t.Errorf("%d KiB of heap, %d after %d cycles, %d after as many more", heap>>10, middle>>10, rounds, h>>10)
	}
}

// settled returns goroutines, open files (0 where the system does not tell) and
// heap, once finalizers and exiting goroutines had a chance.
func settled() (goroutines, files int, heap uint64) {
	for range 20 {
		runtime.GC()
		runtime.Gosched()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		files = len(list)
	}
	return runtime.NumGoroutine(), files, m.HeapAlloc
}

// The store works inside testing/synctest bubbles, also in two of one process.
func TestSynctestBubbles(t *testing.T) {
	for range 2 {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			var j journal
			db := openDir(t, "data", &Options{FS: vfs.NewMem(), Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}},
				Triggers: []TriggerSpec{spec("n", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error {
					f.Emit(Event{Series: "root.d.s", Time: f.Row(0).Time()})
					return nil
				})},
				ContinuousQueries: []CQSpec{{Name: "q", Every: time.Minute, Query: Query{Select: []expr.Expr{expr.Count(expr.Col("s"))}, From: []string{"root.d"},
					GroupBy: GroupByTime{Interval: time.Minute}, Into: []Target{{Device: "root.o", Columns: []string{"n"}}}}}}})
			start := time.Now()
			for i := range 60 {
				must(t, db.Insert(ctx, "root.d", start.Add(time.Duration(i)*time.Second), Float64("s", 1)))
				<-time.After(time.Second) // of the bubble
			}
			synctest.Wait()
			must(t, db.Quiesce(ctx))
			if got := j.take(); len(got) != 60 || !strings.HasSuffix(got[59], fmt.Sprint("@", start.Add(59*time.Second).UnixNano())) {
				t.Errorf("%d events, want 60: %v", len(got), got)
			}
			// The bubble begins on a full minute, so a first run is due at once; it
			// may or may not find the series.
			rows := dump(t, db, "root.o.**")
			if want := fmt.Sprintf("root.o.n@%d=60", start.UnixNano()); len(rows) == 0 || rows[len(rows)-1] != want {
				t.Errorf("stored %v, want %s at the end", rows, want)
			}
			must(t, db.Close())
		})
	}
}

// Two stores of one process do not know of each other.
func TestTwoStores(t *testing.T) {
	ctx := context.Background()
	a, b := openMem(t, nil), openDir(t, t.TempDir(), nil)
	must(t, a.Insert(ctx, "root.d", ns(1), Float64("s", 1)))
	must(t, b.Insert(ctx, "root.d", ns(1), Text("s", "x")))
	wantDump(t, a, "root.**", "root.d.s@1=1")
	wantDump(t, b, "root.**", "root.d.s@1=x")
	must(t, a.Close())
	must(t, b.Insert(ctx, "root.d", ns(2), Text("s", "y")))
}

// Shutdown delivers what is queued; Close leaves it in the outbox for the next
// Open.
func TestShutdownDelivers(t *testing.T) {
	ctx := context.Background()
	fs := memFS()
	var j journal
	refuse := SinkFunc(func(context.Context, []Event) error { return io.ErrClosedPipe })
	trig := spec("n", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error {
		f.Emit(Event{Series: "root.d.s", Time: f.Row(0).Time()})
		return nil
	})
	db := openDir(t, "data", &Options{FS: fs, Sinks: []SinkSpec{{Name: "s", Sink: refuse}}, Triggers: []TriggerSpec{trig}})
	for i := range int64(20) {
		must(t, db.Insert(ctx, "root.d", ns(i+1), Float64("s", 1)))
	}
	must(t, db.Close())
	db = openDir(t, "data", &Options{FS: fs, Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}})
	must(t, db.Shutdown(ctx))
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprintf("n|root.d.s|%d|0|0 root.d.s@%d", i+1, i+1))
	}
	j.want(t, want...)
	db = openDir(t, "data", &Options{FS: fs, Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}})
	must(t, db.Shutdown(ctx))
	j.want(t) // acknowledged events are not delivered again after a clean end
}
