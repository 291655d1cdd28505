package iotsql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell/internal/errs"
)

// Error says where a statement is wrong, what was expected there, and what may
// have been meant. It satisfies errors.Is(err, tickwell.ErrBadInput), and where a
// query is understood but makes no sense what [tickwell.DB.Query] says of it, such
// as tickwell.ErrNotFound of an unknown function.
type Error struct {
	Line, Column int    // from 1; columns count characters
	Found        string // what stands there, shortened
	Expected     string // what could stand there, "" if Cause says more
	Suggestion   string // what may have been meant, "" if nothing is near
	Cause        string // what is wrong with it
	err          error  // of a statement that is understood but makes no sense
}

// Error returns the text.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "iotsql: line %d, column %d: ", e.Line, e.Column)
	switch {
	case e.Cause != "":
		b.WriteString(e.Cause)
		if e.Expected != "" {
			b.WriteString(": expected " + e.Expected)
		}
	default:
		fmt.Fprintf(&b, "found %s, expected %s", e.Found, e.Expected)
	}
	if e.Suggestion != "" {
		b.WriteString("; did you mean " + e.Suggestion + "?")
	}
	return b.String()
}

// Unwrap returns the cause, or the sentinel for input that can never be accepted.
func (e *Error) Unwrap() error {
	if e.err != nil {
		return e.err
	}
	return errs.BadInput
}

// position returns line and column of a byte of text, from 1.
func position(text string, pos int) (line, column int) {
	before := text[:min(pos, len(text))]
	line = 1 + strings.Count(before, "\n")
	if i := strings.LastIndexByte(before, '\n'); i >= 0 {
		before = before[i+1:]
	}
	return line, 1 + utf8.RuneCountInString(before)
}

// shown is a piece of the statement for a message.
func shown(s string) string {
	const most = 40
	if s == "" {
		return "the end of the statement"
	}
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strconv.Quote(s)
}
