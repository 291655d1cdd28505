// Command enrich prepares payments for others to read before they go to a Kafka
// topic: it masks what is nobody's business, drops what came twice, and adds
// columns of a table by key. What is far from the usual goes to a second topic.
//
//	go run . [-brokers HOST:PORT,...]
//
// Without brokers it runs one in the same process and prints what arrived.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/kafka"
)

func main() {
	log.SetFlags(0)
	brokers := flag.String("brokers", "", "brokers of a cluster; default: one in this process")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout, *brokers); err != nil {
		log.Fatal("enrich: ", err)
	}
}

func run(ctx context.Context, out io.Writer, brokers string) error {
	list := strings.Split(brokers, ",")
	if brokers == "" {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			return err
		}
		defer cluster.Close()
		list = cluster.ListenAddrs()
	}
	db, err := open(ctx, list)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := pay(ctx, db); err != nil {
		return err
	}
	if err := db.Quiesce(ctx); err != nil { // until the brokers have everything
		return err
	}
	for _, topic := range []string{"payments", "outliers"} {
		if err := show(ctx, out, list, topic); err != nil {
			return err
		}
	}
	return nil
}

// open makes a store whose triggers send to the two topics.
func open(ctx context.Context, brokers []string) (*tickwell.DB, error) {
	topic := func(name string) tickwell.SinkSpec {
		return tickwell.SinkSpec{Name: name, Sink: &kafka.Sink{Brokers: brokers, Topic: name, Create: &kafka.NewTopic{Partitions: 2}}}
	}
	shops := table{
		"till1": {tickwell.Text("city", "Berlin"), tickwell.Int64("floor", 2)},
		"till2": {tickwell.Text("city", "Łódź"), tickwell.Int64("floor", 0)},
	}
	return tickwell.Open(ctx, "", &tickwell.Options{
		Logger: slog.New(slog.DiscardHandler),
		Sinks:  []tickwell.SinkSpec{topic("payments"), topic("outliers")},
		Triggers: []tickwell.TriggerSpec{
			{Name: "enrich", Pattern: "root.shop.*.*", Stateful: true, Sinks: []string{"payments"}, Trigger: &enricher{shops: shops}},
			{Name: "outlier", Pattern: "root.shop.*.amount", Stateful: true, Sinks: []string{"outliers"}, Trigger: &outliers{}},
		},
	})
}

// pay stores what two tills, and one that nobody has told us of, report.
func pay(ctx context.Context, db *tickwell.DB) error {
	at := time.Date(2026, 1, 23, 10, 0, 0, 0, time.UTC)
	n := 0
	paid := func(till, mail, card string, amount float64) error {
		n++
		return db.Insert(ctx, "root.shop."+till, at.Add(time.Duration(n)*time.Second),
			tickwell.Text("mail", mail), tickwell.Text("card", card), tickwell.Float64("amount", amount))
	}
	for _, p := range []struct {
		till, mail, card string
		amount           float64
	}{
		{"till1", "ann@example.org", "4111111111111111", 12.5},
		{"till1", "ann@example.org", "4111111111111111", 12.5}, // the till sent it twice
		{"till2", "bob@example.org", "5500005555555559", 20},
		{"till9", "eve@example.org", "340000000000009", 7.25}, // no such till in the table
		{"till1", "ann@example.org", "4111111111111111", 13},
	} {
		if err := paid(p.till, p.mail, p.card, p.amount); err != nil {
			return err
		}
	}
	for i := range 40 { // an ordinary day, and a payment that is none
		amount := 11 + float64(i%5)
		if i == 35 {
			amount = 900
		}
		if err := paid("till2", "carl@example.org", fmt.Sprintf("60110000000%05d", i), amount); err != nil {
			return err
		}
	}
	return nil
}

// show prints the first records of a topic, by series in order.
func show(ctx context.Context, out io.Writer, brokers []string, topic string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	want := map[string]int{"payments": 44, "outliers": 1}[topic]
	var lines []string
	for len(lines) < want {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			return fmt.Errorf("topic %s has %d records, want %d: %w", topic, len(lines), want, err)
		}
		for _, r := range fetches.Records() {
			lines = append(lines, fmt.Sprintf("%s %s", r.Key, r.Value))
		}
	}
	slices.Sort(lines)
	fmt.Fprintf(out, "topic %s: %d records\n", topic, len(lines))
	for _, line := range lines[:min(len(lines), 5)] {
		fmt.Fprintln(out, line)
	}
	return nil
}
