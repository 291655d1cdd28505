package smtp

import (
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tickwell/tickwell"
)

// checkLines holds the limits of RFC 5322 (998 bytes a line, all of it ASCII in
// the header, lines ended by CRLF alone) and of RFC 2047 (76 bytes for a line of
// a header with encoded words), and returns the lines of the header.
func checkLines(t *testing.T, raw string) (header []string) {
	t.Helper()
	head, _, ok := strings.Cut(raw, "\r\n\r\n")
	if !ok {
		t.Fatal("no end of the header")
	}
	if strings.Count(raw, "\r") != strings.Count(raw, "\r\n") || strings.Count(raw, "\n") != strings.Count(raw, "\r\n") {
		t.Error("a line does not end with CRLF")
	}
	for _, line := range strings.Split(raw, "\r\n") {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes: %.80s", len(line), line)
		}
	}
	header = strings.Split(head, "\r\n")
	for _, line := range header {
		_, value, _ := strings.Cut(line, " ")
		if len(line) > 78 && strings.Contains(strings.TrimSpace(value), " ") || // one word cannot be cut
			strings.Contains(line, "=?") && len(line) > 76 {
			t.Errorf("a line of the header has %d bytes: %s", len(line), line)
		}
		if strings.TrimSpace(line) == "" {
			t.Errorf("an empty line in the header")
		}
		if strings.ContainsFunc(line, func(r rune) bool { return r >= 0x7f || r < ' ' && r != '\t' }) {
			t.Errorf("not plain ASCII: %q", line)
		}
	}
	return header
}

// TestLongSubjects: a subject of any length and script comes out as it was, cut to
// what servers take, in lines that are short enough.
func TestLongSubjects(t *testing.T) {
	for name, subject := range map[string]string{
		"umlauts":       strings.Repeat("ü", 2000),
		"chinese":       strings.Repeat("温度过高", 500),
		"emoji":         strings.Repeat("🔥", 2000),
		"words":         strings.Repeat("Überhitzung am Gerät ", 100),
		"mixed":         strings.Repeat("a", 500) + strings.Repeat("é", 1500),
		"ascii words":   strings.Repeat("temperature too high ", 100),
		"ascii solid":   strings.Repeat("x", 2000),
		"blanks":        "a" + strings.Repeat(" ", 1998) + "b",
		"looks coded":   strings.Repeat("=?utf-8?q?x?= ", 150),
		"one at 63":     strings.Repeat("x", 63) + "ü" + strings.Repeat("x", 1900),
		"ascii at most": strings.Repeat("x", maxSubject),
		"words at most": strings.Repeat("hot! ", maxSubject/5-1) + "hot",
		"short":         "hot",
		"short umlaut":  "heiß",
	} {
		t.Run(name, func(t *testing.T) {
			srv := newStandin(t)
			s := to(srv)
			s.Subject = "{{.subject}}"
			e := tickwell.Event{ID: "i", Series: "root.d", Time: time.Unix(0, 0), Fields: []tickwell.Field{tickwell.Text("subject", subject), tickwell.Int32("v", 1)}}
			if err := opened(t, s).Handle(attempt(t), []tickwell.Event{e}); err != nil {
				t.Fatal(err)
			}
			m := srv.taken()[0]
			checkLines(t, m.raw)
			got, err := new(mime.WordDecoder).DecodeHeader(m.read(t).Header.Get("Subject"))
			if err != nil || !utf8.ValidString(got) {
				t.Fatalf("%v in %q", err, got)
			}
			want := subject
			if len(want) > maxSubject {
				want = strings.ToValidUTF8(want[:maxSubject], "") + "…"
			}
			if got != want {
				t.Errorf("the subject is\n%q, want\n%q", got, want)
			}
		})
	}
}

// TestManyRecipients: two hundred of them, with names of other scripts and long
// addresses, each in the header and in the envelope.
func TestManyRecipients(t *testing.T) {
	srv := newStandin(t)
	var all []string
	for i := range 200 {
		switch i % 4 {
		case 0:
			all = append(all, fmt.Sprintf("ops%d@example.org", i))
		case 1:
			all = append(all, fmt.Sprintf("Jürgen Müller %d <j%d@example.org>", i, i))
		case 2:
			all = append(all, fmt.Sprintf(`"Last, First; %d" <l%d@a-rather-long-name-of-a-department.example.org>`, i, i))
		default:
			all = append(all, fmt.Sprintf("王小明%d <w%d@example.org>", i, i))
		}
	}
	s := to(srv, all[:150]...)
	s.Cc = all[150:]
	if err := opened(t, s).Handle(attempt(t), rows(1)); err != nil {
		t.Fatal(err)
	}
	m := srv.taken()[0]
	checkLines(t, m.raw)
	if len(m.to) != 200 {
		t.Errorf("%d recipients", len(m.to))
	}
	read := m.read(t)
	for field, want := range map[string][]string{"To": all[:150], "Cc": all[150:]} {
		list, err := read.Header.AddressList(field)
		if err != nil || len(list) != len(want) {
			t.Fatalf("%s: %d addresses, %v", field, len(list), err)
		}
		for i, a := range list {
			if w, _ := mail.ParseAddress(want[i]); *a != *w {
				t.Errorf("%s: %v, want %v", field, a, w)
			}
		}
	}
	if b, err := io.ReadAll(read.Body); err != nil || !strings.Contains(string(b), "root.d is 0") {
		t.Errorf("%v in %q", err, b)
	}
}

// TestLongLines: a text with a line longer than a line of a mail may be comes out as
// it was.
func TestLongLines(t *testing.T) {
	for _, note := range []string{strings.Repeat("x", 5000), strings.Repeat("ü", 3000), strings.Repeat("a b ", 2000), ".", "..\r\n.\r\nend", strings.Repeat("=", 2000)} {
		srv := newStandin(t)
		s := to(srv)
		s.Text = "{{.note}}"
		e := tickwell.Event{ID: "i", Series: "root.d", Time: time.Unix(0, 0), Fields: []tickwell.Field{tickwell.Text("note", note)}}
		if err := opened(t, s).Handle(attempt(t), []tickwell.Event{e}); err != nil {
			t.Fatal(err)
		}
		checkLines(t, srv.taken()[0].raw)
		if got := srv.bodies(t)[0]; got != strings.TrimRight(note, " ") && got != note {
			t.Errorf("%.100q, want %.100q", got, note)
		}
	}
}
