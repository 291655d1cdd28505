package mqtt

import (
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// standin is a broker in this process. It takes what it is told to take and
// remembers it.
type standin struct {
	broker.HookBase
	t    *testing.T
	addr string

	mu       sync.Mutex
	server   *broker.Server
	users    map[string]string                     // nil: everyone
	answer   func(pk packets.Packet) error         // nil: accept
	received []packets.Packet                      // published
	connects []packets.Packet                      // CONNECT packets
	wills    chan packets.Packet                   // published wills
	publish  func(*broker.Client, *packets.Packet) // seen before an answer; may close the client
	greet    func(*packets.Properties)             // changes a CONNACK
}

func newStandin(t *testing.T) *standin {
	t.Helper()
	s := &standin{t: t, wills: make(chan packets.Packet, 10)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	s.serve(l)
	t.Cleanup(s.down)
	return s
}

func (s *standin) serve(l net.Listener) {
	s.t.Helper()
	caps := broker.NewDefaultServerCapabilities()
	caps.MaximumMessageExpiryInterval = 0
	o := &broker.Options{Logger: slog.New(slog.DiscardHandler), Capabilities: caps, InlineClient: true}
	server := broker.New(o)
	if err := server.AddHook(s, nil); err != nil {
		s.t.Fatal(err)
	}
	if err := server.AddListener(&door{listener: l, conns: make(map[net.Conn]bool)}); err != nil {
		s.t.Fatal(err)
	}
	if err := server.Serve(); err != nil {
		s.t.Fatal(err)
	}
	s.server = server
}

func (s *standin) down() {
	if s.server != nil {
		for _, cl := range s.server.Clients.GetAll() {
			_ = s.server.DisconnectClient(cl, packets.ErrServerShuttingDown)
		}
		s.server.Close()
		s.server = nil
	}
}

func (s *standin) up() {
	s.t.Helper()
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.serve(l)
}

// set changes what the broker does while it runs.
func (s *standin) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// messages returns what was published, in order.
func (s *standin) messages() []packets.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]packets.Packet(nil), s.received...)
}

// payloads returns the payloads of what was published, in order.
func (s *standin) payloads() (list []string) {
	for _, m := range s.messages() {
		list = append(list, string(m.Payload))
	}
	return list
}

func (s *standin) ID() string { return "standin" }

func (s *standin) Provides(b byte) bool {
	return slices.Contains([]byte{broker.OnConnectAuthenticate, broker.OnACLCheck, broker.OnPublish, broker.OnWillSent, broker.OnPacketEncode}, b)
}

func (s *standin) OnConnectAuthenticate(_ *broker.Client, pk packets.Packet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connects = append(s.connects, pk)
	if s.users == nil {
		return true
	}
	want, ok := s.users[string(pk.Connect.Username)]
	return ok && want == string(pk.Connect.Password)
}

func (s *standin) OnACLCheck(*broker.Client, string, bool) bool { return true }

func (s *standin) OnPublish(cl *broker.Client, pk packets.Packet) (packets.Packet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.publish != nil {
		s.publish(cl, &pk)
	}
	if s.answer != nil {
		if err := s.answer(pk); err != nil {
			return pk, err
		}
	}
	s.received = append(s.received, pk.Copy(true))
	return pk, nil
}

func (s *standin) OnWillSent(_ *broker.Client, pk packets.Packet) { s.wills <- pk.Copy(true) }

func (s *standin) OnPacketEncode(_ *broker.Client, pk packets.Packet) packets.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pk.FixedHeader.Type == packets.Connack && s.greet != nil {
		s.greet(&pk.Properties)
	}
	return pk
}

// door is where clients of a standin come in. It sends them away itself: the
// broker's list of the clients of a listener takes a read lock twice, and hangs for
// good when a client leaves in between.
type door struct {
	listener net.Listener

	mu     sync.Mutex
	conns  map[net.Conn]bool // nil when closed
	inside sync.WaitGroup
}

func (d *door) Init(*slog.Logger) error { return nil }
func (d *door) ID() string              { return "net" }
func (d *door) Address() string         { return d.listener.Addr().String() }
func (d *door) Protocol() string        { return d.listener.Addr().Network() }

func (d *door) Serve(establish listeners.EstablishFn) {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		if !d.enter(conn) {
			conn.Close()
			return
		}
		go func() {
			defer d.leave(conn)
			_ = establish(d.ID(), conn)
		}()
	}
}

func (d *door) enter(conn net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns == nil {
		return false
	}
	d.conns[conn] = true
	d.inside.Add(1)
	return true
}

func (d *door) leave(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, conn)
	d.inside.Done()
}

func (d *door) Close(listeners.CloseFn) {
	d.listener.Close()
	d.mu.Lock()
	for conn := range d.conns {
		conn.Close()
	}
	d.conns = nil
	d.mu.Unlock()
	d.inside.Wait()
}
