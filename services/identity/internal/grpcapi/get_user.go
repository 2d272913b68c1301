package grpcapi

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// GetUser implements identityv1.QueryServiceServer.
func (a *API) GetUser(ctx context.Context, r *identityv1.GetUserRequest) (*identityv1.GetUserResponse, error) {
	if err := required(r.GetWorkspace(), r.GetUserId(), errNoUser); err != nil {
		return nil, toStatus(err)
	}
	listed, err := a.store.User(ctx, r.GetWorkspace(), r.GetUserId())
	if err != nil {
		return nil, toStatus(err)
	}
	if r.AccountId == nil && len(listed) > 1 {
		return nil, status.Error(codes.FailedPrecondition, "the user is listed under several accounts: account_id is required")
	}
	for i := range listed {
		if r.AccountId == nil || listed[i].AccountID == r.GetAccountId() {
			return &identityv1.GetUserResponse{User: toUser(&listed[i])}, nil
		}
	}
	return nil, toStatus(directory.ErrNotFound)
}
