package alertmanager

import (
	"encoding/json"
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		srv := alertmanager(t)
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &Sink{URL: srv.URL, Token: sink.NewSecret("c4nAry"), Annotations: map[string]string{"id": "{{.id}}"}}
			},
			Received: func(t *testing.T) (list []string) {
				for _, body := range srv.Bodies() {
					var alerts []struct{ Annotations map[string]string }
					if err := json.Unmarshal([]byte(body), &alerts); err != nil {
						t.Fatal(err)
					}
					for _, a := range alerts {
						list = append(list, a.Annotations["id"])
					}
				}
				return list
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
