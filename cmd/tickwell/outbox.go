package main

import (
	"fmt"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

func outboxCommand() *command {
	f := newFlags()
	name := f.String("sink", "", "only the events for this `SINK`")
	most := f.Int("n", 20, "print at most `N` events of a sink; 0: all")
	lines := f.Bool("json", false, "print JSON lines only")
	return &command{
		name: "outbox", args: "DIR", short: "Lists events that wait for their sinks.", lo: 1, hi: 1, flags: f,
		long: `
Events wait in the store until their sink has acknowledged them: while a target
does not answer, while the program is not running, or for ever, if no sink of
that name is added any more. Nothing is taken away by looking.

    tickwell outbox data
    tickwell outbox -sink alerts -n 0 -json data
`,
		run: func(c *call, args []string) error {
			db, err := openForReading(c, args[0])
			if err != nil {
				return err
			}
			defer db.Close()
			return listOutbox(c, db, *name, *most, *lines)
		},
	}
}

func listOutbox(c *call, db *tickwell.DB, only string, most int, lines bool) error {
	found := false
	for _, s := range db.Stats().Sinks {
		if only != "" && s.Name != only {
			continue
		}
		found = true
		if !lines {
			c.printf("%s: %d events wait, %d were dropped\n", s.Name, s.Backlog, s.Dropped)
		}
		n := 0
		var b []byte
		for e, err := range db.Waiting(s.Name) {
			if n++; most > 0 && n > most {
				if !lines {
					c.printf("  … and %d more (-n 0 shows all)\n", s.Backlog-int64(most))
				}
				break
			}
			if err != nil {
				c.note("outbox: %v", err)
				continue
			}
			b = append(sink.AppendJSON(b[:0], &e), '\n')
			if !lines {
				c.printf("  ")
			}
			c.printf("%s", b)
		}
	}
	switch {
	case !found && only != "":
		return fmt.Errorf("no events wait for sink %q: %w", only, tickwell.ErrNotFound)
	case !found && !lines:
		c.printf("no events wait\n")
	}
	return nil
}
