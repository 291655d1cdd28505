package kafka

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/kafka"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		b, topic := start(t), newTopic(t)
		return tickwelltest.SinkTarget{
			New: func(*testing.T) tickwell.Sink {
				return &kafka.Sink{
					Brokers: []string{b.Addr("sasl")}, Topic: topic, Create: &kafka.NewTopic{Partitions: 3, Replicas: 1},
					Mechanism: kafka.SCRAM512, User: "tickwell", Password: sink.NewSecret(password),
				}
			},
			Received: func(t *testing.T) []string { return ids(received(t, topic)) },
			Down:     func(t *testing.T) { b.Stop(t) },
			Up:       func(t *testing.T) { b.Start(t) },
			Secret:   password,
		}
	})
}

// token is one for OAUTHBEARER that nobody has signed.
func token(subject string) string {
	b64 := base64.RawURLEncoding.EncodeToString
	now := time.Now().Unix()
	return b64([]byte(`{"alg":"none"}`)) + "." + b64(fmt.Appendf(nil, `{"sub":%q,"iat":%d,"exp":%d}`, subject, now-10, now+3600)) + "."
}

func TestAuthentication(t *testing.T) {
	b := start(t)
	secure := &tls.Config{RootCAs: broker.cert.Pool}
	pw, wrong := sink.NewSecret(password), sink.NewSecret("wr0ng-"+password)
	for _, c := range []struct {
		name string
		port string
		sink kafka.Sink
		ok   bool
	}{
		{"none", "plain", kafka.Sink{}, true},
		{"PLAIN", "sasl", kafka.Sink{Mechanism: kafka.Plain, User: "tickwell", Password: pw, ClearText: true}, true},
		{"PLAIN and TLS", "tls", kafka.Sink{Mechanism: kafka.Plain, User: "tickwell", Password: pw, TLS: secure}, true},
		{"SCRAM-SHA-256", "sasl", kafka.Sink{Mechanism: kafka.SCRAM256, User: "tickwell", Password: pw}, true},
		{"SCRAM-SHA-512 and TLS", "tls", kafka.Sink{Mechanism: kafka.SCRAM512, User: "tickwell", Password: pw, TLS: secure}, true},
		{"OAUTHBEARER", "tls", kafka.Sink{Token: sink.SecretFunc(func() (string, error) { return token("tickwell"), nil }), TLS: secure}, true},

		{"PLAIN, wrong password", "sasl", kafka.Sink{Mechanism: kafka.Plain, User: "tickwell", Password: wrong, ClearText: true}, false},
		{"PLAIN, wrong user", "tls", kafka.Sink{Mechanism: kafka.Plain, User: "nobody", Password: pw, TLS: secure}, false},
		{"SCRAM-SHA-512, wrong password", "sasl", kafka.Sink{Mechanism: kafka.SCRAM512, User: "tickwell", Password: wrong}, false},
		{"OAUTHBEARER, no token", "tls", kafka.Sink{Token: sink.NewSecret(password), TLS: secure}, false},
		{"none where one is needed", "sasl", kafka.Sink{}, false},
		{"unknown authority", "tls", kafka.Sink{Mechanism: kafka.SCRAM512, User: "tickwell", Password: pw, TLS: &tls.Config{}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.sink
			s.Brokers, s.Topic, s.Create = []string{b.Addr(c.port)}, newTopic(t), &kafka.NewTopic{Partitions: 1}
			err := s.Open(trial.Within(t))
			if (err == nil) != c.ok {
				t.Fatalf("%v, want accepted %v", err, c.ok)
			}
			if !c.ok {
				t.Log(err)
				if text := fmt.Sprintf("%v %+v %#v", err, err, s); strings.Contains(text, password) {
					t.Errorf("the password is in %q", text)
				}
				if strings.Contains(c.name, ", wrong") && !errors.Is(err, kerr.SaslAuthenticationFailed) {
					t.Errorf("%v, want that authentication fails", err)
				}
				return
			}
			defer s.Close(context.Background())
			if err := s.Handle(trial.Within(t), []tickwell.Event{{ID: "1", Source: "t", Series: "root.d"}}); err != nil {
				t.Fatal(err)
			}
			if got := ids(received(t, s.Topic)); !slices.Equal(got, []string{"1"}) {
				t.Errorf("got %q, want 1", got)
			}
		})
	}
}

// TestWrongPasswordLosesNothing holds that events wait until the password is put
// right, and that it is told nowhere.
func TestWrongPasswordLosesNothing(t *testing.T) {
	b, topic := start(t), newTopic(t)
	secret, right := trial.Secret("0ld-"+password, password)
	trial.WrongCredentials(t, trial.Wrong{
		Sink: &kafka.Sink{
			Brokers: []string{b.Addr("sasl")}, Topic: topic, Create: &kafka.NewTopic{Partitions: 2}, ClearText: true,
			Mechanism: kafka.Plain, User: "tickwell", Password: secret,
		},
		Says: "sasl_authentication_failed", Password: password, Right: right,
		Received: func(t *testing.T) []string { return ids(received(t, topic)) },
	})
}

// TestRestart holds that a broker that is stopped, or killed, and started again in
// the middle of a stream loses nothing, keeps the order of each series, and gets
// nothing twice.
func TestRestart(t *testing.T) {
	for _, c := range []struct {
		name string
		stop func(testing.TB)
	}{
		{"stopped", func(t testing.TB) { broker.Stop(t) }},
		{"killed", func(testing.TB) { broker.Crash() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, topic := start(t), newTopic(t)
			db := openStore(t, "", tickwell.SinkSpec{Batch: 64, Timeout: 3 * time.Second, Sink: &kafka.Sink{
				Brokers: []string{b.Addr("sasl")}, Topic: topic, Create: &kafka.NewTopic{Partitions: 3},
				Mechanism: kafka.SCRAM256, User: "tickwell", Password: sink.NewSecret(password),
			}}, nil)
			// Rows come in before, while and after the broker ends.
			down, inserted := make(chan struct{}), make(chan error, 1)
			n := 0
			go func() {
				pace := time.NewTicker(time.Millisecond)
				defer pace.Stop()
				for end := 6000; n < end; <-pace.C {
					if err := insert(context.Background(), db, n, n+20); err != nil {
						inserted <- err
						return
					}
					if n += 20; n == end {
						<-down
					}
					select {
					case <-down:
						end = 0
					default:
					}
				}
				err := insert(context.Background(), db, n, n+2000)
				n += 2000
				inserted <- err
			}()
			stats := func() tickwell.SinkStats { return db.Stats().Sinks[0] }
			if err := server.Poll(trial.Within(t), func() (bool, error) { return stats().Delivered > 1000, nil }); err != nil {
				t.Fatal(err)
			}
			c.stop(t)
			close(down)
			if err := <-inserted; err != nil {
				t.Fatal(err)
			}
			// At least one attempt has to end without an answer.
			if err := server.Poll(trial.Within(t), func() (bool, error) { return stats().LastError != "", nil }); err != nil {
				t.Fatalf("%v; %+v", err, stats())
			}
			before := stats()
			b.Start(t)
			if err := db.Quiesce(trial.Within(t)); err != nil {
				t.Fatalf("%v; %+v", err, stats())
			}
			again := check(t, topic, n)
			t.Logf("%d rows; while it was down: %d delivered, backlog %d, %s, last error %q; %d events came again", n, before.Delivered, before.Backlog, before.Health, before.LastError, again)
			if before.Backlog == 0 || before.Delivered == 0 {
				t.Errorf("%d waited and %d were delivered, want that it stopped in the middle", before.Backlog, before.Delivered)
			}
			if again != 0 {
				t.Errorf("%d of %d events came again though the client was the same", again, n)
			}
		})
	}
}

// TestPoison holds that what the broker refuses goes to the dead letters and
// stops nothing.
func TestPoison(t *testing.T) {
	b, topic := start(t), newTopic(t)
	var dead []string
	s := &kafka.Sink{
		Brokers: []string{b.Addr("plain")}, Topic: topic, EventTime: true,
		Create: &kafka.NewTopic{Partitions: 1, Settings: map[string]string{"max.message.bytes": "20000", "message.timestamp.after.max.ms": "60000", "retention.ms": "-1"}},
	}
	spec := tickwell.SinkSpec{Name: "kafka", Sink: s, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
		dead = append(dead, d.Event.ID+": "+fmt.Sprint(d.Cause))
		return nil
	}}
	noise := make([]byte, 30000)
	seed := uint32(1)
	for i := range noise { // so that no compression makes it fit
		seed = seed*1664525 + 1013904223
		noise[i] = byte('!' + seed>>24%90)
	}
	now := time.Now()
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{Sinks: []tickwell.SinkSpec{spec}, Triggers: []tickwell.TriggerSpec{{
		Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i := range f.Times {
				e := tickwell.Event{ID: fmt.Sprint(i), Series: "root.d", Time: now.Add(time.Duration(i)), Fields: []tickwell.Field{tickwell.Int64("v", int64(i))}}
				switch i {
				case 5:
					e.Time = now.Add(48 * time.Hour)
				case 9:
					e.Fields = append(e.Fields, tickwell.Text("note", string(noise)))
				}
				f.Emit(e)
			}
			return nil
		})}}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tablet := &tickwell.Tablet{Device: "root.d"}
	var want []string
	for i := range 20 {
		if err := tablet.Append(now.Add(time.Duration(i)), tickwell.Int64("v", int64(i))); err != nil {
			t.Fatal(err)
		}
		if i != 5 && i != 9 {
			want = append(want, fmt.Sprint(i))
		}
	}
	if err := db.InsertTablet(t.Context(), tablet); err != nil {
		t.Fatal(err)
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	if got := ids(received(t, topic)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	slices.Sort(dead)
	if len(dead) != 2 || !strings.HasPrefix(dead[0], "5: ") || !strings.Contains(dead[0], "INVALID_TIMESTAMP") ||
		!strings.HasPrefix(dead[1], "9: ") || !strings.Contains(dead[1], "MESSAGE_TOO_LARGE") {
		t.Errorf("dead letters are %q, want 5 for its time and 9 for its size", dead)
	}
	t.Logf("%.300q", dead)
}

// TestTopics holds that a topic that exists is used, one that does not is made,
// and that the first of several brokers may be down.
func TestTopics(t *testing.T) {
	b, topic := start(t), newTopic(t)
	port, err := server.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	brokers := []string{fmt.Sprintf("127.0.0.1:%d", port), b.Addr("plain")}
	missing := &kafka.Sink{Brokers: brokers, Topic: topic}
	if err := missing.Open(trial.Within(t)); err == nil || !strings.Contains(err.Error(), "does not exist, and Create is not set") {
		t.Errorf("%v, want that the topic does not exist", err)
	}
	for i, create := range []*kafka.NewTopic{{Partitions: 2, Replicas: 1, Settings: map[string]string{"retention.ms": "3600000"}}, nil, {Partitions: 5}} {
		s := &kafka.Sink{Brokers: brokers, Topic: topic, Create: create}
		if err := s.Open(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
		if err := s.Handle(trial.Within(t), []tickwell.Event{{ID: fmt.Sprint(i), Source: "t", Series: "root.d"}}); err != nil {
			t.Error(err)
		}
		s.Close(t.Context())
	}
	if got := ids(received(t, topic)); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("got %q, want 0 to 2", got)
	}
	bad := &kafka.Sink{Brokers: brokers, Topic: newTopic(t), Create: &kafka.NewTopic{Settings: map[string]string{"retention.ms": "soon"}}}
	if err := bad.Open(trial.Within(t)); err == nil || !strings.Contains(err.Error(), "retention.ms") {
		t.Errorf("%v, want that retention.ms is refused", err)
	}
}
