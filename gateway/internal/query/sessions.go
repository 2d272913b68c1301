package query

import (
	"context"

	"connectrpc.com/connect"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// sessions answers questions about sessions and time as the sessions service does.
type sessions struct {
	service sessionsv1.QueryServiceClient
}

func (h sessions) GetSession(ctx context.Context, r *sessionsv1.GetSessionRequest) (*sessionsv1.GetSessionResponse, error) {
	return h.service.GetSession(ctx, r)
}

func (h sessions) ListSessions(ctx context.Context, r *sessionsv1.ListSessionsRequest) (*sessionsv1.ListSessionsResponse, error) {
	return h.service.ListSessions(ctx, r)
}

func (h sessions) QueryTime(ctx context.Context, r *sessionsv1.QueryTimeRequest) (*sessionsv1.QueryTimeResponse, error) {
	return h.service.QueryTime(ctx, r)
}

func (h sessions) WatchSessions(
	ctx context.Context, r *sessionsv1.WatchSessionsRequest, to *connect.ServerStream[sessionsv1.WatchSessionsResponse],
) error {
	from, err := h.service.WatchSessions(ctx, r)
	if err != nil {
		return err
	}
	return relay(from, to)
}

// sessionsAdmin passes on what is asked of the sessions service by those who look after it.
type sessionsAdmin struct {
	service sessionsv1.AdminServiceClient
}

func (h sessionsAdmin) RebuildSessions(
	ctx context.Context, r *sessionsv1.RebuildSessionsRequest,
) (*sessionsv1.RebuildSessionsResponse, error) {
	return h.service.RebuildSessions(ctx, r)
}
