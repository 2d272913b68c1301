package ingest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"

	"github.com/sojournhq/sojourn/gateway/internal/ingest"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// told is a line of the log that is for whoever runs Sojourn.
type told struct {
	Level, Msg, Workspace, Source, Code, Reason, Command string
	Count                                                int
}

// told returns the lines of the log that are for whoever runs Sojourn, and empties it.
func (g gate) told(t *testing.T) (all []told) {
	t.Helper()
	for line := range strings.Lines(g.log.String()) {
		var l told
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Count > 0 {
			all = append(all, l)
		}
	}
	g.log.Reset()
	return all
}

func (g gate) expectTold(t *testing.T, want ...told) {
	t.Helper()
	got := g.told(t)
	for i := range got {
		if got[i].Level != "WARN" {
			t.Errorf("level %s, which is not shown by default", got[i].Level)
		}
		got[i].Level = ""
		if i < len(want) && want[i].Reason == "" {
			got[i].Reason = ""
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

const rejectedCalls, droppedCalls, refusedRequests = "calls are rejected", "calls are dropped: other calls came with their messageIds before",
	"requests are refused, and no counters have their calls"

// bad is a call without a time.
func bad(id string) string {
	return strings.Replace(trackCall(id, ""), `"timestamp":"1999-10-01T11:59:00Z",`, "", 1)
}

func TestWhoGetsNothingButRejectionsSeesItInTheTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := open(t)
		batchOf := func(calls ...string) string { return `{"batch":[` + strings.Join(calls, ",") + `]}` }
		g.post("/v1/batch", webKey, batchOf(bad("1"), bad("2"), `7`, bad("3")))
		g.expectTold(t,
			told{
				Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: "timestamp_required", Count: 3,
				Reason:  "originalTimestamp or timestamp is required: when it happened, as 2026-11-01T12:00:00.000Z",
				Command: "sojourn rejected -source web -code timestamp_required",
			},
			told{Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: "call_not_object", Count: 1, Command: "sojourn rejected -source web -code call_not_object"})
		for range 10 {
			g.post("/v1/batch", webKey, batchOf(bad("1"), trackCall("m", ""), bad("2"))) // known to be wrong, and still nothing but that
			time.Sleep(time.Second)
		}
		g.post("/v1/track", otherKey, bad("1"))
		g.expectTold(t, told{
			Msg: rejectedCalls, Workspace: "other", Source: "web", Code: "timestamp_required", Count: 1,
			Command: "sojourn rejected -source web -code timestamp_required",
		})
		time.Sleep(50 * time.Second)
		synctest.Wait()
		g.expectTold(t, told{
			Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: "timestamp_required", Count: 20,
			Command: "sojourn rejected -source web -code timestamp_required",
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		g.expectTold(t)
	})
}

func TestEveryKindOfRejectionIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		path, body, code string
	}{
		"a call":                {"/v1/track", bad("m"), "timestamp_required"},
		"a delete":              {"/v1/delete", trackCall("m", ""), "delete_not_allowed"},
		"a body":                {"/v1/track", `{"a"`, "json_invalid"},
		"a batch":               {"/v1/batch", `{"batch":[]}`, "empty_batch"},
		"one too large":         {"/v1/track", strings.Repeat("x", 3000), "body_too_large"},
		"a type":                {"/v1/segment", `{"type":"erase"}`, "type_unsupported"},
		"what a service refuse": {"/v1/track", trackCall("m", ""), "call_invalid"},
		"a beacon":              {"/beacon/v1/batch", `{"batch":[` + bad("m") + `]}`, "timestamp_required"},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			if c.code == "call_invalid" {
				g.Events.Answer(segmentv1.Outcome_OUTCOME_INVALID)
			}
			g.post(c.path, webKey, c.body)
			g.expectTold(t, told{
				Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: c.code, Count: 1, Command: "sojourn rejected -source web -code " + c.code,
			})
		})
	}
	g := open(t)
	g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/track?data=!&writeKey="+webKey, nil))
	g.expectTold(t, told{
		Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: "data_invalid", Count: 1, Command: "sojourn rejected -source web -code data_invalid",
	})
}

func TestCallsThatAreDroppedForTheirMessageIDAreTold(t *testing.T) {
	g := open(t)
	g.Identity.Answer(segmentv1.Outcome_OUTCOME_CONFLICT)
	g.post("/v1/batch", webKey, `{"batch":[`+trackCall("1", "")+`,`+trackCall("2", "")+`]}`)
	g.expectTold(t, told{
		Msg: droppedCalls, Workspace: "acme", Source: "web", Code: "message_id_reused", Count: 2,
		Command: "sojourn tail -source web -outcome conflict",
	})
}

func TestRequestsThatAreInNoCountersAreToldToo(t *testing.T) {
	for name, c := range map[string]struct {
		path, key, body string
		want            []told
	}{
		"unknown key":                    {"/v1/track", "no-such-key-00000", trackCall("m", ""), []told{{Msg: refusedRequests, Code: "key_unknown", Count: 1}}},
		"no key":                         {"/v1/batch", "", `{"batch":[]}`, []told{{Msg: refusedRequests, Code: "key_unknown", Count: 1}}},
		"a token":                        {"/v1/track", queryToken, trackCall("m", ""), []told{{Msg: refusedRequests, Code: "permission", Count: 1}}},
		"unreadable":                     {"/v1/track", "", `{"a"`, []told{{Msg: refusedRequests, Code: "json_invalid", Count: 1}}},
		"no signature":                   {"/v1/track", "signed-key-0000000", trackCall("m", ""), []told{{Msg: refusedRequests, Workspace: "signed", Source: "web", Code: "signature_required", Count: 1}}},
		"a path that is none":            {"/v1/merge", webKey, trackCall("m", ""), []told{{Msg: refusedRequests, Workspace: "acme", Source: "web", Code: "path_unknown", Count: 1}}},
		"a path, by nobody":              {"/wp-login.php", "", "", nil},
		"a path, by whom we do not know": {"/v1/merge", "no-such-key-00000", "", nil},
		"another method":                 {"/v1/pixel/track", webKey, "", nil},
		"a call that is taken":           {"/v1/track", webKey, trackCall("m", ""), nil},
		"figures of a client":            {"/v1/m", "", "{", nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := open(t)
			config := workspaces()
			config.Workspaces = append(config.Workspaces, workspace.Workspace{ID: "signed", Sources: []workspace.Source{
				{ID: "web", WriteKeys: workspace.NewSecrets("signed-key-0000000"), SharedSecrets: []string{"a-shared-secret-0"}},
			}})
			g.workspaces.Store(config)
			g.post(c.path, c.key, c.body)
			g.expectTold(t, c.want...)
		})
	}
	g := open(t)
	g.do(httptest.NewRequest(http.MethodGet, "/v1/pixel/track?writeKey=no-such-key-00000", nil)) // who sees an image sees no error
	g.expectTold(t, told{Msg: refusedRequests, Code: "key_unknown", Count: 1})
}

func TestWhatIsToBeSentAgainIsNotTold(t *testing.T) {
	g := openWithin(t, limit.Config{Requests: 1})
	g.Identity.Fail(func(context.Context) error { return status.Error(codes.Unavailable, "away") })
	check(t, g.post("/v1/track", webKey, trackCall("m", "")), 503, `'code':'unavailable'`)
	check(t, g.post("/v1/track", webKey, bad("m")), 503, `'code':'unavailable'`)
	g.expectTold(t)
}

func TestLinesNameCommandsThatWorkAndHoldNothingThatWasSent(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*ingest.Config)
		listens *url.URL
		source  string
		want    string
	}{
		"as it comes":            {func(*ingest.Config) {}, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, "web", "sojourn rejected -source web -code json_invalid"},
		"not known where":        {func(*ingest.Config) {}, nil, "web", "sojourn rejected -source web -code json_invalid"},
		"another port":           {func(*ingest.Config) {}, &url.URL{Scheme: "https", Host: "127.0.0.1:8443"}, "web", "sojourn rejected -source web -code json_invalid -url https://127.0.0.1:8443"},
		"IPv6":                   {func(*ingest.Config) {}, &url.URL{Scheme: "http", Host: "[::1]:8080"}, "web", "sojourn rejected -source web -code json_invalid -url 'http://[::1]:8080'"},
		"a public URL":           {func(c *ingest.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "calls.test"} }, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, "web", "sojourn rejected -source web -code json_invalid -url https://calls.test"},
		"another data directory": {func(c *ingest.Config) { c.DataDir = "/srv/so journ's" }, nil, "web", `sojourn rejected -source web -code json_invalid -data '/srv/so journ'\''s'`},
		"a source with a space":  {func(*ingest.Config) {}, nil, "my $(app)", "sojourn rejected -source 'my $(app)' -code json_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			g := openWith(t, c.change)
			if c.listens != nil {
				g.ListensOn(c.listens)
			}
			config := workspaces()
			config.Workspaces[0].Sources[0].ID = c.source
			g.workspaces.Store(config)
			g.post("/v1/track", webKey, `{"secret-name":`)
			if strings.Contains(g.log.String(), "secret") || strings.Contains(g.log.String(), webKey) {
				t.Errorf("the log shows what was sent: %s", g.log)
			}
			g.expectTold(t, told{Msg: rejectedCalls, Workspace: "acme", Source: c.source, Code: "json_invalid", Count: 1, Command: c.want})
		})
	}
}

func TestWhatIsStillToBeToldIsToldInTheEnd(t *testing.T) {
	g := open(t)
	for range 3 {
		g.post("/v1/track", webKey, bad("m"))
	}
	g.told(t)
	g.Close()
	g.expectTold(t, told{
		Msg: rejectedCalls, Workspace: "acme", Source: "web", Code: "timestamp_required", Count: 2,
		Command: "sojourn rejected -source web -code timestamp_required",
	})
}
