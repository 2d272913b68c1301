package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// RecordCalls implements sessionsv1.IngestServiceServer.
func (a *API) RecordCalls(ctx context.Context, r *sessionsv1.RecordCallsRequest) (*sessionsv1.RecordCallsResponse, error) {
	batch, err := callproto.NewBatch(r.GetWorkspace(), r.GetCalls())
	if err != nil {
		return nil, toStatus(err)
	}
	outcomes, err := a.store.Record(ctx, r.GetWorkspace(), batch.Valid)
	if err != nil {
		return nil, toStatus(err)
	}
	return &sessionsv1.RecordCallsResponse{Results: batch.Results(outcomes)}, nil
}
