package standalone_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// export reads a file to its end.
func (r *running) export(request *reportv1.ExportRequest) string {
	r.t.Helper()
	var file strings.Builder
	for {
		page, err := r.reports.Export(r.t.Context(), request)
		if err != nil {
			r.t.Fatal(err)
		}
		file.WriteString(page.GetText())
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return file.String()
		}
	}
}

// sessionID returns the id of the first session of a workspace.
func (r *running) sessionID(workspace string) string {
	r.t.Helper()
	list, err := sessionsv1.NewQueryServiceClient(r.suite.Backends().Sessions).ListSessions(r.t.Context(),
		&sessionsv1.ListSessionsRequest{Workspace: workspace})
	if err != nil || len(list.GetSessions()) == 0 || list.GetSessions()[0].GetId() == "" {
		r.t.Fatal("no session", err)
	}
	return list.GetSessions()[0].GetId()
}

// exported is a workspace with two users of an account, one of whom has a name that a spreadsheet would run.
func exported(t *testing.T) *running {
	r := run(t, workspace.Workspace{ID: "w", Dimensions: []workspace.Dimension{
		{Name: "seats", Type: workspace.Number, From: []string{"group.seats"}},
		{Name: "renewal", Type: workspace.Date, From: []string{"group.renewal"}},
		{Name: "owner", Type: workspace.String, From: []string{"group.owner"}},
	}})
	calls := visits("s1", "ada", "acme", midnight, 0, 2)
	use := visits("s2", "=bob", "acme", midnight.Add(time.Hour), 0)[0]
	use.Type, use.Feature, use.AnonymousId = segmentv1.CallType_CALL_TYPE_TRACK, "Sent", ""
	group := visits("s3", "", "acme", midnight, 0)[0]
	group.Type, group.AnonymousId, group.Module = segmentv1.CallType_CALL_TYPE_GROUP, "", ""
	for path, text := range map[string]string{
		"name": "Acme, \"Inc\"", "createdAt": "2026-01-01T00:00:00Z", "seats": "12.5", "renewal": "2027-01-01", "owner": "=eve",
	} {
		group.Traits = append(group.Traits, &segmentv1.Trait{
			Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: text}},
		})
	}
	r.record("w", append(calls, use, group))
	return r
}

func TestAnExportIsOneLineARowWithTheKeysOfADump(t *testing.T) {
	r := exported(t)
	for table, want := range map[reportv1.ExportTable]string{
		reportv1.ExportTable_EXPORT_TABLE_USERS: `{"kind":"user","workspace":"w","accountId":"acme","userId":"=bob","traits":{},"problems":[],"lastSeen":"2026-11-01T01:00:00.000Z"}
{"kind":"user","workspace":"w","accountId":"acme","userId":"ada","traits":{},"problems":[],"lastSeen":"2026-11-01T00:02:00.000Z"}
`,
		reportv1.ExportTable_EXPORT_TABLE_ACCOUNTS: `{"kind":"account","workspace":"w","accountId":"acme","complete":true,"traits":{"name":"Acme, \"Inc\"","createdAt":"2026-01-01T00:00:00.000Z"},"dimensions":{"seats":12.5,"renewal":"2027-01-01T00:00:00.000Z","owner":"=eve"},"problems":[],"activeUsers":2,"lastSeenDay":"2026-11-01","durationMs":120000,"activeMs":120000}
`,
		reportv1.ExportTable_EXPORT_TABLE_SESSIONS: `{"kind":"session","workspace":"w","anonymousId":"s1","start":"2026-11-01T00:00:00.000Z","end":"2026-11-01T00:02:00.000Z","userId":"ada","accountId":"acme","durationMs":120000,"activeMs":120000,"events":2,"modules":[{"module":"m","durationMs":120000,"activeMs":120000}],"id":"` + r.sessionID("w") + `"}
`,
		reportv1.ExportTable_EXPORT_TABLE_EVENTS: `{"kind":"event","workspace":"w","time":"2026-11-01T01:00:00.000Z","messageId":"s20","feature":"Sent","module":"m","userId":"=bob","accountId":"acme"}
`,
		reportv1.ExportTable_EXPORT_TABLE_USAGE: `{"kind":"usage","workspace":"w","accountId":"acme","level":"account","module":"","feature":"","durationMs":120000,"activeMs":120000,"uses":1,"users":2,"nonUsers":0,"daysUsed":1,"userDays":2,"durationMsPerUserDay":60000,"activeMsPerUserDay":60000,"lastUsedDay":"2026-11-01","lastUse":"2026-11-01T01:00:00.000Z"}
{"kind":"usage","workspace":"w","accountId":"acme","level":"module","module":"m","feature":"","durationMs":120000,"activeMs":120000,"uses":1,"users":2,"nonUsers":0,"daysUsed":1,"userDays":2,"durationMsPerUserDay":60000,"activeMsPerUserDay":60000,"lastUsedDay":"2026-11-01","lastUse":"2026-11-01T01:00:00.000Z"}
{"kind":"usage","workspace":"w","accountId":"acme","level":"feature","module":"m","feature":"Sent","uses":1,"users":1,"nonUsers":1,"daysUsed":1,"userDays":1,"usesPerUserDay":1,"lastUsedDay":"2026-11-01","lastUse":"2026-11-01T01:00:00.000Z"}
`,
	} {
		for _, size := range []int32{0, 1} {
			got := r.export(&reportv1.ExportRequest{
				Workspace: "w", Table: table, Format: reportv1.ExportFormat_EXPORT_FORMAT_NDJSON, PageSize: size,
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%v in pages of %d (-want +got):\n%s", table, size, diff)
			}
		}
	}
}

func TestAnExportOfAUserWhoNeverDidAnythingHasNoLastSeen(t *testing.T) {
	r := run(t, workspace.Workspace{ID: "w"})
	calls := visits("s1", "synced", "acme", midnight, 0, 1, 2)
	for i, kind := range []segmentv1.CallType{
		segmentv1.CallType_CALL_TYPE_IDENTIFY, segmentv1.CallType_CALL_TYPE_GROUP, segmentv1.CallType_CALL_TYPE_PAGE,
	} {
		calls[i].Type, calls[i].Inactive = kind, kind == segmentv1.CallType_CALL_TYPE_PAGE
	}
	r.record("w", calls)
	for format, want := range map[reportv1.ExportFormat]string{
		reportv1.ExportFormat_EXPORT_FORMAT_NDJSON: `"userId":"synced","traits":{},"problems":[]}` + "\n",
		reportv1.ExportFormat_EXPORT_FORMAT_CSV:    ",\n",
	} {
		got := r.export(&reportv1.ExportRequest{Workspace: "w", Table: reportv1.ExportTable_EXPORT_TABLE_USERS, Format: format})
		if !strings.HasSuffix(strings.ReplaceAll(got, "\r\n", "\n"), want) {
			t.Errorf("%v: exported %q", format, got)
		}
	}
}

func TestAnExportAsCSVHasTheSameRowsUnderOneHeader(t *testing.T) {
	r := exported(t)
	for table := range reportv1.ExportTable_name {
		if table == 0 {
			continue
		}
		request := func(format reportv1.ExportFormat) *reportv1.ExportRequest {
			return &reportv1.ExportRequest{Workspace: "w", Table: reportv1.ExportTable(table), Format: format, PageSize: 1, Exact: true}
		}
		records, err := csv.NewReader(strings.NewReader(r.export(request(reportv1.ExportFormat_EXPORT_FORMAT_CSV)))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(r.export(request(reportv1.ExportFormat_EXPORT_FORMAT_NDJSON))), "\n")
		if len(records) != len(lines)+1 {
			t.Fatalf("%v: %d records for %d lines", reportv1.ExportTable(table), len(records), len(lines))
		}
		for i, line := range lines {
			var want map[string]json.RawMessage
			if err := json.Unmarshal([]byte(line), &want); err != nil {
				t.Fatal(err)
			}
			for column, name := range records[0] {
				outer, inner, nested := strings.Cut(name, ".")
				value := want[outer]
				if nested {
					var fields map[string]json.RawMessage
					if err := json.Unmarshal(value, &fields); err != nil {
						t.Fatal(err)
					}
					value = fields[inner]
				}
				text := string(value)
				var plain string
				if json.Unmarshal(value, &plain) == nil {
					text = plain
				}
				if got := records[i+1][column]; got != text && (text != "[]" || got != "") {
					t.Errorf("%v, row %d, %s: %q, want %q", reportv1.ExportTable(table), i, name, got, text)
				}
			}
		}
	}
}

func TestCSVIsMadeSafeForSpreadsheetsUnlessItIsToBeExact(t *testing.T) {
	r := exported(t)
	for exact, want := range map[bool]string{false: ",'=bob,", true: ",=bob,"} {
		got := r.export(&reportv1.ExportRequest{
			Workspace: "w", Table: reportv1.ExportTable_EXPORT_TABLE_USERS, Format: reportv1.ExportFormat_EXPORT_FORMAT_CSV, Exact: exact,
		})
		if !strings.Contains(got, want) {
			t.Errorf("exact %v: %s", exact, got)
		}
	}
}

func TestUsageIsExportedOfEveryAccountOrOfOne(t *testing.T) {
	r := run(t)
	var want []string
	for i := range 25 { // more than one page has
		id := string(rune('a' + i))
		want = append(want, id)
		r.record("w", visits(id, id, id, midnight.AddDate(0, 0, i%2), 0, 1))
	}
	accounts := func(request *reportv1.ExportRequest) (ids []string) {
		request.Workspace, request.Table = "w", reportv1.ExportTable_EXPORT_TABLE_USAGE
		request.Format, request.FromDay, request.ToDay = reportv1.ExportFormat_EXPORT_FORMAT_NDJSON, "2026-11-01", "2026-11-01"
		for line := range strings.Lines(r.export(request)) {
			var row struct {
				AccountID, Level string
				DurationMS       int64
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if row.Level != "account" {
				continue
			}
			ids = append(ids, row.AccountID)
			if came := row.AccountID[0]%2 == 'a'%2; came != (row.DurationMS == 60_000) {
				t.Errorf("account %s spent %d ms on the day", row.AccountID, row.DurationMS)
			}
		}
		return ids
	}
	if diff := cmp.Diff(want, accounts(&reportv1.ExportRequest{PageSize: 1000})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c"}, accounts(&reportv1.ExportRequest{AccountId: "c"})); diff != "" {
		t.Error(diff)
	}
}

// column returns the values of a column of an export, in JSON.
func (r *running) column(name string, request *reportv1.ExportRequest) (values []string) {
	r.t.Helper()
	request.Workspace, request.Format = "w", reportv1.ExportFormat_EXPORT_FORMAT_NDJSON
	for line := range strings.Lines(r.export(request)) {
		var row map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			r.t.Fatal(err)
		}
		values = append(values, string(row[name]))
	}
	return values
}

func TestEveryTableIsLimitedToDaysAndToAnAccount(t *testing.T) {
	r := run(t)
	for i, user := range []string{"u1", "u2", "u3"} { // on the last day of October, and on the first two of November
		account := []string{"a", "b", "a"}[i]
		day := midnight.AddDate(0, 0, i-1)
		r.record("w", visits("s"+user, user, account, day, 0, 1))
		use := visits("e"+user, user, account, day.Add(24*time.Hour-time.Millisecond), 0)[0]
		use.Type, use.Feature, use.AnonymousId = segmentv1.CallType_CALL_TYPE_TRACK, "Sent", ""
		r.record("w", []*segmentv1.Call{use})
	}
	never := visits("n", "", "never", midnight, 0)[0]
	never.Type, never.AnonymousId, never.Module = segmentv1.CallType_CALL_TYPE_GROUP, "", ""
	r.record("w", []*segmentv1.Call{never})
	type table = reportv1.ExportTable
	const (
		users, accounts = reportv1.ExportTable_EXPORT_TABLE_USERS, reportv1.ExportTable_EXPORT_TABLE_ACCOUNTS
		sessions, uses  = reportv1.ExportTable_EXPORT_TABLE_SESSIONS, reportv1.ExportTable_EXPORT_TABLE_EVENTS
	)
	for _, c := range []struct {
		table             table
		from, to, account string
		column, want      string
	}{
		{users, "", "", "", "userId", `["u1" "u2" "u3"]`},
		{users, "2026-11-01", "2026-11-01", "", "userId", `["u2"]`},
		{users, "2026-11-01", "", "", "userId", `["u2" "u3"]`},
		{users, "", "2026-10-31", "", "userId", `["u1"]`},
		{users, "", "", "a", "userId", `["u1" "u3"]`},
		{users, "2026-11-03", "", "", "userId", `[]`},
		{sessions, "2026-11-01", "2026-11-01", "", "userId", `["u2"]`},
		{sessions, "2026-11-01", "", "", "userId", `["u2" "u3"]`},
		{sessions, "", "2026-11-01", "", "userId", `["u1" "u2"]`},
		{sessions, "", "", "b", "userId", `["u2"]`},
		{uses, "2026-11-01", "2026-11-01", "", "userId", `["u2"]`},
		{uses, "2026-11-02", "", "", "userId", `["u3"]`},
		{uses, "", "2026-10-31", "", "userId", `["u1"]`},
		{uses, "", "", "a", "userId", `["u1" "u3"]`},
		{accounts, "", "", "", "accountId", `["a" "b" "never"]`},
		{accounts, "", "", "", "activeUsers", `[2 1 0]`},
		{accounts, "", "", "", "durationMs", `[120000 60000 0]`},
		{accounts, "", "", "", "lastSeenDay", `["2026-11-02" "2026-11-01" ""]`},
		{accounts, "2026-11-02", "", "", "accountId", `["a" "b" "never"]`},
		{accounts, "2026-11-02", "", "", "activeUsers", `[1 0 0]`},
		{accounts, "2026-11-02", "", "", "activeMs", `[60000 0 0]`},
		{accounts, "2026-11-02", "", "", "lastSeenDay", `["2026-11-02" "2026-11-01" ""]`},
		{accounts, "2026-11-01", "2026-11-01", "", "activeUsers", `[0 1 0]`},
		{accounts, "2026-11-01", "2026-11-01", "", "lastSeenDay", `["2026-10-31" "2026-11-01" ""]`},
		{accounts, "", "", "b", "accountId", `["b"]`},
	} {
		for _, size := range []int32{1, 1000} {
			got := r.column(c.column, &reportv1.ExportRequest{
				Table: c.table, FromDay: c.from, ToDay: c.to, AccountId: c.account, PageSize: size,
			})
			if fmt.Sprint(got) != c.want {
				t.Errorf("%v of account %q from %q to %q in pages of %d: %s %v, want %s",
					c.table, c.account, c.from, c.to, size, c.column, got, c.want)
			}
		}
	}
}

func TestAnExportThatCannotBeIsTheClientsMistake(t *testing.T) {
	r := exported(t)
	for name, c := range map[string]struct {
		request *reportv1.ExportRequest
		code    connect.Code
	}{
		"no table":        {&reportv1.ExportRequest{Format: 1}, connect.CodeInvalidArgument},
		"no format":       {&reportv1.ExportRequest{Table: 1}, connect.CodeInvalidArgument},
		"unknown table":   {&reportv1.ExportRequest{Table: 99, Format: 1}, connect.CodeInvalidArgument},
		"unknown format":  {&reportv1.ExportRequest{Table: 1, Format: 99}, connect.CodeInvalidArgument},
		"no day":          {&reportv1.ExportRequest{Table: 5, Format: 1, FromDay: "x"}, connect.CodeInvalidArgument},
		"no last day":     {&reportv1.ExportRequest{Table: 1, Format: 1, ToDay: "2026-11-31"}, connect.CodeInvalidArgument},
		"days backwards":  {&reportv1.ExportRequest{Table: 3, Format: 1, FromDay: "2026-11-02", ToDay: "2026-11-01"}, connect.CodeInvalidArgument},
		"negative page":   {&reportv1.ExportRequest{Table: 1, Format: 1, PageSize: -1}, connect.CodeInvalidArgument},
		"foreign token":   {&reportv1.ExportRequest{Table: 1, Format: 1, PageToken: "AAAA"}, connect.CodeInvalidArgument},
		"unknown account": {&reportv1.ExportRequest{Table: 5, Format: 1, AccountId: "x"}, connect.CodeNotFound},
		"account of none": {&reportv1.ExportRequest{Table: 2, Format: 1, AccountId: "x"}, connect.CodeNotFound},
	} {
		c.request.Workspace = "w"
		if _, err := r.reports.Export(t.Context(), c.request); connect.CodeOf(err) != c.code {
			t.Errorf("%s: %v, want %v", name, err, c.code)
		}
	}
}
