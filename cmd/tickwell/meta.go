package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tickwell/tickwell"
)

const metaHelp = `    \clock TIME         show a simulated clock this time: 2021-05-11T22:18:10, or
                        an integer in the precision. Forward from there it moves
                        as \advance does, backward it jumps.
    \advance DURATION   move the simulated clock (1h30m, 500ms, 7d), and wait until
                        every continuous query that is due has run
    \wait               wait until triggers, queries and deliveries are quiet
    \reopen             close the store and open it again
    \help               this; \quit ends the shell
`

// quietLimit is how long \wait and \advance wait for silence.
const quietLimit = time.Minute

var errQuit = errors.New("quit")

// meta runs a command of the shell.
func (s *session) meta(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), ";"))
	switch strings.TrimSuffix(word, ";") {
	case `\clock`:
		return s.setClock(rest)
	case `\advance`:
		return s.advance(rest)
	case `\wait`:
		return errors.Join(s.quiet(), s.warn())
	case `\reopen`:
		if err := s.close(); err != nil {
			return err
		}
		return s.open()
	case `\help`, `\?`, `\h`:
		s.c.printf("%s", metaHelp)
		return nil
	case `\quit`, `\q`, `\exit`:
		return errQuit
	}
	return fmt.Errorf(`there is no command %s; \help lists them: %w`, word, tickwell.ErrBadInput)
}

func (s *session) setClock(text string) error {
	if text == "" {
		s.c.printf("%s\n", s.clock.Now().In(s.o.location).Format(isoForm(s.o.unit)))
		return nil
	}
	var at time.Time
	if n, ok := integer(text); ok {
		unit := int64(s.o.unit)
		if n*unit/unit != n {
			return fmt.Errorf("time %d is out of range: %w", n, tickwell.ErrBadInput)
		}
		at = time.Unix(0, n*unit)
	} else {
		var err error
		if at, err = parseTime(strings.Trim(text, `'"`), s.o.location, s.clock.Now); err != nil {
			return fmt.Errorf("\\clock: %w", err)
		}
	}
	if s.clock.simulated() && at.After(s.clock.Now()) {
		return s.moveTo(at)
	}
	s.clock.set(at)
	return nil
}

func (s *session) advance(text string) error {
	d, err := parseDuration(text)
	if err != nil {
		return fmt.Errorf("\\advance: %w", err)
	}
	if !s.clock.simulated() {
		return fmt.Errorf("\\advance moves a simulated clock: set it with \\clock TIME first: %w", tickwell.ErrBadInput)
	}
	return s.moveTo(s.clock.Now().Add(d))
}

// moveTo moves the clock from one run of a continuous query to the next, so that
// each sees what was there at its time.
func (s *session) moveTo(to time.Time) error {
	if err := s.quiet(); err != nil {
		return err
	}
	for {
		now := s.clock.Now()
		next := to
		all, err := s.db.ContinuousQueries(s.c)
		if err != nil {
			return err
		}
		for q := range all {
			if q.NextRun.After(now) && q.NextRun.Before(next) {
				next = q.NextRun
			}
		}
		if d := next.Sub(now); d > 0 {
			s.clock.advance(d)
		}
		if err := s.quiet(); err != nil {
			return err
		}
		if !next.Before(to) {
			return s.warn()
		}
	}
}

// warn tells of continuous queries whose last run failed.
func (s *session) warn() error {
	all, err := s.db.ContinuousQueries(s.c)
	if err != nil {
		return err
	}
	for q := range all {
		if q.LastErr != nil {
			fmt.Fprintf(s.c.err, "warning: continuous query %s: %s\n", q.Spec.Name, strings.TrimPrefix(q.LastErr.Error(), "tickwell: "))
		}
	}
	return nil
}

// quiet waits until nothing is under way.
func (s *session) quiet() error {
	ctx, cancel := context.WithTimeout(s.c, quietLimit)
	defer cancel()
	err := s.db.Quiesce(ctx)
	if err != nil && s.c.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it is not quiet after %s: %w", quietLimit, err)
	}
	return err
}

// parseDuration reads 1h30m, 500ms, 7d or 2w.
func parseDuration(s string) (time.Duration, error) {
	text := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	var total time.Duration
	for text != "" {
		i := strings.IndexAny(text, "dw")
		if i < 0 {
			break
		}
		digits := text[:i]
		n, ok := integer(digits)
		if !ok {
			break
		}
		unit := 24 * time.Hour
		if text[i] == 'w' {
			unit *= 7
		}
		total += time.Duration(n) * unit
		text = text[i+1:]
	}
	if text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			return 0, fmt.Errorf("%q is no duration such as 1h30m, 500ms or 7d: %w", s, tickwell.ErrBadInput)
		}
		total += d
	}
	if total < 0 || s == "" {
		return 0, fmt.Errorf("%q is no duration such as 1h30m, 500ms or 7d: %w", s, tickwell.ErrBadInput)
	}
	return total, nil
}
