package ingest_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

func TestEveryRefusalHasItsStatusAndCode(t *testing.T) {
	good, big := trackCall("m", ""), `{"x":"`+strings.Repeat("x", 2000)+`"}`
	for name, c := range map[string]struct {
		path, body string
		status     int
		code       string
		counted    string // as type and code in the books, or nothing
	}{
		"invalid call": {
			"/v1/identify", strings.Replace(good, "userId", "userid", 1), 400, "user_id_required", "identify user_id_required",
		},
		"unreadable call":             {"/v1/track", `{"type":`, 400, "json_invalid", "track json_invalid"},
		"empty body":                  {"/v1/track", ``, 400, "json_invalid", "track json_invalid"},
		"array for a call":            {"/v1/track", `[` + good + `]`, 400, "call_not_object", "track call_not_object"},
		"no type":                     {"/v1/segment", `{}`, 400, "type_required", " type_required"},
		"type not supported":          {"/v1/segment", `{"type":"erase","userId":"u"}`, 501, "type_unsupported", "erase type_unsupported"},
		"call too large":              {"/v1/track", big, 413, "body_too_large", "track body_too_large"},
		"call too large, type inside": {"/v1/segment", big, 413, "call_too_large", " call_too_large"},
		"batch too large":             {"/v1/batch", `{"batch":[` + strings.Repeat(" ", 6000) + `]}`, 413, "body_too_large", " body_too_large"},
		"unreadable batch":            {"/v1/batch", `{"batch":[` + good, 400, "json_invalid", " json_invalid"},
		"empty batch":                 {"/v1/batch", `{"batch":[]}`, 400, "empty_batch", " empty_batch"},
		"no batch":                    {"/v1/import", `{}`, 400, "empty_batch", " empty_batch"},
		"empty array":                 {"/v1/segment", `[]`, 400, "empty_batch", " empty_batch"},
		"unknown path":                {"/v1/merge", good, 404, "path_unknown", ""},
		"path in other case":          {"/v1/Track", good, 404, "path_unknown", ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			w := g.post(c.path, webKey, c.body)
			check(t, w, c.status, `'code':'`+c.code+`'}`)
			if !strings.HasPrefix(w.Body.String(), `{"message":"`) {
				t.Errorf("no message first: %s", w.Body)
			}
			var counted []string
			for _, m := range g.Identity.Requests() {
				r := m.(*identityv1.RecordCallsRequest)
				for _, x := range r.GetRejections() {
					counted = append(counted, x.GetType()+" "+x.GetCode())
					if len(x.GetFingerprint()) != 16 || x.GetSource() != "web" || r.GetWorkspace() != "acme" {
						t.Errorf("counted as %v in %s", x, r.GetWorkspace())
					}
				}
			}
			if got := strings.Join(counted, ", "); got != c.counted {
				t.Errorf("counted as %q, want %q", got, c.counted)
			}
			if n := len(g.Events.Requests()) + len(g.Sessions.Requests()); n != 0 {
				t.Errorf("events and sessions heard of it %d times", n)
			}
		})
	}
}

func TestOnlyPostIsAllowed(t *testing.T) {
	g := open(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead} {
		r := httptest.NewRequestWithContext(t.Context(), method, "/v1/batch", strings.NewReader("{}"))
		r.SetBasicAuth(webKey, "")
		w := g.do(r)
		check(t, w, 405, `'code':'method_not_allowed'`)
		if got := w.Header().Get("Allow"); got != "POST, OPTIONS" {
			t.Errorf("%s: Allow %q", method, got)
		}
	}
}

func TestABodyThatBreaksOffIsToBeSentAgain(t *testing.T) {
	g := open(t)
	body := io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(errors.New("connection reset")))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", body)
	r.SetBasicAuth(webKey, "")
	check(t, g.do(r), 503, `'code':'body_incomplete'`)
	if n := len(g.Identity.Requests()); n != 0 {
		t.Errorf("counted %d times", n)
	}
}

func TestATooLargeBodyIsCountedWhenItsKeyStandsInFront(t *testing.T) {
	g := open(t)
	long := strings.Repeat("x", 3000)
	check(t, g.post("/v1/track", "", `{"writeKey":"`+webKey+`","x":"`+long+`"}`), 413, `'code':'body_too_large'`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Errorf("with the key in front counted %d times", n)
	}
	check(t, g.post("/v1/track", "", `{"x":"`+long+`","writeKey":"`+webKey+`"}`), 413, `'code':'body_too_large'`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Error("with the key behind counted for somebody")
	}
}

func TestAnUnreadableBodyWithoutAKeyIsAnsweredByWhatIsWrongWithTheBody(t *testing.T) {
	g := open(t)
	check(t, g.post("/v1/track", "", `{"type":`), 400, `'code':'json_invalid'`)
	check(t, g.post("/v1/batch", "", `{"writeKey":"`+webKey+`","batch":[`), 400, `'code':'json_invalid'`)
	if n := len(g.Identity.Requests()); n != 1 {
		t.Errorf("%d counted, want the one with the key", n)
	}
}

func TestAnUnreadableBodyIsCountedForTheKeyThatStandsBehindTheDamage(t *testing.T) {
	for path, body := range map[string]string{
		"/v1/track":        `{"properties":{"x":undefined},"writeKey":"` + webKey + `"}`,
		"/v1/batch":        `{"batch":[{"x":undefined,"writeKey":"` + otherKey + `"}],"writeKey":"` + webKey + `"`,
		"/v1/segment":      `{"a":,"writeKey":"` + webKey + `"}`,
		"/api/s/event":     "{\"a\":\"line\none\",\"writeKey\":\"" + webKey + "\"}",
		"/beacon/v1/batch": `{"batch":[undefined],"writeKey":"` + webKey + `"`,
	} {
		g := open(t)
		w := g.post(path, "", body)
		if w.Code != 400 && w.Code != 200 {
			t.Errorf("%s: answered %d %s", path, w.Code, w.Body)
		}
		told := g.Identity.Requests()
		if len(told) != 1 {
			t.Fatalf("%s: counted %d times", path, len(told))
		}
		of := told[0].(*identityv1.RecordCallsRequest)
		if of.GetWorkspace() != "acme" || len(of.GetRejections()) != 1 || of.GetRejections()[0].GetSource() != "web" {
			t.Errorf("%s: counted as %v", path, of)
		}
		if kept := string(of.GetRejections()[0].GetBody()); strings.Contains(kept, webKey) || strings.Contains(kept, otherKey) {
			t.Errorf("%s: a key is kept: %s", path, kept)
		}
	}
}

func TestOneBadCallOfABatchCostsOnlyItself(t *testing.T) {
	g := open(t)
	body := `{"batch":[` + trackCall("m0", "") + `,{"messageId":"m1","type":"track"},7,` +
		trackCall("m3", `"type":"group",`) + `,{"messageId":"m4","type":"erase"},` +
		trackCall("m5", `"x":"`+strings.Repeat("x", 2000)+`",`) + `,` + trackCall("m6", `"groupId":"null",`) + `]}`
	check(t, g.post("/v1/batch", webKey, body), 200, `{'success':true,'accepted':2,'rejected':[`+
		`{'index':1,'messageId':'m1','code':'timestamp_required','message':'originalTimestamp or timestamp is required: `+
		`when it happened, as 2026-11-01T12:00:00.000Z'},`+
		`{'index':2,'messageId':'','code':'call_not_object','message':'the call is not a JSON object'},`+
		`{'index':3,'messageId':'m3','code':'json_duplicate_key','message':'type stands twice: send it once'},`+
		`{'index':4,'messageId':'m4','code':'type_unsupported','message':'type is not supported: `+
		`send track, identify, group, page, screen, alias or delete'},`+
		`{'index':5,'messageId':'m5','code':'call_too_large','message':'the call is longer than 2000 bytes: send less in it, or split it'}],`+
		`'warnings':[{'index':6,'code':'group_id_absent','message':'groupId holds a placeholder and was taken as absent: `+
		`leave it out or send the id','field':'groupId'}]}`)
	var ids []string
	for _, c := range g.Sessions.Calls() {
		ids = append(ids, c.GetMessageId())
	}
	if diff := cmp.Diff([]string{"m0", "m6"}, ids); diff != "" {
		t.Error(diff)
	}
	if n := len(g.Identity.Requests()); n != 1 {
		t.Errorf("identity was asked %d times", n)
	}
}

func TestABatchOfWhichEveryCallWasRejectedIsNoSuccessAndStillAnswered200(t *testing.T) {
	bad := `{'index':0,'messageId':'','code':'call_not_object','message':'the call is not a JSON object'}`
	for path, body := range map[string]string{
		"/v1/import": `{"batch":[1]}`, "/v1/batch": `{"batch":[1]}`, "/v1/segment": `[1]`, "/b": `[1]`,
	} {
		g := open(t)
		check(t, g.post(path, webKey, body), 200, `{'success':false,'accepted':0,'rejected':[`+bad+`]}`)
		check(t, g.post(path, webKey, body), 200, `{'success':false,'accepted':0,'rejected':[`+bad+`]}`)
	}
}

func TestABatchOfWhichOneCallWasTakenIsASuccess(t *testing.T) {
	for name, outcome := range map[string]segmentv1.Outcome{
		"accepted":                     segmentv1.Outcome_OUTCOME_ACCEPTED,
		"duplicate":                    segmentv1.Outcome_OUTCOME_DUPLICATE,
		"duplicate with its messageId": segmentv1.Outcome_OUTCOME_CONFLICT,
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			g.Identity.Answer(outcome)
			check(t, g.post("/v1/batch", webKey, `{"batch":[1,`+trackCall("m", "")+`]}`), 200, `'success':true,'accepted':1,'rejected':[{'index':0,`)
			check(t, g.post("/v1/batch", webKey, `{"batch":[`+trackCall("m", "")+`]}`), 200, `'success':true,'accepted':1,'rejected':[]`)
		})
	}
}

func TestAnArrayOfCallsIsABatch(t *testing.T) {
	g := open(t)
	for _, path := range []string{"/v1/segment", "/v1/batch"} {
		check(t, g.post(path, webKey, `[`+trackCall(path, "")+`]`), 200, `{'success':true,'accepted':1,'rejected':[]}`)
	}
}

func TestABatchSaysForAllItsCallsWhenItWasSentAndForWhichAccount(t *testing.T) {
	g := open(t)
	w := g.post("/v1/batch", "", `{"batch":[`+trackCall("m0", "")+`],"context":{"groupId":"acme inc"},"writeKey":"`+webKey+`",`+
		`"sentAt":"1999-10-01T12:00:00Z"}`)
	if !strings.Contains(w.Body.String(), `"warnings":[{"index":0,"code":"time_corrected"`) {
		t.Errorf("answered %s", w.Body)
	}
	c := g.Identity.Calls()[0]
	if c.GetAccountId() != "acme inc" || c.GetTimeMs() <= c.GetOriginalTimeMs() {
		t.Errorf("account %q, time %d, own %d", c.GetAccountId(), c.GetTimeMs(), c.GetOriginalTimeMs())
	}
}
