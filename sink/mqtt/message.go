package mqtt

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// Labels of an event that say how its message is to be published, in place of
// the sink's settings: see [NewEvent].
const (
	LabelTopic  = "mqtt.topic"
	LabelQoS    = "mqtt.qos"    // 0, 1 or 2
	LabelRetain = "mqtt.retain" // true or false
)

// NewEvent returns an event that brings its own topic, quality of service and
// retain flag, with the values of one row at a time: the MQTTEvent of the IoTDB
// 0.13 page. Which device and measurements they belong to is the sink's to say
// (Device, Measurements); without Measurements they are called v1, v2 and so on.
func NewEvent(topic string, qos QoS, retain bool, at time.Time, values ...tickwell.Value) tickwell.Event {
	e := tickwell.Event{Time: at, Labels: map[string]string{
		LabelTopic: topic, LabelQoS: strconv.Itoa(int(qos.Level())), LabelRetain: strconv.FormatBool(retain),
	}}
	for i, v := range values {
		e.Fields = append(e.Fields, tickwell.Field{Name: "v" + strconv.Itoa(i+1), Value: v})
	}
	return e
}

// message is what is published for one event.
type message struct {
	id      string
	topic   string
	qos     byte
	retain  bool
	payload []byte
	json    bool
}

// forms make messages of events.
type forms struct {
	s     *Sink
	topic *sink.Template // nil: events bring their own
	body  *sink.Template // nil: Payload
	unit  time.Duration
	max   int
}

func newForms(s *Sink) (*forms, error) {
	f := &forms{s: s, unit: orDefault(s.Precision, time.Millisecond), max: orDefault(s.MaxPayload, defaultMaxPayload)}
	var err error
	if f.topic, err = newTopic(s.Topic); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	if s.Body == "" {
		return f, nil
	}
	o := s.Template
	o.Max = min(orDefault(o.Max, f.max), f.max)
	if f.body, err = sink.NewTemplate(s.Body, o); err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	return f, nil
}

// message makes the message of an event. An error is permanent.
func (f *forms) message(e *tickwell.Event) (message, error) {
	m := message{id: idText(e.ID), qos: f.s.QoS.Level(), retain: f.s.Retain}
	if len(m.id) > 65535 {
		return m, sink.Permanent(errors.New("mqtt: an id of more than 65535 bytes"))
	}
	var err error
	if m.topic, err = f.topicOf(e); err != nil {
		return m, err
	}
	switch e.Labels[LabelQoS] {
	case "":
	case "0", "1", "2":
		m.qos = e.Labels[LabelQoS][0] - '0'
	default:
		return m, sink.Permanent(fmt.Errorf("mqtt: label %s is %.20q, not 0, 1 or 2", LabelQoS, e.Labels[LabelQoS]))
	}
	if text, ok := e.Labels[LabelRetain]; ok {
		if m.retain, err = strconv.ParseBool(text); err != nil {
			return m, sink.Permanent(fmt.Errorf("mqtt: label %s is %.20q, not true or false", LabelRetain, text))
		}
	}
	if m.payload, m.json, err = f.payload(e); err != nil {
		return m, err
	}
	if len(m.payload) > f.max {
		return m, sink.Permanent(fmt.Errorf("mqtt: a payload of %d bytes, at most %d are allowed", len(m.payload), f.max))
	}
	return m, nil
}

// idText makes any id a text of the protocol: brokers close the connection when
// there is one that is none. What the protocol does not allow is percent-encoded,
// and then the percent sign too.
func idText(id string) string {
	if checkText(id) == nil {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; c >= ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func (f *forms) topicOf(e *tickwell.Event) (topic string, err error) {
	switch own := e.Labels[LabelTopic]; {
	case own != "":
		topic = own
	case f.topic == nil:
		return "", sink.Permanent(errors.New("mqtt: neither the sink nor the event has a topic"))
	default:
		if topic, err = f.topic.Render(e); err != nil {
			return "", err
		}
	}
	if err := CheckTopic(topic); err != nil {
		return "", sink.Permanent(fmt.Errorf("mqtt: a value does not fit into the topic: %w", err))
	}
	return topic, nil
}

func (f *forms) payload(e *tickwell.Event) (payload []byte, json bool, err error) {
	if f.body != nil {
		payload, err = f.body.Append(nil, e)
		return payload, f.s.Template.JSON, err
	}
	switch f.s.Payload {
	case FormatRow:
		return sink.AppendRowJSON(nil, e), true, nil
	case FormatEvent:
		return sink.AppendJSON(nil, e), true, nil
	}
	device := f.s.Device
	if device == "" {
		device = e.Series
	}
	if device == "" {
		device = e.Source
	}
	row := tabletRow{device: device, names: f.s.Measurements, at: e.Time, fields: e.Fields}
	payload, err = row.append(nil, f.unit)
	if err != nil {
		err = sink.Permanent(fmt.Errorf("mqtt: %w", err))
	}
	return payload, true, err
}
