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

	"github.com/tickwell/tickwell/internal/crashfs"
)

func spec(name, pattern string, when When, f func(ctx context.Context, f *Firing) error) TriggerSpec {
	return TriggerSpec{Name: name, Pattern: pattern, When: when, Trigger: TriggerFunc(f)}
}

// The routing example of the IoTDB 1.2 page: insert into root.sg(time, a, b).
func TestTriggerRouting(t *testing.T) {
	ctx := context.Background()
	var j journal
	note := func(_ context.Context, f *Firing) error { j.add("%s %s", f.Trigger, render(f.Tablet)); return nil }
	db := openMem(t, &Options{Triggers: []TriggerSpec{
		spec("Trigger1", "root.sg.a", AfterInsert, note),
		spec("Trigger2", "root.sg.*", AfterInsert, note),
		spec("Trigger3", "root.sg.a", AfterInsert, note),
		spec("other", "root.other.**", AfterInsert, note),
		spec("deeper", "root.sg.*.x", AfterInsert, note),
	}})
	must(t, db.Insert(ctx, "root.sg", ns(1), Int32("a", 1), Int32("b", 2)))
	j.want(t, "Trigger1 root.sg [1] a:1", "Trigger2 root.sg [1] a:1 b:2", "Trigger3 root.sg [1] a:1")
	must(t, db.Insert(ctx, "root.sg", ns(2), Int32("b", 3)))
	j.want(t, "Trigger2 root.sg [2] b:3")
	must(t, db.InsertTablet(ctx, &Tablet{Device: "root.sg", Times: []int64{4, 3}, Columns: []Column{
		{Name: "a", Data: Int32s{4, 3}}, {Name: "c", Data: Texts{"x", "y"}}}}))
	j.want(t, "Trigger1 root.sg [4 3] a:4,3", "Trigger2 root.sg [4 3] a:4,3 c:x,y", "Trigger3 root.sg [4 3] a:4,3")
	must(t, db.InsertTablets(ctx,
		&Tablet{Device: "root.sg", Times: []int64{5}, Columns: []Column{{Name: "a", Data: Int32s{5}}}},
		&Tablet{Device: "root.other", Times: []int64{5}, Columns: []Column{{Name: "a", Data: Int32s{6}}}}))
	j.want(t, "Trigger1 root.sg [5] a:5", "Trigger2 root.sg [5] a:5", "Trigger3 root.sg [5] a:5", "other root.other [5] a:6")
}

// DESIGN section 5: an all-null row does not fire; a null cell in a firing row
// is in the bitmap.
func TestTriggerNulls(t *testing.T) {
	ctx := context.Background()
	var j journal
	note := func(_ context.Context, f *Firing) error { j.add("%s %s", f.Trigger, render(f.Tablet)); return nil }
	db := openMem(t, &Options{Triggers: []TriggerSpec{spec("ab", "root.d.*", AfterInsert, note), spec("a", "root.d.a", AfterInsert, note)}})
	a, b := Column{Name: "a", Data: Float64s{1, 2, 3}}, Column{Name: "b", Data: Float64s{4, 5, 6}}
	a.Nulls.Set(0)
	a.Nulls.Set(1)
	b.Nulls.Set(1)
	must(t, db.InsertTablet(ctx, &Tablet{Device: "root.d", Times: []int64{1, 2, 3}, Columns: []Column{a, b}}))
	j.want(t, "ab root.d [1 3] a:null,3 b:4,6", "a root.d [3] a:3")
	must(t, db.Insert(ctx, "root.d", ns(4), Field{Name: "a"}, Float64("b", 7)))
	j.want(t, "ab root.d [4] a:null b:7")
	wantDump(t, db, "root.d.*", "root.d.a@3=3", "root.d.b@1=4", "root.d.b@3=6", "root.d.b@4=7")
}

// The figure of the 1.2 page with four triggers: T1 and T2 before the insert,
// T3 and T4 after it; each failing in turn under both strategies.
func TestTriggerFailureMatrix(t *testing.T) {
	for _, c := range []struct {
		fails    string
		strategy FailureStrategy
		fired    string // triggers called
		stored   bool
		err      bool
	}{
		{"", Optimistic, "T1 T2 T3 T4", true, false},
		{"T1", Optimistic, "T1 T2 T3 T4", true, false},
		{"T2", Optimistic, "T1 T2 T3 T4", true, false},
		{"T3", Optimistic, "T1 T2 T3 T4", true, false},
		{"T4", Optimistic, "T1 T2 T3 T4", true, false},
		{"T1", Pessimistic, "T1", false, true},
		{"T2", Pessimistic, "T1 T2", false, true},
		{"T3", Pessimistic, "T1 T2 T3", true, true},
		{"T4", Pessimistic, "T1 T2 T3 T4", true, true},
	} {
		for _, how := range []string{"error", "panic"} {
			t.Run(fmt.Sprintf("%s %s %d", how, c.fails, c.strategy), func(t *testing.T) {
				var fired []string
				var reported []*TriggerError
				opts := &Options{OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }}
				for i, name := range []string{"T1", "T2", "T3", "T4"} {
					opts.Triggers = append(opts.Triggers, TriggerSpec{Name: name, Pattern: "root.**", When: []When{BeforeInsert, BeforeInsert, AfterInsert, AfterInsert}[i],
						Trigger: &strategist{c.strategy, func() error {
							fired = append(fired, name)
							if name != c.fails {
								return nil
							}
							if how == "panic" {
								panic("boom")
							}
							return errBoom
						}}})
				}
				db := openMem(t, opts)
				err := db.Insert(context.Background(), "root.d", ns(1), Float64("s", 1))
				if got := strings.Join(fired, " "); got != c.fired {
					t.Errorf("fired %s, want %s", got, c.fired)
				}
				if got := len(dump(t, db, "root.**")) == 1; got != c.stored {
					t.Errorf("stored: %v, want %v", got, c.stored)
				}
				var te *TriggerError
				if (err != nil) != c.err || c.err && !errors.As(err, &te) {
					t.Fatalf("insert returned %v, want a TriggerError: %v", err, c.err)
				}
				if c.err {
					before := c.fails == "T1" || c.fails == "T2"
					if te.Name != c.fails || te.Stored != c.stored || errors.Is(err, ErrRejected) != before {
						t.Errorf("got %+v (rejected: %v), want trigger %s, stored %v, rejected %v", te, errors.Is(err, ErrRejected), c.fails, c.stored, before)
					}
				}
				want := 1
				if c.fails == "" {
					want = 0
				}
				if len(reported) != want {
					t.Fatalf("%d failures reported, want %d", len(reported), want)
				}
				for _, e := range reported {
					var p *PanicError
					if e.Name != c.fails || errors.As(e, &p) != (how == "panic") || (how == "error") != errors.Is(e, errBoom) {
						t.Errorf("reported %v, want %s by %s", e, c.fails, how)
					}
				}
			})
		}
	}
}

// The rest of that table: the write itself fails, here because the disk has
// failed while the triggers before it ran. Those after it do not fire, nothing is
// stored, and the insert returns the error of the write, whether a trigger has
// failed or not; stateful triggers before it load the state that is stored.
func TestTriggerFailureMatrixWriteFails(t *testing.T) {
	ctx := context.Background()
	for _, budget := range []time.Duration{0, time.Hour} {
		for _, fails := range []string{"", "T1"} {
			what := fmt.Sprintf("%q fails, budget %v", fails, budget)
			var fired []string
			var reported []*TriggerError
			var db *DB
			fs := crashfs.New()
			opts := &Options{FS: fs, Sync: SyncAlways(), OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }}
			sum := &restoring{fire: func() { fired = append(fired, "T2") }}
			for i, tr := range []Trigger{
				TriggerFunc(func(_ context.Context, f *Firing) error {
					fired = append(fired, "T1")
					if f.Times[0] == 1 {
						return nil
					}
					fs.Fail(1, errors.New("disk is broken"), true, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
					if err := db.Insert(ctx, "root.other", ns(1), Int64("s", 1)); !errors.Is(err, ErrStorageFailed) {
						t.Errorf("%s: the disk does not fail: %v", what, err)
					}
					if fails == "T1" {
						return errBoom
					}
					return nil
				}),
				sum,
				TriggerFunc(func(context.Context, *Firing) error { fired = append(fired, "T3"); return nil }),
			} {
				opts.Triggers = append(opts.Triggers, TriggerSpec{Name: fmt.Sprint("T", i+1), Pattern: "root.d.*", When: []When{BeforeInsert, BeforeInsert, AfterInsert}[i],
					Stateful: i == 1, Budget: budget, Trigger: tr})
			}
			db = openDir(t, "data", opts)
			must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 5)))
			fired, sum.restored = nil, nil
			err := db.Insert(ctx, "root.d", ns(2), Int64("s", 7))
			var te *TriggerError
			if !errors.Is(err, ErrStorageFailed) || errors.As(err, &te) {
				t.Errorf("%s: insert returned %v, want the error of the write", what, err)
			}
			if got := strings.Join(fired, " "); got != "T1 T2" {
				t.Errorf("%s: fired %s, want T1 T2", what, got)
			}
			wantDump(t, db, "root.d.*", "root.d.s@1=5")
			if !slices.Equal(sum.restored, []string{"5"}) {
				t.Errorf("%s: the stateful trigger was given the states %q, want that of the first insert", what, sum.restored)
			}
			if want := len(fails) / 2; len(reported) != want {
				t.Errorf("%s: reported %v, want %d failures", what, reported, want)
			}
		}
	}
}

// restoring keeps the last value as its state, and tells what it is restored to.
type restoring struct {
	fire     func()
	restored []string
}

func (r *restoring) Fire(_ context.Context, f *Firing) error {
	r.fire()
	f.Put("last", []byte(f.Row(0).Get("s").String()))
	return nil
}
func (r *restoring) Restore(_ context.Context, env Env) error {
	b, _ := env.Get("last")
	r.restored = append(r.restored, string(b))
	return nil
}

var errBoom = errors.New("boom")

type strategist struct {
	strategy FailureStrategy
	f        func() error
}

func (s *strategist) Fire(context.Context, *Firing) error { return s.f() }

func (s *strategist) FailureStrategy() FailureStrategy { return s.strategy }

// hooked journals every hook.
type hooked struct {
	j    *journal
	fail string // hook that fails
}

func (h *hooked) hook(name string) error {
	h.j.add("%s", name)
	if h.fail == name {
		return errBoom
	}
	return nil
}

func (h *hooked) Validate(p Params) error {
	if !p.Has("lo") {
		return fmt.Errorf("lo is missing")
	}
	return h.hook("Validate")
}
func (h *hooked) OnCreate(_ context.Context, env Env) error {
	return h.hook("OnCreate " + env.Params.Text("lo"))
}
func (h *hooked) Restore(_ context.Context, env Env) error {
	v, _ := env.Get("count")
	return h.hook("Restore " + string(v))
}
func (h *hooked) OnDrop(context.Context) error { return h.hook("OnDrop") }
func (h *hooked) Fire(_ context.Context, f *Firing) error {
	v, _ := f.Get("count")
	f.Put("count", append(v, 'x'))
	w, _ := f.Get("count")
	return h.hook("Fire " + string(w))
}

func TestTriggerLifeCycle(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	h := &hooked{j: &j}
	sp := TriggerSpec{Name: "Häufig", Pattern: "root.d.*", Params: Params{"lo": "0"}, Stateful: true, Trigger: h}
	db := openDir(t, "data", &Options{FS: fs, Triggers: []TriggerSpec{sp}})
	j.want(t, "Validate", "OnCreate 0")
	if err := db.CreateTrigger(ctx, sp); !errors.Is(err, ErrExists) {
		t.Errorf("same name again: got %v, want ErrExists", err)
	}
	j.take()
	other := sp
	other.Name = "häufig" // names are case-sensitive
	other.Pattern = "root.nothing.*"
	must(t, db.CreateTrigger(ctx, other))
	j.want(t, "Validate", "OnCreate 0")
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t, "Fire x", "Fire xx")
	var names []string
	for info := range db.Triggers() {
		names = append(names, fmt.Sprintf("%s %s %d %v", info.Spec.Name, info.State, info.Fired, info.Hooks))
	}
	if want := []string{"Häufig ACTIVE 2 [Validate OnCreate Restore OnDrop]", "häufig ACTIVE 0 [Validate OnCreate Restore OnDrop]"}; !slices.Equal(names, want) {
		t.Errorf("listed %q, want %q", names, want)
	}
	must(t, db.Close())
	j.want(t)

	db = openDir(t, "data", &Options{FS: fs, Triggers: []TriggerSpec{sp}})
	j.want(t, "Validate", "OnCreate 0", "Restore xx")
	must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 1)))
	j.want(t, "Fire xxx")
	must(t, db.DropTrigger(ctx, "Häufig"))
	j.want(t, "OnDrop")
	must(t, db.Insert(ctx, "root.d", ns(4), Int64("s", 1)))
	j.want(t)
	if err := db.DropTrigger(ctx, "Häufig"); !errors.Is(err, ErrNotFound) {
		t.Errorf("second drop: got %v, want ErrNotFound", err)
	}
	must(t, db.CreateTrigger(ctx, sp)) // the dropped one and its state are gone
	j.want(t, "Validate", "OnCreate 0")
}

func TestTriggerFailingHooks(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		fail, phase string
		calls       []string
	}{
		{"Validate", "validate", []string{"Validate"}},
		{"OnCreate 1", "create", []string{"Validate", "OnCreate 1"}},
	} {
		var j journal
		db := openMem(t, nil)
		err := db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Params: Params{"lo": "1"}, Trigger: &hooked{&j, c.fail}})
		var te *TriggerError
		if !errors.As(err, &te) || te.Phase != c.phase || !errors.Is(err, errBoom) {
			t.Errorf("%s fails: got %v, want a TriggerError of phase %s", c.fail, err, c.phase)
		}
		j.want(t, c.calls...)
		must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
		j.want(t) // nothing is registered
	}
	var j journal
	db := openMem(t, nil)
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Params: Params{"lo": "1"}, Trigger: &hooked{&j, "OnDrop"}}))
	if err := db.DropTrigger(ctx, "n"); !errors.Is(err, errBoom) {
		t.Errorf("OnDrop fails: got %v, want its error", err)
	}
	j.take()
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	j.want(t) // it is gone all the same
}

func TestTriggerOrder(t *testing.T) {
	var j journal
	note := func(_ context.Context, f *Firing) error { j.add("%s", f.Trigger); return nil }
	var opts Options
	for _, s := range []struct {
		name     string
		priority int
	}{{"c", 0}, {"b", 0}, {"a", 5}, {"first", -1}} {
		sp := spec(s.name, "root.**", AfterInsert, note)
		sp.Priority = s.priority
		opts.Triggers = append(opts.Triggers, sp)
	}
	db := openMem(t, &opts)
	must(t, db.Insert(context.Background(), "root.d", ns(1), Int64("s", 1)))
	j.want(t, "first", "c", "b", "a")
}

// What a trigger writes fires triggers in its turn, after the firing is over;
// a chain that does not end is cut and named.
func TestTriggerChain(t *testing.T) {
	ctx := context.Background()
	var j journal
	var db *DB
	write := func(to string, through bool) func(context.Context, *Firing) error {
		return func(ctx context.Context, f *Firing) error {
			j.add("%s in %s", f.Trigger, f.Device)
			defer j.add("%s out %s", f.Trigger, f.Device)
			tab := &Tablet{Device: to, Times: slices.Clone(f.Times), Columns: []Column{{Name: "s", Data: Float64s{1}}}}
			if through {
				return f.Write(tab)
			}
			return db.InsertTablet(ctx, tab)
		}
	}
	for _, through := range []bool{true, false} {
		db = openMem(t, &Options{Triggers: []TriggerSpec{
			spec("one", "root.a.*", AfterInsert, write("root.b", through)),
			spec("two", "root.b.*", AfterInsert, write("root.c", through)),
		}})
		must(t, db.Insert(ctx, "root.a", ns(1), Float64("s", 1)))
		j.want(t, "one in root.a", "one out root.a", "two in root.b", "two out root.b")
		wantDump(t, db, "root.**", "root.a.s@1=1", "root.b.s@1=1", "root.c.s@1=1")

		var failures []error
		db = openMem(t, &Options{MaxTriggerDepth: 4, OnTriggerError: func(e *TriggerError) { failures = append(failures, e) },
			Triggers: []TriggerSpec{spec("ping", "root.a.*", AfterInsert, write("root.b", through)), spec("pong", "root.b.*", AfterInsert, write("root.a", through))}})
		must(t, db.Insert(ctx, "root.a", ns(1), Float64("s", 1)))
		if len(failures) == 0 || !errors.Is(failures[0], ErrLimit) || !strings.Contains(failures[0].Error(), "ping → pong → ping → pong") {
			t.Errorf("through %v: got failures %v, want ErrLimit with the chain", through, failures)
		}
		j.take()
	}
}

func TestTriggerBeforeCannotWrite(t *testing.T) {
	db := openMem(t, &Options{Triggers: []TriggerSpec{spec("b", "root.**", BeforeInsert, func(_ context.Context, f *Firing) error {
		err := f.Write(&Tablet{Device: "root.x", Times: []int64{1}, Columns: []Column{{Name: "s", Data: Bools{true}}}})
		if !errors.Is(err, ErrReentrant) {
			t.Errorf("got %v, want ErrReentrant", err)
		}
		return nil
	})}})
	must(t, db.Insert(context.Background(), "root.d", ns(1), Float64("s", 1)))
}

// A read inside a BEFORE trigger sees the store before the insert, inside an
// AFTER trigger after it.
func TestTriggerReads(t *testing.T) {
	ctx := context.Background()
	var j journal
	var db *DB
	read := func(ctx context.Context, f *Firing) error {
		last, err := db.Last(ctx, "root.d.s")
		if err != nil {
			return err
		}
		j.add("%s %d", f.Trigger, len(last))
		return nil
	}
	db = openMem(t, &Options{Triggers: []TriggerSpec{spec("before", "root.**", BeforeInsert, read), spec("after", "root.**", AfterInsert, read)}})
	must(t, db.Insert(ctx, "root.d", ns(1), Float64("s", 1)))
	j.want(t, "before 0", "after 1")
}

// Stateful triggers fire one at a time, in the order of the log.
func TestTriggerStatefulOrder(t *testing.T) {
	ctx := context.Background()
	for _, when := range []When{BeforeInsert, AfterInsert} {
		var inside, most, fired int
		sp := TriggerSpec{Name: "n", Pattern: "root.**", When: when, Stateful: true, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			inside++
			most = max(most, inside)
			fired++
			f.Put("fired", []byte(fmt.Sprint(fired)))
			inside--
			return nil
		})}
		db := openMem(t, &Options{Triggers: []TriggerSpec{sp}})
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					if err := db.Insert(ctx, fmt.Sprintf("root.d%d", g), ns(int64(i+1)), Int64("s", 1)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		v, _ := db.eng.Get("trigger/n/fired")
		if most != 1 || fired != 400 || string(v) != "400" {
			t.Errorf("%s: at most %d at once, %d fired, state %q; want 1, 400, 400", when, most, fired, v)
		}
	}
}

// A stateful trigger that writes into its own pattern would wait for itself.
func TestTriggerStatefulSelfWrite(t *testing.T) {
	var failures []error
	db := openMem(t, &Options{OnTriggerError: func(e *TriggerError) { failures = append(failures, e) }, Triggers: []TriggerSpec{{
		Name: "n", Pattern: "root.**", Stateful: true, Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			return f.Write(&Tablet{Device: "root.again", Times: []int64{1}, Columns: []Column{{Name: "s", Data: Bools{true}}}})
		})}}})
	must(t, db.Insert(context.Background(), "root.d", ns(1), Float64("s", 1)))
	if len(failures) != 1 || !errors.Is(failures[0], ErrReentrant) {
		t.Errorf("got failures %v, want one ErrReentrant", failures)
	}
	wantDump(t, db, "root.**", "root.d.s@1=1")
}

// State of a vetoed insert is not kept, and a stateful trigger gets its state
// back through Restore.
func TestTriggerVetoReloadsState(t *testing.T) {
	ctx := context.Background()
	c := &vetoing{}
	db := openMem(t, &Options{Triggers: []TriggerSpec{{Name: "n", Pattern: "root.**", When: BeforeInsert, Stateful: true, Trigger: c}}})
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 5)))
	if err := db.Insert(ctx, "root.d", ns(2), Int64("s", -1)); !errors.Is(err, ErrRejected) {
		t.Fatalf("got %v, want ErrRejected", err)
	}
	must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 7)))
	if c.sum != 12 {
		t.Errorf("the trigger's sum is %d, want 12: the vetoed row must not count", c.sum)
	}
	wantDump(t, db, "root.**", "root.d.s@1=5", "root.d.s@3=7")
}

type vetoing struct{ sum int64 }

func (v *vetoing) FailureStrategy() FailureStrategy { return Pessimistic }
func (v *vetoing) Restore(_ context.Context, env Env) error {
	b, ok := env.Get("sum")
	if v.sum = 0; !ok {
		return nil
	}
	_, err := fmt.Sscan(string(b), &v.sum)
	return err
}
func (v *vetoing) Fire(_ context.Context, f *Firing) error {
	n := f.Row(0).Get("s").Int64()
	v.sum += n
	f.Put("sum", []byte(fmt.Sprint(v.sum)))
	if n < 0 {
		return errBoom
	}
	return nil
}

// Effects of a firing are all or nothing.
func TestTriggerEffects(t *testing.T) {
	ctx := context.Background()
	var j journal
	fail := false
	db := openMem(t, &Options{
		Sinks: []SinkSpec{{Name: "s", Sink: j.sink()}},
		Triggers: []TriggerSpec{spec("fx", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error {
			f.Emit(Event{Series: "root.d.s", Time: f.Row(0).Time()})
			f.Put("k", []byte("v"))
			if err := f.Write(&Tablet{Device: "root.x", Times: f.Times, Columns: []Column{{Name: "s", Data: Bools{true}}}}); err != nil {
				return err
			}
			if fail {
				return errBoom
			}
			return nil
		})}})
	fail = true
	must(t, db.Insert(ctx, "root.d", ns(1), Float64("s", 1)))
	must(t, db.Quiesce(ctx))
	j.want(t)
	if _, ok := db.eng.Get("trigger/fx/k"); ok {
		t.Error("state of a failed firing is kept")
	}
	fail = false
	must(t, db.Insert(ctx, "root.d", ns(2), Float64("s", 1)))
	must(t, db.Quiesce(ctx))
	j.want(t, "fx|root.d.s|2|0|0 root.d.s@2")
	if v, _ := db.eng.Get("trigger/fx/k"); string(v) != "v" {
		t.Errorf("state is %q, want v", v)
	}
	wantDump(t, db, "root.x.**", "root.x.s@2=true")
}

// Creating and dropping under load: each insert sees a trigger wholly or not
// at all, and after a drop has returned nothing fires it.
func TestTriggerDropUnderLoad(t *testing.T) {
	ctx := context.Background()
	db := openMem(t, nil)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := int64(1); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				ts := []*Tablet{
					{Device: fmt.Sprintf("root.a%d", g), Times: []int64{i}, Columns: []Column{{Name: "s", Data: Int64s{i}}}},
					{Device: fmt.Sprintf("root.b%d", g), Times: []int64{i}, Columns: []Column{{Name: "s", Data: Int64s{i}}}},
				}
				if err := db.InsertTablets(ctx, ts...); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range 50 {
		var mu sync.Mutex
		seen := make(map[string]int)
		gone := false
		must(t, db.CreateTrigger(ctx, spec("n", "root.**", AfterInsert, func(_ context.Context, f *Firing) error {
			mu.Lock()
			defer mu.Unlock()
			if gone {
				t.Errorf("round %d: fired after the drop returned", round)
			}
			seen[f.Device[6:]+"@"+fmt.Sprint(f.Times[0])]++
			return nil
		})))
		for {
			mu.Lock()
			n := len(seen)
			mu.Unlock()
			if n > 4 {
				break
			}
			runtime.Gosched()
		}
		must(t, db.DropTrigger(ctx, "n"))
		mu.Lock()
		gone = true
		for k, n := range seen {
			if n != 2 {
				t.Errorf("round %d: group %s fired for %d of its 2 tablets", round, k, n)
			}
		}
		mu.Unlock()
	}
	close(stop)
	wg.Wait()
}
