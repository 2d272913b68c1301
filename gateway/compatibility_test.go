package gateway_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

const (
	strictKey  = "strict-key-0000000"
	signedKey  = "signed-key-0000000"
	deletesKey = "deletes-key-000000"
	colonKey   = "jitsu-id-00000:jitsu-secret-00000"
	secret     = "shared-secret-0000"
)

// sending is a request as a client, or Segment, sends it, and what becomes of it.
type sending struct {
	method string // POST if empty
	path   string
	key    string // user name of basic auth, if not empty
	header []string
	body   string
	again  bool // the same is sent once more, and answered alike

	status int    // 200 if 0
	answer string // a part of the body, with single quotes for double ones; the usual one for a status of 200 if empty
	// took is what arrived, as summary writes it, one call after another, and counted what was rejected.
	took, counted string
	// headers are headers of the answer.
	headers map[string]string
	backend func(*backendtest.Backend)
}

// TestCompatibility shows what docs/compatibility.md says. Each case is named in a row there.
func TestCompatibility(t *testing.T) {
	for id, s := range cases() {
		t.Run(id, func(t *testing.T) { s.check(t) })
	}
}

// cases returns all cases by their names.
func cases() map[string]sending {
	all := map[string]sending{}
	for _, part := range []map[string]sending{
		paths(), others(), auth(), bodies(), crossOrigin(), limits(), responses(), rejections(), clients(), forms(), answerCodes(), shapes(), probes(), deletions(),
		values(),
	} {
		for id := range part {
			if _, twice := all[id]; twice {
				panic("two cases are named " + id)
			}
		}
		maps.Copy(all, part)
	}
	return all
}

func (s sending) check(t *testing.T) {
	t.Helper()
	b := backendtest.Start(t)
	if s.backend != nil {
		s.backend(b)
	}
	public := &url.URL{Scheme: "https", Host: "calls.test"}
	g, err := gateway.Open(t.Context(), gateway.Config{PublicURL: public, Workspaces: &workspace.Config{Workspaces: []workspace.Workspace{{
		ID: "acme", QueryTokens: workspace.NewSecrets(queryToken), Sources: []workspace.Source{
			{ID: "web", WriteKeys: workspace.NewSecrets(writeKey)},
			{ID: "strict", WriteKeys: workspace.NewSecrets(strictKey), RequireAnonymousID: true, RequireUserID: true},
			{ID: "signed", WriteKeys: workspace.NewSecrets(signedKey), SharedSecrets: []string{secret}},
			{ID: "jitsu", WriteKeys: workspace.NewSecrets(colonKey)},
			{ID: "deletes", WriteKeys: workspace.NewSecrets(deletesKey), AllowDelete: true},
		},
	}}}}, gateway.Backends{Identity: b.Identity.Conn, Events: b.Events.Conn, Sessions: b.Sessions.Conn}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	for range 1 + map[bool]int{true: 1}[s.again] {
		s.send(t, g.Handler())
	}
	if got := takenBy(b.Sessions, s.again); got != s.took && s.backend == nil {
		t.Errorf("took %q, want %q", got, s.took)
	}
	if got := rejectedBy(b.Identity); got != s.counted {
		t.Errorf("counted %q, want %q", got, s.counted)
	}
}

func (s sending) send(t *testing.T, to http.Handler) {
	t.Helper()
	r := httptest.NewRequest(cmp.Or(s.method, http.MethodPost), s.path, strings.NewReader(s.body))
	if s.key != "" {
		r.SetBasicAuth(s.key, "")
	}
	for i := 0; i < len(s.header); i += 2 {
		r.Header.Add(s.header[i], s.header[i+1])
	}
	w := httptest.NewRecorder()
	to.ServeHTTP(w, r)
	want := strings.ReplaceAll(s.answer, "'", `"`)
	if s.status == 0 && want == "" {
		want = `{"success":true`
	}
	if w.Code != cmp.Or(s.status, http.StatusOK) || !strings.Contains(w.Body.String(), want) {
		t.Errorf("answered %d %s, want %d %s", w.Code, w.Body, cmp.Or(s.status, http.StatusOK), want)
	}
	if w.Code >= http.StatusBadRequest && !strings.HasPrefix(w.Body.String(), `{"message":"`) {
		t.Errorf("an error without a message: %s", w.Body)
	}
	for name, value := range s.headers {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, want %q", name, got, value)
		}
	}
}

// takenBy returns the calls that a service took, copies left out.
func takenBy(s *backendtest.Service, half bool) string {
	var all []string
	for _, c := range s.Calls() {
		all = append(all, summary(c))
	}
	if half {
		all = all[:len(all)/2]
	}
	return strings.Join(all, " | ")
}

// summary returns the type of a call and what it has of user, account, feature, module, previous user and, where it is not of 2026, time.
func summary(c *segmentv1.Call) string {
	parts := []string{strings.ToLower(strings.TrimPrefix(c.GetType().String(), "CALL_TYPE_"))}
	for _, part := range []struct{ name, value string }{
		{"user", c.GetUserId()},
		{"account", c.GetAccountId()},
		{"feature", c.GetFeature()},
		{"module", c.GetModule()},
		{"previous", c.GetPreviousId()},
	} {
		if part.value != "" {
			parts = append(parts, part.name+"="+part.value)
		}
	}
	if at := time.UnixMilli(c.GetTimeMs()).UTC(); at.Year() != 2026 {
		parts = append(parts, "at="+at.Format("2006-01-02T15:04:05.000Z"))
	}
	return strings.Join(parts, " ")
}

func rejectedBy(identity *backendtest.Service) string {
	var all []string
	for _, m := range identity.Requests() {
		for _, x := range m.(*identityv1.RecordCallsRequest).GetRejections() {
			all = append(all, strings.TrimSpace(x.GetType()+" "+x.GetCode()))
		}
	}
	return strings.Join(all, " | ")
}

// members of a call that every type has; more is put in front.
func callOf(more string) string {
	if more != "" {
		more += ","
	}
	return `{` + more + `"messageId":"m","anonymousId":"a","userId":"u","timestamp":"2026-10-01T11:59:00Z"}`
}

// tracked is a track call that says its type.
func tracked() string { return callOf(`"type":"track","event":"E"`) }

const tookTracked = "track user=u feature=E"

// batchOf returns a batch of calls, with more at its top.
func batchOf(more string, calls ...string) string {
	if more != "" {
		more = "," + more
	}
	return `{"batch":[` + strings.Join(calls, ",") + `]` + more + `}`
}

func keyOf(key string) string { return `"writeKey":"` + key + `"` }

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.String()
}

func signature(text string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

func inBase64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// refused is a request that is answered with an error of that code.
func refused(s sending, status int, code string) sending {
	s.status, s.answer = status, fmt.Sprintf("'code':'%s'", code)
	return s
}
