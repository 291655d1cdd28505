package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/expr"
	"github.com/tickwell/tickwell/sink/kafka"
	"github.com/tickwell/tickwell/sink/mqtt"
)

const (
	readings = "in/#"           // topics of readings
	sensors  = "root.plant.*"   // devices
	quantity = "temperature"    // measurement
	limit    = 90.0             // from which on it is told
	period   = 10 * time.Second // of averages
)

// gateway is the store and its connection to the side of the sensors.
type gateway struct {
	db      *tickwell.DB
	in      paho.Client
	refused atomic.Int64 // payloads that were no readings
}

func open(ctx context.Context, s settings) (*gateway, error) {
	g := &gateway{}
	var err error
	if g.db, err = tickwell.Open(ctx, s.dir, g.options(s)); err != nil {
		return nil, err
	}
	if err := g.listen(ctx, s); err != nil {
		return nil, errors.Join(err, g.db.Close())
	}
	return g, nil
}

// options say what is watched and where events go. What had not gone out when
// the gateway stopped goes out when it is opened again.
func (g *gateway) options(s settings) *tickwell.Options {
	out := func(topic string, retain bool) *mqtt.Sink {
		return &mqtt.Sink{
			Broker: s.broker, Username: s.user, Password: s.password, Topic: topic, Retain: retain, Payload: mqtt.FormatRow,
			Will: &mqtt.Will{Topic: "out/gone/" + s.client, Payload: []byte("gone")},
		}
	}
	o := &tickwell.Options{
		Sync: tickwell.SyncAlways(),
		Sinks: []tickwell.SinkSpec{
			{Name: "alerts", Sink: out("out/alerts/{{.series}}", false)},
			{Name: "averages", Sink: out("out/averages/{{.series}}", true)},
		},
		Triggers: []tickwell.TriggerSpec{{
			Name: "hot", Pattern: sensors + "." + quantity, Sinks: []string{"alerts"}, Trigger: tickwell.TriggerFunc(hot),
		}},
		ContinuousQueries: []tickwell.CQSpec{{
			Name: "average", Sinks: []string{"averages"},
			Query: tickwell.Query{
				Select: []expr.Expr{expr.Avg(expr.Col(quantity)).As("average")}, From: []string{sensors},
				GroupBy: tickwell.GroupByTime{Interval: period}, AlignByDevice: true,
			},
		}},
	}
	if len(s.kafka) > 0 {
		o.Sinks = append(o.Sinks, tickwell.SinkSpec{Name: "kafka", Sink: &kafka.Sink{
			Brokers: s.kafka, Topic: s.topic, Create: &kafka.NewTopic{Partitions: 1},
		}})
		o.Triggers[0].Sinks = append(o.Triggers[0].Sinks, "kafka")
		o.ContinuousQueries[0].Sinks = append(o.ContinuousQueries[0].Sinks, "kafka")
	}
	return o
}

// hot tells of each reading above the limit.
func hot(_ context.Context, f *tickwell.Firing) error {
	for i, v := range f.Float64s(quantity) {
		if v > limit {
			f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64(quantity, v)}})
		}
	}
	return nil
}

// listen subscribes to the readings. The session outlives the connection, so the
// broker keeps what comes while the gateway is away, and a message is
// acknowledged only when it is stored. It returns when the broker has answered the
// first subscription: what is published before that is for nobody.
func (g *gateway) listen(ctx context.Context, s settings) error {
	password, err := s.password.Reveal()
	if err != nil {
		return err
	}
	first := make(chan error, 1)
	o := paho.NewClientOptions().AddBroker("tcp://" + s.broker).SetClientID(s.client + "-in").SetCleanSession(false).
		SetUsername(s.user).SetPassword(password).SetAutoAckDisabled(true).
		SetConnectRetry(true).SetConnectRetryInterval(time.Second).SetMaxReconnectInterval(5 * time.Second).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			if g.store(context.WithoutCancel(ctx), m.Payload()) {
				m.Ack()
			}
		}).
		SetOnConnectHandler(func(c paho.Client) {
			token := c.Subscribe(readings, 1, nil)
			if token.Wait() && token.Error() != nil {
				slog.Error("gateway: subscribe", "error", token.Error())
			}
			select {
			case first <- token.Error():
			default: // a later connection
			}
		})
	g.in = paho.NewClient(o)
	token := g.in.Connect()
	select {
	case <-token.Done():
		if token.Error() != nil {
			return token.Error()
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-first:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// store stores the readings of a payload. What is none, or does not fit what is
// there, is told and dropped: it would not get better. It reports whether the
// message is done with.
func (g *gateway) store(ctx context.Context, payload []byte) bool {
	tablets, err := mqtt.DecodeTablet(payload, mqtt.DecodeOptions{Kind: func(_, m string) tickwell.Kind {
		if m == quantity {
			return tickwell.KindFloat64 // also where a sensor writes 90 for 90.0
		}
		return tickwell.KindNull
	}})
	if err != nil {
		g.refused.Add(1)
		slog.Warn("gateway: refused", "error", err)
		return true
	}
	batch := make([]*tickwell.Tablet, len(tablets))
	for i := range tablets {
		batch[i] = &tablets[i]
	}
	if err := g.db.InsertTablets(ctx, batch...); err != nil {
		slog.Error("gateway: store", "error", err)
		return false // the broker sends it again
	}
	return true
}

// close hears no more, sends out what is on its way, and closes the store.
func (g *gateway) close(ctx context.Context) error {
	g.in.Disconnect(250)
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := g.db.Shutdown(ctx); err != nil {
		return fmt.Errorf("some events are still to go out; they are kept if there is a folder: %w", err)
	}
	return nil
}
