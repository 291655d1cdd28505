package iotsql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tickwell/tickwell/internal/errs"
	"github.com/tickwell/tickwell/internal/pattern"
)

// parser reads one statement. The first thing that is wrong stays in err; from
// then on every token is the end, so nothing has to be checked in between.
type parser struct {
	lexer
	c     *Conn
	bind  *binding
	tok   token // the next one
	err   *Error
	depth int
	inCQ  bool // inside of a continuous query
}

// Limits on what one statement may hold.
const (
	maxDepth = 200     // brackets within brackets
	maxText  = 4 << 20 // bytes
)

func (p *parser) advance() {
	if p.err == nil {
		p.tok = p.next(p.tok.end)
	}
}

// seek goes on at a position.
func (p *parser) seek(pos int) {
	if p.err == nil {
		p.tok = p.next(pos)
	}
}

func (p *parser) word() string { return p.text[p.tok.pos:p.tok.end] }

// stop notes an error, if it is the first.
func (p *parser) stop(e *Error) {
	if p.err == nil {
		p.err = e
	}
	p.tok = token{tokEOF, len(p.text), len(p.text)}
}

// fail says what is wrong with a token.
func (p *parser) fail(tok token, cause string) {
	line, col := position(p.text, tok.pos)
	p.stop(&Error{Line: line, Column: col, Found: shown(p.text[tok.pos:tok.end]), Cause: cause})
}

// failf says what is wrong at a position.
func (p *parser) failf(pos int, format string, args ...any) {
	p.fail(token{pos: pos, end: min(pos+1, len(p.text))}, fmt.Sprintf(format, args...))
}

// expected says what could stand in place of the next token; the words in
// capitals among it are candidates for what was meant.
func (p *parser) expected(what string) {
	if p.err != nil {
		return
	}
	line, col := position(p.text, p.tok.pos)
	e := &Error{Line: line, Column: col, Found: shown(p.word()), Expected: what}
	switch {
	case p.tok.kind == tokBad:
		e.Cause = badToken(p.word())
		if e.Cause != "" {
			e.Expected = ""
		}
	case p.tok.kind == tokWord:
		var words []string
		for w := range strings.FieldsFuncSeq(what, func(r rune) bool { return r == ' ' || r == ',' }) {
			if w == strings.ToUpper(w) && len(w) > 1 {
				words = append(words, w)
			}
		}
		e.Suggestion = errs.Nearest(p.word(), words)
	}
	p.stop(e)
}

// badToken says what is wrong with a token that is none, "" if there is no more
// to say than that it is not expected.
func badToken(s string) string {
	switch {
	case s == "":
		return ""
	case s[0] == '\'' || s[0] == '"':
		return "the text that begins here does not end"
	case s[0] == '`':
		return "the name that begins here does not end"
	case strings.HasPrefix(s, "/*"):
		return "the comment that begins here does not end"
	case digit(s[0]):
		return shown(s) + " is neither a number nor a name; a name like this needs backquotes"
	case s[0] == ':':
		return ""
	}
	return "the character " + shown(s) + " has no meaning here; in a name it needs backquotes"
}

// is reports whether the next token is a keyword or symbol.
func (p *parser) is(s string) bool {
	switch p.tok.kind {
	case tokWord:
		return len(s) == p.tok.end-p.tok.pos && strings.EqualFold(p.word(), s)
	case tokSymbol:
		return p.word() == s
	}
	return false
}

// isOne reports whether the next token is one of several.
func (p *parser) isOne(list ...string) bool {
	return slices.ContainsFunc(list, p.is)
}

// accept takes the next token if it is s.
func (p *parser) accept(s string) bool {
	if p.is(s) {
		p.advance()
		return true
	}
	return false
}

// acceptOne takes the next token if it is one of several, which it returns.
func (p *parser) acceptOne(list ...string) string {
	for _, s := range list {
		if p.accept(s) {
			return s
		}
	}
	return ""
}

// expect takes the next token, which must be s.
func (p *parser) expect(s string) {
	if !p.accept(s) {
		p.expected(s)
	}
}

// expectWords takes several keywords.
func (p *parser) expectWords(list ...string) {
	for _, s := range list {
		p.expect(s)
	}
}

// peek returns the token after the next one.
func (p *parser) peek() token { return p.next(p.tok.end) }

// follows reports whether the token after the next one is s.
func (p *parser) follows(s string) bool {
	t := p.peek()
	return (t.kind == tokWord || t.kind == tokSymbol) && strings.EqualFold(p.text[t.pos:t.end], s)
}

// enter counts a bracket; leave undoes it.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(p.tok, fmt.Sprintf("more than %d brackets, operators or functions inside of one another", maxDepth))
		return false
	}
	return true
}

func (p *parser) leave() { p.depth-- }

// name takes the name of a trigger, function or query: a word, or anything in
// backquotes. What is returned has no quotes.
func (p *parser) name(what string) string {
	s := p.word()
	switch p.tok.kind {
	case tokWord:
		if onlyDigits(s) {
			break
		}
		p.advance()
		return s
	case tokQuoted:
		s = strings.ReplaceAll(s[1:len(s)-1], "``", "`")
		if s == "" {
			p.fail(p.tok, "the name is empty")
			return ""
		}
		p.advance()
		return s
	case tokInteger:
		p.fail(p.tok, fmt.Sprintf("%s is a number; as %s it needs backquotes", s, what))
		return ""
	}
	p.expected(what)
	return ""
}

func onlyDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

// str takes a text in quotes and returns what it means.
func (p *parser) str(what string) string {
	if p.tok.kind == tokParam {
		tok := p.tok
		v, ok := p.given()
		s, isText := v.(string)
		if ok && !isText {
			p.fail(tok, fmt.Sprintf("the value of the parameter is %T, and %s is a text", v, what))
		}
		return s
	}
	if p.tok.kind != tokString {
		p.expected(what + " in quotes")
		return ""
	}
	s := unquote(p.word())
	p.advance()
	return s
}

// unquote removes the quotes of a text and the doubling of those inside.
func unquote(s string) string {
	q := s[:1]
	s = s[1 : len(s)-1]
	if strings.Contains(s, q) {
		s = strings.ReplaceAll(s, q+q, q)
	}
	return s
}

// path takes a concrete path that begins with root.
func (p *parser) path(what string) string {
	pos := p.tok.pos
	s := p.scanPath(what, true)
	if p.err != nil {
		return ""
	}
	c, err := pattern.Canonical(s)
	if err != nil {
		p.badPath(pos, err)
		return ""
	}
	return c
}

// pathPattern takes a path that may hold wildcards.
func (p *parser) pathPattern(what string) string {
	pos := p.tok.pos
	s := p.scanPath(what, true)
	if p.err != nil {
		return ""
	}
	if _, err := pattern.Parse(s); err != nil {
		p.badPath(pos, err)
	}
	return s
}

// badPath repeats what package pattern says of a path.
func (p *parser) badPath(pos int, err error) {
	cause := strings.TrimSuffix(err.Error(), ": bad input")
	p.failf(pos, "%s", cause)
}

// scanPath takes nodes with dots between them, as they are written. The text is
// read by character: $, {, : and * have a meaning of their own here.
func (p *parser) scanPath(what string, root bool) string {
	if p.err != nil {
		return ""
	}
	s, pos := p.text, p.tok.pos
	end := pos
	for {
		node := p.scanNode(end)
		if node == end {
			p.tok = p.next(end)
			if end == pos {
				p.expected(what)
			} else {
				p.expected("a node of the path")
			}
			return ""
		}
		end = node
		if end == len(s) || s[end] != '.' {
			break
		}
		end++
	}
	text := s[pos:end]
	if root {
		if first, _, _ := strings.Cut(text, "."); first != "root" && first != pattern.Lost {
			e := what
			p.seek(pos)
			if p.err == nil {
				line, col := position(p.text, pos)
				err := &Error{Line: line, Column: col, Found: shown(text), Expected: e + " that begins with root"}
				if strings.EqualFold(first, "root") || errs.Nearest(first, []string{"ROOT"}) != "" {
					err.Suggestion = "root" + text[len(first):]
				}
				p.stop(err)
			}
			return ""
		}
	}
	if root && end < len(s) && s[end] == '-' && end+1 < len(s) && nameByte(s[end+1]) {
		p.failf(end, "a node with the character %q needs backquotes", s[end])
		return ""
	}
	p.seek(end)
	return text
}

// scanNode returns the end of a node at pos, pos if there is none.
func (p *parser) scanNode(pos int) int {
	s := p.text
	if pos < len(s) && s[pos] == '`' {
		t := p.quoted(pos, '`', tokQuoted)
		if t.kind == tokBad {
			p.fail(t, "the name that begins here does not end")
			return pos
		}
		return t.end
	}
	for pos < len(s) {
		c := s[pos]
		if c == '{' && pos > 0 && s[pos-1] == '$' {
			for pos < len(s) && s[pos] != '}' && s[pos] != '.' {
				pos++
			}
			if pos < len(s) && s[pos] == '}' {
				pos++
				continue
			}
			return pos
		}
		if !nameByte(c) && c != '*' {
			break
		}
		pos++
	}
	return pos
}
