package iotsql

import (
	"iter"
	"strings"
)

// Piece is one statement of a script.
type Piece struct {
	Text         string // without the semicolon
	Line, Column int    // where it begins, from 1
}

// Split cuts a script into statements at its semicolons. Those inside of texts,
// names and comments do not count. What is empty is left out. A text that does not end makes the last piece.
func Split(script string) iter.Seq[Piece] {
	return func(yield func(Piece) bool) {
		l := lexer{script}
		start, pos := -1, 0
		piece := func(end int) bool {
			if start < 0 {
				return true
			}
			line, col := position(script, start)
			ok := yield(Piece{strings.TrimRight(script[start:end], " \t\r\n"), line, col})
			start = -1
			return ok
		}
		for {
			t := l.next(pos)
			word := script[t.pos:t.end]
			switch {
			case t.kind == tokEOF:
				piece(len(script))
				return
			case t.kind == tokSymbol && word == ";":
				if !piece(t.pos) {
					return
				}
			default:
				if start < 0 {
					start = t.pos
				}
			}
			pos = t.end
		}
	}
}
