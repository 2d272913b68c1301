package standalone_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// visits are calls of one session in module "m", some minutes apart.
func visits(session, user, account string, from time.Time, minutes ...int) (calls []*segmentv1.Call) {
	for i, minute := range minutes {
		at := from.Add(time.Duration(minute) * time.Minute).UnixMilli()
		calls = append(calls, &segmentv1.Call{
			Type: segmentv1.CallType_CALL_TYPE_PAGE, MessageId: fmt.Sprint(session, i), TimeMs: at, OriginalTimeMs: at,
			AnonymousId: session, UserId: user, AccountId: account, Module: "m",
		})
	}
	return calls
}

func usageOf(t *testing.T, r *running, request *reportv1.GetAccountUsageRequest) *reportv1.GetAccountUsageResponse {
	t.Helper()
	usage, err := r.reports.GetAccountUsage(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return usage
}

func TestTimeOfNobodyIsInTheTotalAndInNoAverage(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight, 0, 8))
	r.record("w", visits("s2", "", "a", midnight, 0, 20))
	u := usageOf(t, r, &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "a"}).GetTotal()
	for name, c := range map[string]struct{ got, want time.Duration }{
		"duration":              {u.GetDuration().AsDuration(), 28 * time.Minute},
		"active":                {u.GetActive().AsDuration(), 10 * time.Minute},
		"duration per user day": {u.GetDurationPerUserDay().AsDuration(), 8 * time.Minute},
		"active per user day":   {u.GetActivePerUserDay().AsDuration(), 5 * time.Minute},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", name, c.got, c.want)
		}
	}
}

func TestAnAverageIsRoundedDownToTheMillisecond(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight, 0, 1))
	r.record("w", visits("s2", "v", "a", midnight, 0, 1))
	late := visits("s3", "x", "a", midnight, 0, 1)
	late[1].TimeMs, late[1].OriginalTimeMs = late[1].GetTimeMs()+2, late[1].GetOriginalTimeMs()+2
	r.record("w", late)
	u := usageOf(t, r, &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "a"}).GetTotal()
	if got := u.GetDurationPerUserDay().AsDuration(); got != time.Minute || u.GetUserDays() != 3 {
		t.Errorf("%v over %d pairs, want 1m over 3", got, u.GetUserDays())
	}
}

func TestAVisitThatTakesNoTimeIsSeenAndUsesNothing(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight, 0))
	report := usageOf(t, r, &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "a"})
	if n := len(report.GetModules()); n != 0 || report.GetTotal().GetUsers() != 0 || report.GetTotal().GetNonUsers() != 1 {
		t.Errorf("%d modules, total %v", n, report.GetTotal())
	}
	overview, err := r.reports.GetAccountOverview(t.Context(), &reportv1.GetAccountOverviewRequest{
		Workspace: "w", AccountId: "a", AsOfDay: "2026-11-01",
	})
	if err != nil {
		t.Fatal(err)
	}
	if overview.GetFirstSeenDay() != "2026-11-01" || overview.GetActiveUsers_1D() != 1 || len(overview.GetDays()) != 30 {
		t.Errorf("overview %v", overview)
	}
}

func TestAccountsAreNotSeenForAsManyDaysAsNobodyCame(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight.AddDate(0, 0, -14), 0))
	r.record("w", visits("s2", "v", "b", midnight.AddDate(0, 0, -13), 0))
	r.record("w", visits("s3", "x", "later", midnight.AddDate(0, 0, 1), 0))
	group := visits("s4", "", "never", midnight, 0)
	group[0].Type, group[0].AnonymousId = segmentv1.CallType_CALL_TYPE_GROUP, ""
	r.record("w", group)
	for days, want := range map[int32]string{0: "[a b later never]", 13: "[a b later never]", 14: "[a later never]", 15: "[later never]"} {
		list, err := r.reports.ListAccountActivity(t.Context(), &reportv1.ListAccountActivityRequest{
			Workspace: "w", AsOfDay: "2026-11-01", NotSeenForDays: days,
		})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, a := range list.GetAccounts() {
			ids = append(ids, a.GetAccount().GetAccountId())
		}
		if got := fmt.Sprint(ids); got != want {
			t.Errorf("not seen for %d days: %s, want %s", days, got, want)
		}
	}
}

func TestAccountsWhoseTimeFellByHalfAreFound(t *testing.T) {
	r := run(t)
	week := func(account string, before, now int) {
		if before > 0 {
			r.record("w", visits(account+"-1", account, account, midnight.AddDate(0, 0, -7), 0, before))
		}
		r.record("w", visits(account+"-2", account, account, midnight, 0, now))
	}
	week("half", 20, 10)
	week("less", 20, 9)
	week("more", 20, 11)
	week("new", 0, 10)
	list, err := r.reports.ListAccountActivity(t.Context(), &reportv1.ListAccountActivityRequest{
		Workspace: "w", AsOfDay: "2026-11-01", Days: 7, MaxTimeChange: proto.Float64(-0.5),
		SortBy: reportv1.AccountFigure_ACCOUNT_FIGURE_TIME_CHANGE,
	})
	if err != nil {
		t.Fatal(err)
	}
	if a := list.GetAccounts(); len(a) != 2 || a[0].GetAccount().GetAccountId() != "less" || a[1].GetTimeChange() != -0.5 {
		t.Errorf("found %v", a)
	}
}

func TestUnattributedUsersBeyondTheLimitAreCounted(t *testing.T) {
	r := run(t)
	for _, user := range []string{"u", "v", "x"} {
		r.record("w", visits(user, user, "", midnight, 0, 5))
	}
	got, err := r.reports.GetUnattributed(t.Context(), &reportv1.GetUnattributedRequest{Workspace: "w", Limit: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.GetUsers()) != 2 || got.GetUsers()[0].GetUserId() != "u" || got.GetUsersOmitted() != 1 || got.GetUnknown().GetUsers() != 3 {
		t.Errorf("got %v", got)
	}
}

func TestNonUsersAreListedWithTheirNames(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "ada", "acme", midnight, 0, 5))
	for i, id := range []string{"bob", "cy"} {
		identify := visits("i"+id, id, "acme", midnight, 0)[0]
		identify.Type, identify.AnonymousId, identify.Module = segmentv1.CallType_CALL_TYPE_IDENTIFY, "", ""
		for path, text := range map[string]string{
			"first_name": []string{"Bob", "Cy"}[i], "last_name": "Brown", "email": id + "@example.com",
		} {
			identify.Traits = append(identify.Traits, &segmentv1.Trait{
				Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: text}},
			})
		}
		r.record("w", []*segmentv1.Call{identify})
	}
	list := func(of *reportv1.ListNonUsersRequest) string {
		of.Workspace, of.AccountId = "w", "acme"
		page, err := r.reports.ListNonUsers(t.Context(), of)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, u := range page.GetUsers() {
			names = append(names, fmt.Sprintf("%s: %s %s <%s>", u.GetUserId(), u.GetTraits().GetFirstName(),
				u.GetTraits().GetLastName(), u.GetTraits().GetEmail()))
		}
		return fmt.Sprint(page.GetTotal(), " ", strings.Join(names, ", "), " ", page.GetNextPageToken() != "")
	}
	const both = "2 bob: Bob Brown <bob@example.com>, cy: Cy Brown <cy@example.com> false"
	for name, c := range map[string]struct {
		of   *reportv1.ListNonUsersRequest
		want string
	}{
		"of anything":           {&reportv1.ListNonUsersRequest{}, both},
		"of a module":           {&reportv1.ListNonUsersRequest{Module: proto.String("m")}, both},
		"in pages":              {&reportv1.ListNonUsersRequest{PageSize: 1}, "2 bob: Bob Brown <bob@example.com> true"},
		"of no module":          {&reportv1.ListNonUsersRequest{Module: proto.String("")}, "3 ada:   <>, " + both[2:]},
		"of a module not there": {&reportv1.ListNonUsersRequest{Module: proto.String("x")}, "3 ada:   <>, " + both[2:]},
		"on days without a use": {&reportv1.ListNonUsersRequest{FromDay: "2026-11-02"}, "3 ada:   <>, " + both[2:]},
		"of a feature not there": {
			&reportv1.ListNonUsersRequest{Module: proto.String("m"), Feature: proto.String("x")}, "3 ada:   <>, " + both[2:],
		},
	} {
		if got := list(c.of); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestNonUsersAreThoseWhomTheReportCountsAlsoWhereIdentityDoesNotListThem(t *testing.T) {
	r := run(t)
	// One call names the user and the other the account: their session belongs to both, and no call named them together.
	calls := visits("s1", "guest", "", midnight, 0, 5)
	calls[1].UserId, calls[1].AccountId = "", "acme"
	r.record("w", calls)
	other := visits("s2", "ada", "acme", midnight, 0, 5)
	other[0].Module, other[1].Module = "n", "n"
	r.record("w", other)
	usage := usageOf(t, r, &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "acme"})
	for _, m := range usage.GetModules() {
		want := map[string]string{"m": "ada", "n": "guest"}[m.GetModule()]
		page, err := r.reports.ListNonUsers(t.Context(), &reportv1.ListNonUsersRequest{Workspace: "w", AccountId: "acme", Module: &m.Module})
		if err != nil || m.GetUsage().GetNonUsers() != 1 || len(page.GetUsers()) != 1 || page.GetUsers()[0].GetUserId() != want {
			t.Errorf("of %s the report counts %d, and listed are %v, %v; want %s", m.GetModule(), m.GetUsage().GetNonUsers(), page, err, want)
		}
	}
}

func TestAReportOfAnAccountThatNobodyNamedIsNotFoundAndAWrongQuestionIsTheClientsMistake(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight, 0))
	ctx := t.Context()
	usage := func(q *reportv1.GetAccountUsageRequest) error {
		_, err := r.reports.GetAccountUsage(ctx, q)
		return err
	}
	overview := func(q *reportv1.GetAccountOverviewRequest) error {
		_, err := r.reports.GetAccountOverview(ctx, q)
		return err
	}
	list := func(q *reportv1.ListAccountActivityRequest) error {
		_, err := r.reports.ListAccountActivity(ctx, q)
		return err
	}
	none := func(q *reportv1.GetUnattributedRequest) error {
		_, err := r.reports.GetUnattributed(ctx, q)
		return err
	}
	nonUsers := func(q *reportv1.ListNonUsersRequest) error {
		q.Workspace = "w"
		_, err := r.reports.ListNonUsers(ctx, q)
		return err
	}
	first, err := r.reports.ListAccountActivity(ctx, &reportv1.ListAccountActivityRequest{Workspace: "w"})
	if err != nil || first.GetAsOfDay() != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("as of %q, %v; today was wanted", first.GetAsOfDay(), err)
	}
	for name, c := range map[string]struct {
		err  error
		code connect.Code
	}{
		"usage of nobody":          {usage(&reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "b"}), connect.CodeNotFound},
		"overview of nobody":       {overview(&reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: "b"}), connect.CodeNotFound},
		"usage of no account":      {usage(&reportv1.GetAccountUsageRequest{Workspace: "w"}), connect.CodeInvalidArgument},
		"overview of no account":   {overview(&reportv1.GetAccountOverviewRequest{Workspace: "w"}), connect.CodeInvalidArgument},
		"no day":                   {usage(&reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: "a", FromDay: "x"}), connect.CodeInvalidArgument},
		"no day to be as of":       {overview(&reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: "a", AsOfDay: "x"}), connect.CodeInvalidArgument},
		"too long a window":        {overview(&reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: "a", Days: 367}), connect.CodeInvalidArgument},
		"a window of the past":     {list(&reportv1.ListAccountActivityRequest{Workspace: "w", Days: -1}), connect.CodeInvalidArgument},
		"too many modules":         {overview(&reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: "a", Top: 101}), connect.CodeInvalidArgument},
		"an unknown figure":        {list(&reportv1.ListAccountActivityRequest{Workspace: "w", SortBy: 99}), connect.CodeInvalidArgument},
		"seen in the future":       {list(&reportv1.ListAccountActivityRequest{Workspace: "w", NotSeenForDays: -1}), connect.CodeInvalidArgument},
		"a page of less than none": {list(&reportv1.ListAccountActivityRequest{Workspace: "w", PageSize: -1}), connect.CodeInvalidArgument},
		"a foreign token":          {list(&reportv1.ListAccountActivityRequest{Workspace: "w", PageToken: "AAAA"}), connect.CodeInvalidArgument},
		"days the wrong way":       {none(&reportv1.GetUnattributedRequest{Workspace: "w", FromDay: "2026-11-02", ToDay: "2026-11-01"}), connect.CodeInvalidArgument},
		"too many users":           {none(&reportv1.GetUnattributedRequest{Workspace: "w", Limit: 1001}), connect.CodeInvalidArgument},
		"non-users of nobody":      {nonUsers(&reportv1.ListNonUsersRequest{AccountId: "b"}), connect.CodeNotFound},
		"non-users of no account":  {nonUsers(&reportv1.ListNonUsersRequest{}), connect.CodeInvalidArgument},
		"no day of non-users":      {nonUsers(&reportv1.ListNonUsersRequest{AccountId: "a", FromDay: "x"}), connect.CodeInvalidArgument},
		"a feature of any module":  {nonUsers(&reportv1.ListNonUsersRequest{AccountId: "a", Feature: proto.String("f")}), connect.CodeInvalidArgument},
		"no page of non-users":     {nonUsers(&reportv1.ListNonUsersRequest{AccountId: "a", PageSize: -1}), connect.CodeInvalidArgument},
		"no token of non-users":    {nonUsers(&reportv1.ListNonUsersRequest{AccountId: "a", PageToken: "AAAA"}), connect.CodeInvalidArgument},
		"an admin who names none":  {none(&reportv1.GetUnattributedRequest{}), connect.CodeInvalidArgument},
	} {
		if got := connect.CodeOf(c.err); got != c.code {
			t.Errorf("%s: %v, want %v", name, c.err, c.code)
		}
	}
}

func TestServicesIgnoreWhatTheyDoNotKnowSoThatGatewaysCanBeNewer(t *testing.T) {
	r := run(t)
	r.record("w", visits("s1", "u", "a", midnight, 0, 1))
	unknown := protowire.AppendString(protowire.AppendTag(nil, 9999, protowire.BytesType), "new")
	newer := func(m proto.Message) {
		t.Helper()
		m.ProtoReflect().SetUnknown(unknown)
	}
	usage := &eventsv1.QueryUsageRequest{Workspace: "w"}
	timeSpent := &sessionsv1.QueryTimeRequest{Workspace: "w", GroupBy: []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_USER}}
	users := &identityv1.ListUsersRequest{Workspace: "w"}
	record := &identityv1.RecordCallsRequest{Workspace: "w", Calls: visits("s2", "v", "a", midnight, 0)}
	newer(usage)
	newer(timeSpent)
	newer(users)
	newer(record)
	newer(record.GetCalls()[0])
	b := r.suite.Backends()
	_, usageErr := eventsv1.NewQueryServiceClient(b.Events).QueryUsage(t.Context(), usage)
	spent, timeErr := sessionsv1.NewQueryServiceClient(b.Sessions).QueryTime(t.Context(), timeSpent)
	_, recordErr := identityv1.NewIngestServiceClient(b.Identity).RecordCalls(t.Context(), record)
	listed, usersErr := identityv1.NewQueryServiceClient(b.Identity).ListUsers(t.Context(), users)
	if err := errors.Join(usageErr, timeErr, recordErr, usersErr); err != nil || len(spent.GetRows()) != 1 || len(listed.GetUsers()) != 2 {
		t.Errorf("%v, %v, %v", err, spent, listed)
	}
}
