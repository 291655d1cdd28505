package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/internal/deliver"
	"github.com/tickwell/tickwell/sink"
)

// text returns the decoded body of a mail of one part.
func text(t *testing.T, m *mail.Message) string {
	t.Helper()
	r := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		r = quotedprintable.NewReader(r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(string(b), "\r\n")
}

func attempt(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// to is a sink for the stand-in.
func to(srv *standin, recipients ...string) *Sink {
	if len(recipients) == 0 {
		recipients = []string{"ops@example.org"}
	}
	return &Sink{
		Server: srv.addr, TLS: &tls.Config{RootCAs: srv.pool}, From: "Plant 7 <plant@example.org>", To: recipients,
		Subject: "{{.series}}", Text: "{{.series}} is {{.v}}",
	}
}

func opened(t *testing.T, s *Sink) *Sink {
	t.Helper()
	if err := s.Open(attempt(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

func rows(n int) (list []tickwell.Event) {
	for i := range n {
		list = append(list, tickwell.Event{
			ID: fmt.Sprint("id", i), Series: "root.d", Time: time.Unix(int64(i), 0),
			Fields: []tickwell.Field{tickwell.Int32("v", int32(i)), tickwell.Text("note", "n")},
		})
	}
	return list
}

// TestOneMailForEachRow is the page's action: one mail for each row, subject and
// text from its columns, over one connection.
func TestOneMailForEachRow(t *testing.T) {
	srv := newStandin(t, func(s *standin) { s.users = map[string]string{"plant": "right"} })
	s := to(srv, "Operations <ops@example.org>", "night@example.org")
	s.Username, s.Password = "plant", sink.NewSecret("right")
	s.Cc, s.Bcc, s.ReplyTo = []string{"chief@example.org"}, []string{"archive@example.org", "ops@example.org"}, "desk@example.org"
	s.Subject = "Grün: {{.series}} {{.v}}"
	s.Text = "Sensor data {{.time}} {{.v}}, note: {{.note}}\n.\n{{.note | upper}}"
	opened(t, s)
	if err := s.Handle(attempt(t), rows(3)); err != nil {
		t.Fatal(err)
	}
	mails := srv.taken()
	if len(mails) != 3 || srv.sessions != 2 { // a session before STARTTLS and one after
		t.Fatalf("%d mails in %d sessions, want 3 in 2", len(mails), srv.sessions)
	}
	ids := make(map[string]bool)
	for i, m := range mails {
		parsed := m.read(t)
		subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
		if err != nil || subject != fmt.Sprintf("Grün: root.d %d", i) {
			t.Errorf("subject %q %v", subject, err)
		}
		want := fmt.Sprintf("Sensor data 1970-01-01 00:00:0%d.000 %d, note: n\r\n.\r\nN", i, i)
		if got := text(t, parsed); got != want {
			t.Errorf("text %q, want %q", got, want)
		}
		for header, want := range map[string]string{
			"From": `"Plant 7" <plant@example.org>`, "To": `"Operations" <ops@example.org>, <night@example.org>`, "Cc": "<chief@example.org>",
			"Reply-To": "<desk@example.org>", "Bcc": "", "Auto-Submitted": "auto-generated",
		} {
			if got := parsed.Header.Get(header); got != want {
				t.Errorf("%s: %s, want %s", header, got, want)
			}
		}
		if want := []string{"ops@example.org", "night@example.org", "chief@example.org", "archive@example.org"}; !slices.Equal(m.to, want) || m.from != "plant@example.org" {
			t.Errorf("from %s to %q, want %q", m.from, m.to, want)
		}
		if m.user != "plant" || !m.tls {
			t.Errorf("sent by %q, encrypted: %v", m.user, m.tls)
		}
		id := parsed.Header.Get("Message-Id")
		if ids[id] || !strings.HasSuffix(id, "@example.org>") {
			t.Errorf("Message-ID %s: want one of its own", id)
		}
		ids[id] = true
		if _, err := parsed.Header.Date(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Handle(attempt(t), rows(1)); err != nil {
		t.Fatal(err)
	}
	if again := srv.taken()[3].read(t).Header.Get("Message-Id"); !ids[again] {
		t.Errorf("the same event has Message-ID %s the second time", again)
	}
}

// TestAlternatives holds that HTML comes with text, and that values in it are
// text.
func TestAlternatives(t *testing.T) {
	srv := newStandin(t)
	s := to(srv)
	s.HTML = "<b>{{.note}}</b>"
	opened(t, s)
	e := rows(1)
	e[0].Fields[1] = tickwell.Text("note", `<script>"&`)
	if err := s.Handle(attempt(t), e); err != nil {
		t.Fatal(err)
	}
	m := srv.taken()[0].read(t)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s %v", kind, err)
	}
	var got []string
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, part.Header.Get("Content-Type")+" "+strings.TrimSpace(string(b)))
	}
	want := []string{"text/plain; charset=UTF-8 root.d is 0", "text/html; charset=UTF-8 <b>&lt;script&gt;&#34;&amp;</b>"}
	if !slices.Equal(got, want) {
		t.Errorf("parts %q, want %q", got, want)
	}
}

// TestNoInjection holds that no value makes a header, a recipient, or the end of
// a mail.
func TestNoInjection(t *testing.T) {
	srv := newStandin(t)
	s := to(srv)
	s.Subject, s.Text = "alarm {{.note}}", "{{.note}}"
	opened(t, s)
	for _, evil := range []string{
		"a\r\nBcc: x@example.org", "a\nBcc: x@example.org", "a\rBcc: x", "a\r\n\r\nbody", "\r\n.\r\nMAIL FROM:<x@example.org>\r\n",
		"a\u2028Bcc: x", "a\x00b", "=?utf-8?q?a=0ABcc:_x?=", strings.Repeat("long ", 1000),
	} {
		before := len(srv.taken())
		e := rows(1)
		e[0].Fields[1] = tickwell.Text("note", evil)
		if err := s.Handle(attempt(t), e); err != nil {
			t.Errorf("%.30q: %v", evil, err)
			continue
		}
		got := srv.taken()
		if len(got) != before+1 {
			t.Errorf("%.30q: %d mails", evil, len(got)-before)
			continue
		}
		m := got[before]
		h := m.read(t).Header
		if len(m.to) != 1 || h.Get("Bcc") != "" || len(h) != 9 {
			t.Errorf("%.30q: to %q, headers %q", evil, m.to, h)
		}
	}
}

// TestOpenFails holds what Open says of a server that is not there, does not
// encrypt, or refuses the user, and that nothing secret is in it.
func TestOpenFails(t *testing.T) {
	srv := newStandin(t, func(s *standin) { s.users = map[string]string{"plant": "right"} })
	plain := newStandin(t, func(s *standin) { s.noTLS = true })
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	gone := newStandin(t)
	gone.down()
	for _, c := range []struct {
		name   string
		change func(s *Sink)
		want   string
	}{
		{"wrong password", func(s *Sink) { s.Username, s.Password = "plant", sink.NewSecret("c4nAry") }, "535"},
		{"wrong user", func(s *Sink) { s.Username, s.Password = "c4nAry-user", sink.NewSecret("right") }, "535"},
		{"mechanism not there", func(s *Sink) { s.Username, s.Password, s.Auth = "plant", sink.NewSecret("c4nAry"), AuthToken }, "XOAUTH2"},
		{"no STARTTLS", func(s *Sink) { s.Server, s.TLS = plain.addr, &tls.Config{RootCAs: plain.pool} }, "STARTTLS"},
		{"unknown authority", func(s *Sink) { s.TLS = nil }, "certificate"},
		{"wrong name", func(s *Sink) { s.TLS = &tls.Config{RootCAs: srv.pool, ServerName: "elsewhere"} }, "certificate"},
		{"TLS 1.1", func(s *Sink) { s.TLS = &tls.Config{RootCAs: srv.pool, MaxVersion: tls.VersionTLS11} }, "tls"},
		{"TLS where STARTTLS is meant", func(s *Sink) { s.Security = TLS }, "TLS"},
		{"no server", func(s *Sink) { s.Server = gone.addr }, "refused"},
		{"silent server", func(s *Sink) { s.Server = silent.Addr().String() }, "connect: "},
		{"address not allowed", func(s *Sink) { s.Trust = sink.Untrusted }, "are refused"},
		{"secret cannot be read", func(s *Sink) {
			s.Username, s.Password = "plant", sink.SecretFunc(func() (string, error) { return "", errors.New("vault is shut") })
		}, "vault is shut"},
	} {
		s := to(srv)
		c.change(s)
		ctx := attempt(t)
		if c.name == "silent server" {
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			ctx = short
		}
		err := s.Open(ctx)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c4nAry") && c.name != "wrong user" {
			t.Errorf("%s: %v, want %q and no secret", c.name, err, c.want)
		}
		if class, _ := deliver.Classify(err); class != deliver.ClassRetry {
			t.Errorf("%s: %v is of class %v, want retry", c.name, err, class)
		}
		s.Close(t.Context())
	}
	if n := len(srv.taken()) + len(plain.taken()); n != 0 {
		t.Errorf("%d mails arrived", n)
	}
}

// TestOtherSecurity holds TLS from the first byte, and no encryption where that
// is asked for.
func TestOtherSecurity(t *testing.T) {
	srv := newStandin(t, func(s *standin) { s.implicit, s.users = true, map[string]string{"plant": "right"} })
	s := to(srv)
	s.Security, s.Username, s.Password = TLS, "plant", sink.NewSecret("right")
	if err := opened(t, s).Handle(attempt(t), rows(1)); err != nil {
		t.Fatal(err)
	}
	if m := srv.taken(); len(m) != 1 || m[0].user != "plant" {
		t.Errorf("%+v", m)
	}
	plain := newStandin(t, func(s *standin) { s.noTLS = true })
	s = to(plain)
	s.Security = Plaintext
	if err := opened(t, s).Handle(attempt(t), rows(1)); err != nil {
		t.Fatal(err)
	}
	if m := plain.taken(); len(m) != 1 || m[0].tls {
		t.Errorf("%+v", m)
	}
}

// TestAnswers holds what each refusal means for the event, and that the mails
// before and after it arrive.
func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		verb string
		code int
		want deliver.Class
	}{
		{"MAIL", 450, deliver.ClassRetry},
		{"MAIL", 550, deliver.ClassReconnect}, // the sender is at fault, not the event
		{"MAIL", 530, deliver.ClassReconnect},
		{"MAIL", 552, deliver.ClassTooLarge},
		{"MAIL", 421, deliver.ClassReconnect},
		{"RCPT", 451, deliver.ClassRetry},
		{"RCPT", 550, deliver.ClassPermanent},
		{"RCPT", 421, deliver.ClassReconnect},
		{"DATA", 452, deliver.ClassRetry},
		{"DATA", 554, deliver.ClassPermanent},
		{"DATA", 552, deliver.ClassTooLarge},
	} {
		srv := newStandin(t)
		s := opened(t, to(srv))
		n := 0
		srv.set(func() {
			srv.refuse = func(verb, _ string) error {
				if verb == c.verb {
					if n++; n == 2 {
						return answer(c.code, "no\nmore")
					}
				}
				return nil
			}
		})
		err := s.Handle(attempt(t), rows(3))
		var part *deliver.Partial
		if !errors.As(err, &part) {
			t.Errorf("%s %d: %v, want a part delivered", c.verb, c.code, err)
			continue
		}
		class, _ := deliver.Classify(part.Causes[1])
		if class != c.want || !strings.Contains(part.Causes[1].Error(), fmt.Sprint(c.code)) {
			t.Errorf("%s %d: %v of class %v, want %v", c.verb, c.code, part.Causes[1], class, c.want)
		}
		rest := rows(3)[1:]
		want := []string{"root.d is 0", "root.d is 1", "root.d is 2"}
		if c.want == deliver.ClassPermanent || c.want == deliver.ClassTooLarge {
			rest, want = nil, []string{"root.d is 0", "root.d is 2"}
		}
		if c.want == deliver.ClassReconnect {
			opened(t, s)
		}
		if err := s.Handle(attempt(t), rest); err != nil {
			t.Errorf("%s %d: afterwards %v", c.verb, c.code, err)
		}
		if got := srv.bodies(t); !slices.Equal(got, want) {
			t.Errorf("%s %d: arrived %q, want %q", c.verb, c.code, got, want)
		}
	}
}

// TestSomeRecipients holds that one refused recipient does not keep the mail from
// the others, that these get it once, and that the event is not taken for
// delivered.
func TestSomeRecipients(t *testing.T) {
	srv := newStandin(t)
	s := opened(t, to(srv, "a@example.org", "b@example.org", "c@example.org"))
	codes := map[string]int{"b@example.org": 451, "c@example.org": 550}
	srv.set(func() {
		srv.refuse = func(_, arg string) error {
			if code := codes[arg]; code != 0 {
				return answer(code, "not now")
			}
			return nil
		}
	})
	recipients := func() (list []string) {
		for _, m := range srv.taken() {
			list = append(list, m.to...)
		}
		return list
	}
	err := s.Handle(attempt(t), rows(1))
	if class, _ := deliver.Classify(err); class != deliver.ClassRetry || !slices.Equal(recipients(), []string{"a@example.org"}) {
		t.Errorf("%v to %q, want a retry and a mail to a", err, recipients())
	}
	srv.set(func() { delete(codes, "b@example.org") })
	err = s.Handle(attempt(t), rows(1))
	var part *deliver.Partial
	if !errors.As(err, &part) || !slices.Equal(part.Rejected, []int{0}) || !strings.Contains(err.Error()+part.Causes[0].Error(), "c@example.org refused: 550") {
		t.Errorf("%v, want that c has refused it", err)
	}
	if got := recipients(); !slices.Equal(got, []string{"a@example.org", "b@example.org"}) {
		t.Errorf("mails to %q, want one to a and one to b", got)
	}
	if n := len(s.state.got); n != 0 {
		t.Errorf("%d events are remembered", n)
	}
}

// TestTooLarge holds that a mail larger than the server takes is not sent.
func TestTooLarge(t *testing.T) {
	srv := newStandin(t, func(s *standin) { s.size = 2000 })
	s := to(srv)
	s.Text = "{{.note}}"
	opened(t, s)
	events := rows(3)
	events[1].Fields[1] = tickwell.Text("note", strings.Repeat("x", 2000))
	err := s.Handle(attempt(t), events)
	var part *deliver.Partial
	if !errors.As(err, &part) || !slices.Equal(part.Rejected, []int{1}) || !slices.Equal(part.Done, []int{0, 2}) {
		t.Errorf("%v, want all but the large one", err)
	}
}

// TestServersPatience holds that a connection that the server has ended meanwhile
// is no failure: it is noticed before the next mail.
func TestServersPatience(t *testing.T) {
	srv := newStandin(t)
	s := opened(t, to(srv))
	if err := s.Handle(attempt(t), rows(1)); err != nil {
		t.Fatal(err)
	}
	srv.down()
	srv.up()
	s.state.conn.used = time.Now().Add(-2 * idle)
	if err := s.Handle(attempt(t), rows(1)); err != nil {
		t.Errorf("%v, want that the sink connects again", err)
	}
	srv.down()
	srv.up()
	err := s.Handle(attempt(t), rows(1)) // just used: it is found out by the mail
	if class, _ := deliver.Classify(err); class != deliver.ClassReconnect {
		t.Errorf("%v, want to be opened again", err)
	}
	if got := srv.bodies(t); len(got) != 2 {
		t.Errorf("%d mails, want 2", len(got))
	}
}

func TestSettings(t *testing.T) {
	good := func() *Sink {
		return &Sink{Server: "mail.example.org", From: "a@example.org", To: []string{"b@example.org"}, Subject: "s", Text: "t"}
	}
	if err := good().Validate(); err != nil {
		t.Fatal(err)
	}
	spec := tickwell.SinkSpec{InFlight: 4}
	if good().Defaults(&spec); !spec.Notify || spec.Batch != 20 || spec.InFlight != 1 {
		t.Errorf("%+v, want a notification sink of 20 events at once, one call at a time", spec)
	}
	for _, c := range []struct {
		name   string
		change func(s *Sink)
		want   string
	}{
		{"no server", func(s *Sink) { s.Server = "" }, "Server"},
		{"port", func(s *Sink) { s.Server = "h:99999" }, "port"},
		{"credentials", func(s *Sink) { s.Server = "u:c4nAry@h" }, "Server"},
		{"no sender", func(s *Sink) { s.From = "" }, "From"},
		{"sender with a line end", func(s *Sink) { s.From = "a\r\nBcc: x <a@example.org>" }, "From"},
		{"sender is none", func(s *Sink) { s.From = "me" }, "From"},
		{"no recipients", func(s *Sink) { s.To = nil }, "no recipients"},
		{"bad recipient", func(s *Sink) { s.Bcc = []string{"x"} }, "Bcc"},
		{"bad cc", func(s *Sink) { s.Cc = []string{"x@y@z"} }, "Cc"},
		{"bad reply", func(s *Sink) { s.ReplyTo = "x" }, "ReplyTo"},
		{"no subject", func(s *Sink) { s.Subject = "" }, "Subject"},
		{"subject with a line end", func(s *Sink) { s.Subject = "a\nb" }, "control character"},
		{"no text", func(s *Sink) { s.Text = "" }, "neither"},
		{"bad template", func(s *Sink) { s.Text = "{{.x" }, "template"},
		{"unknown column", func(s *Sink) { s.Text, s.Template.Columns = "{{.x}}", []string{"y"} }, "no column"},
		{"bad html", func(s *Sink) { s.HTML = "{{" }, "template"},
		{"password alone", func(s *Sink) { s.Password = sink.NewSecret("c4nAry") }, "without Username"},
		{"password in the clear", func(s *Sink) { s.Username, s.Security = "u", Plaintext }, "Plaintext"},
		{"unknown security", func(s *Sink) { s.Security = 9 }, "unknown"},
		{"hello", func(s *Sink) { s.Hello = "a b" }, "Hello"},
	} {
		s := good()
		c.change(s)
		err := s.Validate()
		if !errors.Is(err, tickwell.ErrBadInput) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "c4nAry") {
			t.Errorf("%s: %v, want %q and no secret", c.name, err, c.want)
		}
		if s.Open(t.Context()) == nil {
			t.Errorf("%s: Open takes it", c.name)
		}
	}
}

func TestNothingSecretPrints(t *testing.T) {
	s := &Sink{Server: "h", Username: "u", Password: sink.NewSecret("c4nAry"), TLS: &tls.Config{Certificates: []tls.Certificate{{PrivateKey: "c4nAry"}}}}
	got := fmt.Sprintf("%v %+v %#v %s %q %x %v %#v", s, s, s, s, s, s, *s, *s)
	if want := strings.TrimSpace(strings.Repeat("smtp h:587 ", 8)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
