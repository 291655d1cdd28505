package logs

import (
	"bytes"
	"context"
	"errors"
	"log"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLines: without a logger lines go to package log and look the same with
// and without the tag tickwell_small.
func TestLines(t *testing.T) {
	var b bytes.Buffer
	flags := log.Flags()
	was := log.Writer()
	log.SetOutput(&b)
	log.SetFlags(0)
	t.Cleanup(func() { log.SetOutput(was); log.SetFlags(flags) })
	l := Of(nil)
	l.Debug("not shown")
	l.Info("opened", "files", 3)
	l.Warn("late", "err", errors.New(`no "room" left`), "empty", "")
	l.Error("plain")
	l.Log(context.Background(), slog.LevelWarn, "sink is failing", "a key", "x=y")
	require.Equal(t, `INFO opened files=3
WARN late err="no \"room\" left" empty=""
ERROR plain
WARN sink is failing "a key"="x=y"
`, b.String())
	require.False(t, l.Enabled(context.Background(), slog.LevelDebug))
	require.NotNil(t, With(l, "trigger", "hot"))
}

func TestLevelsOfALogger(t *testing.T) {
	var b bytes.Buffer
	was := log.Writer()
	log.SetOutput(&b)
	t.Cleanup(func() { log.SetOutput(was) })
	l := Of(slog.New(slog.DiscardHandler))
	require.False(t, l.Enabled(context.Background(), slog.LevelError))
	l.Error("dropped")
	require.Empty(t, b.String())
}

// TestCodeOfTheUser: a trigger's lines go where those of the program go that has
// chosen the logger, with and without the tag.
func TestCodeOfTheUser(t *testing.T) {
	var b bytes.Buffer
	With(Of(slog.New(slog.NewTextHandler(&b, nil))), "trigger", "hot").Info("late", "by", 3)
	require.Contains(t, b.String(), "level=INFO msg=late ")
	require.Contains(t, b.String(), " by=3\n")
}
