//go:build tickwell_small

package logs

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"strconv"
	"strings"
)

// Logger is a logger as the store uses it. Lines look as those of [slog.Default].
// A handler of log/slog is only asked whether a level is enabled: to give it a
// record would link the handlers of log/slog, and encoding/json with them.
type Logger struct {
	own     *slog.Logger
	handler slog.Handler // of own
}

// Of is the logger for l; nil stands for [slog.Default].
func Of(l *slog.Logger) *Logger {
	if l == nil {
		l = slog.Default()
	}
	return &Logger{l, l.Handler()}
}

// With is l for code of the user: what that writes goes to the handler. It does
// not bear the attribute.
func With(l *Logger, _, _ string) *slog.Logger { return l.own }

// Debug writes a line if the level is enabled, as Info, Warn and Error do; args are
// keys and values by turns. All methods are safe for concurrent use if the handler is.
//
//go:noinline
func (l *Logger) Debug(msg string, args ...any) { l.write(slog.LevelDebug, msg, args) }

// Info is Debug one level up.
//
//go:noinline
func (l *Logger) Info(msg string, args ...any) { l.write(slog.LevelInfo, msg, args) }

// Warn is Debug two levels up.
//
//go:noinline
func (l *Logger) Warn(msg string, args ...any) { l.write(slog.LevelWarn, msg, args) }

// Error is Debug at the highest level.
//
//go:noinline
func (l *Logger) Error(msg string, args ...any) { l.write(slog.LevelError, msg, args) }

// Log is Debug at any level. The context is not asked for anything.
func (l *Logger) Log(_ context.Context, level slog.Level, msg string, args ...any) {
	l.write(level, msg, args)
}

// Enabled reports whether lines of a level are written.
func (l *Logger) Enabled(ctx context.Context, level slog.Level) bool {
	return l.handler.Enabled(ctx, level)
}

// write writes one line.
func (l *Logger) write(level slog.Level, msg string, args []any) {
	if !l.Enabled(context.Background(), level) {
		return
	}
	line := level.String() + " " + msg
	for ; len(args) > 1; args = args[2:] {
		line += " " + quoted(fmt.Sprint(args[0])) + "=" + quoted(fmt.Sprint(args[1]))
	}
	log.Print(line)
}

func quoted(s string) string {
	if s == "" || strings.ContainsAny(s, " =\"\n\r\t") {
		return strconv.Quote(s)
	}
	return s
}
