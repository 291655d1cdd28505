package iotdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/mqtt"
)

// stored is what a user makes of the sink for a server that acknowledges before it
// stores: events are delivered when the server shows them.
type stored struct {
	*mqtt.Sink
	shell *server.IoTDBShell
}

// Handle publishes events and asks for their rows until all are there. If they do
// not come, all are published again: the same row twice is one row.
func (s *stored) Handle(ctx context.Context, events []tickwell.Event) error {
	failed := s.Sink.Handle(ctx, events)
	patience, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	err := server.Poll(patience, func() (bool, error) {
		missing, err := s.missing(patience, events)
		if failed != nil && (err != nil || missing > 0) {
			return false, sink.NotConnected(fmt.Errorf("not stored: %w", failed))
		}
		return missing == 0, err
	})
	if err != nil && failed == nil {
		return sink.NotConnected(fmt.Errorf("acknowledged and not stored: %w", err))
	}
	return err
}

// missing counts the events whose rows IoTDB does not have.
func (s *stored) missing(ctx context.Context, events []tickwell.Event) (n int, err error) {
	there := make(map[string]map[int64]float64)
	for i := range events {
		e := &events[i]
		if there[e.Series] == nil {
			if there[e.Series], err = rows(ctx, s.shell, e.Series); err != nil {
				return 0, err
			}
		}
		if v, ok := there[e.Series][e.Time.UnixNano()]; !ok || v != e.Get("v").Float64() {
			n++
		}
	}
	return n, nil
}

// rows returns the values of a device's measurement v by time.
func rows(ctx context.Context, shell *server.IoTDBShell, device string) (map[int64]float64, error) {
	lines, err := shell.Query(ctx, "select v from "+device)
	if err != nil {
		return nil, err
	}
	values := make(map[int64]float64)
	for _, line := range lines[min(1, len(lines)):] {
		at, v, _ := strings.Cut(line, "\t")
		i, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("row %q: %w", line, err)
		}
		if values[i], err = strconv.ParseFloat(v, 64); err != nil {
			return nil, fmt.Errorf("row %q: %w", line, err)
		}
	}
	return values, nil
}

// TestNothingLost stops IoTDB in the middle of a stream and starts it again. A
// bare client that believes its acknowledgements loses rows; a sink that asks for
// them does not.
func TestNothingLost(t *testing.T) {
	iotdb := start(t)
	shell, ours := &server.IoTDBShell{DB: iotdb}, &server.IoTDBShell{DB: iotdb}
	defer shell.Close()
	defer ours.Close()
	out := &stored{&mqtt.Sink{
		Broker: iotdb.Data.Addr("mqtt"), Username: "root", Password: sink.NewSecret("root"), Topic: "test", Precision: time.Nanosecond,
	}, ours}
	o := trial.Options(out)
	o.Sinks[0].Batch, o.Sinks[0].Timeout, o.Sinks[0].InFlight = 100, time.Minute, 1
	o.Triggers[0].Pattern = "root.plant.*.v"
	db, err := tickwell.Open(t.Context(), t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := 0
	insert := func(rows int) {
		t.Helper()
		for range rows {
			if err := db.Insert(t.Context(), fmt.Sprint("root.plant.d", n%3), time.Unix(0, int64(n)), tickwell.Float64("v", float64(n))); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	insert(100)
	if err := server.Poll(trial.Within(t), func() (bool, error) { return db.Stats().Sinks[0].Delivered > 0, nil }); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	insert(300)
	const published = 2000
	publish(t, iotdb, "root.bare.d", published)
	if err := iotdb.Data.Down(context.Background()); err != nil {
		t.Log(err)
	}
	insert(100)
	if err := iotdb.Data.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	insert(100)
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	for d := range 3 {
		got, err := rows(trial.Within(t), shell, fmt.Sprint("root.plant.d", d))
		if err != nil {
			t.Fatal(err)
		}
		for i := d; i < n; i += 3 {
			if v, ok := got[int64(i)]; !ok || v != float64(i) {
				t.Errorf("root.plant.d%d: row %d is %v, %v", d, i, v, ok)
			}
			delete(got, int64(i))
		}
		if len(got) > 0 {
			t.Errorf("root.plant.d%d: rows of nobody: %v", d, got)
		}
	}
	bare, err := rows(trial.Within(t), shell, "root.bare.d")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("note: over a restart of IoTDB, rows that it had acknowledged: %d of %d of a bare client are lost, none of our %d, which were asked for", published-len(bare), published, n)
}

// publish sends rows as any client does, with 100 in flight, and returns when the
// last is acknowledged.
func publish(t *testing.T, iotdb *server.IoTDB, device string, n int) {
	t.Helper()
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + iotdb.Data.Addr("mqtt")).SetClientID("bare").
		SetUsername("root").SetPassword("root").SetAutoReconnect(false))
	var waiting []paho.Token
	settle := func(left int) {
		t.Helper()
		for len(waiting) > left {
			if !waiting[0].WaitTimeout(trial.Patience) || waiting[0].Error() != nil {
				t.Fatalf("not acknowledged: %v", waiting[0].Error())
			}
			waiting = waiting[1:]
		}
	}
	waiting = append(waiting, client.Connect())
	settle(0)
	defer client.Disconnect(0)
	for i := range n {
		waiting = append(waiting, client.Publish("test", 1, false, fmt.Sprintf(`{"device":%q,"measurements":["v"],"timestamp":%d,"values":[%d.0]}`, device, i, i)))
		settle(100)
	}
	settle(0)
}
