// Package slack has a sink that posts messages to a Slack channel through an
// incoming webhook: one message for each event, its text made by a template
// (the Slack action of the Timeplus page).
//
// Slack takes about one message a second. When it says that it has had enough
// (429), the sink waits as long as it is told to and then puts what has piled
// up meanwhile, up to a batch, into one message with a line each; after that it
// is one message for each event again.
//
// Slack has no means to recognise a repetition. If an answer is lost the
// message comes twice.
package slack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/post"
)

// Sink posts messages. Set the fields before it is added to a store and leave
// them alone from then on. It prints without its URL.
type Sink struct {
	// URL is that of the incoming webhook. Whoever knows it can post.
	URL sink.Secret
	// Text is the template ([sink.Template]) of a message. What stands in it may
	// use Slack's markup; in values the characters & < > are escaped, so that
	// they make no link and call nobody. Required.
	Text string
	// Template has the options of Text; JSON and Escape are not used.
	Template sink.TemplateOptions
	// Trust says where connections may go. Default sink.Operator.
	Trust sink.Trust
	// TLS has certificate authorities and client certificates, for a server of
	// one's own that takes what Slack takes. Less than TLS 1.2 is never spoken.
	TLS *tls.Config
	// Proxy uses the proxy of the environment.
	Proxy bool

	state *state
}

type state struct {
	client    *post.Client
	text      *sink.Template
	throttled atomic.Bool // Slack has asked for fewer messages
}

// Slack cuts texts after 40,000 characters.
const maxText = 40_000

// batch is how many events one message may hold.
const batch = 20

func (s *Sink) config() post.Config {
	return post.Config{Name: "slack", SecretURL: s.URL, Trust: s.Trust, TLS: s.TLS, Proxy: s.Proxy}
}

func (s *Sink) template() (*sink.Template, error) {
	if s.Text == "" {
		return nil, fmt.Errorf("slack: no Text: %w", tickwell.ErrBadInput)
	}
	o := s.Template
	o.JSON, o.Escape = false, Escape
	if o.Max <= 0 || o.Max > maxText {
		o.Max = maxText
	}
	t, err := sink.NewTemplate(s.Text, o)
	if err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	return t, nil
}

// Escape appends a text so that Slack shows it as it is.
func Escape(dst []byte, text string) []byte { return append(dst, escaper.Replace(text)...) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work.
func (s *Sink) Validate() error {
	cfg := s.config()
	if err := cfg.Check(); err != nil {
		return fmt.Errorf("slack: %w: %w", err, tickwell.ErrBadInput)
	}
	_, err := s.template()
	return err
}

// Defaults makes it a notification sink that is handed up to 20 events at once.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) {
	spec.Notify = true
	if spec.Batch == 0 {
		spec.Batch = batch
	}
}

// Open reads the URL. It connects to nothing yet.
func (s *Sink) Open(context.Context) error {
	s.close()
	text, err := s.template()
	if err != nil {
		return err
	}
	client, err := post.Open(s.config())
	if err != nil {
		return err
	}
	s.state = &state{client: client, text: text}
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

// Handle posts events.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	st := s.state
	if st == nil {
		return sink.NotConnected(errors.New("slack: not open"))
	}
	if st.throttled.Load() && len(events) > 1 {
		return st.together(ctx, events)
	}
	return sink.Each(ctx, events, func(ctx context.Context, e *tickwell.Event) error {
		text, err := st.text.Append(nil, e)
		if err != nil {
			return err
		}
		err = st.post(ctx, string(text))
		if err == nil {
			st.throttled.Store(false) // it takes them again, and nothing has piled up
		}
		return err
	})
}

// together posts as many events as fit into one message. Those that are left
// over are tried again at once.
func (st *state) together(ctx context.Context, events []tickwell.Event) error {
	verdicts := make([]error, len(events))
	var text []byte
	var in []int
	for i := range events {
		line, err := st.text.Append(nil, &events[i])
		if err != nil {
			verdicts[i] = err
			continue
		}
		if len(in) > 0 && len(text)+1+len(line) > maxText {
			for j := i; j < len(events); j++ {
				verdicts[j] = sink.Retry(errors.New("slack: does not fit into this message"), 0)
			}
			break
		}
		if len(in) > 0 {
			text = append(text, '\n')
		}
		text = append(text, line...)
		in = append(in, i)
	}
	if len(in) > 0 {
		err := st.post(ctx, string(text))
		if err == nil {
			st.throttled.Store(in[len(in)-1] < len(events)-1) // some did not fit
		}
		for _, i := range in {
			verdicts[i] = err
		}
	}
	return sink.Verdicts(verdicts)
}

func (st *state) post(ctx context.Context, text string) error {
	body := append([]byte(`{"text":`), sink.AppendValueJSON(nil, tickwell.TextValue(text))...)
	answer, err := st.client.Do(ctx, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, append(body, '}'))
	if err != nil {
		return err
	}
	if answer.Status == http.StatusTooManyRequests {
		st.throttled.Store(true)
	}
	return st.verdict(answer)
}

// words are what Slack answers besides a status. A webhook that is revoked, or
// whose channel is gone or closed, refuses everything: the events are kept.
var words = map[string]func(error) error{
	"no_service": sink.Disabled, "no_service_id": sink.Disabled, "no_active_hooks": sink.Disabled, "no_team": sink.Disabled,
	"team_disabled": sink.Disabled, "invalid_token": sink.Disabled, "channel_not_found": sink.Disabled,
	"channel_is_archived": sink.Disabled, "posting_to_general_channel_denied": sink.Disabled, "action_prohibited": sink.Disabled,
	"user_not_found": sink.Disabled, "invalid_payload": sink.Permanent, "no_text": sink.Permanent,
	"missing_text_or_fallback_or_attachments": sink.Permanent, "too_many_attachments": sink.Permanent,
	"rollup_error": func(err error) error { return sink.Retry(err, 0) },
}

// verdict classifies an answer by the word in it if it is one of Slack's, else
// by its status. Nothing else of an answer is repeated in an error.
func (st *state) verdict(a *post.Answer) error {
	word := strings.TrimSpace(string(a.Body))
	class, known := words[word]
	if !known {
		return st.client.Classify(a, "")
	}
	if a.Status >= 200 && a.Status <= 299 {
		return nil
	}
	return class(st.client.Answered(a, word))
}

// String returns "slack" with the host, without the URL's path.
func (s Sink) String() string {
	cfg := s.config()
	return strings.TrimSpace("slack " + cfg.Origin())
}

// Format prints what String returns, whatever the verb.
func (s Sink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Sink) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns.
func (s Sink) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
