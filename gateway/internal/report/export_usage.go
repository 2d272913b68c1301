package report

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"

	"github.com/sojournhq/sojourn/gateway/internal/group"
	"github.com/sojournhq/sojourn/gateway/internal/tabular"
)

// exportUsage reads the usage reports of a page of accounts, or of the one that was asked for.
func (s *Reports) exportUsage(ctx context.Context, e export) ([]tabular.Object, string, error) {
	workspace := e.request.GetWorkspace()
	accounts, next, err := s.accountsOf(ctx, e)
	if err != nil {
		return nil, "", err
	}
	reports := make([]*reportv1.GetAccountUsageResponse, len(accounts))
	together, ctx := group.WithContext(ctx)
	together.SetLimit(accountsAtOnce)
	for i, account := range accounts {
		together.Go(func() (err error) {
			reports[i], err = s.GetAccountUsage(ctx, &reportv1.GetAccountUsageRequest{
				Workspace: workspace, AccountId: account.GetAccountId(), FromDay: e.request.GetFromDay(), ToDay: e.request.GetToDay(),
			})
			return err
		})
	}
	if err := together.Wait(); err != nil {
		return nil, "", err
	}
	var rows []tabular.Object
	for i, account := range accounts {
		rows = append(rows, usageRows(workspace, account.GetAccountId(), reports[i])...)
	}
	return rows, next, nil
}

// usageRows returns the rows of one report: the account, its modules, its features.
func usageRows(workspace, account string, r *reportv1.GetAccountUsageResponse) []tabular.Object {
	rows := []tabular.Object{usageRow(workspace, account, "account", inModule{}, r.GetTotal(), nil)}
	for _, m := range r.GetModules() {
		rows = append(rows, usageRow(workspace, account, "module", inModule{module: m.GetModule()}, m.GetUsage(), nil))
	}
	for _, f := range r.GetFeatures() {
		usage := &reportv1.Usage{
			Uses: f.GetUses(), Users: f.GetUsers(), NonUsers: f.GetNonUsers(), DaysUsed: f.GetDaysUsed(), UserDays: f.GetUserDays(),
			LastUsedDay: f.GetLastUse().AsTime().Format(time.DateOnly), LastUse: f.GetLastUse(),
		}
		var perUserDay any
		if f.GetUserDays() > 0 {
			perUserDay = f.GetUsesPerUserDay()
		}
		rows = append(rows, usageRow(workspace, account, "feature", inModule{f.GetModule(), f.GetFeature()}, usage, perUserDay))
	}
	return rows
}

// usageRow is one row of a usage report. A feature has no time, and only features have uses per user and day.
func usageRow(workspace, account, level string, of inModule, u *reportv1.Usage, usesPerUserDay any) tabular.Object {
	return tabular.Object{
		{Name: "kind", Value: "usage"},
		{Name: "workspace", Value: workspace},
		{Name: "accountId", Value: account},
		{Name: "level", Value: level},
		{Name: "module", Value: of.module},
		{Name: "feature", Value: of.feature},
		{Name: "durationMs", Value: millisIfSet(u.GetDuration())},
		{Name: "activeMs", Value: millisIfSet(u.GetActive())},
		{Name: "uses", Value: u.GetUses()},
		{Name: "users", Value: u.GetUsers()},
		{Name: "nonUsers", Value: u.GetNonUsers()},
		{Name: "daysUsed", Value: u.GetDaysUsed()},
		{Name: "userDays", Value: u.GetUserDays()},
		{Name: "durationMsPerUserDay", Value: millisIfSet(u.GetDurationPerUserDay())},
		{Name: "activeMsPerUserDay", Value: millisIfSet(u.GetActivePerUserDay())},
		{Name: "usesPerUserDay", Value: usesPerUserDay},
		{Name: "lastUsedDay", Value: u.GetLastUsedDay()},
		{Name: "lastUse", Value: clock(u.GetLastUse())},
	}
}

// clock writes a time in UTC with exactly three fractional digits; no time as empty text.
func clock(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return t.AsTime().Format("2006-01-02T15:04:05.000Z")
}

// millis writes a duration in whole milliseconds.
func millis(d *durationpb.Duration) int64 { return d.AsDuration().Milliseconds() }

func millisIfSet(d *durationpb.Duration) any {
	if d == nil {
		return nil
	}
	return millis(d)
}
