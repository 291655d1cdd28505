package mqtt

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Sink
		want string // "": accepted
	}{
		{"least", Sink{Broker: "localhost", Topic: "t"}, ""},
		{"no topic: events bring theirs", Sink{Broker: "localhost:1883"}, ""},
		{"template", Sink{Broker: "mqtts://[::1]:8883", Topic: "a/{{.x}}/b"}, ""},
		{"all of 5", Sink{
			Broker: "h", Protocol: V5, Session: time.Minute, Expiry: time.Hour,
			Will: &Will{Topic: "gone", Delay: time.Second},
		}, ""},
		{"no broker", Sink{Topic: "t"}, "Broker"},
		{"scheme", Sink{Broker: "http://h", Topic: "t"}, "scheme"},
		{"credentials in the address", Sink{Broker: "mqtt://u:c4nAry@h", Topic: "t"}, "Broker is not host:port"},
		{"plain and TLS", Sink{Broker: "mqtt://h", TLS: &tls.Config{}, Topic: "t"}, "mqtts://"},
		{"blank", Sink{Broker: "a b", Topic: "t"}, "Broker"},
		{"no host", Sink{Broker: ":1883", Topic: "t"}, "Broker"},
		{"path", Sink{Broker: "mqtt://h/x", Topic: "t"}, "Broker"},
		{"wildcard", Sink{Broker: "h", Topic: "a/+"}, "wildcard"},
		{"wildcard at the end", Sink{Broker: "h", Topic: "a/#"}, "wildcard"},
		{"control character", Sink{Broker: "h", Topic: "a\x00"}, "control character"},
		{"no UTF-8", Sink{Broker: "h", Topic: "a\xff"}, "not UTF-8"},
		{"long", Sink{Broker: "h", Topic: strings.Repeat("a", 65536)}, "65535"},
		{"values choose the first level", Sink{Broker: "h", Topic: "{{.x}}/a"}, "first level must be plain text"},
		{"bad template", Sink{Broker: "h", Topic: "a/{{.x"}, "template"},
		{"bad body", Sink{Broker: "h", Topic: "a", Body: "{{x"}, "template"},
		{"body that is no JSON", Sink{Broker: "h", Topic: "a", Body: "{", Template: sink.TemplateOptions{JSON: true}}, "JSON"},
		{"password alone", Sink{Broker: "h", Password: sink.NewSecret("c4nAry")}, "without a user name"},
		{"keep alive", Sink{Broker: "h", KeepAlive: time.Millisecond}, "keep alive"},
		{"in flight", Sink{Broker: "h", InFlight: 65536}, "in flight"},
		{"negative", Sink{Broker: "h", MaxPayload: -1}, "negative"},
		{"session of 3.1.1", Sink{Broker: "h", Session: time.Minute}, "need protocol 5"},
		{"expiry of 3.1.1", Sink{Broker: "h", Expiry: time.Minute}, "need protocol 5"},
		{"delay without session", Sink{Broker: "h", Protocol: V5, Will: &Will{Topic: "w", Delay: time.Minute}}, "session"},
		{"will without topic", Sink{Broker: "h", Will: &Will{}}, "topic is empty"},
		{"will with wildcard", Sink{Broker: "h", Will: &Will{Topic: "#"}}, "wildcard"},
		{"large will", Sink{Broker: "h", Will: &Will{Topic: "w", Payload: make([]byte, 65536)}}, "65535"},
		{"unknown quality", Sink{Broker: "h", QoS: 3}, "unknown"},
	} {
		err := c.s.Validate()
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c4nAry") {
			t.Errorf("%s: %v, want %q and no secret", c.name, err, c.want)
		}
		if c.s.Open(t.Context()) == nil {
			t.Errorf("%s: Open takes it", c.name)
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		broker string
		tls    *tls.Config
		want   string
	}{
		{"127.0.0.1", nil, "127.0.0.1:1883 false"},
		{"h", &tls.Config{}, "h:8883 true"},
		{"h:1", nil, "h:1 false"},
		{"mqtt://h", nil, "h:1883 false"},
		{"mqtts://h", nil, "h:8883 true"},
		{"mqtts://h:443/", nil, "h:443 true"},
		{"[::1]", nil, "[::1]:1883 false"},
		{"::1", nil, "[::1]:1883 false"},
	} {
		a, err := (&Sink{Broker: c.broker, TLS: c.tls}).address()
		if got := fmt.Sprint(a.hostPort, " ", a.tls); err != nil || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.broker, got, err, c.want)
		}
	}
}

func TestTopics(t *testing.T) {
	s := &Sink{Broker: "h", Topic: "plant/{{.site}}/{{.series}}"}
	f, err := newForms(s)
	if err != nil {
		t.Fatal(err)
	}
	event := func(site string) tickwell.Event {
		return tickwell.Event{Series: "root.d", Fields: []tickwell.Field{tickwell.Text("site", site), tickwell.Int32("v", 1)}}
	}
	e := event("north")
	if m, err := f.message(&e); err != nil || m.topic != "plant/north/root.d" {
		t.Errorf("%q %v, want plant/north/root.d", m.topic, err)
	}
	for _, site := range []string{"", "a/b", "+", "#", "a\x00", "a\n", strings.Repeat("x", 65530)} {
		e := event(site)
		if m, err := f.message(&e); err == nil || !strings.Contains(err.Error(), "permanent") {
			t.Errorf("site %.10q: topic %.30q %v, want a permanent error", site, m.topic, err)
		}
	}
	own := NewEvent("elsewhere/#", AtMostOnce, true, time.Unix(0, 0), tickwell.BoolValue(true))
	if _, err := f.message(&own); err == nil {
		t.Error("an event's own topic may have a wildcard")
	}
	own.Labels[LabelTopic] = "elsewhere"
	if m, err := f.message(&own); err != nil || m.topic != "elsewhere" || m.qos != 0 || !m.retain {
		t.Errorf("%+v %v, want the event's own topic, quality and retain flag", m, err)
	}
	own.Labels[LabelQoS] = "3"
	if _, err := f.message(&own); err == nil {
		t.Error("quality of service 3 is taken")
	}
	own.Labels[LabelQoS], own.Labels[LabelRetain] = "2", "perhaps"
	if _, err := f.message(&own); err == nil {
		t.Error("retain perhaps is taken")
	}
	s.Topic = ""
	if f, err = newForms(s); err != nil {
		t.Fatal(err)
	}
	if _, err := f.message(&e); err == nil || !strings.Contains(err.Error(), "neither") {
		t.Errorf("%v, want that there is no topic", err)
	}
}

// TestNothingSecretPrints prints sinks in many ways.
func TestNothingSecretPrints(t *testing.T) {
	s := &Sink{Broker: "mqtts://h", Username: "u", Password: sink.NewSecret("c4nAry"), TLS: &tls.Config{Certificates: []tls.Certificate{{PrivateKey: "c4nAry"}}}}
	text := fmt.Sprintf("%v %+v %#v %s %q %x %v %#v", s, s, s, s, s, s, *s, *s)
	for part := range strings.SplitSeq(text, " mqtt") {
		if want := " h:8883"; strings.TrimPrefix(part, "mqtt") != want {
			t.Errorf("%q in %s", part, text)
		}
	}
}
