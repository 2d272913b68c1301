package report

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/day"
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
	about := scope{workspace: r.GetWorkspace(), account: r.GetAccountId(), from: r.GetFromDay(), to: r.GetToDay()}
	var done *deeds
	var users []string
	together, asking := group.WithContext(ctx)
	together.Go(func() (err error) {
		done, err = s.deedsOf(asking, about, true)
		return err
	})
	together.Go(func() (err error) {
		users, err = s.users(asking, r.GetWorkspace(), r.GetAccountId())
		return err
	})
	together.Go(func() error { return s.exists(asking, about) })
	if err := together.Wait(); err != nil {
		return nil, err
	}
	return usageReport(done, users), nil
}

// inModule is a feature within its module.
type inModule struct{ module, feature string }

func (f inModule) compare(other inModule) int {
	return cmp.Or(cmp.Compare(f.module, other.module), cmp.Compare(f.feature, other.feature))
}

// usageReport makes a report of what an account did, and of the ids of its users.
func usageReport(d *deeds, users []string) *reportv1.GetAccountUsageResponse {
	members := d.members(users)
	report := &reportv1.GetAccountUsageResponse{Total: toUsage(&d.total, members)}
	for _, name := range slices.Sorted(maps.Keys(d.modules)) {
		if m := d.modules[name]; len(m.days) > 0 {
			report.Modules = append(report.Modules, &reportv1.ModuleUsage{Module: name, Usage: toUsage(&m.tally, members)})
		}
	}
	for _, f := range slices.SortedFunc(maps.Keys(d.features), inModule.compare) {
		report.Features = append(report.Features, toFeatureUsage(f, d.features[f], members))
	}
	return report
}

func toUsage(t *tally, members int64) *reportv1.Usage {
	u := &reportv1.Usage{
		Duration: durationpb.New(t.all.duration), Active: durationpb.New(t.all.active), Uses: t.all.uses,
		Users: t.users, NonUsers: members - t.users, DaysUsed: t.days.count(), UserDays: t.userDays,
	}
	if len(t.days) > 0 {
		u.LastUsedDay = t.days.last().String()
	}
	if n := t.userDays; n > 0 {
		u.DurationPerUserDay = durationpb.New(perUserDay(t.byUsers.duration, n))
		u.ActivePerUserDay = durationpb.New(perUserDay(t.byUsers.active, n))
	}
	if t.all.uses > 0 {
		u.LastUse = timestamppb.New(t.lastUse)
	}
	return u
}

func toFeatureUsage(f inModule, t *tally, members int64) *reportv1.FeatureUsage {
	u := &reportv1.FeatureUsage{
		Module: f.module, Feature: f.feature, Uses: t.all.uses,
		Users: t.users, NonUsers: members - t.users, DaysUsed: t.days.count(), UserDays: t.userDays, LastUse: timestamppb.New(t.lastUse),
	}
	if n := t.userDays; n > 0 {
		u.UsesPerUserDay = float64(t.byUsers.uses) / float64(n)
	}
	return u
}
