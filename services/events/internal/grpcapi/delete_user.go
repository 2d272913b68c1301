package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

// DeleteUser implements eventsv1.IngestServiceServer.
func (a *API) DeleteUser(ctx context.Context, r *eventsv1.DeleteUserRequest) (*eventsv1.DeleteUserResponse, error) {
	switch {
	case r.GetWorkspace() == "":
		return nil, toStatus(callproto.ErrNoWorkspace)
	case r.GetUserId() == "":
		return nil, invalid("user_id is required")
	case r.GetUntilMs() < 0 || r.GetUntilMs() > call.MaxTimeMS:
		return nil, invalid("until_ms is outside 1970 to 2261")
	}
	removed, more, err := a.store.DeleteUser(ctx, r.GetWorkspace(), r.GetUserId(), r.GetUntilMs())
	if err != nil {
		return nil, toStatus(err)
	}
	return &eventsv1.DeleteUserResponse{Events: removed.Events, Links: removed.Links, More: more}, nil
}
