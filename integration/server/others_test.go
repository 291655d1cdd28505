package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"
)

// TestOthers holds that the other servers start, serve, and come back.
func TestOthers(t *testing.T) {
	cert := NewCertificate(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello "+r.URL.Path) }))
	defer backend.Close()
	for name, c := range map[string]struct {
		spec Spec
		ask  func(s *Server) error
	}{
		"alertmanager": {Alertmanager(AlertmanagerOptions{}), func(s *Server) error {
			return HTTPReady(t.Context(), "http://"+s.Addr("http")+"/api/v2/status")
		}},
		"nginx": {Nginx(NginxOptions{Cert: cert, Backend: backend.Listener.Addr().String(), User: "u", Password: "p"}), func(s *Server) error {
			client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: cert.Pool}}}
			defer client.CloseIdleConnections()
			req, err := http.NewRequest(http.MethodGet, "https://"+s.Addr("https")+"/x", nil)
			if err != nil {
				return err
			}
			req.SetBasicAuth("u", "p")
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); string(b) != "hello /x" {
				return fmt.Errorf("%q %w", b, err)
			}
			return nil
		}},
		"exim": {Exim(EximOptions{Cert: cert, User: "u", Password: "p"}), func(s *Server) error { return mail(s, cert.Pool) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := Start(t, c.spec)
			if err := c.ask(s); err != nil {
				t.Error(err)
			}
			s.Restart(t)
			if err := c.ask(s); err != nil {
				t.Error(err)
			}
			if s.Spec.Name == "exim" {
				delivered(t, s, 2)
			}
		})
	}
}

func mail(s *Server, pool *x509.CertPool) error {
	c, err := smtp.Dial(s.Addr("smtp"))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{RootCAs: pool, ServerName: "localhost"}); err != nil {
		return err
	}
	if err := c.Auth(smtp.PlainAuth("", "u", "p", "127.0.0.1")); err != nil {
		return err
	}
	if err := c.Mail("a@example.org"); err != nil {
		return err
	}
	if err := c.Rcpt("b@example.org"); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "Subject: say \"x\\y\"\r\n\r\nhello\r\n"); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}

// delivered waits for n mails in the maildir.
func delivered(t *testing.T, s *Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), while)
	defer cancel()
	err := Poll(ctx, func() (bool, error) {
		mails, err := EximDelivered(s)
		for _, m := range mails {
			if !strings.Contains(m, "hello") || !strings.Contains(m, "Envelope-to: b@example.org") {
				return false, fmt.Errorf("delivered was %s", m)
			}
		}
		return len(mails) == n, err
	})
	taken, err2 := EximTaken(s)
	if err != nil || err2 != nil || len(taken) != n || taken[0] != `say "x\y"` {
		t.Errorf("%v %v, subjects %q", err, err2, taken)
	}
}
