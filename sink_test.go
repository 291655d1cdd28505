package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// hookedSink is a sink with all optional methods.
type hookedSink struct {
	journal
	refuse  error
	panics  bool
	handle  func(events []Event) error
	db      *DB
	batches []int
}

func (s *hookedSink) Bind(db *DB) { s.db = db; s.add("bind") }

func (s *hookedSink) Validate() error {
	s.add("validate %v", s.db != nil && len(s.db.Stats().Sinks) == 0) // may call the DB
	if s.panics {
		panic("boom")
	}
	return s.refuse
}

func (s *hookedSink) Defaults(spec *SinkSpec) {
	s.add("defaults of %s", spec.Name)
	spec.Notify = true
	spec.Name, spec.Sink = "other", nil // has no effect
	if spec.Batch == 0 {
		spec.Batch = 3
	}
}

func (s *hookedSink) Open(context.Context) error  { s.add("open"); return nil }
func (s *hookedSink) Close(context.Context) error { s.add("close"); return nil }

func (s *hookedSink) Handle(_ context.Context, events []Event) error {
	s.batches = append(s.batches, len(events))
	for i := range events {
		s.add("handle %d", events[i].Time.UnixNano())
	}
	if s.handle != nil {
		return s.handle(events)
	}
	return nil
}

// echo sends one event for each row.
var echo = TriggerFunc(func(_ context.Context, f *Firing) error {
	for _, at := range f.Times {
		f.Emit(Event{Time: ns(at)})
	}
	return nil
})

func boolRows(n int) *Tablet {
	t := &Tablet{Device: "root.d", Columns: []Column{{Name: "v", Data: make(Bools, n)}}}
	for i := range n {
		t.Times = append(t.Times, int64(i))
	}
	return t
}

func TestSinkHooks(t *testing.T) {
	for _, c := range []struct {
		batch int
		want  []int
	}{{0, []int{3, 3, 1}}, {5, []int{5, 2}}, {1, []int{1, 1, 1, 1, 1, 1, 1}}} {
		s := new(hookedSink)
		db := openMem(t, &Options{Sinks: []SinkSpec{{Name: "s", Sink: s, Batch: c.batch}}, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}}})
		must(t, db.InsertTablet(t.Context(), boolRows(7)))
		must(t, db.Quiesce(t.Context()))
		must(t, db.Close())
		s.want(t, "bind", "validate true", "defaults of s", "open",
			"handle 0", "handle 1", "handle 2", "handle 3", "handle 4", "handle 5", "handle 6", "close")
		if !slices.Equal(s.batches, c.want) {
			t.Errorf("batch %d: %v, want %v", c.batch, s.batches, c.want)
		}
	}
}

func TestSinkRefusesItself(t *testing.T) {
	boom := errors.New("boom")
	for _, s := range []*hookedSink{{refuse: boom}, {panics: true}} {
		db := openMem(t, nil)
		err := db.AddSink(t.Context(), SinkSpec{Name: "s", Sink: s})
		var p *PanicError
		if err == nil || s.refuse != nil && !errors.Is(err, boom) || s.panics && !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "tickwell: add sink s: ") {
			t.Errorf("%v", err)
		}
		s.want(t, "bind", "validate true")
		s.refuse, s.panics = nil, false
		must(t, db.AddSink(t.Context(), SinkSpec{Name: "s", Sink: s}))
	}
}

// TestSinkNotify holds that people are told one by one.
func TestSinkNotify(t *testing.T) {
	for notify, want := range map[bool]string{false: "[5]", true: "[1 1 1 1 1]"} {
		var batches []int
		db := openMem(t, &Options{
			Sinks: []SinkSpec{{Name: "s", Notify: notify, Sink: SinkFunc(func(_ context.Context, events []Event) error {
				batches = append(batches, len(events))
				return nil
			})}},
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}},
		})
		must(t, db.InsertTablet(t.Context(), boolRows(5)))
		must(t, db.Quiesce(t.Context()))
		if got := fmt.Sprint(batches); got != want {
			t.Errorf("notify %v: batches %s, want %s", notify, got, want)
		}
	}
}

func TestSinkHealthAndEnable(t *testing.T) {
	s := &hookedSink{handle: func([]Event) error { return deliver.Disabled(errors.New("gone")) }}
	db := openMem(t, &Options{Sinks: []SinkSpec{{Name: "s", Sink: s}}, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}}})
	must(t, db.InsertTablet(t.Context(), boolRows(2)))
	if err := db.Quiesce(t.Context()); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Errorf("quiesce: %v", err)
	}
	st := db.Stats().Sinks[0]
	if st.Health != "disabled" || st.Backlog != 2 || st.LastError != "disabled: gone" || st.Breaker != "closed" || st.Since.IsZero() {
		t.Errorf("%+v", st)
	}
	if err := db.EnableSink("x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("enable of no sink: %v", err)
	}
	s.handle = nil
	must(t, db.EnableSink("s"))
	must(t, db.Quiesce(t.Context()))
	st = db.Stats().Sinks[0]
	if st.Health != "ok" || st.Backlog != 0 || st.Delivered != 2 || st.LastError != "" || time.Since(st.LastSuccess) > time.Minute {
		t.Errorf("%+v", st)
	}
}

// An event that may have been handed out before says so: after a failed attempt, and
// after the store was opened again.
func TestReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		fs, fail := memFS(), true
		open := func() *DB {
			return openDir(t, "data", &Options{
				FS: fs, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: echo}},
				Sinks: []SinkSpec{{Name: "s", Sink: SinkFunc(func(_ context.Context, events []Event) error {
					for i := range events {
						j.add("%d %v", events[i].Time.UnixNano(), events[i].Replayed)
					}
					if fail {
						return deliver.Retry(errors.New("down"), time.Hour)
					}
					return nil
				})}},
			})
		}
		db := open()
		must(t, db.Insert(t.Context(), "root.d", ns(1), Bool("v", true)))
		must(t, db.Sync(t.Context()))
		synctest.Wait()
		j.want(t, "1 false")
		fail = false
		must(t, db.Quiesce(t.Context()))
		j.want(t, "1 true")
		fail = true
		must(t, db.Insert(t.Context(), "root.d", ns(2), Bool("v", true)))
		must(t, db.Sync(t.Context()))
		synctest.Wait()
		j.want(t, "2 false")
		must(t, db.Close())
		fail = false
		db = open()
		must(t, db.Quiesce(t.Context()))
		j.want(t, "2 true")
		must(t, db.Insert(t.Context(), "root.d", ns(3), Bool("v", true)))
		must(t, db.Quiesce(t.Context()))
		j.want(t, "3 false")
		must(t, db.Close())
	})
}
