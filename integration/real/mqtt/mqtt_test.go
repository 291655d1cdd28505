package mqtt

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/mqtt"
	"github.com/tickwell/tickwell/tickwelltest"
)

// each runs a test with both protocols.
func each(t *testing.T, run func(t *testing.T, p mqtt.Protocol)) {
	for _, p := range []mqtt.Protocol{mqtt.V311, mqtt.V5} {
		t.Run(p.String(), func(t *testing.T) { run(t, p) })
	}
}

// TestConformance is the suite of all sinks against the broker: delivery once and
// in order, the broker stopped and started again, the store closed and opened
// again meanwhile.
func TestConformance(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		for _, q := range []mqtt.QoS{mqtt.AtLeastOnce, mqtt.ExactlyOnce} {
			t.Run(q.String(), func(t *testing.T) {
				tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
					cert := server.NewCertificate(t)
					b := start(t, server.MosquittoOptions{Cert: cert})
					l := listen(t, b)
					return tickwelltest.SinkTarget{
						New: func(*testing.T) tickwell.Sink {
							s := to("mqtts://" + b.Addr("tls"))
							s.Protocol, s.QoS, s.TLS = p, q, &tls.Config{RootCAs: cert.Pool}
							return s
						},
						Received: func(*testing.T) []string { return l.payloads() },
						Down:     func(t *testing.T) { b.Stop(t) },
						Up:       func(t *testing.T) { b.Start(t) },
						Secret:   password,
					}
				})
			})
		}
	})
}

func TestVersion(t *testing.T) {
	b := start(t, server.MosquittoOptions{})
	t.Log("note: " + b.VersionText)
}

// TestKilled has our own process killed while messages are on their way.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{})
		l := listen(t, b)
		trial.Kill(t, map[string]string{"broker": b.Addr("mqtt"), "protocol": p.String()}, 3000, 4, func(*testing.T) []string { return l.payloads() })
	})
}

// TestRestarts stops and starts the broker again and again while rows come in,
// and kills it once; what it has acknowledged it keeps only over orderly stops,
// so what is looked at after the kill is that everything goes on.
func TestRestarts(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{})
		l := listen(t, b)
		s := to(b.Addr("mqtt"))
		s.Protocol = p
		db, err := tickwell.Open(t.Context(), t.TempDir(), trial.Options(s))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		const n = 2000
		for i := range n {
			if err := trial.Insert(t.Context(), db, i); err != nil {
				t.Fatal(err)
			}
			if i%500 == 250 {
				b.Restart(t)
			}
		}
		if err := db.Quiesce(trial.Within(t)); err != nil {
			t.Fatalf("%v; %+v", err, db.Stats().Sinks)
		}
		again := trial.Check(t, n, l.payloads())
		t.Logf("%d rows over 4 restarts of the broker: all arrived in order, %d more than once", n, again)
		b.Crash()
		if err := trial.Insert(t.Context(), db, n); err != nil {
			t.Fatal(err)
		}
		b.Start(t)
		if err := db.Quiesce(trial.Within(t)); err != nil {
			t.Errorf("after the broker was killed: %v; %+v", err, db.Stats().Sinks)
		}
	})
}

// TestWrongCredentials holds that a wrong password is told as such, without the
// password, and that the events wait until it is put right.
func TestWrongCredentials(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{})
		l := listen(t, b)
		s := to(b.Addr("mqtt"))
		secret, right := trial.Secret("wr0ng-pa55", password)
		s.Protocol, s.Password = p, secret
		trial.WrongCredentials(t, trial.Wrong{
			Sink: s, Says: "not authori", Password: "wr0ng-pa55", Right: right,
			Received: func(*testing.T) []string { return l.payloads() },
		})
		nobody := to(b.Addr("mqtt"))
		nobody.Protocol, nobody.Username = p, "nobody"
		if err := nobody.Open(trial.Within(t)); err == nil {
			t.Error("an unknown user may connect")
		}
	})
}

// event is one of a series with a topic of its own.
func event(i int, topic string) tickwell.Event {
	e := mqtt.NewEvent(topic, mqtt.AtLeastOnce, false, time.UnixMilli(int64(i)), tickwell.Int32Value(int32(i)))
	e.ID, e.Source, e.Series = fmt.Sprint("e", i), "t", "root.d"
	return e
}

// emitter is a store whose trigger sends the event of the row's number.
func emitter(t *testing.T, s tickwell.Sink, of func(i int) tickwell.Event, dead *[]string) *tickwell.DB {
	t.Helper()
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Seed: 1,
		Sinks: []tickwell.SinkSpec{{Name: "sink", Sink: s, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			*dead = append(*dead, d.Event.ID+": "+d.Cause)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.n", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i := range f.Times {
				f.Emit(of(int(f.Times[i])))
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func insert(t *testing.T, db *tickwell.DB, n int) {
	t.Helper()
	for i := range n {
		if err := db.Insert(t.Context(), "root.d", time.Unix(0, int64(i)), tickwell.Bool("n", true)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPoison holds that a message the broker refuses goes to the dead letters
// with the broker's reason (protocol 5), and that the others pass.
func TestPoison(t *testing.T) {
	b := start(t, server.MosquittoOptions{ACL: "user " + user + "\ntopic read #\ntopic write events/#\ntopic write marker/#\n"})
	l := listen(t, b)
	s := to(b.Addr("mqtt"))
	s.Protocol = mqtt.V5
	var dead []string
	db := emitter(t, s, func(i int) tickwell.Event {
		if i == 7 {
			return event(i, "forbidden")
		}
		return event(i, "events/ok")
	}, &dead)
	insert(t, db, 20)
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 20 {
		if i != 7 {
			want = append(want, fmt.Sprint("e", i))
		}
	}
	// mosquitto 2.0.11 says no and then hangs up, so that some come again.
	var got []string
	for _, id := range l.payloads() {
		if !slices.Contains(got, id) {
			got = append(got, id)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("arrived %q, want all but e7", got)
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], "e7: ") || !strings.Contains(dead[0], "0x87") {
		t.Errorf("dead letters %q, want e7 by code 0x87", dead)
	}
}

// TestPoisonThatDisconnects holds that a message for which the broker hangs up, as
// it is too large, goes to the dead letters before it is sent: with protocol 5 the
// broker says what it takes, with 3.1.1 MaxPayload must.
func TestPoisonThatDisconnects(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{More: "max_packet_size 1000"})
		l := listen(t, b)
		s := to(b.Addr("mqtt"))
		s.Protocol, s.Body = p, "{{.id}} {{.text}}"
		if p == mqtt.V311 {
			s.MaxPayload = 900 // the rest of the packet fits into 100 bytes
		}
		var dead []string
		db := emitter(t, s, func(i int) tickwell.Event {
			e := event(i, "events/ok")
			e.Fields = []tickwell.Field{tickwell.Text("text", "short")}
			if i == 7 {
				e.Fields[0] = tickwell.Text("text", strings.Repeat("x", 2000))
			}
			e.Series = fmt.Sprint("root.d", i%3)
			return e
		}, &dead)
		insert(t, db, 20)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		if err := db.Quiesce(ctx); err != nil {
			t.Fatalf("%v; %+v", err, db.Stats().Sinks)
		}
		seen := make(map[string]bool)
		for _, got := range l.payloads() {
			seen[got] = true
		}
		for i := range 20 {
			if want := fmt.Sprintf("e%d short", i); seen[want] != (i != 7) {
				t.Errorf("%s arrived: %v", want, seen[want])
			}
		}
		if len(dead) != 1 || !strings.HasPrefix(dead[0], "e7: ") {
			t.Errorf("dead letters %q, want e7", dead)
		}
		t.Logf("%.150s", dead)
	})
}

// TestHundredPoints is the example of the 0.13 page: 100 points exactly once, not
// retained, here from one store to another through the broker.
func TestHundredPoints(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{})
		l := listen(t, b)
		s := &mqtt.Sink{
			Broker: b.Addr("mqtt"), Protocol: p, Username: user, Password: sink.NewSecret(password),
			Device: "root.alerting", Measurements: []string{"remote"},
		}
		var dead []string
		db := emitter(t, s, func(i int) tickwell.Event {
			e := mqtt.NewEvent("test", mqtt.ExactlyOnce, false, time.UnixMilli(int64(i)), tickwell.Float64Value(float64(i)))
			e.Series = "root.source"
			return e
		}, &dead)
		insert(t, db, 100)
		if err := db.Quiesce(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
		receiver, err := tickwell.Open(t.Context(), "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer receiver.Close()
		got := l.messages()
		if len(got) != 100 {
			t.Fatalf("%d messages, want 100", len(got))
		}
		for i, m := range got {
			want := fmt.Sprintf(`{"device":"root.alerting","measurements":["remote"],"timestamp":%d,"values":[%d.0]}`, i, i)
			if string(m.Payload()) != want || m.Topic() != "test" || m.Qos() != 2 || m.Retained() {
				t.Errorf("message %d on %s: %s, want %s", i, m.Topic(), m.Payload(), want)
			}
			tablets, err := mqtt.DecodeTablet(m.Payload(), mqtt.DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if err := receiver.InsertTablet(t.Context(), &tablets[0]); err != nil {
				t.Fatal(err)
			}
		}
		series, err := tickwell.SeriesOf[float64](receiver, "root.alerting.remote")
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		for point, err := range series.Range(t.Context(), time.Time{}, time.Time{}) {
			if err != nil || !point.Time.Equal(time.UnixMilli(int64(i))) || point.Value != float64(i) {
				t.Errorf("point %d is %v, %v", i, point, err)
			}
			i++
		}
		if i != 100 {
			t.Errorf("%d points in the receiving store, want 100", i)
		}
	})
}

// TestRetained holds that the broker keeps what is retained, for those who come
// later, and nothing else.
func TestRetained(t *testing.T) {
	each(t, func(t *testing.T, p mqtt.Protocol) {
		b := start(t, server.MosquittoOptions{})
		s := to(b.Addr("mqtt"))
		s.Protocol = p
		if err := s.Open(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		kept, passing := event(1, "events/kept"), event(2, "events/passing")
		kept.Labels[mqtt.LabelRetain] = "true"
		if err := s.Handle(trial.Within(t), []tickwell.Event{kept, passing}); err != nil {
			t.Fatal(err)
		}
		got := listen(t, b).messages()
		if len(got) != 1 || got[0].Topic() != "events/kept" || !got[0].Retained() || string(got[0].Payload()) != "e1" {
			t.Errorf("%d messages are kept, want the retained one: %v", len(got), got)
		}
	})
}

// TestWill holds that others learn of it when our process dies, and not when it
// ends in order.
func TestWill(t *testing.T) {
	b := start(t, server.MosquittoOptions{})
	l := listen(t, b)
	s := to(b.Addr("mqtt"))
	s.Will = &mqtt.Will{Topic: "gone", Payload: []byte("bye"), Retain: true}
	s.ClientID = "gateway"
	for range 2 {
		if err := s.Open(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
	}
	// Another of the same name takes the connection over: it ends without a farewell.
	other := to(b.Addr("mqtt"))
	other.ClientID = "gateway"
	if err := other.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer other.Close(context.Background())
	if err := server.Poll(trial.Within(t), func() (bool, error) { return slices.Equal(l.payloads(), []string{"bye"}), nil }); err != nil {
		t.Errorf("%v: arrived %q, want one will", err, l.payloads())
	}
	s.Close(t.Context())
}

// TestClientCertificate holds mutual TLS.
func TestClientCertificate(t *testing.T) {
	cert, mine := server.NewCertificate(t), server.NewCertificate(t)
	dir := server.Folder(t)
	if err := mine.WriteTo(dir); err != nil {
		t.Fatal(err)
	}
	b := start(t, server.MosquittoOptions{Cert: cert, ClientCA: dir + "/" + server.CertFile})
	each(t, func(t *testing.T, p mqtt.Protocol) {
		s := to("mqtts://" + b.Addr("tls"))
		s.Protocol, s.TLS = p, &tls.Config{RootCAs: cert.Pool, Certificates: []tls.Certificate{mine.TLS}}
		if err := s.Open(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
		defer s.Close(context.Background())
		if err := s.Handle(trial.Within(t), []tickwell.Event{event(1, "events/a")}); err != nil {
			t.Error(err)
		}
		s2 := to("mqtts://" + b.Addr("tls"))
		s2.Protocol, s2.TLS = p, &tls.Config{RootCAs: cert.Pool}
		if err := s2.Open(trial.Within(t)); err == nil {
			t.Error("connected without a certificate")
			s2.Close(context.Background())
		}
	})
}
