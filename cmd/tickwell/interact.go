package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// interact is the shell on a terminal.
func (s *session) interact() error {
	base := context.WithoutCancel(s.c) // Ctrl-C ends a statement, not the shell
	s.c = &call{base, s.c.in, s.c.out, s.c.err}
	tty := s.c.in.(*os.File)
	lines := newPrompter(s, tty)
	defer lines.end()
	where := "a store in memory"
	if s.o.dir != "" {
		where = s.o.dir
	}
	s.c.printf("tickwell: %s. A semicolon ends a statement; Tab completes; \\help and \\quit.\n", where)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	for {
		p, err := lines.piece()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errInterrupted):
			continue
		case err != nil:
			return err
		}
		err = s.stoppable(base, signals, p)
		if errors.Is(err, errQuit) {
			return nil
		}
		if err != nil {
			fmt.Fprintf(s.c.err, "error: %s\n", s.explain(err, p))
			if s.db == nil { // \reopen failed
				return err
			}
		}
	}
}

// stoppable runs a statement until it is over or a signal comes.
func (s *session) stoppable(base context.Context, signals <-chan os.Signal, p piece) error {
	ctx, cancel := context.WithCancel(base)
	defer cancel()
	s.c.Context = ctx
	defer func() { s.c.Context = base }()
	if p.meta && strings.HasPrefix(p.text, `\reopen`) {
		s.c.Context = base // the store lives longer than the statement
	}
	done := make(chan error, 1)
	go func() { done <- s.piece(p) }()
	for {
		select {
		case err := <-done:
			if errors.Is(err, context.Canceled) {
				return errors.New("interrupted")
			}
			return err
		case sig := <-signals:
			cancel()
			if sig == syscall.SIGTERM {
				if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
					s.c.note("the last statement: %v", err)
				}
				return errQuit
			}
		}
	}
}

// prompter asks for pieces, on as many lines as they take.
type prompter struct {
	s     *session
	tty   *os.File
	ed    *editor
	plain *bufio.Reader // where there is no raw mode
	st    statements
	saved string // file of the history
}

func newPrompter(s *session, tty *os.File) *prompter {
	p := &prompter{s: s, tty: tty}
	restore, err := rawMode(tty)
	if err != nil {
		p.plain = bufio.NewReader(tty)
		return p
	}
	restore()
	p.ed = &editor{in: bufio.NewReader(tty), out: s.c.out, width: func() int { return terminalWidth(s.c.out) }}
	p.ed.complete = s.complete
	if home, err := os.UserHomeDir(); err == nil {
		p.saved = filepath.Join(home, ".tickwell_history")
		if b, err := os.ReadFile(p.saved); err == nil && len(b) > 0 {
			p.ed.history = strings.Split(strings.TrimRight(string(b), "\n"), "\n")
		}
	}
	return p
}

// piece returns the next statement or command.
func (p *prompter) piece() (piece, error) {
	for len(p.st.ready) == 0 {
		prompt := "tickwell> "
		if p.st.begun() {
			prompt = "       -> "
		}
		line, err := p.line(prompt)
		if err != nil {
			p.st = statements{}
			return piece{}, err
		}
		p.remember(line)
		p.st.feed(line + "\n")
	}
	next := p.st.ready[0]
	if p.st.ready = p.st.ready[1:]; len(p.st.ready) == 0 && p.st.buf.Len() == 0 {
		p.st = statements{}
	}
	return next, nil
}

func (p *prompter) line(prompt string) (string, error) {
	if p.ed == nil {
		p.s.c.printf("%s", prompt)
		line, err := p.plain.ReadString('\n')
		if err != nil && line == "" {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	restore, err := rawMode(p.tty)
	if err != nil {
		return "", err
	}
	defer restore()
	return p.ed.readLine(prompt)
}

// mostHistory is how many lines are kept.
const mostHistory = 1000

func (p *prompter) remember(line string) {
	if p.ed == nil || strings.TrimSpace(line) == "" {
		return
	}
	p.ed.history = slices.DeleteFunc(p.ed.history, func(h string) bool { return h == line })
	p.ed.history = append(p.ed.history, line)
	if n := len(p.ed.history); n > mostHistory {
		p.ed.history = p.ed.history[n-mostHistory:]
	}
}

// end writes the history; that it cannot be written hurts nobody.
func (p *prompter) end() {
	if p.ed != nil && p.saved != "" && len(p.ed.history) > 0 {
		_ = os.WriteFile(p.saved, []byte(strings.Join(p.ed.history, "\n")+"\n"), 0o600)
	}
}
