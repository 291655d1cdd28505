package server

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/tickwell/tickwell/internal/selfsigned"
)

// The files of a certificate and its key in a server's folder.
const (
	CertFile = "cert.pem"
	KeyFile  = "key.pem"
)

// Certificate is one for localhost and 127.0.0.1 that signs itself.
type Certificate struct{ *selfsigned.Pair }

// NewCertificate makes a certificate, good for an hour.
func NewCertificate(t testing.TB) *Certificate {
	t.Helper()
	return &Certificate{selfsigned.New(t)}
}

// WriteTo writes CertFile and KeyFile, the key for its owner only.
func (c *Certificate) WriteTo(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, CertFile), c.Cert, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, KeyFile), c.Key, 0o600)
}
