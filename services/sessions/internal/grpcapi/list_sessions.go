package grpcapi

import (
	"context"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/positionkey"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/page"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// ListSessions implements sessionsv1.QueryServiceServer.
func (a *API) ListSessions(ctx context.Context, r *sessionsv1.ListSessionsRequest) (*sessionsv1.ListSessionsResponse, error) {
	if r.GetWorkspace() == "" {
		return nil, toStatus(callproto.ErrNoWorkspace)
	}
	filter, err := toFilter(r, a.now().UnixMilli())
	if err != nil {
		return nil, err
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	after, err := parsePosition(r)
	if err != nil {
		return nil, toStatus(err)
	}
	views, err := a.store.Sessions(ctx, r.GetWorkspace(), filter, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &sessionsv1.ListSessionsResponse{}
	bytes := 0
	for i := range views[:min(size, len(views))] {
		s := toProto(&views[i])
		if bytes += proto.Size(s); bytes > maxPageBytes && i > 0 {
			break
		}
		response.Sessions = append(response.Sessions, s)
	}
	if n := len(response.GetSessions()); len(views) > n {
		response.NextPageToken, err = pageToken(r, views[n-1].First)
	}
	return response, toStatus(err)
}

// maxPageBytes is where a page ends early, however many rows were asked for: gRPC clients take messages of 4 MiB unless they are told to.
const maxPageBytes = 3 << 20

func toFilter(r *sessionsv1.ListSessionsRequest, nowMS int64) (session.Filter, error) {
	fromMS, toMS, err := callproto.Span(r.GetFrom(), r.GetTo())
	if err != nil {
		return session.Filter{}, invalid(err.Error())
	}
	f := session.Filter{
		AccountID: r.AccountId, UserID: r.UserId, AnonymousID: r.GetAnonymousId(),
		FromMS: fromMS, ToMS: toMS, NowMS: nowMS,
	}
	switch r.GetState() {
	case sessionsv1.SessionState_SESSION_STATE_UNSPECIFIED:
	case sessionsv1.SessionState_SESSION_STATE_ACTIVE, sessionsv1.SessionState_SESSION_STATE_ENDED:
		ended := r.GetState() == sessionsv1.SessionState_SESSION_STATE_ENDED
		f.Ended = &ended
	default:
		return f, invalid("state is unknown")
	}
	return f, nil
}

func pageToken(r *sessionsv1.ListSessionsRequest, last session.First) (string, error) {
	return page.Token(r, last.AnonymousID, string(positionkey.AppendTail(keys.AppendTime(nil, last.Start.TimeMS), last.Start)))
}

func parsePosition(r *sessionsv1.ListSessionsRequest) (*session.First, error) {
	position, err := page.Position(r, r.GetPageToken(), 2)
	if err != nil || position == nil {
		return nil, err
	}
	start := keys.Read([]byte(position[1]))
	ms := start.Time()
	last, err := positionkey.ParseTail(ms, start.Rest())
	if err != nil || start.Err() != nil {
		return nil, page.ErrToken
	}
	return &session.First{AnonymousID: position[0], Start: last}, nil
}

func toProto(v *session.View) *sessionsv1.Session {
	s := &sessionsv1.Session{
		Id:          formatID(v.First.ID()),
		AnonymousId: v.First.AnonymousID,
		UserId:      v.UserID,
		AccountId:   v.AccountID,
		Start:       timestamppb.New(time.UnixMilli(v.First.Start.TimeMS)),
		End:         timestamppb.New(time.UnixMilli(v.EndMS)),
		State:       sessionsv1.SessionState_SESSION_STATE_ACTIVE,
		Duration:    millis(v.DurationMS),
		Active:      millis(v.ActiveMS),
		Events:      v.Points,
		Revision:    v.Revision,

		ModulesOmitted: v.ModulesOmitted,
	}
	if v.Ended {
		s.State = sessionsv1.SessionState_SESSION_STATE_ENDED
	}
	for _, m := range v.Modules {
		s.Modules = append(s.Modules, &sessionsv1.ModuleTime{Module: m.Module, Duration: millis(m.DurationMS), Active: millis(m.ActiveMS)})
	}
	return s
}

func millis(ms int64) *durationpb.Duration {
	return durationpb.New(time.Duration(ms) * time.Millisecond)
}
