package tickwell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tickwell/tickwell/internal/deliver"
)

// picky refuses for good the events whose time is in bad, while on.
type picky struct {
	journal
	bad []int64
	off atomic.Bool
}

func (s *picky) Handle(_ context.Context, events []Event) error {
	var p deliver.Partial
	p.Causes = make(map[int]error)
	for i := range events {
		if at := events[i].Time.UnixNano(); slices.Contains(s.bad, at) && !s.off.Load() {
			p.Rejected = append(p.Rejected, i)
			p.Causes[i] = fmt.Errorf("no %d", at)
			continue
		}
		p.Done = append(p.Done, i)
		s.add("%d", events[i].Time.UnixNano())
	}
	if p.Rejected == nil {
		return nil
	}
	return &p
}

func deadTimes(t *testing.T, db *DB, sink string) (out []int64) {
	t.Helper()
	for d, err := range db.DeadLetters(t.Context(), sink) {
		must(t, err)
		out = append(out, d.Event.Time.UnixNano())
	}
	return out
}

func TestDeadLettersAndRedrive(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		fs := memFS()
		s := &picky{bad: []int64{1, 3, 4}}
		opts := &Options{FS: fs, Sinks: []SinkSpec{{Name: "s", Sink: s}}, Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}}}
		db := openDir(t, dir, opts)
		must(t, db.InsertTablet(t.Context(), boolRows(6)))
		must(t, db.Quiesce(t.Context()))
		s.want(t, "0", "2", "5")
		if dir != "" { // they outlive the program, and the part of the log that they were in
			must(t, db.Flush(t.Context()))
			must(t, db.Close())
			db = openDir(t, dir, opts)
		}
		var got []string
		for d, err := range db.DeadLetters(t.Context(), "s") {
			must(t, err)
			if d.FirstAttempt.IsZero() || d.LastAttempt.Before(d.FirstAttempt) {
				t.Errorf("attempts from %v to %v", d.FirstAttempt, d.LastAttempt)
			}
			got = append(got, fmt.Sprintf("%s %s %s: %s (%d)", d.Sink, d.Event.ID, d.Reason, d.Cause, d.Attempts))
		}
		want := []string{"s t||1|0|0 partial: no 1 (1)", "s t||3|0|0 partial: no 3 (1)", "s t||4|0|0 partial: no 4 (1)"}
		if !slices.Equal(got, want) {
			t.Errorf("dead letters %q, want %q", got, want)
		}
		if n := db.Stats().Sinks[0].DeadLetters; n != 3 {
			t.Errorf("%d dead letters in Stats, want 3", n)
		}

		s.off.Store(true)
		n, err := db.Redrive(t.Context(), "s", func(d DeadLetter) bool { return d.Event.Time.UnixNano() != 3 })
		if n != 2 || err != nil {
			t.Errorf("redrive: %d, %v, want 2", n, err)
		}
		must(t, db.Quiesce(t.Context()))
		s.want(t, "1", "4")
		if got := deadTimes(t, db, "s"); !slices.Equal(got, []int64{3}) {
			t.Errorf("left: %v, want 3", got)
		}
		n, err = db.Redrive(t.Context(), "s", nil)
		if n != 1 || err != nil {
			t.Errorf("redrive all: %d, %v, want 1", n, err)
		}
		must(t, db.Quiesce(t.Context()))
		s.want(t, "3")
		if got := deadTimes(t, db, "s"); got != nil {
			t.Errorf("left: %v, want none", got)
		}
		if _, err := db.Redrive(t.Context(), "x", nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("redrive of no sink: %v", err)
		}
		must(t, db.Close())
	}
}

// A DeadLetter that fails keeps the event until it succeeds.
func TestDeadLetterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		tries := 0
		db := openMem(t, &Options{
			Sinks: []SinkSpec{{Name: "s", Sink: &picky{bad: []int64{1}}, DeadLetter: func(_ context.Context, d DeadLetter) error {
				if tries++; tries < 4 {
					return errors.New("disk full")
				}
				got = append(got, d.Event.ID+" "+d.Cause)
				return nil
			}}},
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}},
		})
		must(t, db.InsertTablet(t.Context(), boolRows(3)))
		synctest.Wait()
		if st := db.Stats().Sinks[0]; st.Backlog != 1 || st.Delivered != 2 || st.Health != "failing" || !strings.Contains(st.LastError, "disk full") {
			t.Errorf("while the dead letter fails: %+v", st)
		}
		must(t, db.Quiesce(t.Context()))
		if want := []string{"t||1|0|0 no 1"}; !slices.Equal(got, want) || tries != 4 {
			t.Errorf("dead letters %q after %d calls, want %q after 4", got, tries, want)
		}
		if st := db.Stats().Sinks[0]; st.Dead != 1 || st.Delivered != 2 || st.Backlog != 0 || st.DeadLetters != 0 {
			t.Errorf("in the end: %+v", st)
		}
		must(t, db.Close())
	})
}

// An event is given up at MaxAge, once it has been tried in vain.
func TestSinkMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		db := openMem(t, &Options{
			Sinks: []SinkSpec{{Name: "s", MaxAge: time.Hour, Sink: SinkFunc(func(context.Context, []Event) error {
				if down {
					return errors.New("down")
				}
				return nil
			})}},
			Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: echo}},
		})
		must(t, db.InsertTablet(t.Context(), boolRows(2)))
		<-time.After(30 * time.Minute)
		row := boolRows(3)
		row.Times, row.Columns[0].Data = row.Times[2:], Bools{true}
		must(t, db.InsertTablet(t.Context(), row))
		<-time.After(45 * time.Minute)
		if st := db.Stats().Sinks[0]; st.Backlog != 1 || st.Dead != 2 {
			t.Errorf("after 75 minutes: %+v", st)
		}
		down = false
		must(t, db.Quiesce(t.Context()))
		if st := db.Stats().Sinks[0]; st.Delivered != 1 || st.DeadLetters != 2 {
			t.Errorf("in the end: %+v", st)
		}
		for d, err := range db.DeadLetters(t.Context(), "s") {
			must(t, err)
			if d.Reason != "expired" || d.Cause != "down" || d.Attempts < 2 {
				t.Errorf("%+v", d)
			}
		}
		must(t, db.Close())
	})
}

// A sink is added to and removed from a running trigger without stopping it, by
// name or not.
func TestDropSink(t *testing.T) {
	for _, dir := range []string{"", "data"} {
		fs := memFS()
		var a, b journal
		stuck := SinkFunc(func(context.Context, []Event) error { return errors.New("down") })
		opts := &Options{
			FS: fs, Sinks: []SinkSpec{{Name: "a", Sink: a.sink()}, {Name: "b", Sink: stuck}},
			Triggers: []TriggerSpec{
				{Name: "all", Pattern: "root.**", Trigger: echo},
				{Name: "named", Pattern: "root.**", Sinks: []string{"b"}, Trigger: echo},
			},
		}
		db := openDir(t, dir, opts)
		insert := func(at int64) {
			must(t, db.Insert(t.Context(), "root.d", ns(at), Bool("v", true)))
		}
		insert(1)
		must(t, db.DropSink(t.Context(), "b"))
		if err := db.DropSink(t.Context(), "b"); !errors.Is(err, ErrNotFound) {
			t.Errorf("drop again: %v", err)
		}
		insert(2)
		must(t, db.Quiesce(t.Context()))
		a.want(t, "all||1|0|0 @1", "all||2|0|0 @2")
		must(t, db.AddSink(t.Context(), SinkSpec{Name: "b", Sink: b.sink()}))
		insert(3)
		must(t, db.Quiesce(t.Context()))
		a.want(t, "all||3|0|0 @3")
		b.want(t, "all||3|0|0 @3", "named||3|0|0 @3")
		must(t, db.DropSink(t.Context(), "a"))
		insert(4)
		must(t, db.Quiesce(t.Context()))
		a.want(t)
		b.want(t, "all||4|0|0 @4", "named||4|0|0 @4")
		must(t, db.Close())
		if dir == "" {
			continue
		}
		opts.Sinks[1].Sink = b.sink()
		db = openDir(t, dir, opts)
		must(t, db.Quiesce(t.Context()))
		a.want(t)
		b.want(t)
		must(t, db.Close())
	}
}

// With InFlight, series overtake each other and none overtakes itself.
func TestSinkInFlight(t *testing.T) {
	var most, now atomic.Int32
	var got journal
	both := make(chan struct{}, 2)
	db := openMem(t, &Options{
		Sinks: []SinkSpec{{Name: "s", InFlight: 2, Batch: 1, Sink: SinkFunc(func(ctx context.Context, events []Event) error {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			defer now.Add(-1)
			if events[0].Time.UnixNano() == 1 { // the first of each waits for the other's
				both <- struct{}{}
				for len(both) < 2 && ctx.Err() == nil {
					<-time.After(time.Millisecond)
				}
			}
			got.add("%s %d", events[0].Series, events[0].Time.UnixNano())
			return ctx.Err()
		})}},
		Triggers: []TriggerSpec{{Name: "t", Pattern: "root.**", Trigger: TriggerFunc(func(_ context.Context, f *Firing) error {
			f.Emit(Event{Series: f.Device, Time: ns(f.Times[0])})
			return nil
		})}},
	})
	for _, dev := range []string{"root.a", "root.b"} {
		for at := int64(1); at <= 20; at++ {
			must(t, db.Insert(t.Context(), dev, ns(at), Bool("v", true)))
		}
	}
	must(t, db.Quiesce(t.Context()))
	if most.Load() != 2 {
		t.Errorf("%d calls at a time, want 2", most.Load())
	}
	next := map[string]int{}
	for _, line := range got.take() {
		var dev string
		var at int
		fmt.Sscan(line, &dev, &at)
		if next[dev]++; next[dev] != at {
			t.Fatalf("%s: %d after %d", dev, at, next[dev]-1)
		}
	}
	if next["root.a"] != 20 || next["root.b"] != 20 {
		t.Errorf("delivered %v", next)
	}
}

func FuzzDecodeDead(f *testing.F) {
	for _, e := range sampleEvents() {
		b, _ := appendDead(nil, &DeadLetter{Event: e, Reason: "expired", Cause: "no", Attempts: 3, FirstAttempt: ns(5), LastAttempt: ns(6)})
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeDead("s", b)
		if err != nil {
			return
		}
		again, err := appendDead(nil, &d)
		must(t, err)
		e, err := decodeDead("s", again)
		must(t, err)
		if e.Cause != d.Cause || e.Reason != d.Reason || e.Attempts != d.Attempts || !e.FirstAttempt.Equal(d.FirstAttempt) || !sameEvent(d.Event, e.Event) {
			t.Errorf("%+v became %+v", d, e)
		}
	})
}
