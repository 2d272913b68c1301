package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/day"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// ListFeatures implements eventsv1.QueryServiceServer.
func (a *API) ListFeatures(ctx context.Context, r *eventsv1.ListFeaturesRequest) (*eventsv1.ListFeaturesResponse, error) {
	query := usage.Query{Days: day.Span{To: day.Max}, Module: r.Module}
	query.By[usage.ByModule], query.By[usage.ByFeature] = true, true
	rows, next, err := a.usagePage(ctx, r, query)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &eventsv1.ListFeaturesResponse{NextPageToken: next}
	for _, row := range rows {
		response.Features = append(response.Features, &eventsv1.Feature{
			Module: row.Module, Feature: row.Feature, Uses: row.Uses, FirstUse: stamp(row.FirstMS), LastUse: stamp(row.LastMS),
		})
	}
	return response, nil
}
