package kafka

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/kafka"
)

// TestThroughput compares the sink, fed as the store feeds it with two batches at
// a time, with the bare client and the same bytes, acknowledged the same way.
func TestThroughput(t *testing.T) {
	b := start(t)
	const batch, batches = 4096, 40
	var events [8][]tickwell.Event
	for g := range events {
		events[g] = make([]tickwell.Event, batch)
		for i := range events[g] {
			events[g][i] = tickwell.Event{
				ID: fmt.Sprintf("t|root.plant.line%d.m%d|%d|0|0", g, i%16, i), Source: "t", Series: fmt.Sprintf("root.plant.line%d.m%d", g, i%16), Time: time.Unix(1768000000, int64(i)),
				Fields: []tickwell.Field{tickwell.Float64("temperature", 20+float64(i)/7), tickwell.Int64("count", int64(i)), tickwell.Bool("on", true), tickwell.Text("note", "all is well here")},
			}
		}
	}
	topic := newTopic(t)
	s := &kafka.Sink{Brokers: []string{b.Addr("plain")}, Topic: topic, Create: &kafka.NewTopic{Partitions: 4, Settings: map[string]string{"retention.bytes": "1000000"}}}
	if err := s.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	viaSink := func() {
		var next atomic.Int32
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for n := next.Add(1) - 1; n < batches; n = next.Add(1) - 1 {
					if err := s.Handle(trial.Within(t), events[n%8]); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr("plain")), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.MaxBufferedRecords(3*batch))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bare := func() {
		for n := range batches {
			for i := range events[n%8] {
				e := &events[n%8][i]
				client.Produce(context.Background(), &kgo.Record{
					Topic: topic, Key: []byte(e.Series), Value: sink.AppendRowJSON(nil, e),
					Headers: []kgo.RecordHeader{{Key: "id", Value: []byte(e.ID)}, {Key: "source", Value: []byte(e.Source)}, {Key: "content-type", Value: []byte("application/json")}},
				}, func(_ *kgo.Record, err error) {
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		if err := client.Flush(trial.Within(t)); err != nil {
			t.Error(err)
		}
	}
	viaSink()
	bare()
	ratios, _ := trial.Throughput(t, batch*batches, 0.9, bare, viaSink)
	t.Logf("note: Kafka: the sink does %.0f %% of the bare client's throughput (median of %d, %.2f to %.2f)", 100*trial.Median(ratios), len(ratios), ratios[0], ratios[len(ratios)-1])
}
