package grpcapi

import (
	"context"
	"time"

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
	if len(r.GetCalls())+len(r.GetRejections())+len(r.GetFiltered()) > callproto.MaxBatch {
		return nil, toStatus(errTooMany)
	}
	response := &identityv1.RecordCallsResponse{Results: make([]*identityv1.CallResult, len(r.GetCalls()))}
	batch, err := a.toBatch(r, response.GetResults())
	if err != nil {
		return nil, err
	}
	recorded, err := a.store.Record(ctx, r.GetWorkspace(), batch)
	if err != nil {
		return nil, toStatus(err)
	}
	fill(response.GetResults(), recorded.Results)
	invalid := len(batch.Rejections) - len(r.GetRejections())
	for _, repeated := range recorded.Repeated[invalid:] {
		response.Rejections = append(response.Rejections, &identityv1.RejectionResult{Duplicate: repeated})
	}
	a.tail.Publish(r.GetWorkspace(), func() []*identityv1.ReceivedCall { return toReceived(r, &batch, &recorded, response.GetResults()) })
	return response, nil
}

// toBatch translates a request, and fills in the results of the calls that are invalid. Their rejections come before the request's own.
func (a *API) toBatch(r *identityv1.RecordCallsRequest, results []*identityv1.CallResult) (directory.Batch, error) {
	now, settings := a.now(), a.settings(r.GetWorkspace())
	batch := directory.Batch{
		Calls: make([]call.Call, 0, len(r.GetCalls())), ReceivedMS: receivedMS(r, now), KeepFromMS: settings.KeepFromMS(now),
	}
	for i, m := range r.GetCalls() {
		c := callproto.Call(m)
		err := c.Check()
		if err == nil {
			batch.Calls = append(batch.Calls, c)
			continue
		}
		results[i] = &identityv1.CallResult{Outcome: segmentv1.Outcome_OUTCOME_INVALID, Message: err.Error()}
		rejection, err := invalidCall(m, &c, err.Error())
		if err != nil {
			return batch, err
		}
		batch.Rejections = append(batch.Rejections, rejection)
	}
	for i, m := range r.GetRejections() {
		rejection, ok := toRejection(m)
		if !ok {
			return batch, status.Errorf(codes.InvalidArgument, "rejections[%d].fingerprint is not %d bytes", i, len(rejection.Fingerprint))
		}
		batch.Rejections = append(batch.Rejections, rejection)
	}
	for _, m := range r.GetFiltered() {
		batch.Filtered = append(batch.Filtered, toFiltered(m))
	}
	return batch, nil
}

// toFiltered translates a filtered call. It is only counted, so nothing of it has to be valid.
func toFiltered(m *identityv1.FilteredCall) directory.Filtered {
	c := m.GetCall()
	return directory.Filtered{Source: within(c.GetSource(), call.MaxName, ""), Type: call.Type(c.GetType()).String()}
}

// receivedMS returns when a request was received. A gateway whose clock is ahead must not make anything be kept for longer.
func receivedMS(r *identityv1.RecordCallsRequest, now time.Time) int64 {
	if ms := r.GetReceivedMs(); ms > 0 && ms < now.UnixMilli() {
		return ms
	}
	return now.UnixMilli()
}

// fill puts results, in their order, where there are none yet.
func fill(into []*identityv1.CallResult, results []directory.Result) {
	made := make([]identityv1.CallResult, len(results)) // in one piece
	next := 0
	for i := range into {
		if into[i] == nil {
			into[i] = &made[next]
			into[i].Outcome, into[i].TimeMs = segmentv1.Outcome(results[next].Outcome), results[next].TimeMS
			next++
		}
	}
}
