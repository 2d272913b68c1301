package strict_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	adminv1 "github.com/sojournhq/sojourn/proto/sojourn/admin/v1"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/gateway/internal/strict"
)

func services() []protoreflect.ServiceDescriptor {
	return []protoreflect.ServiceDescriptor{
		identityv1.File_sojourn_identity_v1_identity_proto.Services().ByName("QueryService"),
		eventsv1.File_sojourn_events_v1_events_proto.Services().ByName("QueryService"),
		sessionsv1.File_sojourn_sessions_v1_sessions_proto.Services().ByName("QueryService"),
		reportv1.File_sojourn_report_v1_report_proto.Services().ByName("ReportService"),
	}
}

func TestWhatIsWrongWithAMessageInJSONIsSaid(t *testing.T) {
	long := strings.Repeat("x", 65)
	for _, c := range []struct {
		into      proto.Message
		text, why string // no why: it is read
	}{
		// Fields.
		{&eventsv1.QueryUsageRequest{}, `{"acountId":"a"}`, "acountId is not a field of QueryUsage: did you mean accountId?"},
		{&eventsv1.QueryUsageRequest{}, `{"account_Id":"a"}`, "account_Id is not a field of QueryUsage: did you mean accountId?"},
		{&eventsv1.QueryUsageRequest{}, `{"AccountID":"a"}`, "AccountID is not a field of QueryUsage: did you mean accountId?"},
		{&eventsv1.QueryUsageRequest{}, `{"account":"a"}`, "account is not a field of QueryUsage: did you mean accountId?"},
		{&eventsv1.QueryUsageRequest{}, `{"gruopBy":[]}`, "gruopBy is not a field of QueryUsage: did you mean groupBy?"},
		{&reportv1.ListAccountActivityRequest{}, `{"notSeenDays":7}`, "notSeenDays is not a field of ListAccountActivity: did you mean notSeenForDays?"},
		{
			&sessionsv1.ListSessionsRequest{}, `{"fromDay":"2026-11-01"}`,
			"fromDay is not a field of ListSessions but of QueryTime: did you mean from?",
		},
		{
			&reportv1.GetAccountOverviewRequest{}, `{"fromDay":"2026-11-01"}`,
			"fromDay is not a field of GetAccountOverview: GetAccountOverview takes workspace, accountId, asOfDay, days and top",
		},
		{
			&sessionsv1.ListSessionsRequest{}, `{"module":"m"}`,
			"module is not a field of ListSessions but of QueryTime: ListSessions takes workspace, accountId, userId, anonymousId, from, to, " +
				"state, pageSize and pageToken",
		},
		{
			&identityv1.GetAccountRequest{}, `{"reason":1}`,
			"reason is not a field of GetAccount but of ListUnattributedUsers: GetAccount takes workspace, accountId and idOnly",
		},
		{
			&identityv1.GetAccountRequest{}, `{"groupBy":1}`,
			"groupBy is not a field of GetAccount but of QueryUsage and QueryTime: GetAccount takes workspace, accountId and idOnly",
		},
		{&identityv1.GetAccountRequest{}, `{"colour":1}`, "colour is not a field of GetAccount: GetAccount takes workspace, accountId and idOnly"},
		{&identityv1.ListWorkspacesRequest{}, `{"x":1}`, "x is not a field of ListWorkspaces: ListWorkspaces takes no fields"},
		{&adminv1.DeleteUserRequest{}, `{"userid":"u"}`, "userid is not a field of DeleteUser: did you mean userId?"},
		{&adminv1.DeleteUserRequest{}, `{"[a.b]":"u"}`, "a name in the message is not a field of DeleteUser: DeleteUser takes workspace, userId and until"},
		{
			&identityv1.GetSettingsRequest{}, `{"ada@example.com":1}`,
			"a name in the message is not a field of GetSettings: GetSettings takes workspace",
		},
		{&identityv1.GetSettingsRequest{}, `{"` + long + `":1}`, "a name in the message is not a field of GetSettings: GetSettings takes workspace"},
		{&identityv1.GetSettingsRequest{}, `{"":1}`, "a name in the message is not a field of GetSettings: GetSettings takes workspace"},
		{&identityv1.GetAccountRequest{}, `{"account-id":1}`, "a name in the message is not a field of GetAccount: did you mean accountId?"},
		{&identityv1.GetUserResponse{}, `{"user":{"last seen":1}}`, "a name in user is not a field of User: did you mean lastSeen?"},
		// Fields twice.
		{&eventsv1.QueryUsageRequest{}, `{"accountId":"a","accountId":"b"}`, "accountId is there twice"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":"a","account_id":"b"}`, "accountId is there twice"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":null,"accountId":"b"}`, "accountId is there twice"},
		// Values of enums.
		{
			&eventsv1.QueryUsageRequest{}, `{"groupBy":["GROUP_BY_WEEK"]}`,
			"groupBy[0] cannot be GROUP_BY_WEEK: it must be GROUP_BY_MODULE, GROUP_BY_FEATURE, GROUP_BY_USER, GROUP_BY_ACCOUNT or GROUP_BY_DAY",
		},
		{
			&eventsv1.QueryUsageRequest{}, `{"groupBy":["GROUP_BY_DAY","GROUP_BY_MODUL"]}`,
			"groupBy[1] cannot be GROUP_BY_MODUL: did you mean GROUP_BY_MODULE?",
		},
		{&eventsv1.QueryUsageRequest{}, `{"groupBy":["day"]}`, "groupBy[0] cannot be day: did you mean GROUP_BY_DAY?"},
		{&eventsv1.QueryUsageRequest{}, `{"groupBy":["groupByUser"]}`, "groupBy[0] cannot be groupByUser: did you mean GROUP_BY_USER?"},
		{
			&sessionsv1.QueryTimeRequest{}, `{"groupBy":[1,99]}`,
			"groupBy[1] cannot be 99: it must be GROUP_BY_ACCOUNT, GROUP_BY_USER, GROUP_BY_MODULE or GROUP_BY_DAY",
		},
		{
			&sessionsv1.ListSessionsRequest{}, `{"state":"ended "}`,
			"state cannot be what was sent: did you mean SESSION_STATE_ENDED?",
		},
		{
			&sessionsv1.ListSessionsRequest{}, `{"state":"ada@example.com"}`,
			"state cannot be what was sent: it must be SESSION_STATE_ACTIVE or SESSION_STATE_ENDED",
		},
		{&sessionsv1.ListSessionsRequest{}, `{"state":-1}`, "state cannot be -1: it must be SESSION_STATE_ACTIVE or SESSION_STATE_ENDED"},
		{&sessionsv1.ListSessionsRequest{}, `{"state":true}`, "state must be SESSION_STATE_ACTIVE or SESSION_STATE_ENDED"},
		{&sessionsv1.ListSessionsRequest{}, `{"state":1.5}`, "state must be SESSION_STATE_ACTIVE or SESSION_STATE_ENDED"},
		// Types.
		{&eventsv1.QueryUsageRequest{}, `{"groupBy":"GROUP_BY_DAY"}`, "groupBy must be a list"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":7}`, "accountId must be text"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":["a"]}`, "accountId must be text"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":"\ud800"}`, "accountId has half of a surrogate pair in it"},
		{&eventsv1.QueryUsageRequest{}, `{"pageSize":"ten"}`, "pageSize must be a whole number (int32)"},
		{&eventsv1.QueryUsageRequest{}, `{"pageSize":1.5}`, "pageSize must be a whole number (int32)"},
		{&eventsv1.QueryUsageRequest{}, `{"pageSize":3000000000}`, "pageSize must be a whole number (int32)"},
		{&identityv1.ListUsersRequest{}, `{"idsOnly":"true"}`, "idsOnly must be true or false"},
		{&reportv1.ListAccountActivityRequest{}, `{"maxTimeChange":{}}`, "maxTimeChange must be a number"},
		{&sessionsv1.ListSessionsRequest{}, `{"from":"2026-11-01"}`, "from must be a time such as 2026-11-01T00:00:00Z"},
		{&sessionsv1.ListSessionsRequest{}, `{"from":1793491200}`, "from must be a time such as 2026-11-01T00:00:00Z"},
		{&identityv1.Settings{}, `{"idleCap":5}`, "idleCap must be a duration such as 1.5s"},
		{&identityv1.Rejection{}, `{"fingerprint":"*"}`, "fingerprint must be base64"},
		{&identityv1.OutcomeCount{}, `{"rejectedByCode":{"a":{}}}`, "rejectedByCode must be a JSON object with values of one type"},
		{&identityv1.Dimension{}, `{"string":"a","number":1}`, "the message cannot be read as one of Dimension"},
		// Within.
		{&identityv1.RecordCallsRequest{}, `{"calls":[{},{"mesageId":"m"}]}`, "calls[1].mesageId is not a field of Call: did you mean messageId?"},
		{&identityv1.RecordCallsRequest{}, `{"calls":[{"traits":[{"value":{"nul":true}}]}]}`, "calls[0].traits[0].value.nul is not a field of Value: did you mean null?"},
		{&identityv1.RecordCallsRequest{}, `{"calls":[7]}`, "calls[0] must be a JSON object"},
		{&identityv1.RecordCallsRequest{}, `{"calls":[{"type":"CALL_TYPE_TRAK"}]}`, "calls[0].type cannot be CALL_TYPE_TRAK: did you mean CALL_TYPE_TRACK?"},
		{&identityv1.GetUserResponse{}, `{"user":{"traits":{"firstname":1}}}`, "user.traits.firstname is not a field of UserTraits: did you mean firstName?"},
		{&identityv1.GetUserResponse{}, `{"user":{"traits":[]}}`, "user.traits must be a JSON object"},
		// What is no message at all.
		{&eventsv1.QueryUsageRequest{}, ``, "the message is empty: the least there is to send is {}"},
		{&eventsv1.QueryUsageRequest{}, " \n", "the message is empty: the least there is to send is {}"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":"secret`, "the message is not JSON: it ends too early"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":secret}`, "the message is not JSON: it goes wrong at byte 14"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":"a"}{}`, "the message is not JSON: it goes wrong at byte 18"},
		{&eventsv1.QueryUsageRequest{}, `{"pageSize":NaN}`, "the message is not JSON: it goes wrong at byte 13"},
		{&eventsv1.QueryUsageRequest{}, `accountId=a`, "the message is not JSON: it goes wrong at byte 1"},
		{&eventsv1.QueryUsageRequest{}, `[]`, "the message must be a JSON object"},
		{&eventsv1.QueryUsageRequest{}, `null`, "the message must be a JSON object"},
		{&eventsv1.QueryUsageRequest{}, "{\"accountId\":\"\xff\"}", "the message is not valid UTF-8"},
		// What is right.
		{&eventsv1.QueryUsageRequest{}, `{}`, ""},
		{&eventsv1.QueryUsageRequest{}, ` {"accountId":"","account_id":null} `, "accountId is there twice"},
		{&eventsv1.QueryUsageRequest{}, `{"accountId":null,"group_by":["GROUP_BY_DAY",1],"pageSize":"10","from_day":"x"}`, ""},
		{&sessionsv1.ListSessionsRequest{}, `{"state":0,"from":"2026-11-01T00:00:00+01:00"}`, ""},
		{&identityv1.RecordCallsRequest{}, `{"calls":[{"type":"CALL_TYPE_TRACK","traits":[{"path":"a","value":{"number":"1"}}]}]}`, ""},
	} {
		err := strict.ReadJSON(services(), []byte(c.text), c.into)
		if (err == nil) != (c.why == "") || err != nil && err.Error() != c.why {
			t.Errorf("%T %s:\n  %v, want\n  %s", c.into, c.text, err, c.why)
		}
	}
}

func TestWhatIsWrongWithAMessageInBinaryIsSaid(t *testing.T) {
	field := func(number protowire.Number, text string) []byte {
		return protowire.AppendString(protowire.AppendTag(nil, number, protowire.BytesType), text)
	}
	integer := func(number protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), n)
	}
	const usage = "QueryUsage takes workspace (1), fromDay (2), toDay (3), groupBy (4), accountId (5), userId (6), module (7), feature (8), pageSize (9) and pageToken (10)"
	for name, c := range map[string]struct {
		into proto.Message
		data []byte
		why  string
	}{
		"nothing":           {&eventsv1.QueryUsageRequest{}, nil, ""},
		"a known field":     {&eventsv1.QueryUsageRequest{}, field(5, "a"), ""},
		"an unknown field":  {&eventsv1.QueryUsageRequest{}, field(99, "a"), "field number 99 is not one of QueryUsage: " + usage},
		"the last of all":   {&eventsv1.QueryUsageRequest{}, field(protowire.MaxValidNumber, "a"), "field number 536870911 is not one of QueryUsage: " + usage},
		"another type":      {&eventsv1.QueryUsageRequest{}, integer(5, 7), "accountId, field number 5, has another type than the one sent"},
		"an unknown value":  {&sessionsv1.ListSessionsRequest{}, integer(7, 9), "state cannot be 9: it must be SESSION_STATE_ACTIVE or SESSION_STATE_ENDED"},
		"of a list":         {&sessionsv1.QueryTimeRequest{}, append(integer(4, 1), integer(4, 9)...), "groupBy[1] cannot be 9: it must be GROUP_BY_ACCOUNT, GROUP_BY_USER, GROUP_BY_MODULE or GROUP_BY_DAY"},
		"a field within":    {&identityv1.RecordCallsRequest{}, append(field(2, ""), field(2, string(field(99, "x")))...), "calls[1].field number 99 is not one of Call: "},
		"in a known one":    {&sessionsv1.ListSessionsRequest{}, field(5, string(integer(9, 1))), "from.field number 9 is not one of Timestamp: Timestamp takes seconds (1) and nanos (2)"},
		"no fields":         {&identityv1.ListWorkspacesRequest{}, integer(1, 1), "field number 1 is not one of ListWorkspaces: ListWorkspaces takes no fields"},
		"a broken message":  {&eventsv1.QueryUsageRequest{}, []byte{0xff}, "the message is not one of QueryUsage in Protobuf's encoding"},
		"text that is none": {&eventsv1.QueryUsageRequest{}, field(5, "\xff"), "the message is not one of QueryUsage in Protobuf's encoding"},
	} {
		err := strict.ReadBinary(c.data, c.into)
		if (err == nil) != (c.why == "") || err != nil && !strings.HasPrefix(err.Error(), c.why) {
			t.Errorf("%s: %v, want %s", name, err, c.why)
		}
	}
}

func TestOfALongListNotEveryValueIsLookedAt(t *testing.T) {
	for n, why := range map[int]string{99: "groupBy[99] cannot be what was sent", 100: "groupBy has a value in it that cannot be read"} {
		text := `{"groupBy":[` + strings.Repeat("1,", n) + `"x y"]}`
		err := strict.ReadJSON(services(), []byte(text), &eventsv1.QueryUsageRequest{})
		if err == nil || !strings.HasPrefix(err.Error(), why) {
			t.Errorf("behind %d values: %v, want %s", n, err, why)
		}
	}
}

func TestLettersThatDifferAreCounted(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "a", 0},
		{"", "abc", 3},
		{"acountid", "accountid", 1},
		{"form", "from", 1},
		{"week", "day", 4},
		{"gruopby", "groupby", 1},
		{"kitten", "sitting", 3},
		{"ab", "ba", 1},
		{"abc", "cab", 2},
	} {
		if got, back := strict.Differing(c.a, c.b), strict.Differing(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("%q and %q differ in %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
}

// FuzzJSON holds what is refused against protojson, which decides what can be read.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"accountId":"a"}`, `{"acountId":"a"}`, `{"groupBy":["GROUP_BY_DAY",99]}`, `{"groupBy":["x"]}`, `{"pageSize":"1"}`, `[]`, `{"a":`,
		`{"accountId":"\ud800"}`, `{"accountId":null,"account_id":1}`, `{"pageSize":1e2}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want eventsv1.QueryUsageRequest
		err := strict.ReadJSON(services(), []byte(text), &got)
		wrong := protojson.Unmarshal([]byte(text), &want)
		switch {
		case wrong != nil && err == nil:
			t.Errorf("%q is read, and protojson says %v", text, wrong)
		case wrong == nil && err != nil:
			if !slices.ContainsFunc(want.GetGroupBy(), func(g eventsv1.GroupBy) bool { return eventsv1.GroupBy_name[int32(g)] == "" }) {
				t.Errorf("%q is refused: %v", text, err)
			}
		case err == nil && !proto.Equal(&got, &want):
			t.Errorf("%q is read as %v, and by protojson as %v", text, &got, &want)
		}
		if err != nil && (len(err.Error()) > 400 || strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' })) {
			t.Errorf("%q is refused with %q", text, err)
		}
		if errors.Is(err, wrong) && err != nil {
			t.Errorf("%q is refused with an error of protojson's", text)
		}
	})
}
