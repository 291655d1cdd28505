package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The files of a certificate and its key in a server's folder.
const (
	CertFile = "cert.pem"
	KeyFile  = "key.pem"
)

// Certificate is one for localhost and 127.0.0.1 that signs itself.
type Certificate struct {
	Cert, Key []byte // PEM
	Pool      *x509.CertPool
	TLS       tls.Certificate
}

// NewCertificate makes a certificate, good for an hour.
func NewCertificate(t testing.TB) *Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	c := &Certificate{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		Pool: x509.NewCertPool(),
	}
	c.Pool.AppendCertsFromPEM(c.Cert)
	if c.TLS, err = tls.X509KeyPair(c.Cert, c.Key); err != nil {
		t.Fatal(err)
	}
	return c
}

// WriteTo writes CertFile and KeyFile, the key for its owner only.
func (c *Certificate) WriteTo(dir string) error {
	if err := os.WriteFile(filepath.Join(dir, CertFile), c.Cert, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, KeyFile), c.Key, 0o600)
}
