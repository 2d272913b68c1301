package rebuild_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone/internal/rebuild"
)

// services knows workspaces "a" and "b", the first of which takes three requests and the second one.
type services struct {
	identityv1.UnimplementedQueryServiceServer
	sessionsv1.UnimplementedAdminServiceServer

	asked []string
	fail  string // the workspace that cannot be rebuilt
}

func (*services) ListWorkspaces(context.Context, *identityv1.ListWorkspacesRequest) (*identityv1.ListWorkspacesResponse, error) {
	return &identityv1.ListWorkspacesResponse{Workspaces: []string{"a", "b"}}, nil
}

func (s *services) RebuildSessions(_ context.Context, r *sessionsv1.RebuildSessionsRequest) (*sessionsv1.RebuildSessionsResponse, error) {
	s.asked = append(s.asked, r.GetWorkspace()+r.GetPageToken())
	if r.GetWorkspace() == s.fail {
		return nil, status.Error(codes.FailedPrecondition, "not now")
	}
	next := map[string]string{"a": "1", "a1": "2"}[r.GetWorkspace()+r.GetPageToken()]
	return &sessionsv1.RebuildSessionsResponse{Points: 100, SessionsChanged: 10, SumsRepaired: 1, NextPageToken: next}, nil
}

func (s *services) Register(r grpc.ServiceRegistrar) {
	identityv1.RegisterQueryServiceServer(r, s)
	sessionsv1.RegisterAdminServiceServer(r, s)
}

func (*services) Close() error { return nil }

func TestEveryPageOfEveryWorkspaceAskedForIsRebuilt(t *testing.T) {
	const (
		a = `workspace "a": 300 points walked, 30 sessions changed, 3 sums repaired` + "\n"
		b = `workspace "b": 100 points walked, 10 sessions changed, 1 sums repaired` + "\n"
	)
	for name, c := range map[string]struct {
		workspace, fail string
		asked           []string
		prints, fails   string
	}{
		"all":                  {"", "", []string{"a", "a1", "a2", "b"}, a + b, ""},
		"one":                  {"b", "", []string{"b"}, b, ""},
		"one that is not":      {"c", "", nil, "", `workspace "c" has never received anything`},
		"until one that fails": {"", "b", []string{"a", "a1", "a2", "b"}, a, `rebuild workspace "b"`},
	} {
		t.Run(name, func(t *testing.T) {
			s := &services{fail: c.fail}
			conn, _ := rpctest.Serve(t, s)
			var out bytes.Buffer
			err := rebuild.Run(t.Context(), rebuild.Services{Identity: conn, Sessions: conn}, c.workspace, &out)
			if (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
				t.Errorf("ended with %v, want %q", err, c.fails)
			}
			if out.String() != c.prints || !slices.Equal(s.asked, c.asked) {
				t.Errorf("printed %s for %v, want %s for %v", out.String(), s.asked, c.prints, c.asked)
			}
		})
	}
}
