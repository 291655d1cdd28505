package smtp

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/integration/server"
	"github.com/tickwell/tickwell/integration/trial"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/smtp"
	"github.com/tickwell/tickwell/tickwelltest"
)

func TestVersion(t *testing.T) {
	s, _ := start(t, true)
	t.Log("note: " + s.VersionText)
}

// TestConformance is the suite of all sinks against the server: mails once and in
// order, the server stopped and started again, the store closed and opened again
// meanwhile.
func TestConformance(t *testing.T) {
	tickwelltest.TestSink(t, func(t *testing.T) tickwelltest.SinkTarget {
		s, cert := start(t, true)
		return tickwelltest.SinkTarget{
			New:      func(*testing.T) tickwell.Sink { return to(s.Addr("smtp"), cert.Pool) },
			Received: func(t *testing.T) []string { return taken(t, s) },
			Down:     func(t *testing.T) { s.Stop(t) },
			Up:       func(t *testing.T) { s.Start(t) },
			Secret:   password,
		}
	})
}

// TestDelivered follows mails to the recipients' mailbox, by STARTTLS and by TLS
// from the first byte, over a restart of the server.
func TestDelivered(t *testing.T) {
	s, cert := start(t, false)
	var want []string
	for i, security := range []smtp.Security{smtp.STARTTLS, smtp.TLS} {
		out := to(s.Addr("smtp"), cert.Pool)
		if security == smtp.TLS {
			out = to(s.Addr("smtps"), cert.Pool)
		}
		out.Security = security
		out.To, out.Bcc = []string{"Ops <ops@example.org>", "night@example.org"}, []string{"archive@example.org"}
		out.Subject, out.Text, out.HTML = "{{.series}}: ü", "{{.series}} is {{.v}}\n.\n", "<b>{{.v}}</b>"
		if err := out.Open(trial.Within(t)); err != nil {
			t.Fatal(err)
		}
		e := tickwell.Event{ID: fmt.Sprint(i), Series: fmt.Sprint("root.d", i), Time: time.Unix(0, 0), Fields: []tickwell.Field{tickwell.Float64("v", 96.25)}}
		if err := out.Handle(trial.Within(t), []tickwell.Event{e}); err != nil {
			t.Fatal(err)
		}
		out.Close(context.Background())
		want = append(want, e.Series)
		s.Restart(t)
	}
	var mails []string
	if err := server.Poll(trial.Within(t), func() (bool, error) {
		var err error
		mails, err = server.EximDelivered(s)
		for _, series := range want {
			for _, recipient := range []string{"ops", "night", "archive"} {
				if !slices.ContainsFunc(mails, func(m string) bool {
					return strings.Contains(m, "Envelope-to: "+recipient+"@example.org") && strings.Contains(m, series+" is 96.25")
				}) {
					return false, err
				}
			}
		}
		return true, err
	}); err != nil {
		t.Fatalf("%v: %d mails, want 6", err, len(mails))
	}
	for _, series := range want {
		for _, recipient := range []string{"ops", "night", "archive"} {
			n := 0
			for _, m := range mails {
				if strings.Contains(m, "Envelope-to: "+recipient+"@example.org") && strings.Contains(m, series+" is 96.25") {
					n++
					for _, part := range []string{" with esmtpsa ", "Subject: =?UTF-8?q?" + series, "<b>96.25</b>", "To: \"Ops\" <ops@example.org>, <night@example.org>", "Auto-Submitted: auto-generated"} {
						if !strings.Contains(m, part) {
							t.Errorf("no %q in\n%s", part, m)
						}
					}
					if strings.Contains(m, "archive@") && recipient != "archive" {
						t.Errorf("%s sees who is in Bcc:\n%s", recipient, m)
					}
				}
			}
			// Exim delivers again what it was delivering when it was told to end.
			if n < 1 || n > 2 {
				t.Errorf("%s has %d mails of %s, want one", recipient, n, series)
			}
		}
	}
}

// TestKilled has our own process killed while mails are on their way.
func TestKilled(t *testing.T) {
	s, _ := start(t, true)
	trial.Kill(t, map[string]string{"server": s.Addr("smtp"), "cert": s.File(server.CertFile)}, 300, 3, func(t *testing.T) []string { return taken(t, s) })
}

// TestRestarts stops, kills and starts the server again while rows come in.
func TestRestarts(t *testing.T) {
	s, cert := start(t, true)
	db, err := tickwell.Open(t.Context(), t.TempDir(), trial.Options(to(s.Addr("smtp"), cert.Pool)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const n = 200
	for i := range n {
		if err := trial.Insert(t.Context(), db, i); err != nil {
			t.Fatal(err)
		}
		switch i {
		case 60:
			s.Restart(t)
		case 120:
			s.Crash()
			s.Start(t)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatalf("%v; %+v", err, db.Stats().Sinks)
	}
	again := trial.Check(t, n, taken(t, s))
	t.Logf("%d rows over a restart and a crash of the server: all arrived in order, %d more than once", n, again)
}

// TestWrongCredentials holds that a wrong password is told as such, without the
// password, and that the events wait until it is put right.
func TestWrongCredentials(t *testing.T) {
	s, cert := start(t, true)
	out := to(s.Addr("smtp"), cert.Pool)
	secret, right := trial.Secret("wr0ng-pa55", password)
	out.Password = secret
	trial.WrongCredentials(t, trial.Wrong{
		Sink: out, Says: "535", Password: "wr0ng-pa55", Right: right,
		Received: func(t *testing.T) []string { return taken(t, s) },
	})
	// Without a login the server takes nothing, and it does not take ours in the clear.
	nobody := to(s.Addr("smtp"), cert.Pool)
	nobody.Username, nobody.Password = "", sink.Secret{}
	if err := nobody.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer nobody.Close(context.Background())
	if err := nobody.Handle(trial.Within(t), []tickwell.Event{{ID: "x", Series: "root.d", Fields: []tickwell.Field{tickwell.Float64("v", 1)}}}); err == nil {
		t.Error("a mail without login was taken")
	}
	stranger := to(s.Addr("smtp"), server.NewCertificate(t).Pool)
	if err := stranger.Open(trial.Within(t)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, want that the certificate is not trusted", err)
	}
}

// TestPoison holds that a mail the server refuses goes to the dead letters with
// the server's words, one it defers is sent again, and that the others pass.
func TestPoison(t *testing.T) {
	s, cert := start(t, true)
	out := to(s.Addr("smtp"), cert.Pool)
	out.Subject = "{{.kind}} {{.id}}"
	var dead []string
	db, err := tickwell.Open(t.Context(), "", &tickwell.Options{
		Seed: 1,
		Sinks: []tickwell.SinkSpec{{Name: "sink", Sink: out, DeadLetter: func(_ context.Context, d tickwell.DeadLetter) error {
			dead = append(dead, d.Event.Get("kind").Text()+" "+d.Cause)
			return nil
		}}},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.kind", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			for i := range f.Times {
				f.Emit(tickwell.Event{ID: fmt.Sprint(f.Times[i]), Series: "root.d", Time: time.Unix(0, f.Times[i]), Fields: []tickwell.Field{
					{Name: "kind", Value: f.Row(i).Get("kind")}, tickwell.Float64("v", 1),
				}})
			}
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for i, kind := range []string{"good", "good", "poison", "good"} {
		if err := db.Insert(t.Context(), "root.d", time.Unix(0, int64(i)), tickwell.Text("kind", kind)); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Quiesce(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	if got, want := taken(t, s), []string{"good 0", "good 1", "good 3"}; !slices.Equal(got, want) {
		t.Errorf("taken %q, want %q", got, want)
	}
	if len(dead) != 1 || !strings.HasPrefix(dead[0], "poison ") || !strings.Contains(dead[0], "content refused") {
		t.Errorf("dead letters %q, want the poison with the server's words", dead)
	}
	t.Log(dead)
}

// TestSomeRecipients holds that a recipient whom the server does not know, or not
// now, does not keep the mail from the others.
func TestSomeRecipients(t *testing.T) {
	s, cert := start(t, false)
	out := to(s.Addr("smtp"), cert.Pool)
	out.To = []string{"ops@example.org", "nobody@example.org", "later@example.org"}
	if err := out.Open(trial.Within(t)); err != nil {
		t.Fatal(err)
	}
	defer out.Close(context.Background())
	e := []tickwell.Event{{ID: "1", Series: "root.d", Fields: []tickwell.Field{tickwell.Float64("v", 1)}}}
	for range 2 {
		err := out.Handle(trial.Within(t), e)
		if err == nil || !strings.Contains(err.Error(), "later@example.org") || !strings.Contains(err.Error(), "451") {
			t.Errorf("%v, want that later@ is deferred", err)
		}
	}
	if err := server.Poll(trial.Within(t), func() (bool, error) {
		mails, err := server.EximDelivered(s)
		return len(mails) > 0, err
	}); err != nil {
		t.Fatal(err)
	}
	if mails, err := server.EximDelivered(s); err != nil || len(mails) != 1 || len(taken(t, s)) != 1 {
		t.Errorf("%d mails delivered, %v, want one to ops", len(mails), err)
	}
}

// TestThroughput measures the sink beside the bare client with the same mails
// over one connection, in turn on one server.
func TestThroughput(t *testing.T) {
	const n = 100
	s, cert := start(t, true)
	out := to(s.Addr("smtp"), cert.Pool)
	if err := out.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer out.Close(context.Background())
	events := make([]tickwell.Event, n)
	for i := range events {
		events[i] = tickwell.Event{ID: fmt.Sprint(i), Series: "root.d", Time: time.Unix(0, 0), Fields: []tickwell.Field{tickwell.Float64("v", 1)}}
	}
	client, err := mail.NewClient("127.0.0.1", mail.WithPort(s.Port("smtp")), mail.WithTLSPolicy(mail.TLSMandatory), mail.WithTLSConfig(&tls.Config{RootCAs: cert.Pool, ServerName: "127.0.0.1"}),
		mail.WithSMTPAuth(mail.SMTPAuthPlain), mail.WithUsername(user), mail.WithPassword(password))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.DialWithContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	bare := func() {
		for i := range n {
			m := mail.NewMsg()
			m.Subject(fmt.Sprint(i))
			m.SetBodyString(mail.TypeTextPlain, "root.d is 1")
			if err := m.From("plant@example.org"); err != nil {
				t.Fatal(err)
			}
			if err := m.To("ops@example.org"); err != nil {
				t.Fatal(err)
			}
			if err := client.Send(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	ours := func() {
		if err := out.Handle(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
	ratios, rate := trial.Throughput(t, n, 0.9, bare, ours)
	t.Logf("note: %.0f %% of the bare client's %.0f mails/s", 100*trial.Median(ratios), rate)
}
