package query_test

import (
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"
)

// rebuilder is a sessions service that can only be rebuilt.
type rebuilder struct {
	sessionsv1.UnimplementedAdminServiceServer

	rebuild func(ctx context.Context, r *sessionsv1.RebuildSessionsRequest) error
}

func (f rebuilder) RebuildSessions(ctx context.Context, r *sessionsv1.RebuildSessionsRequest) (*sessionsv1.RebuildSessionsResponse, error) {
	return &sessionsv1.RebuildSessionsResponse{Points: 7}, f.rebuild(ctx, r)
}

func (f rebuilder) Register(r grpc.ServiceRegistrar) { sessionsv1.RegisterAdminServiceServer(r, f) }

func (rebuilder) Close() error { return nil }

func TestOnlyTheAdminRebuildsAndSaysWhichWorkspace(t *testing.T) {
	asked := ""
	conn, _ := rpctest.Serve(t, rebuilder{rebuild: func(_ context.Context, r *sessionsv1.RebuildSessionsRequest) error {
		asked = r.GetWorkspace() + " from " + r.GetPageToken()
		return nil
	}})
	url, _ := serve(t, conn, streams.New(1), never)
	for name, c := range map[string]struct {
		token, workspace string
		want             string
		code             connect.Code
	}{
		"the admin":                    {adminToken, "acme", "acme from p", 0},
		"the admin, naming none":       {adminToken, "", "", connect.CodeInvalidArgument},
		"a reader, of his own":         {acmeToken, "acme", "", connect.CodePermissionDenied},
		"a reader, naming none":        {acmeToken, "", "", connect.CodePermissionDenied},
		"somebody with no known token": {"unknown", "acme", "", connect.CodeUnauthenticated},
	} {
		for protocol, client := range clients(t) {
			t.Run(name+" over "+protocol, func(t *testing.T) {
				asked = ""
				admin := sessionsv1connect.NewAdminServiceClient(client.http, url, append(client.options, bearer("Bearer "+c.token))...)
				got, err := admin.RebuildSessions(t.Context(), &sessionsv1.RebuildSessionsRequest{Workspace: c.workspace, PageToken: "p"})
				if asked != c.want || (err == nil) != (c.code == 0) || err != nil && connect.CodeOf(err) != c.code {
					t.Errorf("the service was asked %q; answered %v", asked, err)
				}
				if err == nil && got.GetPoints() != 7 {
					t.Errorf("answered %v", got)
				}
			})
		}
	}
}

func TestARebuildHasAMinuteWhateverTheTimeoutsOfTheServer(t *testing.T) {
	conn, _ := rpctest.Serve(t, rebuilder{rebuild: func(ctx context.Context, _ *sessionsv1.RebuildSessionsRequest) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) < 50*time.Second || time.Until(deadline) > time.Minute {
			t.Errorf("the service has %v", time.Until(deadline))
		}
		select {
		case <-time.After(long):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	url, _ := serve(t, conn, streams.New(1), short)
	atOnce(t, func(c client) error {
		admin := sessionsv1connect.NewAdminServiceClient(c.http, url, append(c.options, bearer("Bearer "+adminToken))...)
		_, err := admin.RebuildSessions(t.Context(), &sessionsv1.RebuildSessionsRequest{Workspace: "acme"})
		return err
	})
}
