package identity_test

import (
	"slices"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

// client talks to a service that serves on a pipe.
type client struct {
	identityv1.IngestServiceClient
	identityv1.QueryServiceClient

	t *testing.T
}

// settings name gold as a tier in workspace w.
func settings() func(string) identity.Settings {
	return identity.SettingsOf(&workspace.Config{Workspaces: []workspace.Workspace{
		{ID: "w", Tiers: []string{"gold"}, LifecycleStages: []string{"live"}},
	}})
}

func open(t *testing.T, dir string, settings func(string) identity.Settings) *identity.Service {
	t.Helper()
	service, err := identity.Open(t.Context(), identity.Config{Dir: dir, Settings: settings}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// serve serves until stop is called or the test ends.
func serve(t *testing.T, service *identity.Service) (c *client, stop func()) {
	t.Helper()
	conn, stop := rpctest.Serve(t, service)
	return &client{identityv1.NewIngestServiceClient(conn), identityv1.NewQueryServiceClient(conn), t}, stop
}

func start(t *testing.T) *client {
	t.Helper()
	c, _ := serve(t, open(t, t.TempDir(), settings()))
	return c
}

func (c *client) record(calls ...*segmentv1.Call) []*identityv1.CallResult {
	c.t.Helper()
	got, err := c.RecordCalls(c.t.Context(), &identityv1.RecordCallsRequest{Workspace: "w", Calls: calls})
	if err != nil {
		c.t.Fatal(err)
	}
	return got.GetResults()
}

// state is everything that queries answer for workspace w, read in pages of a size.
type state struct {
	Users    []*identityv1.User
	Accounts []*identityv1.Account
	Outcomes []*identityv1.OutcomeCount
}

func (c *client) state(size int32) (s state) {
	c.t.Helper()
	ctx := c.t.Context()
	for token := ""; ; {
		page, err := c.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: "w", PageSize: size, PageToken: token})
		if err != nil {
			c.t.Fatal(err)
		}
		s.Users = append(s.Users, page.GetUsers()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	for token := ""; ; {
		page, err := c.ListAccounts(ctx, &identityv1.ListAccountsRequest{
			Workspace: "w", IncludeIncomplete: true, PageSize: size, PageToken: token,
		})
		if err != nil {
			c.t.Fatal(err)
		}
		s.Accounts = append(s.Accounts, page.GetAccounts()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	books, err := c.ListOutcomes(ctx, &identityv1.ListOutcomesRequest{Workspace: "w"})
	if err != nil {
		c.t.Fatal(err)
	}
	s.Outcomes = books.GetOutcomes()
	return s
}

// withoutDuplicates takes out what copies are allowed to change.
func (s state) withoutDuplicates() state {
	s.Outcomes = slices.Clone(s.Outcomes)
	for _, o := range s.Outcomes {
		o.Received -= o.GetDuplicate()
		o.Duplicate = 0
	}
	return s
}

func wantCode(t *testing.T, what string, err error, want codes.Code) {
	t.Helper()
	if got := status.Code(err); got != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}
