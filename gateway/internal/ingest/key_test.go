package ingest_test

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
