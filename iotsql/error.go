package iotsql

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell/internal/errs"
)

// Error says where a statement is wrong, what was expected there, and what may
// have been meant. It satisfies errors.Is(err, tickwell.ErrBadInput).
type Error struct {
	Line, Column int    // from 1; columns count characters
	Found        string // what stands there, shortened
	Expected     string // what could stand there, "" if Cause says more
	Suggestion   string // what may have been meant, "" if nothing is near
	Cause        string // what is wrong with it
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

// Unwrap returns the sentinel for input that can never be accepted.
func (e *Error) Unwrap() error { return errs.BadInput }

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

// nearest returns the word of list that is at most two changes from s, "" if
// none or s itself is there.
func nearest(s string, list []string) string {
	s = strings.ToUpper(s)
	if len(s) < 3 || len(s) > 20 {
		return ""
	}
	best, least := "", 3
	if len(s) < 5 {
		least = 2
	}
	for _, w := range list {
		if d := distance(s, w, least); d > 0 && d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap to get from a
// to b, as far as it is below limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}
