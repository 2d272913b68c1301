package ingest_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway/internal/ingest"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func TestTheWriteKeyMayStandInTheHeaderOrThePathOfADelivery(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(otherKey+":"))
	inBody := `"writeKey":"` + otherKey + `",`
	for name, c := range map[string]struct {
		path, body string
		headers    []string
		status     int
		workspace  string
	}{
		"header":                       {"/v1/track", "", []string{"X-Write-Key", webKey}, 200, "acme"},
		"header, not the body":         {"/v1/track", inBody, []string{"X-Write-Key", webKey}, 200, "acme"},
		"basic, not the header":        {"/v1/track", "", []string{"X-Write-Key", webKey, "Authorization", basic}, 200, "other"},
		"header unknown, good in body": {"/v1/track", inBody, []string{"X-Write-Key", "no-such-key-00000"}, 401, ""},
		"path":                         {"/v1/segment/" + webKey, "", nil, 200, "acme"},
		"path, not basic nor body":     {"/v1/segment/" + webKey, inBody, []string{"Authorization", basic}, 200, "acme"},
		"path unknown, basic good":     {"/v1/segment/no-such-key-00000", "", []string{"Authorization", basic}, 401, ""},
		"delivery, in the body":        {"/v1/segment", inBody, nil, 200, "other"},
		"path of a client":             {"/v1/track/" + webKey, "", nil, 404, ""},
		"bearer and header":            {"/v1/track", "", []string{"Authorization", "Bearer x", "X-Write-Key", webKey}, 200, "acme"},
		"query":                        {"/v1/track?writeKey=" + webKey, "", nil, 200, "acme"},
		"query, as Jitsu names it":     {"/v1/track?writekey=" + webKey, "", nil, 200, "acme"},
		"query, in another case":       {"/v1/track?WRITEKEY=" + webKey, "", nil, 401, ""},
		"query, not the body":          {"/v1/track?writeKey=" + webKey, inBody, nil, 200, "acme"},
		"query unknown, good in body":  {"/v1/track?writeKey=no-such-key-00000", inBody, nil, 401, ""},
		"query empty, good in body":    {"/v1/track?writeKey=", inBody, nil, 200, "other"},
		"header, not the query":        {"/v1/track?writeKey=" + otherKey, "", []string{"X-Write-Key", webKey}, 200, "acme"},
		"basic, not the query":         {"/v1/track?writeKey=" + webKey, "", []string{"Authorization", basic}, 200, "other"},
		"bearer and query":             {"/v1/track?writeKey=" + webKey, "", []string{"Authorization", "Bearer x"}, 200, "acme"},
		"query of a delivery":          {"/v1/segment?writeKey=" + webKey, "", nil, 200, "acme"},
		"path, not the query":          {"/v1/segment/" + webKey + "?writeKey=" + otherKey, "", nil, 200, "acme"},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			w := g.send(c.path, trackCall("m", c.body), c.headers...)
			want := map[int]string{200: `{'success':true}`, 401: `'code':'key_unknown'`, 404: `'code':'path_unknown'`}[c.status]
			check(t, w, c.status, want)
			var got string
			for _, request := range g.Identity.Requests() {
				got = request.(interface{ GetWorkspace() string }).GetWorkspace()
			}
			if got != c.workspace {
				t.Errorf("written to workspace %q, want %q", got, c.workspace)
			}
			for _, key := range []string{webKey, otherKey, "no-such"} {
				if strings.Contains(g.log.String(), key) {
					t.Errorf("the log shows a key: %s", g.log)
				}
			}
		})
	}
}

func TestAKeyInThePathIsInNoMetric(t *testing.T) {
	g := open(t)
	g.send("/v1/segment/"+webKey, trackCall("m", ""))
	g.send("/v1/segment/secret-0000000000", trackCall("m", ""))
	families, err := g.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, f := range families {
		if text := f.String(); strings.Contains(text, webKey) || strings.Contains(text, "secret") {
			t.Errorf("%s shows a key", f.GetName())
		}
		found = found || strings.Contains(f.String(), "/v1/segment/{writeKey}")
	}
	if !found {
		t.Error("the pattern of the path is in no metric")
	}
}

func TestASecretThatIsNoWriteKeyIsForbidden(t *testing.T) {
	for _, key := range []string{queryToken, adminToken} {
		g := open(t)
		check(t, g.send("/v1/track", trackCall("m", ""), "X-Write-Key", key), 403, `'code':'permission'`)
		check(t, g.post("/v1/batch", key, `{}`), 403, `'code':'permission'`)
		check(t, g.send("/v1/track", trackCall("m", `"writeKey":"`+key+`",`)), 403, `'code':'permission'`)
		check(t, g.send("/v1/segment/"+key, trackCall("m", "")), 403, `'code':'permission'`)
		if n := len(g.Identity.Requests()); n != 0 {
			t.Errorf("counted %d times", n)
		}
		if strings.Contains(g.log.String(), key) {
			t.Errorf("the log shows the token: %s", g.log)
		}
	}
}

func TestADeliveryMayComeWithPutAndPatch(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch} {
		g := open(t)
		r := httptest.NewRequest(method, "/v1/segment", strings.NewReader("["+trackCall("m", "")+"]"))
		r.SetBasicAuth(webKey, "")
		check(t, g.do(r), 200, `{'success':true,'accepted':1,'rejected':[]}`)
	}
	g := open(t)
	r := httptest.NewRequest(http.MethodDelete, "/v1/segment", nil)
	w := g.do(r)
	check(t, w, 405, `'code':'method_not_allowed'`)
	if got := w.Header().Get("Allow"); got != "POST, PUT, PATCH, OPTIONS" {
		t.Errorf("Allow %q", got)
	}
}

func TestFiguresThatClientsSendOfThemselvesAreTakenByNobody(t *testing.T) {
	g := open(t)
	for _, path := range []string{"/v1/m", "/m"} {
		check(t, g.send(path, `{"series":[]}`), 200, `{'success':true}`)
	}
	if n := len(g.Identity.Requests()); n != 0 {
		t.Errorf("counted %d times", n)
	}
}

// colonKey is a key as Jitsu makes them.
const colonKey = "jitsu-id-00000:jitsu-secret-00000"

func TestAKeyMayHoldAColonWhereverItStands(t *testing.T) {
	basic := func(credentials string) []string {
		return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))}
	}
	user, _, _ := strings.Cut(colonKey, ":")
	for name, c := range map[string]struct {
		more      []string // other write keys of the same configuration
		path      string
		body      string
		headers   []string
		status    int
		workspace string
	}{
		"basic":                          {nil, "/v1/track", "", basic(colonKey), 200, "jitsu"},
		"basic, as clients write it":     {nil, "/v1/track", "", basic(colonKey + ":"), 200, "jitsu"},
		"basic with a password":          {nil, "/v1/track", "", basic(colonKey + ":password"), 401, ""},
		"the user name alone":            {nil, "/v1/track", "", basic(user + ":"), 401, ""},
		"a key without a colon":          {nil, "/v1/track", "", basic(webKey + ":" + "password"), 200, "acme"},
		"whole before the user name":     {[]string{user}, "/v1/track", "", basic(colonKey), 200, "jitsu"},
		"the user name, another secret":  {[]string{user}, "/v1/track", "", basic(user + ":other"), 200, "more"},
		"a key that ends in a colon":     {[]string{colonKey + ":"}, "/v1/track", "", basic(colonKey + ":"), 200, "more"},
		"nothing but colons":             {nil, "/v1/track", "", basic(strings.Repeat(":", 20_000)), 401, ""},
		"header":                         {nil, "/v1/track", "", []string{"X-Write-Key", colonKey}, 200, "jitsu"},
		"query":                          {nil, "/v1/track?writekey=" + colonKey, "", nil, 200, "jitsu"},
		"query, escaped":                 {nil, "/v1/track?writeKey=" + url.QueryEscape(colonKey), "", nil, 200, "jitsu"},
		"path":                           {nil, "/v1/segment/" + colonKey, "", nil, 200, "jitsu"},
		"path, escaped":                  {nil, "/v1/segment/" + url.QueryEscape(colonKey), "", nil, 200, "jitsu"},
		"body":                           {nil, "/v1/track", `"writeKey":"` + colonKey + `",`, nil, 200, "jitsu"},
		"Jitsu's body, the key masked":   {nil, "/v1/track", `"writeKey":"` + user + `:***",`, []string{"X-Write-Key", colonKey}, 200, "jitsu"},
		"a query token and a colon":      {nil, "/v1/track", "", basic(queryToken + ":"), 403, ""},
		"a query token and a password":   {nil, "/v1/track", "", basic(queryToken + ":password"), 403, ""},
		"no base64":                      {nil, "/v1/track", `"writeKey":"` + colonKey + `",`, []string{"Authorization", "Basic %"}, 401, ""},
		"pixel":                          {nil, "/v1/pixel/track?event=E&writekey=" + colonKey, "", nil, 200, "jitsu"},
		"settings, in the path, escaped": {nil, "/v1/projects/" + url.QueryEscape(colonKey) + "/settings", "", nil, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := openWith(t, func(c *ingest.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "calls.test"} })
			config := workspaces()
			of := func(id string, keys ...string) workspace.Workspace {
				return workspace.Workspace{ID: id, Sources: []workspace.Source{{
					ID: "web", WriteKeys: workspace.NewSecrets(keys...),
				}}}
			}
			config.Workspaces = append(config.Workspaces, of("jitsu", colonKey), of("more", c.more...))
			g.workspaces.Store(config)
			method := http.MethodPost
			if strings.Contains(c.path, "pixel") || strings.Contains(c.path, "settings") {
				method = http.MethodGet
			}
			r := httptest.NewRequest(method, c.path, strings.NewReader(trackCall("m", c.body)))
			for i := 0; i < len(c.headers); i += 2 {
				r.Header.Set(c.headers[i], c.headers[i+1])
			}
			if w := g.do(r); w.Code != c.status {
				t.Errorf("answered %d %s, want %d", w.Code, w.Body, c.status)
			}
			var got string
			for _, request := range g.Identity.Requests() {
				got = request.(interface{ GetWorkspace() string }).GetWorkspace()
			}
			if got != c.workspace {
				t.Errorf("written to workspace %q, want %q", got, c.workspace)
			}
			if strings.Contains(g.log.String(), "jitsu-secret") {
				t.Errorf("the log shows a key: %s", g.log)
			}
		})
	}
}

func TestAKeyInTheQueryIsNotKeptWithWhatWasRejected(t *testing.T) {
	g := open(t)
	for _, path := range []string{
		"/v1/track?writeKey=" + webKey, "/v1/pixel/track?userId=u&writeKey=" + webKey, "/v1/pixel/track?userId=u&writekey=" + webKey,
	} {
		method := http.MethodPost
		if strings.Contains(path, "pixel") {
			method = http.MethodGet
		}
		g.do(httptest.NewRequest(method, path, strings.NewReader(`{"userId":"u"}`)))
	}
	rejections := g.Identity.Rejections()
	for _, r := range rejections {
		if strings.Contains(string(r.GetBody()), webKey) {
			t.Errorf("kept %s", r.GetBody())
		}
	}
	if len(rejections) != 3 {
		t.Errorf("%d rejections, want 3", len(rejections))
	}
}
