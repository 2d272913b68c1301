package grpcapi

import (
	"context"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// ListWorkspaces implements identityv1.QueryServiceServer.
func (a *API) ListWorkspaces(ctx context.Context, _ *identityv1.ListWorkspacesRequest) (*identityv1.ListWorkspacesResponse, error) {
	names, err := a.store.Workspaces(ctx)
	if err != nil {
		return nil, toStatus(err)
	}
	return &identityv1.ListWorkspacesResponse{Workspaces: names}, nil
}
