//go:build clients

package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// wire passes everything on to a deployment unchanged, and counts what passes by method and path.
type wire struct {
	server *httptest.Server
	mutex  sync.Mutex
	passed map[string]int
}

func startWire(t testing.TB, d deployment) *wire {
	t.Helper()
	target, err := url.Parse(d.url())
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{passed: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // the settings lead back to here
	}}
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mutex.Lock()
		w.passed[r.Method+" "+r.URL.Path]++
		w.mutex.Unlock()
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.server.Close)
	return w
}

// counts returns how often each method and path has passed.
func (w *wire) counts() map[string]int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return maps.Clone(w.passed)
}
