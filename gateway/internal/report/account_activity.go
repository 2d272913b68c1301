package report

import (
	"context"
	"errors"

	"github.com/sojournhq/sojourn/internal/kit/page"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// accountsAtOnce is how many accounts the services are asked about side by side.
const accountsAtOnce = 8

// ListAccountActivity implements reportv1connect.ReportServiceHandler.
func (s *Reports) ListAccountActivity(
	ctx context.Context, r *reportv1.ListAccountActivityRequest,
) (*reportv1.ListAccountActivityResponse, error) {
	w, err := parseWindow(r.GetAsOfDay(), r.GetDays(), s.now())
	if err == nil && r.GetNotSeenForDays() < 0 {
		err = errors.New("not_seen_for_days is negative")
	}
	if err != nil {
		return nil, invalid(err)
	}
	o, err := parseOrder(r)
	if err != nil {
		return nil, invalid(err)
	}
	size, err := page.Size(r.GetPageSize())
	if err != nil {
		return nil, invalid(err)
	}
	after, err := o.parsePlace(r, &w)
	if err != nil {
		return nil, invalid(err)
	}
	rows, err := s.activityOfAll(ctx, r.GetWorkspace(), w)
	if err != nil {
		return nil, err
	}
	rows = selected(rows, r, w)
	response := &reportv1.ListAccountActivityResponse{AsOfDay: w.asOf.String(), Total: int64(len(rows))}
	listed := o.sorted(rows, after)
	if len(listed) > size {
		if response.NextPageToken, err = o.token(r, w, listed[size-1]); err != nil {
			return nil, err
		}
	}
	for _, place := range listed[:min(size, len(listed))] {
		response.Accounts = append(response.Accounts, place.row)
	}
	return response, nil
}

// activityOfAll returns the figures of every account that identity knows.
func (s *services) activityOfAll(ctx context.Context, workspace string, w window) ([]*row, error) {
	accounts, err := all(func(token string) ([]*identityv1.Account, string, error) {
		page, err := s.identity.ListAccounts(ctx, &identityv1.ListAccountsRequest{
			Workspace: workspace, IncludeIncomplete: true, PageSize: pageSize, PageToken: token,
		})
		return page.GetAccounts(), page.GetNextPageToken(), err
	})
	if err != nil {
		return nil, err
	}
	rows := make([]*row, len(accounts))
	together, ctx := group.WithContext(ctx)
	together.SetLimit(accountsAtOnce)
	for i, account := range accounts {
		if ctx.Err() != nil {
			break
		}
		together.Go(func() (err error) {
			rows[i], err = s.activityOf(ctx, workspace, account, w)
			return err
		})
	}
	return rows, together.Wait()
}

// activityOf asks about the days that figures are made of; only of an account that nobody was seen of on these it asks about all days.
func (s *services) activityOf(
	ctx context.Context, workspace string, account *identityv1.Account, w window,
) (*row, error) {
	about := scope{workspace: workspace, account: account.GetAccountId(), to: w.asOf.String()}
	done, err := s.deedsOf(ctx, about.since(w.first(max(2*w.days, month))), false)
	if err != nil {
		return nil, err
	}
	figures := toAccountActivity(done, w)
	figures.Account = account
	figures.LastSeenDay, err = s.lastSeenDay(ctx, about, done)
	return figures, err
}

// lastSeenDay returns the last day on which somebody of an account was seen, up to the last day of a scope, of which done tells all or the
// later part; empty: none.
func (s *services) lastSeenDay(ctx context.Context, about scope, done *deeds) (string, error) {
	if len(done.seen) > 0 {
		return done.seen.last().String(), nil
	}
	ever, err := s.activity(ctx, about.since(""), byDay())
	return whenSeen(ever).lastDay, err
}
