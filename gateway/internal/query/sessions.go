package query

import (
	"context"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"
)

// sessions answers questions about sessions and time as the sessions service does.
type sessions struct {
	sessionsv1connect.UnimplementedQueryServiceHandler

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
