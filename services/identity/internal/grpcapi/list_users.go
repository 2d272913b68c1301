package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// ListUsers implements identityv1.QueryServiceServer.
func (a *API) ListUsers(ctx context.Context, r *identityv1.ListUsersRequest) (*identityv1.ListUsersResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	if r.GetIdsOnly() {
		return a.listUserIDs(ctx, r)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	position, err := page.Position(r, r.GetPageToken(), 2)
	if err != nil {
		return nil, toStatus(err)
	}
	var after directory.UserKey
	if position != nil {
		after = directory.UserKey{UserID: position[0], AccountID: position[1]}
	}
	users, err := a.store.Users(ctx, r.GetWorkspace(), r.AccountId, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListUsersResponse{}
	for i := range users[:min(size, len(users))] {
		response.Users = append(response.Users, toUser(&users[i]))
	}
	if len(users) > size {
		last := users[size-1]
		response.NextPageToken, err = page.Token(r, last.UserID, last.AccountID)
	}
	return response, toStatus(err)
}

// maxIDs is how many ids a page has at most.
const maxIDs = 30_000

// listUserIDs returns a page of the ids of an account's users.
func (a *API) listUserIDs(ctx context.Context, r *identityv1.ListUsersRequest) (*identityv1.ListUsersResponse, error) {
	if r.GetAccountId() == "" {
		return nil, toStatus(errIDsOnly)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	if size == page.MaxSize {
		size = min(int(r.GetPageSize()), maxIDs)
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, toStatus(err)
	}
	after := ""
	if position != nil {
		after = position[0]
	}
	ids, err := a.store.UserIDs(ctx, r.GetWorkspace(), r.GetAccountId(), after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListUsersResponse{}
	users := make([]identityv1.User, min(size, len(ids))) // in one piece
	for i := range users {
		users[i].UserId, users[i].AccountId = ids[i], r.GetAccountId()
		response.Users = append(response.Users, &users[i])
	}
	if len(ids) > size {
		response.NextPageToken, err = page.Token(r, ids[size-1])
	}
	return response, toStatus(err)
}
