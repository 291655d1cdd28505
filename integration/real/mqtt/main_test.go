// Package mqtt has the tests of sink/mqtt against mosquitto.
package mqtt

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/mqtt"
)

const (
	user     = "root"
	password = "c4nAry-pa55"
)

func TestMain(m *testing.M) {
	trial.Main(m, func(s map[string]string) (tickwell.Sink, error) {
		out := to(s["broker"])
		if s["protocol"] == "5" {
			out.Protocol = mqtt.V5
		}
		return out, nil
	})
}

// to is a sink for a broker that publishes the ids of events.
func to(broker string) *mqtt.Sink {
	return &mqtt.Sink{
		Broker: broker, Username: user, Password: sink.NewSecret(password),
		Topic: "events/{{.series}}", Body: "{{.id}}",
	}
}

// start starts a broker with our user.
func start(t *testing.T, o server.MosquittoOptions) *server.Server {
	t.Helper()
	o.Users = map[string]string{user: password}
	return server.Start(t, server.Mosquitto(o))
}

// listener is subscribed to everything, and stays so over restarts of the broker.
type listener struct {
	t      *testing.T
	client paho.Client

	mu      sync.Mutex
	got     []paho.Message
	markers int
	seen    chan int // the markers that have arrived
}

func listen(t *testing.T, s *server.Server) *listener {
	t.Helper()
	l := &listener{t: t, seen: make(chan int, 100)}
	o := paho.NewClientOptions().AddBroker("tcp://" + s.Addr("mqtt")).SetClientID("listener").SetCleanSession(false).
		SetUsername(user).SetPassword(password).SetMaxReconnectInterval(100 * time.Millisecond).SetResumeSubs(true).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { l.take(m) })
	l.client = paho.NewClient(o)
	l.done(l.client.Connect())
	l.done(l.client.Subscribe("#", 2, nil))
	t.Cleanup(func() { l.client.Disconnect(100) })
	return l
}

func (l *listener) done(token paho.Token) {
	l.t.Helper()
	if !token.WaitTimeout(trial.Patience) || token.Error() != nil {
		l.t.Fatalf("listener: %v", token.Error())
	}
}

func (l *listener) take(m paho.Message) {
	var n int
	if _, err := fmt.Sscanf(m.Topic(), "marker/%d", &n); err == nil {
		l.seen <- n
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, m)
}

// messages returns what has arrived. It waits for all that the broker has taken
// so far, by a message of its own that comes last.
func (l *listener) messages() []paho.Message {
	l.t.Helper()
	l.markers++
	ctx := trial.Within(l.t)
	if err := server.Poll(ctx, func() (bool, error) { return l.client.IsConnectionOpen(), nil }); err != nil {
		l.t.Fatalf("listener: not connected: %v", err)
	}
	l.done(l.client.Publish(fmt.Sprint("marker/", l.markers), 2, false, "m"))
	for {
		select {
		case n := <-l.seen:
			if n < l.markers {
				continue
			}
		case <-ctx.Done():
			l.t.Fatal("listener: its own message does not arrive")
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		return append([]paho.Message(nil), l.got...)
	}
}

// payloads returns the payloads of what has arrived.
func (l *listener) payloads() (list []string) {
	l.t.Helper()
	for _, m := range l.messages() {
		list = append(list, string(m.Payload()))
	}
	return list
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}
