package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// records runs the program's store and returns what is in a topic, as JSON that
// any program can read.
func records(t *testing.T, topic string, n int) (docs []map[string]any, text string) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	db, err := open(ctx, cluster.ListenAddrs())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := pay(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(ctx); err != nil {
		t.Fatal(err)
	}
	var written int64
	for _, p := range cluster.PartitionInfos(topic) {
		written += p.HighWatermark
	}
	if written != int64(n) {
		t.Errorf("topic %s has %d records, want %d", topic, written, n)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var all strings.Builder
	for len(docs) < int(written) {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatal(err)
		}
		for _, r := range fetches.Records() {
			fmt.Fprintf(&all, "%s %s %v\n", r.Key, r.Value, r.Headers)
			var doc map[string]any
			if err := json.Unmarshal(r.Value, &doc); err != nil {
				t.Fatalf("%s: %v", r.Value, err)
			}
			docs = append(docs, doc)
		}
	}
	return docs, all.String()
}

// TestNothingSensitiveLeaves reads all of the topic and looks for what the tills
// reported of people.
func TestNothingSensitiveLeaves(t *testing.T) {
	docs, text := records(t, "payments", 44)
	for _, secret := range []string{"ann@", "example.org", "4111111111111111", "5500005555555559", "340000000000009", "41111", "bob", "eve"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the topic", secret)
		}
	}
	if card := docs[slices.IndexFunc(docs, func(d map[string]any) bool { return d["till"] == "till1" })]["card"]; card != "************1111" {
		t.Errorf("card is %v", card)
	}
}

func TestRepetitionsAreDropped(t *testing.T) {
	docs, _ := records(t, "payments", 44)
	seen := map[string]int{}
	for _, d := range docs {
		seen[fmt.Sprint(d["till"], " ", d["card"], " ", d["amount"])]++
	}
	for payment, want := range map[string]int{"till1 ************1111 12.5": 1, "till1 ************1111 13": 1, "till2 ************5559 20": 1} {
		if seen[payment] != want {
			t.Errorf("%s came %d times, want %d", payment, seen[payment], want)
		}
	}
}

// TestLookUp holds that rows gain the columns of the table, and that those of a
// key which is not in it have none of them.
func TestLookUp(t *testing.T) {
	docs, _ := records(t, "payments", 44)
	for _, d := range docs {
		want := map[any]string{"till1": "Berlin 2", "till2": "Łódź 0", "till9": "<nil> <nil>"}[d["till"]]
		if got := fmt.Sprint(d["city"], " ", d["floor"]); got != want {
			t.Errorf("%v has %q, want %q", d["till"], got, want)
		}
		if _, has := d["city"]; has && d["till"] == "till9" {
			t.Error("a till that is not in the table has a city")
		}
	}
}

func TestOutlier(t *testing.T) {
	docs, _ := records(t, "outliers", 1)
	if len(docs) != 1 || docs[0]["amount"] != 900.0 {
		t.Errorf("got %v, want the payment of 900 only", docs)
	}
}
