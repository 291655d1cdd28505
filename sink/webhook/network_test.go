package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/selfsigned"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
)

func TestMutualTLS(t *testing.T) {
	mine, trusted := selfsigned.Certificate(t)
	stranger, _ := selfsigned.Certificate(t)
	srv := standin.NewTLS(func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted}
	})
	defer srv.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(srv.HTTP().Certificate())
	for _, c := range []struct {
		name string
		conf *tls.Config
		ok   bool
	}{
		{"certificate", &tls.Config{RootCAs: authorities, Certificates: []tls.Certificate{mine}}, true},
		{"asked for when needed", &tls.Config{RootCAs: authorities, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &mine, nil }}, true},
		{"none", &tls.Config{RootCAs: authorities}, false},
		{"stranger's", &tls.Config{RootCAs: authorities, Certificates: []tls.Certificate{stranger}}, false},
		{"unknown authority", &tls.Config{Certificates: []tls.Certificate{mine}}, false},
		{"system's authorities", nil, false},
	} {
		s := open(t, &Sink{URL: srv.URL, TLS: c.conf})
		err := s.Handle(attempt(t), []tickwell.Event{row("1")})
		class, _ := deliver.Classify(err)
		if (err == nil) != c.ok || err != nil && class != deliver.ClassRetry {
			t.Errorf("%s: %v of class %v, want accepted %v, else retry", c.name, err, class, c.ok)
		}
		s.Close(t.Context())
		if c.conf != nil && c.conf.MinVersion != 0 {
			t.Errorf("%s: the caller's configuration was changed", c.name)
		}
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	srv := standin.NewTLS(func(s *httptest.Server) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	})
	defer srv.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(srv.HTTP().Certificate())
	s := open(t, &Sink{URL: srv.URL, TLS: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS10}})
	if err := s.Handle(attempt(t), []tickwell.Event{row("1")}); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("%v, want that the protocol version is refused", err)
	}
}

// TestAddressesAreCheckedWhenDialled holds that a name which leads to this
// machine is no way in, and that nothing is connected to.
func TestAddressesAreCheckedWhenDialled(t *testing.T) {
	srv := standin.NewTLS(nil)
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "https://"), ":")
	for _, c := range []struct {
		url  string
		sink Sink
		want string
	}{
		{"https://localhost:" + port, Sink{Trust: sink.Untrusted}, "are refused: not public address"},
		{srv.URL, Sink{Trust: sink.Untrusted}, "connections to 127.0.0.1 are refused: not public address"},
		{"https://[::ffff:127.0.0.1]:" + port, Sink{Trust: sink.Untrusted}, "are refused: not public address"},
		{"https://0.0.0.0:" + port, Sink{}, "connections to 0.0.0.0 are refused: unspecified address"},
		{"http://169.254.169.254/latest/meta-data", Sink{}, "connections to 169.254.169.254 are refused: link-local address"},
	} {
		s := &c.sink
		s.URL = c.url
		err := open(t, s).Handle(attempt(t), []tickwell.Event{row("1")})
		if class, _ := deliver.Classify(err); err == nil || class != deliver.ClassRetry || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v of class %v, want retry with %q", c.url, err, class, c.want)
		}
	}
	if n := len(srv.Requests()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}
