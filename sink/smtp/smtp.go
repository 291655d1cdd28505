// Package smtp has a sink that sends one e-mail for each event, through a mail
// server that speaks SMTP: the e-mail action of the Timeplus page. Subject and
// body are templates over the event's row ([sink.Template]).
//
// The connection is encrypted by STARTTLS, or the sink does not send; other ways
// must be asked for. A connection serves many mails.
//
// An event counts as delivered when the server has taken responsibility for the
// mail to all recipients. Delivery is at least once: if the answer to a mail is
// lost it is sent again, with the same Message-ID, by which many mail programs
// recognise repetitions.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// Security is how the connection is protected.
type Security uint8

const (
	// STARTTLS begins in plain text and goes on with TLS before anything is
	// said; a server without it is an error. Port 587.
	STARTTLS Security = iota
	// TLS encrypts from the first byte on. Port 465.
	TLS
	// Plaintext does not encrypt: for a relay on this machine or a network that
	// nobody else uses. There is no authentication without encryption. Port 25.
	Plaintext
)

// Auth is how the sink proves who it is.
type Auth uint8

const (
	// AuthPassword takes the strongest mechanism that the server offers: one of
	// SCRAM, else CRAM-MD5, LOGIN or PLAIN, which send the password, encrypted.
	AuthPassword Auth = iota
	// AuthToken is XOAUTH2: the Password is an access token. Give it as a
	// sink.SecretFunc that knows a fresh one.
	AuthToken
)

// Sink sends e-mails. Set the fields before it is added to a store and leave them
// alone from then on. It prints without its credentials and addresses.
type Sink struct {
	// Server is host or host:port. The port may be left out: see [Security].
	// Required.
	Server   string
	Security Security
	// TLS has the settings of TLS. Version 1.2 is the least.
	TLS *tls.Config
	// Username and Password are what the server asks for; without Username the
	// sink does not authenticate. The password is read whenever it connects.
	Username string
	Password sink.Secret
	Auth     Auth
	// Trust says where connections may go. Default sink.Operator.
	Trust sink.Trust
	// Hello is the name the sink gives itself. Default: that of the machine.
	Hello string

	// From is the sender, such as "Plant <plant@example.org>". Required.
	From string
	// To, Cc and Bcc are the recipients, at least one in all.
	To, Cc, Bcc []string
	// ReplyTo is where answers are to go. Default: From.
	ReplyTo string
	// Subject is a template, required. Line ends and other control characters
	// in values become blanks.
	Subject string
	// Text and HTML are templates for the body, one of them or both, which makes
	// alternatives. In HTML values are escaped, in Text they are not.
	Text, HTML string
	// Template has the options of the templates; JSON and Escape are not used.
	Template sink.TemplateOptions

	state *state
}

// state is what a sink has while it is open.
type state struct {
	mails *mails
	dial  *dialer
	conn  *connection // nil: to be dialled
	// got are the recipients that have mails of which others are still without.
	got map[string]map[string]bool
}

// batch is how many events are handed over at once. They are mails of their own
// all the same; it saves asking for each.
const batch = 20

// maxGot bounds state.got. What is forgotten leads to repetitions.
const maxGot = 1000

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work.
func (s *Sink) Validate() error {
	_, err := s.address()
	if err == nil {
		_, err = newMails(s)
	}
	if err != nil {
		return fmt.Errorf("smtp: %w: %w", err, tickwell.ErrBadInput)
	}
	return nil
}

// address returns host and port. Errors do not repeat Server.
func (s *Sink) address() (a struct {
	host string
	port int
}, err error) {
	a.port = map[Security]int{STARTTLS: 587, TLS: 465, Plaintext: 25}[s.Security]
	a.host = s.Server
	if host, port, err := net.SplitHostPort(s.Server); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return a, errors.New("the port of Server is not a number of 1 to 65535")
		}
		a.host, a.port = host, int(n)
	}
	switch {
	case a.host == "" || !validHost(a.host):
		return a, errors.New("Server is not host:port")
	case s.Security > Plaintext || s.Auth > AuthToken:
		return a, errors.New("unknown Security or Auth")
	case s.Username == "" && s.Password.IsSet():
		return a, errors.New("a Password without Username")
	case s.Username != "" && s.Security == Plaintext:
		return a, errors.New("no authentication over Plaintext: everybody could read the password")
	case s.Hello != "" && !validHost(s.Hello):
		return a, errors.New("Hello is not a host name")
	}
	return a, nil
}

// validHost looks for what would end a command; whether it is a name the
// resolver knows is the resolver's to say.
func validHost(name string) bool {
	for _, r := range name {
		if r <= ' ' || r == '/' || r == '@' || r >= 0x7f {
			return false
		}
	}
	return len(name) <= 253
}

// Defaults makes it a notification sink that is handed up to 20 events at once, in
// one call at a time whatever InFlight of the spec says: there is one connection.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) {
	spec.Notify, spec.InFlight = true, 1
	if spec.Batch == 0 {
		spec.Batch = batch
	}
}

// Open connects to the server and authenticates.
func (s *Sink) Open(ctx context.Context) error {
	s.hangUp()
	if s.state == nil {
		a, err := s.address()
		if err != nil {
			return fmt.Errorf("smtp: %w: %w", err, tickwell.ErrBadInput)
		}
		m, err := newMails(s)
		if err != nil {
			return fmt.Errorf("smtp: %w: %w", err, tickwell.ErrBadInput)
		}
		s.state = &state{mails: m, dial: &dialer{s: s, host: a.host, port: a.port, ascii: m.ascii()}, got: make(map[string]map[string]bool)}
	}
	return s.connect(ctx)
}

func (s *Sink) connect(ctx context.Context) error {
	conn, err := s.state.dial.dial(ctx)
	if err != nil {
		return s.fail(err)
	}
	s.state.conn = conn
	return nil
}

// Close ends the connection. It may be called more than once; Open makes the
// sink usable again.
func (s *Sink) Close(context.Context) error {
	s.hangUp()
	s.state = nil
	return nil
}

func (s *Sink) hangUp() {
	if s.state != nil && s.state.conn != nil {
		s.state.conn.quit()
		s.state.conn = nil
	}
}

// idle is after how long without a mail the connection is probed before the next
// one: servers end what is silent for some minutes.
const idle = 5 * time.Second

// Handle sends a mail for each event.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	if s.state == nil {
		return sink.NotConnected(errors.New("smtp: not open"))
	}
	return sink.Each(ctx, events, func(ctx context.Context, e *tickwell.Event) error {
		m, err := s.state.mails.make(e)
		if err != nil {
			return err
		}
		if c := s.state.conn; c != nil && time.Since(c.used) > idle && !c.alive(ctx) {
			s.hangUp()
		}
		if s.state.conn == nil {
			if err := s.connect(ctx); err != nil {
				return sink.NotConnected(err)
			}
		}
		return s.send(ctx, e, m)
	})
}

// send sends one mail to those recipients that do not have it yet.
func (s *Sink) send(ctx context.Context, e *tickwell.Event, m *message) error {
	st := s.state
	var to []string
	for _, r := range m.recipients {
		if !st.got[e.ID][r] {
			to = append(to, r)
		}
	}
	refused, err := st.conn.send(ctx, m, to)
	if err != nil {
		if !errors.As(err, new(*reply)) { // no reply: the connection is of no more use
			s.hangUp()
			return sink.NotConnected(s.fail(err))
		}
		return s.verdict(err)
	}
	if len(refused) == 0 {
		delete(st.got, e.ID)
		return nil
	}
	return s.some(e.ID, to, refused)
}

// some is for a mail that some recipients have and others do not: those that have
// it do not get it again while the others are tried.
func (s *Sink) some(id string, to []string, refused map[string]*reply) error {
	got := s.state.got
	if got[id] == nil {
		if len(got) >= maxGot {
			clear(got)
		}
		got[id] = make(map[string]bool)
	}
	var first *reply
	for _, r := range to {
		switch answer := refused[r]; {
		case answer == nil:
			got[id][r] = true
		case first == nil || answer.transient() && !first.transient():
			first = answer
		}
	}
	err := s.fail(fmt.Errorf("%d of %d recipients refused: %w", len(refused), len(s.state.mails.recipients), first))
	if first.transient() {
		return sink.Retry(err, 0)
	}
	delete(got, id)
	return sink.Permanent(err)
}

// verdict classifies a reply to a mail as a whole.
func (s *Sink) verdict(err error) error {
	var r *reply
	errors.As(err, &r)
	err = s.fail(err)
	switch {
	case r.code == 421: // the server is about to close the connection
		s.hangUp()
		return sink.NotConnected(err)
	case r.code == 552 || r.code == 523:
		return sink.TooLarge(err)
	case r.transient():
		return sink.Retry(err, 0)
	case r.phase == phaseSender: // the sender or the login is at fault, not the event
		s.hangUp()
		return sink.NotConnected(err)
	}
	return sink.Permanent(err)
}

func (s *Sink) fail(err error) error {
	return fmt.Errorf("%s: %w", s.String(), err)
}

// String returns "smtp" with the server.
func (s Sink) String() string {
	a, err := s.address()
	if err != nil {
		return "smtp"
	}
	return "smtp " + net.JoinHostPort(a.host, strconv.Itoa(a.port))
}

// Format prints what String returns, whatever the verb.
func (s Sink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Sink) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns.
func (s Sink) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
