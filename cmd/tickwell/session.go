package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/iotsql"
	"github.com/tickwell/tickwell/iotsql/pages"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/vfs"
	"github.com/tickwell/tickwell/zstd"
)

// session is a store and what runs statements on it.
type session struct {
	c           *call
	o           *sqlOptions
	interactive bool
	failed      bool // a statement has, with -continue

	mem   *vfs.Mem // holds the store if there is no -dir
	clock *simClock
	db    *tickwell.DB
	conn  *iotsql.Conn

	told sync.Mutex // one event at a time
}

// open opens the store. A store without a folder has a file system in memory, so
// that \reopen works on it as well.
func (s *session) open() error {
	if s.clock == nil {
		s.clock = newSimClock()
	}
	opts := &tickwell.Options{
		Clock: s.clock, Logger: slog.New(slog.DiscardHandler), ReadOnly: s.o.readOnly,
		Compress: zstd.Reader,
		Classes:  pages.Triggers(), FunctionClasses: pages.Functions(),
	}
	if s.o.events || s.interactive {
		opts.Sinks = []tickwell.SinkSpec{{Name: "shell", Sink: tickwell.SinkFunc(s.event)}}
	}
	dir := s.o.dir
	switch {
	case dir == "":
		if s.mem == nil {
			s.mem = vfs.NewMem()
		}
		dir, opts.FS, opts.Sync = "memory", s.mem, tickwell.SyncAlways()
	case s.o.readOnly:
		opts.Sinks = nil
		if err := checkStore(dir); err != nil {
			return err
		}
	}
	db, err := tickwell.Open(s.c, dir, opts)
	if err != nil {
		return err
	}
	conn, err := iotsql.New(db, &iotsql.Options{Precision: s.o.unit, Zone: s.o.zone})
	if err != nil {
		return errors.Join(err, db.Close())
	}
	s.db, s.conn = db, conn
	return nil
}

func (s *session) close() error {
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db, s.conn = nil, nil
	return err
}

// event prints what triggers and continuous queries send out.
func (s *session) event(_ context.Context, events []tickwell.Event) error {
	s.told.Lock()
	defer s.told.Unlock()
	for i := range events {
		fmt.Fprintf(s.c.err, "event: %s\n", sink.AppendJSON(nil, &events[i]))
	}
	return nil
}

// piece runs a statement or a command.
func (s *session) piece(p piece) error {
	if p.meta {
		return s.meta(p.text)
	}
	return s.statement(p.text)
}

func (s *session) statement(text string) error {
	start := time.Now()
	res, err := s.conn.Exec(s.c, text)
	if err != nil {
		return err
	}
	err = s.show(res)
	if err == nil && res.HasRows() && !slices.ContainsFunc(res.Columns(), func(c iotsql.Column) bool { return !c.IsTime && c.Name != "Device" }) {
		s.c.note("no series has the names in this query; SHOW TIMESERIES lists all there are")
	}
	if err == nil && s.interactive {
		took := time.Since(start)
		switch {
		case res.HasRows():
			if s.o.format == "table" {
				s.c.printf("It costs %.3fs\n", took.Seconds())
			}
		case res.Affected() > 0:
			s.c.printf("ok, %s stored in %s\n", counted(res.Affected(), "row"), round(took))
		default:
			s.c.printf("ok in %s\n", round(took))
		}
	}
	return err
}

// counted is a number with its noun.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func round(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// explain is the text of an error, with places counted in the script.
func (s *session) explain(err error, p piece) string {
	var e *iotsql.Error
	if errors.As(err, &e) {
		moved := *e
		if moved.Line == 1 {
			moved.Column += p.column - 1
		}
		moved.Line += p.line - 1
		return strings.TrimPrefix(moved.Error(), "iotsql: ")
	}
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), "tickwell: "), "iotsql: ")
}
