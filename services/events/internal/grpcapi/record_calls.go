package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

// RecordCalls implements eventsv1.IngestServiceServer.
func (a *API) RecordCalls(ctx context.Context, r *eventsv1.RecordCallsRequest) (*eventsv1.RecordCallsResponse, error) {
	batch, err := callproto.NewBatch(r.GetWorkspace(), r.GetCalls())
	if err != nil {
		return nil, toStatus(err)
	}
	outcomes, err := a.store.Record(ctx, r.GetWorkspace(), batch.Valid)
	if err != nil {
		return nil, toStatus(err)
	}
	return &eventsv1.RecordCallsResponse{Results: batch.Results(outcomes)}, nil
}
