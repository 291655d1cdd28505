// Package nginx has the tests of the sinks that speak HTTP, webhook and slack,
// against nginx: TLS, logins and limits are its own, what it passes on is taken
// by a backend of the test.
package nginx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/slack"
	"github.com/tickwell/tickwell/sink/webhook"
	"github.com/tickwell/tickwell/tickwelltest"
)

const (
	user     = "plant"
	password = "c4nAry-pa55"
)

func TestMain(m *testing.M) {
	trial.Main(m, func(s map[string]string) (tickwell.Sink, error) {
		pem, err := os.ReadFile(s["cert"])
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		if s["sink"] == "slack" {
			return chat(sink.NewSecret(s["url"]), pool), nil
		}
		return hook(s["url"], pool), nil
	})
}

func hook(url string, pool *x509.CertPool) *webhook.Sink {
	return &webhook.Sink{URL: url, User: user, Password: sink.NewSecret(password), TLS: &tls.Config{RootCAs: pool}}
}

// chat is a slack sink. Its URL is its password.
func chat(url sink.Secret, pool *x509.CertPool) *slack.Sink {
	return &slack.Sink{URL: url, Text: "{{.id}}", TLS: &tls.Config{RootCAs: pool}}
}

// world is an nginx with a backend that remembers what it is passed.
type world struct {
	*server.Server
	cert *server.Certificate

	mu     sync.Mutex
	ids    []string // of webhooks
	texts  []string // of chat messages
	answer int      // of the backend; 0: 200
}

func start(t *testing.T, o server.NginxOptions) *world {
	t.Helper()
	w := &world{cert: server.NewCertificate(t)}
	backend := httptest.NewServer(http.HandlerFunc(w.take))
	t.Cleanup(backend.Close)
	o.Cert, o.Backend = w.cert, backend.Listener.Addr().String()
	w.Server = server.Start(t, server.Nginx(o))
	return w
}

func (w *world) take(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answer != 0 || err != nil {
		rw.WriteHeader(max(w.answer, 400))
		return
	}
	if text, ok := strings.CutPrefix(string(body), `{"text":"`); ok {
		text, _, _ = strings.Cut(text, `"`)
		// What Slack answers to a token that it does not know and to what it
		// cannot post.
		for _, refused := range []struct {
			when   bool
			status int
			word   string
		}{
			{!strings.HasSuffix(r.URL.Path, "/"+password), http.StatusForbidden, "invalid_token"},
			{strings.Contains(text, "poison"), http.StatusBadRequest, "invalid_payload"},
		} {
			if refused.when {
				rw.WriteHeader(refused.status)
				io.WriteString(rw, refused.word)
				return
			}
		}
		w.texts = append(w.texts, strings.Split(text, `\n`)...)
	} else {
		w.ids = append(w.ids, r.Header.Get("Webhook-Id"))
	}
	io.WriteString(rw, "ok")
}

func (w *world) taken(*testing.T) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.ids)
}

func (w *world) said(*testing.T) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.texts)
}

func (w *world) url() string  { return "https://" + w.Addr("https") + "/hook" }
func (w *world) chat() string { return "https://" + w.Addr("https") + "/services/T1/B1/" + password }

func TestVersion(t *testing.T) {
	t.Log("note: " + start(t, server.NginxOptions{}).VersionText)
}

// TestWebhookConformance is the suite of all sinks, over TLS and with a login.
func TestWebhookConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		w := start(t, server.NginxOptions{User: user, Password: password})
		return tickwelltest.SinkTarget{
			New:      func(*testing.T) tickwell.Sink { return hook(w.url(), w.cert.Pool) },
			Received: w.taken,
			Down:     func(t *testing.T) { w.Stop(t) },
			Up:       func(t *testing.T) { w.Start(t) },
			Secret:   password,
		}
	})
}

func TestSlackConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		w := start(t, server.NginxOptions{})
		return tickwelltest.SinkTarget{
			New:      func(*testing.T) tickwell.Sink { return chat(sink.NewSecret(w.chat()), w.cert.Pool) },
			Received: w.said,
			Down:     func(t *testing.T) { w.Stop(t) },
			Up:       func(t *testing.T) { w.Start(t) },
			Secret:   password,
		}
	})
}

// TestKilled has our own process killed while requests are on their way.
func TestKilled(t *testing.T) {
	t.Run("webhook", func(t *testing.T) {
		w := start(t, server.NginxOptions{User: user, Password: password})
		trial.Kill(t, map[string]string{"url": w.url(), "cert": w.File(server.CertFile)}, 1500, 3, w.taken)
	})
	t.Run("slack", func(t *testing.T) {
		w := start(t, server.NginxOptions{})
		trial.Kill(t, map[string]string{"url": w.chat(), "sink": "slack", "cert": w.File(server.CertFile)}, 300, 3, w.said)
	})
}

// TestRestarts stops, kills and starts nginx again, and has its backend fail,
// while rows come in.
func TestRestarts(t *testing.T) {
	for _, c := range []struct {
		name string
		rows int
		sink func(w *world) tickwell.Sink
		got  func(w *world) []string
	}{
		{"webhook", 1000, func(w *world) tickwell.Sink { return hook(w.url(), w.cert.Pool) }, func(w *world) []string { return w.taken(t) }},
		{"slack", 200, func(w *world) tickwell.Sink { return chat(sink.NewSecret(w.chat()), w.cert.Pool) }, func(w *world) []string { return w.said(t) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := server.NginxOptions{User: user, Password: password}
			if c.name == "slack" {
				o = server.NginxOptions{}
			}
			w := start(t, o)
			db, err := tickwell.Open(t.Context(), t.TempDir(), trial.Options(c.sink(w)))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			backend := func(answer int) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.answer = answer
			}
			for i := range c.rows {
				if err := trial.Insert(t.Context(), db, i); err != nil {
					t.Fatal(err)
				}
				switch i {
				case c.rows / 5:
					w.Restart(t)
				case c.rows / 2:
					w.Crash()
					w.Start(t)
				case c.rows * 7 / 10:
					backend(http.StatusServiceUnavailable)
				case c.rows * 8 / 10:
					backend(0)
				}
			}
			if err := db.Quiesce(trial.Within(t)); err != nil {
				t.Fatalf("%v; %+v", err, db.Stats().Sinks)
			}
			again := trial.Check(t, c.rows, c.got(w))
			t.Logf("%d rows over a restart and a crash of nginx: all arrived in order, %d more than once", c.rows, again)
		})
	}
}

// TestSlackWrongCredentials holds that a URL whose token is not known suspends the
// sink, that everything waits, and that it goes on with the right one.
func TestSlackWrongCredentials(t *testing.T) {
	w := start(t, server.NginxOptions{})
	secret, right := trial.Secret(strings.TrimSuffix(w.chat(), password)+"wr0ng", w.chat())
	trial.WrongCredentials(t, trial.Wrong{
		Sink: chat(secret, w.cert.Pool), Says: "invalid_token", Password: "wr0ng", Right: right, Received: w.said,
	})
}

// TestSlackPoison holds that a message which is refused goes to the dead letters
// with Slack's word, and that the others pass.
func TestSlackPoison(t *testing.T) {
	w := start(t, server.NginxOptions{})
	out := chat(sink.NewSecret(w.chat()), w.cert.Pool)
	out.Text = "{{.id}} {{.kind}}"
	var dead []string
	o := trial.Options(out)
	o.Sinks[0].DeadLetter = func(_ context.Context, d tickwell.DeadLetter) error {
		dead = append(dead, d.Event.ID+" "+d.Cause)
		return nil
	}
	o.Triggers[0].Trigger = tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		for _, at := range f.Times {
			kind := "good"
			if at == 7 {
				kind = "poison"
			}
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Fields: []tickwell.Field{tickwell.Text("kind", kind)}})
		}
		return nil
	})
	db, err := tickwell.Open(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const n = 20
	for i := range n {
		if err := trial.Insert(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	got := w.said(t)
	for i := range n {
		if slices.Contains(got, trial.ID(i)+" good") != (i != 7) {
			t.Errorf("row %d arrived: %v", i, i == 7)
		}
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], trial.ID(7)+" ") || !strings.Contains(dead[0], "invalid_payload") {
		t.Errorf("dead letters %q, want row 7 by invalid_payload", dead)
	}
}

// TestWrongCredentials holds that nginx' 401 leaves the events where they are
// until the password is put right.
func TestWrongCredentials(t *testing.T) {
	w := start(t, server.NginxOptions{User: user, Password: password})
	out := hook(w.url(), w.cert.Pool)
	secret, right := trial.Secret("wr0ng-pa55", password)
	out.Password = secret
	trial.WrongCredentials(t, trial.Wrong{Sink: out, Says: "401", Password: "wr0ng-pa55", Right: right, Received: w.taken})
	stranger := hook(w.url(), server.NewCertificate(t).Pool)
	if err := stranger.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer stranger.Close(context.Background())
	if err := stranger.Handle(trial.Within(t), []tickwell.Event{{ID: "x"}}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, want that the certificate is not trusted", err)
	}
}

// TestLimits holds that what nginx finds too large goes to the dead letters, that
// a rate limit slows down and loses nothing, and that a client certificate is
// shown.
func TestLimits(t *testing.T) {
	mine := server.NewCertificate(t)
	w := start(t, server.NginxOptions{
		ClientCA: mine.Cert,
		HTTP:     "limit_req_zone $binary_remote_addr zone=all:1m rate=50r/s;\nlimit_req_status 429;\n",
		More:     "client_max_body_size 500;\nlimit_req zone=all burst=5 nodelay;",
	})
	out := hook(w.url(), w.cert.Pool)
	out.User, out.Password = "", sink.Secret{}
	out.TLS.Certificates = []tls.Certificate{mine.TLS}
	var dead []string
	o := trial.Options(out)
	o.Sinks[0].DeadLetter = func(_ context.Context, d tickwell.DeadLetter) error {
		dead = append(dead, fmt.Sprint(d.Event.Time.UnixNano(), " ", d.Cause))
		return nil
	}
	o.Triggers[0].Trigger = tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
		for _, at := range f.Times {
			text := "short"
			if at == 7 {
				text = strings.Repeat("x", 600)
			}
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, at), Fields: []tickwell.Field{tickwell.Text("text", text)}})
		}
		return nil
	})
	db, err := tickwell.Open(t.Context(), "", o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	// A busy machine may be slower than the limit: rows come until it is met.
	n := 0
	for n < 40 || n < 2000 && !strings.Contains(w.Log(), "limiting requests") {
		for range 20 {
			if err := trial.Insert(t.Context(), db, n); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if err := db.Quiesce(trial.Within(t)); err != nil {
			t.Fatalf("%v; %+v", err, db.Stats().Sinks)
		}
	}
	got := w.taken(t)
	for i := range n {
		if slices.Contains(got, trial.ID(i)) != (i != 7) {
			t.Errorf("row %d arrived: %v", i, i == 7)
		}
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], "7 ") || !strings.Contains(dead[0], "413") {
		t.Errorf("dead letters %q, want row 7 by 413", dead)
	}
	if !strings.Contains(w.Log(), "limiting requests") {
		t.Error("the rate limit was never met")
	}
}
