package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"
)

const (
	writeKey   = "write-key-00000000"
	otherKey   = "other-key-00000000"
	queryToken = "query-token-000000"
	trackCall  = `{"messageId":"m","anonymousId":"a","userId":"u","timestamp":"2026-10-01T11:59:00Z","event":"E"}`
)

func open(t *testing.T) (*gateway.Gateway, *backendtest.Backend) {
	t.Helper()
	return openWithin(t, gateway.DefaultDeadline)
}

func openWithin(t *testing.T, deadline time.Duration) (*gateway.Gateway, *backendtest.Backend) {
	t.Helper()
	return openWith(t, gateway.Config{Deadline: deadline})
}

func workspaces() *workspace.Config {
	return &workspace.Config{Workspaces: []workspace.Workspace{
		{ID: "acme", QueryTokens: workspace.NewSecrets(queryToken), Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(writeKey)}}},
		{ID: "other", Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(otherKey)}}},
	}}
}

func openWith(t *testing.T, c gateway.Config) (*gateway.Gateway, *backendtest.Backend) {
	t.Helper()
	b := backendtest.Start(t)
	c.Workspaces = workspaces()
	g, err := gateway.Open(t.Context(), c,
		gateway.Backends{Identity: b.Identity.Conn, Events: b.Events.Conn, Sessions: b.Sessions.Conn}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	return g, b
}

// server is a gateway that serves over TCP.
type server struct {
	url    string
	stop   context.CancelFunc // begins the end
	giveUp context.CancelFunc // ends the draining
	done   chan error
}

func serve(t *testing.T, g *gateway.Gateway) *server {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	drain, giveUp := context.WithCancel(t.Context())
	s := &server{url: "http://" + l.Addr().String(), stop: stop, giveUp: giveUp, done: make(chan error, 1)}
	go func() { s.done <- g.ServeUntil(ctx, drain, l) }()
	t.Cleanup(func() { stop(); giveUp() })
	return s
}

// refuses waits until the server takes no more connections.
func (s *server) refuses(t *testing.T) {
	t.Helper()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			return
		}
		_ = conn.Close()
	}
}

func (s *server) post(t *testing.T, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/track", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(key, "")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return resp.StatusCode, strings.TrimSuffix(string(text), "\n")
}

func TestCallsAndQuestionsComeInByOnePort(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	if status, body := s.post(t, writeKey, trackCall); status != http.StatusOK || body != `{"success":true}` {
		t.Errorf("a call was answered %d %s", status, body)
	}
	for name, service := range map[string]*backendtest.Service{"identity": b.Identity, "events": b.Events, "sessions": b.Sessions} {
		if n := len(service.Calls()); n != 1 {
			t.Errorf("%s has %d calls, want 1", name, n)
		}
	}
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &h2}
	defer transport.CloseIdleConnections()
	q := identityv1connect.NewQueryServiceClient(&http.Client{Transport: transport}, s.url, connect.WithGRPC())
	_, err := q.ListUsers(t.Context(), &identityv1.ListUsersRequest{})
	if connect.CodeOf(err) != connect.CodeUnauthenticated {
		t.Errorf("a question without a token was answered %v", err)
	}
}

func TestABodyThatDoesNotComeIsAnsweredAtTheDeadline(t *testing.T) {
	g, _ := openWithin(t, 50*time.Millisecond)
	s := serve(t, g)
	body, rest := io.Pipe()
	defer func() { _ = rest.Close() }()
	go func() { _, _ = io.WriteString(rest, trackCall[:10]) }() // and nothing more
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/track", body)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth(writeKey, "")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "body_incomplete") {
		t.Errorf("answered %s %s, %v", resp.Status, text, err)
	}
	if resp.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestTheDefaultLimitsAreThoseOfSegment(t *testing.T) {
	g, _ := open(t)
	s := serve(t, g)
	pad := strings.Repeat(" ", gateway.DefaultMaxCallBytes-len(trackCall))
	if status, body := s.post(t, writeKey, trackCall+pad); status != http.StatusOK {
		t.Errorf("32 KiB: %d %s", status, body)
	}
	if status, body := s.post(t, writeKey, trackCall+pad+" "); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a byte more: %d %s", status, body)
	}
}

func TestTheGatewayIsReadyWhenAllThreeServicesAre(t *testing.T) {
	g, b := open(t)
	services := []*backendtest.Service{b.Identity, b.Events, b.Sessions}
	for _, s := range services {
		s.SetReady(true)
	}
	if err := g.Ready(t.Context()); err != nil {
		t.Errorf("all are ready: %v", err)
	}
	for i, name := range []string{"identity", "events", "sessions"} {
		services[i].SetReady(false)
		if err := g.Ready(t.Context()); err == nil || err.Error() != name+" is not ready" {
			t.Errorf("%s is not: %v", name, err)
		}
		services[i].SetReady(true)
	}
}

func TestARequestUnderWayIsAnsweredBeforeTheServerEnds(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	arrived, answer := make(chan struct{}), make(chan struct{})
	b.Sessions.Fail(func(context.Context) error {
		close(arrived)
		<-answer
		return nil
	})
	answered := make(chan int, 1)
	go func() {
		status, _ := s.post(t, writeKey, trackCall)
		answered <- status
	}()
	<-arrived
	s.stop()
	s.refuses(t)
	close(answer)
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request was answered %d", status)
	}
	if err := <-s.done; err != nil {
		t.Errorf("the server ended with %v", err)
	}
}

func TestStreamsEndWhenTheServerDoes(t *testing.T) {
	var h2 http.Protocols
	h2.SetUnencryptedHTTP2(true)
	for name, c := range map[string]struct {
		transport *http.Transport
		protocol  connect.ClientOption
	}{
		"connect":           {&http.Transport{}, connect.WithProtoJSON()},
		"connect on HTTP/2": {&http.Transport{Protocols: &h2}, connect.WithProtoJSON()},
		"gRPC":              {&http.Transport{Protocols: &h2}, connect.WithGRPC()},
		"gRPC-Web":          {&http.Transport{}, connect.WithGRPCWeb()},
	} {
		t.Run(name, func(t *testing.T) {
			defer c.transport.CloseIdleConnections()
			g, _ := open(t)
			s := serve(t, g)
			ctx, info := connect.NewClientContext(t.Context())
			info.RequestHeader().Set("Authorization", "Bearer "+queryToken)
			stream, err := sessionsv1connect.NewQueryServiceClient(&http.Client{Transport: c.transport}, s.url, c.protocol).
				WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{})
			if err != nil {
				t.Fatal(err)
			}
			if !stream.Receive() || stream.Msg().GetCursor() != "first" {
				t.Fatalf("told %v, %v", stream.Msg(), stream.Err())
			}
			s.stop()
			if stream.Receive() || connect.CodeOf(stream.Err()) != connect.CodeUnavailable {
				t.Errorf("the stream ended with %v", stream.Err())
			}
			_ = stream.Close()
			if err := <-s.done; err != nil { // draining is not given up before
				t.Errorf("the server ended with %v", err)
			}
		})
	}
}

func TestDrainingEndsWhenItIsGivenUp(t *testing.T) {
	g, b := open(t)
	s := serve(t, g)
	arrived := make(chan struct{})
	b.Sessions.Fail(func(ctx context.Context) error {
		close(arrived)
		<-ctx.Done()
		return ctx.Err()
	})
	failed := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/track", strings.NewReader(trackCall))
		if err != nil {
			failed <- err
			return
		}
		r.SetBasicAuth(writeKey, "")
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			err = resp.Body.Close()
		}
		failed <- err
	}()
	<-arrived
	s.stop()
	s.giveUp()
	if err := <-s.done; !errors.Is(err, context.Canceled) {
		t.Errorf("the server ended with %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("the request was answered although it could not be")
	}
}

func TestAGatewayWithoutWorkspacesDoesNotOpen(t *testing.T) {
	if _, err := gateway.Open(t.Context(), gateway.Config{}, gateway.Backends{}, observe.Discard()); err == nil {
		t.Error("no error")
	}
}

func TestTheServerHasATimeoutForEveryWait(t *testing.T) {
	s := gateway.NewHTTPServer(http.NotFoundHandler())
	for name, timeout := range map[string]time.Duration{
		"headers": s.ReadHeaderTimeout, "reading": s.ReadTimeout, "writing": s.WriteTimeout, "idle": s.IdleTimeout,
	} {
		if timeout <= 0 {
			t.Errorf("%s: none", name)
		}
	}
	if s.WriteTimeout <= gateway.DefaultDeadline {
		t.Errorf("an answer at the deadline of %v could not be written within %v", gateway.DefaultDeadline, s.WriteTimeout)
	}
}
