package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// listener is a trigger of the IoTDB 0.13 page.
type listener struct {
	j    *journal
	fail string
	PointFuncs
}

func (l *listener) hook(name string) error {
	l.j.add("%s", name)
	if l.fail == name {
		return errBoom
	}
	return nil
}
func (l *listener) OnCreate(_ context.Context, env Env) error {
	return l.hook("onCreate lo=" + env.Params.Text("lo"))
}
func (l *listener) OnStart(context.Context) error { return l.hook("onStart") }
func (l *listener) OnStop(context.Context) error  { return l.hook("onStop") }
func (l *listener) OnDrop(context.Context) error  { return l.hook("onDrop") }

func notePoint[T Type](j *journal) func(context.Context, *Firing, string, Point[T]) error {
	return func(_ context.Context, f *Firing, name string, p Point[T]) error {
		j.add("point %s.%s@%d=%v", f.Device, name, p.Time.UnixNano(), p.Value)
		return nil
	}
}

func noteBatch[T Type](j *journal) func(context.Context, *Firing, string, []int64, []T) error {
	return func(_ context.Context, f *Firing, name string, times []int64, values []T) error {
		j.add("batch %s.%s %v %v", f.Device, name, times, values)
		return nil
	}
}

func notePoints(j *journal) PointFuncs {
	return PointFuncs{Bool: notePoint[bool](j), Int32: notePoint[int32](j), Int64: notePoint[int64](j), Float32: notePoint[float32](j),
		Float64: notePoint[float64](j), Text: notePoint[string](j)}
}

func notePointsAndBatches(j *journal) PointFuncs {
	p := notePoints(j)
	p.Bools, p.Int32s, p.Int64s = noteBatch[bool](j), noteBatch[int32](j), noteBatch[int64](j)
	p.Float32s, p.Float64s, p.Texts = noteBatch[float32](j), noteBatch[float64](j), noteBatch[string](j)
	return p
}

// The point form for single inserts, the batch form for tablets, of each kind;
// without a batch form each point in order; nulls are left out.
func TestSeriesTriggerKinds(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		kind  Kind
		field Field
		rows  Vector
		point string
		batch string
		each  []string
	}{
		{KindBool, Bool("s", true), Bools{true, false, true}, "true", "[true true]", []string{"true", "true"}},
		{KindInt32, Int32("s", 7), Int32s{1, 2, 3}, "7", "[1 3]", []string{"1", "3"}},
		{KindInt64, Int64("s", 7), Int64s{1, 2, 3}, "7", "[1 3]", []string{"1", "3"}},
		{KindFloat32, Float32("s", 7.5), Float32s{1.5, 2, 3}, "7.5", "[1.5 3]", []string{"1.5", "3"}},
		{KindFloat64, Float64("s", 7.5), Float64s{1.5, 2, 3}, "7.5", "[1.5 3]", []string{"1.5", "3"}},
		{KindText, Text("s", "x"), Texts{"a", "b", "c"}, "x", "[a c]", []string{"a", "c"}},
	} {
		for _, form := range []string{"both", "point"} {
			var j journal
			funcs := notePointsAndBatches(&j)
			if form == "point" {
				funcs = notePoints(&j)
			}
			db := openMem(t, nil)
			must(t, db.CreateSeries(ctx, "root.d.s", c.kind))
			must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", Trigger: funcs}))
			must(t, db.Insert(ctx, "root.d", ns(5), c.field))
			must(t, db.Insert(ctx, "root.d", ns(6), Field{Name: "s"}, Int64("other", 1))) // null
			tablet := &Tablet{Device: "root.d", Times: []int64{10, 11, 12}, Columns: []Column{{Name: "s", Data: c.rows}, {Name: "other", Data: Int64s{1, 2, 3}}}}
			tablet.Columns[0].Nulls.Set(1)
			must(t, db.InsertTablet(ctx, tablet))
			want := []string{"point root.d.s@5=" + c.point, "batch root.d.s [10 12] " + c.batch}
			if form == "point" {
				want = []string{want[0], "point root.d.s@10=" + c.each[0], "point root.d.s@12=" + c.each[1]}
			}
			j.want(t, want...)
		}
	}
	db := openMem(t, nil) // a trigger without a function for the kind changes nothing
	must(t, db.CreateSeries(ctx, "root.d.s", KindBool))
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", Trigger: PointFuncs{}}))
	must(t, db.Insert(ctx, "root.d", ns(5), Bool("s", true)))
	wantDump(t, db, "root.**", "root.d.s@5=true")
}

// Every inserted point reaches the trigger, with its time and value; a tablet
// gives one batch call a series, several tablets one each.
func TestSeriesTriggerEveryPoint(t *testing.T) {
	ctx := context.Background()
	var got, want []string
	db := openMem(t, nil)
	must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", Trigger: PointFuncs{
		Int64: func(_ context.Context, _ *Firing, _ string, p Point[int64]) error {
			got = append(got, fmt.Sprint(p.Time.UnixNano(), p.Value))
			return nil
		},
		Int64s: func(_ context.Context, _ *Firing, _ string, at []int64, v []int64) error {
			got = append(got, fmt.Sprint(at, v))
			return nil
		},
	}}))
	for i := range int64(1000) {
		must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", i*i)))
		want = append(want, fmt.Sprint(i, i*i))
	}
	two := func(at int64) *Tablet {
		return &Tablet{Device: "root.d", Times: []int64{at, at + 1}, Columns: []Column{{Name: "s", Data: Int64s{at, -at}}}}
	}
	must(t, db.InsertTablets(ctx, two(2000), two(3000)))
	want = append(want, "[2000 2001] [2000 -2000]", "[3000 3001] [3000 -3000]")
	if !slices.Equal(got, want) {
		t.Errorf("%d calls, want %d; the last are %v, want %v", len(got), len(want), got[len(got)-2:], want[len(want)-2:])
	}
}

func TestSeriesTriggerRegistration(t *testing.T) {
	ctx := context.Background()
	var j journal
	db := openMem(t, nil)
	must(t, db.Insert(ctx, "root.sg1.d1", ns(1), Float64("s1", 1), Float64("s2", 1)))
	mk := func(name, series string) error {
		return db.CreateTrigger(ctx, TriggerSpec{Name: name, Series: series, Params: Params{"lo": "0"}, Trigger: &listener{j: &j}})
	}
	must(t, mk("alert-listener-sg1d1s1", "root.sg1.d1.s1"))
	must(t, mk("ALERT-listener-sg1d1s1", "root.sg1.d1.s2"))
	for _, c := range []struct {
		what, name, series string
		is                 error
		says               string
	}{
		{"missing series", "m", "root.sg1.d1.none", ErrNotFound, "root.sg1.d1.none does not exist"},
		{"device", "m", "root.sg1.d1", ErrNotFound, "root.sg1.d1 does not exist"},
		{"wildcard", "m", "root.sg1.d1.*", ErrBadInput, "root.sg1.d1.*"},
		{"second on one series", "second", "root.sg1.d1.s1", ErrExists, "trigger alert-listener-sg1d1s1(*tickwell.listener) has already been registered on the series root.sg1.d1.s1"},
		{"name taken", "alert-listener-sg1d1s1", "root.sg1.d1.s1", ErrExists, "the same name trigger has been created"},
	} {
		j.take()
		if err := mk(c.name, c.series); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %v that says %q", c.what, err, c.is, c.says)
		}
		j.want(t)
	}
	must(t, db.CreateTrigger(ctx, spec("pattern", "root.sg1.d1.s1", AfterInsert, func(context.Context, *Firing) error { return nil }))) // 1.2 form: any number
	if err := db.CreateTrigger(ctx, TriggerSpec{Name: "both", Series: "root.sg1.d1.s1", Pattern: "root.**", Trigger: PointFuncs{}}); !errors.Is(err, ErrBadInput) {
		t.Errorf("Series and Pattern: got %v, want ErrBadInput", err)
	}
	if err := db.CreateTrigger(ctx, TriggerSpec{Name: "event", Pattern: "root.**", When: 2, Trigger: PointFuncs{}}); !errors.Is(err, ErrBadInput) {
		t.Errorf("an event that is neither BEFORE nor AFTER: got %v, want ErrBadInput", err)
	}
}

// START and STOP: hooks, states, what is kept, and what is an error.
func TestTriggerStartStop(t *testing.T) {
	ctx := context.Background()
	var j journal
	db := openMem(t, nil)
	must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
	l := &listener{j: &j}
	fired := 0
	l.Int64 = func(context.Context, *Firing, string, Point[int64]) error {
		fired++
		l.j.add("fire %d", fired)
		return nil
	}
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "alert-listener-sg1d1s1", Series: "root.d.s", Trigger: l}))
	n := "alert-listener-sg1d1s1"
	put := func(i int64) { must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", i))) }
	put(1)
	j.want(t, "onCreate lo=", "fire 1") // started, without OnStart
	isErr := func(what string, err, is error, says string) {
		t.Helper()
		if !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %v that says %q", what, err, is, says)
		}
	}
	isErr("start of a started one", db.StartTrigger(ctx, n), ErrExists, "already been started")
	isErr("start of an unknown one", db.StartTrigger(ctx, "x"), ErrNotFound, "not been created")
	isErr("stop of an unknown one", db.StopTrigger(ctx, "x"), ErrNotFound, "not been created")
	j.want(t)
	for range 3 {
		must(t, db.StopTrigger(ctx, n))
		isErr("stop of a stopped one", db.StopTrigger(ctx, n), ErrExists, "already been stopped")
		put(2)
		if got := listing(db)[0]; !strings.Contains(got, ",STOPPED,") {
			t.Errorf("listed as %s, want STOPPED", got)
		}
		isErr("name of a stopped one", db.CreateTrigger(ctx, TriggerSpec{Name: n, Series: "root.d.s", Trigger: PointFuncs{}}), ErrExists, "")
		isErr("series of a stopped one", db.CreateTrigger(ctx, TriggerSpec{Name: "y", Series: "root.d.s", Trigger: PointFuncs{}}), ErrExists, n)
		j.want(t, "onStop")
		must(t, db.StartTrigger(ctx, n))
		put(3)
		j.want(t, "onStart", fmt.Sprintf("fire %d", fired)) // fields are kept, missed points are not made up for
	}
	if fired != 4 {
		t.Errorf("fired %d times, want 4", fired)
	}
	must(t, db.StopTrigger(ctx, n))
	j.take()
	l.fail = "onStart"
	isErr("OnStart fails", db.StartTrigger(ctx, n), errBoom, "start trigger")
	put(4)
	j.want(t, "onStart") // stays stopped
	l.fail = ""
	must(t, db.StartTrigger(ctx, n))
	l.fail = "onStop"
	isErr("OnStop fails", db.StopTrigger(ctx, n), errBoom, "stop trigger")
	j.take()
	put(5)
	j.want(t) // stopped all the same
	must(t, db.DropTrigger(ctx, n))
	j.want(t, "onDrop")
	isErr("drop twice", db.DropTrigger(ctx, n), ErrNotFound, "")
}

// Dropping a series drops its trigger, once; a new series of that path has none.
func TestSeriesTriggerDroppedWithSeries(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	db := openDir(t, "data", &Options{FS: fs})
	for _, s := range []string{"a", "b", "c"} {
		must(t, db.CreateSeries(ctx, "root.sg.d."+s, KindInt64))
		l := &listener{j: &j}
		l.Int64 = notePoint[int64](&j)
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: s, Series: "root.sg.d." + s, Trigger: l}))
	}
	must(t, db.CreateTrigger(ctx, spec("pattern", "root.sg.d.*", AfterInsert, func(context.Context, *Firing) error { return nil })))
	j.take()
	must(t, db.Delete(ctx, "root.sg.d.a", ns(0), ns(9))) // points, not the series
	j.want(t)
	must(t, db.DropSeries(ctx, "root.sg.d.a"))
	j.want(t, "onDrop")
	must(t, db.Insert(ctx, "root.sg.d", ns(1), Int64("a", 1), Int64("b", 2)))
	j.want(t, "point root.sg.d.b@1=2")
	must(t, db.DropSeries(ctx, "root.sg.**"))
	j.want(t, "onDrop", "onDrop")
	if got := listing(db); len(got) != 1 || !strings.HasPrefix(got[0], "pattern,") {
		t.Errorf("listed %v, want the pattern trigger only", got)
	}
	must(t, db.Close())
	if got := listing(openDir(t, "data", &Options{FS: fs})); len(got) != 1 {
		t.Errorf("after reopen listed %v, want one", got)
	}
}

// Deleting a database drops the triggers on its series, each told once; those of
// other databases and of patterns stay, and a reopen brings none back.
func TestDatabaseDropDropsTriggers(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	db := openDir(t, "data", &Options{FS: fs})
	must(t, db.CreateDatabase(ctx, "root.sg"))
	for _, s := range []string{"root.sg.d.a", "root.sg.d.b", "root.sg.e.a", "root.other.d.a"} {
		must(t, db.CreateSeries(ctx, s, KindInt64))
		l := &listener{j: &j}
		l.Int64 = notePoint[int64](&j)
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: s, Series: s, Trigger: l}))
	}
	must(t, db.CreateTrigger(ctx, spec("pattern", "root.sg.**", AfterInsert, func(context.Context, *Firing) error { return nil })))
	j.take()
	must(t, db.DropDatabase(ctx, "root.sg"))
	j.want(t, "onDrop", "onDrop", "onDrop")
	left := func(db *DB) {
		t.Helper()
		got := listing(db)
		if len(got) != 2 || !strings.HasPrefix(got[0], "pattern,") && !strings.HasPrefix(got[1], "pattern,") {
			t.Errorf("listed %v, want the pattern trigger and that of root.other", got)
		}
	}
	left(db)
	must(t, db.Insert(ctx, "root.sg.d", ns(1), Int64("a", 1)))
	must(t, db.Insert(ctx, "root.other.d", ns(1), Int64("a", 7)))
	j.want(t, "point root.other.d.a@1=7")
	must(t, db.Close())
	left(openDir(t, "data", &Options{FS: fs}))
}

// OnStart, OnStop, Fire and OnDrop of one trigger never overlap, and counters
// stand still while it is stopped.
func TestSeriesTriggerSerialised(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
	s := &serial{t: t}
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", Trigger: s}))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := int64(0); ; i++ {
				select {
				case <-stop:
					return
				default:
					must(t, db.Insert(ctx, "root.d", ns(i), Int64("s", i)))
				}
			}
		})
	}
	for range 40 {
		for n := s.count(); s.count() == n; {
			runtime.Gosched()
		}
		must(t, db.StopTrigger(ctx, "n"))
		n := s.count()
		for range 50 {
			runtime.Gosched()
		}
		if got := s.count(); got != n {
			t.Fatalf("fired %d times while stopped", got-n)
		}
		must(t, db.StartTrigger(ctx, "n"))
	}
	must(t, db.DropTrigger(ctx, "n"))
	close(stop)
	wg.Wait()
}

type serial struct {
	t      *testing.T
	mu     sync.Mutex
	inside int
	fired  int
}

func (s *serial) enter() func() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside++; s.inside > 1 {
		s.t.Error("hooks overlap")
	}
	return func() { s.mu.Lock(); s.inside--; s.mu.Unlock() }
}
func (s *serial) count() int                    { s.mu.Lock(); defer s.mu.Unlock(); return s.fired }
func (s *serial) OnStart(context.Context) error { defer s.enter()(); runtime.Gosched(); return nil }
func (s *serial) OnStop(context.Context) error  { defer s.enter()(); runtime.Gosched(); return nil }
func (s *serial) OnDrop(context.Context) error  { defer s.enter()(); runtime.Gosched(); return nil }
func (s *serial) Fire(context.Context, *Firing) error {
	defer s.enter()()
	runtime.Gosched()
	s.mu.Lock()
	s.fired++
	s.mu.Unlock()
	return nil
}

// An error of a 0.13 trigger fails the insert, as the page's exception does.
func TestSeriesTriggerFails(t *testing.T) {
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		db := openMem(t, nil)
		must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", When: when, Trigger: TriggerFunc(func(context.Context, *Firing) error { return errBoom })}))
		if err := db.Insert(ctx, "root.d", ns(1), Int64("s", 1)); !errors.Is(err, errBoom) {
			t.Errorf("%s: got %v, want the trigger's error", when, err)
		}
		if stored := len(dump(t, db, "root.**")) == 1; stored != (when == AfterInsert) {
			t.Errorf("%s: stored %v", when, stored)
		}
	}
}

// The four actions are bound to the path listened to.
func TestTriggerPrivileges(t *testing.T) {
	ctx := context.Background()
	var denied Action
	db := openMem(t, &Options{Authorize: func(_ context.Context, a Action, path string) error {
		if a == denied && strings.HasPrefix(path, "root.sg2.") {
			return errBoom
		}
		return nil
	}})
	must(t, db.CreateSeries(ctx, "root.sg1.s", KindInt64))
	must(t, db.CreateSeries(ctx, "root.sg2.s", KindInt64))
	var j journal
	for _, c := range []struct {
		action Action
		do     func(name, series string) error
		state  string // that the denied trigger stays in
	}{
		{ActionCreateTrigger, func(n, s string) error {
			return db.CreateTrigger(ctx, TriggerSpec{Name: n, Series: s, Trigger: &listener{j: &j}})
		}, ""},
		{ActionStopTrigger, func(n, _ string) error { return db.StopTrigger(ctx, n) }, "ACTIVE"},
		{ActionStartTrigger, func(n, _ string) error { return db.StartTrigger(ctx, n) }, "STOPPED"},
		{ActionDropTrigger, func(n, _ string) error { return db.DropTrigger(ctx, n) }, "ACTIVE"},
	} {
		denied = c.action
		must(t, c.do("one", "root.sg1.s"))
		if err := c.do("two", "root.sg2.s"); !errors.Is(err, errBoom) {
			t.Errorf("%s on root.sg2: got %v, want the refusal", c.action, err)
		}
		state := ""
		for i := range db.Triggers() {
			if i.Spec.Name == "two" {
				state = i.State
			}
		}
		if state != c.state {
			t.Errorf("after %s was denied the state is %q, want %q", c.action, state, c.state)
		}
		denied = ""
		must(t, c.do("two", "root.sg2.s"))
	}
	j.take()
}

// One type with BEFORE and with AFTER: the point is not readable, and is.
func TestSeriesTriggerMoment(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		when When
		seen int
	}{{BeforeInsert, 0}, {AfterInsert, 1}} {
		db := openMem(t, nil)
		must(t, db.CreateSeries(ctx, "root.d.s", KindInt64))
		seen := -1
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Series: "root.d.s", When: c.when, Trigger: OnPoint(func(ctx context.Context, _ *Firing, _ string, p Point[int64]) error {
			last, err := db.Last(ctx, "root.d.s")
			seen = len(last)
			return err
		})}))
		must(t, db.Insert(ctx, "root.d", time.Unix(1, 0), Int64("s", 1)))
		if seen != c.seen {
			t.Errorf("%s: %d points were readable, want %d", c.when, seen, c.seen)
		}
	}
}
