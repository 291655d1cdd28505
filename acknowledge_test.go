package tickwell

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell/internal/crashfs"
	"github.com/tickwell/tickwell/vfs"
)

// watchedFS counts what is done to the log, and lets a test hold up its syncs.
type watchedFS struct {
	vfs.FS
	writes, syncs atomic.Int64
	beforeSync    atomic.Pointer[func()]
}

func (fs *watchedFS) watch(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil || !strings.Contains(name, "wal") {
		return f, err
	}
	return &watchedFile{f, fs}, nil
}

func (fs *watchedFS) Create(name string) (vfs.File, error) {
	f, err := fs.FS.Create(name)
	return fs.watch(name, f, err)
}

func (fs *watchedFS) OpenReadWrite(name string) (vfs.File, error) {
	f, err := fs.FS.OpenReadWrite(name)
	return fs.watch(name, f, err)
}

type watchedFile struct {
	vfs.File
	fs *watchedFS
}

func (f *watchedFile) Write(b []byte) (int, error) {
	f.fs.writes.Add(1)
	return f.File.Write(b)
}

func (f *watchedFile) WriteAt(b []byte, at int64) (int, error) {
	f.fs.writes.Add(1)
	return f.File.WriteAt(b, at)
}

func (f *watchedFile) Sync() error {
	if g := f.fs.beforeSync.Load(); g != nil {
		(*g)()
	}
	f.fs.syncs.Add(1)
	return f.File.Sync()
}

// An insert and all that its triggers make of it are one write, and one sync
// where the policy syncs.
func TestAcknowledgeOnce(t *testing.T) {
	ctx := context.Background()
	emit := func(_ context.Context, f *Firing) error {
		f.Emit(Event{Series: f.Device, Time: f.Row(0).Time()})
		f.Put("k", fmt.Append(nil, f.Times[0]))
		if f.Device == "root.a" {
			return f.Write(tab("root.b", f.Times[0], "s", Int64s{1}))
		}
		return nil
	}
	for _, c := range []struct {
		name  string
		sync  SyncPolicy
		syncs int64
	}{{"interval", SyncInterval(time.Hour), 0}, {"always", SyncAlways(), 1}, {"never", SyncNever(), 0}} {
		fs := &watchedFS{FS: memFS()}
		specs := []TriggerSpec{spec("before", "root.a.*", BeforeInsert, func(_ context.Context, f *Firing) error {
			f.Emit(Event{Series: f.Device, Time: f.Row(0).Time()})
			return nil
		})}
		for i := range 3 {
			specs = append(specs, spec(fmt.Sprint("after", i), "root.**", AfterInsert, emit))
		}
		db := openDir(t, "data", &Options{FS: fs, Sync: c.sync, Clock: newFake(), Sinks: []SinkSpec{killSink("")}, Triggers: specs})
		must(t, db.InsertTablet(ctx, tab("root.a", 1, "s", Int64s{1}))) // makes the series
		for i := range int64(5) {
			writes, syncs := fs.writes.Load(), fs.syncs.Load()
			must(t, db.InsertTablet(ctx, tab("root.a", 2+i, "s", Int64s{1})))
			if w, s := fs.writes.Load()-writes, fs.syncs.Load()-syncs; w != 1 || s != c.syncs {
				t.Errorf("%s: an insert that fires twelve times takes %d writes and %d syncs of the log, want 1 and %d", c.name, w, s, c.syncs)
			}
		}
	}
}

// When an insert has returned, a crash takes neither its rows nor what its
// triggers have made of them.
func TestAcknowledgedWithEffects(t *testing.T) {
	ctx := context.Background()
	fs := crashfs.New()
	after := spec("after", "root.a.*", AfterInsert, func(_ context.Context, f *Firing) error {
		f.Put("last", fmt.Append(nil, f.Times[0]))
		f.Emit(Event{Series: f.Device, Time: f.Row(0).Time()})
		return f.Write(tab("root.b", f.Times[0], "s", Int64s{f.Times[0]}))
	})
	opts := func(f vfs.FS) *Options {
		return &Options{FS: f, Sync: SyncAlways(), Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{after}}
	}
	db := openDir(t, "data", opts(fs))
	for i := int64(1); i <= 20; i++ {
		must(t, db.InsertTablet(ctx, tab("root.a", i, "s", Int64s{i})))
		cut := openDir(t, "data", opts(crashfs.From(fs.Image(fs.Ops(), crashfs.None, 1))))
		if a, b := len(dump(t, cut, "root.a.s")), len(dump(t, cut, "root.b.s")); a != int(i) || b != int(i) {
			t.Fatalf("after %d inserts a power cut leaves %d rows and %d that the trigger wrote", i, a, b)
		}
		if last, ok := cut.eng.Get(cut.triggers.Load().find("after").stateKey("last")); !ok || string(last) != fmt.Sprint(i) {
			t.Fatalf("after %d inserts a power cut leaves the state %q", i, last)
		}
		if n, _ := cut.eng.Outbox().Backlog("box"); n != i {
			t.Fatalf("after %d inserts a power cut leaves %d events", i, n)
		}
		must(t, cut.Close())
	}
}

// An insert whose trigger does not return holds nobody up: others are
// acknowledged, and what it has stored is on the disk when the interval is over.
func TestAcknowledgeBesideSlowTrigger(t *testing.T) {
	ctx := context.Background()
	for _, policy := range []SyncPolicy{SyncInterval(time.Second), SyncAlways()} {
		clk, fs := newFake(), crashfs.New()
		entered, leave := make(chan struct{}), make(chan struct{})
		slow := spec("slow", "root.slow.*", AfterInsert, func(context.Context, *Firing) error {
			close(entered)
			<-leave
			return nil
		})
		slow.Stateful = true
		db := openDir(t, "data", &Options{FS: fs, Sync: policy, Clock: clk, Triggers: []TriggerSpec{slow}})
		must(t, db.CreateSeries(ctx, "root.slow.s", KindInt64))
		done := make(chan error)
		go func() { done <- db.InsertTablet(ctx, tab("root.slow", 1, "s", Int64s{1})) }()
		<-entered
		wantDump(t, db, "root.slow.*", "root.slow.s@1=1") // a trigger sees it stored
		clk.Advance(2 * time.Second)
		cut := openDir(t, "data", &Options{FS: crashfs.From(fs.Image(fs.Ops(), crashfs.None, 1))})
		wantDump(t, cut, "root.slow.*", "root.slow.s@1=1")
		must(t, db.InsertTablet(ctx, tab("root.other", 1, "s", Int64s{1})))
		must(t, db.Sync(ctx))
		close(leave)
		must(t, <-done)
	}
}

// Inserts that fire a stateful trigger share their syncs: none holds the ticket
// while it waits for the disk.
func TestAcknowledgeInGroups(t *testing.T) {
	ctx := context.Background()
	const writers = 8
	for _, when := range []When{BeforeInsert, AfterInsert} {
		var db *DB
		var held atomic.Bool
		stored := func() bool { // by all of them
			points, err := db.Last(ctx, "root.d.**")
			must(t, err)
			return len(points) == writers
		}
		fs := &watchedFS{FS: memFS()}
		tr := spec("t", "root.d.**", when, func(_ context.Context, f *Firing) error {
			f.Put("n", []byte{1})
			return nil
		})
		tr.Stateful = true
		db = openDir(t, "data", &Options{FS: fs, Sync: SyncAlways(), Triggers: []TriggerSpec{tr}})
		for i := range writers {
			must(t, db.CreateSeries(ctx, fmt.Sprintf("root.d.d%d.s", i), KindInt64))
		}
		must(t, db.Sync(ctx))
		firstWaits := func() { // until all others have fired
			if held.CompareAndSwap(false, true) {
				for !stored() {
					runtime.Gosched()
				}
			}
		}
		fs.beforeSync.Store(&firstWaits)
		before := fs.syncs.Load()
		within(t, "inserting in groups", func() {
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() { must(t, db.InsertTablet(ctx, tab(fmt.Sprintf("root.d.d%d", i), 1, "s", Int64s{1}))) })
			}
			wg.Wait()
		})
		if n := fs.syncs.Load() - before; n > writers/2 {
			t.Errorf("%s: %d inserts at once took %d syncs, want a few", when, writers, n)
		}
	}
}

// If the disk fails when an insert is to be acknowledged, its triggers have
// fired; the error says that the rows are stored and not durable.
func TestAcknowledgeFails(t *testing.T) {
	ctx := context.Background()
	broken := errors.New("disk is broken")
	fs := crashfs.New()
	fired := 0
	tr := spec("t", "root.d.*", AfterInsert, func(_ context.Context, f *Firing) error {
		fired++
		f.Emit(Event{Series: f.Device})
		return nil
	})
	db := openDir(t, "data", &Options{FS: fs, Sync: SyncAlways(), Sinks: []SinkSpec{killSink("")}, Triggers: []TriggerSpec{tr}})
	must(t, db.InsertTablet(ctx, tab("root.d", 1, "s", Int64s{1})))
	fs.Fail(1, broken, true, func(op crashfs.Op) bool { return op.Kind == crashfs.Sync })
	err := db.InsertTablet(ctx, tab("root.d", 2, "s", Int64s{1}))
	var e *Error
	if !errors.As(err, &e) || !e.Stored || e.Durable || !errors.Is(err, ErrStorageFailed) {
		t.Errorf("got %v (%+v), want a stored, not durable ErrStorageFailed", err, e)
	}
	if fired != 2 {
		t.Errorf("fired %d times, want 2", fired)
	}
	if err := db.InsertTablet(ctx, tab("root.d", 3, "s", Int64s{1})); !errors.Is(err, ErrStorageFailed) {
		t.Errorf("got %v from the next insert, want ErrStorageFailed", err)
	}
}

// What a pessimistic trigger AFTER an insert makes the insert return says
// whether the rows survive power loss.
func TestAcknowledgedFailure(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		sync    SyncPolicy
		dir     string
		durable bool
	}{{SyncAlways(), "data", true}, {SyncInterval(time.Hour), "data", false}, {SyncPolicy{}, "", false}} {
		var shown *TriggerError
		tr := TriggerSpec{Name: "t", Pattern: "root.d.*", Trigger: pessimist{func(context.Context, *Firing) error { return errBoom }}}
		db := openDir(t, c.dir, &Options{FS: memFS(), Clock: newFake(), Sync: c.sync, Triggers: []TriggerSpec{tr}, OnTriggerError: func(e *TriggerError) { shown = e }})
		err := db.InsertTablet(ctx, tab("root.d", 1, "s", Int64s{1}))
		var te *TriggerError
		if !errors.As(err, &te) || !te.Stored || te.Durable != c.durable || !errors.Is(err, errBoom) {
			t.Errorf("got %+v, want a stored failure, durable %v", err, c.durable)
		}
		if shown == nil || !shown.Stored || shown.Durable {
			t.Errorf("OnTriggerError was told %+v, want stored, and not yet known to be durable", shown)
		}
	}
}
