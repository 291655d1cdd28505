package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		b := newBroker(t, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "tickwell", password))
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &Sink{
					Brokers: b.ListenAddrs(), Topic: "events", Create: &NewTopic{Partitions: 3},
					Mechanism: SCRAM512, User: "tickwell", Password: sink.NewSecret(password),
				}
			},
			Received: func(t *testing.T) []string {
				return ids(received(t, b, "events", kgo.SASL(scram.Auth{User: "tickwell", Pass: password}.AsSha512Mechanism())))
			},
			Down:   func(*testing.T) { b.Down() },
			Up:     func(t *testing.T) { b.Up(t) },
			Secret: password,
		}
	})
}
