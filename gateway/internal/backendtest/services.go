package backendtest

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

type identity struct {
	identityv1.UnimplementedIngestServiceServer

	service *Service
}

func (f identity) RecordCalls(ctx context.Context, r *identityv1.RecordCallsRequest) (*identityv1.RecordCallsResponse, error) {
	if err := f.service.enter(ctx, r); err != nil {
		return nil, err
	}
	resp := &identityv1.RecordCallsResponse{}
	for _, c := range r.GetCalls() {
		outcome, first := f.service.settle(r.GetWorkspace(), c)
		resp.Results = append(resp.Results, &identityv1.CallResult{
			Outcome: outcome, TimeMs: first.GetTimeMs(), Message: "as told",
		})
	}
	for _, rejection := range r.GetRejections() {
		resp.Rejections = append(resp.Rejections, &identityv1.RejectionResult{Duplicate: f.service.reject(r.GetWorkspace(), rejection)})
	}
	return resp, nil
}

type events struct {
	eventsv1.UnimplementedIngestServiceServer

	service *Service
}

func (f events) RecordCalls(ctx context.Context, r *eventsv1.RecordCallsRequest) (*eventsv1.RecordCallsResponse, error) {
	results, err := f.service.record(ctx, r)
	return &eventsv1.RecordCallsResponse{Results: results}, err
}

type sessions struct {
	sessionsv1.UnimplementedIngestServiceServer

	service *Service
}

func (f sessions) RecordCalls(ctx context.Context, r *sessionsv1.RecordCallsRequest) (*sessionsv1.RecordCallsResponse, error) {
	results, err := f.service.record(ctx, r)
	return &sessionsv1.RecordCallsResponse{Results: results}, err
}

// watched is a feed on which one change has happened and no other will.
type watched struct {
	sessionsv1.UnimplementedQueryServiceServer
}

func (watched) WatchSessions(_ *sessionsv1.WatchSessionsRequest, to grpc.ServerStreamingServer[sessionsv1.WatchSessionsResponse]) error {
	if err := to.Send(&sessionsv1.WatchSessionsResponse{Cursor: "first"}); err != nil {
		return err
	}
	<-to.Context().Done()
	return to.Context().Err()
}

// request is what the requests of events and sessions have in common.
type request interface {
	proto.Message
	GetWorkspace() string
	GetCalls() []*segmentv1.Call
}

func (s *Service) record(ctx context.Context, r request) ([]*segmentv1.Result, error) {
	if err := s.enter(ctx, r); err != nil {
		return nil, err
	}
	var results []*segmentv1.Result
	for _, c := range r.GetCalls() {
		outcome, _ := s.settle(r.GetWorkspace(), c)
		results = append(results, &segmentv1.Result{Outcome: outcome, Message: "as told"})
	}
	return results, nil
}
