package sink

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"

	"github.com/tickwell/tickwell/vfs"
)

// hidden is what a secret prints as.
const hidden = "***"

// Secret is a password, token or key that never prints: by package fmt with any
// verb, as JSON or text, in a log. It holds its text in a function, so that not
// even a dump by reflection shows it. The zero Secret is not set.
type Secret struct{ read func() (string, error) }

// NewSecret returns a secret whose text is s.
func NewSecret(s string) Secret {
	return Secret{func() (string, error) { return s, nil }}
}

// SecretFunc returns a secret that read is asked for each time it is needed,
// such as one from the environment or a vault, by several goroutines perhaps.
// Errors of read must not hold it.
func SecretFunc(read func() (string, error)) Secret { return Secret{read} }

// SecretFile returns a secret that is read from a file each time it is needed,
// so that it can be replaced while the program runs. White space at its ends is
// cut off. Files over 64 KiB are refused. A nil fs is the operating system's.
func SecretFile(fs vfs.FS, name string) Secret {
	if fs == nil {
		fs = vfs.OS()
	}
	return Secret{func() (string, error) {
		f, err := fs.Open(name)
		if err != nil {
			return "", fmt.Errorf("read secret: %w", err)
		}
		defer f.Close()
		b, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<10+1))
		if err != nil {
			return "", fmt.Errorf("read secret %s: %w", name, err)
		}
		if len(b) > 64<<10 {
			return "", fmt.Errorf("read secret %s: more than 64 KiB", name)
		}
		return strings.TrimSpace(string(b)), nil
	}}
}

// IsSet reports whether s is not the zero Secret. It does not read it.
func (s Secret) IsSet() bool { return s.read != nil }

// Reveal returns the text, "" of the zero Secret.
func (s Secret) Reveal() (string, error) {
	if s.read == nil {
		return "", nil
	}
	return s.read()
}

// String returns "***".
func (Secret) String() string { return hidden }

// GoString returns "***".
func (Secret) GoString() string { return hidden }

// Format prints "***" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText returns "***".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue returns "***".
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Scrub returns err with every secret that its text holds, plain, escaped for a
// URL or in base 64, replaced by "***". An error that held one loses its chain,
// for what is wrapped holds it as well.
func Scrub(err error, secrets ...string) error {
	if err == nil {
		return nil
	}
	text := ScrubText(err.Error(), secrets...)
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// ScrubText is [Scrub] for text.
func ScrubText(text string, secrets ...string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, form := range []string{
			s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)),
			base64.URLEncoding.EncodeToString([]byte(s)), strings.Trim(fmt.Sprintf("%q", s), `"`),
		} {
			text = strings.ReplaceAll(text, form, hidden)
		}
	}
	return text
}
