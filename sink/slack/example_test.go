package slack_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/slack"
)

// The two rows of the Timeplus page, with a server that prints what it is sent
// in the place of Slack. A store does the calls that follow Open here.
func ExampleSink() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s\n", body)
		fmt.Fprint(w, "ok")
	}))
	defer server.Close()

	ctx := context.Background()
	s := &slack.Sink{URL: sink.NewSecret(server.URL + "/services/T0/B0/XYZ"), Text: "传感器数据为 {{.time}} {{.number}}，并备注: {{.note}}"}
	if err := s.Open(ctx); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close(ctx)
	err := s.Handle(ctx, []tickwell.Event{
		{
			Time:   time.Date(2022, 1, 23, 10, 0, 0, 123e6, time.UTC),
			Fields: []tickwell.Field{tickwell.Int32("number", 50), tickwell.Text("note", "foo")},
		},
		{
			Time:   time.Date(2022, 1, 23, 10, 5, 0, 123e6, time.UTC),
			Fields: []tickwell.Field{tickwell.Int32("number", 95), tickwell.Text("note", "Bar")},
		},
	})
	fmt.Println(err)
	// Output:
	// {"text":"传感器数据为 2022-01-23 10:00:00.123 50，并备注: foo"}
	// {"text":"传感器数据为 2022-01-23 10:05:00.123 95，并备注: Bar"}
	// <nil>
}
