package mqtt

import (
	"fmt"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/mqtt"
)

// TestThroughput measures the sink beside the bare client of protocol 3.1.1 with
// the same messages, quality of service 1, and number in flight, in turn on one
// broker.
func TestThroughput(t *testing.T) {
	const messages, inFlight, batch = 10_000, 100, 500
	b := start(t, server.MosquittoOptions{More: "log_type error"})
	s := &mqtt.Sink{
		Broker: b.Addr("mqtt"), Username: user, Password: sink.NewSecret(password), Topic: "events", InFlight: inFlight,
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	var events []tickwell.Event
	for i := range batch {
		events = append(events, tickwell.Event{
			ID: fmt.Sprint(i), Series: "root.d", Time: time.UnixMilli(int64(i)),
			Fields: []tickwell.Field{tickwell.Float64("temperature", 20.5), tickwell.Text("state", "on")},
		})
	}
	payload := []byte(`{"device":"root.d","measurements":["temperature","state"],"timestamp":100,"values":[20.5,"on"]}`)

	o := paho3.NewClientOptions().AddBroker("tcp://" + b.Addr("mqtt")).SetClientID("bare").SetUsername(user).SetPassword(password).SetAutoReconnect(false)
	client := paho3.NewClient(o)
	if token := client.Connect(); !token.WaitTimeout(trial.Patience) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	defer client.Disconnect(100)

	bare := func() {
		var waiting []paho3.Token
		for range messages {
			if len(waiting) == inFlight {
				if waiting[0].Wait(); waiting[0].Error() != nil {
					t.Fatal(waiting[0].Error())
				}
				waiting = waiting[1:]
			}
			waiting = append(waiting, client.Publish("events", 1, false, payload))
		}
		for _, w := range waiting {
			if w.Wait(); w.Error() != nil {
				t.Fatal(w.Error())
			}
		}
	}
	ours := func() {
		for range messages / batch {
			if err := s.Handle(t.Context(), events); err != nil {
				t.Fatal(err)
			}
		}
	}
	ratios, rate := trial.Throughput(t, messages, 0.9, bare, ours)
	t.Logf("note: QoS 1, %d in flight: %.0f %% of the bare client's %.0f messages/s", inFlight, 100*trial.Median(ratios), rate)
}

// TestThroughput5 is the same with protocol 5, whose client has no way to send
// without waiting and to learn the answer, so what it is compared with is as many
// goroutines as messages may be in flight.
func TestThroughput5(t *testing.T) {
	const messages, inFlight, batch = 5_000, 20, 500
	b := start(t, server.MosquittoOptions{More: "log_type error"})
	s := &mqtt.Sink{
		Broker: b.Addr("mqtt"), Protocol: mqtt.V5, Username: user, Password: sink.NewSecret(password), Topic: "events", InFlight: inFlight,
		Body: `{"device":"root.d","measurements":["temperature","state"],"timestamp":100,"values":[20.5,"on"]}`,
	}
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close(t.Context())
	events := make([]tickwell.Event, batch)
	client := bare5(t, b)
	bare := func() {
		work, failed := make(chan struct{}), make(chan error, inFlight)
		for range inFlight {
			go func() {
				var err error
				for range work {
					if err == nil {
						_, err = client.Publish(t.Context(), &paho.Publish{Topic: "events", QoS: 1, Payload: []byte(s.Body)})
					}
				}
				failed <- err
			}()
		}
		for range messages {
			work <- struct{}{}
		}
		close(work)
		for range inFlight {
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
		}
	}
	ours := func() {
		for range messages / batch {
			if err := s.Handle(t.Context(), events); err != nil {
				t.Fatal(err)
			}
		}
	}
	ratios, rate := trial.Throughput(t, messages, 0.9, bare, ours)
	t.Logf("note: protocol 5, %d in flight: %.0f %% of the bare client's %.0f messages/s", inFlight, 100*trial.Median(ratios), rate)
}

// bare5 is a client of protocol 5.
func bare5(t *testing.T, b *server.Server) *paho.Client {
	t.Helper()
	conn := dial(t, b.Addr("mqtt"))
	client := paho.NewClient(paho.ClientConfig{Conn: conn})
	_, err := client.Connect(t.Context(), &paho.Connect{
		ClientID: "bare", KeepAlive: 30, CleanStart: true, Username: user, UsernameFlag: true, Password: []byte(password), PasswordFlag: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Disconnect(&paho.Disconnect{}) })
	return client
}
