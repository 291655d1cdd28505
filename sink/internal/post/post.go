// Package post sends requests over HTTP for sinks: where connections may go,
// what may stand in a header, how an answer is classified, and no secret in any
// error.
package post

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell/sink"
)

// Config says where requests go and with what. It is not changed.
type Config struct {
	Name      string // of the sink, for errors
	URL       string
	SecretURL sink.Secret            // instead of URL
	Method    string                 // default POST
	Headers   map[string]string      // of every request
	Secrets   map[string]sink.Secret // headers of every request
	User      string                 // basic authentication
	Password  sink.Secret
	Token     sink.Secret // bearer authentication
	Trust     sink.Trust
	TLS       *tls.Config // cloned; at least TLS 1.2
	Proxy     bool        // use the proxy that the environment names
}

// MaxAnswer is how much of an answer is read, in bytes.
const MaxAnswer = 64 << 10

// Client sends requests. It is safe for concurrent use.
type Client struct {
	cfg    Config
	url    *url.URL
	origin string // scheme and host, for errors
	http   *http.Client
	tr     *http.Transport

	mu      sync.Mutex
	header  http.Header // replaced, never changed
	secrets []string    // likewise; longest first
	recent  []string    // those of them that may have a successor, as last used
	stale   bool        // secrets are to be read again
}

// Check returns an error if the configuration can never work. A secret that
// cannot be read now may be later; no secret is in the error.
func (c *Config) Check() error {
	if c.URL != "" && c.SecretURL.IsSet() {
		return errors.New("both URL and SecretURL are set")
	}
	u, err := c.parse()
	if errors.Is(err, errUnread) {
		u = &url.URL{Scheme: "https"}
	} else if err != nil {
		return err
	}
	switch c.Method {
	case "", http.MethodPost, http.MethodPut, http.MethodPatch:
	default:
		return fmt.Errorf("method %q is not POST, PUT or PATCH", c.Method)
	}
	if (c.User != "" || c.Password.IsSet()) && c.Token.IsSet() {
		return errors.New("basic and bearer authentication at the same time")
	}
	if strings.Contains(c.User, ":") || !validValue(c.User) {
		return errors.New("user name with a colon or a control character")
	}
	if c.TLS != nil && c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS12 {
		return errors.New("TLS.MaxVersion is less than TLS 1.2, which is never spoken")
	}
	if err := c.checkHeaders(); err != nil {
		return err
	}
	if err := c.checkSecrets(); err != nil {
		return err
	}
	if c.Trust != sink.Untrusted {
		return nil
	}
	switch {
	case u.Scheme != "https":
		return errors.New("an untrusted URL must be https")
	case c.Proxy:
		return errors.New("an untrusted URL cannot be used through a proxy, which hides where it leads")
	case runtime.GOOS == "js":
		return errors.New("an untrusted URL cannot be used in a browser, where addresses are not seen")
	}
	return nil
}

var errUnread = errors.New("the URL cannot be read")

// parse never repeats the URL in its errors: it may be a secret.
func (c *Config) parse() (*url.URL, error) {
	raw := c.URL
	if c.SecretURL.IsSet() {
		text, err := c.SecretURL.Reveal()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnread, err)
		}
		raw = strings.TrimSpace(text)
	}
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return nil, errors.New("no URL")
	case err != nil:
		return nil, errors.New("the URL cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the URL is neither http nor https")
	case u.Hostname() == "":
		return nil, errors.New("the URL names no host")
	case u.User != nil:
		return nil, errors.New("the URL holds a user name; there are fields for that")
	}
	u.Fragment = ""
	return u, nil
}

// Origin returns scheme and host of the URL, which may be printed; "" if there
// are none.
func (c *Config) Origin() string {
	u, err := c.parse()
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Open reads the secrets and returns a client. It connects to nothing yet.
func Open(cfg Config) (*Client, error) {
	if err := cfg.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Name, err)
	}
	u, err := cfg.parse()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Name, err)
	}
	c := &Client{cfg: cfg, url: u, origin: u.Scheme + "://" + u.Host}
	if c.cfg.Method == "" {
		c.cfg.Method = http.MethodPost
	}
	c.hide(u.RequestURI()) // which hides all of the URL
	if err := c.readSecrets(); err != nil {
		return nil, err
	}
	c.connect()
	return c, nil
}

// maxRecent is how many texts besides the URL and those in use are hidden: a
// token of yesterday is worth nothing, and a program runs for years.
const maxRecent = 32

// hide adds texts that no error may hold. Very short ones would garble text and
// protect nothing.
func (c *Client) hide(texts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.recent
	for _, s := range texts {
		if n := len(c.recent); len(s) < 4 || n > 0 && c.recent[n-1] == s {
			continue
		}
		c.recent = append(slices.DeleteFunc(slices.Clone(c.recent), func(t string) bool { return t == s }), s)
	}
	if n := len(c.recent) - maxRecent - 2*len(c.cfg.Secrets); n > 0 {
		c.recent = c.recent[n:]
	}
	if !slices.Equal(before, c.recent) {
		all := append([]string{c.url.RequestURI(), c.url.EscapedPath(), c.url.Path, c.url.RawQuery}, c.recent...)
		all = slices.DeleteFunc(all, func(s string) bool { return len(s) < 4 })
		slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
		c.secrets = slices.Compact(all)
	}
}

// hidden returns the texts that no error may hold.
func (c *Client) hidden() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets
}

// outdate has the secrets read again before the next request.
func (c *Client) outdate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stale = true
}

// headers returns those of each request, after the secrets were read again if
// that is due.
func (c *Client) headers() (http.Header, error) {
	c.mu.Lock()
	header, stale := c.header, c.stale
	c.stale = false
	c.mu.Unlock()
	if !stale {
		return header, nil
	}
	if err := c.readSecrets(); err != nil {
		c.outdate()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header, nil
}

// readSecrets makes the headers. Secrets are functions of the user: they are
// called without the lock.
func (c *Client) readSecrets() error {
	header := make(http.Header)
	for name, value := range c.cfg.Headers {
		header.Set(name, value)
	}
	read := func(what string, s sink.Secret) (string, error) {
		text, err := s.Reveal()
		if err != nil {
			return "", fmt.Errorf("%s: %s: %w", c.cfg.Name, what, err)
		}
		if err := checkSecret(what, text); err != nil {
			return "", fmt.Errorf("%s: %w", c.cfg.Name, err)
		}
		c.hide(text)
		return text, nil
	}
	if c.cfg.User != "" || c.cfg.Password.IsSet() {
		text, err := read("password", c.cfg.Password)
		if err != nil {
			return err
		}
		pair := base64.StdEncoding.EncodeToString([]byte(c.cfg.User + ":" + text))
		c.hide(pair)
		header.Set("Authorization", "Basic "+pair)
	}
	if c.cfg.Token.IsSet() {
		text, err := read("token", c.cfg.Token)
		if err != nil {
			return err
		}
		header.Set("Authorization", "Bearer "+text)
	}
	for name, s := range c.cfg.Secrets {
		text, err := read("header "+name, s)
		if err != nil {
			return err
		}
		header.Set(name, text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.header = header
	return nil
}

func (c *Client) connect() {
	dialer := &net.Dialer{KeepAlive: 30 * time.Second}
	dialer.Control = checkOperator
	if c.cfg.Trust == sink.Untrusted {
		dialer.Control = checkUntrusted
	}
	conf := &tls.Config{}
	if c.cfg.TLS != nil {
		conf = c.cfg.TLS.Clone()
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	c.tr = &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 2, MaxConnsPerHost: 4, IdleConnTimeout: 90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
	if c.cfg.Proxy {
		c.tr.Proxy = http.ProxyFromEnvironment
	}
	c.http = &http.Client{Transport: c.tr, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // or the body and the secrets would go to wherever it says
	}}
}

// checkOperator and checkUntrusted are what a dialer calls with each address
// that a name resolved to. C is syscall.RawConn, which is not used.
func checkOperator[C any](_, address string, _ C) error { return check(sink.Operator, address) }

func checkUntrusted[C any](_, address string, _ C) error { return check(sink.Untrusted, address) }

func check(t sink.Trust, address string) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connections to %s are refused: not an address", address)
	}
	return t.CheckAddr(a)
}

// Answer is what a target said. Body is at most MaxAnswer bytes of it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends one request and returns the answer, whatever its status, or an error
// without secrets. ctx bounds it.
func (c *Client) Do(ctx context.Context, header http.Header, body []byte) (*Answer, error) {
	return c.Send(ctx, c.cfg.Method, "", header, body)
}

// Hide adds texts that no error may hold, such as a token that was got by login.
func (c *Client) Hide(texts ...string) { c.hide(texts...) }

// Send is Do with another method, and with a path and query of the same host
// unless ref is empty.
func (c *Client) Send(ctx context.Context, method, ref string, header http.Header, body []byte) (*Answer, error) {
	target := c.url
	if ref != "" {
		u, err := url.Parse(ref)
		if err != nil || u.Host != "" || u.Scheme != "" {
			return nil, sink.Permanent(fmt.Errorf("%s: a path that is none", c.cfg.Name))
		}
		target = c.url.ResolveReference(u)
	}
	own, err := c.headers()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), bytes.NewReader(body))
	if err != nil {
		return nil, sink.Permanent(c.fail(err))
	}
	maps.Copy(req.Header, own)
	for name, values := range header {
		for _, v := range values {
			if !validValue(v) {
				return nil, sink.Permanent(fmt.Errorf("%s: value of header %s has a control character", c.cfg.Name, name))
			}
		}
		req.Header[name] = values
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "tickwell")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, c.fail(cause)
		}
		return nil, c.fail(err)
	}
	defer resp.Body.Close()
	// What cannot be read of the answer does not matter: its status counts.
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer))
	return &Answer{resp.StatusCode, resp.Header, answer}, nil
}

// fail makes an error that names the sink, the method and the origin, never
// path or query, which net/http would print.
func (c *Client) fail(err error) error {
	var ue *url.Error
	for errors.As(err, &ue) {
		err = ue.Err
	}
	return sink.Scrub(fmt.Errorf("%s: %s %s: %w", c.cfg.Name, c.cfg.Method, c.origin, err), c.hidden()...)
}

// Text returns what an answer says in its first line, at most 200 bytes, without
// secrets, for targets known to say something useful.
func (c *Client) Text(a *Answer) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(a.Body)), "\n")
	line = sink.ScrubText(line, c.hidden()...)
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, line)
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return line
}

// Close frees the connections.
func (c *Client) Close() {
	if c != nil {
		c.tr.CloseIdleConnections()
	}
}
