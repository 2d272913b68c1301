package report

import (
	"context"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// exportedActivity is what an export says of the activity of an account on the exported days.
type exportedActivity struct {
	activeUsers int64
	time        amount
	lastSeenDay string // up to the last of the days; empty: never
}

// exportAccounts reads a page of accounts with their activity.
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
			activity, err := s.activityOn(ctx, scope{
				workspace: workspace, account: account.GetAccountId(), from: e.request.GetFromDay(), to: e.request.GetToDay(),
			})
			rows[i] = accountRow(workspace, account, activity)
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

// activityOn returns the activity of an account within a scope.
func (s *services) activityOn(ctx context.Context, about scope) (exportedActivity, error) {
	done, err := s.deedsOf(ctx, about, false)
	if err != nil {
		return exportedActivity{}, err
	}
	last, err := s.lastSeenDay(ctx, about, done)
	return exportedActivity{activeUsers: done.seen.users(0), time: done.total.all, lastSeenDay: last}, err
}
