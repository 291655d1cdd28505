// Package kafka runs the sink against a real broker of Apache Kafka.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink/kafka"
)

const password = "c4nAry-p4ss"

// broker is shared by all tests: each has a topic of its own.
var broker struct {
	once sync.Once
	dir  string
	cert *server.Certificate
	*server.Server
	err error
}

func TestMain(m *testing.M) {
	trial.Child(func(settings map[string]string) (tickwell.Sink, error) {
		return killSink(settings["broker"], settings["topic"]), nil
	})
	code := m.Run()
	if b := broker.Server; b != nil {
		if err := b.Down(context.Background()); err != nil {
			fmt.Println(err)
			code = max(code, 1)
		}
		fmt.Printf("kafka: version %s\n%s\n", b.VersionText, strings.Join(b.Journal(), "\n"))
	}
	if broker.dir != "" {
		os.RemoveAll(broker.dir)
	}
	os.Exit(code)
}

// start returns the broker, running.
func start(t testing.TB) *server.Server {
	t.Helper()
	broker.once.Do(func() {
		broker.cert = server.NewCertificate(t)
		if broker.dir, broker.err = os.MkdirTemp("", "tickwell-kafka-"); broker.err != nil {
			return
		}
		broker.Server, broker.err = server.New(context.Background(), broker.dir, server.Kafka(server.KafkaOptions{
			Users: map[string]string{"tickwell": password}, Cert: broker.cert,
		}))
	})
	if errors.Is(broker.err, server.ErrMissing) {
		t.Skip(broker.err)
	}
	if broker.err != nil {
		t.Fatal(broker.err)
	}
	if !broker.Running() {
		broker.Start(t)
	}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		log := broker.Log()
		t.Logf("the broker's log ends\n%s", log[max(0, len(log)-6000):])
	})
	return broker.Server
}

var topics atomic.Int32

// newTopic returns a name that no other test has.
func newTopic(t testing.TB) string {
	name := regexp.MustCompile(`[^a-zA-Z0-9._-]+`).ReplaceAllString(t.Name(), "_")
	return fmt.Sprintf("%s-%d", name, topics.Add(1))
}

// received returns the records of a topic, by partition in order; none if there
// is no such topic.
func received(t testing.TB, topic string) []*kgo.Record {
	t.Helper()
	ctx := trial.Within(t)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr("plain")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	n := written(ctx, t, client, topic)
	var all []*kgo.Record
	for int64(len(all)) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records: %v", len(all), n, err)
		}
		all = append(all, fetches.Records()...)
	}
	slices.SortStableFunc(all, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return all
}

// written returns how many records a topic has.
func written(ctx context.Context, t testing.TB, client *kgo.Client, topic string) int64 {
	t.Helper()
	meta := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = new(topic)
	meta.Topics = append(meta.Topics, mt)
	known, err := meta.RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	offsets := kmsg.NewPtrListOffsetsRequest()
	ot := kmsg.NewListOffsetsRequestTopic()
	ot.Topic = topic
	for _, p := range known.Topics[0].Partitions {
		op := kmsg.NewListOffsetsRequestTopicPartition()
		op.Partition, op.Timestamp = p.Partition, -1
		ot.Partitions = append(ot.Partitions, op)
	}
	if len(ot.Partitions) == 0 {
		return 0
	}
	offsets.Topics = append(offsets.Topics, ot)
	resp, err := offsets.RequestWith(ctx, client)
	if err != nil {
		t.Fatal(err)
	}
	var n int64
	for _, p := range resp.Topics[0].Partitions {
		n += p.Offset
	}
	return n
}

func ids(records []*kgo.Record) []string {
	var out []string
	for _, r := range records {
		for _, h := range r.Headers {
			if h.Key == kafka.HeaderID {
				out = append(out, string(h.Value))
			}
		}
	}
	return out
}

// check compares the records of a topic with rows [0, n) and returns how many
// came more than once.
func check(t *testing.T, topic string, n int) (again int) {
	t.Helper()
	return trial.Check(t, n, ids(received(t, topic)))
}

// openStore opens a store whose trigger sends one event for each row.
func openStore(t testing.TB, dir string, spec tickwell.SinkSpec, log *strings.Builder) *tickwell.DB {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	db, err := tickwell.Open(context.Background(), dir, options(spec, logger))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func options(spec tickwell.SinkSpec, log *slog.Logger) *tickwell.Options {
	o := trial.Options(spec.Sink)
	spec.Name = o.Sinks[0].Name
	o.Sinks[0], o.Logger = spec, log
	return o
}

// insert stores rows [from, to).
func insert(ctx context.Context, db *tickwell.DB, from, to int) error {
	for i := from; i < to; i++ {
		if err := trial.Insert(ctx, db, i); err != nil {
			return err
		}
	}
	return nil
}
