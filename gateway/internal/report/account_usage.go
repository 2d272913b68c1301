package report

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/day"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
)

// GetAccountUsage implements reportv1connect.ReportServiceHandler.
func (s *Reports) GetAccountUsage(
	ctx context.Context, r *reportv1.GetAccountUsageRequest,
) (*reportv1.GetAccountUsageResponse, error) {
	if r.GetAccountId() == "" {
		return nil, invalid(errNoAccount)
	}
	if _, err := day.ParseSpan(r.GetFromDay(), r.GetToDay()); err != nil {
		return nil, invalid(err)
	}
	var parts []part
	var users []string
	together, asking := group.WithContext(ctx)
	together.Go(func() (err error) {
		about := scope{r.GetWorkspace(), r.GetAccountId(), r.GetFromDay(), r.GetToDay()}
		parts, err = s.activity(asking, about, finest())
		return err
	})
	together.Go(func() (err error) {
		users, err = s.users(asking, r.GetWorkspace(), r.GetAccountId())
		return err
	})
	together.Go(func() error {
		_, err := s.identity.GetAccount(asking, &identityv1.GetAccountRequest{Workspace: r.GetWorkspace(), AccountId: r.GetAccountId()})
		return err
	})
	if err := together.Wait(); err != nil {
		return nil, err
	}
	return usageReport(parts, users), nil
}

// inModule is a feature within its module.
type inModule struct{ module, feature string }

func (f inModule) compare(other inModule) int {
	return cmp.Or(cmp.Compare(f.module, other.module), cmp.Compare(f.feature, other.feature))
}

// usageReport joins the parts of an account's activity with the ids of its users.
func usageReport(parts []part, users []string) *reportv1.GetAccountUsageResponse {
	total, modules, features := newTally(), tallies[string]{}, tallies[inModule]{}
	for i := range parts {
		p := &parts[i]
		if !p.isUse() {
			continue
		}
		total.add(p)
		modules.add(p.module, p)
		if p.uses > 0 {
			features.add(inModule{p.module, p.feature}, p)
		}
	}
	members := maps.Clone(total.users)
	for _, id := range users {
		members.add(id)
	}
	report := &reportv1.GetAccountUsageResponse{Total: toUsage(total, members)}
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		report.Modules = append(report.Modules, &reportv1.ModuleUsage{Module: module, Usage: toUsage(modules[module], members)})
	}
	for _, f := range slices.SortedFunc(maps.Keys(features), inModule.compare) {
		report.Features = append(report.Features, toFeatureUsage(f, features[f], members))
	}
	return report
}

func toUsage(t *tally, members set) *reportv1.Usage {
	u := &reportv1.Usage{
		Duration: durationpb.New(t.all.duration), Active: durationpb.New(t.all.active), Uses: t.all.uses,
		Users: int64(len(t.users)), NonUsers: int64(len(members) - len(t.users)),
		DaysUsed: int64(len(t.days)), UserDays: int64(len(t.userDays)), LastUsedDay: t.lastDay,
	}
	if n := len(t.userDays); n > 0 {
		u.DurationPerUserDay = durationpb.New(perUserDay(t.byUsers.duration, n))
		u.ActivePerUserDay = durationpb.New(perUserDay(t.byUsers.active, n))
	}
	if t.all.uses > 0 {
		u.LastUse = timestamppb.New(t.lastUse)
	}
	return u
}

func toFeatureUsage(f inModule, t *tally, members set) *reportv1.FeatureUsage {
	u := &reportv1.FeatureUsage{
		Module: f.module, Feature: f.feature, Uses: t.all.uses,
		Users: int64(len(t.users)), NonUsers: int64(len(members) - len(t.users)),
		DaysUsed: int64(len(t.days)), UserDays: int64(len(t.userDays)), LastUse: timestamppb.New(t.lastUse),
	}
	if n := len(t.userDays); n > 0 {
		u.UsesPerUserDay = float64(t.byUsers.uses) / float64(n)
	}
	return u
}
