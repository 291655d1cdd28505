package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/zstd"
)

func outboxCommand() *command {
	f := newFlags()
	o := outbox{}
	f.StringVar(&o.sink, "sink", "", "only the events for this `SINK`")
	f.IntVar(&o.most, "n", 20, "print at most `N` events of a sink; 0: all")
	f.BoolVar(&o.lines, "json", false, "print JSON lines only")
	f.BoolVar(&o.dead, "dead", false, "print what sinks have given up, instead of what waits")
	redrive := f.Bool("redrive", false, "put what the sink has given up back into its queue; needs -sink")
	return &command{
		name: "outbox", args: "DIR", short: "Lists events that wait for their sinks; puts dead letters back.", lo: 1, hi: 1, flags: f,
		long: `
Events wait in the store until their sink has acknowledged them: while a target
does not answer, while the program is not running, or for ever, if no sink of
that name is added any more. Nothing is taken away by looking. Events that a
target refused for good, or that could not be delivered for too long, are kept
apart as dead letters, with the reason.

-redrive puts the dead letters of a sink back, behind what waits: the program
that owns the store tries them again when it runs. Mend the cause first. It
writes to the store, which must not be open elsewhere.

    tickwell outbox data
    tickwell outbox -sink alerts -n 0 -json data
    tickwell outbox -dead data
    tickwell outbox -redrive -sink alerts data
`,
		run: func(c *call, args []string) error {
			if *redrive {
				return o.redrive(c, args[0])
			}
			return o.list(c, args[0])
		},
	}
}

type outbox struct {
	sink        string
	most        int
	lines, dead bool
}

func (o *outbox) list(c *call, dir string) (err error) {
	db, err := openForReading(c, dir)
	if err != nil {
		return err
	}
	defer closing(db, &err)
	found := false
	for _, s := range db.Stats().Sinks {
		if o.sink != "" && s.Name != o.sink {
			continue
		}
		found = true
		if !o.lines {
			c.printf("%s\n", outboxLine(s))
		}
		if o.dead {
			o.letters(c, db, s)
		} else {
			o.waiting(c, db, s)
		}
	}
	switch {
	case !found && o.sink != "":
		return o.nothing()
	case !found && !o.lines:
		c.printf("no events wait\n")
	}
	return nil
}

// outboxLine says what is kept for one sink.
func outboxLine(s tickwell.SinkStats) string {
	line := s.Name + ": " + plural(s.Backlog, "event waits", "events wait")
	if s.OldestAge > 0 {
		line += ", the oldest for " + s.OldestAge.Round(time.Second).String()
	}
	line += fmt.Sprintf(", %d dropped, %s", s.Dropped, plural(s.DeadLetters, "dead letter", "dead letters"))
	if s.DeadDropped > 0 {
		line += fmt.Sprintf(", %d more dropped", s.DeadDropped)
	}
	return line
}

func (o *outbox) waiting(c *call, db *tickwell.DB, s tickwell.SinkStats) {
	n := 0
	var b []byte
	for e, err := range db.Waiting(s.Name) {
		if n++; o.enough(c, n, s.Backlog) {
			return
		}
		if err != nil {
			c.note("outbox: %v", err)
			continue
		}
		b = append(sink.AppendJSON(b[:0], &e), '\n')
		o.line(c, b)
	}
}

func (o *outbox) letters(c *call, db *tickwell.DB, s tickwell.SinkStats) {
	n := 0
	var b []byte
	for d, err := range db.DeadLetters(c, s.Name) {
		if n++; o.enough(c, n, s.DeadLetters) {
			return
		}
		if err != nil {
			c.note("outbox: %v", err)
			continue
		}
		b = appendJSONText(append(b[:0], `{"sink":`...), d.Sink)
		b = appendJSONText(append(b, `,"reason":`...), d.Reason)
		b = appendJSONText(append(b, `,"cause":`...), d.Cause)
		b = fmt.Appendf(b, `,"attempts":%d,"event":`, d.Attempts)
		b = append(sink.AppendJSON(b, &d.Event), "}\n"...)
		o.line(c, b)
	}
}

func (o *outbox) line(c *call, b []byte) {
	if !o.lines {
		c.printf("  ")
	}
	c.printf("%s", b)
}

// enough reports whether event n is one too many to print.
func (o *outbox) enough(c *call, n int, of int64) bool {
	if o.most == 0 || n <= o.most {
		return false
	}
	if !o.lines {
		c.printf("  … and %d more (-n 0 shows all)\n", of-int64(o.most))
	}
	return true
}

// nothing is the error of a sink that the store keeps nothing for.
func (o *outbox) nothing() error {
	return fmt.Errorf("no events wait for sink %q: %w", o.sink, tickwell.ErrNotFound)
}

// redrive adds a sink of the name that takes nothing, and puts the dead letters
// into its queue.
func (o *outbox) redrive(c *call, dir string) error {
	if o.sink == "" {
		return wrongf("-redrive needs -sink")
	}
	if err := checkStore(dir); err != nil {
		return err
	}
	nobody := tickwell.SinkFunc(func(context.Context, []tickwell.Event) error {
		return sink.NotConnected(errors.New("tickwell outbox delivers nothing"))
	})
	db, err := tickwell.Open(c, dir, &tickwell.Options{Compress: zstd.Reader, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	n := 0
	if !slices.ContainsFunc(db.Stats().Sinks, func(s tickwell.SinkStats) bool { return s.Name == o.sink }) {
		err = o.nothing()
	} else if err = db.AddSink(c, tickwell.SinkSpec{Name: o.sink, Sink: nobody}); err == nil {
		n, err = db.Redrive(c, o.sink, nil)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	c.printf("%s again\n", plural(n, "dead letter of "+o.sink+" waits", "dead letters of "+o.sink+" wait"))
	return nil
}
