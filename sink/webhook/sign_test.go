package webhook

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/tickwelltest"
)

// The example of the Standard Webhooks reference libraries.
const (
	keyText   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	otherText = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	payload   = `{"test": 2432232314}`
	messageID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	stamp     = 1614265330
)

func TestSignature(t *testing.T) {
	keys, err := readKeys([]sink.Secret{sink.NewSecret(keyText), sink.NewSecret(strings.TrimPrefix(otherText, "whsec_"))})
	if err != nil {
		t.Fatal(err)
	}
	h := make(http.Header)
	sign(h, keys[:1], messageID, time.Unix(stamp, 0), []byte(payload))
	if got := h.Get("Webhook-Signature"); got != signature {
		t.Errorf("signature %q, want %q", got, signature)
	}
	if h.Get("Webhook-Id") != messageID || h.Get("Webhook-Timestamp") != "1614265330" {
		t.Errorf("headers %v", h)
	}
	sign(h, keys, messageID, time.Unix(stamp, 0), []byte(payload))
	if all := strings.Fields(h.Get("Webhook-Signature")); len(all) != 2 || all[0] != signature {
		t.Errorf("signatures %q, want two, the first %q", all, signature)
	}
}

func TestVerify(t *testing.T) {
	key, other := sink.NewSecret(keyText), sink.NewSecret(otherText)
	base := map[string]string{"Webhook-Id": messageID, "Webhook-Timestamp": "1614265330", "Webhook-Signature": signature}
	for _, c := range []struct {
		name   string
		change map[string]string
		body   string
		now    int64
		keys   []sink.Secret
		want   string
	}{
		{"genuine", nil, payload, stamp, []sink.Secret{key}, ""},
		{"one of two keys", nil, payload, stamp, []sink.Secret{other, key}, ""},
		{"one of two signatures", map[string]string{"Webhook-Signature": "v1,AAAA v2,x " + signature}, payload, stamp, []sink.Secret{key}, ""},
		{"five minutes early", nil, payload, stamp - 300, []sink.Secret{key}, ""},
		{"five minutes late", nil, payload, stamp + 300, []sink.Secret{key}, ""},
		{"too early", nil, payload, stamp - 301, []sink.Secret{key}, "too far"},
		{"too late", nil, payload, stamp + 301, []sink.Secret{key}, "too far"},
		{"other body", nil, payload + " ", stamp, []sink.Secret{key}, "no signature"},
		{"other id", map[string]string{"Webhook-Id": "x"}, payload, stamp, []sink.Secret{key}, "no signature"},
		{"no id", map[string]string{"Webhook-Id": ""}, payload, stamp, []sink.Secret{key}, "no id"},
		{"other time", map[string]string{"Webhook-Timestamp": "1614265331"}, payload, stamp, []sink.Secret{key}, "no signature"},
		{"no time", map[string]string{"Webhook-Timestamp": "x"}, payload, stamp, []sink.Secret{key}, "timestamp"},
		{"no signature", map[string]string{"Webhook-Signature": ""}, payload, stamp, []sink.Secret{key}, "no signature"},
		{"other version", map[string]string{"Webhook-Signature": "v2" + signature[2:]}, payload, stamp, []sink.Secret{key}, "no signature"},
		{"other key", nil, payload, stamp, []sink.Secret{other}, "no signature"},
		{"no key", nil, payload, stamp, nil, "no signature"},
	} {
		h := make(http.Header)
		for name, value := range base {
			h.Set(name, value)
		}
		for name, value := range c.change {
			h.Set(name, value)
		}
		err := Verify(h, []byte(c.body), time.Unix(c.now, 0), c.keys...)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestBadKeys(t *testing.T) {
	for text, want := range map[string]string{"whsec_c4n%ry": "not base64", "whsec_YzRuQXJ5": "24 at least", "": "24 at least"} {
		err := (&Sink{URL: "http://h", Sign: []sink.Secret{sink.NewSecret(text)}}).Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "c4n") || strings.Contains(err.Error(), "YzRu") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestSignedRequest holds that id and body of a repeated request stay the same
// and time and signature are new.
func TestSignedRequest(t *testing.T) {
	srv := server(t)
	clock := tickwelltest.NewClock(time.Unix(stamp, 0))
	s := open(t, &Sink{URL: srv.URL, Sign: []sink.Secret{sink.NewSecret(otherText), sink.NewSecret(keyText)}, Clock: clock})
	for range 2 {
		if err := s.Handle(attempt(t), []tickwell.Event{row("a b", tickwell.Int64("x", 1))}); err != nil {
			t.Fatal(err)
		}
		clock.Advance(time.Minute)
	}
	var stamps []string
	for i, r := range srv.Requests() {
		if err := Verify(r.Header, []byte(r.Body), time.Unix(stamp+int64(i)*60, 0), sink.NewSecret(keyText)); err != nil {
			t.Error(err)
		}
		if r.Header.Get("Webhook-Id") != "a%20b" || r.Body != srv.Requests()[0].Body {
			t.Errorf("request %d: id %q, body %s", i, r.Header.Get("Webhook-Id"), r.Body)
		}
		stamps = append(stamps, r.Header.Get("Webhook-Timestamp"))
	}
	if !slices.Equal(stamps, []string{"1614265330", "1614265390"}) {
		t.Errorf("timestamps %v", stamps)
	}
}
