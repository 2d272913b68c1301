package tlsfile_test

import (
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile/tlstest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// meet has a client and a server shake hands, each speak and hear the other, and returns what the client knows of it.
func meet(client, server *tls.Config) (tls.ConnectionState, error) {
	ours, theirs := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		conn := tls.Server(theirs, server)
		_, _ = conn.Write([]byte("x"))
		_ = conn.Close()
	}()
	conn := tls.Client(ours, client)
	_, err := conn.Read(make([]byte, 1))
	state := conn.ConnectionState()
	_ = conn.Close()
	<-served
	return state, err
}

// listen opens what a server flag set says.
func listen(t *testing.T, s tlsfile.Server) tlsfile.Listeners {
	t.Helper()
	l, err := s.Open(discard())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func config(t *testing.T, c tlsfile.Client) func() *tls.Config {
	t.Helper()
	made, err := c.Config(discard())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestARenewedCertificateAndOtherAuthoritiesCountWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := tlstest.NewAuthority(t), tlstest.NewAuthority(t)
		cert, key := first.Issue("a.test")
		server := listen(t, tlsfile.Server{Cert: cert, Key: key, Admin: true})
		authorities := filepath.Join(t.TempDir(), "authorities.pem")
		copyFile(t, first.File, authorities)
		client := config(t, tlsfile.Client{CA: authorities, Name: "a.test"})
		for _, at := range []*tls.Config{server.Main, server.Admin} {
			if _, err := meet(client(), at); err != nil {
				t.Errorf("before: %v", err)
			}
		}
		second.Renew(cert, key, "a.test")
		copyFile(t, second.File, authorities)
		for range 3 {
			time.Sleep(time.Second)
			_, _ = meet(client(), server.Main)
		}
		for _, at := range []*tls.Config{server.Main, server.Admin} {
			if state, err := meet(client(), at); err != nil ||
				state.PeerCertificates[0].CheckSignatureFrom(second.Cert) != nil {
				t.Errorf("after: %v", err)
			}
		}
	})
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOldTLSIsRefusedAndBothVersionsOfHTTPAreOffered(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	cert, key := authority.Issue("a.test")
	server := listen(t, tlsfile.Server{Cert: cert, Key: key})
	client := func() *tls.Config { return &tls.Config{RootCAs: authority.Pool(), ServerName: "a.test"} }
	old := client()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := meet(old, server.Main); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	for _, protocol := range []string{"h2", "http/1.1"} {
		c := client()
		c.NextProtos = []string{protocol}
		if state, err := meet(c, server.Main); err != nil || state.NegotiatedProtocol != protocol {
			t.Errorf("%s: spoke %q, error %v", protocol, state.NegotiatedProtocol, err)
		}
	}
	if server.Admin != nil {
		t.Error("the admin port has TLS that nobody asked for")
	}
}

func TestTheAdminPortAsksForNoClientCertificate(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	cert, key := authority.Issue("a.test")
	server := listen(t, tlsfile.Server{Cert: cert, Key: key, ClientCA: authority.File, Admin: true})
	client := config(t, tlsfile.Client{CA: authority.File, Name: "a.test"})
	if _, err := meet(client(), server.Admin); err != nil {
		t.Errorf("admin: %v", err)
	}
	if _, err := meet(client(), server.Main); err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("main: %v", err)
	}
}

func TestEveryProblemOfTheFilesIsNamedAtOnceByItsFlag(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	cert, key := authority.Issue("a.test")
	_, otherKey := authority.Issue("b.test")
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for name, c := range map[string]struct {
		server tlsfile.Server
		says   []string
	}{
		"a key without certificate": {tlsfile.Server{Key: key}, []string{"-tls-cert and -tls-key go together"}},
		"no such files":             {tlsfile.Server{Cert: missing, Key: missing + "2"}, []string{"-tls-cert", "missing.pem", "missing.pem2"}},
		"another's key":             {tlsfile.Server{Cert: cert, Key: otherKey, ClientCA: missing}, []string{"does not match", "-tls-client-ca", "missing.pem"}},
		"a key for a certificate":   {tlsfile.Server{Cert: key, Key: key, ClientCA: key}, []string{"-tls-cert", "-tls-client-ca", "no certificate in PEM"}},
		"nothing to do it with":     {tlsfile.Server{Admin: true}, []string{"-admin-tls need -tls-cert"}},
		"clients' and not one's":    {tlsfile.Server{ClientCA: authority.File}, []string{"-tls-client-ca", "need -tls-cert"}},
	} {
		_, err := c.server.Open(discard())
		for _, want := range c.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
	}
	_, err := (&tlsfile.Client{CA: missing, Cert: cert}).Config(discard())
	if err == nil || !strings.Contains(err.Error(), "-ca: ") || !strings.Contains(err.Error(), "-cert and -key go together") {
		t.Errorf("a client's: %v", err)
	}
	if l, err := (&tlsfile.Server{}).Open(discard()); err != nil || l.Main != nil || l.Admin != nil {
		t.Errorf("nothing set: %v, %v", l, err)
	}
}
