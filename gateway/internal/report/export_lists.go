package report

import (
	"context"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// exportUsers reads a page of users. It has fewer rows where some were not last seen on the days.
func (s *Reports) exportUsers(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	list, err := s.identity.ListUsers(ctx, &identityv1.ListUsersRequest{
		Workspace: workspace, AccountId: e.account(), PageSize: e.size, PageToken: e.token,
	})
	users := list.GetUsers()
	if !e.allDays() {
		users = slices.DeleteFunc(users, func(u *identityv1.User) bool {
			return u.GetLastSeen() == nil || !e.days.Contains(day.Of(u.GetLastSeen().AsTime().UnixMilli()))
		})
	}
	return rowsOf(workspace, users, userRow), list.GetNextPageToken(), err
}

func (s *Reports) exportSessions(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	from, to := e.times()
	list, err := s.sessions.ListSessions(ctx, &sessionsv1.ListSessionsRequest{
		Workspace: workspace, AccountId: e.account(), From: from, To: to, PageSize: e.size, PageToken: e.token,
	})
	return rowsOf(workspace, list.GetSessions(), sessionRow), list.GetNextPageToken(), err
}

func (s *Reports) exportEvents(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	from, to := e.times()
	list, err := s.events.ListEvents(ctx, &eventsv1.ListEventsRequest{
		Workspace: workspace, AccountId: e.account(), From: from, To: to, PageSize: e.size, PageToken: e.token,
	})
	return rowsOf(workspace, list.GetEvents(), eventRow), list.GetNextPageToken(), err
}

func rowsOf[Item any](workspace string, items []Item, row func(string, Item) tabular.Object) []tabular.Object {
	rows := make([]tabular.Object, 0, len(items))
	for _, item := range items {
		rows = append(rows, row(workspace, item))
	}
	return rows
}
