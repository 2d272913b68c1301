package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// DeleteUser implements sessionsv1.IngestServiceServer.
func (a *API) DeleteUser(ctx context.Context, r *sessionsv1.DeleteUserRequest) (*sessionsv1.DeleteUserResponse, error) {
	switch {
	case r.GetWorkspace() == "":
		return nil, toStatus(callproto.ErrNoWorkspace)
	case r.GetUserId() == "":
		return nil, invalid("user_id is required")
	case r.GetUntilMs() < 0 || r.GetUntilMs() > call.MaxTimeMS:
		return nil, invalid("until_ms is outside 1970 to 2261")
	}
	removed, more, err := a.store.DeleteUser(ctx, r.GetWorkspace(), r.GetUserId(), r.GetUntilMs(), a.now().UnixMilli())
	if err != nil {
		return nil, toStatus(err)
	}
	return &sessionsv1.DeleteUserResponse{
		Points: removed.Points, Sessions: removed.Sessions, Changes: removed.Changes, Links: removed.Links, More: more,
	}, nil
}
