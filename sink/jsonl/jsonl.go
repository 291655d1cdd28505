// Package jsonl has a sink that writes events as JSON lines, into any writer or
// into a file that is put aside at a size and begun anew.
package jsonl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/vfs"
)

// Sink writes each event as one line, a JSON object as of [sink.AppendJSON].
// The lines of one batch are one Write, so a file opened for appending is never
// cut inside a batch by other writers of the same file. Set either W or Path.
type Sink struct {
	// W is where lines go. If it has Sync() error, as *os.File does, that is
	// called before a batch counts as delivered, except for pipes and terminals.
	W io.Writer

	// Path is a file that lines are appended to and synced, such as
	// events.jsonl. It and its directory are made if they do not exist; half a
	// line at its end, left by a power cut, is cut off.
	Path string
	// MaxBytes is the size from which on the file is put aside as
	// events-000001.jsonl and so on, and a new one begun. Default 64 MiB. No
	// batch is divided between files.
	MaxBytes int64
	// Keep is how many files are kept aside, the newest. Default 0: all.
	Keep int
	// FS is the file system of Path. Default vfs.OS().
	FS vfs.FS

	// Rows writes only the row of an event, as of [sink.AppendRowJSON].
	Rows bool

	buf  []byte
	file *rotated
}

// Validate returns an error if the settings can never work.
func (s *Sink) Validate() error {
	switch {
	case (s.W == nil) == (s.Path == ""):
		return fmt.Errorf("jsonl: set either W or Path: %w", tickwell.ErrBadInput)
	case s.W != nil && (s.MaxBytes != 0 || s.Keep != 0 || s.FS != nil):
		return fmt.Errorf("jsonl: MaxBytes, Keep and FS are for a Path, not for W: %w", tickwell.ErrBadInput)
	case s.MaxBytes < 0 || s.Keep < 0:
		return fmt.Errorf("jsonl: negative MaxBytes or Keep: %w", tickwell.ErrBadInput)
	}
	return nil
}

// Defaults makes it one call at a time, whatever InFlight of the spec says: there
// is one file. The store calls it.
func (s *Sink) Defaults(spec *tickwell.SinkSpec) { spec.InFlight = 1 }

// Open opens the file.
func (s *Sink) Open(ctx context.Context) error {
	if err := errors.Join(s.Validate(), s.Close(ctx)); err != nil {
		return err
	}
	if s.Path == "" {
		return nil
	}
	r := &rotated{fs: s.FS, path: s.Path, limit: s.MaxBytes, keep: s.Keep}
	if r.fs == nil {
		r.fs = vfs.OS()
	}
	if r.limit == 0 {
		r.limit = 64 << 20
	}
	if err := r.open(); err != nil {
		return fmt.Errorf("jsonl: open: %w", err)
	}
	s.file = r
	return nil
}

// Close closes the file; W is left to whoever made it. It may be called more
// than once, and Open after it.
func (s *Sink) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	err := s.file.close()
	s.file = nil
	if err != nil {
		return fmt.Errorf("jsonl: close: %w", err)
	}
	return nil
}

// Handle writes events. An error of W means that the batch is tried again,
// which may repeat lines. A file is cut back to its last whole batch before.
func (s *Sink) Handle(ctx context.Context, events []tickwell.Event) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	for i := range events {
		if s.Rows {
			s.buf = append(sink.AppendRowJSON(s.buf, &events[i]), '\n')
		} else {
			s.buf = append(sink.AppendJSON(s.buf, &events[i]), '\n')
		}
	}
	if s.W != nil {
		return write(s.W, s.buf)
	}
	if s.file == nil { // not opened, or the last attempt failed
		if err := s.Open(ctx); err != nil {
			return err
		}
	}
	if err := s.file.append(s.buf); err != nil {
		// What the file holds now is only known by looking at it again.
		_ = s.Close(ctx)
		return fmt.Errorf("jsonl: %w", err)
	}
	return nil
}

func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("jsonl: write: %w", err)
	}
	if f, ok := w.(interface{ Sync() error }); ok && !pipe(w) {
		if err := f.Sync(); err != nil {
			return fmt.Errorf("jsonl: sync: %w", err)
		}
	}
	return nil
}

// pipe reports whether w is a file that keeps nothing, and so cannot be synced.
func pipe(w io.Writer) bool {
	f, ok := w.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}
