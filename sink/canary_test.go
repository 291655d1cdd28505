package sink_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/alertmanager"
	"github.com/tickwell/tickwell/sink/internal/standin"
	"github.com/tickwell/tickwell/sink/slack"
	"github.com/tickwell/tickwell/sink/webhook"
	"github.com/tickwell/tickwell/vfs"
)

// No secret of any sink is in a log, an error, statistics, a dead letter, a dump
// of goroutines or a file of the store, with targets that repeat all they were
// sent, break off and go away.
func TestCanary(t *testing.T) {
	const canary = "cAnAry5e3"
	srv := standin.New()
	defer srv.Close()
	secret := sink.NewSecret(canary)
	var logged strings.Builder
	logger := slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	fs := vfs.NewMem()
	stacks := make([]byte, 1<<20)
	hook := &webhook.Sink{URL: srv.URL + "/hook", Token: secret, SecretHeaders: map[string]sink.Secret{"X-Key": secret}, Sign: []sink.Secret{sink.NewSecret("Y0FuQXJ5NWUzY0FuQXJ5NWUzY0FuQXJ5NWUz")}}
	db, err := tickwell.Open(t.Context(), "data", &tickwell.Options{
		FS: fs, Seed: 1, Logger: logger,
		Sinks: []tickwell.SinkSpec{
			{Name: "hook", Sink: hook},
			{Name: "slack", Sink: &slack.Sink{URL: sink.NewSecret(srv.URL + "/services/" + canary), Text: "{{.v}}"}},
			{Name: "am", Sink: &alertmanager.Sink{URL: srv.URL + "/api/v2/alerts", Token: secret}},
			{Name: "panics", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error {
				stacks = stacks[:runtime.Stack(stacks[:cap(stacks)], true)]
				panic(fmt.Sprintf("with %v", secret))
			})},
		},
		Triggers: []tickwell.TriggerSpec{{Name: "t", Pattern: "root.d.v", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
			f.Emit(tickwell.Event{Series: "root.d", Time: time.Unix(0, f.Times[0]), Fields: []tickwell.Field{tickwell.Int64("v", f.Times[0])}, Labels: map[string]string{"alertname": "hot"}})
			return nil
		})}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, status := range []int{500, 400, 404, 401, 302, 413, 400, 400, 404, 500, 400} {
		srv.Script(standin.Echo(status))
	}
	srv.Script(standin.Reset(), standin.Cut(), standin.LoseAnswer())
	var dump []string
	note := func(err error) {
		if err != nil {
			dump = append(dump, fmt.Sprintf("%v %+v", err, err))
		}
		dump = append(dump, fmt.Sprintf("%+v", db.Stats()))
	}
	insert := func(from, to int64) {
		for at := from; at < to; at++ {
			if err := db.Insert(t.Context(), "root.d", time.Unix(0, at), tickwell.Bool("v", true)); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		note(db.Quiesce(ctx))
	}
	insert(0, 12)
	srv.Down()
	insert(12, 14)
	letters := 0
	for _, s := range []string{"hook", "slack", "am", "panics"} {
		for d, err := range db.DeadLetters(t.Context(), s) {
			if err != nil {
				t.Fatal(err)
			}
			letters++
			dump = append(dump, fmt.Sprintf("%+v", d))
		}
	}
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	note(db.Close())
	files := 0
	for _, dir := range []string{"data", "data/wal", "data/outbox", "data/data"} {
		names, err := fs.List(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := vfs.ReadFile(fs, dir+"/"+name)
			if err != nil {
				continue // a directory
			}
			files++
			dump = append(dump, string(b))
		}
	}
	if letters == 0 || files < 4 || len(stacks) == 1<<20 {
		t.Fatalf("%d dead letters, %d files, %d bytes of stacks: the test does not test", letters, files, len(stacks))
	}
	dump = append(dump, logged.String(), string(stacks))
	// The last is "u:" and such a password as basic authentication would send it.
	for _, word := range []string{"cAnAry", "Y0FuQXJ5", "NhbkFyeTVlM"} {
		for _, text := range dump {
			if i := strings.Index(text, word); i >= 0 {
				t.Errorf("%q in %.300q", word, text[max(i-150, 0):])
			}
		}
	}
}
