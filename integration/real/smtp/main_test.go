// Package smtp has the tests of sink/smtp against exim.
package smtp

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/smtp"
)

const (
	user     = "plant"
	password = "c4nAry-pa55"
)

func TestMain(m *testing.M) {
	trial.Main(m, func(s map[string]string) (tickwell.Sink, error) {
		pem, err := os.ReadFile(s["cert"])
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		return to(s["server"], pool), nil
	})
}

// to is a sink whose mails have the ids of events as subjects.
func to(addr string, pool *x509.CertPool) *smtp.Sink {
	return &smtp.Sink{
		Server: addr, TLS: &tls.Config{RootCAs: pool}, Username: user, Password: sink.NewSecret(password),
		From: "Plant <plant@example.org>", To: []string{"ops@example.org"}, Subject: "{{.id}}", Text: "{{.series}} is {{.v}}",
	}
}

func start(t *testing.T, queueOnly bool) (*server.Server, *server.Certificate) {
	t.Helper()
	cert := server.NewCertificate(t)
	return server.Start(t, server.Exim(server.EximOptions{Cert: cert, User: user, Password: password, QueueOnly: queueOnly})), cert
}

// taken returns the subjects of the mails that the server has taken, in order.
func taken(t *testing.T, s *server.Server) []string {
	t.Helper()
	subjects, err := server.EximTaken(s)
	if err != nil {
		t.Fatal(err)
	}
	return subjects
}
