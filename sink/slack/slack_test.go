package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

// channel is a stand-in for Slack: it is as strict about bodies as Slack is.
func channel(t *testing.T) *standin.Server {
	s := standin.New()
	t.Cleanup(s.Close)
	s.Always(func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			Text string `json:"text"`
		}
		d := json.NewDecoder(strings.NewReader(standin.Body(r)))
		d.DisallowUnknownFields()
		switch err := d.Decode(&message); {
		case err != nil:
			standin.Answer(400, "invalid_payload")(w, r)
		case message.Text == "":
			standin.Answer(400, "no_text")(w, r)
		default:
			standin.Answer(200, "ok")(w, r)
		}
	})
	return s
}

func texts(s *standin.Server) (list []string) {
	for _, body := range s.Bodies() {
		var message map[string]string
		if err := json.Unmarshal([]byte(body), &message); err != nil {
			list = append(list, err.Error())
		}
		list = append(list, message["text"])
	}
	return list
}

func hook(s *standin.Server) sink.Secret { return sink.NewSecret(s.URL + "/services/T0/B0/c4nAry") }

func open(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := errors.Join(s.Validate(), s.Open(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func numbered(n int) (events []tickwell.Event) {
	for i := range n {
		events = append(events, tickwell.Event{ID: fmt.Sprint(i), Time: time.Unix(int64(i), 0), Fields: []tickwell.Field{tickwell.Int64("n", int64(i))}})
	}
	return events
}

// TestPage is the example of the Timeplus page, from the insert to the channel:
// two rows, two messages, in order.
func TestPage(t *testing.T) {
	srv := channel(t)
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler),
		Sinks:  []tickwell.SinkSpec{{Name: "slack", Sink: &Sink{URL: hook(srv), Text: "Sensor data {{.time}} {{.number}}, note: {{.note}}"}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.sensor.*", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, at := range f.Times {
				e := tickwell.Event{Series: f.Device, Time: time.Unix(0, at)}
				for _, c := range f.Columns {
					e.Fields = append(e.Fields, tickwell.Field{Name: c.Name, Value: c.Data.Value(i)})
				}
				f.Emit(e)
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, r := range []struct {
		at     string
		number int64
		note   string
	}{{"2022-01-23T10:00:00.123Z", 50, "foo"}, {"2022-01-23T10:05:00.123Z", 95, "Bar"}} {
		at, err := time.Parse(time.RFC3339, r.at)
		if err == nil {
			err = db.Insert(t.Context(), "root.sensor", at, tickwell.Int64("number", r.number), tickwell.Text("note", r.note))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(attempt(t)); err != nil {
		t.Fatal(err)
	}
	want := []string{"Sensor data 2022-01-23 10:00:00.123 50, note: foo", "Sensor data 2022-01-23 10:05:00.123 95, note: Bar"}
	if got := texts(srv); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
	for _, r := range srv.Requests() {
		if r.Method != "POST" || r.Path != "/services/T0/B0/c4nAry" || r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s %s with %v", r.Method, r.Path, r.Header)
		}
	}
}

// TestMarkup holds that values cannot be markup and the template can.
func TestMarkup(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "<https://example.org|*{{.v}}*> & 传感器"})
	e := tickwell.Event{Fields: []tickwell.Field{tickwell.Text("v", `<!channel> & "x" \ 热`)}}
	if err := s.Handle(attempt(t), []tickwell.Event{e}); err != nil {
		t.Fatal(err)
	}
	want := []string{`<https://example.org|*&lt;!channel&gt; &amp; "x" \ 热*> & 传感器`}
	if got := texts(srv); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestCoalescing holds that events share a message only after Slack asked for
// fewer, and not for longer than that.
func TestCoalescing(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "n {{.n}}"})
	srv.Script(standin.Answer(200, "ok"), standin.Answer(429, "rate_limited", "Retry-After", "30"))
	events := numbered(6)
	err := s.Handle(attempt(t), events)
	var p *deliver.Partial
	if !errors.As(err, &p) || !slices.Equal(p.Done, []int{0}) {
		t.Fatalf("%v, want event 0 done", err)
	}
	if class, after := deliver.Classify(p.Rest); class != deliver.ClassRetry || after != 30*time.Second {
		t.Fatalf("rest %v, want retry after 30 s", p.Rest)
	}
	if err := s.Handle(attempt(t), events[1:]); err != nil { // what the pipeline does after 30 s
		t.Fatal(err)
	}
	if err := s.Handle(attempt(t), numbered(2)); err != nil {
		t.Fatal(err)
	}
	want := []string{"n 0", "n 1\nn 2\nn 3\nn 4\nn 5", "n 0", "n 1"}
	if got := texts(srv); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

// TestOneMessageAfterAThrottleEndsIt holds that a single event which gets through
// is enough for messages of their own again.
func TestOneMessageAfterAThrottleEndsIt(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "n {{.n}}"})
	srv.Script(standin.Answer(429, "rate_limited", "Retry-After", "30"))
	if err := s.Handle(attempt(t), numbered(1)); err == nil {
		t.Fatal("accepted, want 429")
	}
	for _, n := range []int{1, 3} {
		if err := s.Handle(attempt(t), numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"n 0", "n 0", "n 1", "n 2"}
	if got := texts(srv); !slices.Equal(got, want) {
		t.Errorf("messages %q, want %q", got, want)
	}
}

// TestCoalescingIsBounded holds that what does not fit, and what has no text, is
// not lost in a common message.
func TestCoalescingIsBounded(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "{{.n}}"})
	s.state.throttled.Store(true)
	long := strings.Repeat("x", 15_000)
	events := numbered(5)
	for i := range events {
		events[i].Fields[0] = tickwell.Text("n", fmt.Sprint(i, long))
	}
	events[1].Fields = nil
	err := s.Handle(attempt(t), events)
	var p *deliver.Partial
	if !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2}) || !slices.Equal(p.Rejected, []int{1}) || p.Rest == nil {
		t.Fatalf("%v, want 0 and 2 done, 1 rejected, the rest to come", err)
	}
	if err := s.Handle(attempt(t), events[3:]); err != nil {
		t.Fatal(err)
	}
	want := []string{"0" + long + "\n2" + long, "3" + long + "\n4" + long}
	if got := texts(srv); !slices.Equal(got, want) {
		t.Errorf("%d messages, want two of two lines", len(got))
	}
	if s.state.throttled.Load() {
		t.Error("still throttled")
	}
}

// TestThrottledThroughTheStore holds that it all works together: a burst, a
// limit, and every event told once.
func TestThrottledThroughTheStore(t *testing.T) {
	srv := channel(t)
	srv.Script(standin.Answer(200, "ok"), standin.Answer(429, "", "Retry-After", "1"))
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler), Seed: 1,
		Sinks: []tickwell.SinkSpec{{Name: "slack", Sink: &Sink{URL: hook(srv), Text: "{{.v}}"}, Linger: 10 * time.Millisecond}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, at := range f.Times {
				f.Emit(tickwell.Event{Time: time.Unix(0, at), Fields: []tickwell.Field{{Name: "v", Value: f.Columns[0].Data.Value(i)}}})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := &tickwell.Tablet{Device: "root.d", Columns: []tickwell.Column{{Name: "v", Data: tickwell.Int64s{0, 1, 2, 3, 4, 5, 6, 7}}}, Times: []int64{0, 1, 2, 3, 4, 5, 6, 7}}
	if err := db.InsertTablet(t.Context(), tab); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(attempt(t)); err != nil {
		t.Fatal(err)
	}
	got := texts(srv)
	if all := strings.Join(got, "\n"); all != "0\n1\n2\n3\n4\n5\n6\n7" || len(got) != 2 {
		t.Errorf("messages %q, want 0, then the rest in one", got)
	}
	if st := db.Stats().Sinks[0]; st.Delivered != 8 || st.Health != "ok" {
		t.Errorf("%+v", st)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		class  deliver.Class
		text   string // in the error
	}{
		{200, "ok", deliver.Delivered, ""},
		{400, "invalid_payload", deliver.ClassPermanent, "400 Bad Request: invalid_payload"},
		{400, "no_text\n", deliver.ClassPermanent, "no_text"},
		{403, "action_prohibited", deliver.ClassDisabled, "action_prohibited"},
		{404, "no_service", deliver.ClassDisabled, "no_service"},
		{404, "channel_not_found", deliver.ClassDisabled, "channel_not_found"},
		{404, "<html>", deliver.ClassPermanent, "404 Not Found"},
		{410, "channel_is_archived", deliver.ClassDisabled, "channel_is_archived"},
		{410, "", deliver.ClassDisabled, "410 Gone"},
		{429, "", deliver.ClassRetry, "429"},
		{500, "rollup_error", deliver.ClassRetry, "rollup_error"},
		{503, "", deliver.ClassRetry, "503"},
	} {
		srv := channel(t)
		srv.Always(standin.Answer(c.status, c.body))
		s := open(t, &Sink{URL: hook(srv), Text: "x"})
		err := s.state.post(attempt(t), "x")
		if class, _ := deliver.Classify(err); class != c.class || err != nil && (!strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "html")) {
			t.Errorf("%d %s: %v of class %v, want %v with %q", c.status, c.body, err, class, c.class, c.text)
		}
	}
}

func TestSettings(t *testing.T) {
	url := sink.NewSecret("https://hooks.example.org/services/c4nAry")
	for _, c := range []struct {
		name string
		sink Sink
		want string
	}{
		{"no URL", Sink{Text: "x"}, "no URL"},
		{"bad URL", Sink{Text: "x", URL: sink.NewSecret("c4nAry")}, "neither http"},
		{"no text", Sink{URL: url}, "no Text"},
		{"bad text", Sink{URL: url, Text: "{{.a"}, "}} is missing"},
		{"unknown column", Sink{URL: url, Text: "{{.b}}", Template: sink.TemplateOptions{Columns: []string{"a"}}}, `no column "b"`},
		{"untrusted http", Sink{URL: sink.NewSecret("http://h/c4nAry"), Text: "x", Trust: sink.Untrusted}, "https"},
	} {
		err := c.sink.Validate()
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(fmt.Sprint(err), c.want) || strings.Contains(fmt.Sprint(err), "c4nAry") {
			t.Errorf("%s: %v, want ErrBadInput with %q", c.name, err, c.want)
		}
	}
	later := Sink{Text: "x", URL: sink.SecretFunc(func() (string, error) { return "", errors.New("vault is shut") })}
	if err := later.Validate(); err != nil {
		t.Errorf("a secret that cannot be read yet: %v, want nil", err)
	}
	if err := later.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "vault is shut") {
		t.Errorf("open: %v", err)
	}
	spec := tickwell.SinkSpec{}
	(&Sink{}).Defaults(&spec)
	if !spec.Notify || spec.Batch != 20 {
		t.Errorf("defaults %+v", spec)
	}
}

// TestURLNeverPrints is about the whole of the secret there is.
func TestURLNeverPrints(t *testing.T) {
	srv := channel(t)
	s := open(t, &Sink{URL: hook(srv), Text: "x"})
	var seen []string
	for _, step := range []standin.Step{standin.Echo(500), standin.Echo(400), standin.Echo(302), standin.Reset()} {
		srv.Script(step)
		seen = append(seen, fmt.Sprintf("%v %+v", s.state.post(attempt(t), "x"), s.state.post(attempt(t), "x")))
	}
	srv.Down()
	seen = append(seen, s.state.post(attempt(t), "x").Error(), fmt.Sprintf("%v %+v %#v %+v", s, *s, *s, struct{ s Sink }{*s}))
	text, _ := json.Marshal(s)
	dump := strings.Join(append(seen, string(text)), "\n")
	if strings.Contains(dump, "c4nAry") || !strings.Contains(dump, "slack http://127.0.0.1") {
		t.Error(dump)
	}
}
