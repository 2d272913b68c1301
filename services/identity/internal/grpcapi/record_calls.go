package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// RecordCalls implements identityv1.IngestServiceServer.
func (a *API) RecordCalls(ctx context.Context, r *identityv1.RecordCallsRequest) (*identityv1.RecordCallsResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	if len(r.GetCalls())+len(r.GetRejections()) > callproto.MaxBatch {
		return nil, toStatus(errTooMany)
	}
	response := &identityv1.RecordCallsResponse{Results: make([]*identityv1.CallResult, len(r.GetCalls()))}
	batch := directory.Batch{Calls: make([]call.Call, 0, len(r.GetCalls()))}
	for i, m := range r.GetCalls() {
		c := callproto.Call(m)
		err := c.Check()
		if err == nil {
			batch.Calls = append(batch.Calls, c)
			continue
		}
		response.Results[i] = &identityv1.CallResult{Outcome: segmentv1.Outcome_OUTCOME_INVALID, Message: err.Error()}
		rejection, err := invalidCall(m, &c)
		if err != nil {
			return nil, err
		}
		batch.Rejections = append(batch.Rejections, rejection)
	}
	for i, m := range r.GetRejections() {
		rejection, ok := toRejection(m)
		if !ok {
			return nil, status.Errorf(codes.InvalidArgument, "rejections[%d].fingerprint is not %d bytes", i, len(rejection.Fingerprint))
		}
		batch.Rejections = append(batch.Rejections, rejection)
	}
	results, err := a.store.Record(ctx, r.GetWorkspace(), batch)
	if err != nil {
		return nil, toStatus(err)
	}
	fill(response.Results, results)
	return response, nil
}

// fill puts results, in their order, where there are none yet.
func fill(into []*identityv1.CallResult, results []directory.Result) {
	for i := range into {
		if into[i] == nil {
			into[i] = &identityv1.CallResult{Outcome: segmentv1.Outcome(results[0].Outcome), TimeMs: results[0].TimeMS}
			results = results[1:]
		}
	}
}
