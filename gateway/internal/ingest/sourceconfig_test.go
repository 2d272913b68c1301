package ingest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRudderStacksClientsAreToldThatTheirSourceIsThereAndHasNoDestinations(t *testing.T) {
	const want = `{'source':{'id':'sojourn','name':'sojourn','workspaceId':'sojourn','enabled':true,'config':{},'destinations':[],'dataplanes':{}}}`
	query := "?p=npm&v=3.34.1&build=modern&lockIntegrationsVersion=true&lockPluginsVersion=true"
	for _, path := range []string{"/sourceConfig", "/v1/sourceConfig"} {
		for name, c := range map[string]struct {
			query, basic string
			status       int
			answer       string
		}{
			"basic":          {query, webKey, 200, want},
			"query":          {query + "&writeKey=" + webKey, "", 200, want},
			"both":           {query + "&writeKey=" + webKey, webKey, 200, want},
			"no key":         {query, "", 401, `'code':'key_unknown'`},
			"unknown key":    {query + "&writeKey=no-such-key-00000", "", 401, `'code':'key_unknown'`},
			"unknown basic":  {query + "&writeKey=" + webKey, "no-such-key-00000", 401, `'code':'key_unknown'`},
			"a query token":  {query, queryToken, 403, `'code':'permission'`},
			"an admin token": {query + "&writeKey=" + adminToken, "", 403, `'code':'permission'`},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				g := open(t)
				r := httptest.NewRequest(http.MethodGet, "http://evil.example.com"+path+c.query, nil)
				if c.basic != "" {
					r.SetBasicAuth(c.basic, "")
				}
				w := g.do(r)
				check(t, w, c.status, c.answer)
				if w.Code == 200 && w.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("headers %v", w.Header())
				}
				if text := w.Body.String() + g.log.String(); strings.Contains(text, "key-0000") || strings.Contains(text, "token-0000") || strings.Contains(w.Body.String(), "evil") {
					t.Errorf("shows a key or the host: %s", text)
				}
				if n := len(g.Identity.Requests()); n != 0 {
					t.Errorf("counted %d times", n)
				}
			})
		}
	}
	check(t, open(t).send("/sourceConfig", ""), 405, `'code':'method_not_allowed'`)
}
