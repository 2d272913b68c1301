package gateway_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
)

func TestAGatewayThatIsAskedToStopServesOnForAWhileAndSendsItsClientsElsewhere(t *testing.T) {
	const linger = 5 * time.Second
	synctest.Test(t, func(t *testing.T) {
		g, _ := open(t)
		calls, admin := rpc.NewPipe(), rpc.NewPipe()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		served := make(chan error, 1)
		go func() {
			served <- g.Serve(ctx, linger, gateway.Listeners{HTTP: calls, Admin: admin}, prometheus.NewRegistry())
		}()
		if resp := through(t, calls, http.MethodPost, "/v1/track", trackCall); resp.StatusCode != http.StatusOK || resp.Close {
			t.Fatalf("before the stop: %s, closing: %v", resp.Status, resp.Close)
		}
		stop()
		time.Sleep(linger - time.Second)
		resp := through(t, admin, http.MethodGet, "/readyz", "")
		if got := said(t, resp); resp.StatusCode != http.StatusServiceUnavailable || got != "stopping" {
			t.Errorf("after the stop /readyz says %s: %s", resp.Status, got)
		}
		if resp := through(t, calls, http.MethodPost, "/v1/track", trackCall); resp.StatusCode != http.StatusOK || !resp.Close {
			t.Errorf("after the stop: %s, closing: %v", resp.Status, resp.Close)
		}
		select {
		case err := <-served:
			t.Fatalf("stopped early: %v", err)
		default:
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// through sends a request over a connection of its own.
func through(t *testing.T, pipe rpc.Pipe, method, path, body string) *http.Response {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }}
	t.Cleanup(transport.CloseIdleConnections)
	r, err := http.NewRequestWithContext(t.Context(), method, "http://gateway"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(writeKey, "")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// said is the text of an answer.
func said(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}
