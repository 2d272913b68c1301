package report

import (
	"context"

	activityv1 "github.com/sojournhq/sojourn/proto/sojourn/activity/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// services asks the three services and reads their answers to the last page.
type services struct {
	identity identityv1.QueryServiceClient
	events   eventsv1.QueryServiceClient
	sessions sessionsv1.QueryServiceClient

	usesOf, timeOf activityv1.ActivityServiceClient // events', and sessions'
}

// The most that a service gives at once: of anything, and of user ids.
const (
	pageSize   = 1000
	idPageSize = 30_000
)

// scope is what a question is about. Days are as "2026-11-01", both included; empty: without limit.
type scope struct {
	workspace, account string
	from, to           string
	module, feature    *string // nil: any
}

// within returns the scope without other modules and features.
func (s scope) within(module, feature *string) scope {
	s.module, s.feature = module, feature
	return s
}

// since returns the scope without the days before one.
func (s scope) since(from string) scope {
	s.from = from
	return s
}

// grain is by what activity is told apart.
type grain struct {
	uses []eventsv1.GroupBy
	time []sessionsv1.GroupBy
}

// byDay tells days apart.
func byDay() grain {
	return grain{[]eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_DAY}, []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_DAY}}
}

// byUser tells users apart.
func byUser() grain {
	return grain{[]eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_USER}, []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_USER}}
}

// part is a piece of what somebody did, as one service tells of it: uses of features, or time.
type part struct {
	amount

	user, day string
}

// isUse says whether anything was used: a visit that takes no time is none.
func (p *part) isUse() bool { return p.uses > 0 || p.duration > 0 }

// activity returns what an account did, or, for no account, what counts for none.
func (s *services) activity(ctx context.Context, about scope, g grain) ([]part, error) {
	var uses, time []part
	together, ctx := group.WithContext(ctx)
	together.Go(func() (err error) {
		uses, err = s.uses(ctx, about, g)
		return err
	})
	if about.feature == nil { // which time is not told apart by
		together.Go(func() (err error) {
			time, err = s.time(ctx, about, g)
			return err
		})
	}
	err := together.Wait()
	return append(uses, time...), err
}

func (s *services) uses(ctx context.Context, about scope, g grain) ([]part, error) {
	return all(func(token string) ([]part, string, error) {
		page, err := s.events.QueryUsage(ctx, &eventsv1.QueryUsageRequest{
			Workspace: about.workspace, AccountId: &about.account, FromDay: about.from, ToDay: about.to,
			Module: about.module, Feature: about.feature, GroupBy: g.uses, PageSize: pageSize, PageToken: token,
		})
		parts := make([]part, 0, len(page.GetRows()))
		for _, r := range page.GetRows() {
			parts = append(parts, part{user: r.GetUserId(), day: r.GetDay(), amount: amount{uses: r.GetUses()}})
		}
		return parts, page.GetNextPageToken(), err
	})
}

func (s *services) time(ctx context.Context, about scope, g grain) ([]part, error) {
	return all(func(token string) ([]part, string, error) {
		page, err := s.sessions.QueryTime(ctx, &sessionsv1.QueryTimeRequest{
			Workspace: about.workspace, AccountId: &about.account, FromDay: about.from, ToDay: about.to,
			Module: about.module, GroupBy: g.time, PageSize: pageSize, PageToken: token,
		})
		parts := make([]part, 0, len(page.GetRows()))
		for _, r := range page.GetRows() {
			parts = append(parts, part{
				user: r.GetUserId(), day: r.GetDay(),
				amount: amount{duration: r.GetDuration().AsDuration(), active: r.GetActive().AsDuration()},
			})
		}
		return parts, page.GetNextPageToken(), err
	})
}

// users returns the ids of the users that identity lists under an account.
func (s *services) users(ctx context.Context, workspace, account string) ([]string, error) {
	return all(func(token string) ([]string, string, error) {
		page, err := s.identity.ListUsers(ctx, &identityv1.ListUsersRequest{
			Workspace: workspace, AccountId: &account, IdsOnly: true, PageSize: idPageSize, PageToken: token,
		})
		ids := make([]string, 0, len(page.GetUsers()))
		for _, u := range page.GetUsers() {
			ids = append(ids, u.GetUserId())
		}
		return ids, page.GetNextPageToken(), err
	})
}

// all reads one page after the other until there is none.
func all[Row any](page func(token string) (rows []Row, next string, err error)) ([]Row, error) {
	var rows []Row
	for token := ""; ; {
		more, next, err := page(token)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
		if next == "" {
			return rows, nil
		}
		token = next
	}
}
