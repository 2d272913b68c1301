package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// apiHost asks a gateway for settings, as another host, and returns which host they name.
func apiHost(t *testing.T, url string) (status int, host string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/v1/projects/"+writeKey+"/settings", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example.com"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "evil") {
		t.Errorf("the answer names the host that was asked: %s", text)
	}
	var settings struct {
		Integrations map[string]struct{ APIHost string }
	}
	if err := json.Unmarshal(text, &settings); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return resp.StatusCode, settings.Integrations["Segment.io"].APIHost
}

func TestSettingsNameTheListenAddressWhereOnlyThisMachineReachesIt(t *testing.T) {
	g, _ := open(t)
	s := serve(t, g)
	if status, host := apiHost(t, s.url); status != http.StatusOK || host != strings.TrimPrefix(s.url, "http://")+"/v1" {
		t.Errorf("answered %d with %q at %s", status, host, s.url)
	}
}

func TestSettingsNameNoHostWhereOthersReachTheGateway(t *testing.T) {
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	g, _ := open(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- g.ServeUntil(ctx, t.Context(), l) }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if status, host := apiHost(t, "http://127.0.0.1:"+port); status != http.StatusNotFound || host != "" {
		t.Errorf("answered %d with %q", status, host)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWhatIsStillToBeToldOfRejectionsIsToldWhenTheServerEnds(t *testing.T) {
	b, log := backendtest.Start(t), &bytes.Buffer{}
	deps := observe.Discard()
	deps.Log = slog.New(slog.NewTextHandler(log, nil))
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: workspaces()},
		gateway.Backends{Identity: b.Identity.Conn, Events: b.Events.Conn, Sessions: b.Sessions.Conn}, deps)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, g)
	for range 3 {
		if status, body := s.post(t, writeKey, `{"a"`); status != http.StatusBadRequest {
			t.Errorf("answered %d %s", status, body)
		}
	}
	s.end(t)
	if n := strings.Count(log.String(), `msg="calls are rejected"`); n != 2 || !strings.Contains(log.String(), " count=2") {
		t.Errorf("told %d times: %s", n, log)
	}
}
