// Package logs is the logger that the store writes to: log/slog, or with the tag
// tickwell_small package log, which weighs a quarter of a megabyte less.
package logs
