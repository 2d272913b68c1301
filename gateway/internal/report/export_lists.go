package report

import (
	"context"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

func (s *Reports) exportUsers(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	list, err := s.identity.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: workspace, PageSize: e.size, PageToken: e.token})
	return rowsOf(workspace, list.GetUsers(), userRow), list.GetNextPageToken(), err
}

func (s *Reports) exportAccounts(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	list, err := s.identity.ListAccounts(ctx, &identityv1.ListAccountsRequest{
		Workspace: workspace, IncludeIncomplete: true, PageSize: e.size, PageToken: e.token,
	})
	return rowsOf(workspace, list.GetAccounts(), accountRow), list.GetNextPageToken(), err
}

func (s *Reports) exportSessions(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	list, err := s.sessions.ListSessions(ctx, &sessionsv1.ListSessionsRequest{Workspace: workspace, PageSize: e.size, PageToken: e.token})
	return rowsOf(workspace, list.GetSessions(), sessionRow), list.GetNextPageToken(), err
}

func (s *Reports) exportEvents(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	list, err := s.events.ListEvents(ctx, &eventsv1.ListEventsRequest{Workspace: workspace, PageSize: e.size, PageToken: e.token})
	return rowsOf(workspace, list.GetEvents(), eventRow), list.GetNextPageToken(), err
}

func rowsOf[Item any](workspace string, items []Item, row func(string, Item) tabular.Object) []tabular.Object {
	rows := make([]tabular.Object, 0, len(items))
	for _, item := range items {
		rows = append(rows, row(workspace, item))
	}
	return rows
}
