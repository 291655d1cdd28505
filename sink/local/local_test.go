package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/vfs"
)

func openDB(t *testing.T, dir string, o tickwell.Options) *tickwell.DB {
	t.Helper()
	o.Logger, o.Seed = slog.New(slog.DiscardHandler), 1
	db, err := tickwell.Open(t.Context(), dir, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// forward sends each inserted row of one column as an event with the field name.
func forward(name string) tickwell.Trigger {
	return tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		for i, at := range f.Times {
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Fields: []tickwell.Field{{Name: name, Value: f.Columns[0].Data.Value(i)}}})
		}
		return nil
	})
}

func columns(name string, kind tickwell.Kind) []tickwell.ColumnInfo {
	return []tickwell.ColumnInfo{{Name: name, Kind: kind}}
}

func quiesce(t *testing.T, db *tickwell.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := db.Quiesce(ctx); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
}

// rows returns "time value" of one series.
func rows(t *testing.T, db *tickwell.DB, device string) (out []string) {
	t.Helper()
	res, err := db.Query(t.Context(), tickwell.Query{From: []string{device}})
	if err != nil {
		t.Fatal(err)
	}
	for row, err := range res.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(row.Time().UnixNano(), " ", row.Value(0)))
	}
	return out
}

// TestHundredPoints is the local example of the 0.13 page: times 0 to 99 with the
// same numbers as doubles, and as texts.
func TestHundredPoints(t *testing.T) {
	for _, c := range []struct {
		kind  tickwell.Kind
		value func(i int) tickwell.Field
	}{
		{tickwell.KindFloat64, func(i int) tickwell.Field { return tickwell.Float64("x", float64(i)) }},
		{tickwell.KindText, func(i int) tickwell.Field { return tickwell.Text("x", fmt.Sprint(i)) }},
	} {
		t.Run(c.kind.String(), func(t *testing.T) {
			db := openDB(t, "", tickwell.Options{
				Sinks:    []tickwell.SinkSpec{{Name: "local", Sink: &Sink{Device: "root.alerting", Columns: columns("local", c.kind)}}},
				Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.in.x", Trigger: forward("local")}},
			})
			var want []string
			for i := range 100 {
				if err := db.Insert(t.Context(), "root.in", time.Unix(0, int64(i)), c.value(i)); err != nil {
					t.Fatal(err)
				}
				want = append(want, fmt.Sprint(i, " ", i))
			}
			quiesce(t, db)
			if got := rows(t, db, "root.alerting"); !slices.Equal(got, want) {
				t.Errorf("stored %v, want %v", got, want)
			}
			list, err := db.ListSeries(t.Context(), "root.alerting.**")
			if err != nil {
				t.Fatal(err)
			}
			for s := range list {
				if s.Path() != "root.alerting.local" || s.Kind != c.kind {
					t.Errorf("series %s of kind %s, want root.alerting.local of %s", s.Path(), s.Kind, c.kind)
				}
			}
		})
	}
}

// TestSettings holds what is refused when the sink is added, and that nothing
// is made then.
func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name string
		sink Sink
		err  error
		want string
	}{
		{"kind conflict", Sink{Device: "root.out", Columns: []tickwell.ColumnInfo{{Name: "new", Kind: tickwell.KindBool}, {Name: "old", Kind: tickwell.KindText}}}, tickwell.ErrKindMismatch, "root.out.old is float64, not text"},
		{"no device", Sink{Columns: columns("x", tickwell.KindBool)}, tickwell.ErrBadInput, "device"},
		{"no columns", Sink{Device: "root.out"}, tickwell.ErrBadInput, "columns"},
		{"no kind", Sink{Device: "root.out", Columns: columns("x", tickwell.KindNull)}, tickwell.ErrBadInput, "root.out.x"},
		{"hops", Sink{Device: "root.out", Columns: columns("x", tickwell.KindBool), MaxHops: -1}, tickwell.ErrBadInput, "MaxHops"},
		{"kind of nothing", Sink{Device: "root.out", Columns: columns("x", tickwell.Kind(99))}, tickwell.ErrBadInput, "root.out.x"},
		{"column without a name", Sink{Device: "root.out", Columns: columns("", tickwell.KindBool)}, tickwell.ErrBadInput, "root.out"},
		{"wildcard", Sink{Device: "root.*", Columns: columns("x", tickwell.KindBool)}, tickwell.ErrBadInput, "root.*"},
		{"twice", Sink{Device: "root.out", Columns: append(columns("x", tickwell.KindBool), columns("x", tickwell.KindBool)...)}, tickwell.ErrBadInput, "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openDB(t, "", tickwell.Options{})
			if err := db.Insert(t.Context(), "root.out", time.Unix(0, 1), tickwell.Float64("old", 1)); err != nil {
				t.Fatal(err)
			}
			err := db.AddSink(t.Context(), tickwell.SinkSpec{Name: "local", Sink: &c.sink})
			if !errors.Is(err, c.err) || !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("%v, want %v with %q", err, c.err, c.want)
			}
			list, err := db.ListSeries(t.Context(), "root.**")
			if err != nil {
				t.Fatal(err)
			}
			for s := range list {
				if s.Path() != "root.out.old" {
					t.Errorf("series %s was made", s.Path())
				}
			}
			if s := db.Stats().Sinks; len(s) != 0 {
				t.Errorf("sink %+v is there", s)
			}
		})
	}
}

// TestWrongKindIsGivenUp holds that one event of another kind does not hold up
// the rest, and that nothing is converted in silence.
func TestWrongKindIsGivenUp(t *testing.T) {
	var dead []string
	db := openDB(t, "", tickwell.Options{
		Sinks: []tickwell.SinkSpec{{
			Name: "local", Sink: &Sink{Device: "root.out", Columns: columns("v", tickwell.KindInt32)},
			DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
				dead = append(dead, d.Event.ID+" "+d.Cause)
				return nil
			},
		}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.*.x", Trigger: forward("v")}, {Name: "u", Pattern: "root.*.y", Trigger: forward("other")}},
	})
	for _, err := range []error{
		db.Insert(t.Context(), "root.a", time.Unix(0, 1), tickwell.Int32("x", 1)),
		db.Insert(t.Context(), "root.b", time.Unix(0, 2), tickwell.Text("x", "2")),
		db.Insert(t.Context(), "root.a", time.Unix(0, 3), tickwell.Int32("y", 3)),
		db.Insert(t.Context(), "root.a", time.Unix(0, 4), tickwell.Int32("x", 4)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	quiesce(t, db)
	if got, want := rows(t, db, "root.out"), []string{"1 1", "4 4"}; !slices.Equal(got, want) {
		t.Errorf("stored %v, want %v", got, want)
	}
	if len(dead) != 2 || !strings.Contains(dead[0], `t|root.b|2|0|0 local: field "v" is text, the column is int32`) || !strings.Contains(dead[1], "u|root.a|3|0|0") {
		t.Errorf("dead letters %q", dead)
	}
}

// TestAnotherStore holds that events wait while the other store is closed, over
// a restart of the first.
func TestAnotherStore(t *testing.T) {
	fs, far := vfs.NewMem(), vfs.NewMem()
	other := openDB(t, "far", tickwell.Options{FS: far})
	open := func() *tickwell.DB {
		return openDB(t, "near", tickwell.Options{
			FS:       fs,
			Sinks:    []tickwell.SinkSpec{{Name: "far", Sink: &Sink{DB: other, Device: "root.copy", Columns: columns("v", tickwell.KindFloat64)}}},
			Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.in.x", Trigger: forward("v")}},
		})
	}
	insert := func(db *tickwell.DB, from, to int) {
		for i := from; i < to; i++ {
			if err := db.Insert(t.Context(), "root.in", time.Unix(0, int64(i)), tickwell.Float64("x", float64(i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	db := open()
	insert(db, 0, 5)
	quiesce(t, db)
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	insert(db, 5, 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	other = openDB(t, "far", tickwell.Options{FS: far})
	db = open()
	insert(db, 10, 12)
	quiesce(t, db)
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprint(i, " ", i))
	}
	if got := rows(t, other, "root.copy"); !slices.Equal(got, want) {
		t.Errorf("the other store has %v, want %v", got, want)
	}
	if got := rows(t, db, "root.copy"); got != nil {
		t.Errorf("its own store has %v", got)
	}
	if n := other.Stats().Points; n != 12 {
		t.Errorf("%d cells in the other store, want 12", n)
	}
}

// TestNullsAndMissingFields holds that a row has what the event has.
func TestNullsAndMissingFields(t *testing.T) {
	db := openDB(t, "", tickwell.Options{})
	s := &Sink{DB: db, Device: "root.out", Columns: []tickwell.ColumnInfo{{Name: "a", Kind: tickwell.KindInt64}, {Name: "b", Kind: tickwell.KindInt64}}}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Handle(t.Context(), []tickwell.Event{
		{Time: time.Unix(0, 1), Fields: []tickwell.Field{tickwell.Int64("a", 1), tickwell.Text("more", "ignored")}},
		{Time: time.Unix(0, 2), Fields: []tickwell.Field{{Name: "a"}, tickwell.Int64("b", 2)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := db.Query(t.Context(), tickwell.Query{From: []string{"root.out"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range res.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(row.Time().UnixNano(), row.Value(0), row.Value(1)))
	}
	if want := []string{"1 1 null", "2 null 2"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestExpiredRowIsGivenUp holds that a row which is older than what the device
// keeps is given up at once: no repetition makes it younger.
func TestExpiredRowIsGivenUp(t *testing.T) {
	db := openDB(t, "", tickwell.Options{
		Sinks:    []tickwell.SinkSpec{{Name: "l", Sink: &Sink{Device: "root.out", Columns: columns("v", tickwell.KindFloat64)}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.in.v", Trigger: forward("v")}},
	})
	now := time.Now()
	if err := db.SetTTL(t.Context(), "root.out", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := db.Insert(t.Context(), "root.out", now, tickwell.Float64("v", 0)); err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Time{now.Add(time.Second), now.Add(-3 * time.Hour), now.Add(2 * time.Second)} {
		if err := db.Insert(t.Context(), "root.in", at, tickwell.Float64("v", float64(i))); err != nil {
			t.Fatal(err)
		}
	}
	quiesce(t, db)
	if s := db.Stats().Sinks[0]; s.Delivered != 2 || s.Dead != 1 || s.Retries != 0 {
		t.Errorf("%+v", s)
	}
}
