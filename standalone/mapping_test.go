package standalone_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/standalone"
)

// mappable is everything, with a mapping that can be changed.
type mappable struct {
	t      *testing.T
	config atomic.Pointer[workspace.Config]
	suite  *standalone.Suite
	url    string
	away   atomic.Bool // the events service
}

func (m *mappable) Config() *workspace.Config { return m.config.Load() }

// set sets the mapping of the one source, written as in a workspaces file.
func (m *mappable) set(mapping string) {
	m.t.Helper()
	c, err := workspace.Parse([]byte(`
workspaces:
  - id: w
    dimensions: [{name: The.Plan, type: string, from: [group.plan]}]
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        allow_delete: true
        mapping: {` + mapping + `}`))
	if err != nil {
		m.t.Fatal(err)
	}
	m.config.Store(c)
}

func (m *mappable) send(path, body string) (int, string) {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.SetBasicAuth("write-key-000000000000", "")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(text))
}

// missing is a connection to a service that is away when it is told to be.
type missing struct {
	grpc.ClientConnInterface

	away *atomic.Bool
}

func (c missing) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if c.away.Load() {
		return status.Error(codes.Unavailable, "away")
	}
	return c.ClientConnInterface.Invoke(ctx, method, args, reply, opts...)
}

func runMappable(t *testing.T, mapping string) *mappable {
	t.Helper()
	return runIn(t, standalone.Config{Dir: t.TempDir()}, mapping)
}

// runIn is runMappable with a configuration, but for its workspaces.
func runIn(t *testing.T, c standalone.Config, mapping string) *mappable {
	t.Helper()
	m := &mappable{t: t}
	m.set(mapping)
	c.Workspaces = m
	var err error
	if m.suite, err = standalone.Open(t.Context(), c, observe.Discard()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.suite.Close(); err != nil {
			t.Error(err)
		}
	})
	b := m.suite.Backends()
	b.Events = missing{b.Events, &m.away}
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: m}, b, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g.Handler())
	t.Cleanup(server.Close)
	m.url = server.URL
	return m
}

func TestAMappedDimensionIsReadLikeOneOfTraitsAndShowsNowhereElse(t *testing.T) {
	m := runMappable(t, `dimensions: {The.Plan: [context.plan]}`)
	const who = `"anonymousId":"s","userId":"ada","groupId":"acme"`
	for _, body := range []string{
		`{"type":"group","messageId":"2","timestamp":"2026-11-02",` + who + `,"context":{"plan":"gold"},"traits":{"plan":"of a trait"}}`,
		`{"type":"group","messageId":"1","timestamp":"2026-11-01",` + who + `,"context":{"plan":"old"}}`,
		`{"type":"identify","messageId":"3","timestamp":"2026-11-03",` + who + `,"context":{"plan":"of a user"},"traits":{"role":"boss"}}`,
	} {
		if code, answer := m.send("/v1/segment", body); code != http.StatusOK {
			t.Fatalf("answered %d %s", code, answer)
		}
	}
	identity := identityv1.NewQueryServiceClient(m.suite.Backends().Identity)
	check := func(want string) {
		t.Helper()
		got, err := identity.GetAccount(t.Context(), &identityv1.GetAccountRequest{Workspace: "w", AccountId: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		dimensions := []*identityv1.Dimension{{Name: "The.Plan", Value: &identityv1.Dimension_String_{String_: want}}}
		if diff := cmp.Diff(dimensions, got.GetAccount().GetDimensions(), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
	}
	check("gold")
	unmapped, err := identity.ListUnmappedTraits(t.Context(), &identityv1.ListUnmappedTraitsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if len(unmapped.GetTraits()) != 0 {
		t.Errorf("unmapped: %v", unmapped.GetTraits())
	}
	settings, err := identity.GetSettings(t.Context(), &identityv1.GetSettingsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if d := settings.GetSettings().GetDimensions()[0]; !d.GetMapped() || len(d.GetFrom()) != 1 || d.GetFrom()[0] != "group.plan" {
		t.Errorf("settings: %v", d)
	}
	if _, answer := m.send("/v1/group", `{"messageId":"4","timestamp":"2026-11-04",`+who+`,"context":{"plan":null}}`); !strings.Contains(answer, "true") {
		t.Fatal(answer)
	}
	check("of a user")
	m.set(`module: [category]`)
	check("of a trait")
}

func TestARetryUnderAnotherMappingCompletesWhatTheAttemptBeforeItBegan(t *testing.T) {
	m := runMappable(t, `feature: [{path: event}]`)
	const body = `{"messageId":"1","timestamp":"2026-11-02T10:00:00Z","anonymousId":"s","userId":"ada","event":"Export","properties":{"action":"Click"}}`
	m.away.Store(true)
	if code, answer := m.send("/v1/track", body); code != http.StatusServiceUnavailable {
		t.Fatalf("without events answered %d %s", code, answer)
	}
	m.away.Store(false)
	for _, mapping := range []string{`feature: [properties.action]`, `user: [nowhere, {literal: everybody}]`} {
		m.set(mapping)
		if code, answer := m.send("/v1/track", body); code != http.StatusOK || strings.Contains(answer, "message_id_reused") {
			t.Errorf("the retry is answered %d %s", code, answer)
		}
	}
	got, err := eventsv1.NewQueryServiceClient(m.suite.Backends().Events).ListEvents(t.Context(), &eventsv1.ListEventsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	if e := got.GetEvents(); len(e) != 1 || e[0].GetFeature() != "Click" || e[0].GetUserId() != "ada" {
		t.Errorf("events %v, want the one that the first retry completed", e)
	}
}
