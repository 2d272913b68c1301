package ingest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/ingest"
)

// settingsAt asks for settings as host, with the scheme of target.
func (g gate) settingsAt(target string) *httptest.ResponseRecorder {
	return g.do(httptest.NewRequest(http.MethodGet, target, nil))
}

func TestSettingsLeadToWhereTheGatewayListensWhateverHostWasAsked(t *testing.T) {
	for target, listens := range map[string]*url.URL{
		"http://127.0.0.1:8080/v1/projects/" + webKey + "/settings":    {Scheme: "http", Host: "127.0.0.1:8080"},
		"http://evil.example.com/v1/projects/" + webKey + "/settings":  {Scheme: "http", Host: "127.0.0.1:8080"},
		"http://evil.example.com/projects/" + webKey + "/settings":     {Scheme: "http", Host: "[::1]:8080"},
		"https://evil.example.com/v1/projects/" + newKey + "/settings": {Scheme: "https", Host: "127.0.0.1:8443"},
	} {
		g := open(t)
		g.ListensOn(listens)
		w := g.settingsAt(target)
		var got struct {
			Integrations map[string]struct {
				APIKey, APIHost, Protocol string
			}
			Metrics struct {
				SampleRate *float64
				Host       string
			}
			Plan map[string]any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", target, w.Code, w.Body)
		}
		segment := got.Integrations["Segment.io"]
		if segment.Protocol != listens.Scheme || segment.APIHost != listens.Host+"/v1" || !strings.Contains(target, segment.APIKey) || segment.APIKey == "" {
			t.Errorf("%s: led to %+v", target, segment)
		}
		if len(got.Integrations) != 1 || got.Metrics.SampleRate == nil || *got.Metrics.SampleRate != 0 || got.Plan == nil {
			t.Errorf("%s: %s", target, w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "evil") {
			t.Errorf("headers %v, %s", w.Header(), w.Body)
		}
		if strings.Contains(g.log.String(), webKey) || strings.Contains(g.log.String(), newKey) {
			t.Errorf("the log shows the key: %s", g.log)
		}
	}
}

func TestThereAreNoSettingsWhereNobodySaidWhereClientsReachTheGateway(t *testing.T) {
	g := open(t)
	for range 3 {
		for _, target := range []string{"http://evil.example.com/v1/projects/", "http://127.0.0.1:8080/projects/"} {
			r := httptest.NewRequest(http.MethodGet, target+webKey+"/settings", nil)
			r.Header.Set("X-Forwarded-Host", "evil.example.com")
			w := g.do(r)
			check(t, w, 404, `'code':'public_url_required'`)
			if strings.Contains(w.Body.String(), "evil") || strings.Contains(w.Body.String(), "127.0.0.1") {
				t.Errorf("the answer names the host: %s", w.Body)
			}
		}
	}
	if n := strings.Count(g.log.String(), `"code":"public_url_required","reason":"there are no settings: start Sojourn with -public-url`); n != 1 {
		t.Errorf("the log says so %d times: %s", n, g.log)
	}
}

func TestSettingsLeadToThePublicURLWhereOneIsSet(t *testing.T) {
	g := openWith(t, func(c *ingest.Config) {
		c.PublicURL = &url.URL{Scheme: "https", Host: "calls.example.com", Path: "/in"}
	})
	r := httptest.NewRequest(http.MethodGet, "http://10.0.0.7:8080/v1/projects/"+webKey+"/settings", nil)
	r.Header.Set("X-Forwarded-Host", "evil.example.com")
	check(t, g.do(r), 200, `'apiHost':'calls.example.com/in/v1','protocol':'https'`)
}

func TestThereAreNoSettingsForWhatIsNoWriteKey(t *testing.T) {
	for _, key := range []string{"no-such-key-00000", queryToken, adminToken} {
		w := open(t).settingsAt("/v1/projects/" + key + "/settings")
		check(t, w, 404, `'code':'key_unknown'`)
		if strings.Contains(w.Body.String(), key) {
			t.Errorf("the answer shows the key: %s", w.Body)
		}
	}
}
