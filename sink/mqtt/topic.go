package mqtt

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

// CheckTopic returns an error if nothing can be published to a topic: it is
// empty, longer than 65535 bytes, no UTF-8, or has a wildcard (+ or #) or a
// control character.
func CheckTopic(topic string) error {
	switch {
	case topic == "":
		return errors.New("the topic is empty")
	case strings.ContainsAny(topic, "+#"):
		return fmt.Errorf("topic %.60q has a wildcard", topic)
	}
	if err := checkText(topic); err != nil {
		return fmt.Errorf("topic %.60q: %w", topic, err)
	}
	return nil
}

// checkText returns an error for what the protocol does not allow in a text, and
// for control characters, which brokers may refuse by closing the connection.
func checkText(text string) error {
	if len(text) > 65535 {
		return errors.New("a text of more than 65535 bytes")
	}
	if !utf8.ValidString(text) {
		return errors.New("a text that is no UTF-8")
	}
	for _, r := range text {
		if r < ' ' || r >= 0x7f && r <= 0x9f || r >= 0xfdd0 && r <= 0xfdef || r&0xfffe == 0xfffe {
			return errors.New("a text with a control character")
		}
	}
	return nil
}

// misfit marks a value that does not fit into a level. CheckTopic refuses it.
const misfit = "\x00"

// newTopic reads a template of topics; nil if there is none.
func newTopic(text string) (*sink.Template, error) {
	if text == "" {
		return nil, nil
	}
	if first, _, _ := strings.Cut(text, "/"); strings.Contains(first, "{{") {
		return nil, fmt.Errorf("topic %.60q: its first level must be plain text: %w", text, tickwell.ErrBadInput)
	}
	t, err := sink.NewTemplate(text, sink.TemplateOptions{Max: 65535, Escape: func(dst []byte, value string) []byte {
		if value == "" || strings.ContainsAny(value, "/+#") {
			return append(dst, misfit...)
		}
		return append(dst, value...)
	}})
	if err != nil {
		return nil, err
	}
	if len(t.Names()) == 0 {
		if err := CheckTopic(text); err != nil {
			return nil, fmt.Errorf("%w: %w", err, tickwell.ErrBadInput)
		}
	}
	return t, nil
}
