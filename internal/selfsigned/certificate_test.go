package selfsigned

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestCertificate shakes hands with who has the certificate.
func TestCertificate(t *testing.T) {
	mine, stranger := New(t), New(t)
	later := func() time.Time { return time.Now().Add(2 * time.Hour) }
	for _, c := range []struct {
		name   string
		client *tls.Config
		server *tls.Config
		want   any // nil: they agree
	}{
		{"by address", &tls.Config{ServerName: "127.0.0.1", RootCAs: mine.Pool}, &tls.Config{}, nil},
		{"by name", &tls.Config{ServerName: "localhost", RootCAs: mine.Pool}, &tls.Config{}, nil},
		{"another name", &tls.Config{ServerName: "example.org", RootCAs: mine.Pool}, &tls.Config{}, new(x509.HostnameError)},
		{"another's", &tls.Config{ServerName: "localhost", RootCAs: stranger.Pool}, &tls.Config{}, new(x509.UnknownAuthorityError)},
		{"expired", &tls.Config{ServerName: "localhost", RootCAs: mine.Pool, Time: later}, &tls.Config{}, new(x509.CertificateInvalidError)},
		{"both have one", &tls.Config{ServerName: "localhost", RootCAs: mine.Pool, Certificates: []tls.Certificate{stranger.TLS}},
			&tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: stranger.Pool}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.server.Certificates = []tls.Certificate{mine.TLS}
			l, err := net.Listen("tcp", "127.0.0.1:0") // a pipe has no buffer: both ends write
			require.NoError(t, err)
			defer l.Close()
			served := make(chan error, 1)
			go func() {
				conn, err := l.Accept()
				if err == nil {
					err = tls.Server(conn, c.server).HandshakeContext(t.Context())
					defer conn.Close()
				}
				served <- err
			}()
			conn, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer conn.Close()
			err = tls.Client(conn, c.client).HandshakeContext(t.Context())
			if c.want == nil {
				require.NoError(t, err)
				require.NoError(t, <-served)
				return
			}
			require.ErrorAs(t, err, c.want)
			require.Error(t, <-served)
		})
	}
}
