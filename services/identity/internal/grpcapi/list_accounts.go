package grpcapi

import (
	"context"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// accountsPerRead is how many accounts are read at once in search of complete ones.
const accountsPerRead = 500

// ListAccounts implements identityv1.QueryServiceServer.
func (a *API) ListAccounts(ctx context.Context, r *identityv1.ListAccountsRequest) (*identityv1.ListAccountsResponse, error) {
	if err := required(r.GetWorkspace(), "", nil); err != nil {
		return nil, toStatus(err)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, toStatus(err)
	}
	position, err := page.Position(r, r.GetPageToken(), 1)
	if err != nil {
		return nil, toStatus(err)
	}
	after := ""
	if position != nil {
		after = position[0]
	}
	accounts, err := a.accounts(ctx, r, after, size+1)
	if err != nil {
		return nil, toStatus(err)
	}
	response := &identityv1.ListAccountsResponse{Accounts: accounts[:min(size, len(accounts))]}
	if len(accounts) > size {
		response.NextPageToken, err = page.Token(r, accounts[size-1].GetAccountId())
	}
	return response, toStatus(err)
}

// accounts returns the first limit accounts after `after` that the request asks for.
func (a *API) accounts(ctx context.Context, r *identityv1.ListAccountsRequest, after string, limit int) ([]*identityv1.Account, error) {
	settings := a.settings(r.GetWorkspace()).Settings
	var page []*identityv1.Account
	for {
		read, err := a.store.Accounts(ctx, r.GetWorkspace(), after, accountsPerRead)
		if err != nil {
			return nil, err
		}
		for i := range read {
			view := profile.ViewAccount(read[i].Fields, settings)
			if len(profile.Missing(view)) > 0 && !r.GetIncludeIncomplete() {
				continue
			}
			account, err := a.toAccount(ctx, r.GetWorkspace(), &read[i], view, settings)
			if err != nil {
				return nil, err
			}
			if page = append(page, account); len(page) == limit {
				return page, nil
			}
		}
		if len(read) < accountsPerRead {
			return page, nil
		}
		after = read[len(read)-1].AccountID
	}
}
