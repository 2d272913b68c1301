package query

import (
	"context"

	"connectrpc.com/connect"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// identity answers questions about users, accounts and the books as the identity service does.
type identity struct {
	service identityv1.QueryServiceClient
}

func (h identity) GetUser(ctx context.Context, r *identityv1.GetUserRequest) (*identityv1.GetUserResponse, error) {
	return h.service.GetUser(ctx, r)
}

func (h identity) ListUsers(ctx context.Context, r *identityv1.ListUsersRequest) (*identityv1.ListUsersResponse, error) {
	return h.service.ListUsers(ctx, r)
}

func (h identity) GetAccount(ctx context.Context, r *identityv1.GetAccountRequest) (*identityv1.GetAccountResponse, error) {
	return h.service.GetAccount(ctx, r)
}

func (h identity) ListAccounts(ctx context.Context, r *identityv1.ListAccountsRequest) (*identityv1.ListAccountsResponse, error) {
	return h.service.ListAccounts(ctx, r)
}

func (h identity) ResolveAccount(ctx context.Context, r *identityv1.ResolveAccountRequest) (*identityv1.ResolveAccountResponse, error) {
	return h.service.ResolveAccount(ctx, r)
}

func (h identity) ListUnattributedUsers(
	ctx context.Context, r *identityv1.ListUnattributedUsersRequest,
) (*identityv1.ListUnattributedUsersResponse, error) {
	return h.service.ListUnattributedUsers(ctx, r)
}

func (h identity) ListOutcomes(ctx context.Context, r *identityv1.ListOutcomesRequest) (*identityv1.ListOutcomesResponse, error) {
	return h.service.ListOutcomes(ctx, r)
}

func (h identity) ListRejectedCalls(
	ctx context.Context, r *identityv1.ListRejectedCallsRequest,
) (*identityv1.ListRejectedCallsResponse, error) {
	return h.service.ListRejectedCalls(ctx, r)
}

func (h identity) TailCalls(
	ctx context.Context, r *identityv1.TailCallsRequest, to *connect.ServerStream[identityv1.TailCallsResponse],
) error {
	from, err := h.service.TailCalls(ctx, r)
	if err != nil {
		return err
	}
	return relay(from, to)
}

func (h identity) ListUnmappedTraits(
	ctx context.Context, r *identityv1.ListUnmappedTraitsRequest,
) (*identityv1.ListUnmappedTraitsResponse, error) {
	return h.service.ListUnmappedTraits(ctx, r)
}

func (h identity) GetSettings(ctx context.Context, r *identityv1.GetSettingsRequest) (*identityv1.GetSettingsResponse, error) {
	return h.service.GetSettings(ctx, r)
}

func (h identity) ListWorkspaces(ctx context.Context, r *identityv1.ListWorkspacesRequest) (*identityv1.ListWorkspacesResponse, error) {
	return h.service.ListWorkspaces(ctx, r)
}
