package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/selfsigned"
	"github.com/tickwell/tickwell/sink"
)

func TestAuthentication(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"), kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "p", password), kfake.Superuser("SCRAM-SHA-256", "s2", password), kfake.Superuser("SCRAM-SHA-512", "s5", password))
	for _, c := range []struct {
		name string
		sink Sink
		ok   bool
	}{
		{"PLAIN", Sink{Mechanism: Plain, User: "p", ClearText: true}, true},
		{"SCRAM-SHA-256", Sink{Mechanism: SCRAM256, User: "s2"}, true},
		{"SCRAM-SHA-512", Sink{Mechanism: SCRAM512, User: "s5"}, true},
		{"wrong user", Sink{Mechanism: Plain, User: "q", ClearText: true}, false},
		{"wrong mechanism", Sink{Mechanism: SCRAM512, User: "s2"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.sink
			s.Brokers, s.Topic, s.Password = b.ListenAddrs(), "topic", sink.NewSecret(password)
			err := s.Open(attemptCtx(t, 10*time.Second))
			if (err == nil) != c.ok {
				t.Fatalf("%v, want accepted %v", err, c.ok)
			}
			if err == nil {
				handle(t, &s, event(c.name, "root.d"))
				s.Close(t.Context())
			}
			s.Password = sink.NewSecret("wr0ng-" + password)
			began := time.Now()
			err = s.Open(attemptCtx(t, 30*time.Second))
			if class, _ := deliver.Classify(err); err == nil || class != deliver.ClassRetry || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, s), password) {
				t.Errorf("wrong password: %v of class %v, want an error without it, to be tried again", err, class)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("a wrong password was tried for %v", took)
			}
		})
	}
	want := []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}
	if got := ids(received(t, b, "topic", kgo.SASL(scram.Auth{User: "s5", Pass: password}.AsSha512Mechanism()))); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestNewPassword holds that a password which is exchanged while the sink runs is
// used for the next connection.
func TestNewPassword(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "u", password))
	current := "0ld-wr0ng"
	s := &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Mechanism: SCRAM512, User: "u", Password: sink.SecretFunc(func() (string, error) { return current, nil })}
	if err := s.Open(attemptCtx(t, 20*time.Second)); err == nil {
		t.Error("a wrong password is accepted")
	}
	current = password
	handle(t, open(t, s), event("1", "root.d"))
	fails := &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Mechanism: SCRAM512, User: "u", Password: sink.SecretFunc(func() (string, error) { return "", errors.New("vault is sealed") })}
	if err := fails.Open(attemptCtx(t, 20*time.Second)); err == nil || !strings.Contains(err.Error(), "vault is sealed") {
		t.Errorf("%v, want that the vault is sealed", err)
	}
}

func TestTLS(t *testing.T) {
	server, authority := selfsigned.Certificate(t)
	mine, trusted := selfsigned.Certificate(t)
	stranger, _ := selfsigned.Certificate(t)
	b := newBroker(t, kfake.SeedTopics(1, "topic"), kfake.TLS(&tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: trusted,
	}))
	for _, c := range []struct {
		name string
		conf *tls.Config
		ok   bool
	}{
		{"mutual", &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{mine}}, true},
		{"no certificate", &tls.Config{RootCAs: authority}, false},
		{"stranger's", &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{stranger}}, false},
		{"unknown authority", &tls.Config{Certificates: []tls.Certificate{mine}}, false},
		{"other name", &tls.Config{RootCAs: authority, Certificates: []tls.Certificate{mine}, ServerName: "other"}, false},
		{"no TLS", nil, false},
	} {
		s := &Sink{Brokers: b.ListenAddrs(), Topic: "topic", TLS: c.conf}
		err := s.Open(attemptCtx(t, 5*time.Second))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v, want accepted %v", c.name, err, c.ok)
		}
		if err == nil {
			if err := s.Handle(attemptCtx(t, 10*time.Second), []tickwell.Event{event("1", "root.d")}); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		s.Close(t.Context())
		if c.conf != nil && c.conf.MinVersion != 0 {
			t.Errorf("%s: the caller's configuration was changed", c.name)
		}
	}
}

// TestRefusedAddress holds that a cluster cannot send us where clouds serve
// credentials.
func TestRefusedAddress(t *testing.T) {
	err := (&Sink{Brokers: []string{"169.254.169.254:80"}, Topic: "topic"}).Open(attemptCtx(t, 5*time.Second))
	if err == nil || !strings.Contains(err.Error(), "connections to 169.254.169.254 are refused: link-local address") {
		t.Errorf("%v, want that the address is refused", err)
	}
}
