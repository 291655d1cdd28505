package slack

import (
	"strings"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		srv := channel(t)
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink { return &Sink{URL: hook(srv), Text: "{{.id}}"} },
			Received: func(*testing.T) []string {
				return strings.Fields(strings.Join(texts(srv), "\n"))
			},
			Hang: func(*testing.T) { srv.Always(standin.Hang()) },
			Down: func(*testing.T) { srv.Down() },
			Up: func(t *testing.T) {
				if err := srv.Up(); err != nil {
					t.Fatal(err)
				}
			},
			Secret: "c4nAry",
		}
	})
}
