package exec

import (
	"strings"
	"unicode/utf8"
)

// A textSink makes the texts of a batch in one piece of memory, so that a row
// costs no allocation. Texts are put into the column when the batch is done.
type textSink struct {
	buf   []byte
	spans []textSpan
	from  int
}

// A textSpan is text row of a column: buf[lo:hi].
type textSpan struct{ row, lo, hi int }

// begin starts a text at the next row of out; what follows is appended to buf.
func (s *textSink) begin() { s.from = len(s.buf) }

// end makes what was appended since begin the next row of out.
//
//go:noinline
func (s *textSink) end(out *Col) {
	s.spans = append(s.spans, textSpan{len(out.Texts), s.from, len(s.buf)})
	out.Texts = append(out.Texts, "")
}

// flush puts the texts into out.
//
//go:noinline
func (s *textSink) flush(out *Col) {
	if len(s.spans) > 0 {
		all := string(s.buf)
		for _, t := range s.spans {
			out.Texts[t.row] = all[t.lo:t.hi]
		}
	}
	s.buf, s.spans = s.buf[:0], s.spans[:0]
}

// letters appends text in the other case: from lower to upper by f, or the
// other way round, for ASCII letters in [first, last].
func (s *textSink) letters(out *Col, text string, first, last byte, f func(string) string) {
	change := false
	for i := range len(text) {
		c := text[i]
		if c >= utf8.RuneSelf {
			out.Texts = append(out.Texts, f(text))
			return
		}
		change = change || c >= first && c <= last
	}
	if !change {
		out.Texts = append(out.Texts, text)
		return
	}
	s.begin()
	for i := range len(text) {
		c := text[i]
		if c >= first && c <= last {
			c ^= 'a' - 'A'
		}
		s.buf = append(s.buf, c)
	}
	s.end(out)
}

// replace appends text with each occurrence of old replaced.
func (s *textSink) replace(out *Col, text, old, by string) {
	at := strings.Index(text, old)
	if at < 0 || old == "" {
		out.Texts = append(out.Texts, strings.ReplaceAll(text, old, by))
		return
	}
	s.begin()
	for ; at >= 0; at = strings.Index(text, old) {
		s.buf = append(s.buf, text[:at]...)
		s.buf = append(s.buf, by...)
		text = text[at+len(old):]
	}
	s.buf = append(s.buf, text...)
	s.end(out)
}

// characters is the number of characters of text, and whether they are all
// one byte.
func characters(text string) (n int, ascii bool) {
	n = utf8.RuneCountInString(text)
	return n, n == len(text)
}

// cut is text from character from to character to, of n.
func cut(text string, from, to, n int, ascii bool) string {
	if ascii {
		return text[from:to]
	}
	lo, hi, k := len(text), len(text), 0
	for i := range text {
		if k == from {
			lo = i
		}
		if k == to {
			hi = i
		}
		k++
	}
	if from >= n {
		lo = len(text)
	}
	return text[lo:max(lo, hi)]
}
