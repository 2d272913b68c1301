package grpcapi

import (
	"context"
	"strconv"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/page"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// ListEvents implements eventsv1.QueryServiceServer.
func (a *API) ListEvents(ctx context.Context, r *eventsv1.ListEventsRequest) (*eventsv1.ListEventsResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	fromMS, toMS, err := callproto.Span(r.GetFrom(), r.GetTo())
	if err != nil {
		return nil, invalid(err.Error())
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	after, err := parsePosition(r)
	if err != nil {
		return nil, toStatus(err)
	}
	events, err := a.store.Events(ctx, r.GetWorkspace(), usage.Filter{
		AccountID: r.AccountId, UserID: r.UserId, Module: r.Module, Feature: r.Feature, FromMS: fromMS, ToMS: toMS,
	}, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &eventsv1.ListEventsResponse{}
	for i := range events[:min(size, len(events))] {
		response.Events = append(response.Events, toEvent(&events[i]))
	}
	if len(events) > size {
		last := events[size-1]
		response.NextPageToken, err = page.Token(r,
			strconv.FormatInt(last.TimeMS, 10), last.MessageID, strconv.FormatInt(last.OriginalMS, 10))
	}
	return response, toStatus(err)
}

func parsePosition(r *eventsv1.ListEventsRequest) (*call.Position, error) {
	position, err := page.Position(r, r.GetPageToken(), 3)
	if err != nil || position == nil {
		return nil, err
	}
	timeMS, err := strconv.ParseInt(position[0], 10, 64)
	if err != nil || timeMS < 0 || timeMS > call.MaxTimeMS {
		return nil, page.ErrToken
	}
	originalMS, err := strconv.ParseInt(position[2], 10, 64)
	if err != nil {
		return nil, page.ErrToken
	}
	return &call.Position{TimeMS: timeMS, MessageID: position[1], OriginalMS: originalMS}, nil
}

func toEvent(e *usage.Event) *eventsv1.Event {
	return &eventsv1.Event{
		Time:      stamp(e.TimeMS),
		MessageId: e.MessageID,
		Feature:   e.Feature,
		Module:    e.Module,
		UserId:    e.UserID,
		AccountId: e.AccountID,
	}
}
