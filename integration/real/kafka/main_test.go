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
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
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
	if dir := os.Getenv("TICKWELL_KILL_DIR"); dir != "" {
		killWorker(dir)
		return
	}
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

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// received returns the records of a topic, by partition in order; none if there
// is no such topic.
func received(t testing.TB, topic string) []*kgo.Record {
	t.Helper()
	ctx := within(t, 60*time.Second)
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr("plain")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	n := written(t, ctx, client, topic)
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
func written(t testing.TB, ctx context.Context, client *kgo.Client, topic string) int64 {
	t.Helper()
	meta := kmsg.NewPtrMetadataRequest()
	mt := kmsg.NewMetadataRequestTopic()
	mt.Topic = kmsg.StringPtr(topic)
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

// check compares the records of a topic with rows [0, n) of the devices root.d0
// to root.d2, row i on device i mod 3, and returns how many came more than once.
func check(t testing.TB, topic string, n int) (again int) {
	t.Helper()
	seen := make(map[string]bool)
	next := []int{0, 1, 2}
	for _, id := range ids(received(t, topic)) {
		if seen[id] {
			again++
			continue
		}
		seen[id] = true
		var d, i int
		if _, err := fmt.Sscanf(strings.ReplaceAll(id, "|", " "), "t root.d%d %d 0 0", &d, &i); err != nil || d < 0 || d > 2 {
			t.Fatalf("id %q is none of ours", id)
		}
		if next[d] != i {
			t.Fatalf("root.d%d: row %d came where row %d was due", d, i, next[d])
		}
		next[d] = i + 3
	}
	for d, i := range next {
		if want := n + (d-n%3+3)%3; i != want {
			t.Errorf("root.d%d: rows up to %d came, want up to %d", d, i-3, want-3)
		}
	}
	return again
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
	spec.Name = "kafka"
	return &tickwell.Options{
		Logger: log, Sinks: []tickwell.SinkSpec{spec}, Seed: 1,
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.*.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("v") {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]).UTC(), Fields: []tickwell.Field{tickwell.Float64("v", v)}})
			}
			return nil
		})}},
	}
}

// insert stores rows [from, to), row i on device i mod 3.
func insert(ctx context.Context, db *tickwell.DB, from, to int) error {
	for i := from; i < to; i++ {
		if err := db.Insert(ctx, fmt.Sprintf("root.d%d", i%3), time.Unix(0, int64(i)), tickwell.Float64("v", float64(i))); err != nil {
			return err
		}
	}
	return nil
}
