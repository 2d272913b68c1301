package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// DeleteUser implements identityv1.IngestServiceServer.
func (a *API) DeleteUser(ctx context.Context, r *identityv1.DeleteUserRequest) (*identityv1.DeleteUserResponse, error) {
	if err := callproto.CheckDeletion(r); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	removed, err := a.store.DeleteUser(ctx, r.GetWorkspace(), r.GetUserId(), r.GetUntilMs())
	if err != nil {
		return nil, toStatus(err)
	}
	return &identityv1.DeleteUserResponse{Users: removed.Users, Links: removed.Links}, nil
}
