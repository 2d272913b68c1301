package ingest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// limited is what a test's source may send.
func (g gate) limited(limits workspace.Limits) {
	c := workspaces()
	c.Workspaces[0].Sources[0].Limits = limits
	g.workspaces.Store(c)
}

// untouched is a body that nobody may read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestASourceBeyondItsRateIsTold429WithTheTimeToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.limited(workspace.Limits{CallsPerSecond: 0.5, Burst: 2})
		check(t, g.post("/v1/track", webKey, trackCall("m1", "")), 200, `{'success':true}`)
		check(t, g.post("/v1/track", newKey, trackCall("m2", "")), 200, `{'success':true}`)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", untouched{t})
		r.SetBasicAuth(webKey, "")
		w := g.do(r)
		check(t, w, 429, `{'message':'calls_per_second of this source is used up: send the same again later','code':'rate_limited'}`)
		if got := w.Header(); got.Get("Retry-After") != "2" || got.Get("X-RateLimit-Reset") != "2" {
			t.Errorf("headers %v, want 2 seconds", got)
		}
		check(t, g.post("/v1/page", looseKey, `{"timestamp":"1999-10-01T11:59:00Z","name":"Home"}`), 200, `'success':true,`)
		check(t, g.post("/v1/track", otherKey, trackCall("m", "")), 200, `{'success':true}`)
		check(t, g.post("/v1/track", "", trackCall("m3", `"writeKey":"`+webKey+`",`)), 429, `rate_limited`)
		if n := len(g.Identity.Requests()); n != 4 {
			t.Errorf("identity heard of %d requests, want only those that were answered 200", n)
		}
		time.Sleep(2 * time.Second)
		check(t, g.post("/v1/track", webKey, trackCall("m3", "")), 200, `{'success':true}`)
		if err := testutil.GatherAndCompare(g.metrics, strings.NewReader(`
# HELP sojourn_gateway_refused_total Requests, and connections, that were refused for a limit, by workspace (empty: not known) and the limit that was reached.
# TYPE sojourn_gateway_refused_total counter
sojourn_gateway_refused_total{reason="source_rate",workspace="acme"} 2
`), "sojourn_gateway_refused_total"); err != nil {
			t.Error(err)
		}
	})
}

func TestEachCallOfABatchCountsForTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.limited(workspace.Limits{CallsPerSecond: 1, Burst: 3})
		batch := `{"batch":[` + trackCall("m1", "") + `,` + trackCall("m2", "") + `]}`
		check(t, g.post("/v1/batch", webKey, batch), 200, `'accepted':2`)
		w := g.post("/v1/batch", webKey, batch)
		check(t, w, 429, `rate_limited`)
		if got := w.Header().Get("Retry-After"); got != "1" {
			t.Errorf("Retry-After %s", got)
		}
		large := `{"batch":[1,2,3,4,5,6,7]}`
		time.Sleep(2 * time.Second)
		check(t, g.post("/v1/batch", webKey, large), 200, `'accepted':0`)
		check(t, g.post("/v1/track", webKey, trackCall("m3", "")), 429, `rate_limited`)
		time.Sleep(5 * time.Second)
		check(t, g.post("/v1/track", webKey, trackCall("m3", "")), 200, `{'success':true}`)
	})
}

// hang makes a service wait until the test lets it go on, and tells how many requests wait.
func hang(s *backendtest.Service) (waiting *atomic.Int64, goOn func()) {
	waiting, end := &atomic.Int64{}, make(chan struct{})
	s.Fail(func(ctx context.Context) error {
		waiting.Add(1)
		defer waiting.Add(-1)
		select {
		case <-end:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	return waiting, func() { close(end) }
}

func TestASourceHasOnlySoManyRequestsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.limited(workspace.Limits{ConcurrentRequests: 2})
		_, goOn := hang(g.Sessions)
		var all sync.WaitGroup
		for _, id := range []string{"m1", "m2"} {
			all.Go(func() { check(t, g.post("/v1/track", webKey, trackCall(id, "")), 200, `{'success':true}`) })
		}
		synctest.Wait()
		w := g.post("/v1/track", webKey, trackCall("m3", ""))
		check(t, w, 429, `'code':'too_many_requests'`)
		if got := w.Header(); got.Get("Retry-After") != "1" || got.Get("X-RateLimit-Reset") != "1" {
			t.Errorf("headers %v", got)
		}
		goOn()
		all.Wait()
		check(t, g.post("/v1/track", webKey, trackCall("m3", "")), 200, `{'success':true}`)
	})
}

func TestAGreedyWorkspaceWithSlowServicesLeavesRoomForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openWithin(t, limit.Config{Requests: 100})
		g.Identity.Fail(func(context.Context) error { time.Sleep(3 * time.Second); return nil })
		var all sync.WaitGroup
		var refused, answered atomic.Int64
		for range 1000 {
			all.Go(func() {
				w := g.post("/v1/track", webKey, trackCall("m", ""))
				switch w.Code {
				case http.StatusOK:
					answered.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				default:
					t.Errorf("the greedy one was answered %d %s", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		for range 10 {
			all.Go(func() { check(t, g.post("/v1/track", otherKey, trackCall("m", "")), 200, `{'success':true}`) })
		}
		all.Wait()
		// Its first requests were with the services at once, and the others went together soon after.
		if took := time.Since(began); took > 3*time.Second+100*time.Millisecond {
			t.Errorf("the polite one had its answers after %v", took)
		}
		if answered.Load() != 80 || refused.Load() != 920 {
			t.Errorf("of the greedy ones requests %d were answered and %d refused, want 80 and 920", answered.Load(), refused.Load())
		}
	})
}

func TestWithoutAnyPlaceLeftTheBodyIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openWithin(t, limit.Config{Requests: 1})
		_, goOn := hang(g.Sessions)
		done := make(chan struct{})
		go func() {
			defer close(done)
			g.post("/v1/track", webKey, trackCall("m1", ""))
		}()
		synctest.Wait()
		for _, key := range []string{otherKey, ""} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", untouched{t})
			if key != "" {
				r.SetBasicAuth(key, "")
			}
			w := g.do(r)
			check(t, w, 503, `'code':'overloaded'`)
			if got := w.Header().Get("Retry-After"); got != "1" {
				t.Errorf("Retry-After %q", got)
			}
		}
		goOn()
		<-done
	})
}

func TestABodyForWhichThereIsNoMemoryIsSentAgainLater(t *testing.T) {
	g := openWithin(t, limit.Config{BodyBytes: 4 << 10})
	long := `{"batch":[` + strings.Repeat(" ", 5000) + `]}`
	check(t, g.post("/v1/batch", webKey, long), 503, `'code':'overloaded'`)
	check(t, g.post("/v1/track", webKey, trackCall("m", "")), 200, `{'success':true}`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Errorf("identity heard of %d requests", n)
	}
}

func TestWhatIsShedLeavesNoLineInTheUsualLog(t *testing.T) {
	g := open(t)
	g.limited(workspace.Limits{CallsPerSecond: 1e-6, Burst: 1})
	g.post("/v1/track", webKey, trackCall("m1", ""))
	g.log.Reset()
	g.post("/v1/track", webKey, trackCall("m2", ""))
	if text := []byte(g.log.String()); bytes.Count(text, []byte("\n")) != 1 || !bytes.Contains(text, []byte(`"level":"DEBUG"`)) {
		t.Errorf("logged %s", text)
	}
}

func TestEveryAnswerComesWithinFiveSecondsWhateverAServiceDoes(t *testing.T) {
	type fail = func(context.Context) error
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for name, c := range map[string]struct {
		fail   func() fail
		status int
	}{
		"hangs":                             {func() fail { return hangs }, 503},
		"hangs and does not listen":         {func() fail { return after(20*time.Second, failing(0, 0)) }, 503},
		"always says unavailable":           {func() fail { return failing(1000, codes.Unavailable) }, 503},
		"says unavailable, then works":      {func() fail { return failing(2, codes.Unavailable) }, 200},
		"says it has no room":               {func() fail { return failing(1, codes.ResourceExhausted) }, 503}, // trying again would make it worse
		"says aborted":                      {func() fail { return failing(1, codes.Aborted) }, 503},
		"fails inside":                      {func() fail { return failing(1, codes.Internal) }, 500},
		"says unavailable after 3 s, twice": {func() fail { return after(3*time.Second, failing(2, codes.Unavailable)) }, 503},
		"works after 3 s":                   {func() fail { return after(3*time.Second, failing(0, 0)) }, 200},
	} {
		for _, service := range []string{"identity", "events", "sessions"} {
			t.Run(name+"/"+service, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					g := open(t)
					map[string]*backendtest.Service{"identity": g.Identity, "events": g.Events, "sessions": g.Sessions}[service].Fail(c.fail())
					began := time.Now()
					w := g.post("/v1/track", webKey, trackCall("m", ""))
					if took := time.Since(began); took > 4*time.Second || w.Code != c.status {
						t.Errorf("answered %d after %v, want %d", w.Code, took, c.status)
					}
					if got := w.Header().Get("Retry-After"); (got != "") != (c.status == http.StatusServiceUnavailable) {
						t.Errorf("Retry-After %q", got)
					}
					time.Sleep(time.Minute) // until the service has let go
				})
			})
		}
	}
}

// failing fails n times with that status, then works.
func failing(n int64, code codes.Code) func(context.Context) error {
	var calls atomic.Int64
	return func(context.Context) error {
		if calls.Add(1) <= n {
			return status.Error(code, "told to fail")
		}
		return nil
	}
}

// after does what then does, later, whether anybody still waits for it or not.
func after(wait time.Duration, then func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		time.Sleep(wait)
		return then(ctx)
	}
}

func TestASlowSenderAndAHangingServiceShareOneDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		hang(g.Identity)
		text := trackCall("m", "")
		began := time.Now()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", io.MultiReader(
			strings.NewReader(text[:10]), pause(3*time.Second), strings.NewReader(text[10:])))
		r.SetBasicAuth(webKey, "")
		check(t, g.do(r), 503, `'code':'unavailable'`)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("answered after %v", took)
		}
	})
}

// pause is a reader of nothing that takes its time.
type pause time.Duration

func (p pause) Read([]byte) (int, error) {
	time.Sleep(time.Duration(p))
	return 0, io.EOF
}

func TestMoreIsTakenOnOnceItTurnsOutThatItIsDoneInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.Identity.Fail(after(100*time.Millisecond, failing(0, 0)))
		body := trackCall("m", `"x":"`+strings.Repeat("x", 1700)+`",`)
		var all sync.WaitGroup
		for range 400 {
			all.Go(func() { check(t, g.post("/v1/track", webKey, body), 200, `{'success':true}`) })
		}
		all.Wait()
		if got := g.gauge(t, "sojourn_gateway_work_limit_bytes"); got <= 1<<20 {
			t.Errorf("the limit of work is %v", got)
		}
		if got := g.gauge(t, "sojourn_gateway_work_bytes"); got != 0 {
			t.Errorf("%v bytes are still worked on", got)
		}
	})
}

// gauge returns the sum over all series of a gauge.
func (g gate) gauge(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name {
				sum += m.GetGauge().GetValue()
			}
		}
	}
	return sum
}
