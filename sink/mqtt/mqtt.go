// Package mqtt has a sink that publishes events to an MQTT broker, protocol
// 3.1.1 or 5, and reads the payloads of such a sink back into tablets.
//
// Without further settings a message is the JSON object that Apache IoTDB's
// broker takes, so that the receiver may be an IoTDB or, through [DecodeTablet],
// another tickwell:
//
//	{"device":"root.sg1.d1","measurements":["s1","s2"],"timestamp":5,"values":[1,"a"]}
//
// An event counts as delivered when the broker has acknowledged it, with
// [AtMostOnce] when it was written to the connection. Events of a batch are sent
// one after the other without waiting for each answer, and in order. After a lost
// connection those without an answer are sent again: delivery is at least once,
// also with [ExactlyOnce], which binds one connection only. Receivers that must
// not act twice look at the event's id, which is a user property with protocol 5
// and can be put into a payload by a template.
package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
)

// Protocol is a version of MQTT.
type Protocol uint8

const (
	// V311 is version 3.1.1, which every broker speaks. It has no answer for a
	// message that the broker refuses: most brokers acknowledge and drop it.
	V311 Protocol = iota
	// V5 is version 5: the broker says why it refuses a message, messages carry
	// the event's id and may expire.
	V5
)

// String returns "3.1.1" or "5".
func (p Protocol) String() string {
	if p == V5 {
		return "5"
	}
	return "3.1.1"
}

// QoS is a quality of service. The zero QoS is AtLeastOnce, since events of a
// sink are not to be lost.
type QoS uint8

// The qualities of service, levels 1, 0 and 2 of the protocol.
const (
	AtLeastOnce QoS = iota
	AtMostOnce
	ExactlyOnce
)

// Level returns the protocol's number: 0, 1 or 2.
func (q QoS) Level() byte {
	switch q {
	case AtMostOnce:
		return 0
	case ExactlyOnce:
		return 2
	}
	return 1
}

// String returns "at least once", "at most once" or "exactly once".
func (q QoS) String() string {
	switch q {
	case AtMostOnce:
		return "at most once"
	case ExactlyOnce:
		return "exactly once"
	}
	return "at least once"
}

// Will is a message that the broker publishes when the connection is lost
// without a farewell.
type Will struct {
	Topic   string // without wildcards
	Payload []byte // as it is published
	QoS     QoS    // of the publication
	Retain  bool   // whether the broker keeps it for later subscribers
	// Delay is how long the broker waits for the sink to come back first. It
	// needs V5 and a Session at least as long.
	Delay time.Duration
}

// Format is the form of a payload.
type Format uint8

const (
	// FormatTablet is IoTDB's JSON object; see the package comment.
	FormatTablet Format = iota
	// FormatRow is the event's row as [sink.AppendRowJSON] writes it.
	FormatRow
	// FormatEvent is all of the event as [sink.AppendJSON] writes it.
	FormatEvent
)

// Sink publishes events. Set the fields before it is added to a store and leave
// them alone from then on. It prints without its credentials.
type Sink struct {
	// Broker is host:port, or mqtt://host:port, or mqtts://host:port for TLS.
	// The port may be left out: 1883, with TLS 8883. Required.
	Broker string
	// Protocol is the version that is spoken. Default V311.
	Protocol Protocol
	// ClientID names the connection to the broker, which allows one of a name
	// at a time. Default: a random one that stays the same for this Sink.
	ClientID string
	// Username and Password are what the broker asks for. The password is read
	// whenever the sink connects.
	Username string
	Password sink.Secret
	// TLS has the settings of TLS, and switches it on if it is not nil. Version
	// 1.2 is the least.
	TLS *tls.Config
	// Trust says where connections may go. Default sink.Operator.
	Trust sink.Trust
	// KeepAlive is how long the connection may be silent before it is probed.
	// Default 30 s, at most 65535 s.
	KeepAlive time.Duration
	// Session is how long the broker keeps the session after the connection is
	// lost, V5 only. Default 0: it ends with the connection. The sink subscribes
	// to nothing, so all that depends on it is [Will.Delay]. The first connection
	// of a Sink always begins a new session.
	Session time.Duration
	// Will, if set, is what others learn if the sink vanishes.
	Will *Will

	// Topic is where messages go. It is a template ([sink.Template]) whose first
	// level is plain text, such as alerts/{{.series}}/{{.site}}; a value stands
	// inside one level, so an event with a value that is empty or has one of / +
	// # in it is given up. Events may bring a topic of their own: see [NewEvent].
	Topic string
	// QoS and Retain are those of all messages that do not bring their own.
	QoS    QoS
	Retain bool
	// Expiry is how long a broker may keep a message that it cannot pass on, V5
	// only. Default: for ever.
	Expiry time.Duration

	// Payload is the form of payloads, unless there is a Body.
	Payload Format
	// Body is a template for payloads, with the options Template.
	Body     string
	Template sink.TemplateOptions
	// Device is the device in payloads of FormatTablet. Default: the event's
	// Series, or its Source if it has none.
	Device string
	// Measurements are the names of the values in payloads of FormatTablet, as
	// many as an event has fields. Default: the names of the fields.
	Measurements []string
	// Precision is the unit of times in payloads of FormatTablet. Default a
	// millisecond, as that of IoTDB.
	Precision time.Duration

	// InFlight is how many messages may wait for the broker's answer. Default
	// 100. A broker of V5 may allow fewer.
	InFlight int
	// MaxPayload is the most bytes of a payload; events with more are given up.
	// Default 256 KiB. Most brokers close the connection when a message is more
	// than they take.
	MaxPayload int

	state *state
}

// state is what an open sink has, and some that outlives a connection.
type state struct {
	id      string
	kept    *tracker // the session of V5, if it outlives connections
	forms   *forms
	session session // nil: not connected
}

// session is one connection to a broker.
type session interface {
	// send hands a message to the connection. It returns without the answer,
	// for which the receipt waits.
	send(ctx context.Context, m *message) (receipt, error)
	// close ends the connection with a farewell.
	close()
	// lost is closed when the connection is gone.
	lost() <-chan struct{}
}

// receipt waits for the broker's answer to one message.
type receipt interface {
	wait(ctx context.Context) error
}

const (
	defaultInFlight   = 100
	defaultMaxPayload = 256 << 10
	defaultKeepAlive  = 30 * time.Second
)

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// Warnings says when the server's certificate is not checked; the store logs it.
func (s *Sink) Warnings() []string { return sink.TLSWarnings(s.TLS) }

// Validate returns an error if the settings can never work.
func (s *Sink) Validate() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("mqtt: %w: %w", err, tickwell.ErrBadInput)
	}
	_, err := newForms(s)
	return err
}

func (s *Sink) check() error {
	if _, err := s.address(); err != nil {
		return err
	}
	if s.Password.IsSet() && s.Username == "" && s.Protocol == V311 {
		return errors.New("protocol 3.1.1 has no password without a user name")
	}
	if k := orDefault(s.KeepAlive, defaultKeepAlive); k < time.Second || k > 65535*time.Second {
		return fmt.Errorf("keep alive of %v: it is 1 s to 65535 s", k)
	}
	if s.InFlight < 0 || s.InFlight > 65535 {
		return fmt.Errorf("%d messages in flight: it is 1 to 65535", s.InFlight)
	}
	if s.MaxPayload < 0 || s.Session < 0 || s.Expiry < 0 || s.Precision < 0 {
		return errors.New("a negative limit")
	}
	if s.Protocol != V5 && (s.Session != 0 || s.Expiry != 0 || s.Will != nil && s.Will.Delay != 0) {
		return errors.New("sessions that outlive a connection, expiry and the delay of a will need protocol 5")
	}
	if s.Protocol > V5 || s.QoS > ExactlyOnce || s.Payload > FormatEvent {
		return errors.New("unknown protocol, quality of service or format")
	}
	for _, text := range []string{s.ClientID, s.Username} {
		if err := checkText(text); err != nil {
			return err
		}
	}
	return s.checkWill()
}

func (s *Sink) checkWill() error {
	w := s.Will
	if w == nil {
		return nil
	}
	if err := CheckTopic(w.Topic); err != nil {
		return fmt.Errorf("will: %w", err)
	}
	if len(w.Payload) > 65535 || w.QoS > ExactlyOnce {
		return errors.New("will: more than 65535 bytes, or an unknown quality of service")
	}
	if w.Delay < 0 || w.Delay > s.Session {
		return errors.New("will: a delay needs a session that lasts as long")
	}
	return nil
}

// Open connects to the broker.
func (s *Sink) Open(ctx context.Context) error {
	if s.state == nil {
		if err := s.check(); err != nil {
			return fmt.Errorf("mqtt: %w: %w", err, tickwell.ErrBadInput)
		}
		forms, err := newForms(s)
		if err != nil {
			return err
		}
		id := s.ClientID
		if id == "" {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails
			id = "tickwell-" + hex.EncodeToString(b[:])
		}
		s.state = &state{id: id, forms: forms}
	}
	s.hangUp()
	password, err := s.Password.Reveal()
	if err != nil {
		return fmt.Errorf("mqtt: password: %w", err)
	}
	connect := connect3
	if s.Protocol == V5 {
		connect = connect5
	}
	session, err := connect(ctx, s, password)
	if err != nil {
		return sink.Scrub(s.fail(err), password)
	}
	s.state.session = session
	return nil
}

// Close ends the connection. It may be called more than once; Open makes the
// sink usable again.
func (s *Sink) Close(context.Context) error {
	if s.state != nil {
		s.hangUp()
		if s.state.kept != nil {
			_ = s.state.kept.Close()
		}
		s.state.kept = nil
	}
	return nil
}

func (s *Sink) hangUp() {
	if s.state.session != nil {
		s.state.session.close()
		s.state.session = nil
	}
}

// Handle publishes events and waits for the broker's answers.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	if s.state == nil || s.state.session == nil {
		return sink.NotConnected(errors.New("mqtt: not open"))
	}
	b := batch{
		s: s, session: s.state.session, ctx: ctx,
		verdicts: make([]error, len(events)), limit: orDefault(s.InFlight, defaultInFlight),
	}
	for i := range events {
		b.publish(i, &events[i])
	}
	for len(b.waiting) > 0 {
		b.settle()
	}
	b.again(events)
	return sink.Verdicts(b.verdicts)
}

// batch is one call of Handle.
type batch struct {
	s        *Sink
	session  session
	ctx      context.Context
	verdicts []error
	limit    int
	waiting  []pending // oldest first
	broken   error     // nothing more can be sent
}

type pending struct {
	event   int
	receipt receipt
}

func (b *batch) publish(i int, e *tickwell.Event) {
	m, err := b.s.state.forms.message(e)
	if err != nil {
		b.verdicts[i] = err
		return
	}
	if len(b.waiting) >= b.limit {
		b.settle()
	}
	if b.broken == nil {
		var r receipt
		if r, err = b.session.send(b.ctx, &m); err == nil {
			b.waiting = append(b.waiting, pending{i, r})
			return
		}
		b.fail(i, err)
		return
	}
	b.verdicts[i] = b.broken
}

// settle waits for the oldest answer.
func (b *batch) settle() {
	p := b.waiting[0]
	b.waiting = b.waiting[1:]
	if err := p.receipt.wait(b.ctx); err != nil {
		b.fail(p.event, err)
	}
}

// fail notes why an event was not accepted. An error without a class means that
// the connection is of no more use: what follows is not sent, so that the order
// is kept.
func (b *batch) fail(i int, err error) {
	var refused *refusal
	if errors.As(err, &refused) {
		b.verdicts[i] = refused.class(b.s.fail(refused))
		return
	}
	err = sink.NotConnected(b.s.fail(err))
	b.verdicts[i] = err
	if b.broken == nil {
		b.broken = err
	}
}

// again has what was accepted after an event of the same series that was not
// sent once more behind that, so that the newest comes last.
func (b *batch) again(events []tickwell.Event) {
	var late map[string]error
	for i := range events {
		key := events[i].Series
		if key == "" {
			key = events[i].Source
		}
		switch class, _ := deliver.Classify(b.verdicts[i]); {
		case key == "" || class == deliver.ClassPermanent || class == deliver.ClassTooLarge:
		case class == deliver.Delivered:
			b.verdicts[i] = late[key]
		case late == nil:
			late = map[string]error{key: b.verdicts[i]}
		case late[key] == nil:
			late[key] = b.verdicts[i]
		}
	}
}

// refusal is an answer of the broker to one message.
type refusal struct {
	text  string
	class func(error) error
}

func (r *refusal) Error() string { return r.text }

func (s *Sink) fail(err error) error {
	return fmt.Errorf("%s: %w", s.String(), err)
}

// String returns "mqtt" with the broker's host.
func (s Sink) String() string {
	a, err := s.address()
	if err != nil {
		return "mqtt"
	}
	return "mqtt " + a.hostPort
}

// Format prints what String returns, whatever the verb.
func (s Sink) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Sink) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns what String returns.
func (s Sink) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
