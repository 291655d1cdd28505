package pattern

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// cut takes the first node, as it is written, off a path. It makes something
// of every input: a quote that does not close runs to the end.
func cut(path string) (text, rest string, more bool) {
	end := 0
	if path != "" && path[0] == '`' {
		end = closing(path)
	}
	dot := strings.IndexByte(path[end:], '.')
	if dot < 0 {
		return path, "", false
	}
	end += dot
	return path[:end], path[end+1:], true
}

// closing returns the position behind the backquote that closes the one at 0.
func closing(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '`' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '`' {
			i++ // an escaped backquote
			continue
		}
		return i + 1
	}
	return len(s)
}

func quoted(text string) bool { return text != "" && text[0] == '`' }

// content returns a node as the matcher compares it: without the quotes around
// it, but with the backquotes inside it still doubled. That needs no
// allocation, and no pattern's literal text can tell the difference.
func content(text string) string {
	if len(text) >= 2 && text[0] == '`' && text[len(text)-1] == '`' {
		return text[1 : len(text)-1]
	}
	return text
}

// unquote returns a node's name.
func unquote(text string) string {
	if !quoted(text) {
		return text
	}
	return strings.ReplaceAll(content(text), "``", "`")
}

// parseNode returns the name of a node as written, or says what is wrong with
// it. Asterisks are the caller's business.
func parseNode(text string) (raw, cause string) {
	raw = unquote(text)
	switch {
	case quoted(text) && !closes(text):
		return "", "has a backquote that does not close, or text behind it"
	case raw == "":
		return "", "is empty"
	case !utf8.ValidString(raw):
		return "", "is not valid UTF-8"
	case len(raw) > MaxNodeBytes:
		return "", fmt.Sprintf("is longer than %d bytes", MaxNodeBytes)
	case quoted(text):
		return raw, ""
	case strings.IndexByte(raw, '`') >= 0:
		return "", "has a backquote inside; quote the whole node and double it"
	}
	for _, r := range raw {
		if blank(r) {
			return "", fmt.Sprintf("has the character %U, which needs backquotes around the node", r)
		}
	}
	return raw, ""
}

// closes reports whether the quote that opens text ends exactly at its end.
func closes(text string) bool {
	inside := strings.ReplaceAll(text[1:], "``", "")
	return strings.IndexByte(inside, '`') == len(inside)-1 && inside != ""
}

// needsQuotes reports whether a name must be quoted in a canonical path. The
// rule is part of what is on disk, so it never changes: it does not ask the
// unicode package, whose letters grow with every release, but takes every
// character above U+00A0 for a letter that is not in a fixed list of blanks.
func needsQuotes(raw string) bool {
	if raw == "" {
		return true
	}
	digits := true
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c >= utf8.RuneSelf {
			return wideNeedsQuotes(raw[i:])
		}
		if !plainASCII(c) {
			return true
		}
		digits = digits && '0' <= c && c <= '9'
	}
	return digits
}

func wideNeedsQuotes(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return true
			}
		}
		if r < utf8.RuneSelf && !plainASCII(byte(r)) || blank(r) {
			return true
		}
	}
	return false
}

func plainASCII(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '_' || c == ':' || c == '@' || c == '#' || c == '$'
}

// blank reports whether r is a control character, a kind of space, or
// invisible.
func blank(r rune) bool {
	switch {
	case r <= 0x20, 0x7F <= r && r <= 0xA0, r == 0xAD:
		return true
	case r < 0x1680:
		return false
	}
	return r == 0x1680 || r == 0x180E || 0x2000 <= r && r <= 0x206F || r == 0x3000 ||
		0xE000 <= r && r <= 0xF8FF || 0xFE00 <= r && r <= 0xFE0F || r == 0xFEFF ||
		0xFFF0 <= r && r <= 0xFFFF || r >= 0xE0000
}
