package webhook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// A backlog of batched events leaves a store on disk over loopback at 50,000 a
// second, or at nine tenths of what net/http alone does with the same bodies in
// the same run if that is less. It fails at half of it: the machine may be busy.
func TestThroughput(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("measures time")
	}
	const n, batch = 60_000, 500
	var arrived atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		arrived.Add(int64(bytes.Count(b, []byte(`"v":`))))
	}))
	defer srv.Close()

	db, err := tickwell.Open(t.Context(), t.TempDir(), &tickwell.Options{
		Seed: 1, Sinks: []tickwell.SinkSpec{{Name: "hold", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error { return nil })}},
		Triggers: []tickwell.TriggerSpec{{Name: "alert", Pattern: "root.*.v", When: tickwell.BeforeInsert, Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			v := f.Float64s("v")
			for i, at := range f.Times {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Fields: []tickwell.Field{tickwell.Float64("v", v[i]), tickwell.Text("note", "foo")}})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gate := make(chan struct{})
	hook := &Sink{URL: srv.URL, Array: true}
	gated := gatedSink{hook, gate}
	if err := db.AddSink(t.Context(), tickwell.SinkSpec{Name: "hook", Sink: gated, Batch: batch, Timeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	for lo := 0; lo < n; lo += 1000 {
		tab := &tickwell.Tablet{Device: fmt.Sprintf("root.d%d", lo/1000%10), Columns: []tickwell.Column{{Name: "v", Data: make(tickwell.Float64s, 1000)}}}
		for i := range 1000 {
			tab.Times = append(tab.Times, int64(lo+i))
			tab.Columns[0].Data.(tickwell.Float64s)[i] = float64(i)
		}
		if err := db.InsertTablet(t.Context(), tab); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	close(gate)
	quiesce(t, db)
	ours := float64(n) / time.Since(began).Seconds()
	if got := arrived.Load(); got != n {
		t.Fatalf("%d events arrived, want %d", got, n)
	}

	var body []byte
	for _, e := range benchEvents() {
		body = append(sink.AppendRowJSON(body, &e), ',')
	}
	var turns []float64
	for range 5 {
		began := time.Now()
		for range n / batch / 2 {
			resp, err := http.Post(srv.URL, "application/json", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		turns = append(turns, float64(n/2)/time.Since(began).Seconds())
	}
	slices.Sort(turns)
	bare := turns[len(turns)/2]
	asked := min(50_000, 0.9*bare)
	t.Logf("%.0f events/s out of the store, %.0f with the bare client (%.2f); asked %.0f", ours, bare, ours/bare, asked)
	if ours < asked/2 {
		t.Errorf("%.0f events/s, want %.0f", ours, asked)
	}
}

// gatedSink lets nothing through until gate is closed.
type gatedSink struct {
	*Sink
	gate chan struct{}
}

func (s gatedSink) Handle(ctx context.Context, events []tickwell.Event) error {
	select {
	case <-s.gate:
		return s.Sink.Handle(ctx, events)
	case <-ctx.Done():
		return ctx.Err()
	}
}
