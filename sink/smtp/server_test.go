package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"

	"github.com/tickwell/tickwell/internal/selfsigned"
)

// arrived is a mail that the stand-in has taken.
type arrived struct {
	from string
	to   []string
	raw  string
	user string // who sent it
	tls  bool
}

// read parses the mail.
func (a *arrived) read(t *testing.T) *mail.Message {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(a.raw))
	if err != nil {
		t.Fatalf("%v in %s", err, a.raw)
	}
	return m
}

// standin is a mail server in this process. Change its fields by set once it
// runs.
type standin struct {
	t    *testing.T
	addr string
	cert tls.Certificate
	pool *x509.CertPool

	mu       sync.Mutex
	server   *gosmtp.Server
	listener net.Listener
	mails    []arrived
	sessions int
	users    map[string]string            // nil: no authentication
	noTLS    bool                         // no STARTTLS
	implicit bool                         // TLS from the first byte on
	size     int64                        // most bytes
	refuse   func(verb, arg string) error // MAIL, RCPT, DATA; nil: take it
}

func newStandin(t *testing.T, change ...func(*standin)) *standin {
	t.Helper()
	s := &standin{t: t}
	s.cert, s.pool = selfsigned.Certificate(t)
	for _, c := range change {
		c(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.serve(l)
	t.Cleanup(s.down)
	return s
}

func (s *standin) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *standin) serve(l net.Listener) {
	server := gosmtp.NewServer(s)
	server.Domain, server.ReadTimeout, server.WriteTimeout = "localhost", 20*time.Second, 20*time.Second
	server.AllowInsecureAuth = s.implicit
	server.MaxMessageBytes = s.size
	server.ErrorLog = quietLog{}
	conf := &tls.Config{Certificates: []tls.Certificate{s.cert}}
	if !s.noTLS && !s.implicit {
		server.TLSConfig = conf
	}
	if s.implicit {
		l = tls.NewListener(l, conf)
	}
	s.server, s.listener = server, l
	go server.Serve(l) // ends with down
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

func (s *standin) down() {
	if s.server != nil {
		s.listener.Close() // the server may not know it yet
		s.server.Close()
		s.server = nil
	}
}

func (s *standin) up() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(l)
}

// taken returns the mails so far.
func (s *standin) taken() []arrived {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]arrived(nil), s.mails...)
}

// bodies returns the texts of the mails so far.
func (s *standin) bodies(t *testing.T) (list []string) {
	for _, m := range s.taken() {
		list = append(list, text(t, m.read(t)))
	}
	return list
}

func (s *standin) NewSession(c *gosmtp.Conn) (gosmtp.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions++
	_, secure := c.TLSConnectionState()
	return &dialogue{s: s, mail: arrived{tls: secure}}, nil
}

// dialogue is one connection to the stand-in.
type dialogue struct {
	s    *standin
	mail arrived
}

func (d *dialogue) AuthMechanisms() []string { return []string{sasl.Plain} }

func (d *dialogue) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		d.s.mu.Lock()
		defer d.s.mu.Unlock()
		if want, ok := d.s.users[user]; !ok || want != password {
			return gosmtp.ErrAuthFailed
		}
		d.mail.user = user
		return nil
	}), nil
}

func (d *dialogue) ask(verb, arg string) error {
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	if d.s.users != nil && d.mail.user == "" {
		return gosmtp.ErrAuthRequired
	}
	if d.s.refuse != nil {
		return d.s.refuse(verb, arg)
	}
	return nil
}

func (d *dialogue) Mail(from string, _ *gosmtp.MailOptions) error {
	d.mail.from, d.mail.to = from, nil
	return d.ask("MAIL", from)
}

func (d *dialogue) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if err := d.ask("RCPT", to); err != nil {
		return err
	}
	d.mail.to = append(d.mail.to, to)
	return nil
}

func (d *dialogue) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := d.ask("DATA", string(raw)); err != nil {
		return err
	}
	d.s.mu.Lock()
	defer d.s.mu.Unlock()
	m := d.mail
	m.raw = string(raw)
	d.s.mails = append(d.s.mails, m)
	return nil
}

func (d *dialogue) Reset()        {}
func (d *dialogue) Logout() error { return nil }

// answer is a refusal of the stand-in.
func answer(code int, text string) error {
	return &gosmtp.SMTPError{Code: code, EnhancedCode: gosmtp.NoEnhancedCode, Message: text}
}
