// Package alertmanager has a sink that posts alerts to a Prometheus Alertmanager
// (AlertManagerSink of the IoTDB trigger pages).
//
// An event is an alert whose identity are its labels: the event's, those of the
// sink, and alertname. Annotations are templates over the labels. A firing event
// starts the alert at the event's time, a resolved one ends it; an event with no
// status is what the documents send, labels and annotations without times, which
// Alertmanager takes as firing from now on.
//
// Alertmanager forgets a firing alert that it does not hear of again for its
// resolve_timeout (5 minutes by default). Repeat the event in time, or set Hold.
//
// The same alert twice is one alert, so that repetitions do no harm.
package alertmanager

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/post"
)

// Sink posts alerts. Set the fields before it is added to a store and leave
// them alone from then on. It prints without secrets.
type Sink struct {
	// URL is where alerts go, such as http://127.0.0.1:9093/api/v2/alerts. That
	// path is the default. The /api/v1/alerts of the documents takes the same
	// body, up to Alertmanager 0.26; later ones answer 410, which disables the
	// sink.
	URL string
	// Replicas are the URLs of the other members of an Alertmanager cluster.
	// Each gets every alert, all at the same time; an alert is delivered when
	// one of them has accepted it.
	Replicas []string

	// Alert is the alertname of events that have no such label. Default: the
	// event's source, that is the name of the trigger or query.
	Alert string
	// Labels are added to each alert, Annotations too; what an event says itself
	// comes first. Neither map is changed. Their names, also those of an event, are
	// letters, digits and underscores, and no digit first: Alertmanager refuses
	// others, so they are an error here, which names them.
	Labels      map[string]string
	Annotations map[string]string
	// Template has the options of annotations. Empty is always set: an unknown
	// label gives nothing, as in the documents.
	Template sink.TemplateOptions
	// GeneratorURL is what an alert links to.
	GeneratorURL string
	// Hold ends a firing alert that long after the event's time unless it is
	// repeated or resolved. 0 leaves it to the server's resolve_timeout.
	Hold time.Duration

	Headers  map[string]string // of each request, beside those of the adapter
	User     string            // with Password: basic authentication
	Password sink.Secret       // of User
	Token    sink.Secret       // bearer authentication
	Trust    sink.Trust        // where connections may go; default sink.Operator
	TLS      *tls.Config       // certificate authorities and client certificates; at least TLS 1.2
	Proxy    bool              // use the proxy of the environment

	state *state
}

type state struct {
	clients []*post.Client
}

// batch is the most alerts of one request.
const batch = 64

func (s *Sink) configs() (list []post.Config) {
	for _, u := range append([]string{s.URL}, s.Replicas...) {
		list = append(list, post.Config{
			Name: "alertmanager", URL: withPath(u), Headers: s.Headers, User: s.User, Password: s.Password, Token: s.Token,
			Trust: s.Trust, TLS: s.TLS, Proxy: s.Proxy,
		})
	}
	return list
}

// withPath adds the path of the API to a URL that has none.
func withPath(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" {
		return raw
	}
	u.Path = "/api/v2/alerts"
	return u.String()
}

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work.
func (s *Sink) Validate() error {
	for _, cfg := range s.configs() {
		if err := cfg.Check(); err != nil {
			return fmt.Errorf("alertmanager: %w: %w", err, tickwell.ErrBadInput)
		}
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("alertmanager: %w: %w", err, tickwell.ErrBadInput)
	}
	if _, err := sink.NewTemplate("", s.template()); err != nil { // annotations may come with events only
		return fmt.Errorf("alertmanager: %w", err)
	}
	for name, text := range s.Annotations {
		if _, err := sink.NewTemplate(text, s.template()); err != nil {
			return fmt.Errorf("alertmanager: annotation %s: %w", name, err)
		}
	}
	return nil
}

// check looks at what every alert will hold.
func (s *Sink) check() error {
	if s.Hold < 0 {
		return errors.New("negative Hold")
	}
	for _, m := range []map[string]string{s.Labels, s.Annotations} {
		if err := checkNames(m); err != nil {
			return err
		}
		for name, text := range m {
			if !utf8.ValidString(text) {
				return fmt.Errorf("label or annotation %s is not UTF-8", name)
			}
		}
	}
	if !utf8.ValidString(s.Alert) {
		return errors.New("the text Alert is not UTF-8")
	}
	if u, err := url.Parse(s.GeneratorURL); s.GeneratorURL != "" && (err != nil || u.Scheme == "") {
		return errors.New("GeneratorURL is no URL")
	}
	for i, u := range s.Replicas {
		if withPath(u) == withPath(s.URL) || slices.Contains(s.Replicas[:i], u) {
			return errors.New("a replica is named twice")
		}
	}
	return nil
}

// Defaults makes it a notification sink that is handed up to 64 events at once.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) {
	spec.Notify = true
	if spec.Batch == 0 {
		spec.Batch = batch
	}
}

// Open reads the secrets. It connects to nothing yet.
func (s *Sink) Open(context.Context) error {
	s.close()
	s.state = &state{}
	for _, cfg := range s.configs() {
		client, err := post.Open(cfg)
		if err != nil {
			s.close()
			return err
		}
		s.state.clients = append(s.state.clients, client)
	}
	return nil
}

// Close frees the connections. It may be called more than once; Open makes the
// sink usable again.
func (s *Sink) Close(context.Context) error {
	s.close()
	return nil
}

func (s *Sink) close() {
	if s.state != nil {
		for _, c := range s.state.clients {
			c.Close()
		}
		s.state = nil
	}
}

// Handle posts the events as one array.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	st := s.state
	if st == nil {
		return sink.NotConnected(errors.New("alertmanager: not open"))
	}
	verdicts := make([]error, len(events))
	all := append(make([]byte, 0, 256*len(events)), '[')
	sent := 0
	for i := range events {
		mark := len(all)
		if sent > 0 {
			all = append(all, ',')
		}
		body, err := s.appendAlert(all, &events[i])
		if err != nil {
			verdicts[i], all = sink.Permanent(err), all[:mark]
			continue
		}
		all = body
		sent++
	}
	if sent > 0 {
		// Of a batch that is refused the good alerts are stored all the same; the
		// pipeline's search for the bad one repeats them, which changes nothing.
		if err := st.post(ctx, append(all, ']')); err != nil {
			return err
		}
	}
	return sink.Verdicts(verdicts)
}

// post sends to all replicas at once. One that accepts is enough; otherwise one
// that may accept later is worth a repetition.
func (st *state) post(ctx context.Context, body []byte) error {
	results := make(chan error, len(st.clients))
	for _, c := range st.clients {
		go func() { results <- send(ctx, c, body) }()
	}
	var worst error
	accepted := false
	for range st.clients {
		err := <-results
		class, _ := deliver.Classify(err)
		switch {
		case err == nil:
			accepted = true
		case worst == nil || class == deliver.ClassRetry || class == deliver.ClassReconnect:
			worst = err
		}
	}
	if accepted {
		return nil
	}
	return worst
}

func send(ctx context.Context, c *post.Client, body []byte) error {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	answer, err := c.Do(ctx, h, body)
	if err != nil {
		return err
	}
	detail := c.Text(answer)
	if answer.Status == http.StatusGone {
		detail += "; Alertmanager 0.27 and later have only /api/v2/alerts"
	}
	return c.Classify(answer, detail)
}

// String returns "alertmanager" with scheme and host of the URL.
func (s Sink) String() string {
	cfg := s.configs()[0]
	return strings.TrimSpace("alertmanager " + cfg.Origin())
}

// Format prints what String returns, whatever the verb.
func (s Sink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Sink) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns.
func (s Sink) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
