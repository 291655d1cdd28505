package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sort"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// demonstrate runs the gateway with a broker in this process, plays three
// sensors for a minute of readings, and prints what comes out.
func demonstrate(ctx context.Context, s settings, out io.Writer) error {
	b := broker.New(&broker.Options{Logger: slog.New(slog.DiscardHandler)})
	if err := b.AddHook(new(auth.AllowHook), nil); err != nil {
		return err
	}
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.AddListener(l); err != nil {
		return err
	}
	if err := b.Serve(); err != nil {
		return err
	}
	defer b.Close() //nolint:errcheck // the broker of a demonstration holds nothing
	s.broker = l.Address()
	g, err := open(ctx, s)
	if err != nil {
		return err
	}
	defer b.Listeners.ClientsWg.Wait() // this broker's Close may hang while a client leaves
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := play(ctx, s, out); err != nil {
		return errors.Join(err, g.close(ctx))
	}
	return g.close(ctx)
}

// devices and seconds are what play plays.
const (
	devices = 3
	seconds = 60
)

// reading is what a sensor publishes: the payload that IoTDB's broker takes.
func reading(device, second int) string {
	v := 60 + 10*device + second/5 // the third is above 90 from second 55 on
	return fmt.Sprintf(`{"device":"root.plant.press%d","measurements":["temperature"],"timestamp":%d,"values":[%d]}`, device+1, 1000*second, v)
}

// play plays the sensors and prints what the gateway makes of them, sorted, for
// sensors come in any order.
func play(ctx context.Context, s settings, out io.Writer) error {
	password, err := s.password.Reveal()
	if err != nil {
		return err
	}
	arrived := make(chan string, 1000)
	c := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + s.broker).SetClientID("sensors").SetUsername(s.user).SetPassword(password).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { arrived <- m.Topic() + " " + string(m.Payload()) }))
	do := func(t paho.Token) error {
		select {
		case <-t.Done():
			return t.Error()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := do(c.Connect()); err != nil {
		return err
	}
	defer c.Disconnect(100)
	if err := do(c.Subscribe("out/#", 1, nil)); err != nil {
		return err
	}
	published := 0
	for second := range seconds + 1 { // the last ends the last period
		for device := range devices {
			published++
			if err := do(c.Publish(fmt.Sprint("in/press", device+1), 1, false, reading(device, second))); err != nil {
				return err
			}
		}
	}
	if err := do(c.Publish("in/press1", 1, false, "no reading")); err != nil {
		return err
	}
	fmt.Fprintf(out, "published %d readings and one that is none\n", published)
	const averages = devices * seconds / 10
	const alerts = 6 // seconds 55 to 60 of the third
	var lines []string
	for len(lines) < averages+alerts {
		select {
		case line := <-arrived:
			lines = append(lines, line)
		case <-ctx.Done():
			return fmt.Errorf("%d messages came out, want %d: %w", len(lines), averages+alerts, context.Cause(ctx))
		}
	}
	sort.Strings(lines)
	for _, line := range lines {
		fmt.Fprintln(out, line)
	}
	return nil
}
