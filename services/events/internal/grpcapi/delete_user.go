package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

// DeleteUser implements eventsv1.IngestServiceServer.
func (a *API) DeleteUser(ctx context.Context, r *eventsv1.DeleteUserRequest) (*eventsv1.DeleteUserResponse, error) {
	if err := callproto.CheckDeletion(r); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	removed, more, err := a.store.DeleteUser(ctx, r.GetWorkspace(), r.GetUserId(), r.GetUntilMs())
	if err != nil {
		return nil, toStatus(err)
	}
	return &eventsv1.DeleteUserResponse{Events: removed.Events, Links: removed.Links, More: more}, nil
}
