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
	if strings.Contains(line, ";") {
		s.cut(false)
	}
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

// cut takes the complete statements out of the buffer, or all of it.
func (s *statements) cut(all bool) {
	text := s.buf.String()
	var pieces []iotsql.Piece
	for p := range iotsql.Split(text + sentinel) {
		pieces = append(pieces, p)
	}
	n := len(pieces)
	complete := n > 0 && pieces[n-1].Text == strings.TrimSpace(sentinel)
	if !complete && !all {
		return
	}
	if complete {
		pieces = pieces[:n-1]
	} else {
		pieces = pieces[:0]
		for p := range iotsql.Split(text) {
			pieces = append(pieces, p)
		}
	}
	for _, p := range pieces {
		s.ready = append(s.ready, piece{text: p.Text, line: s.at + p.Line - 1, column: p.Column})
	}
	s.buf.Reset()
}

// finish takes what is left at the end.
func (s *statements) finish() {
	s.ended = true
	s.cut(true)
}
