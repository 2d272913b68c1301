package query

import (
	"context"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

// events answers questions about usage as the events service does.
type events struct {
	service eventsv1.QueryServiceClient
}

func (h events) ListEvents(ctx context.Context, r *eventsv1.ListEventsRequest) (*eventsv1.ListEventsResponse, error) {
	return h.service.ListEvents(ctx, r)
}

func (h events) QueryUsage(ctx context.Context, r *eventsv1.QueryUsageRequest) (*eventsv1.QueryUsageResponse, error) {
	return h.service.QueryUsage(ctx, r)
}

func (h events) ListModules(ctx context.Context, r *eventsv1.ListModulesRequest) (*eventsv1.ListModulesResponse, error) {
	return h.service.ListModules(ctx, r)
}

func (h events) ListFeatures(ctx context.Context, r *eventsv1.ListFeaturesRequest) (*eventsv1.ListFeaturesResponse, error) {
	return h.service.ListFeatures(ctx, r)
}
