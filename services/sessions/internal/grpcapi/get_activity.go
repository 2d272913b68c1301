package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/activity/activityproto"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
)

// GetActivity implements activityv1.ActivityServiceServer.
func (a *API) GetActivity(ctx context.Context, r *activityv1.GetActivityRequest) (*activityv1.GetActivityResponse, error) {
	query, err := activityproto.Query(r)
	if err != nil {
		return nil, invalid(err.Error())
	}
	activity, err := a.store.Activity(ctx, r.GetWorkspace(), query)
	if err != nil {
		return nil, toStatus(err)
	}
	response, err := activityproto.Response(r, activity)
	return response, toStatus(err)
}
