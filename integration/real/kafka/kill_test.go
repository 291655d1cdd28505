package kafka

import (
	"testing"

	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink/kafka"
)

func killSink(addr, topic string) *kafka.Sink {
	return &kafka.Sink{Brokers: []string{addr}, Topic: topic, Create: &kafka.NewTopic{Partitions: 3}}
}

// TestKill holds that kill -9 of the program in the middle loses no event of an
// acknowledged row, and keeps the order of each series.
func TestKill(t *testing.T) {
	b, topic := start(t), newTopic(t)
	trial.Kill(t, map[string]string{"broker": b.Addr("plain"), "topic": topic}, 12000, 4, func(t *testing.T) []string { return ids(received(t, topic)) })
}
