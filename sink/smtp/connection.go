package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tickwell/tickwell/sink"
	gomail "github.com/wneessen/go-mail"
	gosmtp "github.com/wneessen/go-mail/smtp"
)

// dialer connects to the server.
type dialer struct {
	s    *Sink
	host string
	port int
	// ascii says that no address needs SMTPUTF8; headers never do.
	ascii bool
}

// longest is how long an attempt without a deadline may take.
const longest = time.Minute

func (d *dialer) dial(ctx context.Context) (*connection, error) {
	password, err := d.s.Password.Reveal()
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(longest)
	}
	c := &connection{used: time.Now()}
	c.left.Store(longestAnswers)
	release := func() bool { return true }
	options := []gomail.Option{
		gomail.WithPort(d.port), gomail.WithTimeout(max(time.Until(deadline), time.Millisecond)), gomail.WithTLSConfig(d.tls()),
		gomail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			conn, err := d.connect(dial, network, address, &c.left)
			if err == nil {
				c.raw = conn
				// The client watches the context while it dials only.
				release = context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		}),
	}
	switch d.s.Security {
	case STARTTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case TLS: // connect has seen to it, and the client looks what it has got
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if d.s.Username != "" {
		how := gomail.SMTPAuthAutoDiscover
		if d.s.Auth == AuthToken {
			how = gomail.SMTPAuthXOAUTH2
		}
		options = append(options, gomail.WithSMTPAuth(how), gomail.WithUsername(d.s.Username), gomail.WithPassword(password))
	}
	hello := d.s.Hello
	if hello == "" {
		if hello, err = os.Hostname(); err != nil || !validHost(hello) {
			hello = "localhost"
		}
	}
	options = append(options, gomail.WithHELO(hello))
	if d.ascii { // else a relay behind the server that knows no SMTPUTF8 would bounce the mail
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	client, err := gomail.NewClient(d.host, options...)
	if err != nil {
		return nil, sink.Scrub(err, password)
	}
	defer func() { release() }()
	if c.client, err = client.DialToSMTPClientWithContext(ctx); err != nil {
		if c.raw != nil {
			c.raw.Close()
		}
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return nil, sink.Scrub(fmt.Errorf("connect: %w", err), password)
	}
	if _, size := c.client.Extension("SIZE"); size != "" {
		c.largest, _ = strconv.Atoi(size)
	}
	return c, nil
}

func (d *dialer) tls() *tls.Config {
	conf := &tls.Config{}
	if d.s.TLS != nil {
		conf = d.s.TLS.Clone()
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	if conf.ServerName == "" {
		conf.ServerName = d.host
	}
	return conf
}

func (d *dialer) connect(ctx context.Context, network, address string, left *atomic.Int64) (net.Conn, error) {
	dial := net.Dialer{Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return d.s.Trust.CheckAddr(to)
	}}
	conn, err := dial.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn = &bounded{conn, left}
	if d.s.Security != TLS {
		return conn, nil
	}
	secure := tls.Client(conn, d.tls())
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return secure, nil
}

// longestAnswers is how much a server may say while a connection is made, and in
// all of a mail's dialogue: the client keeps a reply in memory, however long a
// line of it is.
const longestAnswers = 1 << 20

var errTooLong = errors.New("the server's answers are longer than 1 MiB")

// bounded is a connection from which no more is read than is left.
type bounded struct {
	net.Conn
	left *atomic.Int64
}

func (b *bounded) Read(p []byte) (int, error) {
	left := b.left.Load()
	if left <= 0 {
		return 0, errTooLong
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.left.Add(-int64(n))
	return n, err
}

// connection is one session with the server.
type connection struct {
	raw     net.Conn
	left    atomic.Int64 // bytes that may be read from it, TLS included
	client  *gosmtp.Client
	largest int // bytes of a mail that the server takes; 0: not said
	used    time.Time
	unclean bool // a mail was begun and not ended: RSET comes first
}

// The parts of a mail's dialogue that a refusal may belong to.
const (
	phaseSender = "sender"
	phaseData   = "content"
	phaseSize   = "size"
)

// reply is a refusal: the server's words and when it said them.
type reply struct {
	phase string
	code  int
	text  string
}

func (r *reply) Error() string {
	if r.code == 0 {
		return r.text
	}
	return fmt.Sprintf("%s refused: %d %.200s", r.phase, r.code, r.text)
}

func (r *reply) transient() bool { return r.code >= 400 && r.code <= 499 }

// asReply returns the refusal in an error, nil if it is none.
func asReply(phase string, err error) *reply {
	var said *textproto.Error
	if !errors.As(err, &said) {
		return nil
	}
	return &reply{phase, said.Code, strconv.Quote(said.Msg)}
}

// until has the connection end its waits with ctx. What it returns undoes that.
func (c *connection) until(ctx context.Context) func() {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(longest)
	}
	_ = c.raw.SetDeadline(deadline)
	c.left.Store(longestAnswers)
	release := context.AfterFunc(ctx, func() { c.raw.Close() })
	return func() { release() }
}

// alive asks whether the server is still there.
func (c *connection) alive(ctx context.Context) bool {
	defer c.until(ctx)()
	return c.client.Noop() == nil
}

// send sends a mail. It returns which recipients were refused while others were
// not, or an error: a *reply if the server refused the mail, another if the
// connection failed.
func (c *connection) send(ctx context.Context, m *message, to []string) (map[string]*reply, error) {
	if c.largest > 0 && len(m.content) > c.largest {
		return nil, &reply{phaseSize, 552, fmt.Sprintf("a mail of %d bytes, the server takes %d", len(m.content), c.largest)}
	}
	defer c.until(ctx)()
	refused, err := c.dialogue(m, to)
	c.used = time.Now()
	if err != nil && ctx.Err() != nil && !errors.As(err, new(*reply)) {
		return nil, context.Cause(ctx)
	}
	return refused, err
}

func (c *connection) dialogue(m *message, to []string) (map[string]*reply, error) {
	if c.unclean {
		if err := c.client.Reset(); err != nil {
			return nil, fmt.Errorf("reset: %w", err)
		}
	}
	c.unclean = true
	if err := c.client.Mail("<" + m.from + ">"); err != nil {
		return nil, either(phaseSender, err)
	}
	refused := make(map[string]*reply)
	for _, r := range to {
		err := c.client.Rcpt("<" + r + ">")
		if err == nil {
			continue
		}
		said := asReply("recipient "+r, err)
		if said == nil || said.code == 421 {
			return nil, either("recipient "+r, err)
		}
		refused[r] = said
	}
	if len(refused) == len(to) {
		return refused, nil
	}
	w, err := c.client.Data()
	if err != nil {
		return nil, either(phaseData, err)
	}
	if _, err := w.Write(m.content); err != nil {
		return nil, fmt.Errorf("write: %w", err) // never to be closed: half a mail would be taken for a whole one
	}
	if err := w.Close(); err != nil {
		return nil, either(phaseData, err)
	}
	c.unclean = false
	return refused, nil
}

// either returns the refusal in an error, else the error.
func either(phase string, err error) error {
	if r := asReply(phase, err); r != nil {
		return r
	}
	return err
}

// farewell is how long a connection may take to end in order.
const farewell = time.Second

func (c *connection) quit() {
	_ = c.raw.SetDeadline(time.Now().Add(farewell))
	_ = c.client.Quit()
	c.raw.Close()
}
