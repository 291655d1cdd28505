package snowflake

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func opened(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := s.Open(attempt(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// each runs a test for both ways into the table.
func each(t *testing.T, run func(t *testing.T, v *service, s *Sink)) {
	for _, streaming := range []bool{false, true} {
		t.Run(map[bool]string{false: "SQL", true: "streaming"}[streaming], func(t *testing.T) {
			v := newService(t)
			s := v.sink()
			s.Streaming = streaming
			run(t, v, s)
		})
	}
}

func TestConformance(t *testing.T) {
	for _, streaming := range []bool{false, true} {
		t.Run(map[bool]string{false: "SQL", true: "streaming"}[streaming], func(t *testing.T) {
			tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
				v := newService(t)
				return tickwelltest.SinkTarget{
					New: func(*testing.T) tickwell.Sink {
						s := v.sink()
						s.Streaming = streaming
						return s
					},
					Received: func(*testing.T) []string { return v.ids() },
					Down:     func(*testing.T) { v.Down() },
					Up: func(t *testing.T) {
						if err := v.Up(); err != nil {
							t.Fatal(err)
						}
					},
					Secret: strings.Split(keyPEM(keys()[0]), "\n")[3],
				}
			})
		})
	}
}

func TestRows(t *testing.T) {
	events := []tickwell.Event{
		event("1", tickwell.Float64("v", 12.5), tickwell.Text("note", `föö "bar"; drop table`), tickwell.Bool("ok", true)),
		event("2", tickwell.Float64("v", -1e300)),
	}
	each(t, func(t *testing.T, v *service, s *Sink) {
		v.async = true
		if err := opened(t, s).Handle(attempt(t), events); err != nil {
			t.Fatal(err)
		}
		at, null := "1769162400123000000", "null"
		if s.Streaming {
			at, null = "2026-01-23T10:00:00.123Z", "<nil>"
		}
		want := fmt.Sprint([]map[string]string{
			{"ID": "1", "AT": at, "V": "12.5", "NOTE": `föö "bar"; drop table`, "OK": "true"},
			{"ID": "2", "AT": at, "V": "-1e+300", "NOTE": null, "OK": null},
		})
		if got := fmt.Sprint(v.rows); got != want {
			t.Errorf("the table has\n%s\nwant\n%s", got, want)
		}
	})
}

// TestLostAnswer holds that rows whose acknowledgement was lost are there once.
func TestLostAnswer(t *testing.T) {
	each(t, func(t *testing.T, v *service, s *Sink) {
		opened(t, s)
		events := []tickwell.Event{event("1"), event("2"), event("3")}
		lost := func(w http.ResponseWriter, r *http.Request) {
			v.serve(discard{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		v.Script(lost)
		err := s.Handle(attempt(t), events)
		class, _ := deliver.Classify(err)
		want := deliver.ClassRetry
		if s.Streaming {
			want = deliver.ClassReconnect
		}
		if class != want {
			t.Fatalf("%v of class %v, want %v", err, class, want)
		}
		if s.Streaming {
			opened(t, s)
			events = append(events, event("4")) // others may have come meanwhile
		}
		if err := s.Handle(attempt(t), events); err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i := range events {
			ids = append(ids, events[i].ID)
		}
		if got := v.ids(); !slices.Equal(got, ids) {
			t.Errorf("got %q, want %q", got, ids)
		}
	})
}

// TestOthersCommittedFirst holds that the events of a batch that failed are not
// taken for committed because a later batch was: after a restart both are handed
// over as one.
func TestOthersCommittedFirst(t *testing.T) {
	v := newService(t)
	s := v.sink()
	s.Streaming = true
	opened(t, s)
	if err := s.Handle(attempt(t), []tickwell.Event{event("3"), event("4")}); err != nil {
		t.Fatal(err)
	}
	opened(t, s)
	if err := s.Handle(attempt(t), []tickwell.Event{event("1"), event("2"), event("3"), event("4"), event("5")}); err != nil {
		t.Fatal(err)
	}
	if got, want := v.ids(), []string{"3", "4", "1", "2", "5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// discard is an answer that nobody gets.
type discard struct{ h http.Header }

func (d discard) Header() http.Header       { return d.h }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

func TestAnswers(t *testing.T) {
	v := newService(t)
	s := opened(t, v.sink())
	for _, c := range []struct {
		status int
		body   string
		class  deliver.Class
	}{
		{401, `{"message":"JWT token is invalid"}`, deliver.ClassReconnect},
		{422, `{"sqlState":"22018","message":"Numeric value 'x' is not recognized"}`, deliver.ClassPermanent},
		{422, `{"sqlState":"42S02","message":"Object 'EVENTS' does not exist"}`, deliver.ClassRetry},
		{429, `{}`, deliver.ClassRetry},
		{503, `{}`, deliver.ClassRetry},
		{413, `{}`, deliver.ClassTooLarge},
	} {
		v.Script(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		})
		err := s.Handle(attempt(t), []tickwell.Event{event("1")})
		if class, _ := deliver.Classify(err); class != c.class {
			t.Errorf("%d %s: %v of class %v, want %v", c.status, c.body, err, class, c.class)
		}
	}
	err := s.Handle(attempt(t), []tickwell.Event{event("1", tickwell.Text("note", "poison"))})
	if class, _ := deliver.Classify(err); class != deliver.ClassPermanent {
		t.Errorf("%v of class %v, want permanent", err, class)
	}
}

// TestWrongKey holds that a key which is not the user's is refused, that the new
// one is used once it is there, and that neither it nor a token is ever told.
func TestWrongKey(t *testing.T) {
	each(t, func(t *testing.T, v *service, s *Sink) {
		current := keyPEM(keys()[1])
		s.Key = sink.SecretFunc(func() (string, error) { return current, nil })
		err := s.Open(attempt(t))
		if !s.Streaming {
			if err != nil {
				t.Fatal(err)
			}
			err = s.Handle(attempt(t), []tickwell.Event{event("1")})
		}
		if class, _ := deliver.Classify(err); class != deliver.ClassReconnect || !strings.Contains(err.Error(), "401") {
			t.Fatalf("%v of class %v, want 401 and to log in again", err, class)
		}
		for _, line := range strings.Split(current, "\n")[1:4] {
			if strings.Contains(fmt.Sprintf("%v %+v %#v %+v", err, err, err, s), line) {
				t.Error("the key is in the error")
			}
		}
		current = keyPEM(keys()[0])
		if err := opened(t, s).Handle(attempt(t), []tickwell.Event{event("1")}); err != nil {
			t.Fatal(err)
		}
		if got := v.ids(); !slices.Equal(got, []string{"1"}) {
			t.Errorf("got %q, want 1", got)
		}
	})
}

func TestRefusedSettings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Sink)
		want   string
	}{
		{"all", func(*Sink) {}, ""},
		{"account", func(s *Sink) { s.Account = "a/b" }, "account"},
		{"user", func(s *Sink) { s.User = "" }, "User and Key"},
		{"key", func(s *Sink) { s.Key = sink.Secret{} }, "User and Key"},
		{"table", func(s *Sink) { s.Table = "" }, "Table"},
		{"no columns", func(s *Sink) { s.Columns = nil }, "no Columns"},
		{"column twice", func(s *Sink) { s.Columns = []Column{{Name: "A"}, {Name: "A"}} }, "twice"},
		{"URL", func(s *Sink) { s.URL = "ftp://host" }, "http"},
	} {
		s := newService(t).sink()
		c.change(s)
		err := s.Validate()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !errors.Is(err, tickwell.ErrBadInput)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	for _, key := range []string{"", "secret", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		s := newService(t).sink()
		s.Key = sink.NewSecret(key)
		if err := s.Open(attempt(t)); err == nil || strings.Contains(err.Error(), "AAAA") {
			t.Errorf("key %q: %v, want an error without it", key, err)
		}
	}
}
