package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tickwell/tickwell/vfs"
)

const canary = "c4nAry+/ %\"x"

func TestSecretNeverPrints(t *testing.T) {
	s := NewSecret(canary)
	type holder struct {
		S Secret
		P *Secret
	}
	h := holder{s, &s}
	hidden := struct{ s Secret }{s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%p", "%T", "%10.3s", "%U", "%c"} {
		for _, v := range []any{s, &s, h, &h, hidden, []Secret{s}, map[string]Secret{"a": s}, map[Secretish]string{{&s}: "a"}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	fmt.Fprint(&out, s, s.String(), s.GoString())
	for _, v := range []any{s, h, []Secret{s}} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		out.Write(b)
	}
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	logger.Info("x", "s", s, "h", h)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "s", s, "h", h, "hidden", hidden)
	if strings.Contains(out.String(), "c4nAry") || strings.Contains(out.String(), "63346e417279") {
		t.Errorf("printed: %s", out.String())
	}
	if got := fmt.Sprintf("%s", s); got != "***" {
		t.Errorf("%q, want ***", got)
	}
	if text, err := s.Reveal(); text != canary || err != nil {
		t.Errorf("Reveal: %q, %v", text, err)
	}
}

// Secretish can be a map's key.
type Secretish struct{ p *Secret }

func TestSecretSources(t *testing.T) {
	if _, err := SecretFile(nil, filepath.Join(t.TempDir(), "none")).Reveal(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of no file system: got error %v", err)
	}
	var none Secret
	if text, err := none.Reveal(); text != "" || err != nil || none.IsSet() {
		t.Errorf("zero: %q, %v, %v", text, err, none.IsSet())
	}
	boom := errors.New("vault is shut")
	if _, err := SecretFunc(func() (string, error) { return "", boom }).Reveal(); !errors.Is(err, boom) {
		t.Errorf("func: %v", err)
	}
	fs := vfs.NewMem()
	write := func(text string) {
		f, err := fs.Create("token")
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s := SecretFile(fs, "token")
	if _, err := s.Reveal(); err == nil {
		t.Error("no file: no error")
	}
	for _, c := range []struct{ file, want, err string }{
		{" first\n", "first", ""}, {"second", "second", ""}, {"", "", ""},
		{strings.Repeat("x", 64<<10), strings.Repeat("x", 64<<10), ""},
		{strings.Repeat("x", 64<<10+1), "", "64 KiB"},
	} {
		write(c.file)
		text, err := s.Reveal()
		if text != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.10q: %.10q, %v, want %.10q, %s", c.file, text, err, c.want, c.err)
		}
	}
}

func TestScrub(t *testing.T) {
	cause := errors.New("x")
	for _, c := range []struct{ text, want string }{
		{"nothing", "nothing"},
		{"a " + canary + " b", "a *** b"},
		{"a c4nAry%2B%2F+%25%22x b", "a *** b"},
		{"a c4nAry+%2F%20%25%22x b", "a *** b"},
		{"a YzRuQXJ5Ky8gJSJ4 b", "a *** b"},
		{fmt.Sprintf("a %q b", canary), `a "***" b`},
	} {
		err := Scrub(fmt.Errorf("%s%w", c.text, cause), "", canary)
		if err.Error() != c.want+"x" {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
		if kept := errors.Is(err, cause); kept != (c.text == c.want) {
			t.Errorf("%s: chain kept %v", c.text, kept)
		}
	}
	if Scrub(nil, canary) != nil {
		t.Error("nil is not nil")
	}
}
