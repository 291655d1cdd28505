package kafka_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/kafka"
)

// A trigger sends what is too hot to a topic, which is made if it does not exist.
func ExampleSink() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1)) // in place of a real one
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	db, err := tickwell.Open(ctx, "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler),
		Sinks: []tickwell.SinkSpec{{Name: "kafka", Sink: &kafka.Sink{
			Brokers: cluster.ListenAddrs(), Topic: "hot", Create: &kafka.NewTopic{Partitions: 1},
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "hot", Pattern: "root.**.temperature", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("temperature") {
				if v > 90 {
					f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("temperature", v)}})
				}
			}
			return nil
		})}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	at := time.Date(2026, 1, 23, 10, 0, 0, 0, time.UTC)
	for i, v := range []float64{85, 95, 89, 99.5} {
		if err := db.Insert(ctx, "root.plant.m1", at.Add(time.Duration(i)*time.Second), tickwell.Float64("temperature", v)); err != nil {
			log.Fatal(err)
		}
	}
	if err := db.Quiesce(ctx); err != nil { // until the broker has everything
		log.Fatal(err)
	}

	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics("hot"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for n := 0; n < 2 && ctx.Err() == nil; {
		for _, r := range client.PollFetches(ctx).Records() {
			fmt.Fprintf(os.Stdout, "%s %s\n", r.Key, r.Value)
			n++
		}
	}
	// Output:
	// root.plant.m1 {"time":"2026-01-23T10:00:01Z","temperature":95}
	// root.plant.m1 {"time":"2026-01-23T10:00:03Z","temperature":99.5}
}
