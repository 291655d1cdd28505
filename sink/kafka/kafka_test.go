package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
)

const password = "c4nAry-p4ss"

// gate is a listener that can be closed and opened again at the same address.
type gate struct {
	addr string

	mu    sync.Mutex
	open  net.Listener
	conns []net.Conn
	up    chan struct{} // closed while the gate is open
	ended bool
}

func newGate(network, address string) (*gate, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	g := &gate{addr: l.Addr().String(), open: l, up: make(chan struct{})}
	close(g.up)
	return g, nil
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		g.mu.Lock()
		l, up, ended := g.open, g.up, g.ended
		g.mu.Unlock()
		if ended {
			return nil, net.ErrClosed
		}
		<-up
		conn, err := l.Accept()
		g.mu.Lock()
		if err == nil && g.open != l {
			conn.Close()
			err = net.ErrClosed
		}
		if err == nil {
			g.conns = append(g.conns, conn)
			g.mu.Unlock()
			return conn, nil
		}
		again := !g.ended
		g.mu.Unlock()
		if !again {
			return nil, err
		}
	}
}

// Addr and Close are those of a net.Listener.
func (g *gate) Addr() net.Addr { return g.open.Addr() }

func (g *gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ended {
		g.ended = true
		g.open.Close()
		select {
		case <-g.up:
		default:
			close(g.up)
		}
	}
	return nil
}

// Down refuses and ends connections, Up allows them again.
func (g *gate) Down() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open.Close()
	g.up = make(chan struct{})
	for _, c := range g.conns {
		c.Close()
	}
	g.conns = nil
}

func (g *gate) Up(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	l, err := net.Listen("tcp", g.addr)
	if err != nil {
		t.Fatal(err)
	}
	g.open = l
	close(g.up)
}

// broker is a cluster of one broker that can go down and come up again.
type broker struct {
	*kfake.Cluster
	*gate
}

func newBroker(t *testing.T, opts ...kfake.Opt) *broker {
	t.Helper()
	b := &broker{}
	opts = append([]kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(3), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		g, err := newGate(network, address)
		b.gate = g
		return g, err
	})}, opts...)
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	b.Cluster = c
	t.Cleanup(c.Close)
	return b
}

// Close is for both that broker is made of.
func (b *broker) Close() { b.Cluster.Close() }

// received returns the records of a topic, by partition in order.
func received(t *testing.T, b *broker, topic string, opts ...kgo.Opt) []*kgo.Record {
	t.Helper()
	var n int64
	for _, p := range b.PartitionInfos(topic) {
		n += p.HighWatermark
	}
	if n == 0 {
		return nil
	}
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.ListenAddrs()...), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var all []*kgo.Record
	for int64(len(all)) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%d of %d records: %v", len(all), n, err)
		}
		all = append(all, fetches.Records()...)
	}
	slices.SortStableFunc(all, func(a, b *kgo.Record) int {
		if a.Partition != b.Partition {
			return int(a.Partition - b.Partition)
		}
		return int(a.Offset - b.Offset)
	})
	return all
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

func ids(records []*kgo.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, header(r, HeaderID))
	}
	return out
}

func attemptCtx(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := s.Open(attemptCtx(t, 20*time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func event(id, series string, fields ...tickwell.Field) tickwell.Event {
	return tickwell.Event{ID: id, Source: "t", Series: series, Time: time.Date(2026, 1, 23, 10, 0, 0, 123e6, time.UTC), Fields: fields}
}

func handle(t *testing.T, s *Sink, events ...tickwell.Event) {
	t.Helper()
	if err := s.Handle(attemptCtx(t, 20*time.Second), events); err != nil {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	at := time.Date(2026, 1, 23, 10, 0, 0, 123e6, time.UTC)
	row := event("t|root.d1|1", "root.d1",
		tickwell.Float64("speed", 12.5), tickwell.Int64("n", 9007199254740993), tickwell.Bool("on", true), tickwell.Text("note", "föö \"bar\""), tickwell.Field{Name: "gone"})
	bare := tickwell.Event{ID: "x", Source: "q", Time: at, Status: tickwell.StatusFiring, Labels: map[string]string{"alertname": "hot"}}
	for _, c := range []struct {
		name      string
		sink      Sink
		event     tickwell.Event
		key       string
		value     string
		headers   string
		eventTime bool
	}{
		{"row by default", Sink{}, row, "root.d1",
			`{"time":"2026-01-23T10:00:00.123Z","speed":12.5,"n":9007199254740993,"on":true,"note":"föö \"bar\"","gone":null}`,
			"id=t|root.d1|1 source=t content-type=application/json", false},
		{"whole event", Sink{Whole: true, EventTime: true}, event("i", "root.d1", tickwell.Int32("v", 1)), "root.d1",
			`{"id":"i","source":"t","series":"root.d1","time":"2026-01-23T10:00:00.123Z","fields":{"v":1}}`,
			"id=i source=t content-type=application/json", true},
		{"no fields, no series", Sink{}, bare, "q",
			`{"id":"x","source":"q","series":"","time":"2026-01-23T10:00:00.123Z","status":"firing","labels":{"alertname":"hot"}}`,
			"id=x source=q content-type=application/json", false},
		{"template", Sink{Body: "传感器 {{.time}} {{.speed}}", ContentType: "text/plain; charset=utf-8", Headers: map[string]string{"site": "b", "app": "a"}}, row, "root.d1",
			"传感器 2026-01-23 10:00:00.123 12.5", "id=t|root.d1|1 source=t content-type=text/plain; charset=utf-8 app=a site=b", false},
		{"JSON template", Sink{Body: `{"v": {{.note}}}`}, row, "root.d1", `{"v": "föö \"bar\""}`, "id=t|root.d1|1 source=t content-type=application/json", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBroker(t, kfake.SeedTopics(1, "topic"))
			s := c.sink
			s.Brokers, s.Topic = b.ListenAddrs(), "topic"
			before := time.Now()
			handle(t, open(t, &s), c.event)
			records := received(t, b, "topic")
			if len(records) != 1 {
				t.Fatalf("%d records, want 1", len(records))
			}
			r := records[0]
			var headers []string
			for _, h := range r.Headers {
				headers = append(headers, h.Key+"="+string(h.Value))
			}
			if string(r.Key) != c.key || string(r.Value) != c.value || strings.Join(headers, " ") != c.headers {
				t.Errorf("got  %s %s %q\nwant %s %s %q", r.Key, r.Value, headers, c.key, c.value, c.headers)
			}
			if c.eventTime && !r.Timestamp.Equal(at) || !c.eventTime && (r.Timestamp.Before(before.Add(-time.Second)) || r.Timestamp.After(time.Now().Add(time.Second))) {
				t.Errorf("time of the record is %v, sent at %v, event of %v", r.Timestamp, before, at)
			}
		})
	}
}

// TestOrder holds that events of one series lie in one partition in their order.
func TestOrder(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(5, "topic"))
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Compression: "zstd"})
	var want [7][]string
	for batch := range 10 {
		var events []tickwell.Event
		for i := range 50 {
			d := (batch + i) % 7
			id := fmt.Sprintf("%d.%d.%d", d, batch, i)
			want[d] = append(want[d], id)
			events = append(events, event(id, fmt.Sprintf("root.d%d", d), tickwell.Int64("v", int64(i))))
		}
		handle(t, s, events...)
	}
	var got [7][]string
	partition := map[string]int32{}
	for _, r := range received(t, b, "topic") {
		var d int
		fmt.Sscanf(string(r.Key), "root.d%d", &d)
		got[d] = append(got[d], header(r, HeaderID))
		if p, ok := partition[string(r.Key)]; ok && p != r.Partition {
			t.Errorf("%s is in partitions %d and %d", r.Key, p, r.Partition)
		}
		partition[string(r.Key)] = r.Partition
	}
	for d := range want {
		if !slices.Equal(got[d], want[d]) {
			t.Errorf("root.d%d: got %q, want %q", d, got[d], want[d])
		}
	}
	used := map[int32]bool{}
	for _, p := range partition {
		used[p] = true
	}
	if len(used) < 2 {
		t.Errorf("seven series share %d partition", len(used))
	}
}

// TestOutageRepeatsNothing holds that records a broker did not answer for are
// written once, whether it had taken them before it went away or not.
func TestOutageRepeatsNothing(t *testing.T) {
	for _, taken := range []bool{false, true} {
		b := newBroker(t, kfake.SeedTopics(1, "topic"))
		s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic"})
		var events []tickwell.Event
		var want []string
		for i := range 20 {
			events = append(events, event(fmt.Sprint(i), "root.d", tickwell.Int64("v", int64(i))))
			want = append(want, fmt.Sprint(i))
		}
		handle(t, s, events[:5]...)
		var faults *kfake.FaultHandle
		if taken { // the broker writes, and says that it is not sure
			faults = b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicasAfterAppend, Count: -1})
		} else {
			b.Down()
		}
		err := s.Handle(attemptCtx(t, 300*time.Millisecond), events[5:12])
		if class, _ := deliver.Classify(err); class != deliver.ClassRetry || !strings.Contains(err.Error(), "not written yet") {
			t.Fatalf("%v of class %v, want to try again", err, class)
		}
		if taken {
			faults.Remove()
		} else {
			b.Up(t)
		}
		handle(t, s, events[5:9]...) // in other batches
		handle(t, s, events[9:]...)
		if got := ids(received(t, b, "topic")); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		if n := len(s.state.flight.orphans); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
	}
}

func TestFirstBrokerDown(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	handle(t, open(t, &Sink{Brokers: append([]string{nobody}, b.ListenAddrs()...), Topic: "topic"}), event("1", "root.d"))
	if got := ids(received(t, b, "topic")); !slices.Equal(got, []string{"1"}) {
		t.Errorf("got %q, want 1", got)
	}
	err = (&Sink{Brokers: []string{nobody}, Topic: "topic"}).Open(attemptCtx(t, 5*time.Second))
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v, want that the connection is refused", err)
	}
}

func TestTopic(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "there"))
	err := (&Sink{Brokers: b.ListenAddrs(), Topic: "new"}).Open(attemptCtx(t, 10*time.Second))
	if err == nil || !strings.Contains(err.Error(), "topic new: the topic does not exist, and Create is not set") {
		t.Errorf("%v, want that the topic does not exist", err)
	}
	for range 2 { // the second time it exists
		s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "new", Create: &NewTopic{Partitions: 4, Settings: map[string]string{"retention.ms": "3600000"}}})
		handle(t, s, event("1", "root.d"))
	}
	info := b.TopicInfo("new")
	if n := len(b.PartitionInfos("new")); n != 4 {
		t.Errorf("the topic has %d partitions, want 4", n)
	}
	if info == nil || info.Configs["retention.ms"] == nil || *info.Configs["retention.ms"] != "3600000" {
		t.Errorf("the topic is %+v, want retention.ms 3600000", info)
	}
	open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "there", Create: &NewTopic{Partitions: 4}})
	if n := len(b.PartitionInfos("there")); n != 1 {
		t.Errorf("a topic that exists was changed: it has %d partitions", n)
	}
}

// TestTopicGoes holds that a topic which is deleted is made again, as the store
// opens the sink anew.
func TestTopicGoes(t *testing.T) {
	b := newBroker(t)
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Create: &NewTopic{Partitions: 1}})
	handle(t, s, event("1", "root.d"))
	if err := b.DeleteTopic("topic"); err != nil {
		t.Fatal(err)
	}
	err := s.Handle(attemptCtx(t, 20*time.Second), []tickwell.Event{event("2", "root.d")})
	if class, _ := deliver.Classify(err); class != deliver.ClassReconnect {
		t.Fatalf("%v of class %v, want to open again", err, class)
	}
	handle(t, open(t, s), event("2", "root.d"))
	if got := ids(received(t, b, "topic")); !slices.Equal(got, []string{"2"}) {
		t.Errorf("got %q, want 2", got)
	}
}

// TestPoison holds that an event which can never be written is given up and
// takes no other with it.
func TestPoison(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	huge := strings.Repeat("x", 3000)
	for _, c := range []struct {
		name string
		sink Sink
		bad  tickwell.Event
		why  string
	}{
		{"too large", Sink{MaxBytes: 2000, Compression: "none"}, event("bad", "root.d", tickwell.Text("v", huge)), "MESSAGE_TOO_LARGE"},
		{"template", Sink{Body: "{{.v}}", ContentType: "text/plain"}, event("bad", "root.d"), "v"},
	} {
		s := c.sink
		s.Brokers, s.Topic = b.ListenAddrs(), "topic"
		open(t, &s)
		good := func(id string) tickwell.Event { return event(id, "root.d", tickwell.Text("v", "x")) }
		err := s.Handle(attemptCtx(t, 20*time.Second), []tickwell.Event{good(c.name + " 1"), c.bad, good(c.name + " 2")})
		class, _ := deliver.Classify(err)
		p := &deliver.Partial{}
		if class != deliver.ClassPartial || !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2}) || !slices.Equal(p.Rejected, []int{1}) || p.Rest != nil ||
			!strings.Contains(p.Causes[1].Error(), c.why) {
			t.Errorf("%s: %v of class %v: %+v", c.name, err, class, p.Causes)
		}
	}
	want := []string{"too large 1", "too large 2", "template 1", "template 2"}
	if got := ids(received(t, b, "topic")); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRefusedBatch holds that of a batch which the broker refuses as a whole only
// those are given up that it refuses alone.
func TestRefusedBatch(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Compression: "none"})
	var sizes []int
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidTimestamp, Count: -1, When: func(r kmsg.Request) bool {
		batch := r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records
		sizes = append(sizes, strings.Count(string(batch), "root.d"))
		return strings.Contains(string(batch), "poison")
	}})
	err := s.Handle(attemptCtx(t, 20*time.Second), []tickwell.Event{event("1", "root.d"), event("poison", "root.d"), event("2", "root.d"), event("3", "root.d")})
	p := &deliver.Partial{}
	if !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2, 3}) || !slices.Equal(p.Rejected, []int{1}) || !errors.Is(p.Causes[1], kerr.InvalidTimestamp) {
		t.Errorf("%v: %+v, want that 1 is rejected", err, p)
	}
	if got := ids(received(t, b, "topic")); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %q, want 1 to 3; requests had %v records", got, sizes)
	}
}

// TestRefusedBatchInShortTime holds that those of a refused batch that there was
// no time to send alone are tried again, not given up for what another holds.
func TestRefusedBatchInShortTime(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Compression: "none"})
	ctx, cancel := context.WithCancelCause(attemptCtx(t, 20*time.Second))
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidTimestamp, Count: -1, When: func(r kmsg.Request) bool {
		batch := string(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records)
		if strings.Contains(batch, "poison") && strings.Count(batch, HeaderType) == 1 {
			cancel(errors.New("the attempt is over")) // while it is tried alone
		}
		return strings.Contains(batch, "poison")
	}})
	events := []tickwell.Event{event("1", "root.d"), event("poison", "root.d"), event("2", "root.d"), event("3", "root.d")}
	err := s.Handle(ctx, events)
	p := &deliver.Partial{}
	if !errors.As(err, &p) || !slices.Contains(p.Done, 0) || slices.Contains(p.Rejected, 2) || slices.Contains(p.Rejected, 3) {
		t.Fatalf("%v: %+v, want that 2 and 3 wait", err, p)
	}
	err = s.Handle(attemptCtx(t, 20*time.Second), events[1:])
	if !errors.As(err, &p) || !slices.Equal(p.Done, []int{1, 2}) || !slices.Equal(p.Rejected, []int{0}) {
		t.Errorf("then %v: %+v, want that the poison is rejected", err, p)
	}
	if got := ids(received(t, b, "topic")); !slices.Equal(got, []string{"1", "2", "3"}) {
		t.Errorf("got %q, want 1 to 3", got)
	}
}

func TestHandleBeforeOpenAndAfterClose(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	s := &Sink{Brokers: b.ListenAddrs(), Topic: "topic"}
	for range 2 {
		err := s.Handle(t.Context(), []tickwell.Event{event("1", "root.d")})
		if class, _ := deliver.Classify(err); class != deliver.ClassReconnect {
			t.Errorf("%v of class %v, want not connected", err, class)
		}
		handle(t, open(t, s), event("1", "root.d"))
		for range 2 {
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	spec := tickwell.SinkSpec{}
	(&Sink{}).Defaults(&spec)
	if spec.Batch != 4096 || spec.Linger != 5*time.Millisecond || spec.InFlight != 2 {
		t.Errorf("defaults are %+v", spec)
	}
	own := tickwell.SinkSpec{Batch: 1, Linger: time.Second, InFlight: 1}
	(&Sink{}).Defaults(&own)
	if own.Batch != 1 || own.Linger != time.Second || own.InFlight != 1 {
		t.Errorf("what was set became %+v", own)
	}
}

func TestRefusedSettings(t *testing.T) {
	ok := func(change func(*Sink)) *Sink {
		s := &Sink{Brokers: []string{"localhost"}, Topic: "topic"}
		change(s)
		return s
	}
	secret := sink.NewSecret(password)
	for _, c := range []struct {
		name   string
		change func(*Sink)
		want   string
	}{
		{"plain", func(*Sink) {}, ""},
		{"IPv6", func(s *Sink) { s.Brokers = []string{"::1"} }, ""},
		{"IPv6 in brackets", func(s *Sink) { s.Brokers = []string{"[::1]:9092", "[::1]"} }, ""},
		{"no brokers", func(s *Sink) { s.Brokers = nil }, "no Brokers"},
		{"URL", func(s *Sink) { s.Brokers = []string{"kafka://host:1"} }, "not host:port"},
		{"list in one", func(s *Sink) { s.Brokers = []string{"a,b"} }, "not host:port"},
		{"no topic", func(s *Sink) { s.Topic = "" }, "topic"},
		{"dot", func(s *Sink) { s.Topic = ".." }, "topic"},
		{"slash", func(s *Sink) { s.Topic = "a/b" }, "topic"},
		{"long", func(s *Sink) { s.Topic = strings.Repeat("a", 250) }, "topic"},
		{"negative", func(s *Sink) { s.Create = &NewTopic{Partitions: -1} }, "-1 partitions"},
		{"compression", func(s *Sink) { s.Compression = "rar" }, "rar"},
		{"bytes", func(s *Sink) { s.MaxBytes = 10 }, "MaxBytes 10"},
		{"header", func(s *Sink) { s.Headers = map[string]string{"id": "x"} }, `header "id"`},
		{"mechanism", func(s *Sink) { s.Mechanism = "GSSAPI" }, "GSSAPI"},
		{"no mechanism", func(s *Sink) { s.User, s.Password = "u", secret }, "without a Mechanism"},
		{"no user", func(s *Sink) { s.Mechanism, s.Password = SCRAM256, secret }, "needs User"},
		{"no password", func(s *Sink) { s.Mechanism, s.User = SCRAM512, "u" }, "needs User and Password"},
		{"SCRAM", func(s *Sink) { s.Mechanism, s.User, s.Password = SCRAM512, "u", secret }, ""},
		{"PLAIN in clear", func(s *Sink) { s.Mechanism, s.User, s.Password = Plain, "u", secret }, "set TLS, or ClearText"},
		{"PLAIN in clear, meant", func(s *Sink) { s.Mechanism, s.User, s.Password, s.ClearText = Plain, "u", secret, true }, ""},
		{"token in clear", func(s *Sink) { s.Token = secret }, "OAUTHBEARER shows the secret"},
		{"no token", func(s *Sink) { s.Mechanism = OAuth }, "needs a Token"},
		{"template", func(s *Sink) { s.Body = "{{.a" }, "template"},
		{"template that is no JSON", func(s *Sink) { s.Body = "hello {{.a}}" }, "JSON"},
	} {
		s := ok(c.change)
		err := s.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if _, e := tickwell.Open(t.Context(), "", &tickwell.Options{Logger: slog.New(slog.DiscardHandler), Sinks: []tickwell.SinkSpec{{Name: "k", Sink: s}}}); c.want != "" && e == nil {
			t.Errorf("%s: the store takes it", c.name)
		}
	}
}

// TestRefusedBesideOthers holds that of two calls whose batches are refused none
// gives up what the other's record is at fault for.
func TestRefusedBesideOthers(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(1, "topic"))
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Compression: "none"})
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidTimestamp, Count: -1, When: func(r kmsg.Request) bool {
		return strings.Contains(string(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records), "poison")
	}})
	const rounds, calls, size = 10, 3, 8
	var mu sync.Mutex
	var want []string
	var wg sync.WaitGroup
	for c := range calls {
		wg.Go(func() {
			for r := range rounds {
				var events []tickwell.Event
				for i := range size {
					id := fmt.Sprintf("%d-%d-%d", c, r, i)
					if i == r%size {
						id = "poison " + id
					} else {
						mu.Lock()
						want = append(want, id)
						mu.Unlock()
					}
					events = append(events, event(id, fmt.Sprint("root.d", c)))
				}
				err := s.Handle(attemptCtx(t, 20*time.Second), events)
				p := &deliver.Partial{}
				if !errors.As(err, &p) || len(p.Done) != size-1 || !slices.Equal(p.Rejected, []int{r % size}) {
					t.Errorf("call %d, round %d: %v: %+v, want that %d is rejected", c, r, err, p, r%size)
				}
			}
		})
	}
	wg.Wait()
	got := ids(received(t, b, "topic"))
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestAloneBesideLeaderless: a refused batch whose records have to be sent alone waits
// for what a partition without a leader keeps, no longer than its attempt lasts; nothing
// is given up for it, and all goes on when there is a leader again.
func TestAloneBesideLeaderless(t *testing.T) {
	b := newBroker(t, kfake.SeedTopics(2, "topic"))
	s := open(t, &Sink{Brokers: b.ListenAddrs(), Topic: "topic", Compression: "none"})
	at := map[int32]string{} // a series of each partition
	for i := 0; len(at) < 2; i++ {
		series := fmt.Sprint("root.d", i)
		handle(t, s, event(fmt.Sprint("probe ", i), series))
		for _, r := range received(t, b, "topic") {
			if header(r, HeaderID) == fmt.Sprint("probe ", i) {
				at[r.Partition] = series
			}
		}
	}
	b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{1}, Err: kerr.InvalidTimestamp, Count: -1, When: func(r kmsg.Request) bool {
		for _, p := range r.(*kmsg.ProduceRequest).Topics[0].Partitions {
			if p.Partition == 1 && strings.Contains(string(p.Records), "poison") {
				return true
			}
		}
		return false
	}})
	leaderless := b.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Partitions: []int32{0}, Err: kerr.NotLeaderForPartition, Count: -1})
	stuck := []tickwell.Event{event("stuck", at[0])}
	p := &deliver.Partial{}
	if err := s.Handle(attemptCtx(t, 500*time.Millisecond), stuck); err == nil || errors.As(err, &p) && len(p.Rejected) > 0 {
		t.Fatalf("without a leader: %v", err)
	}
	batch := []tickwell.Event{event("1", at[1]), event("poison", at[1]), event("2", at[1])}
	began := time.Now()
	err := s.Handle(attemptCtx(t, 2*time.Second), batch)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the attempt of 2 s took %v", took)
	}
	if err == nil || errors.As(err, &p) && len(p.Rejected) > 0 {
		t.Errorf("beside it: %v, want that all are tried again", err)
	}
	leaderless.Remove()
	handle(t, s, stuck...)
	p = &deliver.Partial{}
	if err := s.Handle(attemptCtx(t, 20*time.Second), batch); !errors.As(err, &p) || !slices.Equal(p.Done, []int{0, 2}) || !slices.Equal(p.Rejected, []int{1}) {
		t.Errorf("with a leader: %v: %+v, want that the poison is rejected", err, p)
	}
	got := slices.DeleteFunc(ids(received(t, b, "topic")), func(id string) bool { return strings.HasPrefix(id, "probe") })
	if !slices.Equal(got, []string{"stuck", "1", "2"}) {
		t.Errorf("got %q", got)
	}
}
