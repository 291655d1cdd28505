package webhook

import (
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		srv := server(t)
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &Sink{SecretURL: sink.NewSecret(srv.URL + "/c4nAry"), Token: sink.NewSecret("c4nAry")}
			},
			Received: func(*testing.T) []string { return ids(srv.Accepted()) },
			Hang:     func(*testing.T) { srv.Always(standin.Hang()) },
			Down:     func(*testing.T) { srv.Down() },
			Up: func(t *testing.T) {
				if err := srv.Up(); err != nil {
					t.Fatal(err)
				}
			},
			Secret: "c4nAry",
		}
	})
}
