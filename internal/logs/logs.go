//go:build !tickwell_small

package logs

import "log/slog"

// Logger is a logger as the store uses it.
type Logger = slog.Logger

// Of is the logger for l; nil stands for [slog.Default].
func Of(l *slog.Logger) *Logger {
	if l == nil {
		return slog.Default()
	}
	return l
}

// With is l for code of the user, with an attribute.
func With(l *Logger, key, value string) *slog.Logger { return l.With(key, value) }
