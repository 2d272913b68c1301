package ingest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/backendtest"
	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/ingest"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

const (
	webKey   = "web-key-0000000000"
	newKey   = "web-key-1111111111"
	looseKey = "loose-key-00000000"
	otherKey = "other-key-00000000"

	queryToken = "query-token-000000"
	adminToken = "admin-token-000000"
)

func workspaces() *workspace.Config {
	return &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{
		{ID: "acme", QueryTokens: workspace.NewSecrets(queryToken), Sources: []workspace.Source{
			{ID: "web", WriteKeys: workspace.NewSecrets(webKey, newKey), RequireAnonymousID: true, RequireUserID: true},
			{ID: "loose", WriteKeys: workspace.NewSecrets(looseKey), AbsentIDs: []string{"guest"}},
		}},
		{ID: "other", Sources: []workspace.Source{{ID: "web", WriteKeys: workspace.NewSecrets(otherKey)}}},
	}}
}

// changing is a configuration that a test changes.
type changing struct {
	atomic.Pointer[workspace.Config]
}

func (c *changing) Config() *workspace.Config { return c.Load() }

// gate is a door with what stands behind it.
type gate struct {
	http.Handler
	*ingest.Door
	*backendtest.Backend

	workspaces *changing

	metrics *prometheus.Registry
	log     *written
}

// written is what was written to the log, by whatever goroutine.
type written struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.text.Write(p)
}

func (w *written) String() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.text.String()
}

// Reset forgets what was written.
func (w *written) Reset() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.text.Reset()
}

// open opens a door to services that work. Its bodies may be 2,000 bytes for a call, 6,000 for a batch and 9,000 for a
// delivery.
func open(t *testing.T) gate {
	t.Helper()
	return openWith(t, func(*ingest.Config) {})
}

// openWithin opens a door that takes on no more than c says.
func openWithin(t *testing.T, c limit.Config) gate {
	return openWithLimits(t, c, func(*ingest.Config) {})
}

// openWith opens a door as open does, but with what change makes of its configuration.
func openWith(t *testing.T, change func(*ingest.Config)) gate {
	return openWithLimits(t, limit.Config{}, change)
}

func openWithLimits(t *testing.T, c limit.Config, change func(*ingest.Config)) gate {
	t.Helper()
	g := gate{Backend: backendtest.Start(t), workspaces: &changing{}, metrics: prometheus.NewRegistry(), log: &written{}}
	g.workspaces.Store(workspaces())
	limits, err := limit.New(c, g.metrics)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	config := ingest.Config{
		Workspaces: g.workspaces, MaxCallBytes: 2000, MaxBatchBytes: 6000, MaxDeliveryBytes: 9000, Deadline: 4 * time.Second, Limits: limits,
	}
	change(&config)
	door, err := ingest.New(config, fanout.New(g.Identity.Conn, g.Events.Conn, g.Sessions.Conn), observe.Deps{
		Log:     slog.New(slog.NewJSONHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Metrics: g.metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	door.Register(mux)
	g.Handler, g.Door = mux, door
	return g
}

// post sends body with key as the user name of basic auth, or with no auth if key is empty.
func (g gate) post(path, key, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	if key != "" {
		r.SetBasicAuth(key, "")
	}
	return g.do(r)
}

func (g gate) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

// check compares an answer; body is the JSON wanted, with single quotes for double ones, or a part of it if it does not start with {.
func check(t *testing.T, w *httptest.ResponseRecorder, status int, body string) {
	t.Helper()
	want, got := strings.ReplaceAll(body, "'", `"`), strings.TrimSuffix(w.Body.String(), "\n")
	if w.Code != status || got != want && (strings.HasPrefix(want, "{") || !strings.Contains(got, want)) {
		t.Errorf("answered %d %s, want %d %s", w.Code, got, status, want)
	}
	if contentType := w.Header().Get("Content-Type"); contentType != "application/json" {
		t.Errorf("content type %q", contentType)
	}
	retry := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if got := w.Header().Get("Retry-After"); (got != "") != retry {
		t.Errorf("Retry-After %q with status %d", got, status)
	}
}

// trackCall returns a good track call with that messageId; more is put in front of its members. It is older than the clock of synctest.
func trackCall(messageID, more string) string {
	return `{` + more + `"type":"track","messageId":"` + messageID + `","anonymousId":"secret-anon","userId":"secret-user",` +
		`"timestamp":"1999-10-01T11:59:00Z","event":"secret-event","properties":{"module":"secret-module"}}`
}

func TestTheWriteKeyIsTakenFromBasicAuthOrTheBody(t *testing.T) {
	basic := func(s string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(s)) }
	key := func(k string) string { return `"writeKey":"` + k + `",` }
	for name, c := range map[string]struct {
		header, inBody string
		status         int
		workspace      string
	}{
		"basic with colon":            {basic(webKey + ":"), "", 200, "acme"},
		"basic without colon":         {basic(webKey), "", 200, "acme"},
		"basic with a password":       {basic(webKey + ":x"), "", 200, "acme"},
		"scheme in lower case":        {"basic " + strings.TrimPrefix(basic(webKey+":"), "Basic "), "", 200, "acme"},
		"second key of the source":    {basic(newKey + ":"), "", 200, "acme"},
		"another workspace":           {basic(otherKey + ":"), "", 200, "other"},
		"in the body":                 {"", key(webKey), 200, "acme"},
		"in the body, beside a token": {"Bearer abc", key(webKey), 200, "acme"},
		"both, the header counts":     {basic(otherKey + ":"), key(webKey), 200, "other"},
		"none":                        {"", "", 401, ""},
		"unknown":                     {basic("no-such-key:"), "", 401, ""},
		"unknown, good in the body":   {basic("no-such-key:"), key(webKey), 401, ""},
		"no base64":                   {"Basic " + webKey, key(webKey), 401, ""},
		"empty":                       {basic(":"), "", 401, ""},
		"unknown in the body":         {"", key("no-such-key"), 401, ""},
		"in other case":               {"", key(strings.ToUpper(webKey)), 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/track", strings.NewReader(trackCall("m", c.inBody)))
			r.Header.Set("Authorization", c.header)
			r.Header.Set("Content-Type", "text/plain")
			w := g.do(r)
			if c.status == http.StatusOK {
				check(t, w, 200, `{'success':true}`)
			} else {
				check(t, w, c.status, `'code':'key_unknown'`)
			}
			if strings.Contains(w.Body.String(), "key-") {
				t.Errorf("the answer shows a key: %s", w.Body)
			}
			var got string
			for _, request := range g.Identity.Requests() {
				got = request.(interface{ GetWorkspace() string }).GetWorkspace()
			}
			if got != c.workspace {
				t.Errorf("written to workspace %q, want %q", got, c.workspace)
			}
		})
	}
}

func TestASourceHasTheRulesThatItsConfigurationSays(t *testing.T) {
	g := open(t)
	call := `{"type":"page","timestamp":"1999-10-01T11:59:00Z","name":"Home"`
	check(t, g.post("/v1/page", webKey, call+`}`), 400, `require_user_id`)
	check(t, g.post("/v1/page", looseKey, call+`}`), 200, `'success':true,'warnings':[{'code':'user_id_absent'`)
	check(t, g.post("/v1/page", looseKey, call+`,"userId":"guest"}`), 200, `'warnings':[{'code':'user_id_absent'`)
	check(t, g.post("/v1/page", looseKey, call+`,"userId":"undefined"}`), 200, `'warnings':[{'code':'anonymous_id_absent'`)
}

func TestKeysAndRulesAreThoseOfTheConfigurationOfNow(t *testing.T) {
	g := open(t)
	call := `{"type":"page","timestamp":"1999-10-01T11:59:00Z","name":"Home"`
	check(t, g.post("/v1/page", looseKey, call+`}`), 200, `'success':true,`)
	check(t, g.post("/v1/page", "added-key-00000000", call+`}`), 401, `key_unknown`)
	next := workspaces()
	next.Workspaces[0].Sources[0].WriteKeys = workspace.NewSecrets(webKey, "added-key-00000000")
	next.Workspaces[0].Sources[1].RequireUserID = true
	g.workspaces.Store(next)
	check(t, g.post("/v1/page", newKey, call+`}`), 401, `key_unknown`)
	check(t, g.post("/v1/page", "", call+`,"writeKey":"`+newKey+`"}`), 401, `key_unknown`)
	check(t, g.post("/v1/track", "added-key-00000000", trackCall("m", "")), 200, `{'success':true}`)
	check(t, g.post("/v1/page", looseKey, call+`}`), 400, `require_user_id`)
}

func TestNoLogLineHoldsKeysOrCustomerData(t *testing.T) {
	g := open(t)
	g.post("/v1/track", webKey, trackCall("secret-message", ""))
	g.post("/v1/track", "secret-key-0000000", trackCall("secret-message", ""))
	g.post("/v1/batch", webKey, `{"batch":[`+trackCall("secret-message", "")+`,{"secret-name":"secret"}]}`)
	g.post("/secret-path?secret=1", webKey, `{"secret":`)
	text := g.log.String()
	if n := strings.Count(text, `"msg":"request"`); n != 4 {
		t.Errorf("%d lines for 4 requests:\n%s", n, text)
	}
	for _, want := range []string{
		`"path":"/v1/batch"`, `"workspace":"acme"`, `"source":"web"`, `"rejected":1`, `"duplicate":1`, `"status":401`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no line has %s:\n%s", want, text)
		}
	}
	for _, secret := range []string{"secret", webKey} {
		if strings.Contains(text, secret) {
			t.Errorf("a line has %q:\n%s", secret, text)
		}
	}
}
