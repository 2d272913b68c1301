package standalone_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	gocmp "github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/report/v1/reportv1connect"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/standalone"
)

const adminToken = "admin-token-of-everything"

// running is a suite behind a gateway.
type running struct {
	t       testing.TB
	dir     string
	suite   *standalone.Suite
	reports reportv1connect.ReportServiceClient
}

func run(t testing.TB, workspaces ...workspace.Workspace) *running {
	t.Helper()
	dir := t.TempDir()
	suite, err := standalone.Open(t.Context(), standalone.Config{
		Dir: dir, Workspaces: &workspace.Config{Workspaces: workspaces},
	}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := suite.Close(); err != nil {
			t.Error(err)
		}
	})
	g, err := gateway.Open(t.Context(), gateway.Config{
		Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken)}, Deadline: time.Minute,
	}, suite.Backends(), observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(g.Handler())
	t.Cleanup(server.Close)
	bearer := connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+adminToken)
			return next(ctx, r)
		}
	})
	return &running{t, dir, suite, reportv1connect.NewReportServiceClient(server.Client(), server.URL, connect.WithInterceptors(bearer))}
}

// record gives calls to all three services.
func (r *running) record(workspace string, calls []*segmentv1.Call) {
	r.t.Helper()
	r.toIdentity(workspace, calls)
	r.toEvents(workspace, calls)
	r.toSessions(workspace, calls)
}

func (r *running) toIdentity(workspace string, calls []*segmentv1.Call) {
	r.t.Helper()
	if _, err := identityv1.NewIngestServiceClient(r.suite.Backends().Identity).RecordCalls(r.t.Context(),
		&identityv1.RecordCallsRequest{Workspace: workspace, Calls: calls}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) toEvents(workspace string, calls []*segmentv1.Call) {
	r.t.Helper()
	if _, err := eventsv1.NewIngestServiceClient(r.suite.Backends().Events).RecordCalls(r.t.Context(),
		&eventsv1.RecordCallsRequest{Workspace: workspace, Calls: calls}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) toSessions(workspace string, calls []*segmentv1.Call) {
	r.t.Helper()
	if _, err := sessionsv1.NewIngestServiceClient(r.suite.Backends().Sessions).RecordCalls(r.t.Context(),
		&sessionsv1.RecordCallsRequest{Workspace: workspace, Calls: calls}); err != nil {
		r.t.Fatal(err)
	}
}

var midnight = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// genCalls draws calls that often meet: few ids, few days, many of them within one session.
func genCalls(t *rapid.T) []*segmentv1.Call {
	calls := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *segmentv1.Call {
		type of = segmentv1.CallType
		at := midnight.AddDate(0, 0, rapid.SampledFrom([]int{0, 0, 1, 6, 7, 8, 29, 30, 31, 60}).Draw(t, "day")).
			Add(time.Duration(rapid.SampledFrom([]int{-40, -10, -4, 0, 3, 20, 30, 50}).Draw(t, "minute")) * time.Minute).
			Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "ms")) * time.Millisecond).UnixMilli()
		c := &segmentv1.Call{
			Type: rapid.SampledFrom([]of{
				segmentv1.CallType_CALL_TYPE_TRACK, segmentv1.CallType_CALL_TYPE_TRACK, segmentv1.CallType_CALL_TYPE_PAGE,
				segmentv1.CallType_CALL_TYPE_IDENTIFY, segmentv1.CallType_CALL_TYPE_GROUP, segmentv1.CallType_CALL_TYPE_ALIAS,
			}).Draw(t, "type"),
			AnonymousId: rapid.SampledFrom([]string{"s1", "s1", "s2", "s3", ""}).Draw(t, "session"),
			UserId:      rapid.SampledFrom([]string{"u1", "u2", "u3", "u4", ""}).Draw(t, "user"),
			AccountId:   rapid.SampledFrom([]string{"", "", "", "a", "b"}).Draw(t, "account"),
			Module:      rapid.SampledFrom([]string{"", "m", "n"}).Draw(t, "module"),
			TimeMs:      at, OriginalTimeMs: at, Source: "web",
		}
		switch c.GetType() {
		case segmentv1.CallType_CALL_TYPE_TRACK:
			c.Feature = rapid.SampledFrom([]string{"f", "g"}).Draw(t, "feature")
		case segmentv1.CallType_CALL_TYPE_GROUP:
			c.AccountId = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "group")
		case segmentv1.CallType_CALL_TYPE_ALIAS:
			c.UserId, c.PreviousId = "u1", rapid.SampledFrom([]string{"u2", "u5"}).Draw(t, "previous")
		default:
		}
		return c
	}), 1, 40).Draw(t, "calls")
	for i, c := range calls {
		c.MessageId = fmt.Sprint("m", (i*7919)%10_007)
	}
	return calls
}

func TestReportsAreThoseOfTheOracleWhateverTheOrderAndTheBatches(t *testing.T) {
	r := run(t)
	serial := 0
	rapid.Check(t, func(rt *rapid.T) {
		serial++
		name := fmt.Sprint("w", serial)
		calls := genCalls(rt)
		twice := slices.Concat(calls, rapid.SliceOfN(rapid.SampledFrom(calls), 0, 5).Draw(rt, "copies"))
		order := rapid.Permutation(twice).Draw(rt, "order")
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			r.record(name, order[:n])
			r.record("neighbour of "+name, calls[:1]) // has the same ids and must not be counted
			order = order[n:]
		}
		r.compare(rt, name, oracle(calls))
		r.compareList(rt, name, oracle(calls))
	})
}

// same holds an answer against the oracle's. The account is identity's business.
func same(t *rapid.T, what string, want, got proto.Message, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if diff := gocmp.Diff(want, got, protocmp.Transform(),
		protocmp.IgnoreFields(&reportv1.GetAccountOverviewResponse{}, "account"),
		protocmp.IgnoreFields(&identityv1.Account{}, "complete", "traits", "problems", "missing")); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// aDay draws a day near those of the calls.
func aDay(t *rapid.T) string {
	return midnight.AddDate(0, 0, rapid.SampledFrom([]int{-1, 0, 1, 7, 30, 31, 61}).Draw(t, "day")).Format(time.DateOnly)
}

func (r *running) compare(t *rapid.T, name string, o oracle) {
	ctx := r.t.Context()
	from, to := aDay(t), aDay(t)
	if from > to || rapid.Bool().Draw(t, "all days") {
		from, to = "", ""
	}
	for _, row := range o.activity(back("2026-11-01", 0), 1) {
		account := row.GetAccount().GetAccountId()
		usage, err := r.reports.GetAccountUsage(ctx, &reportv1.GetAccountUsageRequest{
			Workspace: name, AccountId: account, FromDay: from, ToDay: to,
		})
		same(t, fmt.Sprintf("usage of %s from %q to %q", account, from, to), o.accountUsage(account, from, to), usage, err)

		r.compareNonUsers(t, o, usage, &reportv1.ListNonUsersRequest{Workspace: name, AccountId: account, FromDay: from, ToDay: to})

		asOf, days, top := aDay(t), rapid.SampledFrom([]int{1, 7, 40}).Draw(t, "days"), rapid.IntRange(1, 2).Draw(t, "top")
		overview, err := r.reports.GetAccountOverview(ctx, &reportv1.GetAccountOverviewRequest{
			Workspace: name, AccountId: account, AsOfDay: asOf, Days: int32(days), Top: int32(top),
		})
		same(t, fmt.Sprintf("overview of %s as of %s", account, asOf), o.overview(account, asOf, days, top), overview, err)
		if got := overview.GetAccount().GetAccountId(); got != account {
			t.Fatalf("the overview is of account %q, want %q", got, account)
		}
	}
	unattributed, err := r.reports.GetUnattributed(ctx, &reportv1.GetUnattributedRequest{Workspace: name, FromDay: from, ToDay: to})
	same(t, fmt.Sprintf("unattributed from %q to %q", from, to), o.unattributed(from, to), unattributed, err)
}

// compareNonUsers holds the lists of non-users of a usage report against its counts and against the oracle.
func (r *running) compareNonUsers(
	t *rapid.T, o oracle, usage *reportv1.GetAccountUsageResponse, of *reportv1.ListNonUsersRequest,
) {
	r.compareNonUsersOf(t, o, usage.GetTotal().GetNonUsers(), of)
	for _, m := range usage.GetModules() {
		of.Module = &m.Module
		r.compareNonUsersOf(t, o, m.GetUsage().GetNonUsers(), of)
	}
	for _, f := range usage.GetFeatures() {
		of.Module, of.Feature = &f.Module, &f.Feature
		r.compareNonUsersOf(t, o, f.GetNonUsers(), of)
	}
}

func (r *running) compareNonUsersOf(t *rapid.T, o oracle, count int64, of *reportv1.ListNonUsersRequest) {
	of.PageSize = rapid.Int32Range(1, 3).Draw(t, "page of non-users")
	var got []string
	for {
		page, err := r.reports.ListNonUsers(r.t.Context(), of)
		if err != nil || page.GetTotal() != count || len(page.GetUsers()) > int(of.GetPageSize()) {
			t.Fatalf("%v: a page of %d of %d, %v; the report counts %d", of, len(page.GetUsers()), page.GetTotal(), err, count)
		}
		for _, u := range page.GetUsers() {
			if u.GetAccountId() != of.GetAccountId() {
				t.Fatalf("%v: a user of account %q", of, u.GetAccountId())
			}
			got = append(got, u.GetUserId())
		}
		if of.PageToken = page.GetNextPageToken(); of.GetPageToken() == "" {
			break
		}
	}
	if want := o.nonUsers(of); !slices.Equal(got, want) || int64(len(got)) != count {
		t.Fatalf("%v: %q, want %q; the report counts %d", of, got, want, count)
	}
}

func (r *running) compareList(t *rapid.T, name string, o oracle) {
	request := &reportv1.ListAccountActivityRequest{
		Workspace: name, AsOfDay: aDay(t), Days: rapid.SampledFrom([]int32{1, 7, 30}).Draw(t, "window"),
		SortBy:     reportv1.AccountFigure(rapid.IntRange(0, 12).Draw(t, "sort by")),
		Descending: rapid.Bool().Draw(t, "descending"), PageSize: 1 + rapid.Int32Range(0, 1).Draw(t, "page"),
	}
	if rapid.Bool().Draw(t, "filter") {
		request.NotSeenForDays = rapid.SampledFrom([]int32{0, 1, 7}).Draw(t, "not seen")
		request.MaxUsesChange = proto.Float64(rapid.SampledFrom([]float64{-0.5, 0, 9}).Draw(t, "change"))
	}
	want := o.activity(request.GetAsOfDay(), int(request.GetDays()))
	want = slices.DeleteFunc(want, func(a *reportv1.AccountActivity) bool {
		seen := request.GetNotSeenForDays() > 0 && a.GetLastSeenDay() > back(request.GetAsOfDay(), int(request.GetNotSeenForDays()))
		return seen || request.MaxUsesChange != nil && (a.UsesChange == nil || a.GetUsesChange() > request.GetMaxUsesChange())
	})
	total := int64(len(want))
	sortAs(want, request)
	var got []*reportv1.AccountActivity
	for {
		page, err := r.reports.ListAccountActivity(r.t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		if page.GetTotal() != total || page.GetAsOfDay() != request.GetAsOfDay() || len(page.GetAccounts()) > int(request.GetPageSize()) {
			t.Fatalf("a page of %d of %d accounts as of %s; %d were wanted", len(page.GetAccounts()), page.GetTotal(), page.GetAsOfDay(), total)
		}
		got = append(got, page.GetAccounts()...)
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	same(t, fmt.Sprintf("list by %v", request.GetSortBy()), &reportv1.ListAccountActivityResponse{Accounts: want},
		&reportv1.ListAccountActivityResponse{Accounts: got}, nil)
}

// sortAs sorts accounts, which come in order of id, as a request says.
func sortAs(rows []*reportv1.AccountActivity, r *reportv1.ListAccountActivityRequest) {
	lacks := func(*reportv1.AccountActivity) bool { return false }
	var compare func(a, b *reportv1.AccountActivity) int
	by := func(of func(*reportv1.AccountActivity) int64) {
		compare = func(a, b *reportv1.AccountActivity) int { return cmp.Compare(of(a), of(b)) }
	}
	type row = reportv1.AccountActivity
	switch r.GetSortBy() {
	case reportv1.AccountFigure_ACCOUNT_FIGURE_LAST_SEEN:
		compare = func(a, b *row) int { return cmp.Compare(a.GetLastSeenDay(), b.GetLastSeenDay()) }
		lacks = func(a *row) bool { return a.GetLastSeenDay() == "" }
	case reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_1D:
		by((*row).GetActiveUsers_1D)
	case reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_7D:
		by((*row).GetActiveUsers_7D)
	case reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_USERS_30D:
		by((*row).GetActiveUsers_30D)
	case reportv1.AccountFigure_ACCOUNT_FIGURE_DURATION:
		by(func(a *row) int64 { return int64(a.GetDuration().AsDuration()) })
	case reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE:
		by(func(a *row) int64 { return int64(a.GetActive().AsDuration()) })
	case reportv1.AccountFigure_ACCOUNT_FIGURE_USES:
		by((*row).GetUses)
	case reportv1.AccountFigure_ACCOUNT_FIGURE_DURATION_BEFORE:
		by(func(a *row) int64 { return int64(a.GetDurationBefore().AsDuration()) })
	case reportv1.AccountFigure_ACCOUNT_FIGURE_ACTIVE_BEFORE:
		by(func(a *row) int64 { return int64(a.GetActiveBefore().AsDuration()) })
	case reportv1.AccountFigure_ACCOUNT_FIGURE_USES_BEFORE:
		by((*row).GetUsesBefore)
	case reportv1.AccountFigure_ACCOUNT_FIGURE_TIME_CHANGE:
		compare = func(a, b *row) int { return cmp.Compare(a.GetTimeChange(), b.GetTimeChange()) }
		lacks = func(a *row) bool { return a.TimeChange == nil }
	case reportv1.AccountFigure_ACCOUNT_FIGURE_USES_CHANGE:
		compare = func(a, b *row) int { return cmp.Compare(a.GetUsesChange(), b.GetUsesChange()) }
		lacks = func(a *row) bool { return a.UsesChange == nil }
	default:
		compare = func(a, b *row) int { return cmp.Compare(a.GetAccount().GetAccountId(), b.GetAccount().GetAccountId()) }
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		switch {
		case lacks(a) && lacks(b):
			return 0
		case lacks(a):
			return 1
		case lacks(b):
			return -1
		case r.GetDescending():
			return compare(b, a)
		}
		return compare(a, b)
	})
}
