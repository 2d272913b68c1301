package admin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/admin"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func TestOperatorsSeeLifeReadinessAndMetrics(t *testing.T) {
	var notReady error
	h := admin.Handler(observe.NewRegistry(), func() error { return notReady })
	get := func(path string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/metrics": "go_goroutines", "/debug/pprof/": "goroutine"} {
		if code, body := get(path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want 200 and %q", path, code, want)
		}
	}
	notReady = errors.New("stopping")
	if code, body := get("/readyz"); code != http.StatusServiceUnavailable || !strings.Contains(body, "stopping") {
		t.Errorf("not ready: %d %s", code, body)
	}
	if code, _ := get("/livez"); code != http.StatusOK {
		t.Errorf("alive while not ready: %d", code)
	}
}
