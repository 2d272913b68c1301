package report

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"google.golang.org/protobuf/types/known/durationpb"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

const (
	defaultTop = 5
	maxTop     = 100
)

// GetAccountOverview implements reportv1connect.ReportServiceHandler.
func (s *Reports) GetAccountOverview(
	ctx context.Context, r *reportv1.GetAccountOverviewRequest,
) (*reportv1.GetAccountOverviewResponse, error) {
	w, err := parseWindow(r.GetAsOfDay(), r.GetDays(), s.now())
	top := cmp.Or(int(r.GetTop()), defaultTop)
	switch {
	case r.GetAccountId() == "":
		err = errNoAccount
	case top < 0 || top > maxTop:
		err = errors.New("top is not from 0 to 100")
	}
	if err != nil {
		return nil, invalid(err)
	}
	k, err := s.knownOf(ctx, r.GetWorkspace(), r.GetAccountId(), w)
	if err != nil {
		return nil, err
	}
	return k.overview(w, top), nil
}

// known is what the services tell of one account.
type known struct {
	account  *identityv1.Account
	users    []string
	inWindow *deeds
	lately   *deeds // of the last month at least; its modules may not be told apart
	ever     []part // days apart
}

func (s *services) knownOf(ctx context.Context, workspace, account string, w window) (*known, error) {
	k := &known{}
	about := scope{workspace: workspace, account: account, to: w.asOf.String()}
	together, ctx := group.WithContext(ctx)
	together.Go(func() (err error) {
		k.inWindow, err = s.deedsOf(ctx, about.since(w.first(w.days)), true)
		return err
	})
	if w.days < month {
		together.Go(func() (err error) {
			k.lately, err = s.deedsOf(ctx, about.since(w.first(month)), false)
			return err
		})
	}
	together.Go(func() (err error) {
		k.ever, err = s.activity(ctx, about, byDay())
		return err
	})
	together.Go(func() (err error) {
		k.users, err = s.users(ctx, workspace, account)
		return err
	})
	together.Go(func() error {
		response, err := s.identity.GetAccount(ctx, &identityv1.GetAccountRequest{Workspace: workspace, AccountId: account})
		k.account = response.GetAccount()
		return err
	})
	err := together.Wait()
	if k.lately == nil {
		k.lately = k.inWindow
	}
	return k, err
}

func (k *known) overview(w window, top int) *reportv1.GetAccountOverviewResponse {
	ever := whenSeen(k.ever)
	usage := usageReport(k.inWindow, k.users)
	slices.SortStableFunc(usage.GetModules(), func(a, b *reportv1.ModuleUsage) int {
		return cmp.Or(
			cmp.Compare(b.GetUsage().GetActive().AsDuration(), a.GetUsage().GetActive().AsDuration()),
			cmp.Compare(b.GetUsage().GetUses(), a.GetUsage().GetUses()),
		)
	})
	slices.SortStableFunc(usage.GetFeatures(), func(a, b *reportv1.FeatureUsage) int { return cmp.Compare(b.GetUses(), a.GetUses()) })
	return &reportv1.GetAccountOverviewResponse{
		Account: k.account, AsOfDay: w.asOf.String(), FirstSeenDay: ever.firstDay, LastSeenDay: ever.lastDay,
		ActiveUsers_1D:  k.lately.seen.users(w.firstDay(1)),
		ActiveUsers_7D:  k.lately.seen.users(w.firstDay(7)),
		ActiveUsers_30D: k.lately.seen.users(w.firstDay(month)),
		Total:           usage.GetTotal(),
		Days:            dayByDay(k.inWindow, w),
		TopModules:      usage.GetModules()[:min(top, len(usage.GetModules()))],
		TopFeatures:     usage.GetFeatures()[:min(top, len(usage.GetFeatures()))],
	}
}

// dayByDay returns every day of the window.
func dayByDay(done *deeds, w window) []*reportv1.DayActivity {
	var days []*reportv1.DayActivity
	users := done.seen.byDay()
	for d := w.firstDay(w.days); d <= w.asOf; d++ {
		var a amount
		if of := done.days[d]; of != nil {
			a = *of
		}
		days = append(days, &reportv1.DayActivity{
			Day: d.String(), Duration: durationpb.New(a.duration), Active: durationpb.New(a.active), Uses: a.uses, Users: users[d],
		})
	}
	return days
}
