// Command security-events watches who fails to log in: a source address with
// five failures within a minute is reported to a security desk by webhook, signed
// so that the desk can tell that the report is genuine, and blocked there. The
// desk is not always up; nothing is lost over that.
//
//	go run ./examples/security-events
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/webhook"
	"github.com/tickwell/tickwell/window"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal("security-events: ", err)
	}
}

// desk stands for the other system: it refuses its first call.
func desk(out io.Writer, key sink.Secret) http.Handler {
	calls := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = webhook.Verify(r.Header, body, time.Now(), key)
		}
		switch calls++; {
		case err != nil:
			http.Error(w, "not genuine", http.StatusForbidden)
			fmt.Fprintln(out, "desk: refused:", err)
		case calls == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprintln(out, "desk: closed, come again")
		default:
			fmt.Fprintf(out, "desk: blocked after %s\n", body)
		}
	})
}

func run(ctx context.Context, out io.Writer) error {
	key := sink.NewSecret("whsec_" + "c2VjdXJpdHktZXZlbnRzLWV4YW1wbGUta2V5")
	server := httptest.NewServer(desk(out, key))
	defer server.Close()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "desk", Sink: &webhook.Sink{URL: server.URL + "/block", Sign: []sink.Secret{key}}}},
		Triggers: []tickwell.TriggerSpec{{
			Name: "brute-force", Pattern: "root.login.*.failed", Stateful: true,
			Trigger: tickwell.OnWindow(window.Count(5), nil, report),
		}},
	})
	if err != nil {
		return err
	}
	defer db.Close()

	start := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	for sec := range 180 {
		at := start.Add(time.Duration(sec) * time.Second)
		attempt := func(source string) error {
			return db.Insert(ctx, "root.login."+source, at, tickwell.Float64("failed", 1))
		}
		var err error
		if sec%40 == 0 { // somebody who has forgotten a password
			err = attempt("`10.0.0.7`")
		}
		if sec >= 60 && sec < 80 && sec%3 == 0 { // somebody who has not
			err = errors.Join(err, attempt("`203.0.113.9`"))
		}
		if err != nil {
			return err
		}
	}
	return db.Shutdown(ctx) // delivers what is on its way
}

// report is called with every five failures of one source.
func report(_ context.Context, f *tickwell.Firing, series string, w window.Window[float64]) error {
	last := w.Time(w.Len() - 1)
	if last-w.Time(0) > int64(time.Minute) {
		return nil
	}
	f.Emit(tickwell.Event{
		Series: series, Time: time.Unix(0, last), Urgent: true,
		Fields: []tickwell.Field{tickwell.Text("source", f.Device), tickwell.Int64("failures", int64(w.Len()))},
	})
	return nil
}
