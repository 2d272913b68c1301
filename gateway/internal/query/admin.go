package query

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	adminv1 "github.com/sojournhq/sojourn/proto/sojourn/admin/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// admin does what concerns all services.
type admin struct {
	identity identityv1.IngestServiceClient
	events   eventsv1.IngestServiceClient
	sessions sessionsv1.IngestServiceClient
	now      func() time.Time
}

func newAdmin(identity, events, sessions grpc.ClientConnInterface, now func() time.Time) admin {
	return admin{
		identity: identityv1.NewIngestServiceClient(identity),
		events:   eventsv1.NewIngestServiceClient(events),
		sessions: sessionsv1.NewIngestServiceClient(sessions),
		now:      now,
	}
}

// DeleteUser implements adminv1connect.AdminServiceHandler. Identity comes first, as with calls. A deadline leaves off between two steps,
// and what was removed stays removed.
func (h admin) DeleteUser(ctx context.Context, r *adminv1.DeleteUserRequest) (*adminv1.DeleteUserResponse, error) {
	until := h.now()
	if r.GetUntil() != nil {
		if until = r.GetUntil().AsTime(); r.GetUntil().CheckValid() != nil || until.After(h.now()) {
			return nil, status.Error(codes.InvalidArgument, "until is in the future or no time")
		}
	}
	user, ms := r.GetUserId(), until.UnixMilli()
	people, err := h.identity.DeleteUser(ctx, &identityv1.DeleteUserRequest{Workspace: r.GetWorkspace(), UserId: user, UntilMs: ms})
	if err != nil {
		return nil, unfinished(ctx, err)
	}
	removed := &adminv1.DeleteUserResponse{Users: people.GetUsers(), Links: people.GetLinks()}
	for more := true; more; {
		part, err := h.events.DeleteUser(ctx, &eventsv1.DeleteUserRequest{Workspace: r.GetWorkspace(), UserId: user, UntilMs: ms})
		if err != nil {
			return nil, unfinished(ctx, err)
		}
		removed.Events += part.GetEvents()
		more = part.GetMore()
	}
	for more := true; more; {
		part, err := h.sessions.DeleteUser(ctx, &sessionsv1.DeleteUserRequest{Workspace: r.GetWorkspace(), UserId: user, UntilMs: ms})
		if err != nil {
			return nil, unfinished(ctx, err)
		}
		removed.Points += part.GetPoints()
		removed.Sessions += part.GetSessions()
		removed.Changes += part.GetChanges()
		more = part.GetMore()
	}
	return removed, nil
}

// unfinished says that a deadline came before the end. A service may notice it first.
func unfinished(ctx context.Context, err error) error {
	if ctx.Err() != nil || status.Code(err) == codes.DeadlineExceeded {
		return status.Error(codes.Unavailable, "not everything is removed yet, ask again")
	}
	return err
}
