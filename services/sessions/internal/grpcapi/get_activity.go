package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/activity/activityproto"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
)

// GetActivity implements activityv1.ActivityServiceServer.
func (a *API) GetActivity(ctx context.Context, r *activityv1.GetActivityRequest) (*activityv1.GetActivityResponse, error) {
	return activityproto.Get(ctx, r, a.store.Activity, rpc.Status)
}
