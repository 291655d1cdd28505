// Package jsonl has a sink that writes events as JSON lines.
package jsonl

import (
	"context"
	"fmt"
	"io"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// Sink writes each event as one line, a JSON object as of [sink.AppendJSON].
// The lines of one batch are one Write, so a file opened for appending is never
// cut inside a batch by other writers of the same file.
type Sink struct {
	// W is where lines go. If it has Sync() error, as *os.File does, that is
	// called before a batch counts as delivered.
	W io.Writer

	buf []byte
}

// Handle writes events. An error of W means that the batch is tried again,
// which may repeat lines.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.W == nil {
		return sink.Permanent(fmt.Errorf("jsonl: no writer"))
	}
	s.buf = s.buf[:0]
	for i := range events {
		s.buf = append(sink.AppendJSON(s.buf, &events[i]), '\n')
	}
	if _, err := s.W.Write(s.buf); err != nil {
		return fmt.Errorf("jsonl: write: %w", err)
	}
	if f, ok := s.W.(interface{ Sync() error }); ok {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("jsonl: sync: %w", err)
		}
	}
	return nil
}
