package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	"github.com/sojournhq/sojourn/internal/kit/servicetoken"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile"
	"github.com/sojournhq/sojourn/internal/kit/tlsfile/tlstest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
)

func acme() *workspace.Config {
	return &workspace.Config{Workspaces: []workspace.Workspace{{
		ID: "acme", QueryTokens: workspace.NewSecrets(queryToken), Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(writeKey)}},
	}}}
}

func TestOverTLSTheGatewaySpeaksBothVersionsOfHTTPAndGRPC(t *testing.T) {
	authority := tlstest.NewAuthority(t)
	cert, key := authority.Issue()
	files := tlsfile.Server{Cert: cert, Key: key}
	listeners, err := files.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	b := backendtest.Start(t)
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: acme(), TLS: listeners.Main},
		gateway.Backends{Identity: b.Identity.Conn, Events: b.Events.Conn, Sessions: b.Sessions.Conn}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, g)
	address := strings.TrimPrefix(s.url, "http://")
	for version, h2 := range map[int]bool{1: false, 2: true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Pool()}, ForceAttemptHTTP2: h2}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+address+"/v1/track", strings.NewReader(trackCall))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(writeKey, "")
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != version {
			t.Errorf("HTTP/%d: %s over %s", version, resp.Status, resp.Proto)
		}
		q := identityv1connect.NewQueryServiceClient(client, "https://"+address)
		if _, err := q.ListUsers(t.Context(), &identityv1.ListUsersRequest{}); connect.CodeOf(err) != connect.CodeUnauthenticated {
			t.Errorf("Connect on HTTP/%d: %v", version, err)
		}
	}
	conn, err := rpc.Dial(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: authority.Pool()})))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = identityv1.NewQueryServiceClient(conn).ListUsers(t.Context(), &identityv1.ListUsersRequest{})
	if err == nil || !strings.Contains(err.Error(), "send a query token") {
		t.Errorf("gRPC: %v", err)
	}
	resp, err := http.Get(s.url + "/v1/track")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %s", resp.Status)
	}
}

// buffer is a log that is read while it is written.
type buffer struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}

// guarded serves an identity service that can do nothing, to those whom guard lets in.
func guarded(t *testing.T, guard rpc.Guard) string {
	t.Helper()
	server, err := rpc.NewGuarded(observe.Discard(), guard)
	if err != nil {
		t.Fatal(err)
	}
	identityv1.RegisterIngestServiceServer(server, identityv1.UnimplementedIngestServiceServer{})
	identityv1.RegisterQueryServiceServer(server, identityv1.UnimplementedQueryServiceServer{})
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

func TestAGatewayThatAServiceRefusesSaysSoAndIsNoFaultOfItsClients(t *testing.T) {
	authority, stranger := tlstest.NewAuthority(t), tlstest.NewAuthority(t)
	cert, key := authority.Issue()
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("the-token-of-services"), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens, err := servicetoken.Open(token, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	mutual := tlsfile.Server{Cert: cert, Key: key, ClientCA: authority.File}
	listeners, err := mutual.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	strange := tlsfile.Client{CA: authority.File}
	strange.Cert, strange.Key = stranger.Issue()
	strangers, err := strange.Open(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		guard  rpc.Guard
		caller rpc.Caller
		says   string
	}{
		"for its token":       {rpc.Guard{Token: tokens}, rpc.Caller{}, "refuses this process's token"},
		"for its certificate": {rpc.Guard{TLS: listeners.Main}, rpc.Caller{TLS: strangers}, "client certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			address, log := guarded(t, c.guard), &buffer{}
			deps := observe.Deps{Log: slog.New(slog.NewTextHandler(log, nil)), Metrics: prometheus.NewRegistry()}
			conn, err := c.caller.Dial("identity", address, deps)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: acme()}, gateway.Backends{Identity: conn, Events: conn, Sessions: conn}, deps)
			if err != nil {
				t.Fatal(err)
			}
			if err := g.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("ready: %v", err)
			}
			s := serve(t, g)
			if status, body := s.post(t, writeKey, trackCall); status != http.StatusServiceUnavailable {
				t.Errorf("a call is answered %d %s", status, body)
			}
			if !strings.Contains(log.String(), c.says) {
				t.Errorf("the log does not say it: %s", log)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/sojourn.identity.v1.QueryService/ListUsers", strings.NewReader("{}"))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Authorization", "Bearer "+queryToken)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if text, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("a question is answered %s %s", resp.Status, text)
			}
		})
	}
}
