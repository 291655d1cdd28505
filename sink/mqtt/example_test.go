package mqtt_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink/mqtt"
)

// One store sends what is too hot to a broker, another receives it: the payload
// is the one of IoTDB, and DecodeTablet reads it.
func Example() {
	ctx := context.Background()
	b := broker.New(&broker.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	_ = b.AddHook(new(auth.AllowHook), nil)
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.AddListener(l); err != nil {
		fmt.Println(err)
		return
	}
	if err := b.Serve(); err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	defer b.Listeners.ClientsWg.Wait() // this broker's Close may hang while a client leaves

	receiver, err := tickwell.Open(ctx, "", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer receiver.Close()
	arrived := make(chan error)
	err = b.Subscribe("alerts/#", 1, func(_ *broker.Client, _ packets.Subscription, m packets.Packet) {
		tablets, err := mqtt.DecodeTablet(m.Payload, mqtt.DecodeOptions{})
		for i := 0; i < len(tablets) && err == nil; i++ {
			err = receiver.InsertTablet(ctx, &tablets[i])
		}
		fmt.Println(m.TopicName, string(m.Payload))
		arrived <- err
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	sender, err := tickwell.Open(ctx, "", &tickwell.Options{
		Sinks: []tickwell.SinkSpec{{Name: "broker", Sink: &mqtt.Sink{
			Broker: l.Address(), Topic: "alerts/{{.series}}", Device: "root.alerts.press1",
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "hot", Pattern: "root.plant.*.temperature", Trigger: tickwell.TriggerFunc(
			func(_ context.Context, f *tickwell.Firing) error {
				for i, v := range f.Float64s("temperature") {
					if v > 90 {
						f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("temperature", v)}})
					}
				}
				return nil
			})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sender.Close()
	for i, v := range []float64{71.5, 96} {
		if err := sender.Insert(ctx, "root.plant.press1", time.Unix(int64(i), 0), tickwell.Float64("temperature", v)); err != nil {
			fmt.Println(err)
		}
	}
	if err := <-arrived; err != nil {
		fmt.Println(err)
	}
	last, err := receiver.Last(ctx, "root.alerts.press1.temperature")
	fmt.Println(last[0].Value, err)
	// Output:
	// alerts/root.plant.press1 {"device":"root.alerts.press1","measurements":["temperature"],"timestamp":1000,"values":[96.0]}
	// 96 <nil>
}
