//go:build clients

package e2e

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// wire passes everything on to a deployment unchanged, and counts what passes by method and path.
type wire struct {
	server *httptest.Server
	mutex  sync.Mutex
	passed map[string]int
	losses int           // answers still to lose
	lost   chan struct{} // one for each
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
		if !w.pass(r) {
			proxy.ServeHTTP(rw, r)
			return
		}
		proxy.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		w.lost <- struct{}{}
		<-r.Context().Done() // the client does not wait any longer
	}))
	t.Cleanup(w.server.Close)
	return w
}

// pass counts a request and says whether its answer is to be lost.
func (w *wire) pass(r *http.Request) (lose bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.passed[r.Method+" "+r.URL.Path]++
	lose = w.losses > 0 && r.Method == http.MethodPost && r.URL.Path == "/v1/t"
	if lose {
		w.losses--
	}
	return lose
}

// lose makes the next answers to single track calls get lost: each call reaches the deployment and is answered, and its sender never hears
// of it. The returned function waits until they were.
func (w *wire) lose(t testing.TB, n int) (wait func()) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.losses, w.lost = n, make(chan struct{}, n)
	return func() {
		t.Helper()
		timeout := time.After(patience)
		for i := range n {
			select {
			case <-w.lost:
			case <-timeout:
				t.Fatalf("%d calls came, want %d", i, n)
			}
		}
	}
}

// counts returns how often each method and path has passed.
func (w *wire) counts() map[string]int {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return maps.Clone(w.passed)
}
