// Package tlstest makes authorities and certificates for tests.
package tlstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
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

// Authority signs certificates.
type Authority struct {
	// File has its certificate.
	File string
	// Cert is it.
	Cert *x509.Certificate

	tb  testing.TB
	key *ecdsa.PrivateKey
}

// NewAuthority returns an authority with its file in a directory of the test.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{File: filepath.Join(tb.TempDir(), "ca.pem"), tb: tb, key: newKey(tb)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "authority of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.Cert = a.sign(template, template, &a.key.PublicKey)
	a.write(a.File, "CERTIFICATE", a.Cert.Raw)
	return a
}

// Pool has the authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Cert)
	return pool
}

// Issue returns the files of a new certificate, for servers and clients of these names on the loopback interface, and of its key.
func (a *Authority) Issue(names ...string) (cert, key string) {
	a.tb.Helper()
	dir := a.tb.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	a.Renew(cert, key, names...)
	return cert, key
}

// Renew writes a new certificate and its key into files that may have been there.
func (a *Authority) Renew(cert, key string, names ...string) {
	a.tb.Helper()
	own := newKey(a.tb)
	made := a.sign(&x509.Certificate{
		Subject: pkix.Name{CommonName: "certificate of a test"}, DNSNames: names, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.Cert, &own.PublicKey)
	der, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		a.tb.Fatal(err)
	}
	a.write(key, "PRIVATE KEY", der)
	a.write(cert, "CERTIFICATE", made.Raw)
}

func (a *Authority) sign(template, parent *x509.Certificate, key *ecdsa.PublicKey) *x509.Certificate {
	a.tb.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.tb.Fatal(err)
	}
	template.SerialNumber = serial
	// A test may live in another time: that of synctest begins in the year 2000.
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Now().AddDate(100, 0, 0)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.tb.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.tb.Fatal(err)
	}
	return made
}

func (a *Authority) write(path, kind string, der []byte) {
	a.tb.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.tb.Fatal(err)
	}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}
