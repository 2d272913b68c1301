package ingest_test

import (
	"context"
	"encoding/base64"
	"image/gif"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// load loads an image and makes sure that it is one, whatever became of the call.
func (g gate) load(t *testing.T, path string, query url.Values) {
	t.Helper()
	w := g.do(httptest.NewRequest(http.MethodGet, path+"?"+query.Encode(), nil))
	shown, err := gif.Decode(w.Body)
	if err != nil || w.Code != 200 || w.Header().Get("Content-Type") != "image/gif" || w.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("answered %d %v: %v", w.Code, w.Header(), err)
	}
	if err == nil && (shown.Bounds().Dx() != 1 || shown.Bounds().Dy() != 1) {
		t.Errorf("an image of %v", shown.Bounds())
	}
}

// inBase64 returns the query of a call in base64.
func inBase64(body string) url.Values {
	return url.Values{"data": {base64.StdEncoding.EncodeToString([]byte(body))}}
}

// rejected returns type and code of what was counted as rejected.
func (g gate) rejected() string {
	var all []string
	for _, m := range g.Identity.Requests() {
		for _, x := range m.(*identityv1.RecordCallsRequest).GetRejections() {
			all = append(all, x.GetType()+" "+x.GetCode())
		}
	}
	return strings.Join(all, ", ")
}

func TestAnImageStandsForACallOfTheTypeInItsPath(t *testing.T) {
	for _, prefix := range []string{"/v1", ""} {
		for _, typeName := range []string{"track", "identify", "group", "page", "screen", "alias"} {
			g := open(t)
			g.load(t, prefix+"/pixel/"+typeName, inBase64(`{"writeKey":"`+webKey+`","anonymousId":"a","userId":"ü","event":"E","groupId":"g",`+
				`"previousId":"p","messageId":"m","timestamp":"2020-01-01T00:00:00Z"}`))
			calls := g.Identity.Calls()
			if len(calls) != 1 || calls[0].GetUserId() != "ü" || !strings.HasSuffix(calls[0].GetType().String(), strings.ToUpper(typeName)) {
				t.Errorf("%s: took %v", typeName, calls)
			}
		}
	}
}

func TestAnImagesCallMayStandInSingleParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		now := time.Now().UnixMilli()
		g.load(t, "/v1/pixel/track", url.Values{
			"writeKey": {webKey}, "userId": {"u"}, "anonymousId": {"a"}, "event": {"Mail Opened"}, "properties.module": {"Mail"},
			"context.groupId": {"acme"},
		})
		calls := g.Identity.Calls()
		if len(calls) != 1 {
			t.Fatalf("took %v", calls)
		}
		c := calls[0]
		if c.GetFeature() != "Mail Opened" || c.GetModule() != "Mail" || c.GetAccountId() != "acme" || c.GetUserId() != "u" {
			t.Errorf("took %v", c)
		}
		if c.GetTimeMs() != now || c.GetOriginalTimeMs() != now {
			t.Errorf("happened at %d, loaded at %d", c.GetTimeMs(), now)
		}
	})
}

func TestWhatIsWrongWithAnImagesCallIsInTheBooksOnly(t *testing.T) {
	call := `{"writeKey":"` + webKey + `","anonymousId":"a"}`
	for name, c := range map[string]struct {
		query url.Values
		want  string
	}{
		"invalid":               {inBase64(call), "track user_id_required"},
		"no base64, key beside": {url.Values{"data": {"%%"}, "writeKey": {webKey}}, "track data_invalid"},
		"no base64":             {url.Values{"data": {"%%"}}, ""},
		"no JSON, key beside":   {url.Values{"data": {"e30x"}, "writeKey": {webKey}}, "track json_invalid"},
		"twice":                 {url.Values{"writeKey": {webKey}, "event": {"a", "b"}}, "track query_invalid"},
		"text and object":       {url.Values{"writeKey": {webKey}, "a": {"1"}, "a.b": {"2"}}, "track query_invalid"},
		"invalid UTF-8":         {url.Values{"writeKey": {webKey}, "userId": {"\xff"}}, "track json_invalid_utf8"},
		"unknown key":           {url.Values{"writeKey": {"no-such-key-00000"}}, ""},
		"no key":                {url.Values{"userId": {"u"}}, ""},
		"nothing":               {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			g.load(t, "/v1/pixel/track", c.query)
			if got := g.rejected(); got != c.want || len(g.Identity.Calls()) != 0 {
				t.Errorf("counted as %q, want %q", got, c.want)
			}
			if strings.Contains(g.log.String(), webKey) {
				t.Errorf("the log shows the key: %s", g.log)
			}
		})
	}
}

func TestAQueryThatIsNotEscapedIsRead(t *testing.T) {
	g := open(t)
	data := base64.StdEncoding.EncodeToString([]byte(`{"anonymousId":"~~~~>>>>???","userId":"u","event":"e","writeKey":"` + webKey + `"}`))
	if !strings.Contains(data, "+") {
		t.Fatal("nothing to escape, so this test shows nothing")
	}
	for _, raw := range []string{"data=" + strings.TrimRight(data, "="), "data=" + strings.NewReplacer("+", "-", "/", "_").Replace(data)} {
		g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/track?"+raw, nil))
	}
	g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/track?writeKey="+webKey+"&userId=%zz", nil))
	if got := g.rejected(); len(g.Identity.Calls()) != 2 || got != "track query_invalid" {
		t.Errorf("took %v, rejected %q", g.Identity.Calls(), got)
	}
}

func TestAnImageIsShownAlsoWhenAServiceIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		g.Events.Fail(func(context.Context) error { return status.Error(codes.Unavailable, "away") })
		g.load(t, "/v1/pixel/page", inBase64(`{"writeKey":"`+webKey+`","anonymousId":"a","userId":"u"}`))
		if !strings.Contains(g.log.String(), `"path":"/v1/pixel/page","status":503`) {
			t.Errorf("log: %s", g.log)
		}
	})
}

func TestOnlyAnImageIsLoadedWithGet(t *testing.T) {
	g := open(t)
	check(t, g.post("/v1/pixel/track", webKey, trackCall("m", "")), 405, `'code':'method_not_allowed'`)
	check(t, g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/delete", nil)), 404, `'code':'path_unknown'`)
}
