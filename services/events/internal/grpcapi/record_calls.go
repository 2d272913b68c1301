package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
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
	a.count(batch.Valid, outcomes)
	for i := range batch.Valid {
		if c := &batch.Valid[i]; c.Type == call.Delete {
			if err := a.deleteWhole(ctx, r.GetWorkspace(), c); err != nil {
				return nil, toStatus(err)
			}
		}
	}
	return &eventsv1.RecordCallsResponse{Results: batch.Results(outcomes)}, nil
}

// deleteWhole deletes the user of a delete call, in as many steps as it takes. What a deadline leaves undone, the call's retry does.
func (a *API) deleteWhole(ctx context.Context, workspace string, c *call.Call) error {
	for more := true; more; {
		var err error
		if _, more, err = a.store.DeleteUser(ctx, workspace, c.UserID, c.TimeMS); err != nil {
			return err
		}
	}
	return nil
}
