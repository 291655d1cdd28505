package sink_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/alertmanager"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/sink/slack"
	"github.com/tickwell/tickwell/sink/webhook"
)

// authority issues certificates for a test.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) *authority {
	a := &authority{t: t}
	own := a.issue(func(c *x509.Certificate) {
		c.Subject.CommonName, c.IsCA, c.KeyUsage, c.ExtKeyUsage = name, true, x509.KeyUsageCertSign, nil
	})
	var err error
	if a.cert, err = x509.ParseCertificate(own.Certificate[0]); err != nil {
		t.Fatal(err)
	}
	a.key = own.PrivateKey.(*ecdsa.PrivateKey)
	return a
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

// issue returns a certificate for this machine, servers and clients, valid now,
// after change. An authority's first signs itself.
func (a *authority) issue(change func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "plant"}, NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if change != nil {
		change(c)
	}
	parent, signer := c, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handler is a sink that the test opens and calls itself.
type handler interface {
	tickwell.Sink
	Validate() error
	Open(context.Context) error
	Close(context.Context) error
}

// overTLS are the sinks of the standard library that speak to a network. Their
// URLs and tokens hold the canary.
var overTLS = map[string]func(url string, conf *tls.Config) handler{
	"webhook": func(url string, conf *tls.Config) handler {
		return &webhook.Sink{SecretURL: sink.NewSecret(url + "/c4nAry"), Token: sink.NewSecret("c4nAry"), TLS: conf}
	},
	"slack": func(url string, conf *tls.Config) handler {
		return &slack.Sink{URL: sink.NewSecret(url + "/services/c4nAry"), Text: "x", TLS: conf}
	},
	"alertmanager": func(url string, conf *tls.Config) handler {
		return &alertmanager.Sink{URL: url + "/c4nAry", Token: sink.NewSecret("c4nAry"), TLS: conf}
	},
}

// Whatever is wrong with certificates or versions, nothing is sent, the event is
// tried again later, for such things are mended without a restart, and the error
// says what it is and holds no secret.
func TestTLS(t *testing.T) {
	ca, stranger := newAuthority(t, "plant authority"), newAuthority(t, "stranger")
	good := ca.issue(nil)
	trusting := &tls.Config{RootCAs: ca.pool()}
	with := func(c tls.Certificate) *tls.Config {
		return &tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{c}}
	}
	old := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-1, 0, 0), c.NotAfter.AddDate(-1, 0, 0)
	}
	mutual := func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool() }
	mutual12 := func(c *tls.Config) { mutual(c); c.MaxVersion = tls.VersionTLS12 }
	upTo := func(v uint16) func(*tls.Config) {
		return func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, v }
	}
	const refused = "tls: |connection reset|broken pipe|EOF" // by the server, maybe before its reason is read
	for _, c := range []struct {
		name   string
		server tls.Certificate
		change func(*tls.Config)
		client *tls.Config
		want   string // texts of the error, one of them; "": delivered
	}{
		{"good", good, nil, trusting, ""},
		{"TLS 1.2", good, upTo(tls.VersionTLS12), trusting, ""},
		{"expired", ca.issue(old), nil, trusting, "certificate has expired"},
		{"not valid yet", ca.issue(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = c.NotBefore.AddDate(1, 0, 0), c.NotAfter.AddDate(1, 0, 0)
		}), nil, trusting, "not yet valid"},
		{"wrong host", ca.issue(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"elsewhere.example"} }), nil, trusting, "doesn't contain any IP SANs|not 127.0.0.1"},
		{"wrong address", ca.issue(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }), nil, trusting, "not 127.0.0.1"},
		{"for clients only", ca.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), nil, trusting, "incompatible key usage"},
		{"unknown authority", stranger.issue(nil), nil, trusting, "unknown authority"},
		{"system's authorities", good, nil, nil, "unknown authority|certificate"},
		{"signs itself", (&authority{t: t}).issue(nil), nil, trusting, "unknown authority"},
		{"TLS 1.0", good, upTo(tls.VersionTLS10), trusting, "protocol version"},
		{"TLS 1.1", good, upTo(tls.VersionTLS11), trusting, "protocol version"},
		{"TLS 1.1, which the user would take", good, upTo(tls.VersionTLS11), &tls.Config{RootCAs: ca.pool(), MinVersion: tls.VersionTLS10}, "protocol version"},
		{"mutual", good, mutual, with(ca.issue(nil)), ""},
		{"mutual, TLS 1.2", good, mutual12, with(ca.issue(nil)), ""},
		{"no client certificate", good, mutual, trusting, refused},
		{"no client certificate, TLS 1.2", good, mutual12, trusting, refused},
		{"client of a stranger", good, mutual, with(stranger.issue(nil)), refused},
		{"client of a stranger, TLS 1.2", good, mutual12, with(stranger.issue(nil)), refused},
		{"client expired", good, mutual, with(ca.issue(old)), refused},
		{"client certificate for servers", good, mutual, with(ca.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })), refused},
	} {
		srv := standin.NewTLS(func(s *httptest.Server) {
			s.Config.ErrorLog = log.New(io.Discard, "", 0)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{c.server}}
			if c.change != nil {
				c.change(s.TLS)
			}
		})
		for name, make := range overTLS {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				before := len(srv.Requests())
				err := handleOnce(t, make(srv.URL, c.client))
				checkTrouble(t, err, srv.URL, c.want)
				if n := len(srv.Requests()) - before; (n == 1) != (c.want == "") || n > 1 {
					t.Errorf("%d requests arrived", n)
				}
			})
		}
		srv.Close()
	}
}

// Targets that are no TLS servers at all are no different.
func TestNoTLSThere(t *testing.T) {
	plain := standin.New()
	defer plain.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close() // accepts nothing: the handshake is never answered
	for name, make := range overTLS {
		t.Run(name, func(t *testing.T) {
			url := strings.Replace(plain.URL, "http:", "https:", 1)
			checkTrouble(t, handleOnce(t, make(url, nil)), url, "server gave HTTP response")
			s := make("https://"+silent.Addr().String(), nil)
			open(t, s)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			checkTrouble(t, s.Handle(ctx, []tickwell.Event{alarm()}), "https://"+silent.Addr().String(), "deadline exceeded")
		})
	}
	if n := len(plain.Requests()); n != 0 {
		t.Errorf("%d requests arrived in plain text", n)
	}
}

func alarm() tickwell.Event {
	return tickwell.Event{ID: "1", Source: "t", Series: "root.d", Time: time.Unix(1, 0), Labels: map[string]string{"alertname": "hot"}}
}

func open(t *testing.T, s handler) {
	t.Helper()
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
}

func handleOnce(t *testing.T, s handler) error {
	t.Helper()
	open(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return s.Handle(ctx, []tickwell.Event{alarm()})
}

// checkTrouble wants no error if want is empty, else one to be retried that names
// the target and has one of the texts, and no secret.
func checkTrouble(t *testing.T, err error, origin, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("%v, want it delivered", err)
		}
		return
	}
	if err == nil {
		t.Fatalf("accepted, want %q", want)
	}
	found := false
	for w := range strings.SplitSeq(want, "|") {
		found = found || strings.Contains(err.Error(), w)
	}
	if class, after := deliver.Classify(err); class != deliver.ClassRetry || after != 0 || !found || !strings.Contains(err.Error(), origin) || strings.Contains(err.Error(), "c4nAry") {
		t.Errorf("%v\nof class %v after %v, want a retry of %s with %q and no secret", err, class, after, origin, want)
	}
}
