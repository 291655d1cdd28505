package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func sqlCommand() *command {
	f := newFlags()
	var o sqlOptions
	f.StringVar(&o.dir, "dir", "", "the store in `DIR`, which is made if there is none; without it, one in memory")
	f.StringVar(&o.format, "format", "", "`table`, csv or json (table on a terminal, else csv)")
	f.StringVar(&o.precision, "precision", "ms", "what times that are integers count: `ms`, us or ns")
	f.StringVar(&o.times, "times", "", "how times are printed: int or `iso` (iso in tables, else int)")
	f.StringVar(&o.zone, "zone", "UTC", "the time `ZONE` of times without one, of natural months and of -times iso")
	f.BoolVar(&o.goOn, "continue", false, "go on after a statement that failed")
	f.BoolVar(&o.readOnly, "readonly", false, "open the store for reading, also while another program uses it")
	f.BoolVar(&o.events, "events", false, "print the events of triggers and queries to standard error")
	f.Func("e", "run this `STATEMENT` instead of files; may be given more than once", func(text string) error {
		if o.statement != "" {
			o.statement += "\n;\n" // a comment may end the one before
		}
		o.statement += text
		return nil
	})
	return &command{
		name: "sql", args: "[FILE…]", short: "Runs SQL, from files or as you type.", hi: -1, flags: f,
		long: `
Runs the statements of the files, or of standard input; a semicolon ends one. On
a terminal it is a shell with history, editing and completion (Tab). The dialect
is that of Apache IoTDB; the classes that its pages use as examples are there
under their printed names, so that the statements of the pages run as printed.

csv prints for each result a header line Time,… (Time,Device,… with ALIGN BY
DEVICE; without Time where rows have none), the rows, null as an empty cell, and
an empty line. json prints one object a result.

A statement that fails prints "error: …" to standard error and ends the program
with exit code 1; with -continue it goes on, and ends with 1 all the same.

Lines that begin with a backslash are commands of the shell:

` + metaHelp + `
Commands stand on a line of their own, between statements.

    tickwell sql                                  # try things out
    tickwell sql -dir data -format csv report.sql
    echo 'SHOW TIMESERIES' | tickwell sql -dir data -readonly
`,
		run: o.run,
	}
}

type sqlOptions struct {
	dir, format, precision, times, zone string
	goOn, readOnly, events              bool
	statement                           string

	unit     time.Duration
	location *time.Location
}

func (o *sqlOptions) run(c *call, files []string) (err error) {
	interactive := len(files) == 0 && o.statement == "" && isTerminal(c.in) && isTerminal(c.out)
	if err := o.check(interactive); err != nil {
		return err
	}
	if o.statement != "" && len(files) > 0 {
		return wrongf("-e and files cannot be given both")
	}
	s := &session{c: c, o: o, interactive: interactive}
	if err := s.open(); err != nil {
		return err
	}
	defer func() {
		if cerr := s.close(); err == nil {
			err = cerr
		}
	}()
	switch {
	case interactive:
		return s.interact()
	case o.statement != "":
		err = s.script(&statements{text: o.statement}, "")
	case len(files) == 0:
		err = s.script(&statements{in: c.in}, "")
	}
	for _, name := range files {
		if err == nil {
			err = s.file(name)
		}
	}
	if err == nil && s.failed {
		return exitError(exitFailed)
	}
	return err
}

func (o *sqlOptions) check(interactive bool) error {
	if o.format == "" {
		if o.format = "csv"; interactive {
			o.format = "table"
		}
	}
	if o.format != "table" && o.format != "csv" && o.format != "json" {
		return wrongf("-format is table, csv or json, not %q", o.format)
	}
	if o.times == "" {
		if o.times = "int"; o.format == "table" {
			o.times = "iso"
		}
	}
	if o.times != "int" && o.times != "iso" {
		return wrongf("-times is int or iso, not %q", o.times)
	}
	unit, err := unitOf(o.precision)
	if err != nil || o.precision == "s" {
		return wrongf("-precision is ms, us or ns, not %q", o.precision)
	}
	o.unit = time.Duration(unit)
	if o.location, err = time.LoadLocation(o.zone); err != nil {
		return wrongf("there is no time zone %q here", o.zone)
	}
	if o.readOnly && o.dir == "" {
		return wrongf("-readonly needs -dir")
	}
	return nil
}

// file runs a script; "-" is standard input.
func (s *session) file(name string) error {
	if name == "-" {
		return s.script(&statements{in: s.c.in}, "")
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.script(&statements{in: f}, name)
}

// script runs statements until one fails; with -continue all.
func (s *session) script(st *statements, name string) error {
	for {
		p, err := st.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err = s.piece(p); err == nil {
			continue
		}
		if s.c.Err() != nil {
			return s.c.Err()
		}
		s.report(err, p, name)
		if !s.o.goOn {
			return exitError(exitFailed)
		}
		s.failed = true
	}
}

// report prints the error of a statement.
func (s *session) report(err error, p piece, name string) {
	where := ""
	if name != "" {
		where = fmt.Sprintf(" (%s:%d)", name, p.line)
	} else if p.line > 1 {
		where = fmt.Sprintf(" (statement at line %d)", p.line)
	}
	fmt.Fprintf(s.c.err, "error: %s%s\n", s.explain(err, p), where)
}
