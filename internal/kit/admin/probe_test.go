package admin_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/kit/admin"
)

func TestAProbeSaysWhetherAProcessIsReadyAndWhyNot(t *testing.T) {
	var why error
	handler := admin.Handler(prometheus.NewRegistry(), func() error { return why })
	for name, c := range map[string]struct {
		serve  func(http.Handler) *httptest.Server
		useTLS bool
	}{"plain": {httptest.NewServer, false}, "TLS": {httptest.NewTLSServer, true}} {
		t.Run(name, func(t *testing.T) {
			server := c.serve(handler)
			defer server.Close()
			_, port, err := net.SplitHostPort(server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			for _, addr := range []string{"127.0.0.1:" + port, ":" + port, "0.0.0.0:" + port, "[::]:" + port, "localhost:" + port} {
				why = nil
				if err := admin.Probe(t.Context(), addr, c.useTLS); err != nil {
					t.Errorf("%s is ready: %v", addr, err)
				}
				why = errors.New("events is not ready")
				if err := admin.Probe(t.Context(), addr, c.useTLS); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable: events is not ready") {
					t.Errorf("%s is not ready: %v", addr, err)
				}
			}
			why = nil
			if err := admin.Probe(t.Context(), "127.0.0.1:"+port, !c.useTLS); err == nil {
				t.Error("asked the wrong way it is ready")
			}
		})
	}
}

func TestAProcessThatIsNotThereIsNotReady(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	addr := server.Listener.Addr().String()
	if err := admin.Probe(t.Context(), addr, false); err == nil {
		t.Error("another server is ready")
	}
	server.Close()
	if err := admin.Probe(t.Context(), addr, false); err == nil {
		t.Error("nobody is ready")
	}
}

func TestAnUnverifiedCertificateIsTakenFromLoopbackOnly(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:9100", "eventsd.example:9100"} {
		if err := admin.Probe(t.Context(), addr, true); err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", addr, err)
		}
	}
	if err := admin.Probe(t.Context(), "9100", false); err == nil {
		t.Error("an address without a port was asked")
	}
}
