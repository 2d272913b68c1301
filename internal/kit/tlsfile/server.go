// Package tlsfile makes TLS of certificates that stand in files and are renewed there while a process runs.
package tlsfile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"log/slog"

	"github.com/sojournhq/sojourn/internal/kit/livefile"
)

// Server is what flags say about the TLS of a process's listeners.
type Server struct {
	// Cert and Key are the files of the certificate, with the chain behind it, and of its key. Both empty: no TLS.
	Cert, Key string
	// ClientCA is the file of the authorities one of which must have signed the certificate that a client shows. Empty: clients show none.
	ClientCA string
	// Admin gives the admin port the same certificate. Probes come by it, so no certificate is asked of them.
	Admin bool
}

// Define adds the flags to a set.
func (s *Server) Define(flags *flag.FlagSet) {
	flags.StringVar(&s.Cert, "tls-cert", "", "PEM file of the certificate to serve TLS with, with its chain; read again when it changes")
	flags.StringVar(&s.Key, "tls-key", "", "PEM file of the certificate's key")
	flags.StringVar(&s.ClientCA, "tls-client-ca", "", "PEM file of authorities; clients must show a certificate that one of them signed")
	flags.BoolVar(&s.Admin, "admin-tls", false, "serve the admin port with the same certificate; clients need none there")
}

// Listeners has the configurations of the listeners of a process. Nil: the listener is plain.
type Listeners struct{ Main, Admin *tls.Config }

// Open reads the files. The error names every problem, by flag.
func (s *Server) Open(log *slog.Logger) (Listeners, error) {
	if s.Cert == "" && s.Key == "" {
		if s.ClientCA != "" || s.Admin {
			return Listeners{}, errors.New("-tls-client-ca and -admin-tls need -tls-cert and -tls-key")
		}
		return Listeners{}, nil
	}
	own, err := openPair("-tls-cert", s.Cert, "-tls-key", s.Key, log)
	clients, caErr := openPool("-tls-client-ca", s.ClientCA, log)
	if err = errors.Join(err, caErr); err != nil {
		return Listeners{}, err
	}
	l := Listeners{Main: following(func() *tls.Config {
		c := &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own.Now()}, NextProtos: []string{"h2", "http/1.1"},
		}
		if clients != nil {
			c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients.Now()
			// Who is no longer trusted must not get in by a session from when it was.
			c.SessionTicketsDisabled = true
		}
		return c
	})}
	if s.Admin {
		l.Admin = following(func() *tls.Config {
			return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{own.Now()}, NextProtos: []string{"http/1.1"}}
		})
	}
	return l, nil
}

// following returns a configuration that is made anew for every connection.
func following(now func() *tls.Config) *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         now().NextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return now(), nil },
	}
}

// openPair reads a certificate and its key.
func openPair(certFlag, cert, keyFlag, key string, log *slog.Logger) (*livefile.Files[tls.Certificate], error) {
	if cert == "" || key == "" {
		return nil, fmt.Errorf("%s and %s go together: one is missing", certFlag, keyFlag)
	}
	pair, err := livefile.Open([]string{cert, key}, func(texts [][]byte) (tls.Certificate, error) {
		return tls.X509KeyPair(texts[0], texts[1])
	}, log)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", certFlag, keyFlag, err)
	}
	return pair, nil
}

// openPool reads authorities; nil if there is no file.
func openPool(name, file string, log *slog.Logger) (*livefile.Files[*x509.CertPool], error) {
	if file == "" {
		return nil, nil //nolint:nilnil // no file is no error
	}
	pool, err := livefile.Open([]string{file}, func(texts [][]byte) (*x509.CertPool, error) {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(texts[0]) {
			return nil, errors.New(file + " holds no certificate in PEM")
		}
		return pool, nil
	}, log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return pool, nil
}
