package mqtt

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/local"
	"github.com/tickwell/tickwell/sink/mqtt"
	"github.com/tickwell/tickwell/window"
)

// averages is the full example of the 0.13 page: the mean of each five points, if
// it is below 0 or above 10, goes out with the time of the first of them.
func averages() tickwell.Trigger {
	return tickwell.OnWindow(window.Count(5), &window.Options[float64]{Strict: true},
		func(_ context.Context, f *tickwell.Firing, _ string, w window.Window[float64]) error {
			sum := 0.0
			for _, v := range w.All() {
				sum += v
			}
			if mean := sum / float64(w.Len()); mean < 0 || 10 < mean {
				f.Emit(tickwell.Event{
					Series: f.Device, Time: time.Unix(0, w.Time(0)),
					Fields: []tickwell.Field{tickwell.Float64("local", mean)},
					Labels: map[string]string{mqtt.LabelTopic: "test", mqtt.LabelQoS: "2"},
				})
			}
			return nil
		})
}

// TestPageExample has the page's statements and its two sinks: the mean comes
// into root.alerting.local directly, and into root.alerting.remote over the
// broker, here back into the same store.
func TestPageExample(t *testing.T) {
	b := start(t, server.MosquittoOptions{})
	out := &mqtt.Sink{
		Broker: b.Addr("mqtt"), Username: user, Password: sink.NewSecret(password),
		Device: "root.alerting", Measurements: []string{"remote"},
	}
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Classes: map[string]func() tickwell.Trigger{"org.apache.iotdb.trigger.TriggerExample": averages},
		Sinks: []tickwell.SinkSpec{
			{Name: "mqtt", Sink: out},
			{Name: "local", Sink: &local.Sink{Device: "root.alerting", Columns: []tickwell.ColumnInfo{{Name: "local", Kind: tickwell.KindFloat64}}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	arrived := make(chan error, 10)
	back := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + b.Addr("mqtt")).SetClientID("receiver").SetUsername(user).SetPassword(password).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			tablets, err := mqtt.DecodeTablet(m.Payload(), mqtt.DecodeOptions{})
			if err == nil {
				err = db.InsertTablet(context.Background(), &tablets[0])
			}
			arrived <- err
		}))
	for _, ask := range []func() paho.Token{back.Connect, func() paho.Token { return back.Subscribe("test", 2, nil) }} {
		if token := ask(); !token.WaitTimeout(trial.Patience) || token.Error() != nil {
			t.Fatal(token.Error())
		}
	}
	defer back.Disconnect(100)

	conn, err := iotsql.New(db, nil)
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{
		"CREATE TIMESERIES root.sg1.d1.s1 WITH DATATYPE=DOUBLE, ENCODING=PLAIN",
		"CREATE TRIGGER `window-avg-alerter` AFTER INSERT ON root.sg1.d1.s1 AS 'org.apache.iotdb.trigger.TriggerExample' WITH ('lo' = '0', 'hi' = '10.0')",
	}
	for i := range 10 {
		statements = append(statements, fmt.Sprintf("INSERT INTO root.sg1.d1(timestamp, s1) VALUES (%d, %d)", i+1, 2*i))
	}
	for _, text := range statements {
		if _, err := conn.Exec(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	select {
	case err := <-arrived:
		if err != nil {
			t.Fatal(err)
		}
	case <-trial.Within(t).Done():
		t.Fatal("nothing came over the broker")
	}
	if n := len(arrived); n != 0 {
		t.Errorf("%d more messages", n)
	}
	for _, name := range []string{"remote", "local"} {
		last, err := db.Last(t.Context(), "root.alerting."+name)
		if err != nil || len(last) != 1 || !last[0].Time.Equal(time.UnixMilli(6)) || last[0].Value.Float64() != 14 {
			t.Errorf("%s: %v %v, want 14.0 at 6 ms", name, last, err)
		}
	}
}

// TestTwoSinks holds that a window evaluator that sends to two sinks reaches the
// one while the other is away, and the other when it comes back.
func TestTwoSinks(t *testing.T) {
	b := start(t, server.MosquittoOptions{})
	l := listen(t, b)
	b.Stop(t)
	var got []string
	out := &mqtt.Sink{Broker: b.Addr("mqtt"), Username: user, Password: sink.NewSecret(password)}
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{
			{Name: "mqtt", Sink: out},
			{Name: "here", Sink: tickwell.SinkFunc(func(_ context.Context, events []tickwell.Event) error {
				for _, e := range events {
					got = append(got, fmt.Sprint(e.Time.UnixNano(), " ", e.Get("local")))
				}
				return nil
			})},
		},
		Triggers: []tickwell.TriggerSpec{{Name: "w", Pattern: "root.d.s", Trigger: averages()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i := range 10 {
		if err := db.Insert(t.Context(), "root.d", time.Unix(0, int64(i)), tickwell.Float64("s", float64(20+i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := server.Poll(trial.Within(t), func() (bool, error) {
		stats := db.Stats().Sinks
		i := slices.IndexFunc(stats, func(s tickwell.SinkStats) bool { return s.Name == "here" })
		j := slices.IndexFunc(stats, func(s tickwell.SinkStats) bool { return s.Name == "mqtt" })
		return stats[i].Delivered == 2 && stats[j].LastError != "" && stats[j].Delivered == 0, nil
	}); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	b.Start(t)
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0 22", "5 27"}; !slices.Equal(got, want) {
		t.Errorf("here: %q, want %q", got, want)
	}
	want := []string{
		`{"device":"root.d","measurements":["local"],"timestamp":0,"values":[22.0]}`,
		`{"device":"root.d","measurements":["local"],"timestamp":0,"values":[27.0]}`,
	}
	if there := l.payloads(); !slices.Equal(there, want) {
		t.Errorf("over the broker: %q, want %q", there, want)
	}
}

// TestAttach holds that a sink is added to a trigger that runs, and taken away
// again, while rows come in.
func TestAttach(t *testing.T) {
	b := start(t, server.MosquittoOptions{})
	l := listen(t, b)
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{Triggers: []tickwell.TriggerSpec{{
		Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("v") {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("v", v)}})
			}
			return nil
		}),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	row := func(i int) {
		t.Helper()
		if err := db.Insert(t.Context(), "root.d", time.Unix(0, int64(i)), tickwell.Float64("v", float64(i))); err != nil {
			t.Fatal(err)
		}
	}
	row(1)
	out := to(b.Addr("mqtt"))
	out.Body = "{{.v}}"
	if err := db.AddSink(t.Context(), tickwell.SinkSpec{Name: "late", Sink: out}); err != nil {
		t.Fatal(err)
	}
	row(2)
	row(3)
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	if err := db.DropSink(t.Context(), "late"); err != nil {
		t.Fatal(err)
	}
	row(4)
	if err := db.DropSink(t.Context(), "late"); !errors.Is(err, tickwell.ErrNotFound) {
		t.Errorf("dropped twice: %v, want ErrNotFound", err)
	}
	if got := strings.Join(l.payloads(), " "); got != "2 3" {
		t.Errorf("arrived %q, want the rows while it was attached, 2 and 3", got)
	}
}
