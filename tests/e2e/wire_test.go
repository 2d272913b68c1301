//go:build clients

package e2e

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// wire passes everything on to a deployment unchanged, and counts what passes by method and path.
type wire struct {
	server *httptest.Server
	target atomic.Pointer[url.URL]
	mutex  sync.Mutex
	passed map[string]int
	losses int           // answers still to lose
	lost   chan struct{} // one for each
}

// onBothBehindWire runs a case against both kinds of deployment, each with a wire in front of it where clients are told to send.
func onBothBehindWire(t *testing.T, run func(*testing.T, deployment, *wire)) {
	for name, start := range map[string]func(*testing.T, string) deployment{
		"standalone":     func(t *testing.T, dir string) deployment { return startStandalone(t, dir) },
		"four processes": func(t *testing.T, dir string) deployment { return startCluster(t, dir) },
	} {
		t.Run(name, func(t *testing.T) {
			w := startWire(t)
			t.Setenv("SOJOURN_PUBLIC_URL", w.server.URL)
			d := start(t, newDir(t))
			w.lead(d)
			run(t, d, w)
		})
	}
}

// startWire starts a wire that leads nowhere yet.
func startWire(t testing.TB) *wire {
	t.Helper()
	w := &wire{passed: map[string]int{}}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(w.target.Load()) }}
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

// lead has the wire lead to a deployment.
func (w *wire) lead(to deployment) {
	target, err := url.Parse(to.url())
	if err != nil {
		panic(err)
	}
	w.target.Store(target)
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

// asked returns the same without preflights, of which a browser makes several when it asks several things at once.
func (w *wire) asked() map[string]int {
	all := w.counts()
	maps.DeleteFunc(all, func(what string, _ int) bool { return strings.HasPrefix(what, http.MethodOptions) })
	return all
}
