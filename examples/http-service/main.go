// Command http-service embeds a store in an HTTP service: rows come in as JSON,
// aggregates go out, an alert is pushed to whoever listens, and /metrics shows
// how the store is.
//
//	go run ./examples/http-service                 # serves itself for a moment and shows what it answers
//	go run ./examples/http-service -listen localhost:8080 -dir data
//	curl -N localhost:8080/alerts &
//	curl -d '{"latency_ms": 640}' localhost:8080/rows/shop
//	curl localhost:8080/mean/shop/latency_ms
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/alert"
	"github.com/tickwell/tickwell/expr"
)

func main() {
	log.SetFlags(0)
	listen := flag.String("listen", "", "address to serve on; empty: a demonstration")
	dir := flag.String("dir", "", "folder of the store; empty: in memory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout, *listen, *dir)
	stop()
	if err != nil {
		log.Fatal("http-service: ", err)
	}
}

// service is the handlers and what they share.
type service struct {
	db     *tickwell.DB
	alerts chan tickwell.Event
}

func run(ctx context.Context, out io.Writer, listen, dir string) (err error) {
	s := &service{alerts: make(chan tickwell.Event, 16)}
	db, err := tickwell.Open(ctx, dir, &tickwell.Options{
		TTL: 30 * 24 * time.Hour,
		Sinks: []tickwell.SinkSpec{{Name: "listeners", Sink: tickwell.SinkFunc(func(_ context.Context, events []tickwell.Event) error {
			for _, e := range events {
				select {
				case s.alerts <- e:
				default: // nobody listens
				}
			}
			return nil
		})}},
		Triggers: []tickwell.TriggerSpec{alert.Rule{Name: "slow", Condition: alert.Above(500, 300)}.Spec("root.service.*.latency_ms")},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s.db = db
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rows/{device}", s.insert)
	mux.HandleFunc("GET /mean/{device}/{measurement}", s.mean)
	mux.HandleFunc("GET /alerts", s.listen)
	mux.HandleFunc("GET /metrics", s.metrics)
	address := listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	if listen == "" {
		err = s.show(ctx, out, "http://"+l.Addr().String())
	} else {
		fmt.Fprintf(out, "serving on %s: POST /rows/DEVICE, GET /mean/DEVICE/MEASUREMENT, /alerts and /metrics\n", l.Addr())
		select {
		case err = <-failed:
		case <-ctx.Done():
		}
	}
	// The server first, then the store: nothing is accepted that is not kept.
	stopping, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(stopping), db.Shutdown(stopping))
}

// insert takes an object of numbers, and "time" in RFC 3339 if it is not now.
func (s *service) insert(w http.ResponseWriter, r *http.Request) {
	var body map[string]any
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body); err != nil {
		http.Error(w, "body: "+err.Error(), http.StatusBadRequest)
		return
	}
	at := s.db.Now()
	var fields []tickwell.Field
	for name, v := range body {
		switch v := v.(type) {
		case float64:
			fields = append(fields, tickwell.Float64(name, v))
		case string:
			t, err := time.Parse(time.RFC3339Nano, v)
			if name != "time" || err != nil {
				http.Error(w, fmt.Sprintf("%s: %q is not a number", name, v), http.StatusBadRequest)
				return
			}
			at = t
		default:
			http.Error(w, name+": is not a number", http.StatusBadRequest)
			return
		}
	}
	if err := s.db.Insert(r.Context(), "root.service."+r.PathValue("device"), at, fields...); err != nil {
		http.Error(w, err.Error(), status(err))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// status says what an error means to a client.
func status(err error) int {
	switch {
	case errors.Is(err, tickwell.ErrBadInput), errors.Is(err, tickwell.ErrKindMismatch), errors.Is(err, tickwell.ErrTooLate):
		return http.StatusBadRequest
	case errors.Is(err, tickwell.ErrOverloaded), errors.Is(err, tickwell.ErrNoSpace):
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// mean answers with the averages of each minute of the last hour.
func (s *service) mean(w http.ResponseWriter, r *http.Request) {
	end := s.db.Now().Truncate(time.Minute).Add(time.Minute)
	result, err := s.db.Query(r.Context(), tickwell.Query{
		Select: []expr.Expr{expr.Avg(expr.Col(r.PathValue("measurement")))}, From: []string{"root.service." + r.PathValue("device")},
		Start: end.Add(-time.Hour), End: end, GroupBy: tickwell.GroupByTime{Interval: time.Minute},
	})
	if err != nil {
		http.Error(w, err.Error(), status(err))
		return
	}
	out := []map[string]any{}
	for row, err := range result.Rows() {
		if err != nil {
			http.Error(w, err.Error(), status(err))
			return
		}
		if row.Len() > 0 && !row.IsNull(0) {
			out = append(out, map[string]any{"time": row.Time().UTC(), "mean": row.Float64(0)})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// listen answers with a line for each alert, until the client or the service goes.
// Each alert goes to one listener.
func (s *service) listen(w http.ResponseWriter, r *http.Request) {
	answer := http.NewResponseController(w)
	for {
		if err := answer.Flush(); err != nil {
			return
		}
		select {
		case e := <-s.alerts:
			fmt.Fprintf(w, "%s %s %s: %s\n", e.Time.UTC().Format(time.RFC3339), e.Labels["alertname"], e.Status, e.Get("value"))
		case <-r.Context().Done():
			return
		}
	}
}

// metrics is the counters of the store in the text form that Prometheus reads.
func (s *service) metrics(w http.ResponseWriter, _ *http.Request) {
	st := s.db.Stats()
	for _, m := range []struct {
		name, kind, help string
		value            int64
	}{
		{"tickwell_series", "gauge", "Series there are.", int64(st.Series)},
		{"tickwell_points_total", "counter", "Cells stored, and those found at opening.", st.Points},
		{"tickwell_disk_bytes", "gauge", "Size of the block files.", st.DiskBytes},
		{"tickwell_log_bytes", "gauge", "Size of the log.", st.LogBytes},
		{"tickwell_written_bytes_total", "counter", "Bytes given to the file system.", st.WrittenBytes},
		{"tickwell_trigger_failures_total", "counter", "Firings of triggers that failed.", st.TriggerFailures},
	} {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s %d\n", m.name, m.help, m.name, m.kind, m.name, m.value)
	}
}

// show is a client of the service.
func (s *service) show(ctx context.Context, out io.Writer, url string) error {
	for _, body := range []string{`{"latency_ms": 120, "bytes": 512}`, `{"latency_ms": 640}`, `{"latency_ms": "fast"}`} {
		resp, err := http.Post(url+"/rows/shop", "application/json", bytes.NewBufferString(body))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "POST /rows/shop %-34s %s %s\n", body, resp.Status, strings.TrimSpace(string(text)))
	}
	if err := s.db.Quiesce(ctx); err != nil {
		return err
	}
	e := <-s.alerts
	fmt.Fprintf(out, "alert %s %s: %s\n", e.Labels["alertname"], e.Status, e.Get("value"))
	for _, path := range []string{"/mean/shop/latency_ms", "/metrics"} {
		resp, err := http.Get(url + path)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "GET %s\n%s", path, text)
	}
	return nil
}
