package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	pahosession "github.com/eclipse/paho.golang/paho/session"
	pahostate "github.com/eclipse/paho.golang/paho/session/state"
	"github.com/tickwell/tickwell/sink"
)

// session5 is a connection of protocol 5.
type session5 struct {
	client  *paho.Client
	conn    net.Conn
	tracker *tracker
	mine    bool   // the tracker ends with the connection
	largest uint32 // packet that the broker takes; 0: any
	expiry  *uint32

	mu  sync.Mutex
	why error
}

// tracker is the client's record of messages in flight. It has the answers sent
// to a channel of ours, so that messages can follow each other without waiting
// and in order: the client's own Publish waits, or does not tell.
type tracker struct{ *pahostate.State }

// answersKey is under what the context of a Publish has the channel for its answer.
type answersKey struct{}

// AddToSession is called by Publish with its context, for messages, and with a
// channel of the client's own for all other packets.
func (t *tracker) AddToSession(ctx context.Context, p pahosession.Packet, own chan<- packets.ControlPacket) error {
	if answers, ok := ctx.Value(answersKey{}).(chan packets.ControlPacket); ok {
		own = answers
	}
	return t.State.AddToSession(ctx, p, own)
}

func connect5(ctx context.Context, s *Sink, password string) (session, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &session5{conn: conn, tracker: s.state.kept, expiry: seconds(s.Expiry)}
	first := c.tracker == nil
	if first {
		c.tracker = &tracker{State: pahostate.NewInMemory()}
	}
	if c.mine = s.Session == 0; !c.mine {
		s.state.kept = c.tracker
	}
	within := writeTimeout
	if deadline, ok := ctx.Deadline(); ok {
		within = time.Until(deadline)
	}
	c.client = paho.NewClient(paho.ClientConfig{
		Conn: conn, Session: c.tracker, PacketTimeout: within,
		OnPublishReceived:  []func(paho.PublishReceived) (bool, error){func(paho.PublishReceived) (bool, error) { return true, nil }},
		OnClientError:      func(err error) { c.note(err) },
		OnServerDisconnect: func(d *paho.Disconnect) { c.note(fmt.Errorf("the broker says %s", d.Packet().Reason())) },
	})
	answer, err := c.client.Connect(ctx, connectPacket(s, password, first))
	if err != nil {
		conn.Close()
		if c.mine {
			_ = c.tracker.Close()
		}
		if answer != nil && answer.ReasonCode != 0 {
			refused := packets.Connack{ReasonCode: answer.ReasonCode}
			err = fmt.Errorf("refused with code 0x%02x: %s", answer.ReasonCode, refused.Reason())
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	if p := answer.Properties; p != nil && p.MaximumPacketSize != nil {
		c.largest = *p.MaximumPacketSize
	}
	return c, nil
}

func connectPacket(s *Sink, password string, first bool) *paho.Connect {
	p := &paho.Connect{
		ClientID: s.state.id, KeepAlive: uint16(orDefault(s.KeepAlive, defaultKeepAlive) / time.Second),
		Username: s.Username, UsernameFlag: s.Username != "", Password: []byte(password), PasswordFlag: s.Password.IsSet(),
		// What the broker remembers of an earlier process is not known here: its
		// packet numbers could be taken for repetitions of ours.
		CleanStart: first || s.Session == 0,
		Properties: &paho.ConnectProperties{SessionExpiryInterval: seconds(s.Session)},
	}
	if w := s.Will; w != nil {
		p.WillMessage = &paho.WillMessage{Topic: w.Topic, Payload: w.Payload, QoS: w.QoS.Level(), Retain: w.Retain}
		p.WillProperties = &paho.WillProperties{WillDelayInterval: seconds(w.Delay)}
	}
	return p
}

// seconds rounds up; nil for none.
func seconds(d time.Duration) *uint32 {
	if d == 0 {
		return nil
	}
	n := uint32(min((d+time.Second-1)/time.Second, 1<<32-1))
	return &n
}

func (c *session5) note(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		c.why = why
	}
}

func (c *session5) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.why == nil {
		return errors.New("connection lost")
	}
	return fmt.Errorf("connection lost: %w", c.why)
}

func (c *session5) lost() <-chan struct{} { return c.client.Done() }

func (c *session5) send(ctx context.Context, m *message) (receipt, error) {
	p := &paho.Publish{Topic: m.topic, QoS: m.qos, Retain: m.retain, Payload: m.payload, Properties: &paho.PublishProperties{
		MessageExpiry: c.expiry, User: paho.UserProperties{{Key: "id", Value: m.id}},
	}}
	if m.json {
		text := byte(1)
		p.Properties.ContentType, p.Properties.PayloadFormat = "application/json", &text
	}
	// What the packet has besides is less than 64 bytes.
	if n := len(m.payload) + len(m.topic) + len(m.id) + 64; c.largest > 0 && uint64(n) > uint64(c.largest) {
		return nil, &refusal{fmt.Sprintf("a message of %d bytes, the broker takes %d", n, c.largest), sink.TooLarge}
	}
	answers := make(chan packets.ControlPacket, 1)
	_, err := c.client.PublishWithOptions(context.WithValue(ctx, answersKey{}, answers), p, paho.PublishOptions{Method: paho.PublishMethod_AsyncSend})
	switch {
	case errors.Is(err, paho.ErrInvalidArguments): // such as retain where the broker has none
		return nil, &refusal{err.Error(), sink.Permanent}
	case err != nil && ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, fmt.Errorf("publish: %w", err)
	case m.qos == 0:
		answers <- packets.ControlPacket{FixedHeader: packets.FixedHeader{Type: packets.PUBLISH}}
	}
	return &receipt5{c, answers}, nil
}

func (c *session5) close() {
	// A broker that reads no more must not hold this up.
	_ = c.conn.SetWriteDeadline(time.Now().Add(farewell))
	select {
	case <-c.client.Done():
	default:
		_ = c.client.Disconnect(&paho.Disconnect{})
	}
	c.conn.Close()
	if c.mine {
		_ = c.tracker.Close()
	}
}

type receipt5 struct {
	c       *session5
	answers chan packets.ControlPacket
}

func (r *receipt5) wait(ctx context.Context) error {
	select {
	case a := <-r.answers:
		return r.verdict(&a)
	case <-r.c.client.Done():
		select { // an answer may have come just before
		case a := <-r.answers:
			return r.verdict(&a)
		default:
			return r.c.cause()
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// verdict reads an answer. Codes from 0x80 on are refusals.
func (r *receipt5) verdict(a *packets.ControlPacket) error {
	switch p := a.Content.(type) {
	case *packets.Puback:
		return refused(p.ReasonCode, p.Reason())
	case *packets.Pubrec:
		return refused(p.ReasonCode, p.Reason())
	case *packets.Pubcomp:
		return nil // the broker has the message since its PUBREC
	}
	if a.Type == packets.PUBLISH {
		return nil
	}
	return r.c.cause() // the record was cleared
}

// refused classifies a code: what is wrong with the message is permanent, the
// rest, such as a quota, may pass.
func refused(code byte, reason string) error {
	if code < 0x80 {
		return nil
	}
	r := &refusal{fmt.Sprintf("refused with code 0x%02x: %s", code, reason), func(err error) error { return sink.Retry(err, 0) }}
	switch code {
	case 0x87, 0x90, 0x99: // not authorized for this topic, topic name invalid, payload format invalid
		r.class = sink.Permanent
	case 0x95: // packet too large
		r.class = sink.TooLarge
	}
	return r
}
