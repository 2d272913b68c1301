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
