package smtp

import (
	"crypto/tls"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		srv := newStandin(t, func(s *standin) { s.users = map[string]string{"plant": "c4nAry"} })
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &Sink{
					Server: srv.addr, TLS: &tls.Config{RootCAs: srv.pool}, Username: "plant", Password: sink.NewSecret("c4nAry"),
					From: "plant@example.org", To: []string{"ops@example.org"}, Subject: "{{.series}}", Text: "{{.id}}",
				}
			},
			Received: srv.bodies,
			Down:     func(*testing.T) { srv.down() },
			Up:       func(*testing.T) { srv.up() },
			Secret:   "c4nAry",
		}
	})
}
