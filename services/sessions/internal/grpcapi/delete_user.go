package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// DeleteUser implements sessionsv1.IngestServiceServer.
func (a *API) DeleteUser(ctx context.Context, r *sessionsv1.DeleteUserRequest) (*sessionsv1.DeleteUserResponse, error) {
	if err := callproto.CheckDeletion(r); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	removed, more, err := a.store.DeleteUser(ctx, r.GetWorkspace(), r.GetUserId(), r.GetUntilMs(), a.now().UnixMilli())
	if err != nil {
		return nil, toStatus(err)
	}
	return &sessionsv1.DeleteUserResponse{
		Points: removed.Points, Sessions: removed.Sessions, Changes: removed.Changes, Links: removed.Links, More: more,
	}, nil
}
