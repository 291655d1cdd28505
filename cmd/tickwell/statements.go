package main

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/tickwell/tickwell/iotsql"
)

// A piece of a script is one statement or one command of the shell.
type piece struct {
	text   string
	line   int // where it begins, from 1
	column int
	meta   bool
}

// statements takes pieces out of a script as it is read.
type statements struct {
	in     io.Reader // or
	text   string
	lines  *bufio.Reader
	buf    strings.Builder // lines of statements that are not complete
	at     int             // line where buf begins
	line   int             // lines read
	doubt  int             // where a line in buf ends with a semicolon that a quote or comment hides; 0: nowhere
	ready  []piece
	ended  bool
	failed error
}

// next returns the next piece, or io.EOF.
func (s *statements) next() (piece, error) {
	for {
		if len(s.ready) > 0 {
			p := s.ready[0]
			s.ready = s.ready[1:]
			return p, nil
		}
		if s.ended {
			if s.failed != nil {
				return piece{}, s.failed
			}
			return piece{}, io.EOF
		}
		if s.lines == nil {
			if s.in == nil {
				s.in = strings.NewReader(s.text)
			}
			s.lines = bufio.NewReaderSize(s.in, 1<<16)
		}
		line, err := s.lines.ReadString('\n')
		if line != "" {
			s.feed(line)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.failed = err
			}
			s.finish()
		}
	}
}

// feed takes a line with its end.
func (s *statements) feed(line string) {
	s.line++
	if word := strings.TrimSpace(line); strings.HasPrefix(word, `\`) && !s.begun() {
		s.buf.Reset()
		s.ready = append(s.ready, piece{text: word, line: s.line, column: 1, meta: true})
		return
	}
	if s.buf.Len() == 0 {
		s.at = s.line
	}
	s.buf.WriteString(line)
	if !strings.Contains(line, ";") || s.cut(false) || !strings.HasSuffix(strings.TrimSpace(line), ";") {
		return
	}
	if s.doubt > 0 {
		s.recover()
		return
	}
	s.doubt = s.buf.Len()
}

// recover takes a statement whose quote or comment is not closed: two lines since
// have ended with a semicolon. So it costs itself and not all that follows.
func (s *statements) recover() {
	text, end := s.buf.String()[:s.doubt], s.line
	rest := s.buf.String()[s.doubt:]
	s.buf.Reset()
	s.doubt = 0
	s.take(text)
	s.line = s.at + strings.Count(text, "\n") - 1
	for line := range strings.Lines(rest) {
		s.feed(line)
	}
	s.line = end
}

// begun reports whether a statement is not complete.
func (s *statements) begun() bool {
	if strings.TrimSpace(s.buf.String()) == "" {
		return false
	}
	for p := range iotsql.Split(s.buf.String() + sentinel) {
		return p.Text != strings.TrimSpace(sentinel)
	}
	return true // a comment that goes on
}

// sentinel is put behind a text to see whether its last statement is complete.
const sentinel = "\nEND_OF_TEXT"

// cut takes the statements out of the buffer if all are complete, or anyhow.
func (s *statements) cut(all bool) bool {
	text := s.buf.String()
	if !all {
		last := ""
		for p := range iotsql.Split(text + sentinel) {
			last = p.Text
		}
		if last != strings.TrimSpace(sentinel) {
			return false
		}
	}
	s.take(text)
	s.buf.Reset()
	s.doubt = 0
	return true
}

// take makes pieces of the statements of a text, which begins at s.at.
func (s *statements) take(text string) {
	for p := range iotsql.Split(text) {
		s.ready = append(s.ready, piece{text: p.Text, line: s.at + p.Line - 1, column: p.Column})
	}
}

// finish takes what is left at the end.
func (s *statements) finish() {
	s.ended = true
	for s.doubt > 0 && s.doubt < s.buf.Len() {
		s.recover()
	}
	s.cut(true)
}
