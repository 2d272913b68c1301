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

func TestSettingsLeadTheClientBackToWhereItAsked(t *testing.T) {
	for target, want := range map[string][2]string{
		"http://127.0.0.1:8080/v1/projects/" + webKey + "/settings":     {"http", "127.0.0.1:8080/v1"},
		"http://127.0.0.1:8080/projects/" + webKey + "/settings":        {"http", "127.0.0.1:8080/v1"},
		"https://calls.example.com/v1/projects/" + newKey + "/settings": {"https", "calls.example.com/v1"},
	} {
		g := open(t)
		w := g.settingsAt(target)
		var got struct {
			Integrations map[string]struct {
				APIKey, APIHost, Protocol string
			}
			Metrics struct{ SampleRate *float64 }
			Plan    map[string]any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %s", target, w.Code, w.Body)
		}
		segment := got.Integrations["Segment.io"]
		if segment.Protocol != want[0] || segment.APIHost != want[1] || !strings.Contains(target, segment.APIKey) || segment.APIKey == "" {
			t.Errorf("%s: led to %+v", target, segment)
		}
		if len(got.Integrations) != 1 || got.Metrics.SampleRate == nil || *got.Metrics.SampleRate != 0 || got.Plan == nil {
			t.Errorf("%s: %s", target, w.Body)
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", w.Header())
		}
		if strings.Contains(g.log.String(), webKey) || strings.Contains(g.log.String(), newKey) {
			t.Errorf("the log shows the key: %s", g.log)
		}
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
