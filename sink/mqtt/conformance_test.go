package mqtt

import (
	"testing"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	for _, p := range []Protocol{V311, V5} {
		for _, q := range []QoS{AtLeastOnce, ExactlyOnce} {
			t.Run("protocol "+p.String()+" "+q.String(), func(t *testing.T) {
				tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
					b := newStandin(t)
					b.set(func() { b.users = map[string]string{"root": "c4nAry"} })
					return tickwelltest.SinkTarget{
						New: func(*testing.T) tickwell.Sink {
							return &Sink{
								Broker: b.addr, Protocol: p, QoS: q, Username: "root", Password: sink.NewSecret("c4nAry"),
								Topic: "events/{{.series}}", Body: "{{.id}}",
							}
						},
						Received: func(*testing.T) []string { return b.payloads() },
						Down:     func(*testing.T) { b.down() },
						Up:       func(*testing.T) { b.up() },
						Secret:   "c4nAry",
					}
				})
			})
		}
	}
}
