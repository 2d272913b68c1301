package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/page"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// RebuildSessions implements sessionsv1.AdminServiceServer.
func (a *API) RebuildSessions(ctx context.Context, r *sessionsv1.RebuildSessionsRequest) (*sessionsv1.RebuildSessionsResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, toStatus(err)
	}
	var from []byte
	if position != nil {
		from = []byte(position[0])
	}
	done, next, err := a.store.Rebuild(ctx, r.GetWorkspace(), from)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &sessionsv1.RebuildSessionsResponse{
		Points: done.Points, SessionsChanged: done.SessionsChanged, SumsRepaired: done.SumsRepaired,
	}
	if next != nil {
		response.NextPageToken, err = page.Token(r, string(next))
	}
	return response, toStatus(err)
}
