package report

import (
	"context"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// accountDeeds is what an export tells of what an account did on the days that are exported.
type accountDeeds struct {
	activeUsers int64
	time        amount
	lastSeenDay string // up to the last of the days; empty: never
}

// exportAccounts reads a page of accounts, and what each of them did.
func (s *Reports) exportAccounts(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	accounts, next, err := s.accountsOf(ctx, e)
	if err != nil {
		return nil, "", err
	}
	rows := make([]tabular.Object, len(accounts))
	together, ctx := group.WithContext(ctx)
	together.SetLimit(accountsAtOnce)
	for i, account := range accounts {
		together.Go(func() error {
			did, err := s.accountDeeds(ctx, scope{
				workspace: workspace, account: account.GetAccountId(), from: e.request.GetFromDay(), to: e.request.GetToDay(),
			})
			rows[i] = accountRow(workspace, account, did)
			return err
		})
	}
	return rows, next, together.Wait()
}

// accountsOf returns a page of accounts, or the one that was asked for.
func (s *services) accountsOf(ctx context.Context, e export) (accounts []*identityv1.Account, next string, err error) {
	if id := e.account(); id != nil {
		found, err := s.identity.GetAccount(ctx, &identityv1.GetAccountRequest{Workspace: e.request.GetWorkspace(), AccountId: *id})
		return []*identityv1.Account{found.GetAccount()}, "", err
	}
	list, err := s.identity.ListAccounts(ctx, &identityv1.ListAccountsRequest{
		Workspace: e.request.GetWorkspace(), IncludeIncomplete: true, PageSize: min(e.size, maxAccounts), PageToken: e.token,
	})
	return list.GetAccounts(), list.GetNextPageToken(), err
}

func (s *services) accountDeeds(ctx context.Context, about scope) (accountDeeds, error) {
	done, err := s.deedsOf(ctx, about, false)
	if err != nil {
		return accountDeeds{}, err
	}
	last, err := s.lastSeenDay(ctx, about, done)
	return accountDeeds{activeUsers: done.seen.users(0), time: done.total.all, lastSeenDay: last}, err
}
