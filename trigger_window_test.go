package tickwell

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
	"github.com/tickwell/tickwell/window"
)

func noteWindow(j *journal) func(context.Context, *Firing, string, window.Window[float64]) error {
	return func(_ context.Context, f *Firing, series string, w window.Window[float64]) error {
		j.add("%s [%d,%d) %v %v", series, w.Start(), w.End(), w.Times(), w.Values())
		f.Emit(Event{Series: series, Time: ns(w.Start()), Fields: []Field{Int64("n", int64(w.Len()))}})
		return nil
	}
}

var windowSpecs = map[string]window.Spec{
	"count 5": window.Count(5), "tumbling 7": window.Tumbling(7), "sliding": window.Sliding(10, 3), "gap 4": window.Gap(4),
}

// However often the store is reopened in between, cleanly or by losing power,
// the windows are those of a run without a break.
func TestOnWindowRestart(t *testing.T) {
	ctx := context.Background()
	feed := func(db *DB, i int64) {
		at := i*2 + i/9*5 // with gaps
		tablet := &Tablet{Device: "root.d", Times: []int64{at}, Columns: []Column{{Name: "a", Data: Float64s{float64(i)}}, {Name: "b", Data: Float64s{float64(-i)}}, {Name: "text", Data: Texts{"x"}}}}
		if i%3 == 0 {
			tablet.Columns[1].Nulls.Set(0)
		}
		must(t, db.InsertTablet(ctx, tablet))
	}
	for name, ws := range windowSpecs {
		var whole, broken journal
		opts := func(j *journal, f *crashfs.FS) *Options {
			return &Options{FS: f, Sync: SyncAlways(), Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: OnWindow(ws, nil, noteWindow(j))}}}
		}
		db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: OnWindow(ws, nil, noteWindow(&whole))}}})
		fs := crashfs.New()
		db2 := openDir(t, "data", opts(&broken, fs))
		for i := range int64(400) {
			feed(db, i)
			feed(db2, i)
			switch {
			case i%37 == 36:
				must(t, db2.Close())
				db2 = openDir(t, "data", opts(&broken, fs))
			case i%53 == 52: // the power is cut
				img := fs.Image(fs.Ops(), crashfs.None, uint64(i))
				db2.Close()
				fs = crashfs.From(img)
				db2 = openDir(t, "data", opts(&broken, fs))
			}
		}
		want := whole.take()
		if len(want) < 50 {
			t.Fatalf("%s: only %d windows", name, len(want))
		}
		got := broken.take()
		if !slices.Equal(got, want) {
			i := 0
			for i < min(len(got), len(want)) && got[i] == want[i] {
				i++
			}
			t.Errorf("%s: %d windows, want %d; window %d differs", name, len(got), len(want), i)
		}
	}
}

// What a firing logs is in proportion to what came in, not to the window.
func TestOnWindowStateIsDeltas(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "w", Pattern: "root.**", Trigger: OnWindow(window.Count(20_000), nil, noteWindow(new(journal)))}}})
	var put, largest int64
	seen := map[string]int{}
	const rows = 10_000
	for i := range int64(rows) {
		must(t, db.Insert(ctx, "root.d", ns(i), Float64("s", float64(i))))
		if i%97 != 0 { // looking costs
			continue
		}
		now := map[string]int{}
		for k, v := range db.eng.Scan("trigger/w/") {
			now[k] = len(v)
			if seen[k] != len(v) {
				put += int64(len(v))
				largest = max(largest, int64(len(v)))
			}
		}
		seen = now
	}
	if total := int64(rows * 300); put > total {
		t.Errorf("%d bytes of state for %d rows, want at most %d", put, rows, total)
	}
	if largest < 16*rows/4 {
		t.Errorf("the largest value has %d bytes: no snapshot was taken", largest)
	}
	if n := len(seen); n > rows/2 {
		t.Errorf("%d keys of state: chunks are not put together", n)
	}
}

func TestOnWindowRefuses(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	for name, o := range map[string]*window.Options[float64]{
		"idle": {IdleAfter: time.Second}, "future": {MaxFuture: -1}, "periodic": {Emit: window.Periodic, EmitDelay: 1}, "shared": {Shared: true},
	} {
		err := db.CreateTrigger(ctx, TriggerSpec{Name: name, Pattern: "root.**", Trigger: OnWindow(window.Count(5), o, noteWindow(nil))})
		if !errors.Is(err, ErrBadInput) {
			t.Errorf("%s: got %v, want ErrBadInput", name, err)
		}
	}
	if err := db.CreateTrigger(ctx, TriggerSpec{Name: "spec", Pattern: "root.**", Trigger: OnWindow(window.Count(0), nil, noteWindow(nil))}); err == nil {
		t.Error("windows of no row were accepted")
	}
}

// The first ten points of the 0.13 page, inserted one by one and as one tablet.
func TestOnWindowPageExample(t *testing.T) {
	ctx := context.Background()
	for _, how := range []string{"rows", "tablet"} {
		var j journal
		db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "window-avg-alerter", Pattern: "root.sg1.d1.s1", Trigger: OnWindow(window.Count(5), &window.Options[float64]{Strict: true}, func(_ context.Context, _ *Firing, _ string, w window.Window[float64]) error {
			sum := 0.0
			for _, v := range w.All() {
				sum += v
			}
			if avg := sum / float64(w.Len()); avg < 0 || 10 < avg {
				j.add("event %d %v", w.Time(0), avg)
			} else {
				j.add("none %d %v", w.Time(0), avg)
			}
			return nil
		})}}})
		tablet := &Tablet{Device: "root.sg1.d1"}
		for i := range 10 {
			if how == "rows" {
				must(t, db.Insert(ctx, "root.sg1.d1", ns(int64(i+1)), Float64("s1", float64(2*i))))
			}
			must(t, tablet.Append(ns(int64(i+1)), Float64("s1", float64(2*i))))
		}
		if how == "tablet" {
			must(t, db.InsertTablet(ctx, tablet))
		}
		j.want(t, "none 1 4", "event 6 14")
	}
}

// sentinel is woken when its device has been silent for 10 s.
type sentinel struct{}

func (sentinel) Fire(_ context.Context, f *Firing) error {
	f.Put("last", fmt.Append(nil, f.Times[f.Len()-1]))
	f.Wake(time.Unix(0, f.Times[f.Len()-1]).Add(10 * time.Second))
	return nil
}

func (sentinel) OnWake(_ context.Context, f *Firing) error {
	v, _ := f.Get("last")
	f.Emit(Event{Series: "silent since " + string(v), Time: time.Unix(0, 0)})
	return f.Write(tab("root.woken", 1, "s", Texts{string(v)}))
}

// OnWake is called at its time, once, with effects, and after a restart.
func TestTriggerWake(t *testing.T) {
	ctx := context.Background()
	for _, stateful := range []bool{false, true} {
		for _, queue := range []int{0, 4} {
			clk := newFake()
			start := clk.Now().UnixNano()
			fs := memFS()
			var j journal
			opts := &Options{FS: fs, Clock: clk, Sync: SyncNever(), Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}}, Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Stateful: stateful, Queue: queue, Trigger: sentinel{}}}}
			db := openDir(t, "data", opts)
			put := func(after time.Duration) {
				must(t, db.Insert(ctx, "root.d", time.Unix(0, start).Add(after), Int64("s", 1)))
				must(t, db.Quiesce(ctx))
			}
			count := func(want int) {
				t.Helper()
				must(t, db.drainTriggers(ctx))
				must(t, db.Quiesce(ctx))
				if got := j.take(); len(got) != want {
					t.Errorf("stateful %v, queue %d: woken %d times (%v), want %d", stateful, queue, len(got), got, want)
				}
			}
			put(0)
			clk.Advance(6 * time.Second)
			put(6 * time.Second) // puts it off
			clk.Advance(6 * time.Second)
			count(0)
			clk.Advance(4 * time.Second)
			count(1)
			clk.Advance(time.Minute)
			count(0) // once
			put(76 * time.Second)
			must(t, db.Close())
			clk.Advance(time.Hour) // its time passes while the store is closed
			db = openDir(t, "data", opts)
			clk.Advance(0)
			count(1)
			put(4000 * time.Second)
			must(t, db.StopTrigger(ctx, "w")) // a stopped one is not woken
			clk.Advance(time.Hour)
			count(0)
		}
	}
}

// A backtest of in-order history gives the events of the live run, windows and
// alarms included, and touches nothing.
func TestBacktestEqualsLive(t *testing.T) {
	ctx := context.Background()
	clk := newFake()
	for name, mk := range map[string]func() Trigger{
		"window": func() Trigger { return OnWindow(window.Tumbling(30*time.Second), nil, noteWindow(new(journal))) },
		"wake":   func() Trigger { return sentinel{} },
		"sum":    func() Trigger { return &tally{} },
	} {
		db := openMem(t, &Options{Clock: clk})
		var live []Event
		db.record = func(e Event) { live = append(live, e) }
		sp := TriggerSpec{Name: "t", Pattern: "root.d*.s", Stateful: true, Trigger: mk()}
		must(t, db.CreateTrigger(ctx, sp))
		begin := clk.Now()
		for i := range 200 {
			must(t, db.Insert(ctx, fmt.Sprintf("root.d%d", i%3), clk.Now(), Float64("s", float64(i))))
			next := clk.Now().Add(time.Second)
			if i%20 == 19 {
				next = next.Add(15 * time.Second)
			}
			must(t, db.lendTime(ctx, clk, next.UnixNano()))
		}
		must(t, db.DropTrigger(ctx, "t"))
		before := dump(t, db, "root.**")
		sp.Trigger = mk()
		got, err := db.Backtest(ctx, sp, begin, clk.Now())
		must(t, err)
		if !slices.Equal(eventLines(got), eventLines(live)) || len(live) < 5 {
			t.Errorf("%s: backtest gave %d events, live %d:\n%s\nlive:\n%s", name, len(got), len(live), strings.Join(eventLines(got), "\n"), strings.Join(eventLines(live), "\n"))
		}
		if !slices.Equal(dump(t, db, "root.**"), before) || listing(db) != nil {
			t.Errorf("%s: the backtest changed the store", name)
		}
		half, err := db.Backtest(ctx, TriggerSpec{Name: "t", Pattern: "root.d0.s", Stateful: true, Trigger: mk()}, begin, begin.Add(20*time.Second))
		must(t, err)
		if len(half) >= len(live) {
			t.Errorf("%s: a part of history gave all %d events", name, len(half))
		}
	}
}

func eventLines(es []Event) (lines []string) {
	for _, e := range es {
		lines = append(lines, fmt.Sprint(e.ID, " ", fieldsOf(e)))
	}
	return lines
}

// Where rows came out of order the difference is that history has lost the
// order: the backtest sees the late row in its place.
func TestBacktestOfLateRows(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	var live []Event
	db.record = func(e Event) { live = append(live, e) }
	mk := func() Trigger { return OnWindow(window.Count(2), nil, noteWindow(new(journal))) }
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "t", Pattern: "root.d.s", Trigger: mk()}))
	for _, at := range []int64{1, 3, 2, 4} {
		must(t, db.Insert(ctx, "root.d", ns(at), Float64("s", float64(at))))
	}
	got, err := db.Backtest(ctx, TriggerSpec{Name: "t", Pattern: "root.d.s", Trigger: mk()}, time.Time{}, time.Time{})
	must(t, err)
	if len(got) != 2 || got[0].Time.UnixNano() != 1 || got[1].Time.UnixNano() != 3 {
		t.Errorf("the backtest gave %v, want windows that begin at 1 and 3", eventLines(got))
	}
	if slices.Equal(eventLines(got), eventLines(live)) {
		t.Errorf("live gave the same %v: the test shows nothing", eventLines(live))
	}
}

// windowStore is a store in memory that can be opened again with another trigger.
type windowStore struct {
	t   *testing.T
	fs  vfs.FS
	clk *clock.Fake
	db  *DB
	log strings.Builder
	j   journal
}

func newWindowStore(t *testing.T) *windowStore {
	return &windowStore{t: t, fs: memFS(), clk: newFake()}
}

func (w *windowStore) open(trigger Trigger) {
	w.t.Helper()
	if w.db != nil {
		must(w.t, w.db.Close())
	}
	w.db = openDir(w.t, "data", &Options{FS: w.fs, Clock: w.clk, Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Triggers: []TriggerSpec{{Name: "w", Pattern: "root.d.*", Trigger: trigger}}})
}

func (w *windowStore) told(text string, want int) {
	w.t.Helper()
	if small { // writes to the standard logger
		return
	}
	if got := strings.Count(w.log.String(), text); got != want {
		w.t.Errorf("%q is told %d times, want %d:\n%s", text, got, want, w.log.String())
	}
}

// A null is no point, also after a restart.
func TestOnWindowNullsAfterRestart(t *testing.T) {
	w := newWindowStore(t)
	w.open(OnWindow(window.Tumbling(10), nil, noteWindow(&w.j)))
	rows := &Tablet{Device: "root.d", Times: []int64{1, 2, 3}, Columns: []Column{{Name: "a", Data: Float64s{1, 7, 3}}, {Name: "t", Data: Texts{"x", "y", "z"}}}}
	rows.Columns[0].Nulls.Set(1)
	must(t, w.db.InsertTablet(t.Context(), rows))
	w.open(OnWindow(window.Tumbling(10), nil, noteWindow(&w.j)))
	must(t, w.db.Insert(t.Context(), "root.d", ns(10), Float64("a", 10)))
	w.j.want(t, "root.d.a [0,10) [1 3] [1 3]")
}

// OnLate is told of a point when it comes, and not again when state is loaded.
func TestOnWindowLateIsToldOnce(t *testing.T) {
	w := newWindowStore(t)
	opts := &window.Options[float64]{OnLate: func(ts int64, v float64) { w.j.add("late %d %v", ts, v) }}
	for i := range 3 {
		w.open(OnWindow(window.Tumbling(10), opts, noteWindow(&w.j)))
		if i == 0 {
			for _, at := range []int64{1, 12, 2} {
				must(t, w.db.Insert(t.Context(), "root.d", ns(at), Float64("a", 1)))
			}
		}
	}
	w.j.want(t, "root.d.a [0,10) [1] [1]", "late 2 1")
}

// With MaxFuture a point of a time to come ends no windows, also after a restart when
// that time has come.
func TestOnWindowMaxFuture(t *testing.T) {
	w := newWindowStore(t)
	base := w.clk.Now().Truncate(time.Minute)
	w.clk.Set(base)
	opts := &window.Options[float64]{MaxFuture: 10 * time.Second}
	open := func() { w.open(OnWindow(window.Tumbling(time.Minute), opts, noteWindow(&w.j))) }
	put := func(after ...time.Duration) {
		rows := &Tablet{Device: "root.d"}
		for _, d := range after {
			must(t, rows.Append(base.Add(d), Float64("a", d.Seconds())))
		}
		must(t, w.db.InsertTablet(t.Context(), rows))
	}
	open()
	put(0, time.Hour, 10*time.Second, 11*time.Second)
	put(1000 * time.Hour)
	w.clk.Advance(30 * time.Second)
	put(30 * time.Second)
	w.clk.Advance(2 * time.Hour)
	open()
	put(31*time.Second, time.Minute)
	at := base.UnixNano()
	w.j.want(t, fmt.Sprintf("root.d.a [%d,%d) [%d %d %d %d] [0 10 30 31]", at, at+6e10, at, at+1e10, at+3e10, at+31e9))
	w.told("too far ahead", 1)
}

// A store opens though the windows of a trigger have been altered: they begin anew.
func TestOnWindowAltered(t *testing.T) {
	w := newWindowStore(t)
	w.open(OnWindow(window.Count(1000), nil, noteWindow(&w.j)))
	for i := range int64(200) {
		must(t, w.db.Insert(t.Context(), "root.d", ns(i), Float64("a", 1)))
	}
	w.open(OnWindow(window.Gap(5), nil, noteWindow(&w.j)))
	w.told("begin anew", 1)
	for _, at := range []int64{1000, 1001, 2000} {
		must(t, w.db.Insert(t.Context(), "root.d", ns(at), Float64("a", 1)))
	}
	if got := w.j.take(); len(got) != 2 || got[1] != "root.d.a [1000,1001) [1000 1001] [1 1]" {
		t.Errorf("windows %q", got)
	}
	for i := range int64(60) { // what is stored gives way soon, however large it is
		must(t, w.db.Insert(t.Context(), "root.d", ns(3000+i), Float64("a", 1)))
	}
	w.open(OnWindow(window.Gap(5), nil, noteWindow(&w.j)))
	w.told("begin anew", 1)
}

// A trigger that is given nothing of its kind would be silent for ever: the log tells,
// once, unless it has work.
func TestOtherKindsAreTold(t *testing.T) {
	for name, trigger := range map[string]func() Trigger{
		"point": func() Trigger {
			return OnPoint(func(context.Context, *Firing, string, Point[float64]) error { return nil })
		},
		"batch": func() Trigger {
			return OnBatch(func(context.Context, *Firing, string, []int64, []float64) error { return nil })
		},
		"window": func() Trigger { return OnWindow(window.Count(2), nil, noteWindow(new(journal))) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWindowStore(t)
			w.open(trigger())
			for i := range int64(3) {
				must(t, w.db.Insert(t.Context(), "root.d", ns(i), Float32("a", 1)))
			}
			w.told("trigger=w \"its kind\"=float64 series=root.d.a kind=float32", 1)
			w = newWindowStore(t)
			w.open(trigger())
			must(t, w.db.Insert(t.Context(), "root.d", ns(1), Text("t", "x"), Float64("b", 1)))
			must(t, w.db.Insert(t.Context(), "root.d", ns(2), Text("t", "x")))
			w.told("kind", 0)
		})
	}
}
