package post

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tickwell/tickwell/sink"
)

// checkHeaders refuses headers that are none, that are set twice, or that a
// field of its own sets.
func (c *Config) checkHeaders() error {
	set := make(map[string]bool)
	if c.User != "" || c.Password.IsSet() || c.Token.IsSet() {
		set["Authorization"] = true
	}
	add := func(name string) error {
		if err := checkHeader(name); err != nil {
			return err
		}
		key := http.CanonicalHeaderKey(name)
		if set[key] {
			return fmt.Errorf("header %s is set twice", key)
		}
		set[key] = true
		return nil
	}
	for name, value := range c.Headers {
		if err := add(name); err != nil {
			return err
		}
		if !validValue(value) {
			return fmt.Errorf("value of header %s has a line end or another control character", name)
		}
	}
	for name := range c.Secrets {
		if err := add(name); err != nil {
			return err
		}
	}
	return nil
}

// checkSecrets looks at those that can be read now.
func (c *Config) checkSecrets() error {
	check := func(what string, s sink.Secret) error {
		text, err := s.Reveal()
		if err != nil {
			return nil // later perhaps
		}
		return checkSecret(what, text)
	}
	if c.Token.IsSet() {
		if err := check("token", c.Token); err != nil {
			return err
		}
	}
	for name, s := range c.Secrets {
		if err := check("header "+name, s); err != nil {
			return err
		}
	}
	return check("password", c.Password)
}

// checkSecret refuses a secret that cannot stand in a header, and a token that
// is empty, as one from a variable that nobody has set.
func checkSecret(what, text string) error {
	switch {
	case !validValue(text):
		return fmt.Errorf("%s has a line end or another control character", what)
	case text == "" && what == "token":
		return fmt.Errorf("%s is empty", what)
	}
	return nil
}

// checkHeader refuses names that are none, and those that belong to the
// transport or to a field of their own.
func checkHeader(name string) error {
	for i := range len(name) {
		if !tokenByte(name[i]) {
			return fmt.Errorf("header name %q has a character that is not allowed", name)
		}
	}
	switch http.CanonicalHeaderKey(name) {
	case "":
		return fmt.Errorf("header without a name")
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Proxy-Connection", "Upgrade", "Te", "Trailer", "Expect":
		return fmt.Errorf("header %s is not to be set", name)
	}
	return nil
}

// tokenByte is tchar of RFC 9110, section 5.6.2.
func tokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// validValue reports whether s may be a header's value: a line end would begin
// another header.
func validValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// HeaderText makes any text fit for a header, the same text always the same:
// what is not printable ASCII, and then the percent sign too, is
// percent-encoded. Event ids are names that users choose.
func HeaderText(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] > ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x7f && c != '%' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
