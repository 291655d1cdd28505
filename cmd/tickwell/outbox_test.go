package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

func TestOutbox(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "d")
	// The first sink refuses all for good, the second answers never.
	open := func(refuse func(context.Context, []tickwell.Event) error) *tickwell.DB {
		db, err := tickwell.Open(ctx, dir, &tickwell.Options{
			Logger: slog.New(slog.DiscardHandler),
			Sinks: []tickwell.SinkSpec{
				{Name: "alerts", Sink: tickwell.SinkFunc(refuse)},
				{Name: "down", Sink: tickwell.SinkFunc(func(context.Context, []tickwell.Event) error { return sink.NotConnected(errors.New("down")) })},
			},
			Triggers: []tickwell.TriggerSpec{{Name: "tell", Pattern: "root.**", Trigger: tickwell.TriggerFunc(func(_ context.Context, f *tickwell.Firing) error {
				f.Emit(tickwell.Event{Series: f.Device, Time: time.Unix(0, f.Times[0])})
				return nil
			})}},
		})
		require.NoError(t, err)
		return db
	}
	db := open(func(context.Context, []tickwell.Event) error { return sink.Permanent(errors.New("no such channel")) })
	for at := range int64(3) {
		require.NoError(t, db.Insert(ctx, "root.a", time.Unix(at, 0), tickwell.Int64("x", at)))
	}
	require.NoError(t, db.Sync(ctx))
	dead := func() (n int) {
		for _, err := range db.DeadLetters(ctx, "alerts") {
			require.NoError(t, err)
			n++
		}
		return n
	}
	require.Eventually(t, func() bool { return dead() == 3 }, time.Minute, 5*time.Millisecond)
	require.NoError(t, db.Close())

	out := do(t, "outbox", dir)
	require.Contains(t, out, "alerts: 0 events wait, 0 dropped, 3 dead letters\n")
	require.Regexp(t, `(?m)^down: 3 events wait(, the oldest for \d+\S*s)?, 0 dropped, 0 dead letters$`, out)
	require.Equal(t, 3, strings.Count(out, `"series":"root.a"`))
	require.Contains(t, do(t, "outbox", "-n", "1", dir), "… and 2 more")
	require.Equal(t, 3, strings.Count(do(t, "outbox", "-json", "-sink", "down", dir), "\n"))
	letters := do(t, "outbox", "-dead", "-json", dir)
	require.Equal(t, 3, strings.Count(letters, `{"sink":"alerts","reason":"permanent","cause":`), letters)
	require.Contains(t, letters, "no such channel")
	require.Contains(t, fails(t, exitFailed, "outbox", "-sink", "none", dir), "no events wait")
	require.Regexp(t, `(?m)^  down +3 +[1-9]\d+ +\d+\S*s +0 +0 +0$`, do(t, "inspect", dir))

	require.Contains(t, fails(t, exitUsage, "outbox", "-redrive", dir), "needs -sink")
	require.Contains(t, fails(t, exitFailed, "outbox", "-redrive", "-sink", "alert", dir), `no events wait for sink "alert"`)
	require.Equal(t, "3 dead letters of alerts wait again\n", do(t, "outbox", "-redrive", "-sink", "alerts", dir))
	require.Regexp(t, `(?m)^alerts: 3 events wait(, the oldest for \d+\S*s)?, 0 dropped, 0 dead letters$`, do(t, "outbox", dir))
	require.Equal(t, "0 dead letters of alerts wait again\n", do(t, "outbox", "-redrive", "-sink", "alerts", dir))

	got := make(chan int, 10)
	db = open(func(_ context.Context, events []tickwell.Event) error { got <- len(events); return nil })
	for n := 0; n < 3; {
		n += <-got
	}
	require.Contains(t, fails(t, exitLocked, "outbox", "-redrive", "-sink", "alerts", dir), "in use by another program")
	require.NoError(t, db.Close())
	require.NotContains(t, do(t, "outbox", dir), "alerts")
}

// TestLostDeadLetters holds that dead letters which the outbox had no room for are
// told, and those that are kept apart from them.
func TestLostDeadLetters(t *testing.T) {
	st := tickwell.SinkStats{Name: "out", Dropped: 2, DeadLetters: 53}
	require.Equal(t, "out: 0 events wait, 2 dropped, 53 dead letters", outboxLine(st))
	st.DeadDropped = 247
	require.Equal(t, "out: 0 events wait, 2 dropped, 53 dead letters, 247 more dropped", outboxLine(st))
}
