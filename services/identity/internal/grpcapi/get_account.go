package grpcapi

import (
	"context"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// GetAccount implements identityv1.QueryServiceServer.
func (a *API) GetAccount(ctx context.Context, r *identityv1.GetAccountRequest) (*identityv1.GetAccountResponse, error) {
	if err := required(r.GetWorkspace(), r.GetAccountId(), errNoGroup); err != nil {
		return nil, toStatus(err)
	}
	account, err := a.store.Account(ctx, r.GetWorkspace(), r.GetAccountId())
	if err != nil {
		return nil, toStatus(err)
	}
	if r.GetIdOnly() {
		return &identityv1.GetAccountResponse{Account: &identityv1.Account{AccountId: account.AccountID}}, nil
	}
	settings := a.settings(r.GetWorkspace()).Settings
	view, err := a.toAccount(ctx, r.GetWorkspace(), &account, profile.ViewAccount(account.Fields, settings), settings)
	if err != nil {
		return nil, toStatus(err)
	}
	return &identityv1.GetAccountResponse{Account: view}, nil
}
