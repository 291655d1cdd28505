package snowflake

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// login signs tokens with the private key.
type login struct {
	key     *rsa.PrivateKey
	subject string // ACCOUNT.USER
	issuer  string // the subject and the public key's fingerprint

	mu    sync.Mutex
	token string
	until time.Time
}

// tokenFor is how long a token is good for; the service takes an hour at most.
const tokenFor = 50 * time.Minute

func (s *Sink) readKey() (*login, error) {
	text, err := s.Key.Reveal()
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the key is not PEM")
	}
	key, err := parseKey(block)
	if err != nil {
		return nil, err
	}
	if key.N.BitLen() < 2048 {
		return nil, fmt.Errorf("an RSA key of %d bits; it takes 2048", key.N.BitLen())
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	sum := sha256.Sum256(public)
	// Of a locator the region, after the first dot, is no part of the name.
	account, _, _ := strings.Cut(s.Account, ".")
	subject := strings.ToUpper(account + "." + s.User)
	return &login{key: key, subject: subject, issuer: subject + ".SHA256:" + base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// parseKey says nothing of the key in its errors.
func parseKey(block *pem.Block) (*rsa.PrivateKey, error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
	case "PRIVATE KEY":
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if rsaKey, ok := key.(*rsa.PrivateKey); ok {
				return rsaKey, nil
			}
		}
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key is encrypted")
	}
	return nil, errors.New("the key is not an RSA private key")
}

// sign returns a token (JWT, RS256) that is good for a while.
func (l *login) sign(now time.Time) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token != "" && now.Before(l.until.Add(-10*time.Minute)) && now.After(l.until.Add(-tokenFor)) {
		return l.token, nil
	}
	until := now.Add(tokenFor)
	claims, err := json.Marshal(map[string]any{"iss": l.issuer, "sub": l.subject, "iat": now.Unix(), "exp": until.Unix()})
	if err != nil {
		return "", err
	}
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, l.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", errors.New("snowflake: the key cannot sign")
	}
	l.token, l.until = text+"."+b64(signature), until
	return l.token, nil
}

// header has the login of a request to the account.
func (s *Sink) header(st *state, contentType string) (http.Header, error) {
	token, err := st.login.sign(s.now())
	if err != nil {
		return nil, err
	}
	st.account.Hide(token)
	return http.Header{
		"Authorization": {"Bearer " + token}, "X-Snowflake-Authorization-Token-Type": {"KEYPAIR_JWT"},
		"Content-Type": {contentType}, "Accept": {"application/json"},
	}, nil
}
