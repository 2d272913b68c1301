package query_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/streams"
	adminv1 "github.com/sojournhq/sojourn/proto/sojourn/admin/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/admin/v1/adminv1connect"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// deleters are the three services, of which sessions takes three steps, and events as long as it is told.
type deleters struct {
	untilMS int64
	steps   int
	events  func(context.Context) error
}

type (
	deletingIdentity struct {
		identityv1.UnimplementedIngestServiceServer
		*deleters
	}
	deletingEvents struct {
		eventsv1.UnimplementedIngestServiceServer
		*deleters
	}
	deletingSessions struct {
		sessionsv1.UnimplementedIngestServiceServer
		*deleters
	}
)

func (d deletingIdentity) DeleteUser(_ context.Context, r *identityv1.DeleteUserRequest) (*identityv1.DeleteUserResponse, error) {
	if r.GetWorkspace() != "acme" || r.GetUserId() != "u" {
		return nil, status.Error(codes.InvalidArgument, "user_id is required")
	}
	d.untilMS = r.GetUntilMs()
	return &identityv1.DeleteUserResponse{Users: 2, Links: 1}, nil
}

func (d deletingEvents) DeleteUser(ctx context.Context, r *eventsv1.DeleteUserRequest) (*eventsv1.DeleteUserResponse, error) {
	if r.GetUntilMs() != d.untilMS {
		return nil, status.Error(codes.Internal, "another time")
	}
	return &eventsv1.DeleteUserResponse{Events: 5}, d.events(ctx)
}

func (d deletingSessions) DeleteUser(_ context.Context, r *sessionsv1.DeleteUserRequest) (*sessionsv1.DeleteUserResponse, error) {
	if r.GetUntilMs() != d.untilMS {
		return nil, status.Error(codes.Internal, "another time")
	}
	d.steps++
	return &sessionsv1.DeleteUserResponse{Points: 10, Sessions: 3, Changes: 1, More: d.steps < 3}, nil
}

func (d *deleters) Register(r grpc.ServiceRegistrar) {
	identityv1.RegisterIngestServiceServer(r, deletingIdentity{deleters: d})
	eventsv1.RegisterIngestServiceServer(r, deletingEvents{deleters: d})
	sessionsv1.RegisterIngestServiceServer(r, deletingSessions{deleters: d})
}

func (*deleters) Close() error { return nil }

func TestADeletionIsDoneInAllServicesToTheEndAndSaysWhatWasRemoved(t *testing.T) {
	d := &deleters{events: func(context.Context) error { return nil }}
	conn, _ := rpctest.Serve(t, d)
	url, _ := serve(t, conn, streams.New(1), never)
	admin := func(token string) adminv1connect.AdminServiceClient {
		return adminv1connect.NewAdminServiceClient(http.DefaultClient, url, bearer("Bearer "+token))
	}
	request := &adminv1.DeleteUserRequest{Workspace: "acme", UserId: "u", Until: timestamppb.New(time.UnixMilli(1_700_000_000_123))}
	removed, err := admin(adminToken).DeleteUser(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	want := &adminv1.DeleteUserResponse{Users: 2, Links: 1, Events: 5, Points: 30, Sessions: 9, Changes: 3}
	if diff := cmp.Diff(want, removed, protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if d.untilMS != 1_700_000_000_123 {
		t.Errorf("up to %d", d.untilMS)
	}
	before := time.Now().UnixMilli()
	if _, err := admin(adminToken).DeleteUser(t.Context(), &adminv1.DeleteUserRequest{Workspace: "acme", UserId: "u"}); err != nil {
		t.Fatal(err)
	}
	if d.untilMS < before || d.untilMS > time.Now().UnixMilli() {
		t.Errorf("without a time up to %d, want now", d.untilMS)
	}
	noTime := &timestamppb.Timestamp{Nanos: -1}
	tomorrow := timestamppb.New(time.Now().Add(24 * time.Hour))
	for name, c := range map[string]struct {
		token   string
		request *adminv1.DeleteUserRequest
		want    connect.Code
	}{
		"a query token":  {acmeToken, request, connect.CodePermissionDenied},
		"no workspace":   {adminToken, &adminv1.DeleteUserRequest{UserId: "u"}, connect.CodeInvalidArgument},
		"no user":        {adminToken, &adminv1.DeleteUserRequest{Workspace: "acme"}, connect.CodeInvalidArgument},
		"the future":     {adminToken, &adminv1.DeleteUserRequest{Workspace: "acme", UserId: "u", Until: tomorrow}, connect.CodeInvalidArgument},
		"no time at all": {adminToken, &adminv1.DeleteUserRequest{Workspace: "acme", UserId: "u", Until: noTime}, connect.CodeInvalidArgument},
	} {
		if _, err := admin(c.token).DeleteUser(t.Context(), c.request); connect.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestADeletionThatIsNotDoneInTimeSaysToAskAgain(t *testing.T) {
	d := &deleters{events: func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	conn, _ := rpctest.Serve(t, d)
	url, _ := serve(t, conn, streams.New(1), never)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+adminv1connect.AdminServiceDeleteUserProcedure,
		strings.NewReader(`{"workspace":"acme","userId":"u"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Connect-Timeout-Ms", "50") // the client itself waits longer
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("answered %s", resp.Status)
	}
}
