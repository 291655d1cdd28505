package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/vfs"
)

// alert sends one event for each row.
func alert(_ context.Context, f *tickwell.Firing) error {
	v := f.Float64s("v")
	for i, at := range f.Times {
		f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Fields: []tickwell.Field{tickwell.Float64("v", v[i])}})
	}
	return nil
}

func options(logger *slog.Logger, spec tickwell.SinkSpec) *tickwell.Options {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &tickwell.Options{
		Logger: logger, Seed: 1, Sinks: []tickwell.SinkSpec{spec},
		Triggers: []tickwell.TriggerSpec{{Name: "alert", Pattern: "root.*.v", Trigger: tickwell.TriggerFunc(alert)}},
	}
}

func openDB(t *testing.T, logger *slog.Logger, spec tickwell.SinkSpec) *tickwell.DB {
	t.Helper()
	db, err := tickwell.Open(t.Context(), "", options(logger, spec))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// insert stores rows [from, to) of three devices in turn, the row's number being
// time and value.
func insert(t *testing.T, db *tickwell.DB, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		if err := db.Insert(t.Context(), fmt.Sprintf("root.d%d", i%3), time.Unix(0, int64(i)), tickwell.Float64("v", float64(i))); err != nil {
			t.Fatal(err)
		}
	}
}

func eventID(i int) string { return fmt.Sprintf("alert|root.d%d|%d|0|0", i%3, i) }

func quiesce(t *testing.T, db *tickwell.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := db.Quiesce(ctx); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
}

func ids(requests []standin.Request) (list []string) {
	for _, r := range requests {
		list = append(list, r.Header.Get("Webhook-Id"))
	}
	return list
}

// TestNothingIsLost carries events through faults of every kind, a server that
// goes away and comes back, and a store that is closed and opened in between.
func TestNothingIsLost(t *testing.T) {
	srv := standin.New()
	defer srv.Close()
	faults := []standin.Step{
		standin.Answer(200, ""), standin.Answer(200, ""), standin.Answer(204, ""), standin.Answer(200, ""),
		standin.Answer(500, ""), standin.Answer(503, "", "Retry-After", "0"), standin.Answer(429, ""),
		standin.Reset(), standin.LoseAnswer(), standin.Cut(), standin.Answer(302, "", "Location", "/"),
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 25 {
		srv.Script(faults[rng.IntN(len(faults))])
	}
	fs := vfs.NewMem()
	open := func() *tickwell.DB {
		o := options(nil, tickwell.SinkSpec{Name: "hook", Sink: &Sink{URL: srv.URL}, Timeout: 5 * time.Second, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			t.Errorf("event %s given up: %v", d.Event.ID, d.Cause)
			return nil
		}})
		o.FS = fs
		db, err := tickwell.Open(t.Context(), "data", o)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	shut := func(db *tickwell.DB) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	db := open()
	insert(t, db, 0, 60)
	quiesce(t, db)
	srv.Down()
	insert(t, db, 60, 120)
	shut(db) // 60 events wait
	db = open()
	insert(t, db, 120, 150)
	shut(db)
	srv.Script(standin.LoseAnswer(), standin.Answer(200, ""), standin.Reset())
	if err := srv.Up(); err != nil {
		t.Fatal(err)
	}
	db = open()
	insert(t, db, 150, 180)
	quiesce(t, db)
	if s := db.Stats().Sinks[0]; s.Backlog != 0 || s.Dead != 0 || s.Dropped != 0 || s.Health != "ok" || s.Delivered != 120 {
		t.Errorf("%+v, want 120 delivered and nothing else", s)
	}
	shut(db)

	first := make(map[string]int) // when an id was seen first
	bodies := make(map[string]string)
	next := []int{0, 1, 2} // by device: the row that comes next
	for n, r := range srv.Accepted() {
		id := r.Header.Get("Webhook-Id")
		if was, again := bodies[id]; again {
			if was != r.Body {
				t.Errorf("%s was %s, then %s", id, was, r.Body)
			}
			continue
		}
		first[id], bodies[id] = n, r.Body
		var d, i int
		if _, err := fmt.Sscanf(strings.ReplaceAll(id, "|", " "), "alert root.d%d %d 0 0", &d, &i); err != nil {
			t.Fatalf("id %q: %v", id, err)
		}
		if next[d] != i {
			t.Errorf("root.d%d: row %d came first, want %d", d, i, next[d])
		}
		next[d] = i + 3
		if want := fmt.Sprintf(`{"time":%q,"v":%d}`, time.Unix(0, int64(i)).UTC().Format(time.RFC3339Nano), i); r.Body != want {
			t.Errorf("body %s, want %s", r.Body, want)
		}
	}
	for i := range 180 {
		if _, ok := first[eventID(i)]; !ok {
			t.Errorf("event %s was lost", eventID(i))
		}
	}
	if len(first) != 180 {
		t.Errorf("%d ids, want 180", len(first))
	}
	if dup := len(srv.Accepted()) - len(first); dup == 0 || dup > 20 {
		t.Errorf("%d repeats: the script has some lost answers, and nothing else may repeat", dup)
	}
}

// TestGivenUpEventsDoNotHoldUpOthers holds that dead letters name the cause and
// that a batch is split until the guilty are found.
func TestGivenUpEventsDoNotHoldUpOthers(t *testing.T) {
	for name, s := range map[string]*Sink{"one by one": {}, "array": {Array: true}} {
		t.Run(name, func(t *testing.T) {
			srv := standin.New()
			defer srv.Close()
			srv.Always(refuse(`"v":7}`, 422))
			s.URL = srv.URL
			var dead []string
			db := openDB(t, nil, tickwell.SinkSpec{Name: "hook", Sink: s, Linger: 20 * time.Millisecond, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
				dead = append(dead, d.Event.ID+" "+d.Cause)
				return nil
			}})
			insert(t, db, 0, 20)
			quiesce(t, db)
			want := []string{eventID(7) + " permanent: webhook: POST " + srv.URL + ": answered 422 Unprocessable Entity"}
			if !slices.Equal(dead, want) {
				t.Errorf("dead letters %q, want %q", dead, want)
			}
			all := strings.Join(srv.Bodies(), "\n")
			for i := range 20 {
				if n := strings.Count(all, fmt.Sprintf(`"v":%d}`, i)); n != 1 && i != 7 || n != 0 && i == 7 {
					t.Errorf("event %d arrived %d times", i, n)
				}
			}
		})
	}
}

// TestTooLargeIsSplit holds that 413 makes batches smaller, not fewer.
func TestTooLargeIsSplit(t *testing.T) {
	srv := standin.New()
	defer srv.Close()
	srv.Always(limit(150))
	db := openDB(t, nil, tickwell.SinkSpec{Name: "hook", Sink: &Sink{URL: srv.URL, Array: true}, Linger: 20 * time.Millisecond})
	insert(t, db, 0, 40)
	quiesce(t, db)
	all := strings.Join(srv.Bodies(), "\n")
	for i := range 40 {
		if n := strings.Count(all, fmt.Sprintf(`"v":%d}`, i)); n != 1 {
			t.Errorf("event %d arrived %d times, want once", i, n)
		}
	}
}

// TestGoneDisables holds that 410 stops the sink, that its events are kept, and
// that it can be enabled again.
func TestGoneDisables(t *testing.T) {
	srv := standin.New()
	defer srv.Close()
	srv.Always(standin.Answer(410, ""))
	db := openDB(t, nil, tickwell.SinkSpec{Name: "hook", Sink: &Sink{URL: srv.URL}})
	insert(t, db, 0, 3)
	if err := db.Quiesce(t.Context()); err == nil || !strings.Contains(err.Error(), "disabled") {
		t.Fatalf("quiesce: %v, want that the sink is disabled", err)
	}
	if s := db.Stats().Sinks[0]; s.Health != "disabled" || s.Backlog != 3 || !strings.Contains(s.LastError, "410 Gone") {
		t.Errorf("%+v, want disabled with 3 events waiting", s)
	}
	srv.Always(standin.Answer(200, ""))
	if err := db.EnableSink("hook"); err != nil {
		t.Fatal(err)
	}
	quiesce(t, db)
	if got, want := ids(srv.Accepted()), []string{eventID(0), eventID(1), eventID(2)}; !slices.Equal(got, want) {
		t.Errorf("accepted %v, want %v", got, want)
	}
}

// refuse answers status to bodies that hold text.
func refuse(text string, status int) standin.Step {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(standin.Body(r), text) {
			w.WriteHeader(status)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

// limit answers 413 to bodies of more than n bytes.
func limit(n int) standin.Step {
	return func(w http.ResponseWriter, r *http.Request) {
		if len(standin.Body(r)) > n {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}
