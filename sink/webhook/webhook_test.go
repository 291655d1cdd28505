package webhook

import (
	"context"
	"crypto/tls"
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

var at = time.Date(2022, 1, 23, 10, 0, 0, 123_000_000, time.UTC)

func row(id string, fields ...tickwell.Field) tickwell.Event {
	return tickwell.Event{ID: id, Source: "t", Series: "root.d", Time: at, Fields: fields}
}

func server(t *testing.T) *standin.Server {
	s := standin.New()
	t.Cleanup(s.Close)
	return s
}

// open validates and opens s for a test that calls Handle itself.
func open(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// attempt bounds what a test waits for an answer.
func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestRequest(t *testing.T) {
	e := row("t|root.d|1|0|0", tickwell.Int32("number", 50), tickwell.Text("note", `"foo"`))
	alert := tickwell.Event{ID: "a b%\r\n", Time: at, Labels: map[string]string{"alertname": "hot"}}
	const asRow = `{"time":"2022-01-23T10:00:00.123Z","number":50,"note":"\"foo\""}`
	for _, c := range []struct {
		name   string
		sink   Sink
		events []tickwell.Event
		method string
		header string // "Name: value", one of those that must be there
		bodies []string
	}{
		{"row by default", Sink{}, []tickwell.Event{e}, "POST", "Content-Type: application/json", []string{asRow}},
		{"one request each", Sink{}, []tickwell.Event{e, e}, "POST", "Webhook-Id: t|root.d|1|0|0", []string{asRow, asRow}},
		{"put", Sink{Method: "PUT"}, []tickwell.Event{e}, "PUT", "User-Agent: tickwell", []string{asRow}},
		{"own header", Sink{Headers: map[string]string{"x-a": "b", "User-Agent": "me"}}, []tickwell.Event{e}, "POST", "User-Agent: me", []string{asRow}},
		{"secret header", Sink{SecretHeaders: map[string]sink.Secret{"X-Key": sink.NewSecret("k")}}, []tickwell.Event{e}, "POST", "X-Key: k", []string{asRow}},
		{"basic", Sink{User: "u", Password: sink.NewSecret("p")}, []tickwell.Event{e}, "POST", "Authorization: Basic dTpw", []string{asRow}},
		{"bearer", Sink{Token: sink.NewSecret("tok")}, []tickwell.Event{e}, "POST", "Authorization: Bearer tok", []string{asRow}},
		{"whole", Sink{Whole: true}, []tickwell.Event{e}, "POST", "Content-Type: application/json", []string{
			`{"id":"t|root.d|1|0|0","source":"t","series":"root.d","time":"2022-01-23T10:00:00.123Z","fields":{"number":50,"note":"\"foo\""}}`}},
		{"alert without fields", Sink{}, []tickwell.Event{alert}, "POST", "Webhook-Id: a%20b%25%0D%0A", []string{
			`{"id":"a b%\r\n","source":"","series":"","time":"2022-01-23T10:00:00.123Z","labels":{"alertname":"hot"}}`}},
		{"array", Sink{Array: true}, []tickwell.Event{e, e}, "POST", "Content-Type: application/json", []string{"[" + asRow + "," + asRow + "]"}},
		{"template", Sink{Body: `{"text":"n {{.number}}, {{ .note }}","n":{{.number}},"note":{{.note}}}`}, []tickwell.Event{e}, "POST", "Content-Type: application/json", []string{
			`{"text":"n 50, \"foo\"","n":50,"note":"\"foo\""}`}},
		{"template of text", Sink{Body: `n={{.number}} {{.note}}`, ContentType: "text/plain; charset=utf-8"}, []tickwell.Event{e}, "POST", "Content-Type: text/plain; charset=utf-8", []string{`n=50 "foo"`}},
		{"array of templates", Sink{Body: `{"n":{{.number}}}`, Array: true}, []tickwell.Event{e, e}, "POST", "Content-Type: application/json", []string{`[{"n":50},{"n":50}]`}},
		{"form", Sink{Body: "n={{.number}}&note={{.note}}", ContentType: "application/x-www-form-urlencoded"}, []tickwell.Event{e}, "POST", "Content-Type: application/x-www-form-urlencoded", []string{`n=50&note=%22foo%22`}},
		{"xml", Sink{Body: "<n>{{.note}}</n>", ContentType: "application/soap+xml; charset=utf-8"}, []tickwell.Event{e}, "POST", "User-Agent: tickwell", []string{`<n>&#34;foo&#34;</n>`}},
		{"own escape", Sink{Body: "<n>{{.note}}</n>", ContentType: "text/html", Template: sink.TemplateOptions{Escape: func(dst []byte, s string) []byte { return append(dst, "esc"...) }}},
			[]tickwell.Event{e}, "POST", "Content-Type: text/html", []string{`<n>esc</n>`}},
		{"url filter", Sink{Body: `{"link":"https://x.org/{{.note | url}}"}`}, []tickwell.Event{e}, "POST", "Content-Type: application/json", []string{`{"link":"https://x.org/%22foo%22"}`}},
		{"other id header", Sink{IDHeader: "Idempotency-Key"}, []tickwell.Event{e}, "POST", "Idempotency-Key: t|root.d|1|0|0", []string{asRow}},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := server(t)
			s := &c.sink
			s.URL = srv.URL + "/hook?x=1"
			if err := open(t, s).Handle(attempt(t), c.events); err != nil {
				t.Fatal(err)
			}
			if got := srv.Bodies(); !slices.Equal(got, c.bodies) {
				t.Errorf("bodies\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.bodies, "\n"))
			}
			for _, r := range srv.Requests() {
				name, value, _ := strings.Cut(c.header, ": ")
				if r.Method != c.method || r.Path != "/hook?x=1" || r.Header.Get(name) != value {
					t.Errorf("%s %s with %s: %q, want %s /hook?x=1 with %q", r.Method, r.Path, name, r.Header.Get(name), c.method, value)
				}
				if strings.HasPrefix(c.method, "POST") && s.isJSON() && !json.Valid([]byte(r.Body)) {
					t.Errorf("not JSON: %s", r.Body)
				}
			}
		})
	}
}

// TestAnswers holds what each answer means for the event.
func TestAnswers(t *testing.T) {
	date := "Sun, 23 Jan 2022 10:00:00 GMT"
	for _, c := range []struct {
		name  string
		step  standin.Step
		class deliver.Class
		after time.Duration
	}{
		{"200", standin.Answer(200, "ok"), deliver.Delivered, 0},
		{"201", standin.Answer(201, ""), deliver.Delivered, 0},
		{"204", standin.Answer(204, ""), deliver.Delivered, 0},
		{"200, body cut", standin.Cut(), deliver.Delivered, 0},
		{"200, endless body", standin.Flood(8 << 20), deliver.Delivered, 0},
		{"302", standin.Answer(302, "", "Location", "/elsewhere"), deliver.ClassRetry, 0},
		{"307", standin.Answer(307, "", "Location", "/elsewhere"), deliver.ClassRetry, 0},
		{"400", standin.Answer(400, "bad"), deliver.ClassPermanent, 0},
		{"401", standin.Answer(401, ""), deliver.ClassRetry, 0},
		{"403", standin.Answer(403, ""), deliver.ClassRetry, 0},
		{"404", standin.Answer(404, ""), deliver.ClassPermanent, 0},
		{"407", standin.Answer(407, ""), deliver.ClassRetry, 0},
		{"408", standin.Answer(408, ""), deliver.ClassRetry, 0},
		{"410", standin.Answer(410, ""), deliver.ClassDisabled, 0},
		{"413", standin.Answer(413, ""), deliver.ClassTooLarge, 0},
		{"422", standin.Answer(422, ""), deliver.ClassPermanent, 0},
		{"425", standin.Answer(425, ""), deliver.ClassRetry, 0},
		{"429", standin.Answer(429, ""), deliver.ClassRetry, 0},
		{"429, seconds", standin.Answer(429, "", "Retry-After", "17"), deliver.ClassRetry, 17 * time.Second},
		{"429, date", standin.Answer(429, "", "Date", date, "Retry-After", "Sun, 23 Jan 2022 10:02:00 GMT"), deliver.ClassRetry, 2 * time.Minute},
		{"429, past date", standin.Answer(429, "", "Date", date, "Retry-After", "Sun, 23 Jan 2022 09:02:00 GMT"), deliver.ClassRetry, 0},
		{"429, far", standin.Answer(429, "", "Retry-After", "9000000000000000000"), deliver.ClassRetry, time.Hour},
		{"429, nonsense", standin.Answer(429, "", "Retry-After", "-5"), deliver.ClassRetry, 0},
		{"500", standin.Answer(500, ""), deliver.ClassRetry, 0},
		{"501", standin.Answer(501, ""), deliver.ClassPermanent, 0},
		{"502", standin.Answer(502, ""), deliver.ClassRetry, 0},
		{"503", standin.Answer(503, "", "Retry-After", "3"), deliver.ClassRetry, 3 * time.Second},
		{"599", standin.Answer(599, ""), deliver.ClassRetry, 0},
		{"connection reset", standin.Reset(), deliver.ClassRetry, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := server(t)
			srv.Always(c.step)
			s := open(t, &Sink{URL: srv.URL, Array: true})
			err := s.Handle(attempt(t), []tickwell.Event{row("1")})
			if class, after := deliver.Classify(err); class != c.class || after != c.after {
				t.Errorf("%v: class %v after %v, want %v after %v", err, class, after, c.class, c.after)
			}
			if n := len(srv.Requests()); n != 1 {
				t.Errorf("%d requests, want 1: no redirect, no retry inside", n)
			}
		})
	}
}

func TestUnreachableIsRetried(t *testing.T) {
	srv := server(t)
	s := open(t, &Sink{URL: srv.URL})
	srv.Down()
	err := s.Handle(attempt(t), []tickwell.Event{row("1")})
	if class, _ := deliver.Classify(err); class != deliver.ClassRetry {
		t.Errorf("class %v of %v, want retry", class, err)
	}
	if err := srv.Up(); err != nil {
		t.Fatal(err)
	}
	if err := s.Handle(attempt(t), []tickwell.Event{row("1")}); err != nil {
		t.Error(err)
	}
}

func TestDeadlineEndsAHangingRequest(t *testing.T) {
	srv := server(t)
	srv.Always(standin.Hang())
	s := open(t, &Sink{URL: srv.URL})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := s.Handle(ctx, []tickwell.Event{row("1")})
	if class, _ := deliver.Classify(err); class != deliver.ClassRetry || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v of class %v, want the deadline and retry", err, class)
	}
}

// TestOneByOneKeepsTheOrder holds that nothing overtakes an event that has to
// be tried again, and that one that is given up holds up nothing.
func TestOneByOneKeepsTheOrder(t *testing.T) {
	srv := server(t)
	srv.Script(standin.Answer(200, ""), standin.Answer(422, ""), standin.Answer(200, ""), standin.Answer(429, "", "Retry-After", "9"))
	s := open(t, &Sink{URL: srv.URL})
	err := s.Handle(attempt(t), []tickwell.Event{row("0"), row("1"), row("2"), row("3"), row("4")})
	var p *deliver.Partial
	if !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2}) || !slices.Equal(p.Rejected, []int{1}) {
		t.Fatalf("%v, want 0 and 2 done, 1 rejected", err)
	}
	if class, after := deliver.Classify(p.Rest); class != deliver.ClassRetry || after != 9*time.Second {
		t.Errorf("rest %v after %v, want retry after 9 s", class, after)
	}
	if n := len(srv.Requests()); n != 4 {
		t.Errorf("%d requests, want 4: none after the 429", n)
	}
}

func TestRefusedSettings(t *testing.T) {
	for _, c := range []struct {
		name string
		sink Sink
		want string
	}{
		{"no URL", Sink{}, "no URL"},
		{"two URLs", Sink{URL: "http://h", SecretURL: sink.NewSecret("http://h")}, "both"},
		{"bad secret URL", Sink{SecretURL: sink.NewSecret("canary")}, "neither http nor https"},
		{"bad URL", Sink{URL: "http://h/%zz?canary"}, "cannot be parsed"},
		{"scheme", Sink{URL: "ftp://h/canary"}, "neither http nor https"},
		{"no host", Sink{URL: "http:///canary"}, "no host"},
		{"user in URL", Sink{URL: "http://u:canary@h/"}, "fields for that"},
		{"method", Sink{URL: "http://h", Method: "GET"}, `method "GET"`},
		{"method with a line end", Sink{URL: "http://h", Method: "POST\r\nX: y"}, "method"},
		{"header injection by value", Sink{URL: "http://h", Headers: map[string]string{"X-A": "b\r\nX-B: c"}}, "control character"},
		{"header injection by name", Sink{URL: "http://h", Headers: map[string]string{"X-A: b\r\nX-B": "c"}}, "not allowed"},
		{"empty header", Sink{URL: "http://h", Headers: map[string]string{"": "c"}}, "without a name"},
		{"host header", Sink{URL: "http://h", Headers: map[string]string{"hOST": "c"}}, "not to be set"},
		{"secret host header", Sink{URL: "http://h", SecretHeaders: map[string]sink.Secret{"Host": sink.NewSecret("c")}}, "not to be set"},
		{"content type", Sink{URL: "http://h", ContentType: "a\nb"}, "control character"},
		{"id header", Sink{URL: "http://h", IDHeader: "a b"}, "not allowed"},
		{"user with colon", Sink{URL: "http://h", User: "a:b"}, "colon"},
		{"two logins", Sink{URL: "http://h", User: "a", Token: sink.NewSecret("c")}, "same time"},
		{"untrusted http", Sink{URL: "http://h", Trust: sink.Untrusted}, "https"},
		{"untrusted proxy", Sink{URL: "https://h", Trust: sink.Untrusted, Proxy: true}, "proxy"},
		{"template", Sink{URL: "http://h", Body: "{{.a"}, "}} is missing"},
		{"template that is no JSON", Sink{URL: "http://h", Body: "a {{.a}}"}, "does not make JSON"},
		{"unknown column", Sink{URL: "http://h", Body: "{{.b}}", Template: sink.TemplateOptions{Columns: []string{"a"}}}, `no column "b"`},
		{"old TLS", Sink{URL: "https://h", TLS: &tls.Config{MaxVersion: tls.VersionTLS11}}, "less than TLS 1.2"},
		{"signing key", Sink{URL: "http://h", Sign: []sink.Secret{sink.NewSecret("whsec_canary%")}}, "key 0 of Sign: not base64"},
		{"short second key", Sink{URL: "http://h", Sign: []sink.Secret{sink.NewSecret(keyText), sink.NewSecret("Y2FuYXJ5")}}, "key 1 of Sign: 6 bytes"},
		{"key that is not set", Sink{URL: "http://h", Sign: []sink.Secret{{}}}, "key 0 of Sign: 0 bytes"},
		{"token with a line end", Sink{URL: "http://h", Token: sink.NewSecret("canary\n")}, "token has a line end"},
		{"empty token", Sink{URL: "http://h", Token: sink.NewSecret("")}, "token is empty"},
		{"password with a line end", Sink{URL: "http://h", User: "u", Password: sink.NewSecret("canary\r\n")}, "password has a line end"},
		{"secret header with a line end", Sink{URL: "http://h", SecretHeaders: map[string]sink.Secret{"X": sink.NewSecret("canary\n")}}, "header X has a line end"},
		{"header twice", Sink{URL: "http://h", Headers: map[string]string{"x-a": "b", "X-A": "c"}}, "X-A is set twice"},
		{"header twice, secret", Sink{URL: "http://h", Headers: map[string]string{"x-a": "b"}, SecretHeaders: map[string]sink.Secret{"X-a": sink.NewSecret("c")}}, "X-A is set twice"},
		{"two authorizations", Sink{URL: "http://h", User: "u", Headers: map[string]string{"Authorization": "c"}}, "Authorization is set twice"},
		{"content type as a header", Sink{URL: "http://h", Headers: map[string]string{"content-type": "text/plain"}}, "Content-Type is the sink's own"},
		{"id as a header", Sink{URL: "http://h", Headers: map[string]string{"X-Id": "1"}, IDHeader: "x-id"}, "x-id is the sink's own"},
		{"signature as a header", Sink{URL: "http://h", Headers: map[string]string{"Webhook-Signature": "v1,x"}, Sign: []sink.Secret{sink.NewSecret(keyText)}}, "Webhook-Signature is the sink's own"},
		{"content type of nothing", Sink{URL: "http://h", ContentType: "a/b/c; d"}, `content type "a/b/c; d"`},
		{"template options without a body", Sink{URL: "http://h", Template: sink.TemplateOptions{TimeFormat: "15:04"}}, "a Template without a Body"},
		{"body and whole", Sink{URL: "http://h", Body: "{{.a}}", Whole: true}, "Body and Whole"},
		{"zone", Sink{URL: "http://h", Body: "{{.time}}", Template: sink.TemplateOptions{Zone: "Atlantis"}}, "Atlantis"},
		{"array of text", Sink{URL: "http://h", Body: "{{.b}}", ContentType: "text/plain", Array: true}, "Array"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
				Logger: slog.New(slog.DiscardHandler), Sinks: []tickwell.SinkSpec{{Name: "hook", Sink: &c.sink}},
			})
			if err == nil {
				db.Close()
				t.Fatal("accepted")
			}
			if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v, want ErrBadInput with %q", err, c.want)
			}
		})
	}
}

// TestSecretsThatCannotBeReadYet holds that they are no reason to refuse a sink.
func TestSecretsThatCannotBeReadYet(t *testing.T) {
	shut := sink.SecretFunc(func() (string, error) { return "", errors.New("vault is shut") })
	for name, s := range map[string]*Sink{
		"url": {SecretURL: shut}, "token": {URL: "http://h", Token: shut}, "password": {URL: "http://h", User: "u", Password: shut},
		"header": {URL: "http://h", SecretHeaders: map[string]sink.Secret{"X": shut}}, "key": {URL: "http://h", Sign: []sink.Secret{shut}},
	} {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v, want nil", name, err)
		}
		if err := s.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "vault is shut") {
			t.Errorf("%s: open: %v", name, err)
		}
	}
}

// TestSecretsWithLineEnds holds that a secret cannot add a header either.
func TestSecretsWithLineEnds(t *testing.T) {
	bad := sink.NewSecret("canary\r\nX-Admin: 1")
	for name, s := range map[string]*Sink{
		"token":    {URL: "http://h", Token: bad},
		"password": {URL: "http://h", User: "u", Password: bad},
		"header":   {URL: "http://h", SecretHeaders: map[string]sink.Secret{"X": bad}},
	} {
		err := s.Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), "control character") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want a refusal without the secret", name, err)
		}
	}
}

func TestHandleBeforeOpenAndAfterClose(t *testing.T) {
	srv := server(t)
	s := &Sink{URL: srv.URL}
	notOpen := func() {
		t.Helper()
		err := s.Handle(t.Context(), []tickwell.Event{row("1")})
		if class, _ := deliver.Classify(err); class != deliver.ClassReconnect {
			t.Errorf("%v, want not connected", err)
		}
	}
	notOpen()
	open(t, s)
	for range 2 {
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	notOpen()
	if err := open(t, s).Handle(attempt(t), []tickwell.Event{row("1")}); err != nil {
		t.Error(err)
	}
}

// TestSecretsAreReadAgain holds that a token can be replaced while the program
// runs.
func TestSecretsAreReadAgain(t *testing.T) {
	srv := server(t)
	token := "old"
	srv.Always(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" {
			token = "new"
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	db := openDB(t, nil, tickwell.SinkSpec{Name: "hook", Sink: &Sink{URL: srv.URL, Token: sink.SecretFunc(func() (string, error) { return token, nil })}})
	insert(t, db, 0, 1)
	quiesce(t, db)
	if got := ids(srv.Accepted()); !slices.Equal(got, []string{"alert|root.d0|0|0|0"}) {
		t.Errorf("accepted %v", got)
	}
}

// TestCanary holds that no secret gets out, with a target that repeats all it
// was sent.
func TestCanary(t *testing.T) {
	const canary = "cAnAry+/= 5e3"
	srv := server(t)
	s := &Sink{
		SecretURL: sink.NewSecret(srv.URL + "/hooks/cAnAry5e3/x?key=cAnAry5e3"), User: "u", Password: sink.NewSecret(canary),
		SecretHeaders: map[string]sink.Secret{"X-Key": sink.NewSecret(canary)},
		Sign:          []sink.Secret{sink.NewSecret("whsec_" + "Y0FuQXJ5NWUzY0FuQXJ5NWUzY0FuQXJ5NWUz")},
	}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var seen []string
	db := openDB(t, logger, tickwell.SinkSpec{Name: "hook", Sink: s, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
		seen = append(seen, d.Cause, fmt.Sprintf("%+v", d))
		return nil
	}})
	for _, status := range []int{500, 400, 404, 401, 302, 413, 500} {
		srv.Script(standin.Echo(status))
	}
	srv.Script(standin.Reset())
	insert(t, db, 0, 8)
	quiesce(t, db)
	stats := fmt.Sprintf("%+v", db.Stats())
	srv.Down()
	insert(t, db, 8, 9)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := db.Quiesce(ctx)
	stats += fmt.Sprintf("%+v", db.Stats())
	db.Close()
	if len(seen) < 6 || err == nil {
		t.Fatalf("dead letters %q, quiesce %v: the test does not test", seen, err)
	}
	logger.Info("sink", "s", s, "v", *s, "spec", tickwell.SinkSpec{Sink: s})
	text, _ := json.Marshal(s)
	dump := strings.Join(append(seen, log.String(), stats, err.Error(), string(text), fmt.Sprintf("%v %+v %#v %s %q", s, *s, s, *s, s),
		fmt.Sprintf("%+v %#v", tickwell.SinkSpec{Sink: s}, struct{ x Sink }{*s})), "\n")
	for _, word := range []string{"cAnAry", "Y0FuQXJ5", "dTpjQW5Bcnk", "hooks"} {
		if i := strings.Index(dump, word); i >= 0 {
			t.Errorf("%q in %.200q", word, dump[max(i-100, 0):])
		}
	}
	if !strings.Contains(dump, "webhook http://127.0.0.1") {
		t.Errorf("the sink's name is not in the dump: %.300s", dump)
	}
}
