package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tickwell/tickwell/sink"
)

// Signatures follow the Standard Webhooks specification: HMAC-SHA256 over
// "id.timestamp.body", one per key.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

func readKeys(secrets []sink.Secret) (keys [][]byte, err error) {
	for i, s := range secrets {
		key, err := readKey(s)
		if err != nil {
			return nil, fmt.Errorf("webhook: key %d of Sign: %w", i, err)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// checkKeys looks at the keys that can be read now.
func checkKeys(secrets []sink.Secret) error {
	for i, s := range secrets {
		text, err := s.Reveal()
		if err != nil {
			continue // later perhaps
		}
		if _, err := decodeKey(text); err != nil {
			return fmt.Errorf("key %d of Sign: %w", i, err)
		}
	}
	return nil
}

func readKey(s sink.Secret) ([]byte, error) {
	text, err := s.Reveal()
	if err != nil {
		return nil, err
	}
	return decodeKey(text)
}

// decodeKey returns the key, of at least 24 bytes as the specification asks. No
// part of it is in the error.
func decodeKey(text string) ([]byte, error) {
	text = strings.TrimPrefix(strings.TrimSpace(text), "whsec_")
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("not base64")
	}
	if len(key) < 24 {
		return nil, fmt.Errorf("%d bytes, it takes 24 at least", len(key))
	}
	return key, nil
}

func sign(h http.Header, keys [][]byte, id string, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	var all []string
	for _, key := range keys {
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, stamp, body)))
	}
	h[headerID] = []string{id}
	h[headerTimestamp] = []string{stamp}
	h[headerSignature] = []string{strings.Join(all, " ")}
}

func mac(key []byte, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// maxSkew is how far the clocks of sender and receiver may be apart.
const maxSkew = 5 * time.Minute

// Verify is for the receiver of a signed request: it returns nil if one of the
// signatures in the header was made of body with one of the keys, not more than
// five minutes from now.
func Verify(h http.Header, body []byte, now time.Time, keys ...sink.Secret) error {
	id, stamp := h.Get(headerID), h.Get(headerTimestamp)
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" {
		return errors.New("webhook: no id or timestamp")
	}
	if d := now.Sub(time.Unix(unix, 0)); d > maxSkew || d < -maxSkew {
		return errors.New("webhook: timestamp is too far from now")
	}
	raw, err := readKeys(keys)
	if err != nil {
		return err
	}
	for one := range strings.FieldsSeq(h.Get(headerSignature)) {
		version, text, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(text)
		if err != nil || version != "v1" {
			continue
		}
		for _, key := range raw {
			if hmac.Equal(got, mac(key, id, stamp, body)) {
				return nil
			}
		}
	}
	return errors.New("webhook: no signature matches")
}
