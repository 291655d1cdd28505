package webhook

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

const benchBatch = 500

func benchEvents() []tickwell.Event {
	events := make([]tickwell.Event, benchBatch)
	for i := range events {
		events[i] = row("t|root.d|1700000000000000000|0|0", tickwell.Float64("v", float64(i)), tickwell.Text("note", "foo"))
	}
	return events
}

func benchServer(b *testing.B) string {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(s.Close)
	return s.URL
}

// BenchmarkArray is batches of 500 events over loopback.
func BenchmarkArray(b *testing.B) {
	s := &Sink{URL: benchServer(b), Array: true}
	if err := s.Open(context.Background()); err != nil {
		b.Fatal(err)
	}
	events := benchEvents()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Handle(context.Background(), events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchBatch/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkBareClient is the same bytes with net/http alone.
func BenchmarkBareClient(b *testing.B) {
	url := benchServer(b)
	var body []byte
	for _, e := range benchEvents() {
		body = append(sink.AppendRowJSON(body, &e), ',')
	}
	for b.Loop() {
		resp, err := http.Post(url, "application/json", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	b.ReportMetric(float64(b.N)*benchBatch/b.Elapsed().Seconds(), "events/s")
}
