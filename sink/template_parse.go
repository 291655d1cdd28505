package sink

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parse cuts a template into its parts. Neighbouring texts are not joined.
func parse(text string) (parts []part, err error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("not UTF-8")
	}
	for text != "" {
		plain, rest, found := strings.Cut(text, "{{")
		if plain != "" {
			parts = append(parts, part{text: plain})
		}
		if !found {
			break
		}
		s := scanner{rest}
		p, err := s.place()
		if err != nil {
			return nil, fmt.Errorf("at %.30q: %w", "{{"+rest, err)
		}
		parts = append(parts, p)
		text = s.rest
	}
	return parts, nil
}

// scanner reads what stands between braces.
type scanner struct{ rest string }

func (s *scanner) blanks() { s.rest = strings.TrimLeft(s.rest, " \t\r\n") }

func (s *scanner) take(token string) bool {
	rest, ok := strings.CutPrefix(s.rest, token)
	if ok {
		s.rest = rest
	}
	return ok
}

func (s *scanner) place() (part, error) {
	s.blanks()
	if strings.HasPrefix(s.rest, `"`) {
		text, err := s.str()
		if err == nil {
			err = s.end()
		}
		return part{text: text}, err
	}
	if !s.take(".") {
		return part{}, errors.New("a name begins with a point")
	}
	name, err := s.name()
	if err != nil {
		return part{}, err
	}
	p := part{name: name}
	for {
		s.blanks()
		if !s.take("|") {
			return p, s.end()
		}
		f, err := s.filter()
		if err != nil {
			return part{}, err
		}
		p.filters = append(p.filters, f)
	}
}

func (s *scanner) end() error {
	s.blanks()
	if !s.take("}}") {
		return errors.New("}} is missing")
	}
	return nil
}

func (s *scanner) name() (string, error) {
	if s.take("`") {
		name, rest, found := strings.Cut(s.rest, "`")
		if !found || name == "" {
			return "", errors.New("a name in backquotes does not end, or is empty")
		}
		s.rest = rest
		return name, nil
	}
	n := strings.IndexAny(s.rest, " \t\r\n|{}\"`")
	if n < 0 {
		return "", errors.New("}} is missing")
	}
	if n == 0 {
		return "", errors.New("no name after the point")
	}
	name := s.rest[:n]
	s.rest = s.rest[n:]
	return name, nil
}

func (s *scanner) filter() (filter, error) {
	s.blanks()
	n := strings.IndexFunc(s.rest, func(r rune) bool { return r < 'a' || r > 'z' })
	if n < 0 {
		n = len(s.rest)
	}
	f := filter{name: s.rest[:n]}
	def, ok := filters[f.name]
	if !ok {
		return f, fmt.Errorf("no filter %q", f.name)
	}
	f.run = def.run
	s.rest = s.rest[n:]
	s.blanks()
	var err error
	switch def.arg {
	case textArgument:
		if !strings.HasPrefix(s.rest, `"`) {
			return f, fmt.Errorf("filter %s takes a text in quotes", f.name)
		}
		f.arg, err = s.str()
	case digitsArgument:
		digits := len(s.rest) - len(strings.TrimLeft(s.rest, "0123456789"))
		f.n, err = strconv.Atoi(s.rest[:digits])
		if err != nil || f.n > 20 {
			return f, fmt.Errorf("filter %s takes a number from 0 to 20", f.name)
		}
		s.rest = s.rest[digits:]
	}
	return f, err
}

// str reads a text in quotes, with the escapes of Go.
func (s *scanner) str() (string, error) {
	quoted, err := strconv.QuotedPrefix(s.rest)
	if err != nil {
		return "", errors.New("a text in quotes does not end")
	}
	s.rest = s.rest[len(quoted):]
	return strconv.Unquote(quoted)
}
