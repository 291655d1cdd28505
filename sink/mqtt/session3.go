package mqtt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync"
	"time"

	paho3 "github.com/eclipse/paho.mqtt.golang"
)

// writeTimeout bounds one write to a broker that reads no more.
const writeTimeout = 5 * time.Second

// farewell is how long a connection may take to end in order.
const farewell = time.Second

// session3 is a connection of protocol 3.1.1. Each has a client of its own that
// does not reconnect and keeps nothing: the store's outbox does that.
type session3 struct {
	client paho3.Client
	conn   net.Conn
	gone   chan struct{}
	once   sync.Once
	why    error // set before gone is closed
}

func connect3(ctx context.Context, s *Sink, password string) (session, error) {
	conn, err := s.dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &session3{conn: conn, gone: make(chan struct{})}
	o := paho3.NewClientOptions().AddBroker("tcp://broker").SetProtocolVersion(4).SetClientID(s.state.id).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false).
		SetKeepAlive(orDefault(s.KeepAlive, defaultKeepAlive)).SetPingTimeout(10 * time.Second).SetWriteTimeout(writeTimeout).
		SetUsername(s.Username).SetPassword(password).
		SetCustomOpenConnectionFn(func(*url.URL, paho3.ClientOptions) (net.Conn, error) { return conn, nil }).
		SetConnectionLostHandler(func(_ paho3.Client, err error) { c.end(err) })
	if w := s.Will; w != nil {
		o.SetBinaryWill(w.Topic, w.Payload, w.QoS.Level(), w.Retain)
	}
	// The client's handshake knows no context, so the connection ends with it.
	release := context.AfterFunc(ctx, func() { conn.Close() })
	defer release()
	c.client = paho3.NewClient(o)
	token := c.client.Connect()
	<-token.Done()
	if err := token.Error(); err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

func (c *session3) end(why error) {
	c.once.Do(func() {
		c.why = why
		close(c.gone)
	})
}

func (c *session3) lost() <-chan struct{} { return c.gone }

func (c *session3) send(ctx context.Context, m *message) (receipt, error) {
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-c.gone:
		return nil, c.cause()
	default:
	}
	return &receipt3{c, c.client.Publish(m.topic, m.qos, m.retain, m.payload)}, nil
}

func (c *session3) cause() error {
	if c.why == nil {
		return errors.New("connection lost")
	}
	return fmt.Errorf("connection lost: %w", c.why)
}

func (c *session3) close() {
	c.client.Disconnect(uint(farewell / time.Millisecond))
	c.conn.Close()
	c.end(errors.New("closed"))
}

type receipt3 struct {
	c     *session3
	token paho3.Token
}

func (r *receipt3) wait(ctx context.Context) error {
	select {
	case <-r.token.Done():
		return r.token.Error()
	default:
	}
	select {
	case <-r.token.Done():
		return r.token.Error()
	case <-r.c.gone:
		// An answer may have come just before.
		select {
		case <-r.token.Done():
			return r.token.Error()
		default:
			return r.c.cause()
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
