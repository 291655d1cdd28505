package iotsql

import (
	"strings"
	"unicode/utf8"
)

// tokenKind says what a token is.
type tokenKind uint8

const (
	tokEOF      tokenKind = iota
	tokWord               // a keyword or an unquoted name, such as SELECT, wf01, 10s, 123abc
	tokQuoted             // a name in backquotes
	tokString             // 'text' or "text"
	tokInteger            // 123
	tokDecimal            // 1.5, .5, 1e3
	tokDatetime           // 2021-05-11T22:18:14.598+08:00
	tokParam              // ?, ?2 or :name
	tokSymbol             // an operator or a bracket
	tokBad                // what cannot begin a token, or does not end
)

// token is a piece of the statement: text[pos:end].
type token struct {
	kind     tokenKind
	pos, end int
}

// lexer cuts a text into tokens. It holds no state but the text: next may be
// asked at any position.
type lexer struct{ text string }

// nameByte says which ASCII bytes an unquoted name may hold.
func nameByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == ':' || c == '@' || c == '#' || c == '$' || c >= utf8.RuneSelf
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// skip returns the position after blanks and comments from pos on.
func (l *lexer) skip(pos int) int {
	s := l.text
	for pos < len(s) {
		switch c := s[pos]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			pos++
		case c == '-' && strings.HasPrefix(s[pos:], "--"):
			end := strings.IndexByte(s[pos:], '\n')
			if end < 0 {
				return len(s)
			}
			pos += end + 1
		case c == '/' && strings.HasPrefix(s[pos:], "/*"):
			end := strings.Index(s[pos+2:], "*/")
			if end < 0 {
				return pos // a bad token: the comment does not end
			}
			pos += end + 4
		default:
			return pos
		}
	}
	return pos
}

// next returns the first token at or after pos.
func (l *lexer) next(pos int) token {
	pos = l.skip(pos)
	s := l.text
	if pos >= len(s) {
		return token{tokEOF, len(s), len(s)}
	}
	switch c := s[pos]; {
	case digit(c) || c == '.' && pos+1 < len(s) && digit(s[pos+1]) && !l.dotted(pos):
		return l.number(pos)
	case c == '\'' || c == '"':
		return l.quoted(pos, c, tokString)
	case c == '`':
		return l.quoted(pos, c, tokQuoted)
	case c == '?':
		return token{tokParam, pos, l.digits(pos + 1)}
	case c == ':' && pos+1 < len(s) && s[pos+1] != ':' && nameByte(s[pos+1]) && !l.dotted(pos):
		return token{tokParam, pos, l.name(pos + 1)}
	case nameByte(c):
		return token{tokWord, pos, l.name(pos)}
	case c == '/' && strings.HasPrefix(s[pos:], "/*"):
		return token{tokBad, pos, len(s)}
	}
	for _, sym := range symbols {
		if strings.HasPrefix(s[pos:], sym) {
			return token{tokSymbol, pos, pos + len(sym)}
		}
	}
	_, size := utf8.DecodeRuneInString(s[pos:])
	return token{tokBad, pos, pos + size}
}

// symbols are the tokens of other characters, longer ones first.
var symbols = [...]string{
	"<=", ">=", "<>", "!=", "==", "&&", "||", "**",
	"(", ")", "[", "]", ",", ";", ".", "*", "+", "-", "/", "%", "=", "<", ">", "!", "&", "|", "{", "}",
}

// dotted reports whether what stands at pos goes on a path.
func (l *lexer) dotted(pos int) bool {
	if pos == 0 {
		return false
	}
	c := l.text[pos-1]
	return nameByte(c) || c == '`' || c == '*' || c == '}' || c == '.'
}

func (l *lexer) digits(pos int) int {
	for pos < len(l.text) && digit(l.text[pos]) {
		pos++
	}
	return pos
}

func (l *lexer) name(pos int) int {
	for pos < len(l.text) && nameByte(l.text[pos]) {
		pos++
	}
	return pos
}

// quoted is a text between two quotes; a quote inside is doubled.
func (l *lexer) quoted(pos int, q byte, kind tokenKind) token {
	for i := pos + 1; i < len(l.text); i++ {
		if l.text[i] != q {
			continue
		}
		if i+1 < len(l.text) && l.text[i+1] == q {
			i++
			continue
		}
		return token{kind, pos, i + 1}
	}
	return token{tokBad, pos, len(l.text)}
}

// number is what begins with a digit: a number, a time, a duration or a name
// such as 1st.
func (l *lexer) number(pos int) token {
	s := l.text
	if end := l.datetime(pos); end > 0 {
		return token{tokDatetime, pos, end}
	}
	end := l.digits(pos)
	if end < len(s) && s[end] == '.' && end+1 < len(s) && digit(s[end+1]) {
		end = l.exponent(l.digits(end + 1))
		if end < len(s) && nameByte(s[end]) {
			return token{tokBad, pos, l.name(end)}
		}
		return token{tokDecimal, pos, end}
	}
	if e := l.exponent(end); e > end && (e == len(s) || !nameByte(s[e])) {
		return token{tokDecimal, pos, e}
	}
	if end < len(s) && nameByte(s[end]) {
		return token{tokWord, pos, l.name(end)}
	}
	return token{tokInteger, pos, end}
}

// exponent returns the end of an exponent at pos, or pos.
func (l *lexer) exponent(pos int) int {
	s := l.text
	if pos >= len(s) || s[pos]|0x20 != 'e' {
		return pos
	}
	i := pos + 1
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	if i == len(s) || !digit(s[i]) {
		return pos
	}
	return l.digits(i)
}

// datetime returns the end of a date and time at pos, 0 if there is none: four
// digits of a year, month and day with -, / or . between them, and a time of
// day and a zone that may be left out.
func (l *lexer) datetime(pos int) int {
	s := l.text
	i := l.digits(pos)
	if i-pos != 4 || i == len(s) {
		return 0
	}
	sep := s[i]
	if sep != '-' && sep != '/' && sep != '.' {
		return 0
	}
	for part := range 2 {
		if i == len(s) || s[i] != sep {
			return 0
		}
		end := l.digits(i + 1)
		if n := end - i - 1; n < 1 || n > 2 {
			return 0
		}
		i = end
		_ = part
	}
	if i < len(s) && nameByte(s[i]) && s[i] != 'T' && s[i] != 't' {
		return 0
	}
	if end := l.clock(i); end > 0 {
		return end
	}
	if i < len(s) && nameByte(s[i]) {
		return 0
	}
	return i
}

// clock returns the end of "T22:18:14.598+08:00" at pos, 0 if there is none.
func (l *lexer) clock(pos int) int {
	s := l.text
	i := pos
	for i < len(s) && (s[i] == ' ' || i == pos && s[i]|0x20 == 't') {
		i++
	}
	if i == pos {
		return 0
	}
	for part := range 3 {
		end := l.digits(i)
		if n := end - i; n < 1 || n > 2 {
			return 0
		}
		i = end
		if part < 2 {
			if i == len(s) || s[i] != ':' {
				return 0
			}
			i++
		}
	}
	if i+1 < len(s) && s[i] == '.' && digit(s[i+1]) {
		i = l.digits(i + 1)
	}
	if i < len(s) && s[i]|0x20 == 'z' && (i+1 == len(s) || !nameByte(s[i+1])) {
		return i + 1
	}
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		hours := l.digits(i + 1)
		if hours-i-1 == 2 && hours < len(s) && s[hours] == ':' {
			if end := l.digits(hours + 1); end-hours-1 == 2 {
				return end
			}
		}
	}
	return i
}
