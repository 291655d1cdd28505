package jsonl

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
)

// TestOneAtATime holds that an InFlight above 1 does not mix the lines of calls
// that are under way at the same time.
func TestOneAtATime(t *testing.T) {
	var out, log bytes.Buffer
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.AddSink(t.Context(), tickwell.SinkSpec{Name: "lines", InFlight: 4, Batch: 1, Sink: &Sink{W: &out}}); err != nil {
		t.Fatal(err)
	}
	trigger := tickwell.OnPoint(func(_ context.Context, f *tickwell.Firing, _ string, p tickwell.Point[int64]) error {
		f.Emit(tickwell.Event{ID: fmt.Sprint(p.Value), Series: f.Device, Time: p.Time})
		return nil
	})
	if err := db.CreateTrigger(t.Context(), tickwell.TriggerSpec{Name: "each", Pattern: "root.*.n", Trigger: trigger}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 200 {
		if err := db.Insert(t.Context(), fmt.Sprint("root.d", i%20), time.Unix(int64(i), 0), tickwell.Int64("n", int64(i))); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(i))
	}
	if err := db.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := "fewer calls at a time than InFlight asks for"; !strings.Contains(log.String(), want) {
		t.Errorf("log %q, want it to have %q", log.String(), want)
	}
	got := strings.Fields(ids(t, out.Bytes()))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d lines, want each of %d once: %.300q", len(got), len(want), got)
	}
}
