package webhook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/webhook"
)

// overheated sends a row for each temperature above 90: automation without
// people, a call for each device to be looked at.
func overheated(_ context.Context, f *tickwell.Firing) error {
	for i, v := range f.Float64s("temperature") {
		if v > 90 {
			f.Emit(tickwell.Event{
				Series: f.Device, Time: time.Unix(0, f.Times[i]),
				Fields: []tickwell.Field{tickwell.Text("device", f.Device), tickwell.Float64("temperature", v)},
			})
		}
	}
	return nil
}

// The same rule calls a controller, which gets the row as JSON, and a chat, for
// which a template makes another body.
func ExampleSink() {
	controller := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("controller: %s (id %s)\n", body, r.Header.Get("Webhook-Id"))
	}))
	defer controller.Close()
	chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("chat: %s (%s)\n", body, r.Header.Get("Authorization"))
	}))
	defer chat.Close()

	ctx := context.Background()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{
			{Name: "replace", Sink: &webhook.Sink{URL: controller.URL + "/replace"}},
			{Name: "chat", Sink: &webhook.Sink{
				URL: chat.URL, Token: sink.NewSecret("s3cret"),
				Body:     `{"message": "{{.device}} has {{.temperature | fixed 1}} °C since {{.time}}"}`,
				Template: sink.TemplateOptions{TimeFormat: "15:04:05", Zone: "Asia/Shanghai"},
			}},
		},
		Triggers: []tickwell.TriggerSpec{
			{Name: "call", Pattern: "root.plant.*.temperature", Sinks: []string{"replace"}, Trigger: tickwell.TriggerFunc(overheated)},
			{Name: "tell", Pattern: "root.plant.*.temperature", Sinks: []string{"chat"}, Trigger: tickwell.TriggerFunc(overheated)},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	for i, v := range []float64{71.5, 96.25} {
		at := time.Date(2026, 3, 1, 12, 0, i, 0, time.UTC)
		if err := db.Insert(ctx, "root.plant.press1", at, tickwell.Float64("temperature", v)); err != nil {
			fmt.Println(err)
		}
	}
	if err := db.Shutdown(ctx); err != nil { // delivers what is still on its way
		fmt.Println(err)
	}
	// Unordered output:
	// controller: {"time":"2026-03-01T12:00:01Z","device":"root.plant.press1","temperature":96.25} (id call|root.plant.press1|1772366401000000000|0|0)
	// chat: {"message": "root.plant.press1 has 96.2 °C since 20:00:01"} (Bearer s3cret)
}

// A receiver checks that a signed request is genuine and new.
func ExampleVerify() {
	key := sink.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := webhook.Verify(r.Header, body, time.Now(), key); err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		fmt.Printf("genuine: %s\n", body)
	}))
	defer server.Close()

	ctx := context.Background()
	s := &webhook.Sink{URL: server.URL, Sign: []sink.Secret{key}}
	if err := s.Open(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close(ctx)
	err := s.Handle(ctx, []tickwell.Event{{ID: "1", Time: time.Unix(0, 0), Fields: []tickwell.Field{tickwell.Bool("ok", true)}}})
	fmt.Println(err, s.Sign)
	// Output:
	// genuine: {"time":"1970-01-01T00:00:00Z","ok":true}
	// <nil> [***]
}
