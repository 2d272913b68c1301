package rpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile/tlstest"
)

// serveGuarded serves a handler that takes everything on a port, and returns its address and what was logged.
func serveGuarded(t *testing.T, guard rpc.Guard) string {
	t.Helper()
	server, err := rpc.NewGuarded(observe.Deps{Log: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, guard)
	if err != nil {
		t.Fatal(err)
	}
	handler(func(context.Context) error { return nil }).register(server)
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.ServeUntil(ctx, ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func tokens(t *testing.T, lines ...string) *servicetoken.Tokens {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := servicetoken.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

const (
	oldToken = "the-old-token-000000"
	newToken = "the-new-token-000000"
)

func dialAs(t *testing.T, caller rpc.Caller, address string, log *bytes.Buffer) *grpc.ClientConn {
	t.Helper()
	conn, err := caller.Dial("test", address, observe.Deps{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func check(t *testing.T, conn *grpc.ClientConn, service string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: service})
	return err
}

func reflect(t *testing.T, conn *grpc.ClientConn) error {
	t.Helper()
	stream, err := reflectionpb.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		return err
	}
	if err := stream.Send(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{ListServices: ""},
	}); err != nil && !errors.Is(err, io.EOF) { // EOF: the refusal was here before the question had left
		return err
	}
	_, err = stream.Recv()
	return err
}

func watchHealth(t *testing.T, conn *grpc.ClientConn, service string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	stream, err := healthpb.NewHealthClient(conn).Watch(ctx, &healthpb.HealthCheckRequest{Service: service})
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

func TestWithoutAValidTokenOnlyTheHealthOfTheServerIsTold(t *testing.T) {
	address := serveGuarded(t, rpc.Guard{Token: tokens(t, newToken, oldToken)})
	for name, c := range map[string]struct {
		token *servicetoken.Tokens
		in    bool
	}{
		"the first": {tokens(t, newToken), true}, "another that is valid": {tokens(t, oldToken), true},
		"a wrong one": {tokens(t, "a-token-of-somebody"), false}, "none": {nil, false},
		"a wrong one before a valid one": {tokens(t, "a-token-of-somebody", newToken), false},
	} {
		var log bytes.Buffer
		conn := dialAs(t, rpc.Caller{Token: c.token}, address, &log)
		if err := check(t, conn, ""); err != nil {
			t.Errorf("%s: health: %v", name, err)
		}
		for asked, err := range map[string]error{
			"a call": call(conn), "health of calls": check(t, conn, rpc.Calls), "reflection": reflect(t, conn),
			"watching health": watchHealth(t, conn, ""), "watching health of calls": watchHealth(t, conn, rpc.Calls),
		} {
			if c.in && err != nil || !c.in && !errors.Is(err, rpc.ErrRefused) {
				t.Errorf("%s: %s: %v", name, asked, err)
			}
		}
		if n := strings.Count(log.String(), "refuses"); (n == 1) == c.in || strings.Contains(log.String(), "-token-0") {
			t.Errorf("%s: logged %d times: %s", name, n, &log)
		}
	}
}

func TestARefusalIsNoFaultOfWhoeverIsBehindTheRequest(t *testing.T) {
	address := serveGuarded(t, rpc.Guard{Token: tokens(t, newToken)})
	conn := dialAs(t, rpc.Caller{}, address, &bytes.Buffer{})
	if got := status.Code(call(conn)); got != codes.Unavailable {
		t.Errorf("the code is %v", got)
	}
	plain, err := rpc.Dial(address) // without the translation: what is on the wire
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Close() }()
	if got := status.Code(call(plain)); got != codes.Unauthenticated {
		t.Errorf("on the wire the code is %v", got)
	}
}

// discard is a log that nobody reads.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestOnlyWhoIsKnownByCertificateGetsThrough(t *testing.T) {
	servers, clients, strangers := tlstest.NewAuthority(t), tlstest.NewAuthority(t), tlstest.NewAuthority(t)
	cert, key := servers.Issue("events")
	server := tlsfile.Server{Cert: cert, Key: key, ClientCA: clients.File}
	listeners, err := server.Open(discard())
	if err != nil {
		t.Fatal(err)
	}
	address := serveGuarded(t, rpc.Guard{TLS: listeners.Main})
	client := func(change func(*tlsfile.Client)) *tlsfile.Client {
		c := &tlsfile.Client{CA: servers.File, Name: "events"}
		c.Cert, c.Key = clients.Issue()
		change(c)
		return c
	}
	for name, c := range map[string]struct {
		client *tlsfile.Client
		says   string
	}{
		"the gateway":                  {client(func(*tlsfile.Client) {}), ""},
		"a known address":              {client(func(c *tlsfile.Client) { c.Name = "" }), ""},
		"no certificate":               {client(func(c *tlsfile.Client) { c.Cert, c.Key = "", "" }), "wants another client certificate"},
		"a stranger's certificate":     {client(func(c *tlsfile.Client) { c.Cert, c.Key = strangers.Issue() }), "wants another client certificate"},
		"a server nobody vouches for":  {client(func(c *tlsfile.Client) { c.CA = strangers.File }), "unknown authority"},
		"a server of another name":     {client(func(c *tlsfile.Client) { c.Name = "sessions" }), "events, not sessions"},
		"a client that speaks no TLS":  {nil, "error reading server preface"},
		"the system's own authorities": {client(func(c *tlsfile.Client) { c.CA = "" }), "unknown authority"},
	} {
		var caller rpc.Caller
		if c.client != nil {
			if caller.TLS, err = c.client.Open(discard()); err != nil {
				t.Fatal(err)
			}
		}
		err := check(t, dialAs(t, caller, address, &bytes.Buffer{}), "")
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
