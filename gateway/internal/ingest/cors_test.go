package ingest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const site = "https://app.example.com"

// options asks for the options of a path, as a browser at site does before it sends headers of these names.
func (g gate) options(path, asked string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodOptions, path, nil)
	r.Header.Set("Origin", site)
	r.Header.Set("Access-Control-Request-Method", "POST")
	if asked != "" {
		r.Header.Set("Access-Control-Request-Headers", asked)
	}
	return g.do(r)
}

func TestABrowserMaySendToEveryPathOfCallsWithoutAKeyInThePreflight(t *testing.T) {
	g := open(t)
	for _, path := range []string{
		"/v1/t", "/v1/track", "/v1/i", "/v1/p", "/v1/g", "/v1/a", "/v1/s", "/v1/b", "/v1/batch", "/v1/import", "/v1/m", "/b", "/batch", "/t",
		"/v1/delete", "/v1/segment", "/v1/segment/x", "/v1/projects/x/settings", "/projects/x/settings", "/v1/pixel/track",
		"/beacon/v1/batch", "/sourceConfig", "/api/s/track", "/api/s/s2s/event", "/v1/nothing", "/", "/analytics.js/v1/x/analytics.min.js",
	} {
		w := g.options(path, "authorization,content-type")
		if w.Code != http.StatusNoContent || w.Body.Len() != 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		method := http.MethodPost
		if strings.Contains(path, "projects") || strings.Contains(path, "pixel") || strings.Contains(path, "sourceConfig") {
			method = http.MethodGet
		}
		want := http.Header{
			"Access-Control-Allow-Origin":      {site},
			"Access-Control-Allow-Credentials": {"true"},
			"Access-Control-Expose-Headers":    {"Retry-After, X-RateLimit-Reset, X-Request-Id"},
			"Access-Control-Allow-Headers":     {"authorization,content-type"},
			"Access-Control-Max-Age":           {"86400"},
			"Vary":                             {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"},
		}
		got := w.Header().Clone()
		if methods := got.Get("Access-Control-Allow-Methods"); !strings.Contains(methods, method) || methods != got.Get("Allow") {
			t.Errorf("%s: methods %q", path, methods)
		}
		got.Del("Access-Control-Allow-Methods")
		got.Del("Allow")
		got.Del("X-Request-Id")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
	if n := len(g.Identity.Requests()); n != 0 {
		t.Errorf("%d preflights counted", n)
	}
}

func TestWhoAsksForTheOptionsOfAnUnknownPathWithoutBeingABrowserIsToldThatThereIsNone(t *testing.T) {
	g := open(t)
	check(t, g.do(httptest.NewRequest(http.MethodOptions, "/v1/nothing", nil)), 404, `'code':'path_unknown'`)
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodHead} {
		r := httptest.NewRequest(http.MethodOptions, "/v1/nothing", nil)
		r.Header.Set("Origin", site)
		r.Header.Set("Access-Control-Request-Method", method)
		w := g.do(r)
		if methods := w.Header().Get("Access-Control-Allow-Methods"); w.Code != 204 || !strings.Contains(methods, method) {
			t.Errorf("%s: %d, methods %q", method, w.Code, methods)
		}
	}
}

func TestAPreflightGrantsWhatIsAskedIfItIsAListOfNames(t *testing.T) {
	g := open(t)
	for asked, want := range map[string]string{
		"":                               "",
		"x-retry-count":                  "x-retry-count",
		"Authorization, X-Custom-Thing":  "Authorization, X-Custom-Thing",
		"x-a, (bad)":                     "",
		"x-a,,x-b":                       "",
		"x-" + strings.Repeat("a", 2000): "",
	} {
		got := g.options("/v1/t", asked).Header().Get("Access-Control-Allow-Headers")
		if want == "" {
			for _, name := range []string{"authorization", "content-type", "x-retry-count", "x-write-key"} {
				if !strings.Contains(got, name) {
					t.Errorf("%q: granted %q without %s", asked, got, name)
				}
			}
		} else if got != want {
			t.Errorf("%q: granted %q", asked, got)
		}
	}
}

func TestAScriptMayReadEveryAnswer(t *testing.T) {
	g := open(t)
	for _, c := range []struct {
		path, key, body string
		status          int
	}{
		{"/v1/t", webKey, trackCall("m", ""), 200},
		{"/v1/t", webKey, "{", 400},
		{"/v1/t", "no-such-key-00000", "{}", 401},
		{"/v1/t", webKey, strings.Repeat("x", 3000), 413},
		{"/v1/segment", webKey, `{"type":"erase"}`, 501},
		{"/v1/nothing", webKey, "", 404},
	} {
		r := httptest.NewRequest(http.MethodPost, c.path, strings.NewReader(c.body))
		r.SetBasicAuth(c.key, "")
		r.Header.Set("Origin", site)
		w := g.do(r)
		if h := w.Header(); w.Code != c.status || h.Get("Access-Control-Allow-Origin") != site ||
			h.Get("Access-Control-Expose-Headers") != "Retry-After, X-RateLimit-Reset, X-Request-Id" || h.Get("Vary") != "Origin" {
			t.Errorf("%s: %d with %v, want %d", c.path, w.Code, h, c.status)
		}
	}
	w := g.post("/v1/t", webKey, trackCall("m", ""))
	if h := w.Header(); h.Get("Access-Control-Allow-Origin") != "" || h.Get("Vary") != "Origin" {
		t.Errorf("without an origin: %v", h)
	}
}
