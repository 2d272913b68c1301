package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/day"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// ListModules implements eventsv1.QueryServiceServer.
func (a *API) ListModules(ctx context.Context, r *eventsv1.ListModulesRequest) (*eventsv1.ListModulesResponse, error) {
	query := usage.Query{Days: day.Span{To: day.Max}}
	query.By[usage.ByModule] = true
	rows, next, err := a.usagePage(ctx, r, query)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &eventsv1.ListModulesResponse{NextPageToken: next}
	for _, row := range rows {
		response.Modules = append(response.Modules, &eventsv1.Module{
			Module: row.Module, Uses: row.Uses, FirstUse: stamp(row.FirstMS), LastUse: stamp(row.LastMS),
		})
	}
	return response, nil
}
