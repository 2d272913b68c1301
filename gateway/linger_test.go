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
		old := strings.Replace(trackCall, "2026", "1999", 1) // older than the clock here
		calls, admin := rpc.NewPipe(), rpc.NewPipe()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		served := make(chan error, 1)
		go func() {
			served <- g.Serve(ctx, linger, gateway.Listeners{HTTP: calls, Admin: admin}, prometheus.NewRegistry())
		}()
		if got, want := through(t, calls, http.MethodPost, "/v1/track", old), (answer{200, `{"success":true}`, false}); got != want {
			t.Errorf("before the stop: %+v, want %+v", got, want)
		}
		stop()
		time.Sleep(linger - time.Second)
		if got, want := through(t, admin, http.MethodGet, "/readyz", ""), (answer{503, "stopping", false}); got != want {
			t.Errorf("after the stop /readyz says %+v, want %+v", got, want)
		}
		if got, want := through(t, calls, http.MethodPost, "/v1/track", old), (answer{200, `{"success":true}`, true}); got != want {
			t.Errorf("after the stop: %+v, want %+v", got, want)
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

// answer is what was said, and whether the connection ends with it.
type answer struct {
	status  int
	text    string
	closing bool
}

// through sends a request over a connection of its own.
func through(t *testing.T, pipe rpc.Pipe, method, path, body string) answer {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }}
	defer transport.CloseIdleConnections()
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
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, strings.TrimSpace(string(text)), resp.Close}
}
