package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// counter is a class: it counts firings in durable state.
type counter struct {
	j *journal
	n int
}

func (c *counter) OnCreate(_ context.Context, env Env) error {
	c.j.add("create %s limit=%s", env.Name, env.Params.Text("limit"))
	return nil
}
func (c *counter) Restore(_ context.Context, env Env) error {
	if b, ok := env.Get("n"); ok {
		fmt.Sscan(string(b), &c.n)
	}
	c.j.add("restore %s %d", env.Name, c.n)
	return nil
}
func (c *counter) Fire(_ context.Context, f *Firing) error {
	c.n++
	f.Put("n", fmt.Append(nil, c.n))
	c.j.add("fire %s %d", f.Trigger, c.n)
	return nil
}
func (c *counter) OnStart(context.Context) error { c.j.add("start"); return nil }
func (c *counter) OnStop(context.Context) error  { c.j.add("stop"); return nil }
func (c *counter) OnDrop(context.Context) error  { c.j.add("drop"); return nil }

func listing(db *DB) (rows []string) {
	for i := range db.Triggers() {
		rows = append(rows, fmt.Sprintf("%s,%s,%s,%s,%s,%s,%s", i.Spec.Name, i.Spec.When, i.Type, i.State, i.Spec.path(), i.ClassName, i.NodeID))
	}
	return rows
}

func wantListing(t *testing.T, db *DB, want ...string) {
	t.Helper()
	if got := listing(db); !slices.Equal(got, want) {
		t.Errorf("listed:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// Stored triggers of a class are there again after a restart, with attributes,
// state, order, and whether they were stopped.
func TestTriggerClassRestart(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	opts := &Options{FS: fs, Classes: map[string]func() Trigger{"org.example.Counter": func() Trigger { return &counter{j: &j} }}}
	db := openDir(t, "data", opts)
	wantListing(t, db)
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "z", Pattern: "root.**", Class: "org.example.Counter", Stateful: true, Params: Params{"limit": "100", "Limit": "x y"}}))
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "a", Pattern: "root.d.*", When: BeforeInsert, Class: "org.example.Counter", Params: Params{"limit": "5"}}))
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "m", Pattern: "root.d.s", Class: "org.example.Counter", Stateful: true, Priority: -1, Queue: 3, Durable: true}))
	j.want(t, "create z limit=100", "create a limit=5", "create m limit=")
	must(t, db.StopTrigger(ctx, "m"))
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	j.want(t, "stop", "fire a 1", "fire z 1")
	want := []string{"a,BEFORE_INSERT,STATELESS,ACTIVE,root.d.*,org.example.Counter,ALL",
		"m,AFTER_INSERT,STATEFUL,STOPPED,root.d.s,org.example.Counter,0", "z,AFTER_INSERT,STATEFUL,ACTIVE,root.**,org.example.Counter,0"}
	wantListing(t, db, want...)
	specs := func() (out []string) {
		for i := range db.Triggers() {
			out = append(out, fmt.Sprintf("%+v %v", i.Spec, i.Hooks))
		}
		return out
	}
	old := specs()
	must(t, db.Close())

	db = openDir(t, "data", opts)
	j.want(t, "create z limit=100", "restore z 1", "create a limit=5", "create m limit=", "restore m 0", "stop")
	wantListing(t, db, want...)
	if got := specs(); !slices.Equal(got, old) {
		t.Errorf("after reopen:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(old, "\n  "))
	}
	must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t, "fire a 1", "fire z 2") // the stateless one was not restored
	must(t, db.StartTrigger(ctx, "m"))
	must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 1)))
	must(t, db.Quiesce(ctx))
	got := j.take()
	slices.Sort(got)
	if want := []string{"fire a 2", "fire m 1", "fire z 3", "start"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	must(t, db.DropTrigger(ctx, "m"))
	must(t, db.Close())
	db = openDir(t, "data", opts)
	wantListing(t, db, want[0], want[2])
}

// A stored trigger whose class is missing is INACTIVE, fails by its recorded
// strategy, and is taken into service when the class appears.
func TestTriggerClassMissing(t *testing.T) {
	ctx := context.Background()
	for _, strategy := range []FailureStrategy{Optimistic, Pessimistic} {
		var j journal
		fs := memFS()
		class := func() Trigger {
			return &strategist{strategy, func() error { j.add("fire"); return nil }}
		}
		db := openDir(t, "data", &Options{FS: fs, Classes: map[string]func() Trigger{"C": class}})
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.d.*", When: BeforeInsert, Class: "C"}))
		must(t, db.Close())

		var reported []error
		db = openDir(t, "data", &Options{FS: fs, OnTriggerError: func(e *TriggerError) { reported = append(reported, e) }})
		wantListing(t, db, "n,BEFORE_INSERT,STATELESS,INACTIVE,root.d.*,C,ALL")
		for i := range db.Triggers() {
			if i.Err == nil || !strings.Contains(i.Err.Error(), `class "C"`) {
				t.Errorf("listed with error %v, want one that names the class", i.Err)
			}
		}
		err := db.Insert(ctx, "root.d", ns(1), Int64("s", 1))
		if (err != nil) != (strategy == Pessimistic) || len(reported) != 1 || !errors.Is(reported[0], ErrNotFound) {
			t.Errorf("strategy %d: insert returned %v, reported %v", strategy, err, reported)
		}
		must(t, db.Insert(ctx, "root.other", ns(1), Int64("s", 1)))
		if err := db.StartTrigger(ctx, "n"); err == nil {
			t.Error("an inactive trigger was started")
		}
		must(t, db.RegisterClass(ctx, "C", class))
		wantListing(t, db, "n,BEFORE_INSERT,STATELESS,ACTIVE,root.d.*,C,ALL")
		must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
		j.want(t, "fire")
		must(t, db.Close())
		db = openDir(t, "data", &Options{FS: fs}) // an inactive one can be dropped
		must(t, db.DropTrigger(ctx, "n"))
		must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 1)))
		wantListing(t, db)
	}
}

// A class whose hooks fail at reopen leaves its trigger INACTIVE.
func TestTriggerClassHookFailsAtReopen(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	h := &hooked{j: &j}
	opts := &Options{FS: fs, Classes: map[string]func() Trigger{"H": func() Trigger { return h }}}
	db := openDir(t, "data", opts)
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Class: "H", Params: Params{"lo": "1"}}))
	must(t, db.Close())
	h.fail = "OnCreate 1"
	db = openDir(t, "data", opts)
	for i := range db.Triggers() {
		if i.State != "INACTIVE" || !errors.Is(i.Err, errBoom) {
			t.Errorf("state %s, error %v; want INACTIVE with the hook's error", i.State, i.Err)
		}
	}
	must(t, db.Close())
	h.fail = ""
	db = openDir(t, "data", opts)
	wantListing(t, db, "n,AFTER_INSERT,STATELESS,ACTIVE,root.**,H,ALL")
}

func TestTriggerClassRegistry(t *testing.T) {
	ctx := context.Background()
	var j journal
	class := func() Trigger { return &counter{j: &j} }
	db := openMem(t, &Options{Classes: map[string]func() Trigger{"A": class, "B": class}})
	err := db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Class: "X"})
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"X"`) || !strings.Contains(err.Error(), `["A" "B"]`) {
		t.Errorf("unknown class: got %v, want ErrNotFound that names it and those known", err)
	}
	wantListing(t, db)
	for _, name := range []string{"one", "two", "three"} {
		must(t, db.CreateTrigger(ctx, TriggerSpec{Name: name, Pattern: "root.**", Class: "A"}))
	}
	for what, err := range map[string]error{"register": db.RegisterClass(ctx, "A", class), "drop": db.DropClass(ctx, "A")} {
		if !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "one, three, two") {
			t.Errorf("%s a class in use: got %v, want ErrExists with the list of its triggers", what, err)
		}
	}
	if err := db.RegisterClass(ctx, "B", class); !errors.Is(err, ErrExists) {
		t.Errorf("registered twice: got %v, want ErrExists", err)
	}
	must(t, db.DropClass(ctx, "B"))
	must(t, db.RegisterClass(ctx, "B", class))
	for what, err := range map[string]error{"no factory": db.RegisterClass(ctx, "N", nil), "no name": db.RegisterClass(ctx, "", class)} {
		if !errors.Is(err, ErrBadInput) {
			t.Errorf("%s: got %v, want ErrBadInput", what, err)
		}
	}
	if err := db.DropClass(ctx, "N"); !errors.Is(err, ErrNotFound) {
		t.Errorf("drop of an unknown class: got %v, want ErrNotFound", err)
	}
	must(t, db.RegisterClass(ctx, "Nil", func() Trigger { return nil }))
	must(t, db.RegisterClass(ctx, "Panic", func() Trigger { panic("factory") }))
	for _, c := range []string{"Nil", "Panic"} {
		if err := db.CreateTrigger(ctx, TriggerSpec{Name: c, Pattern: "root.**", Class: c}); err == nil {
			t.Errorf("class %s made an instance", c)
		}
	}
}

// A trigger made by value is listed INACTIVE after a restart, and does nothing
// until it is created again.
func TestTriggerByValueRestart(t *testing.T) {
	ctx := context.Background()
	var j journal
	fs := memFS()
	sp := TriggerSpec{Name: "v", Pattern: "root.**", When: BeforeInsert, Stateful: true, Trigger: &counter{j: &j}}
	db := openDir(t, "data", &Options{FS: fs, Triggers: []TriggerSpec{sp}})
	must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
	wantListing(t, db, "v,BEFORE_INSERT,STATEFUL,ACTIVE,root.**,*tickwell.counter,0")
	must(t, db.Close())
	j.take()
	db = openDir(t, "data", &Options{FS: fs})
	wantListing(t, db, "v,BEFORE_INSERT,STATEFUL,INACTIVE,root.**,,0")
	must(t, db.Insert(ctx, "root.d", ns(2), Int64("s", 1)))
	j.want(t)
	sp.Trigger = &counter{j: &j}
	must(t, db.CreateTrigger(ctx, sp))
	must(t, db.Insert(ctx, "root.d", ns(3), Int64("s", 1)))
	j.want(t, "create v limit=", "restore v 1", "fire v 2")
}

// States that other goroutines can see: INACTIVE while OnCreate runs, DROPPING
// while OnDrop runs; in neither does it fire.
func TestTriggerStates(t *testing.T) {
	ctx := context.Background()
	var db *DB
	var j journal
	s := &statesTrigger{look: func(when string) {
		must(t, db.Insert(ctx, "root.d", ns(1), Int64("s", 1)))
		for i := range db.Triggers() {
			j.add("%s %s", when, i.State)
		}
	}, j: &j}
	db = openMem(t, nil)
	must(t, db.CreateTrigger(ctx, TriggerSpec{Name: "n", Pattern: "root.**", Trigger: s}))
	s.look("created")
	must(t, db.DropTrigger(ctx, "n"))
	s.look("dropped")
	j.want(t, "in OnCreate INACTIVE", "fire", "created ACTIVE", "in OnDrop DROPPING")
}

type statesTrigger struct {
	look func(string)
	j    *journal
}

func (s *statesTrigger) OnCreate(context.Context, Env) error { s.look("in OnCreate"); return nil }
func (s *statesTrigger) OnDrop(context.Context) error        { s.look("in OnDrop"); return nil }
func (s *statesTrigger) Fire(context.Context, *Firing) error { s.j.add("fire"); return nil }

// A definition of a newer program is reported, not guessed at.
func TestTriggerUnknownDefinition(t *testing.T) {
	d := definition{spec: TriggerSpec{Name: "n", Pattern: "root.**", Class: "C"}}
	ok := d.append(nil)
	if _, err := decodeDefinition(ok); err != nil {
		t.Fatal(err)
	}
	newer := append([]byte{definitionVersion + 1}, ok[1:]...)
	event := appendPairs(appendPairs([]byte{definitionVersion}, map[string]string{"name": "n", "pattern": "root.**", "when": "BEFORE_DELETE"}), nil)
	field := appendPairs(appendPairs([]byte{definitionVersion}, map[string]string{"name": "n", "pattern": "root.**", "when": "AFTER_INSERT", "colour": "red"}), nil)
	for name, b := range map[string][]byte{"version": newer, "event": event, "field": field, "cut": ok[:len(ok)-1]} {
		if _, err := decodeDefinition(b); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrCorrupt", name, err)
		}
	}
	if tr := openMem(t, nil).storedTrigger(&definition{spec: TriggerSpec{Name: "n"}}, errBoom); tr.missing == nil || tr.state.Load() != stateInactive {
		t.Error("a definition that cannot be read is not inactive")
	}
}
