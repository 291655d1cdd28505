package smtp

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	gomail "github.com/wneessen/go-mail"
)

// message is one mail, ready to be sent.
type message struct {
	from       string // as in MAIL FROM
	recipients []string
	content    []byte
}

// mails make messages of events.
type mails struct {
	from, replyTo       *netmail.Address
	to, cc              []*netmail.Address
	recipients          []string // to, cc and bcc, each once
	subject, text, html *sink.Template
}

func newMails(s *Sink) (*mails, error) {
	m := &mails{}
	var err error
	if m.from, err = parseAddress("From", s.From); err != nil {
		return nil, err
	}
	if s.ReplyTo != "" {
		if m.replyTo, err = parseAddress("ReplyTo", s.ReplyTo); err != nil {
			return nil, err
		}
	}
	seen := make(map[string]bool)
	list := func(field string, texts []string) (list []*netmail.Address, err error) {
		for _, text := range texts {
			a, err := parseAddress(field, text)
			if err != nil {
				return nil, err
			}
			list = append(list, a)
			if !seen[a.Address] {
				seen[a.Address] = true
				m.recipients = append(m.recipients, a.Address)
			}
		}
		return list, nil
	}
	if m.to, err = list("To", s.To); err != nil {
		return nil, err
	}
	if m.cc, err = list("Cc", s.Cc); err != nil {
		return nil, err
	}
	if _, err = list("Bcc", s.Bcc); err != nil {
		return nil, err
	}
	if len(m.recipients) == 0 {
		return nil, errors.New("no recipients")
	}
	return m, m.templates(s)
}

// ascii reports whether all addresses of the envelope are plain ASCII.
func (m *mails) ascii() bool {
	for _, a := range append([]string{m.from.Address}, m.recipients...) {
		for i := range len(a) {
			if a[i] >= 0x80 {
				return false
			}
		}
	}
	return true
}

// parseAddress reads an address. Control characters have no place in one.
func parseAddress(field, text string) (*netmail.Address, error) {
	a, err := netmail.ParseAddress(text)
	if err == nil && (strings.ContainsFunc(a.Name, unicode.IsControl) || strings.ContainsFunc(a.Address, unicode.IsControl) || strings.ContainsAny(a.Address, "<> ")) {
		err = errors.New("a blank or control character")
	}
	if err != nil {
		return nil, fmt.Errorf("%s is no address: %w", field, err)
	}
	return a, nil
}

func (m *mails) templates(s *Sink) (err error) {
	if s.Subject == "" || s.Text == "" && s.HTML == "" {
		return errors.New("no Subject, or neither Text nor HTML")
	}
	if strings.ContainsFunc(s.Subject, unicode.IsControl) {
		return errors.New("Subject has a control character")
	}
	make := func(text string, escape func([]byte, string) []byte) *sink.Template {
		if text == "" || err != nil {
			return nil
		}
		o := s.Template
		o.JSON, o.Escape = false, escape
		var t *sink.Template
		t, err = sink.NewTemplate(text, o)
		return t
	}
	m.subject = make(s.Subject, oneLine)
	m.text = make(s.Text, nil)
	m.html = make(s.HTML, func(dst []byte, v string) []byte { return append(dst, html.EscapeString(v)...) })
	return err
}

// oneLine appends a value with blanks for control characters, so that no value
// ends a header.
func oneLine(dst []byte, value string) []byte {
	return append(dst, strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, value)...)
}

// maxSubject is what a subject may have: servers refuse longer headers.
const maxSubject = 900

// make makes the mail of an event. An error is permanent.
func (m *mails) make(e *tickwell.Event) (*message, error) {
	subject, err := m.subject.Render(e)
	if err != nil {
		return nil, err
	}
	if len(subject) > maxSubject {
		subject = strings.ToValidUTF8(subject[:maxSubject], "") + "…"
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(m.to...)
	if len(m.to) == 0 {
		msg.SetGenHeader("To", "undisclosed-recipients:;")
	}
	if len(m.cc) > 0 {
		msg.CcMailAddress(m.cc...)
	}
	if m.replyTo != nil {
		msg.ReplyToMailAddress(m.replyTo)
	}
	msg.Subject(subject)
	msg.SetMessageIDWithValue(messageID(e.ID, m.from.Address))
	msg.SetDateWithValue(time.Now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no answers by machines
	if err := m.body(msg, e); err != nil {
		return nil, err
	}
	var content bytes.Buffer
	if _, err := msg.WriteTo(&content); err != nil {
		return nil, sink.Permanent(fmt.Errorf("smtp: make the mail: %w", err))
	}
	return &message{from: m.from.Address, recipients: m.recipients, content: content.Bytes()}, nil
}

func (m *mails) body(msg *gomail.Msg, e *tickwell.Event) error {
	if m.text != nil {
		text, err := m.text.Render(e)
		if err != nil {
			return err
		}
		msg.SetBodyString(gomail.TypeTextPlain, text)
	}
	if m.html == nil {
		return nil
	}
	text, err := m.html.Render(e)
	if err != nil {
		return err
	}
	if m.text == nil {
		msg.SetBodyString(gomail.TypeTextHTML, text)
	} else {
		msg.AddAlternativeString(gomail.TypeTextHTML, text)
	}
	return nil
}

// messageID is the same for the same event. The id itself may hold anything, so
// it is hashed.
func messageID(id, from string) string {
	sum := sha256.Sum256([]byte(id))
	_, domain, _ := strings.Cut(from, "@")
	return hex.EncodeToString(sum[:16]) + "@" + domain
}
