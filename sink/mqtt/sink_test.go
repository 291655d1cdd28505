package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	broker "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/internal/selfsigned"
	"github.com/tickwell/tickwell/sink"
)

// each runs a test with both protocols.
func each(t *testing.T, run func(t *testing.T, p Protocol)) {
	for _, p := range []Protocol{V311, V5} {
		t.Run(p.String(), func(t *testing.T) { run(t, p) })
	}
}

// attempt is the context of one attempt.
func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func opened(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := s.Open(attempt(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

// rows are n events of a series.
func rows(n int) (list []tickwell.Event) {
	for i := range n {
		list = append(list, tickwell.Event{
			ID: fmt.Sprint("id", i), Source: "t", Series: "root.d", Time: time.UnixMilli(int64(i)),
			Fields: []tickwell.Field{tickwell.Float64("v", float64(i))},
		})
	}
	return list
}

func row(i int) string {
	return fmt.Sprintf(`{"device":"root.d","measurements":["v"],"timestamp":%d,"values":[%d.0]}`, i, i)
}

// TestHundredPoints is the example of the IoTDB 0.13 page: exactly once, not
// retained, times 0 to 99.
func TestHundredPoints(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		s := opened(t, &Sink{Broker: b.addr, Protocol: p, Device: "root.alerting", Measurements: []string{"remote"}})
		var events []tickwell.Event
		for i := range 100 {
			events = append(events, NewEvent("test", ExactlyOnce, false, time.UnixMilli(int64(i)), tickwell.Float64Value(float64(i))))
		}
		if err := s.Handle(attempt(t), events); err != nil {
			t.Fatal(err)
		}
		got := b.messages()
		if len(got) != 100 {
			t.Fatalf("%d messages, want 100", len(got))
		}
		for i, m := range got {
			want := fmt.Sprintf(`{"device":"root.alerting","measurements":["remote"],"timestamp":%d,"values":[%d.0]}`, i, i)
			if string(m.Payload) != want || m.TopicName != "test" || m.FixedHeader.Qos != 2 || m.FixedHeader.Retain {
				t.Errorf("message %d: %+v %s, want %s exactly once, not retained", i, m.FixedHeader, m.Payload, want)
			}
		}
	})
}

// TestPerEvent holds that topic, quality of service and retain flag are those of
// each event, and that the broker keeps what is retained.
func TestPerEvent(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		s := opened(t, &Sink{Broker: b.addr, Protocol: p, Topic: "default", QoS: AtMostOnce, Device: "d"})
		at := time.UnixMilli(1)
		events := []tickwell.Event{
			NewEvent("one", AtMostOnce, true, at, tickwell.Int32Value(1)),
			NewEvent("two", AtLeastOnce, false, at, tickwell.Int32Value(2)),
			NewEvent("three", ExactlyOnce, true, at, tickwell.Int32Value(3), tickwell.TextValue("x")),
		}
		events = append(events, rows(1)...)
		events[3].Series = ""
		if err := s.Handle(attempt(t), events); err != nil {
			t.Fatal(err)
		}
		s.Close(t.Context()) // after this the broker has read everything
		for len(b.messages()) < 4 {
			if t.Context().Err() != nil {
				t.Fatal("messages are missing")
			}
			b.server.Listeners.ClientsWg.Wait()
		}
		var got []string
		for _, m := range b.messages() {
			got = append(got, fmt.Sprintf("%s qos %d retain %v %s", m.TopicName, m.FixedHeader.Qos, m.FixedHeader.Retain, m.Payload))
		}
		want := []string{
			`one qos 0 retain true {"device":"d","measurements":["v1"],"timestamp":1,"values":[1]}`,
			`two qos 1 retain false {"device":"d","measurements":["v1"],"timestamp":1,"values":[2]}`,
			`three qos 2 retain true {"device":"d","measurements":["v1","v2"],"timestamp":1,"values":[3,"x"]}`,
			`default qos 0 retain false {"device":"d","measurements":["v"],"timestamp":0,"values":[0.0]}`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		for topic, kept := range map[string]int{"one": 1, "two": 0, "three": 1} {
			if n := len(b.server.Topics.Messages(topic)); n != kept {
				t.Errorf("%s: the broker keeps %d messages, want %d", topic, n, kept)
			}
		}
	})
}

// TestOpenFails holds what Open says of a broker that is not there, refuses the
// user, or says nothing, and that nothing secret is in it.
func TestOpenFails(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		b.set(func() { b.users = map[string]string{"root": "right"} })
		silent, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
		closed, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		closed.Close()
		for _, c := range []struct{ name, addr, user, password, want string }{
			{"wrong password", b.addr, "root", "c4nAry", ""},
			{"wrong user", b.addr, "c4nAry-user", "right", ""},
			{"no user", b.addr, "", "", ""},
			{"no broker", closed.Addr().String(), "root", "c4nAry", "refused"},
			{"silent broker", silent.Addr().String(), "root", "c4nAry", "deadline"},
		} {
			s := &Sink{Broker: c.addr, Protocol: p, Topic: "t", Username: c.user}
			if c.password != "" {
				s.Password = sink.NewSecret(c.password)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if c.name != "silent broker" {
				ctx = attempt(t)
			}
			err := s.Open(ctx)
			cancel()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c4nAry") {
				t.Errorf("%s: %v, want %q and no secret", c.name, err, c.want)
			}
			if class, _ := deliver.Classify(err); class != deliver.ClassRetry {
				t.Errorf("%s: %v is of class %v, want retry: credentials get put right", c.name, err, class)
			}
			if err := s.Handle(attempt(t), rows(1)); err == nil {
				t.Errorf("%s: Handle works after Open has failed", c.name)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if n := len(b.messages()); n != 0 {
			t.Errorf("%d messages arrived", n)
		}
	})
}

// TestLostConnection holds that of a batch those without an answer are to be
// sent again, and only those.
func TestLostConnection(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		b.set(func() {
			b.publish = func(cl *broker.Client, pk *packets.Packet) {
				if string(pk.Payload) == row(30) {
					cl.Stop(errors.New("enough"))
				}
			}
		})
		s := opened(t, &Sink{Broker: b.addr, Protocol: p, Topic: "t", InFlight: 20})
		events := rows(100)
		err := s.Handle(attempt(t), events)
		var part *deliver.Partial
		if !errors.As(err, &part) || len(part.Rejected) != 0 {
			t.Fatalf("%v, want a part delivered", err)
		}
		if class, _ := deliver.Classify(part.Rest); class != deliver.ClassReconnect {
			t.Errorf("%v, want that the sink is opened again", part.Rest)
		}
		for n, i := range part.Done {
			if n != i || i >= 30 {
				t.Errorf("events %v are done, want some of 0 to 29 from the first on", part.Done)
				break
			}
		}
		b.set(func() { b.publish = nil })
		opened(t, s)
		if err := s.Handle(attempt(t), events[len(part.Done):]); err != nil {
			t.Fatal(err)
		}
		next := 0
		for _, got := range b.payloads() {
			if got == row(next) {
				next++
			}
		}
		if next != 100 {
			t.Errorf("the rows stop being in order at %d", next)
		}
	})
}

// TestHandleTogether holds that batches may be sent at the same time, as they are
// with an InFlight of the SinkSpec above 1: each gets the answers to its own.
func TestHandleTogether(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		s := opened(t, &Sink{Broker: b.addr, Protocol: p, Topic: "t"})
		events := rows(400)
		errs := make(chan error)
		for at := range 4 {
			go func() { errs <- s.Handle(attempt(t), events[at*100:(at+1)*100]) }()
		}
		for range 4 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		got := b.payloads()
		slices.Sort(got)
		var want []string
		for i := range 400 {
			want = append(want, row(i))
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("arrived %d rows: %.200q…, want each of 400 once", len(got), got)
		}
	})
}

// TestRefused holds what a broker of version 5 may say to one message, and that
// the others are not concerned, unless they would overtake it.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		code packets.Code
		want deliver.Class
	}{
		{packets.ErrNotAuthorized, deliver.ClassPermanent},
		{packets.ErrTopicNameInvalid, deliver.ClassPermanent},
		{packets.ErrPayloadFormatInvalid, deliver.ClassPermanent},
		{packets.ErrQuotaExceeded, deliver.ClassRetry},
		{packets.ErrUnspecifiedError, deliver.ClassRetry},
	} {
		for _, q := range []QoS{AtLeastOnce, ExactlyOnce} {
			b := newStandin(t)
			b.set(func() {
				b.answer = func(pk packets.Packet) error {
					if string(pk.Payload) == row(1) {
						return c.code
					}
					return nil
				}
			})
			s := opened(t, &Sink{Broker: b.addr, Protocol: V5, Topic: "t", QoS: q})
			err := s.Handle(attempt(t), rows(3))
			var part *deliver.Partial
			done := []int{0, 2}
			if c.want == deliver.ClassRetry {
				done = []int{0}
			}
			if !errors.As(err, &part) || !slices.Equal(part.Done, done) {
				t.Errorf("%s %v: %v, want %v done", c.code.Reason, q, err, done)
				continue
			}
			if class, _ := deliver.Classify(part.Causes[1]); class != c.want || !strings.Contains(part.Causes[1].Error(), fmt.Sprintf("0x%02x", c.code.Code)) {
				t.Errorf("%s %v: %v, want class %v and the code", c.code.Reason, q, part.Causes[1], c.want)
			}
		}
	}
}

// TestRefusedKeepsOrder holds that what the broker has taken of a series after a
// message that is to be sent again comes again behind it.
func TestRefusedKeepsOrder(t *testing.T) {
	b := newStandin(t)
	refusals := 1
	b.set(func() {
		b.answer = func(pk packets.Packet) error {
			if string(pk.Payload) == "1" && refusals > 0 {
				refusals--
				return packets.ErrQuotaExceeded
			}
			return nil
		}
	})
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Seed:  1,
		Sinks: []tickwell.SinkSpec{{Name: "mqtt", Sink: &Sink{Broker: b.addr, Protocol: V5, Topic: "t", Body: "{{.v}}"}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i, v := range f.Float64s("v") {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{tickwell.Float64("v", v)}})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tab := &tickwell.Tablet{Device: "root.d", Times: []int64{0, 1, 2}, Columns: []tickwell.Column{{Name: "v", Data: tickwell.Float64s{0, 1, 2}}}}
	if err := db.InsertTablet(t.Context(), tab); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(attempt(t)); err != nil {
		t.Fatal(err)
	}
	if got := b.payloads(); got[len(got)-1] != "2" || !slices.Contains(got, "1") {
		t.Errorf("arrived %q, want 2 last", got)
	}
}

// TestIDs holds that an event's id never makes a packet that a broker takes for
// malformed: it would end the connection, again and again.
func TestIDs(t *testing.T) {
	b := newStandin(t)
	s := opened(t, &Sink{Broker: b.addr, Protocol: V5, Topic: "t"})
	events := rows(5)
	for i, id := range []string{"plain|é", "bad \xff 5%", "null \x00", strings.Repeat("x", 70000), "last"} {
		events[i].ID = id
	}
	err := s.Handle(attempt(t), events)
	var part *deliver.Partial
	if !errors.As(err, &part) || !slices.Equal(part.Rejected, []int{3}) || len(part.Done) != 4 {
		t.Fatalf("%v, want all done but the long one", err)
	}
	var got []string
	for _, m := range b.messages() {
		got = append(got, m.Properties.User[0].Val)
	}
	if want := []string{"plain|é", "bad %FF 5%25", "null %00", "last"}; !slices.Equal(got, want) {
		t.Errorf("ids %q, want %q", got, want)
	}
}

// TestBrokersLimits holds that limits a broker of version 5 has named are kept.
func TestBrokersLimits(t *testing.T) {
	b := newStandin(t)
	b.set(func() {
		b.greet = func(p *packets.Properties) {
			p.MaximumPacketSize = 200
			p.ReceiveMaximum = 3
			p.RetainAvailable, p.RetainAvailableFlag = 0, true
		}
	})
	s := opened(t, &Sink{Broker: b.addr, Protocol: V5, Topic: "t"})
	events := rows(40)
	events[5].Fields = append(events[5].Fields, tickwell.Text("long", strings.Repeat("x", 200)))
	events[6].Labels = map[string]string{LabelRetain: "true"}
	err := s.Handle(attempt(t), events)
	var part *deliver.Partial
	if !errors.As(err, &part) || !slices.Equal(part.Rejected, []int{5, 6}) || len(part.Done) != 38 {
		t.Fatalf("%v, want all done but the long and the retained one", err)
	}
	if class, _ := deliver.Classify(part.Causes[5]); class != deliver.ClassTooLarge {
		t.Errorf("%v, want too large", part.Causes[5])
	}
}

// TestPoison holds that what a broker cannot have goes to the dead letters and
// holds nothing else up.
func TestPoison(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		var dead []string
		db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
			Seed: 1,
			Sinks: []tickwell.SinkSpec{{Name: "mqtt", Sink: &Sink{Broker: b.addr, Protocol: p, Topic: "t/{{.site}}", Body: "{{.site}}"}, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
				dead = append(dead, d.Event.Get("site").Text()+": "+d.Cause)
				return nil
			}}},
			Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.site", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				for i := range f.Times {
					f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{{Name: "site", Value: f.Row(i).Get("site")}}})
				}
				return nil
			})}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		for i, site := range []string{"a", "b", "c/d", "e"} {
			if err := db.Insert(t.Context(), "root.d", time.Unix(int64(i), 0), tickwell.Text("site", site)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Quiesce(attempt(t)); err != nil {
			t.Fatal(err)
		}
		if got := b.payloads(); !slices.Equal(got, []string{"a", "b", "e"}) {
			t.Errorf("arrived %q, want a, b, e", got)
		}
		if len(dead) != 1 || !strings.HasPrefix(dead[0], "c/d: ") {
			t.Errorf("dead letters %q, want c/d", dead)
		}
	})
}

func TestWill(t *testing.T) {
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		s := opened(t, &Sink{Broker: b.addr, Protocol: p, Topic: "t", ClientID: "gateway", Will: &Will{Topic: "gone/gateway", Payload: []byte("bye"), QoS: AtLeastOnce, Retain: true}})
		s.Close(t.Context()) // in order: no will
		opened(t, s)
		switch c := s.state.session.(type) {
		case *session3:
			c.conn.Close()
		case *session5:
			c.conn.Close()
		}
		select {
		case w := <-b.wills:
			if w.TopicName != "gone/gateway" || string(w.Payload) != "bye" || w.FixedHeader.Qos != 1 || !w.FixedHeader.Retain {
				t.Errorf("%+v %s", w.FixedHeader, w.Payload)
			}
		case <-attempt(t).Done():
			t.Fatal("no will")
		}
		if n := len(b.wills); n != 0 {
			t.Errorf("%d more wills", n)
		}
	})
}

// TestSession holds that the session outlives connections where that is asked
// for, begins anew with a new Sink, and that what was in flight is sent again.
func TestSession(t *testing.T) {
	b := newStandin(t)
	s := opened(t, &Sink{Broker: b.addr, Protocol: V5, Topic: "t", ClientID: "gateway", Session: time.Minute, Expiry: 1500 * time.Millisecond})
	if err := s.Handle(attempt(t), rows(3)); err != nil {
		t.Fatal(err)
	}
	opened(t, s)
	if err := s.Handle(attempt(t), rows(3)); err != nil {
		t.Fatal(err)
	}
	s.Close(t.Context())
	opened(t, s) // after Close nothing is known of what was in flight
	b.mu.Lock()
	defer b.mu.Unlock()
	var clean []bool
	for _, c := range b.connects {
		clean = append(clean, c.Connect.Clean)
		if c.Properties.SessionExpiryInterval != 60 || c.Connect.ClientIdentifier != "gateway" {
			t.Errorf("session of %d s for %s, want 60 for gateway", c.Properties.SessionExpiryInterval, c.Connect.ClientIdentifier)
		}
	}
	if !slices.Equal(clean, []bool{true, false, true}) {
		t.Errorf("new sessions %v, want the first and the one after Close", clean)
	}
	for i, m := range b.received {
		if m.Properties.MessageExpiryInterval != 2 || m.Properties.ContentType != "application/json" || !slices.Contains(m.Properties.User, packets.UserProperty{Key: "id", Val: fmt.Sprint("id", i%3)}) {
			t.Errorf("message %d: %+v, want expiry, content type and id", i, m.Properties)
		}
	}
}

// TestTLS goes through a listener that decrypts.
func TestTLS(t *testing.T) {
	cert, pool := selfsigned.Certificate(t)
	each(t, func(t *testing.T, p Protocol) {
		b := newStandin(t)
		b.down()
		l, err := tls.Listen("tcp", b.addr, &tls.Config{Certificates: []tls.Certificate{cert}})
		if err != nil {
			t.Fatal(err)
		}
		b.serve(l)
		s := opened(t, &Sink{Broker: "mqtts://" + b.addr, Protocol: p, Topic: "t", TLS: &tls.Config{RootCAs: pool}})
		if err := s.Handle(attempt(t), rows(50)); err != nil {
			t.Fatal(err)
		}
		for i, got := range b.payloads() {
			if got != row(i) {
				t.Errorf("message %d is %s", i, got)
			}
		}
		for name, bad := range map[string]*Sink{
			"unknown authority": {Broker: "mqtts://" + b.addr, Topic: "t"},
			"wrong name":        {Broker: b.addr, Topic: "t", TLS: &tls.Config{RootCAs: pool, ServerName: "elsewhere"}},
			"old version":       {Broker: b.addr, Topic: "t", TLS: &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}},
		} {
			bad.Protocol = p
			if err := bad.Open(attempt(t)); err == nil {
				t.Errorf("%s: connected", name)
			}
		}
	})
}

func TestAddressesAreChecked(t *testing.T) {
	b := newStandin(t)
	_, port, _ := net.SplitHostPort(b.addr)
	for _, s := range []*Sink{
		{Broker: b.addr, Topic: "t", Trust: sink.Untrusted},
		{Broker: "localhost:" + port, Topic: "t", Trust: sink.Untrusted},
		{Broker: "0.0.0.0:" + port, Topic: "t"},
	} {
		if err := s.Open(attempt(t)); err == nil || !strings.Contains(err.Error(), "are refused") {
			t.Errorf("%s: %v, want that connections are refused", s.Broker, err)
		}
	}
}
