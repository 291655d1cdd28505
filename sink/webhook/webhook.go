// Package webhook has a sink that sends events as HTTP requests. Anything that
// listens can be acted upon: a ticket opened, a device replaced, a cluster grown.
//
// Each event is one request whose body is its row as a JSON document; a template
// makes any other text of it, and Array sends batches. Requests carry the
// event's ID, the same each time, as delivery is at least once. Events of one
// series arrive in order.
//
// What the answer's status means:
//
//	2xx                      accepted
//	408, 425, 429, 5xx, 3xx  tried again, after Retry-After if that is given; redirects are
//	                         not followed, for they would take body and secrets elsewhere
//	401, 403, 407            tried again with the secrets read anew
//	410                      the sink is disabled and keeps its events (tickwell.DB.EnableSink)
//	413                      a batch is split, a single event given up
//	501, other 4xx           the event is given up (tickwell.SinkSpec.DeadLetter)
//
// A target that cannot be reached is tried until it can.
package webhook

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/clock"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/post"
)

// Sink sends events to a URL. Set the fields before it is added to a store and
// leave them alone from then on. It prints without path, query and secrets.
type Sink struct {
	// URL is where requests go, http or https. It cannot hold a user name. No
	// template is in it or in a header: an event never says where it goes.
	// SecretURL is in its place where knowing the URL is all it takes to send.
	URL       string
	SecretURL sink.Secret
	Method    string // POST (default), PUT or PATCH
	// Headers go with every request; SecretHeaders as well, and never print.
	Headers       map[string]string
	SecretHeaders map[string]sink.Secret
	User          string // with Password: basic authentication
	Password      sink.Secret
	Token         sink.Secret // bearer authentication

	// Body is the template ([sink.Template]) of the request's body. Empty: the
	// event's row as of [sink.AppendRowJSON]; all of the event as of
	// [sink.AppendJSON] if Whole is set or it has no fields.
	Body  string
	Whole bool
	// Template has the options of Body. JSON is set if ContentType says so; for
	// forms, HTML and XML values are escaped likewise unless Escape is set.
	Template sink.TemplateOptions
	// ContentType is that of the body. Default application/json.
	ContentType string
	// Array sends the events of a batch as one request, a JSON array. The
	// target accepts or refuses it as a whole. Each element then holds what a
	// body would; set Whole to have the ids in it.
	Array bool
	// IDHeader is the header with the event's ID, or a hash of all IDs of an
	// Array. Default Webhook-Id; servers with another habit may want
	// Idempotency-Key. What is not printable ASCII is percent-encoded.
	IDHeader string
	// Sign are the keys of signatures as of Standard Webhooks, newest first: a
	// request carries one signature for each, so that keys can be exchanged
	// without a gap. Keys are base64, with or without the prefix "whsec_".
	Sign []sink.Secret

	// Trust says where connections may go. Default sink.Operator.
	Trust sink.Trust
	// TLS has certificate authorities and client certificates (mutual TLS).
	// Less than TLS 1.2 is never spoken.
	TLS *tls.Config
	// Proxy uses the proxy of the environment (HTTPS_PROXY and its kin).
	Proxy bool
	// Clock dates signatures. Default: the system's.
	Clock tickwell.Clock

	state *state
}

// state is what Open makes. It is behind a pointer so that Sink can be printed
// by value.
type state struct {
	client *post.Client
	keys   [][]byte
	body   *sink.Template // nil: JSON
}

func (s *Sink) config() post.Config {
	return post.Config{
		Name: "webhook", URL: s.URL, SecretURL: s.SecretURL, Method: s.Method, Headers: s.Headers, Secrets: s.SecretHeaders,
		User: s.User, Password: s.Password, Token: s.Token, Trust: s.Trust, TLS: s.TLS, Proxy: s.Proxy,
	}
}

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work. The store calls it
// when the sink is added.
func (s *Sink) Validate() error {
	cfg := s.config()
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("webhook: %w: %w", err, tickwell.ErrBadInput)
	}
	if err := s.check(); err != nil {
		return fmt.Errorf("webhook: %w: %w", err, tickwell.ErrBadInput)
	}
	if _, err := s.template(); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	return nil
}

// check looks at what is the sink's own.
func (s *Sink) check() error {
	extra := post.Config{URL: "http://host", Headers: map[string]string{s.idHeader(): "", "Content-Type": s.contentType()}}
	if err := extra.Check(); err != nil {
		return err
	}
	if _, _, err := mime.ParseMediaType(s.contentType()); err != nil {
		return fmt.Errorf("content type %q: %w", s.contentType(), err)
	}
	own := []string{"Content-Type", s.idHeader()}
	if len(s.Sign) > 0 {
		own = append(own, headerID, headerTimestamp, headerSignature)
	}
	for _, name := range own {
		if s.sets(name) {
			return fmt.Errorf("header %s is the sink's own; there is a field for it", name)
		}
	}
	o := s.Template
	switch {
	case s.Body == "" && (o.Columns != nil || o.Empty || o.TimeFormat != "" || o.Zone != "" || o.JSON || o.Escape != nil || o.Max != 0):
		return errors.New("a Template without a Body")
	case s.Body != "" && s.Whole:
		return errors.New("both Body and Whole are set")
	case s.Body != "" && s.Array && !s.isJSON():
		return fmt.Errorf("an Array needs a Body of JSON, not %s", s.ContentType)
	}
	return checkKeys(s.Sign)
}

// sets reports whether the user's headers have one of that name.
func (s *Sink) sets(name string) bool {
	for have := range s.Headers {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	for have := range s.SecretHeaders {
		if strings.EqualFold(have, name) {
			return true
		}
	}
	return false
}

// template returns that of Body, nil if there is none. Values are escaped for
// what the content type says.
func (s *Sink) template() (*sink.Template, error) {
	if s.Body == "" {
		return nil, nil
	}
	o := s.Template
	o.JSON = o.JSON || s.isJSON()
	if o.Escape == nil {
		o.Escape = escapes(s.kind())
	}
	return sink.NewTemplate(s.Body, o)
}

// escapes returns how values are written into a text of a kind, nil for as they
// are.
func escapes(kind string) func(dst []byte, value string) []byte {
	switch {
	case kind == "application/x-www-form-urlencoded":
		return func(dst []byte, value string) []byte { return append(dst, url.QueryEscape(value)...) }
	case kind == "text/html" || kind == "text/xml" || kind == "application/xml" || strings.HasSuffix(kind, "+xml"):
		return func(dst []byte, value string) []byte { return append(dst, html.EscapeString(value)...) }
	}
	return nil
}

// kind is the content type without its parameters, in small letters.
func (s *Sink) kind() string {
	kind, _, err := mime.ParseMediaType(s.contentType())
	if err != nil {
		return ""
	}
	return kind
}

// isJSON reports whether the content type is JSON or made of it.
func (s *Sink) isJSON() bool {
	kind := s.kind()
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}

// Open reads the secrets. It connects to nothing yet.
func (s *Sink) Open(context.Context) error {
	s.close()
	client, err := post.Open(s.config())
	if err != nil {
		return err
	}
	keys, err := readKeys(s.Sign)
	if err != nil {
		return err
	}
	tpl, err := s.template()
	if err != nil {
		return err
	}
	s.state = &state{client: client, keys: keys, body: tpl}
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
		s.state.client.Close()
		s.state = nil
	}
}

// Handle sends events.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	if s.state == nil {
		return sink.NotConnected(errors.New("webhook: not open"))
	}
	if s.Array {
		return s.sendArray(ctx, events)
	}
	return sink.Each(ctx, events, s.sendOne)
}

func (s *Sink) sendOne(ctx context.Context, e *tickwell.Event) error {
	// Not used again: a request may still read its body when it is answered, and
	// other calls may be under way.
	body, err := s.body(nil, e)
	if err != nil {
		return err
	}
	return s.send(ctx, post.HeaderText(e.ID), body)
}

// sendArray sends all events at once. Events whose template fails are given up;
// the rest goes without them.
func (s *Sink) sendArray(ctx context.Context, events []tickwell.Event) error {
	all := append(make([]byte, 0, 128*len(events)), '[')
	hash := sha256.New()
	verdicts := make([]error, len(events))
	sent := 0
	for i := range events {
		mark := len(all)
		if sent > 0 {
			all = append(all, ',')
		}
		body, err := s.body(all, &events[i])
		if err != nil {
			verdicts[i], all = err, all[:mark]
			continue
		}
		all = body
		hash.Write([]byte(events[i].ID))
		hash.Write([]byte{0})
		sent++
	}
	if sent == 0 {
		return sink.Verdicts(verdicts)
	}
	err := s.send(ctx, hex.EncodeToString(hash.Sum(nil)[:16]), append(all, ']'))
	if sent == len(events) {
		return err
	}
	if err != nil {
		// The others first: those whose template fails are met again.
		return err
	}
	return sink.Verdicts(verdicts)
}

func (s *Sink) body(dst []byte, e *tickwell.Event) ([]byte, error) {
	switch {
	case s.state.body != nil:
		return s.state.body.Append(dst, e)
	case s.Whole || len(e.Fields) == 0:
		return sink.AppendJSON(dst, e), nil
	}
	return sink.AppendRowJSON(dst, e), nil
}

func (s *Sink) send(ctx context.Context, id string, body []byte) error {
	h := http.Header{"Content-Type": {s.contentType()}}
	if id != "" {
		h[http.CanonicalHeaderKey(s.idHeader())] = []string{id}
	}
	if len(s.state.keys) > 0 {
		sign(h, s.state.keys, id, s.clock().Now(), body)
	}
	answer, err := s.state.client.Do(ctx, h, body)
	if err != nil {
		return err
	}
	return s.state.client.Classify(answer, "") // the body may repeat what we sent
}

func (s *Sink) contentType() string {
	if s.ContentType == "" {
		return "application/json"
	}
	return s.ContentType
}

func (s *Sink) idHeader() string {
	if s.IDHeader == "" {
		return "Webhook-Id"
	}
	return s.IDHeader
}

func (s *Sink) clock() tickwell.Clock {
	if s.Clock == nil {
		return clock.System()
	}
	return s.Clock
}

// String returns "webhook" with scheme and host of the URL.
func (s Sink) String() string {
	cfg := s.config()
	return strings.TrimSpace("webhook " + cfg.Origin())
}

// Format prints what String returns, whatever the verb.
func (s Sink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Sink) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns.
func (s Sink) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
